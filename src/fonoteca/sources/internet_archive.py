"""``internet_archive``: answers of the Internet Archive about items: the metadata of whole items, and search results.

A field of an item is a string, a number or a list, as it happens. The audio files of an item are recordings, keyed
``identifier/file name``; a search result that tells no files is one recording, keyed by its identifier.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fonoteca.core import canonical
from fonoteca.core.errors import Usage
from fonoteca.sources import internet_archive_items as items
from fonoteca.sources import jsondocs, values
from fonoteca.sources.documents import Document, DocumentSource, names, recognise
from fonoteca.sources.internet_archive_items import LICENCE, NAME
from fonoteca.sources.records import (
    Dump,
    Duplicate,
    FieldLicence,
    Record,
    RecordingRecord,
    Ref,
    Refused,
    SignalRecord,
    SourceInfo,
)
from fonoteca.sources.rows import Row
from fonoteca.sources.seen import Seen

INFO = SourceInfo(
    name=NAME,
    kind="catalogue",
    title="Internet Archive (items and search results)",
    licences=(FieldLicence("*", LICENCE, "Internet Archive"),),
    where="archive.org: /metadata/IDENTIFIER, /services/search/v1/scrape, advancedsearch.php",
    size="the Live Music Archive alone has more than 250,000 items",
    files="JSON, as one document (64 MiB) or one object a line, gzipped or not, whatever the names",
)
_KINDS = ("answers",)
_SOUND = frozenset({"audio", "etree"})


class InternetArchive(DocumentSource):
    """Items as releases, their audio files as recordings; licences as claims, downloads as signals."""

    @property
    def info(self) -> SourceInfo:
        """Facts given by uploaders."""
        return INFO

    def documents(self, dump: Dump) -> list[Document]:
        """Those that are of this source. Raises Usage for files that are no answers of the Internet Archive."""
        return _files(dump)

    def records(self, dump: Dump) -> Iterator[Record]:
        """Items with files first, then search results: what these say of an item that came already is a signal."""
        reader = _Reader()
        paths = [document.path for document in _files(dump)]
        shown = names(paths)
        for path in paths:
            for row in jsondocs.rows(path, parts, name=shown[path]):
                if isinstance(row, Refused):
                    yield row
                elif _is_item(row):
                    yield from reader.item(row)
        for path in paths:
            for row in jsondocs.rows(path, parts, name=shown[path]):
                if isinstance(row, Row) and not _is_item(row):
                    yield from reader.result(row)


def _files(dump: Dump) -> list[Document]:
    return recognise(dump, NAME, _KINDS, _kind_of)


def _kind_of(path: Path) -> str | None:
    try:
        row = jsondocs.first(path, parts)
    except Usage:
        return None
    known = row is not None and (_is_item(row) or "identifier" in row.values)
    return "answers" if known else None


def parts(document: Any) -> list[Any] | None:
    """The results of a search, the objects of an array, or the item that the document is."""
    if isinstance(document, list):
        return document
    if not isinstance(document, dict):
        return None
    response = document.get("response")
    for found in (document.get("items"), response.get("docs") if isinstance(response, dict) else None):
        if isinstance(found, list):
            return found
    return [document]


def _is_item(row: Row) -> bool:
    return isinstance(row.values.get("files"), list) or "metadata.identifier" in row.values


class _Reader:
    """One pass over a dump."""

    def __init__(self) -> None:
        self._items = Seen("release")
        self._results = Seen()
        self._only: dict[str, str] = {}
        """Item → the key of its one recording, or '' where it has several or none."""

    def item(self, row: Row) -> Iterator[Record]:
        """The records of a whole item."""
        key = values.key(items.one(row.values.get("metadata.identifier")))
        if not key:
            yield row.refuse("no-key", "the item has no identifier", kind="release")
            return
        # What servers have it and when it was asked for is no part of the item.
        told = {k: v for k, v in row.values.items() if k == "files" or k.startswith("metadata.")}
        again = self._items.second(key, row, canonical.digest(told))
        if again is not None:
            yield again
            return
        found = list(items.recordings(row, key))
        recordings = [record for record in found if isinstance(record, RecordingRecord)]
        self._only[key] = recordings[0].key if len(recordings) == 1 else ""
        if not found:
            yield row.refuse("no-audio", f"the item {key} has no audio file", kind="release")
            return
        yield items.release(row, key)
        yield from found

    def result(self, row: Row) -> Iterator[Record]:
        """The records of a search result."""
        key = values.key(items.one(row.values.get("identifier")))
        if not key:
            yield row.refuse("no-key", "the result has no identifier")
            return
        again = self._results.second(key, row)
        if again is not None:
            yield again
        elif key in self._only:
            yield self._known(row, key)
        else:
            yield _result(row, key)

    def _known(self, row: Row, key: str) -> Record:
        """An item that came with its files: its downloads are those of its one recording."""
        downloads = items.downloads(row.values.get("downloads"), set())
        if downloads and self._only[key]:
            return SignalRecord(Ref(NAME, self._only[key]), row.position, downloads[0])
        return Duplicate(row.position, key)


def _result(row: Row, key: str) -> RecordingRecord | Refused:
    kind = items.one(row.values.get("mediatype"))
    if kind is not None and kind not in _SOUND:
        return row.refuse("no-audio", f"the item {key} is of the kind {str(kind)[:40]!r}")
    record = items.result(row, key)
    told = (record.title, record.credits, record.claims, record.signals, record.year)
    return record if any(told) else row.refuse("no-content", f"the result {key} says nothing but its identifier")
