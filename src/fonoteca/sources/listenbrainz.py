"""``listenbrainz``: listens (JSON lines as in the full dump, Parquet as in the one for Spark), or top recordings.

Listens become two counts a recording, keyed by its MBID: listens, each of a user at a moment counted once, and
listeners, the users that they are of. Listens that ListenBrainz has not matched to a recording
have no MBID: they say nothing that can be counted.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from fonoteca.core.errors import Usage
from fonoteca.sources import jsondocs, values
from fonoteca.sources import listenbrainz_archive as archive
from fonoteca.sources.documents import Document, DocumentSource, names, recognise
from fonoteca.sources.listen_count import ListenCount
from fonoteca.sources.records import (
    Dump,
    Duplicate,
    FieldLicence,
    Record,
    Ref,
    Refused,
    Signal,
    SignalRecord,
    SourceInfo,
)
from fonoteca.sources.rows import Row, describe
from fonoteca.sources.seen import Seen, joined_key
from fonoteca.sources.unpack import is_archive

LICENCE = "CC0-1.0"
INFO = SourceInfo(
    name="listenbrainz",
    kind="signals",
    title="ListenBrainz (listens of MusicBrainz recordings)",
    licences=(FieldLicence("*", LICENCE, "ListenBrainz"),),
    where="data.metabrainz.org/pub/musicbrainz/listenbrainz: full dumps twice a month",
    size="about 2.5 thousand million listens",
    files="listenbrainz-listens-dump-*.tar.zst as published, its files (JSON lines), the form for Spark (Parquet), "
    "or lists of top recordings (JSON)",
)
_KINDS = ("listens", "top recordings")
_MBIDS = (
    "track_metadata.mbid_mapping.recording_mbid",
    "recording_mbid",
    "track_metadata.additional_info.recording_mbid",
)
_MSIDS = (
    "recording_msid",
    "track_metadata.additional_info.recording_msid",
    "track_metadata.track_name",
    "recording_name",
)
_MOST_FILES = 1 << 16
"""Files of listens: a place has 16 bits for the number of its file."""


class ListenBrainz(DocumentSource):
    """Counts of listens, about recordings of MusicBrainz."""

    @property
    def info(self) -> SourceInfo:
        """CC0 1.0."""
        return INFO

    def documents(self, dump: Dump) -> list[Document]:
        """Those of listens, or of top lists. Raises Usage, also for listens that would count twice."""
        return _files(dump)

    def records(self, dump: Dump) -> Iterator[Record]:
        """Refused rows as they come, then recordings by MBID: repeated listens, and how many there were."""
        found = _files(dump)
        paths = [document.path for document in found]
        shown = names(paths)
        if found[0].kind == "listens":
            yield from _listens(paths, shown)
        else:
            yield from _tops(paths, shown)


def _files(dump: Dump) -> list[Document]:
    found = recognise(dump, "listenbrainz", _KINDS, _kind_of, deep=True)
    if len({document.kind for document in found}) > 1:
        raise Usage("several-tables", "Listens and lists of top recordings cannot be read together",
                    f"{found[0].path.name} has listens, {found[-1].path.name} counts such listens once more",
                    "name the folder or files of one of them", str(found[-1].path))  # fmt: skip
    return found


def _kind_of(path: Path) -> str | None:
    with path.open("rb") as stream:
        head = stream.read(4)
    if head != b"PAR1" and is_archive(path):
        return "listens" if archive.is_listens(path, _is_listen, _has_listens) else None
    try:
        if head == b"PAR1":
            return "listens" if _has_listens(set(describe(path).columns)) else None
        row = jsondocs.first(path, parts)
    except Usage:
        return None
    if row is None:
        return None
    if _is_listen(row):
        return "listens"
    return "top recordings" if {"listen_count", "recording_mbid"} <= set(row.values) else None


def _is_listen(row: Row) -> bool:
    return "listened_at" in row.values and _first(row, ("user_id", "user_name")) is not None


def _has_listens(columns: set[str]) -> bool:
    return {"listened_at", "user_id", "recording_mbid"} <= columns


def parts(document: Any) -> list[Any] | None:
    """Rows of top lists, each with its user; or a document's own rows."""
    blocks = document if isinstance(document, list) else [document]
    rows: list[Any] = []
    for block in blocks:
        inner = block.get("data") if isinstance(block, dict) else None
        if not isinstance(inner, list):
            rows.append(block)
            continue
        user = block.get("user_id")
        for entry in inner:
            listed = entry.get("data") if isinstance(entry, dict) else None
            if isinstance(listed, list):
                rows += [_of(row, entry.get("user_id", user)) for row in listed]
            else:
                rows.append(_of(entry, user))
    return rows


