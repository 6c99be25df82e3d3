"""Bounded HTTP GET: the only door through which files come in from the web (layering rule L7).

Nothing is fetched without a maximum length, a time limit and an end. The rules are those of RFC 9110: a range
answer must say exactly the range that was asked for (14.4), a changed file is seen by its entity tag and starts
anew (13.1.5), and a body is taken as it is stored: a compressed answer is refused, because digests are over
stored bytes. A redirect is followed three times at most, never from https to http and never from a public
address to a private one.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    IncompleteRead,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from fonoteca.core.clock import Clock
from fonoteca.core.errors import NetworkFailed

CHUNK = 1 << 20
"""Bytes asked of the socket at once."""
_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)")
_REDIRECTS = {301, 302, 303, 307, 308}
_SCHEMES = {"http", "https"}


@dataclass(frozen=True)
class Limits:
    """Every limit of a download, with its unit.

    Attributes:
        connect_seconds: longest wait for a connection.
        read_seconds: longest silence within an answer.
        total_seconds: longest time for one answer, or None: only the rate counts (large files).
        slowest_rate: bytes a second, on average over a window, below which the other end is given up.
        window_seconds: length of that window.
        redirects: how many are followed.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    total_seconds: float | None = None
    slowest_rate: int = 1024
    window_seconds: float = 60.0
    redirects: int = 3


class HttpStatus(NetworkFailed):
    """The server answered with a status that is no success; ``status`` holds it."""

    def __init__(self, url: str, status: int) -> None:
        remedy = "check the address" if status in {401, 403, 404, 410} else "try again later"
        super().__init__("http-status", "The file could not be fetched", f"{url} answered with status {status}",
                         remedy, url)  # fmt: skip
        self.status = status


def failed(code: str, url: str, why: str, remedy: str = "try again later, or use another address") -> NetworkFailed:
    """A download that did not work, in the one shape that all of them have."""
    return NetworkFailed(code, "The file could not be fetched", f"{url}: {why}", remedy, url)


class Download:
    """One answer, open for reading.

    Attributes:
        url: where the bytes come from, after redirects.
        start: offset in the file of the first byte that comes; 0 where the server ignored the range or the
            file has changed, so a caller must look at it.
        total: bytes of the whole file, where the server says so.
        etag: the entity tag, if it is a strong one.
    """

    def __init__(self, answer: urllib3.BaseHTTPResponse, url: str, start: int, stop: int, total: int | None,
                 limits: Limits, clock: Clock) -> None:  # fmt: skip
        self.url = url
        self.start = start
        self.total = total
        tag = answer.headers.get("ETag", "")
        self.etag = tag if tag.startswith('"') else None
        self._answer = answer
        self._stop = stop
        self._limits = limits
        self._clock = clock

    def __iter__(self) -> Iterator[bytes]:
        """The body in portions.

        Raises:
            NetworkFailed: ``too-long``, ``too-slow``, ``cut-short`` or ``timed-out``.
        """
        position = self.start
        pace = _Pace(self.url, self._limits, self._clock)
        while True:
            with _translated(self.url):
                data = self._answer.read1(CHUNK, decode_content=False)
            if not data:
                break
            position += len(data)
            if position > self._stop:
                raise failed("too-long", self.url, f"more than the {self._stop - self.start} bytes that were expected")
            pace.count(len(data))
            yield data
        self._check_end(position)

    def _check_end(self, position: int) -> None:
        declared = self._answer.headers.get("Content-Length", "")
        got = position - self.start
        if declared.isdigit() and got != int(declared):
            raise failed("cut-short", self.url, f"{got} bytes came, {declared} were announced")


class _Pace:
    """Gives up an answer that drips."""

    def __init__(self, url: str, limits: Limits, clock: Clock) -> None:
        self._url, self._limits, self._clock = url, limits, clock
        self._begin = self._window = clock.monotonic()
        self._in_window = 0

    def count(self, amount: int) -> None:
        now = self._clock.monotonic()
        self._in_window += amount
        total = self._limits.total_seconds
        if total is not None and now - self._begin > total:
            raise failed("too-slow", self._url, f"the answer took longer than {total:.0f} seconds")
        if now - self._window >= self._limits.window_seconds:
            rate = self._in_window / (now - self._window)
            if rate < self._limits.slowest_rate:
                raise failed("too-slow", self._url, f"{rate:.0f} bytes a second")
            self._window, self._in_window = now, 0


@contextlib.contextmanager
def _translated(url: str) -> Iterator[None]:
    """urllib3's errors as ours, with the cause chained."""
    try:
        yield
    except (NameResolutionError, NewConnectionError) as error:
        why = "its name is unknown" if isinstance(error, NameResolutionError) else "nothing answers there"
        raise failed("unreachable", url, why, "check the address and the network connection") from error
    except (ConnectTimeoutError, ReadTimeoutError, TimeoutError) as error:
        raise failed("timed-out", url, "no answer in time") from error
    except (IncompleteRead, ProtocolError) as error:
        raise failed("cut-short", url, "the connection broke off") from error
    except (LocationParseError, ValueError) as error:
        raise failed("bad-address", url, "this is no address", "check the address") from error
    except (HTTPError, OSError) as error:
        raise failed("unreachable", url, str(error), "check the address and the network connection") from error


