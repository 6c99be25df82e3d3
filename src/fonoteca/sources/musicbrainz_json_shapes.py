"""What is read of MusicBrainz's JSON dumps: one description of each entity, for the engine and for Python.

Leaves are texts: a number may be written as a text, and what it is worth is seen later. The derived parts of a dump
(tags, genres, ratings: CC BY-NC-SA) are not read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from fonoteca.sources import jsonlines
from fonoteca.sources.limits import LIMITS, Limits
from fonoteca.sources.values import key as spelled

Shape = Mapping[str, Any]
"""Name → None for a text, a list of one for a list, a mapping for an object."""

_CREDIT: list[Shape] = [{"name": None, "joinphrase": None, "artist": {"id": None, "name": None, "sort-name": None}}]
_LINKED: Shape = {"target-type": None, "url": {"resource": None}}
_RECORDING: Shape = {
    "id": None, "title": None, "length": None, "video": None, "first-release-date": None, "isrcs": [None],
    "artist-credit": _CREDIT, "relations": [{**_LINKED, "work": {"id": None, "iswcs": [None]}}],
}  # fmt: skip
_TRACK: Shape = {"position": None, "title": None, "recording": _RECORDING}
SHAPES: dict[str, Shape] = {
    "artist": {"id": None, "name": None, "sort-name": None, "isnis": [None], "ipis": [None], "relations": [_LINKED]},
    "recording": _RECORDING,
    "release": {
        "id": None, "title": None, "date": None, "country": None, "barcode": None, "status": None,
        "artist-credit": _CREDIT, "release-group": {"id": None, "primary-type": None},
        "label-info": [{"catalog-number": None, "label": {"name": None}}],
        "relations": [_LINKED],
        "media": [{"position": None, "pregap": _TRACK, "tracks": [_TRACK], "data-tracks": [_TRACK]}],
    },
}  # fmt: skip
"""Entity → what is read of one line."""
_MARKS = {"release": {"media", "release-group", "barcode", "label-info"}, "artist": {"sort-name", "isnis"},
          "recording": {"isrcs", "length", "video"}}  # fmt: skip
_MBID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def entity(value: Any) -> str | None:
    """What entity a line describes, by the names that it has; None for another one."""
    if not isinstance(value, dict) or not isinstance(value.get("id"), str):
        return None
    if not ({"title", "artist-credit"} <= set(value) or {"name", "sort-name"} <= set(value)):
        return None
    return next((name for name, marks in _MARKS.items() if marks & set(value)), None)


def kind(shape: Any) -> str:
    """The type of a shape in SQL."""
    if shape is None:
        return "VARCHAR"
    if isinstance(shape, list):
        return kind(shape[0]) + "[]"
    return "STRUCT(" + ", ".join(f'"{name}" {kind(inner)}' for name, inner in shape.items()) + ")"


def columns(name: str) -> list[tuple[str, str]]:
    """The columns of an entity and their types."""
    return [(column, kind(shape)) for column, shape in SHAPES[name].items()]


def mbid(value: Any) -> str | None:
    """An id as it must be written; None for what is none."""
    found = value.lower() if isinstance(value, str) and value.isascii() else ""
    return found if _MBID.fullmatch(found) else None


def parse(line: str, name: str, limits: Limits = LIMITS) -> dict[str, Any]:
    """The parts of a line that are read, leaves as text.

    Raises:
        ValueError: it is not strict JSON, no object, or a part is of another kind (a list where a text belongs).
    """
    value = jsonlines.parse(line, limits)
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    found: dict[str, Any] = _fit(value, SHAPES[name], name)
    return found


def _fit(value: Any, shape: Any, where: str) -> Any:
    if value is None:
        return None
    if shape is None:
        return _text(value)
    if isinstance(shape, list):
        if not isinstance(value, list):
            raise ValueError(f"{where} is not a list")
        return [_fit(inner, shape[0], where) for inner in value]
    if not isinstance(value, dict):
        raise ValueError(f"{where} is not an object")
    return {name: _fit(value.get(name), inner, name) for name, inner in shape.items()}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value if value.isascii() else _whole(value)
    return spelled(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _whole(value: str) -> str:
    """Lone surrogates are no characters: U+FFFD stands for each."""
    return re.sub("[\ud800-\udfff]", "\ufffd", value)
