"""Bounded downloads against a server that misbehaves."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fonoteca.cli.env import SystemClock
from fonoteca.core import fetch
from fonoteca.core.errors import ExitCode, NetworkFailed
from fonoteca.core.fetch import Fetcher, HttpStatus, Limits
from simulators.edition_server import EditionServer, Fault

pytestmark = pytest.mark.core
BODY = random.Random(5).randbytes(300_000)
QUICK = Limits(connect_seconds=2, read_seconds=0.5, total_seconds=5, slowest_rate=10_000, window_seconds=0.3)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EditionServer]:
    (tmp_path / "file").write_bytes(BODY)
    (tmp_path / "empty").write_bytes(b"")
    with EditionServer(tmp_path) as running:
        yield running


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    with Fetcher(SystemClock(), QUICK) as opened:
        yield opened


def refusal(fetcher: Fetcher, url: str, max_bytes: int = len(BODY), **options: int) -> NetworkFailed:
    with pytest.raises(NetworkFailed) as caught, fetcher.open(url, max_bytes=max_bytes, **options) as download:
        for _ in download:
            pass
    assert caught.value.exit is ExitCode.NETWORK
    assert caught.value.remedy
    return caught.value


def test_a_file_comes_whole(server: EditionServer, fetcher: Fetcher) -> None:
    assert fetcher.get(f"{server.url}/file", len(BODY)) == BODY
    assert fetcher.get(f"{server.url}/empty", 0) == b""


def test_one_connection_is_used_again(server: EditionServer, fetcher: Fetcher) -> None:
    for _ in range(5):
        fetcher.get(f"{server.url}/file", len(BODY))
    pool = fetcher._pool.connection_from_url(server.url)
    assert pool.num_connections == 1


@pytest.mark.parametrize(("start", "stop"), [(1, None), (0, 10), (299_999, 300_000), (16_384, 32_768)])
def test_a_range_is_what_was_asked_for(server: EditionServer, fetcher: Fetcher, start: int, stop: int | None) -> None:
    with fetcher.open(f"{server.url}/file", max_bytes=len(BODY), start=start, stop=stop) as download:
        assert download.start == start
        assert download.total == len(BODY)
        assert b"".join(download) == BODY[start:stop]


def test_an_ignored_range_begins_at_zero_and_says_so(server: EditionServer, fetcher: Fetcher) -> None:
    server.faults = [Fault(ignore_range=True)]
    with fetcher.open(f"{server.url}/file", max_bytes=len(BODY), start=1000) as download:
        assert download.start == 0
        assert b"".join(download) == BODY


def test_a_changed_etag_begins_at_zero(server: EditionServer, fetcher: Fetcher) -> None:
    with fetcher.open(f"{server.url}/file", max_bytes=len(BODY)) as download:
        etag = download.etag
    assert etag
    with fetcher.open(f"{server.url}/file", max_bytes=len(BODY), start=1000, etag=etag) as download:
        assert download.start == 1000
    server.faults = [Fault(etag='"another"')]
    with fetcher.open(f"{server.url}/file", max_bytes=len(BODY), start=1000, etag=etag) as download:
        assert download.start == 0
        assert b"".join(download) == BODY


def test_a_shifted_range_is_refused(server: EditionServer, fetcher: Fetcher) -> None:
    server.faults = [Fault(shift=512)]
    assert refusal(fetcher, f"{server.url}/file", start=1000).code == "bad-range"


def test_a_longer_file_than_expected_is_refused(server: EditionServer, fetcher: Fetcher) -> None:
    assert refusal(fetcher, f"{server.url}/file", max_bytes=len(BODY) - 1).code == "too-long"


def test_endless_data_is_cut_off(server: EditionServer, fetcher: Fetcher) -> None:
    server.faults = [Fault(endless=True)]
    assert refusal(fetcher, f"{server.url}/file").code == "too-long"
    assert server.sent("file") < 20 << 20


@pytest.mark.parametrize("cut", [0, 1, 100_000, len(BODY) - 1])
def test_a_truncated_body_is_refused(server: EditionServer, fetcher: Fetcher, cut: int) -> None:
    server.faults = [Fault(cut=cut)]
    assert refusal(fetcher, f"{server.url}/file").code == "cut-short"


def test_gzip_added_on_the_way_is_refused(server: EditionServer, fetcher: Fetcher) -> None:
    server.faults = [Fault(pack=True)]
    assert refusal(fetcher, f"{server.url}/file").code == "encoded-body"


def test_a_drip_is_given_up(server: EditionServer, fetcher: Fetcher) -> None:
    server.faults = [Fault(drip=0.05)]
    begun = time.monotonic()
    assert refusal(fetcher, f"{server.url}/file").code == "too-slow"
    assert time.monotonic() - begun < 3


def test_silence_times_out(server: EditionServer, fetcher: Fetcher) -> None:
    server.faults = [Fault(drip=1.5)]
    assert refusal(fetcher, f"{server.url}/file").code == "timed-out"


@pytest.mark.parametrize("status", [404, 403, 500, 503, 416])
def test_a_status_is_told(server: EditionServer, fetcher: Fetcher, status: int) -> None:
    server.faults = [Fault(status=status)]
    error = refusal(fetcher, f"{server.url}/file")
    assert isinstance(error, HttpStatus)
    assert error.status == status


def test_nobody_there(fetcher: Fetcher) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    error = refusal(fetcher, f"http://127.0.0.1:{port}/file")
    assert error.code == "unreachable"
    assert str(port) in error.why


def test_three_redirects_are_followed_and_no_more(server: EditionServer, fetcher: Fetcher) -> None:
    server.faults = [Fault("a", location="/b"), Fault("b", location="/c"), Fault("c", location="/file")]
    assert fetcher.get(f"{server.url}/a", len(BODY)) == BODY
    server.faults.append(Fault("z", location="/a"))
    assert refusal(fetcher, f"{server.url}/z").code == "bad-redirect"


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher:x", "http://"])
def test_a_redirect_to_another_scheme_is_refused(server: EditionServer, fetcher: Fetcher, target: str) -> None:
    server.faults = [Fault(location=target)]
    assert refusal(fetcher, f"{server.url}/file").code in {"bad-address", "bad-redirect"}


def test_a_redirect_never_goes_from_https_to_http() -> None:
    with pytest.raises(NetworkFailed) as caught:
        fetch._redirected("https://127.0.0.1/x", "http://127.0.0.1/x")
    assert caught.value.code == "bad-redirect"


def test_a_redirect_never_goes_from_a_public_address_to_a_private_one() -> None:
    with pytest.raises(NetworkFailed) as caught:
        fetch._redirected("http://93.184.215.14/x", "http://127.0.0.1/x")
    assert caught.value.code == "bad-redirect"


@pytest.mark.parametrize(
    "url", ["", "file:///etc/passwd", "http://", "http://[", "nonsense", "http://127.0.0.1:99999/"]
)
def test_what_is_no_address_is_refused(fetcher: Fetcher, url: str) -> None:
    assert refusal(fetcher, url).code in {"bad-address", "unreachable"}
