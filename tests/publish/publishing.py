"""A small signed publication, served over loopback, and python-tuf's own client that walks it."""

from __future__ import annotations

import datetime
import functools
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tuf.ngclient import Updater, UpdaterConfig

from fonoteca.core import durable
from fonoteca.core.layout import PublicationLayout
from fonoteca.formats.withdrawals import EMPTY, Withdrawal, WithdrawalList
from fonoteca.publish import keys, tuf

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
"""The client reads the real clock, so the tests sign for the present."""
DAY = datetime.timedelta(days=1)


class Publisher:
    """A publication and its keys under one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.publication = PublicationLayout(root / "publication")
        self.keys = keys.create(root / "keys")
        self.withdrawals = EMPTY
        self.editions: dict[str, tuf.Target] = {}

    def withdraw(self) -> None:
        """One entry more."""
        number = self.withdrawals.version + 1
        entry = Withdrawal(number, "withdraw", None, (f"{number:064x}",), "asked", "2026-11-24T12:00:00Z")
        self.withdrawals = WithdrawalList((*self.withdrawals.entries, entry))

    def publish(self, now: datetime.datetime = NOW) -> tuf.Versions:
        """The next edition: one file."""
        number = len(self.editions) + 1
        data = b'{"edition":%d}\n' % number
        durable.write_bytes(self.publication.edition(number) / "edition.json", data)
        path = f"editions/{number:04d}/edition.json"
        self.editions[path] = tuf.Target(len(data), hashlib.sha256(data).hexdigest())
        return self.sign(now)

    def sign(self, now: datetime.datetime = NOW) -> tuf.Versions:
        """Sign what is there."""
        return tuf.sign(self.publication, self.keys, self.editions, self.withdrawals.encode(), now)

    def refresh(self, now: datetime.datetime = NOW) -> tuf.Versions:
        """Re-sign without an edition."""
        return tuf.refresh(self.publication, self.keys, self.withdrawals.encode(), now)

    def metadata(self) -> dict[str, bytes]:
        """All metadata files."""
        return {p.name: p.read_bytes() for p in sorted(self.publication.metadata.iterdir())}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def served(publication: PublicationLayout) -> Iterator[str]:
    """The publication's address on loopback."""
    handler = functools.partial(_Quiet, directory=str(publication.root))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


class Client:
    """A mirror's view: python-tuf's client with its own folder and the root that it was given."""

    def __init__(self, folder: Path, root: bytes) -> None:
        self._folder = folder
        self._root = root
        folder.mkdir(parents=True)

    def get(self, publication: PublicationLayout, *paths: str) -> list[bytes]:
        """Refresh, then download targets. Raises whatever the client raises."""
        with served(publication) as url:
            updater = Updater(
                str(self._folder), url + "metadata/", str(self._folder), url,
                config=UpdaterConfig(prefix_targets_with_hash=False), bootstrap=self._root,
            )  # fmt: skip
            updater.refresh()
            return [self._download(updater, path) for path in paths]

    def _download(self, updater: Updater, path: str) -> bytes:
        info = updater.get_targetinfo(path)
        assert info is not None, path
        target = self._folder / path.replace("/", "-")
        updater.download_target(info, str(target))
        return target.read_bytes()
