"""A mirror that goes on: it seeds, asks again, outlives a silent publisher, and stops after the time of grace."""

from __future__ import annotations

import datetime
import socket
import threading
from pathlib import Path

import pytest

from fonoteca.core.clock import FixedClock
from fonoteca.core.layout import MirrorLayout
from fonoteca.core.progress import Silent
from fonoteca.mirror import publisher as publishers
from fonoteca.mirror.courier import Options
from fonoteca.mirror.run import Mirror, Summary
from mirror.world import PLENTY, served
from simulators.edition_server import Fault
from simulators.tiny_publication import NOW

pytestmark = pytest.mark.core
DAY = datetime.timedelta(days=1)


class Days(FixedClock):
    """Each sleep is a day; what is due is done, then it is over after so many."""

    def __init__(self, stop: threading.Event, days: int, port: int) -> None:
        super().__init__(NOW)
        self.seeding: list[bool] = []
        self._stop = stop
        self._days = days
        self._port = port

    def sleep(self, seconds: float) -> None:
        if seconds < 3600:
            return
        with socket.socket() as probe:
            self.seeding.append(probe.connect_ex(("127.0.0.1", self._port)) == 0)
        self.elapsed += 86_400
        if len(self.seeding) >= self._days:
            self._stop.set()


class Warnings(Silent):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def warn(self, text: str) -> None:
        self.texts.append(text)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def test_it_seeds_on_without_news_until_the_grace_is_over_and_deletes_nothing(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        publisher.add(50_000)
        publisher.publish()
        layout = MirrorLayout(tmp_path / "mirror")
        layout.root.mkdir()
        publishers.save(layout, publishers.prepare(layout, server.url, publisher.root_json))
        stop, port, told, warnings = threading.Event(), free_port(), list[Summary](), Warnings()
        clock = Days(stop, 14, port)
        mirror = Mirror(layout, PLENTY, clock, warnings, Options(transport="http"))
        mirror.keep_true(f"127.0.0.1:{port}", 3 * DAY, told.append, stop)
        # Signed for 7 days, 3 days of grace: days 0 to 9 are seeded.
        assert clock.seeding == [True] * 10 + [False] * 4
        assert len(told) == 7
        assert any("run out" in text for text in warnings.texts)
        assert any("nothing is deleted" in text for text in warnings.texts)
        assert list((layout.publication.root / "packs").rglob("*.tar"))


def test_it_takes_up_a_new_edition_and_outlives_a_broken_server(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        publisher.add(50_000)
        publisher.publish()
        layout = MirrorLayout(tmp_path / "mirror")
        layout.root.mkdir()
        publishers.save(layout, publishers.prepare(layout, server.url, publisher.root_json))
        stop, port, told = threading.Event(), free_port(), list[Summary]()
        clock = Days(stop, 3, port)

        def tell(summary: Summary) -> None:
            told.append(summary)
            if len(told) == 1:
                publisher.add(60_000, volume="mid-free-0002-01", tier="mid")
                publisher.publish()
                server.faults = [Fault(status=500, times=1)]

        mirror = Mirror(layout, PLENTY, clock, Warnings(), Options(transport="http"))
        mirror.keep_true(f"127.0.0.1:{port}", 45 * DAY, tell, stop)
        assert [(s.edition, s.packs) for s in told] == [(1, 1), (2, 2)]
        assert clock.seeding == [True] * 3
