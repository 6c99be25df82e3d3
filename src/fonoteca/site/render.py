"""Answers as a page or as JSON: which of the two was asked for, and how each is made."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import Any

import jinja2
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from fonoteca.core.sizes import show_size
from fonoteca.site import licences, paging
from fonoteca.site.errors import Refused


def wants_json(request: Request) -> bool:
    """``.json`` at the end of the address, or a client that asks for JSON and not for HTML."""
    accept = request.headers.get("accept", "")[:1000].lower()
    return request.url.path.endswith(".json") or ("application/json" in accept and "text/html" not in accept)


def wants_page(request: Request) -> bool:
    """A browser: errors are pages only for these, so that programs always get the one JSON shape."""
    return not wants_json(request) and "text/html" in request.headers.get("accept", "")[:1000].lower()


def duration(milliseconds: int | None) -> str:
    """``3:07`` or ``1:02:03``, whole seconds as players count them."""
    if milliseconds is None:
        return ""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def iso_duration(milliseconds: int | None) -> str:
    """``PT187S``, for machines."""
    return f"PT{round((milliseconds or 0) / 1000)}S"


def span(milliseconds: int) -> str:
    """A long time in words: ``31 minutes``, ``12 hours``."""
    minutes = round(milliseconds / 60_000)
    if minutes < 120:
        return f"{minutes} minute{'s' * (minutes != 1)}"
    return f"{round(minutes / 60):,} hours"


_FORMS = {"audio/mpeg": "MP3", "audio/flac": "FLAC", "audio/ogg": "Ogg", "audio/wav": "WAV", "audio/x-wav": "WAV",
          "audio/mp4": "MP4", "audio/aac": "AAC", "audio/webm": "WebM", "audio/aiff": "AIFF"}  # fmt: skip


def form(file: dict[str, Any]) -> str:
    """Container and codec as people call them: ``MP3``, ``Ogg Opus``, ``WAV``."""
    name = _FORMS.get(file["mime"], file["mime"].removeprefix("audio/"))
    codec = str(file["codec"] or "")
    if codec in {"opus", "vorbis"}:
        return f"{name} {codec.capitalize()}"
    same = not codec or codec.lower() in name.lower() or codec.startswith("pcm_") or name == "MP3"
    return name if same else f"{name} ({codec})"


def grouped(text: str, size: int = 8) -> Markup:
    """A digest with places where a line may break."""
    parts = [text[i : i + size] for i in range(0, len(text), size)]
    return Markup("<wbr>").join(parts)


def share(value: float) -> str:
    """``92.5 %``: three figures, and never 100 % for what is less."""
    percent = value * 100
    if 99.95 <= percent < 100:
        return "over 99.9 %"
    return f"{percent:.3g} %" if percent >= 0.1 or percent == 0 else "under 0.1 %"


def day(time: str) -> str:
    """``24 November 2026`` of an RFC 3339 time; what is none is left as it is."""
    try:
        told = datetime.date.fromisoformat(time[:10])
    except ValueError:
        return time
    return f"{told.day} {_MONTHS[told.month - 1]} {told.year}"


_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip


class Pages:
    """The templates. ``name`` is the archive's name, on every page; so is the notice of a mirror that is stale."""

    def __init__(self, name: str, stale_since: Callable[[], str | None] = lambda: None) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("fonoteca.site"), autoescape=True, undefined=jinja2.StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        self._environment.filters |= {
            "size": show_size, "duration": duration, "iso_duration": iso_duration, "span": span, "grouped": grouped,
            "form": form, "share": share, "day": day, "address": paging.address,
            "licence": licences.words,
            "number": lambda n: f"{n:,}",
        }  # fmt: skip
        self._environment.globals |= {"site_name": name, "stale_since": stale_since}

    def html(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page."""
        text = self._environment.get_template(template).render(**values)
        return Response(text.encode("utf-8", "replace"), status, {"cache-control": "no-cache", "vary": "accept"},
                        "text/html; charset=utf-8")  # fmt: skip

    def answer(
        self, request: Request, template: str, value: dict[str, Any], status: int = 200, **values: Any
    ) -> Response:
        """The value as JSON, or on its page as ``it``."""
        if wants_json(request):
            return json_response(value)
        return self.html(template, status, it=value, here=request.url.path, **values)

    def json(self, value: dict[str, Any]) -> Response:
        """The value as JSON, at an address that has no page."""
        return json_response(value)

    def error(self, request: Request, refused: Refused) -> Response:
        """The one shape of errors, or its page for a browser."""
        told = refused.as_json()
        if wants_page(request):
            response = self.html("error.html", refused.status, it=told, here="", q="")
        else:
            response = json_response(told, refused.status)
        response.headers.update(refused.headers)
        return response


def json_response(value: Any, status: int = 200) -> Response:
    """UTF-8 JSON, as it is."""
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8", "replace")
    return Response(data + b"\n", status, {"cache-control": "no-cache", "vary": "accept"}, "application/json")
