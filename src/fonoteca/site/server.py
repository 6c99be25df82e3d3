"""Listening: the site's socket, the server that answers on it, and an orderly end."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

from fonoteca.core.errors import Failed, Usage

_BACKLOG = 256
_LONGEST_WAIT = 30.0


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one.

    Raises:
        Usage: ``bad-host``: no address of this machine.
        Failed: ``port-in-use``, ``port-refused``.
    """
    if not 0 <= port <= 65_535:
        raise Usage("bad-port", "The site was not started", f"there is no port {port}",
                    "choose one from 1024 to 65535 with --port", str(port))  # fmt: skip
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM,
                                                             flags=socket.AI_PASSIVE)[0]  # fmt: skip
    except (OSError, UnicodeError) as error:
        raise _no_such_host(host, str(error)) from error
    listening = socket.socket(family, kind, proto)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise _not_bound(error, host, port) from error
    return listening


def _no_such_host(host: str, why: str) -> Usage:
    return Usage("bad-host", "The site was not started", f"{host!r} is no address of this machine ({why})",
                 "use --host 127.0.0.1, or --host 0.0.0.0 for the whole network", host)  # fmt: skip


def _not_bound(error: OSError, host: str, port: int) -> Failed | Usage:
    if error.errno == errno.EADDRINUSE:
        return Failed("port-in-use", "The site was not started", f"another program listens on {host}:{port}",
                      f"stop it, or choose another port: fonoteca serve --port {port % 65_000 + 1}",
                      f"{host}:{port}")  # fmt: skip
    if error.errno in {errno.EACCES, errno.EPERM}:
        return Failed("port-refused", "The site was not started", f"this user may not listen on port {port}",
                      "choose a port from 1024 up with --port", f"{host}:{port}")  # fmt: skip
    return _no_such_host(host, error.strerror or str(error))


def url_of(listening: socket.socket) -> str:
    """The address to open in a browser."""
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}/"


def _server(app: Any, on_ready: Callable[[], None]) -> Any:
    import uvicorn

    class Server(uvicorn.Server):
        """Says when it answers."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            on_ready()

    config = uvicorn.Config(
        app, lifespan="off", access_log=False, log_level="warning", server_header=False, date_header=True,
        proxy_headers=False, ws="none", timeout_keep_alive=30, timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=65_536,
    )  # fmt: skip
    return Server(config)


def run(app: Any, listening: socket.socket, on_ready: Callable[[], None]) -> None:
    """Answer until the process is told to stop. ``on_ready`` is called once, when the first request can come."""
    _server(app, on_ready).run(sockets=[listening])


@contextlib.contextmanager
def running(app: Any, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """The site in a thread of this process, for the length of a ``with``; gives its URL.

    Raises:
        Failed: it did not start.
    """
    listening = listen(host, port)
    ready = threading.Event()
    server = _server(app, ready.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        if not ready.wait(_LONGEST_WAIT):
            raise Failed("site-error", "The site was not started", "it did not answer in time",
                         "look at the messages above", host)  # fmt: skip
        yield url_of(listening)
    finally:
        server.should_exit = True
        thread.join(_LONGEST_WAIT)
        listening.close()