class Fetcher:
    """Fetches files; holds connections open between them. Safe to use from several threads.

    Args:
        clock: measures how slow an answer is.
        limits: see :class:`Limits`.
        agent: what is told to the server about us.
    """

    def __init__(self, clock: Clock, limits: Limits | None = None, agent: str = "fonoteca") -> None:
        self._clock = clock
        self._limits = limits or Limits()
        self._agent = agent
        self._pool = urllib3.PoolManager(num_pools=8, maxsize=8, retries=False)

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are held."""
        self._pool.clear()

    def get(self, url: str, max_bytes: int) -> bytes:
        """A small file, whole.

        Raises:
            NetworkFailed: with the URL; :class:`HttpStatus` for an answer that is no success.
        """
        with self.open(url, max_bytes=max_bytes) as download:
            return b"".join(download)

    @contextlib.contextmanager
    def open(self, url: str, *, max_bytes: int, start: int = 0, stop: int | None = None,
             etag: str | None = None) -> Iterator[Download]:  # fmt: skip
        """A file, or a part of it, as a stream.

        Args:
            max_bytes: length of the whole file, or the most that it may have. No body goes beyond it.
            start: offset of the first byte wanted.
            stop: offset behind the last byte wanted; None: to the end.
            etag: strong entity tag of the bytes before ``start``; if the file has another one now, it comes from 0.

        Raises:
            NetworkFailed: as :meth:`get`, and ``bad-range`` for a range that is not the one asked for.
        """
        headers = {"User-Agent": self._agent, "Accept-Encoding": "identity"}
        if start or stop is not None:
            headers["Range"] = f"bytes={start}-{'' if stop is None else stop - 1}"
            if etag:
                headers["If-Range"] = etag
        answer, final = self._follow(url, headers)
        try:
            yield self._checked(answer, final, start, stop, max_bytes)
        finally:
            # What was not read is thrown away with its connection.
            answer.close()
            answer.release_conn()

    def _follow(self, url: str, headers: dict[str, str]) -> tuple[urllib3.BaseHTTPResponse, str]:
        _check_scheme(url, url)
        for _ in range(self._limits.redirects + 1):
            with _translated(url):
                answer = self._pool.request(
                    "GET", url, headers=headers, preload_content=False, decode_content=False, redirect=False,
                    timeout=urllib3.Timeout(connect=self._limits.connect_seconds, read=self._limits.read_seconds),
                )  # fmt: skip
            if answer.status not in _REDIRECTS:
                return answer, url
            target = answer.headers.get("Location", "")
            answer.close()
            answer.release_conn()
            url = _redirected(url, target)
        raise failed("bad-redirect", url, f"more than {self._limits.redirects} redirects", "check the address")

    def _checked(self, answer: urllib3.BaseHTTPResponse, url: str, start: int, stop: int | None,
                 max_bytes: int) -> Download:  # fmt: skip
        if answer.status not in {200, 206}:
            raise HttpStatus(url, answer.status)
        encoding = answer.headers.get("Content-Encoding", "identity")
        if encoding.lower() not in {"identity", ""}:
            raise failed("encoded-body", url, f"the server or something on the way packed the file with {encoding}",
                         "ask the server's operator to send files as they are")  # fmt: skip
        ends, total = max_bytes, None
        if answer.status == 206:
            ends, total = _check_range(answer, url, start, stop, max_bytes)
        else:
            start = 0
        length = answer.headers.get("Content-Length", "")
        if answer.status == 200 and length.isdigit():
            total = int(length)
        if (total or 0) > max_bytes:
            raise failed("too-long", url, f"{total} bytes were announced, {max_bytes} at most were expected")
        return Download(answer, url, start, ends, total, self._limits, self._clock)


def _check_range(answer: urllib3.BaseHTTPResponse, url: str, start: int, stop: int | None,
                 max_bytes: int) -> tuple[int, int | None]:  # fmt: skip
    """Where the range ends and how long the file is (RFC 9110, 14.4)."""
    told = answer.headers.get("Content-Range", "")
    match = _CONTENT_RANGE.fullmatch(told)
    if not match or int(match[1]) != start or int(match[2]) < start:
        raise failed("bad-range", url, f"bytes from {start} were asked for, the answer is {told!r}")
    ends = int(match[2]) + 1
    if ends > (max_bytes if stop is None else min(stop, max_bytes)):
        raise failed("bad-range", url, f"the range {told!r} goes beyond what was asked for")
    return ends, None if match[3] == "*" else int(match[3])


def _check_scheme(url: str, came_from: str) -> None:
    with _translated(url):
        parts = urlsplit(url)
        host = parts.hostname
    if parts.scheme not in _SCHEMES or not host:
        raise failed("bad-address", came_from, f"{url!r} is no http or https address", "check the address")


def _redirected(url: str, target: str) -> str:
    """The next address, if the rules of the module allow it."""
    with _translated(url):
        following = urljoin(url, target)
    _check_scheme(following, url)
    here, there = urlsplit(url), urlsplit(following)
    if here.scheme == "https" and there.scheme == "http":
        raise failed("bad-redirect", url, f"it leads from https to {following}", "check the address")
    if here.hostname != there.hostname and _is_public(here.hostname) and not _is_public(there.hostname):
        raise failed("bad-redirect", url, f"it leads into a private network ({following})", "check the address")
    return following


def _is_public(host: str | None) -> bool:
    """Whether all addresses of a host are on the public internet; an unknown host is not."""
    try:
        found: list[Any] = socket.getaddrinfo(host, None)
    except OSError:
        return False
    return bool(found) and all(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]).is_global for entry in found)
