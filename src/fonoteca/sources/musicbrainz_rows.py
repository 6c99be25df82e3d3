"""A dump of MusicBrainz tables row by row, all of it in memory: for small dumps, and to prove the bulk way right.

Says in Python what :mod:`fonoteca.sources.musicbrainz_sql` and :mod:`fonoteca.sources.musicbrainz_checks` say in SQL.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from fonoteca.core.ids import Kind
from fonoteca.sources import musicbrainz_fields as fields
from fonoteca.sources import musicbrainz_links as links
from fonoteca.sources import values
from fonoteca.sources.musicbrainz_files import Files, no_recordings
from fonoteca.sources.musicbrainz_memory import Row, Tables, load
from fonoteca.sources.musicbrainz_tables import CORE, KINDS, STATUS_FLAGS
from fonoteca.sources.records import ArtistRecord, Credit, Record, RecordingRecord, ReleaseRecord, TrackRecord

Names = tuple[tuple[str, str], ...]


def records(files: Files) -> Iterator[Record]:
    """Refused and repeated rows, then artists, releases, and recordings with their tracks.

    Raises:
        Usage: ``missing-table``, ``unknown-columns``; TornDump.
    """
    tables, rejected = load(files, CORE)
    if "recording" not in tables.present:
        raise no_recordings(files)
    yield from rejected
    named = _Credits(tables)
    yield from _artists(tables)
    releases = _releases(tables, named)
    yield from releases.values()
    yield from _recordings(tables, named, releases)


class _Credits:
    """The names of each artist credit, in order."""

    def __init__(self, tables: Tables) -> None:
        keys = {row["id"]: row["gid"] for row in tables.rows("artist")}
        found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        for row in tables.rows("artist_credit_name"):
            name = values.text(row["name"], set()) or ""
            key = keys.get(row["artist"])
            if key is not None or name:
                joined = values.phrase(row["join_phrase"] or "", set())
                found[row["artist_credit"]].append((row["position"], Credit(name, key, joined_by=joined)))
        self._lists = {
            number: tuple(c for _, c in sorted(names, key=lambda n: n[0])) for number, names in found.items()
        }
        self._known = "artist_credit_name" in tables.present

    def of(self, row: Row, flags: set[str]) -> tuple[Credit, ...]:
        """The credits of a recording or release; ``unresolved-credit`` where there are none of that number."""
        number = row["artist_credit"]
        if self._known and number is not None and number not in self._lists:
            flags.add("unresolved-credit")
        return self._lists.get(number, ())


def _names(*parts: Iterable[tuple[int, str, str | None]]) -> dict[int, Names]:
    """Entity → its identifiers, sorted, each once."""
    found: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for part in parts:
        for entity, scheme, value in part:
            if value is not None:
                found[entity].add((scheme, value))
    return {entity: tuple(sorted(names)) for entity, names in found.items()}


def _redirects(tables: Tables, entity: str) -> Iterator[tuple[int, str, str]]:
    return ((row["new_id"], "mbid", row["gid"]) for row in tables.rows(f"{entity}_gid_redirect"))


def _artists(tables: Tables) -> Iterator[ArtistRecord]:
    names = _names(
        ((row["artist"], "isni", row["isni"].strip(" ").upper()) for row in tables.rows("artist_isni")),
        ((row["artist"], "ipi", row["ipi"].strip(" ")) for row in tables.rows("artist_ipi")),
        _redirects(tables, "artist"),
        links.identifiers(tables, Kind.ARTIST),
    )
    for row in tables.rows("artist"):
        yield ArtistRecord(row["gid"], row.position, values.text(row["name"], set()) or "",
                           values.text(row["sort_name"], set()), names.get(row["id"], ()))  # fmt: skip


def _releases(tables: Tables, named: _Credits) -> dict[int, ReleaseRecord]:
    groups = {row["id"]: row for row in tables.rows("release_group")}
    events, labels = fields.events(tables), _labels(tables)
    found = {}
    bad_upc: set[int] = set()
    names = _names(_release_names(tables, groups, bad_upc), _redirects(tables, "release"),
                   links.identifiers(tables, Kind.RELEASE))  # fmt: skip
    for row in tables.rows("release"):
        flags = {"bad-upc"} if row["id"] in bad_upc else set()
        date, country, odd = events.get(row["id"], (None, None, set()))
        flags |= odd
        if row["status"] in STATUS_FLAGS:
            flags.add(STATUS_FLAGS[row["status"]])
        group = groups.get(row["release_group"])
        title = values.text(row["name"], flags)
        credited = named.of(row, flags)
        found[row["id"]] = ReleaseRecord(
            row["gid"], row.position, title, int(date[:4]) if date else None, date,
            KINDS.get(group["type"]) if group else None, labels.get(row["id"]), country,
            credits=credited, identifiers=names.get(row["id"], ()), flags=tuple(sorted(flags)),
        )  # fmt: skip
    return found


def _release_names(tables: Tables, groups: dict[int, Row], bad_upc: set[int]) -> Iterator[tuple[int, str, str | None]]:
    for row in tables.rows("release"):
        flags: set[str] = set()
        yield row["id"], "upc", values.upc(row["barcode"], flags)
        if flags:
            bad_upc.add(row["id"])
        if row["release_group"] in groups:
            yield row["id"], "release_group_mbid", groups[row["release_group"]]["gid"]
    for row in tables.rows("release_label"):
        if row["catalog_number"] is not None and row["catalog_number"].strip(" ").lower() != "[none]":
            yield row["release"], "catalogue_number", values.text(row["catalog_number"], set())


def _labels(tables: Tables) -> dict[int, str]:
    """Release → its labels' names in the order of their entries, each once."""
    names = {row["id"]: values.text(row["name"], set()) for row in tables.rows("label")}
    found: dict[int, dict[str, None]] = defaultdict(dict)
    for row in sorted(tables.rows("release_label"), key=lambda row: (row["id"], names.get(row["label"]) or "")):
        if name := names.get(row["label"]):
            found[row["release"]][name] = None
    return {release: "; ".join(listed) for release, listed in found.items()}


