"""Rows of Discogs in the columns of wide tables, made from records: the way of every element that is not plain."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import pyarrow as pa
from blake3 import blake3

from fonoteca.core.ids import Kind, make_id
from fonoteca.sources.discogs_readers import READERS, key_conflict, no_number, number_of
from fonoteca.sources.discogs_shapes import SHAPES
from fonoteca.sources.records import ArtistRecord, Credit, RecordingRecord, Refused, ReleaseRecord, TrackRecord
from fonoteca.sources.xmlrecords import Fragment

SOURCE = "discogs"
_I64, _I32, _STR = pa.int64(), pa.int32(), pa.string()
NAMES = pa.list_(pa.struct([("scheme", _STR), ("value", _STR)]))
CREDIT = pa.struct([("artist_id", _I64), ("name", _STR), ("role", _STR), ("joined_by", _STR)])
TRACK = pa.struct([("release_id", _I64), ("disc", _I32), ("number", _I32), ("title", _STR)])
TEXTS = pa.list_(_STR)
TABLES: dict[str, pa.Schema] = {
    "recording": pa.schema([
        ("id", _I64), ("key", _STR), ("title", _STR), ("artist", _STR), ("release", _STR), ("release_id", _I64),
        ("release_year", _I32), ("duration_ms", _I64), ("flags", TEXTS), ("credits", pa.list_(CREDIT)),
        ("tracks", pa.list_(TRACK)), ("identifiers", NAMES), ("genres", TEXTS), ("line", _I64),
    ]),
    "release": pa.schema([
        ("id", _I64), ("key", _STR), ("title", _STR), ("artist", _STR), ("year", _I32), ("date", _STR), ("kind", _STR),
        ("label", _STR), ("country", _STR), ("track_count", _I32), ("flags", TEXTS), ("credits", pa.list_(CREDIT)),
        ("identifiers", NAMES), ("genres", TEXTS), ("line", _I64),
    ]),
    "artist": pa.schema([("id", _I64), ("key", _STR), ("name", _STR), ("identifiers", NAMES), ("line", _I64)]),
    "credited": pa.schema([("id", _I64), ("key", _STR), ("name", _STR), ("line", _I64), ("track", _I32)]),
    "element": pa.schema([("number", _I64), ("mark", _I64), ("line", _I64)]),
    "refusal": pa.schema([("code", _STR), ("reason", _STR), ("raw", _STR), ("kind", _STR), ("line", _I64)]),
}  # fmt: skip
"""Tables of a piece of a dump. ``line`` is the number of the element in its file. ``element``: each one that has a
number, with a digest of its bytes. ``credited``: the name under which an artist is credited first in the piece, on
track ``track`` (0: on the release)."""

Rows = dict[str, list[dict[str, Any]]]


@lru_cache(1 << 16)
def _id(kind: Kind, key: str) -> int:
    return make_id(kind, SOURCE, key)


def artist_key(credit: Credit) -> str:
    """An artist's key, as the catalogue gives it to one that the source has no number of."""
    return credit.key if credit.key is not None else name_key(credit.name)


def name_key(name: str) -> str:
    """The key of an artist of whom only the name is known."""
    return "name:" + unicodedata.normalize("NFC", name).strip()


def mark_of(raw: bytes) -> int:
    """A digest of an element, by which exact duplicates are told from conflicts."""
    return int.from_bytes(blake3(raw).digest(8), "little", signed=True)


def line_of(position: str) -> int:
    """The number of the element in a position ``file:12``, ``file:12#3``."""
    return int(position.rpartition(":")[2].partition("#")[0])


def credit_line(credited: Sequence[Credit]) -> str | None:
    """The artists as one text: the names as they are joined, or with commas."""
    artists = [c for c in credited if c.role == "artist"]
    parts = [c.name + (c.joined_by or ("" if c is artists[-1] else ", ")) for c in artists]
    return "".join(parts) if parts else None


