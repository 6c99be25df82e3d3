"""Byte ranges (RFC 9110, section 14): one range or the whole, out of the middle of a file."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

from anyio import to_thread
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

CHUNK = 1 << 18
"""Bytes per read: a visitor who leaves costs no more than this."""
_RANGE = re.compile(r"bytes=[ \t]*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))[ \t]*", re.IGNORECASE)
_MAX_HEADER = 200


class Unsatisfiable(Exception):
    """416: no byte of the range exists, or more than one range was asked for."""


def parse(header: str | None, length: int) -> tuple[int, int] | None:
    """First and last byte (both included) of a ``Range`` header; None for the whole.

    A header in another unit, or one that is no range at all, is ignored as the RFC says. Several ranges are
    refused at once, however many: players and web seeds ask for one, attackers for ten thousand.

    Raises:
        Unsatisfiable: see there.
    """
    if header is None or not header.strip().lower().startswith("bytes="):
        return None
    if "," in header or len(header) > _MAX_HEADER:
        raise Unsatisfiable
    match = _RANGE.fullmatch(header.strip())
    if not match:
        return None
    if match[3] is not None:
        first, last = max(length - int(match[3]), 0), length - 1
    else:
        first, last = int(match[1]), min(int(match[2]), length - 1) if match[2] else length - 1
        if match[2] and int(match[2]) < first:
            return None
    if first >= length or last < first:
        raise Unsatisfiable
    return first, last


@dataclass(frozen=True)
class Region:
    """What is sent.

    Attributes:
        path: the file; opened without following a link.
        offset, length: the bytes of it, or the whole where length is None.
        mime: content type.
        etag: strong, without quotes.
        name: file name for saving; '' for none.
        immutable: the address will never mean other bytes.
    """

    path: Path
    mime: str
    etag: str
    offset: int = 0
    length: int | None = None
    name: str = ""
    immutable: bool = False


def open_regular(path: Path) -> IO[bytes]:
    """Open a regular file. Raises FileNotFoundError for anything else, a link included."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise FileNotFoundError(str(path)) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileNotFoundError(str(path))
    return os.fdopen(descriptor, "rb", buffering=0)


class Ranged(Response):
    """A region of an opened file: 200, 206, 304 or 416."""

    def __init__(self, region: Region, stream: IO[bytes], request_headers: Mapping[str, str]) -> None:
        size = os.fstat(stream.fileno()).st_size
        self._stream = stream
        self._offset = region.offset
        length = max(size - region.offset, 0) if region.length is None else region.length
        self._left = 0
        headers = _headers(region)
        status = 200
        etag = headers["etag"]
        if _matches(request_headers.get("if-none-match"), etag):
            status = 304
        else:
            status = self._cut(_asked(request_headers, etag), length, headers)
        super().__init__(None, status, headers, media_type=region.mime)
        if status != 304:
            self.headers["content-length"] = str(self._left)

    def _cut(self, asked: str | None, length: int, headers: dict[str, str]) -> int:
        try:
            span = parse(asked, length)
        except Unsatisfiable:
            headers["content-range"] = f"bytes */{length}"
            return 416
        if span is None:
            self._left = length
            return 200
        self._offset += span[0]
        self._left = span[1] - span[0] + 1
        headers["content-range"] = f"bytes {span[0]}-{span[1]}/{length}"
        return 206

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and close the file whatever happens."""
        del receive
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if scope["method"] != "HEAD":
                await self._send_body(send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._stream.close()

    async def _send_body(self, send: Send) -> None:
        self._stream.seek(self._offset)
        while self._left:
            data = await to_thread.run_sync(self._stream.read, min(CHUNK, self._left))
            if not data:
                raise OSError("the file is shorter than it was")
            self._left -= len(data)
            await send({"type": "http.response.body", "body": data, "more_body": True})


def _asked(headers: Mapping[str, str], etag: str) -> str | None:
    """The range that counts: none where ``If-Range`` names another version."""
    condition = headers.get("if-range")
    return headers.get("range") if condition is None or condition.strip() == etag else None


def _matches(condition: str | None, etag: str) -> bool:
    if condition is None:
        return False
    named = {part.strip().removeprefix("W/") for part in condition[:4096].split(",")}
    return "*" in named or etag in named


def _headers(region: Region) -> dict[str, str]:
    headers = {
        "accept-ranges": "bytes",
        "etag": f'"{region.etag}"',
        # What was withdrawn must stop at once, caches included: bytes are revalidated at each use.
        "cache-control": "public, max-age=31536000, immutable" if region.immutable else "no-cache",
    }
    if region.name:
        headers["content-disposition"] = f"inline; filename*=UTF-8''{quote(region.name, safe='')}"
    return headers