def _of(row: Any, user: Any) -> Any:
    return {**row, "user_id": user} if isinstance(row, dict) else row


def _first(row: Row, columns: tuple[str, ...]) -> Any:
    """The first column's value that there is one in."""
    found = (row.values.get(column) for column in columns)
    return next((value for value in found if value not in (None, "")), None)


def _rows(path: Path, name: str) -> Iterator[Row | Refused]:
    with path.open("rb") as stream:
        is_parquet = stream.read(4) == b"PAR1"
    if not is_parquet:
        yield from jsondocs.rows(path, parts, name=name)
        return
    for row in describe(path).rows():
        yield replace(row, position=name + row.position[len(path.name) :])


def _files_of(paths: list[Path], shown: dict[Path, str]) -> Iterator[tuple[str, Iterator[Row | Refused]]]:
    """Files of listens with their rows, those in archives too."""
    for path in paths:
        if is_archive(path):
            yield from archive.files(path, shown[path])
        else:
            yield shown[path], _rows(path, shown[path])


def _listens(paths: list[Path], shown: dict[Path, str]) -> Iterator[Record]:
    read: list[str] = []
    with ListenCount() as count:
        for name, rows in _files_of(paths, shown):
            if len(read) == _MOST_FILES:
                yield Refused(f"{name}:0", "archive-members", f"there are more than {_MOST_FILES} files", "")
                break
            read.append(name)
            for row in rows:
                refused = row if isinstance(row, Refused) else _add(count, row, len(read) - 1)
                if refused is not None:
                    yield refused
        for counted in count.counted():
            for file, line in counted.again:
                yield Duplicate(f"{read[file]}:{line}", counted.mbid)
            file, line = counted.first
            yield _signal(counted.mbid, f"{read[file]}:{line}", "listens", counted.listens)
            yield _signal(counted.mbid, f"{read[file]}:{line}", "listeners", counted.listeners)


def _add(count: ListenCount, row: Row, file: int) -> Refused | None:
    """Count one listen that names a recording; a refusal where it cannot be told from others."""
    named = _first(row, _MBIDS)
    if named is None:
        return None
    mbid = values.mbid(named, set())
    user = _first(row, ("user_id", "user_name"))
    moment = seconds(row.values.get("listened_at"))
    if mbid is None or user is None or moment is None:
        lacks = "an MBID" if mbid is None else "a user" if user is None else "a time"
        return row.refuse("no-key", f"the listen has not {lacks}: it cannot be counted once")
    count.add(mbid, str(user), f"{moment}\n{_first(row, _MSIDS)}", file, int(row.position.rpartition(":")[2]))
    return None


def seconds(value: Any) -> int | None:
    """A moment in seconds since 1970 (UTC): of a number, or of ISO 8601 text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value)
    try:
        moment = datetime.datetime.fromisoformat(str(value))
    except ValueError:
        text = str(value)
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp())


def _tops(paths: list[Path], shown: dict[Path, str]) -> Iterator[Record]:
    """Sums over users. A user's recording that comes again is repeated, or in conflict."""
    seen = Seen()
    sums: dict[str, tuple[str, float]] = {}
    for path in paths:
        for row in _rows(path, shown[path]):
            if isinstance(row, Refused):
                yield row
                continue
            record = _top(row, seen, sums)
            if record is not None:
                yield record
    for mbid in sorted(sums):
        position, listens = sums[mbid]
        yield _signal(mbid, position, "listens", listens)


def _top(row: Row, seen: Seen, sums: dict[str, tuple[str, float]]) -> Record | None:
    if row.values.get("recording_mbid") in (None, ""):
        return None
    mbid = values.mbid(row.values["recording_mbid"], set())
    listens = values.number(row.values.get("listen_count"), set())
    if mbid is None or listens is None:
        return row.refuse("no-content", "the row has no MBID or no count")
    # A user's recording comes once for each release or credit that it was heard under.
    told = [
        str(row.values.get(name)) for name in ("user_id", "release_mbid", "release_name", "track_name", "artist_name")
    ]
    again = seen.second(joined_key([mbid, *told]), row)
    if again is None:
        position, before = sums.get(mbid, (row.position, 0))
        sums[mbid] = position, before + listens
    return again


def _signal(mbid: str, position: str, kind: str, value: float) -> SignalRecord:
    return SignalRecord(Ref("musicbrainz", mbid), position, Signal(kind, float(value), LICENCE))
