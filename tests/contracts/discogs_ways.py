"""A dump of Discogs read both ways, each as the same flat facts."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from fonoteca.catalogue.bulk import Workbench
from fonoteca.catalogue.engine import DEFAULT, connect
from fonoteca.core.ids import Kind, make_id
from fonoteca.core.progress import SILENT
from fonoteca.sources.discogs import Discogs
from fonoteca.sources.discogs_bulk import SIZE, DiscogsBulk
from fonoteca.sources.records import (
    ArtistRecord,
    Credit,
    Dump,
    Record,
    RecordingRecord,
    Refused,
    ReleaseRecord,
    TrackRecord,
)
from fonoteca.sources.tally import Tally

Facts = dict[str, Any]
"""Table → its rows, in order where the order of a dump is kept; ``counts`` → counts."""


def by_records(paths: list[Path]) -> Facts:
    """The record way, with the rules by which the catalogue completes and merges facts."""
    tally = Tally()
    records = list(tally.watch(Discogs().records(Discogs().resolve(Dump(paths)))))
    parts = {"tracks": sum(isinstance(r, TrackRecord) for r in records),
             "artists": sum(isinstance(r, ArtistRecord) for r in records), "synthetic": 0}  # fmt: skip
    found: Facts = defaultdict(list)
    found["counts"] = tally.told() | parts
    releases = {r.key: r for r in records if isinstance(r, ReleaseRecord)}
    for record in records:
        _add(found, record, releases, records)
    found["artist"] = sorted(_artists(records))
    return dict(found)


def _add(found: Facts, record: Record, releases: dict[str, ReleaseRecord], records: list[Record]) -> None:
    match record:
        case Refused():
            found["refused"].append((record.position, record.code, record.reason, record.raw, record.kind))
        case TrackRecord():
            found["track"].append((_id(Kind.RELEASE, record.release), record.disc, record.number, record.title,
                                   _id(Kind.RECORDING, record.recording), _element(record.position)))  # fmt: skip
        case RecordingRecord():
            release = releases[record.key.partition(":")[0]]
            found["recording"].append((
                *_entity(Kind.RECORDING, record), release.title, _id(Kind.RELEASE, release.key), release.year,
                record.duration_ms,
            ))  # fmt: skip
        case ReleaseRecord():
            found["release"].append((*_entity(Kind.RELEASE, record), record.year, record.date, record.kind,
                                     record.label, record.country))  # fmt: skip


def _id(kind: Kind, key: str) -> int:
    return make_id(kind, "discogs", key)


def _element(position: str) -> str:
    """A wide row's position is its element: a release's tracks have the release's."""
    return position.partition("#")[0]


def _artist_key(credit: Credit) -> str:
    return credit.key or "name:" + unicodedata.normalize("NFC", credit.name).strip()


def _entity(kind: Kind, record: RecordingRecord | ReleaseRecord) -> tuple[Any, ...]:
    credited = [(_id(Kind.ARTIST, _artist_key(c)), c.name, c.role, c.joined_by) for c in record.credits]
    artists = [(n, c) for n, c in enumerate(record.credits) if c.role == "artist"]
    line = "".join(
        c.name + (", " if not c.joined_by and (n, c) != artists[-1] else c.joined_by) for n, c in artists
    )  # fmt: skip
    return (_id(kind, record.key), record.key, _element(record.position), record.title, line or None, credited,
            list(record.identifiers), list(record.genres), list(record.flags))  # fmt: skip


def _artists(records: Iterable[Record]) -> Iterator[tuple[Any, ...]]:
    own = {r.key: r for r in records if isinstance(r, ArtistRecord)}
    for key, artist in own.items():
        yield _id(Kind.ARTIST, key), key, artist.name, _element(artist.position), list(artist.identifiers)
    named: dict[str, tuple[Any, ...]] = {}
    for record in records:
        if isinstance(record, (RecordingRecord, ReleaseRecord)):
            for n, credit in enumerate(record.credits):
                at = (len(record.position), record.position, n, credit.name)
                key = _artist_key(credit)
                named[key] = min(named.get(key, at), at)
    for key, (_, position, _, name) in named.items():
        if key not in own:
            yield _id(Kind.ARTIST, key), key, name, _element(position), []


def by_columns(paths: list[Path], work: Path, workers: int = 2, size: int = SIZE) -> Facts:
    """The bulk way."""
    documents = Discogs().documents(Dump(paths))
    bulk = DiscogsBulk(documents, workers, size)
    work.mkdir(exist_ok=True)
    with connect(DEFAULT) as connection:
        sql = Workbench(connection, work)
        bulk.prepare(sql, SILENT)
        rows = {table: [row for n in range(count) for row in _dicts(connection, bulk.rows(table, n))]
                for table, count in bulk.tables().items()}  # fmt: skip
        refusals = bulk.refusals()
        refused = sql.rows(refusals) if refusals else []
    assert not bulk.flat()
    found = {"counts": bulk.counts(), "refused": refused, **_flat(rows)}
    return {name: value for name, value in found.items() if value}


def _dicts(connection: Any, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = connection.sql(query).to_arrow_table().to_pylist()
    return found


def _flat(rows: dict[str, list[dict[str, Any]]]) -> Facts:
    recordings = [(*_wide(r), r["release"], r["release_id"], r["release_year"], r["duration_ms"])
                  for r in rows["recording"]]  # fmt: skip
    tracks = [(t["release_id"], t["disc"], t["number"], t["title"], r["id"], _position(r))
              for r in rows["recording"] for t in r["tracks"]]  # fmt: skip
    releases = [(*_wide(r), r["year"], r["date"], r["kind"], r["label"], r["country"]) for r in rows["release"]]
    assert [r["track_count"] for r in rows["release"]] == [
        sum(t[0] == r["id"] for t in tracks if t[5] == _position(r)) for r in rows["release"]
    ]
    artists = sorted((r["id"], r["key"], r["name"], _position(r), _pairs(r)) for r in rows["artist"])
    return {"recording": recordings, "track": tracks, "release": releases, "artist": artists}


def _position(row: dict[str, Any]) -> str:
    return f"{row['member']}:{row['line']}"


def _pairs(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(i["scheme"], i["value"]) for i in row["identifiers"]]


def _wide(row: dict[str, Any]) -> tuple[Any, ...]:
    credited = [(c["artist_id"], c["name"], c["role"], c["joined_by"]) for c in row["credits"]]
    return (row["id"], row["key"], _position(row), row["title"], row["artist"], credited, _pairs(row), row["genres"],
            row["flags"])  # fmt: skip


def same_both_ways(paths: list[Path], work: Path, workers: int = 2, size: int = SIZE) -> Facts:
    """Both ways give the same; returns it."""
    expected, found = by_records(paths), by_columns(paths, work, workers, size)
    expected = {name: value for name, value in expected.items() if value}
    assert sorted(found) == sorted(expected)
    for table, rows in expected.items():
        assert found[table] == rows, table
    return expected
