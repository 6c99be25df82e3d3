"""An HTTP server of a folder on loopback that keeps to RFC 9110, unless it is told to lie, cut, stall or shift."""

from __future__ import annotations

import fnmatch
import gzip
import hashlib
import re
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass
class Fault:
    """One way to misbehave, for paths that match a pattern.

    Attributes:
        pattern: of the path, as in a shell.
        times: for how many requests; None: always.
        status: answer with this status and no body.
        cut: send so many bytes of the body, then hang up (the length that was announced stays).
        change: the body is this function of the true one.
        ignore_range: send the whole file with status 200.
        shift: a range answer begins so many bytes later, and says so.
        lie_range: a range answer begins so many bytes later, and does not say so.
        etag: sent instead of the true one.
        pack: send the body gzipped, and say so.
        drip: seconds of waiting before each 64 bytes.
        endless: never stop sending, and announce no length.
        location: redirect there.
    """

    pattern: str = "*"
    times: int | None = None
    status: int | None = None
    cut: int | None = None
    change: Callable[[bytes], bytes] | None = None
    ignore_range: bool = False
    shift: int = 0
    lie_range: int = 0
    etag: str | None = None
    pack: bool = False
    drip: float = 0.0
    endless: bool = False
    location: str | None = None
    used: int = field(default=0)


@dataclass(frozen=True)
class Request:
    """What was asked and how many bytes of body were sent."""

    path: str
    range: str | None
    if_range: str | None
    sent: int


class _Quiet(ThreadingHTTPServer):
    """A client that hangs up is no error here."""

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class EditionServer:
    """Serves a folder. Use as a context manager; ``url`` has no slash at the end."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        self._server = _Quiet(("127.0.0.1", 0), type("Bound", (Handler,), {"owner": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> EditionServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.faults.clear()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def sent(self, pattern: str) -> int:
        """Bytes of body sent for paths that match."""
        return sum(r.sent for r in self.requests if fnmatch.fnmatch(r.path, pattern))

    def asked(self, pattern: str) -> list[Request]:
        """Requests for paths that match."""
        return [r for r in self.requests if fnmatch.fnmatch(r.path, pattern)]

    def fault(self, path: str) -> Fault:
        with self._lock:
            for fault in self.faults:
                if fnmatch.fnmatch(path, fault.pattern) and (fault.times is None or fault.used < fault.times):
                    fault.used += 1
                    return fault
        return Fault()

    def note(self, request: Request) -> None:
        with self._lock:
            self.requests.append(request)


class Handler(BaseHTTPRequestHandler):
    owner: EditionServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path).lstrip("/")
        fault = self.owner.fault(path)
        self._sent = 0
        try:
            self._answer(path, fault)
        except (ConnectionError, TimeoutError, ValueError):
            self.close_connection = True
        finally:
            self.owner.note(Request(path, self.headers.get("Range"), self.headers.get("If-Range"), self._sent))

    def _answer(self, path: str, fault: Fault) -> None:
        file = self.owner.root / path
        if fault.location is not None:
            return self._plain(302, {"Location": fault.location})
        if fault.status is not None:
            return self._plain(fault.status)
        if ".." in path.split("/") or not file.is_file():
            return self._plain(404)
        body = file.read_bytes()
        etag = fault.etag or f'"{hashlib.sha256(path.encode() + str(len(body)).encode()).hexdigest()[:16]}"'
        if fault.change is not None:
            body = fault.change(body)
        if fault.endless:
            return self._endless(body)
        return self._send(body, etag, fault)

    def _send(self, body: bytes, etag: str, fault: Fault) -> None:
        total = len(body)
        headers = {"ETag": etag, "Accept-Ranges": "bytes"}
        status = 200
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if_range = self.headers.get("If-Range")
        if found and not fault.ignore_range and if_range in {None, etag}:
            start = int(found[1])
            stop = min(int(found[2]) + 1 if found[2] else total, total)
            if start >= total:
                return self._plain(416, {"Content-Range": f"bytes */{total}"})
            status = 206
            said = start + fault.shift
            headers["Content-Range"] = f"bytes {said}-{stop - 1}/{total}"
            body = body[said + fault.lie_range : stop + fault.lie_range]
        if fault.pack:
            body = gzip.compress(body)
            headers["Content-Encoding"] = "gzip"
        headers["Content-Length"] = str(len(body))
        self._head(status, headers)
        return self._body(body, fault)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _plain(self, status: int, headers: dict[str, str] | None = None) -> None:
        self._head(status, {"Content-Length": "0", **(headers or {})})

    def _body(self, body: bytes, fault: Fault) -> None:
        if fault.cut is not None and fault.cut < len(body):
            self.wfile.write(body[: fault.cut])
            self._sent = fault.cut
            self.close_connection = True
            return
        step = 64 if fault.drip else 1 << 18
        for at in range(0, len(body), step):
            if fault.drip:
                time.sleep(fault.drip)
            self.wfile.write(body[at : at + step])
            if fault.drip:
                self.wfile.flush()
            self._sent += len(body[at : at + step])

    def _endless(self, body: bytes) -> None:
        self._head(200, {"Connection": "close"})
        self.close_connection = True
        while True:
            self.wfile.write(body + b" " * 65536)
            self._sent += len(body) + 65536
            if self._sent > 64 << 20:
                return
