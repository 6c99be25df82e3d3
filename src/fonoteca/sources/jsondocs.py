"""JSON in either form that services answer in: one object a line, or one document (an object or an array)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from fonoteca.core.errors import Usage
from fonoteca.sources import jsonlines
from fonoteca.sources.limits import LIMITS, Limits
from fonoteca.sources.records import Refused
from fonoteca.sources.rows import Row, TableFile, not_a_dump
from fonoteca.sources.stream import open_bytes, torn

_WHAT = "JSON"
_LOOKED_AT = 5
"""Lines that are looked at: the first of a file of lines may be broken."""

Parts = Callable[[Any], list[Any] | None]
"""The rows in a document; None where it is another kind of document."""


def rows(path: Path, parts: Parts, limits: Limits = LIMITS, name: str = "") -> Iterator[Row | Refused]:
    """The objects of a file, nested ones as ``outer.inner``: a line each, or what ``parts`` finds in the document.

    Positions are ``name:line``, or ``name:number`` of the object in the document.

    Raises:
        Usage: ``not-a-dump`` for what is neither, or a document that is larger than the limit or of another kind.
    """
    shown = name or path.name
    if not _is_document(path, limits):
        for row in jsonlines.rows(_lines(path, limits)):
            yield replace(row, position=shown + row.position[len(path.name) :])
        return
    found = parts(document(path, limits))
    if found is None:
        raise not_a_dump(path, _WHAT, "the document is of another kind")
    for number, part in enumerate(found, 1):
        position = f"{shown}:{number}"
        raw = json.dumps(part, ensure_ascii=True)[: limits.raw]
        if isinstance(part, dict):
            yield Row(position, jsonlines.flat(part), raw)
        else:
            yield Refused(position, "bad-json", "the entry is not a JSON object", raw)


def first(path: Path, parts: Parts, limits: Limits = LIMITS) -> Row | None:
    """The first object, to know a file by; None where there is none.

    Raises:
        Usage: as :func:`rows`. OSError as usual.
    """
    return next((row for row in islice(rows(path, parts, limits), _LOOKED_AT) if isinstance(row, Row)), None)


def document(path: Path, limits: Limits = LIMITS) -> Any:
    """The value of a file that is one JSON document.

    Raises:
        Usage: ``not-a-dump``: not strict JSON, cut, or larger than ``limits.document``.
    """
    with open_bytes(path, limits) as stream:
        data = stream.read(limits.document + 1)
        damage = torn(stream)
    if damage is not None:
        raise not_a_dump(path, _WHAT, damage.reason)
    if len(data) > limits.document:
        raise _too_large(path, f"{limits.document} bytes")
    if sum(map(data.count, (b",", b"[", b"{"))) > limits.document_values:
        raise _too_large(path, f"{limits.document_values} values")
    try:
        return jsonlines.parse(data.decode("utf-8-sig"), limits)
    except (ValueError, RecursionError) as error:
        raise not_a_dump(path, _WHAT, f"it is not JSON: {error}") from None


def _too_large(path: Path, limit: str) -> Usage:
    return Usage("not-a-dump", f"{path.name} could not be read as JSON", f"it is one document of more than {limit}",
                 "write it as one object a line first, such as with jq -c '.items[]'", str(path))  # fmt: skip


def _lines(path: Path, limits: Limits) -> TableFile:
    return TableFile(path, "jsonl", (), "utf-8", limits=limits)


def _is_document(path: Path, limits: Limits) -> bool:
    """One line may be either: it is read as a document. Raises Usage for what is no JSON by its first byte."""
    with open_bytes(path, limits) as stream:
        head = stream.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head.startswith((b"{", b"[")):
        raise not_a_dump(path, _WHAT, "it does not begin as JSON")
    if head.startswith(b"["):
        return True
    looked = list(islice(jsonlines.rows(_lines(path, limits)), _LOOKED_AT))
    return len(looked) == 1 or not any(isinstance(row, Row) for row in looked)
