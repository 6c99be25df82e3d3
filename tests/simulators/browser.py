"""Asks an ASGI application directly: the raw path reaches it exactly as given, as an attacker would send it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import anyio


@dataclass(frozen=True)
class Answer:
    """Status, headers (lower case) and body of one answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    app: Any, target: str, headers: Mapping[str, str] | None = None, method: str = "GET", host: str = "127.0.0.1:8765"
) -> Answer:
    """One request. ``target`` is the request target as on the wire, query included."""
    raw_path, _, query = target.partition("?")
    sent = {"host": host, **(headers or {})}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": unquote(raw_path), "raw_path": raw_path.encode("utf-8", "replace"), "query_string": query.encode(),
        "root_path": "", "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in sent.items()],
        "client": ("127.0.0.1", 5000), "server": ("127.0.0.1", 8765),
    }  # fmt: skip
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    async def once() -> None:
        try:
            await app(scope, receive, send)
        except Exception:
            if not messages:
                raise

    anyio.run(once)
    start = next(m for m in messages if m["type"] == "http.response.start")
    found = {k.decode().lower(): v.decode("latin-1") for k, v in start["headers"]}
    return Answer(start["status"], found, b"".join(m.get("body", b"") for m in messages))


PAGE = {"accept": "text/html,application/xhtml+xml"}