class WideRows:
    """Collects the rows of elements of one kind. ``drop``: lines of elements that repeat another's number → how."""

    def __init__(self, kind: str, drop: dict[int, str]) -> None:
        self._kind, self._drop = kind, drop
        self._reader = READERS[kind]
        self._of = SHAPES[kind].kind
        self.rows: Rows = {table: [] for table in TABLES}
        self._best: dict[str, tuple[int, str, int, dict[str, Any]]] = {}

    def add(self, found: Fragment | Refused) -> None:
        """Take one element."""
        if isinstance(found, Refused):
            self._refuse(found)
            return
        number, line = number_of(found), line_of(found.position)
        if number is None:
            self._refuse(no_number(found, self._of))
            return
        self.rows["element"].append({"number": number, "mark": mark_of(found.raw), "line": line})
        how = self._drop.get(line)
        if how == CONFLICT:
            self._refuse(key_conflict(found, number, self._of))
        elif how is None:
            self._read(found, str(number), line)

    def tables(self) -> dict[str, pa.Table]:
        """What was collected."""
        rows = dict(self.rows)
        rows["credited"] = [best[3] for _, best in sorted(self._best.items())]
        return {name: pa.Table.from_pylist(rows[name], schema) for name, schema in TABLES.items() if rows[name]}

    def _read(self, found: Fragment, key: str, line: int) -> None:
        records = list(self._reader(found, key))
        release = next((r for r in records if isinstance(r, ReleaseRecord)), None)
        places = {r.recording: r for r in records if isinstance(r, TrackRecord)}
        for record in records:
            if isinstance(record, Refused):
                self._refuse(record)
            elif isinstance(record, ArtistRecord):
                self.rows["artist"].append({
                    "id": _id(Kind.ARTIST, record.key), "key": record.key, "name": record.name,
                    "identifiers": _pairs(record.identifiers), "line": line,
                })  # fmt: skip
            elif isinstance(record, ReleaseRecord):
                self.rows["release"].append(self._release(record, line, len(places)))
            elif isinstance(record, RecordingRecord) and release is not None:
                self.rows["recording"].append(self._recording(record, line, release, places[record.key]))

    def _refuse(self, refused: Refused) -> None:
        self.rows["refusal"].append({"code": refused.code, "reason": refused.reason, "raw": refused.raw,
                                     "kind": refused.kind, "line": line_of(refused.position)})  # fmt: skip

    def _release(self, record: ReleaseRecord, line: int, tracks: int) -> dict[str, Any]:
        return {
            "id": _id(Kind.RELEASE, record.key), "key": record.key, "title": record.title,
            "artist": credit_line(record.credits), "year": record.year, "date": record.date, "kind": record.kind,
            "label": record.label, "country": record.country, "track_count": tracks, "flags": list(record.flags),
            "credits": self._credits(record.credits, line, 0), "identifiers": _pairs(record.identifiers),
            "genres": list(record.genres), "line": line,
        }  # fmt: skip

    def _recording(
        self, record: RecordingRecord, line: int, release: ReleaseRecord, track: TrackRecord
    ) -> dict[str, Any]:
        of = _id(Kind.RELEASE, release.key)
        at = int(record.position.rpartition("#")[2])
        return {
            "id": make_id(Kind.RECORDING, SOURCE, record.key), "key": record.key, "title": record.title,
            "artist": credit_line(record.credits), "release": release.title, "release_id": of,
            "release_year": release.year, "duration_ms": record.duration_ms, "flags": list(record.flags),
            "credits": self._credits(record.credits, line, at),
            "tracks": [{"release_id": of, "disc": track.disc, "number": track.number, "title": track.title}],
            "identifiers": _pairs(record.identifiers), "genres": list(record.genres), "line": line,
        }  # fmt: skip

    def _credits(self, credited: Sequence[Credit], line: int, track: int) -> list[dict[str, Any]]:
        found = []
        position = f"{line}#{track}" if track else str(line)
        for credit in credited:
            key = artist_key(credit)
            number = _id(Kind.ARTIST, key)
            found.append({"artist_id": number, "name": credit.name, "role": credit.role,
                          "joined_by": credit.joined_by})  # fmt: skip
            best = self._best.get(key)
            if best is None or (len(position), position) < best[:2]:
                row = {"id": number, "key": key, "name": credit.name, "line": line, "track": track}
                self._best[key] = (len(position), position, track, row)
        return found


DUPLICATE, CONFLICT = "duplicate", "conflict"


def _pairs(identifiers: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"scheme": scheme, "value": value} for scheme, value in identifiers]