def _recordings(tables: Tables, named: _Credits, releases: dict[int, ReleaseRecord]) -> Iterator[Record]:
    places = {row["id"]: (releases[row["release"]].key, fields.count(row["position"]))
              for row in tables.rows("medium") if row["release"] in releases}  # fmt: skip
    tracks: dict[int, list[Row]] = defaultdict(list)
    for track in tables.rows("track"):
        if track["medium"] in places:
            tracks[track["recording"]].append(track)
    names = _recording_names(tables)
    for row in tables.rows("recording"):
        flags: set[str] = set()
        title = values.text(row["name"], flags)
        if fields.truth(row["video"]):
            flags.add("video")
        if any(fields.truth(track["is_data_track"]) for track in tracks[row["id"]]):
            flags.add("data-track")
        credited = named.of(row, flags)
        yield RecordingRecord(row["gid"], row.position, title, fields.duration(row["length"], flags), credits=credited,
                              identifiers=names.get(row["id"], ()), flags=tuple(sorted(flags)))  # fmt: skip
        for track in tracks[row["id"]]:
            release, disc = places[track["medium"]]
            own = values.text(track["name"], set())
            yield TrackRecord(release, row["gid"], row.position, disc, fields.count(track["position"]),
                              own if own != title else None)  # fmt: skip


def _recording_names(tables: Tables) -> dict[int, Names]:
    works = {row["id"]: row["gid"] for row in tables.rows("work")}
    iswcs: dict[int, list[str]] = defaultdict(list)
    for row in tables.rows("iswc"):
        iswcs[row["work"]].append(row["iswc"].strip(" ").upper())
    performed = [(row["entity0"], row["entity1"]) for row in tables.rows("l_recording_work")]
    return _names(
        ((row["recording"], "isrc", values.isrc(row["isrc"], set())) for row in tables.rows("isrc")),
        _redirects(tables, "recording"),
        ((recording, "work_mbid", works.get(work)) for recording, work in performed),
        ((recording, "iswc", iswc) for recording, work in performed for iswc in iswcs.get(work, ())),
        links.identifiers(tables, Kind.RECORDING),
    )
