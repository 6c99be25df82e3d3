"""What MusicBrainz derives from its users' votes: genres and ratings of recordings (CC BY-NC-SA 3.0), both ways.

They are facts about recordings that mbdump describes, and have a partition of their own, so that nothing of them gets
into what may be used commercially. Genres are tags that MusicBrainz lists as genres, where more vote for
than against.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fonoteca.core.progress import Progress
from fonoteca.sources import musicbrainz_checks as checks
from fonoteca.sources import musicbrainz_clean as clean
from fonoteca.sources import musicbrainz_pieces as pieces
from fonoteca.sources import values
from fonoteca.sources.bulk import Flat, Sql
from fonoteca.sources.musicbrainz_files import Files, no_recordings
from fonoteca.sources.musicbrainz_memory import Row, Tables, load
from fonoteca.sources.musicbrainz_sql import SOURCE
from fonoteca.sources.musicbrainz_staging import Staging
from fonoteca.sources.musicbrainz_tables import DERIVED, FOLDER
from fonoteca.sources.records import Record, RecordingRecord, Ref, Signal, SignalRecord

LICENCE = "CC-BY-NC-SA-3.0"
_RESULT_SHARE = 0.05
"""Bytes of the result for one byte of the tables; measured of generated ones: 0.01."""
_ID = f"entity_id('recording', '{SOURCE}', r.gid::VARCHAR)"
_GENRES = f"""
    SELECT {_ID} AS entity_id, 'recording' AS kind, {clean.text("t.name")} AS genre,
        '{FOLDER}/recording_tag:' || rt.line AS position
    FROM mb_recording_tag rt JOIN mb_tag t ON t.id = rt.tag JOIN mb_recording r ON r.id = rt.recording
    WHERE rt.count > 0 AND ({clean.text("t.name")}) IS NOT NULL"""
_LISTED = f" AND ({clean.text('t.name')}) IN (SELECT {clean.text('name')} FROM mb_genre)"
_RATINGS = f"""
    SELECT {_ID} AS recording_id, 'rating' AS kind, m.rating::DOUBLE AS value, '{LICENCE}' AS licence,
        false AS synthetic, '{SOURCE}' AS of_source, r.gid::VARCHAR AS of_key,
        '{FOLDER}/recording_meta:' || m.line AS position
    FROM mb_recording_meta m JOIN mb_recording r ON r.id = m.id"""


class DerivedBulk(Flat):
    """The bulk way: flat facts only."""

    def __init__(self, files: Files, piece: int = pieces.PIECE) -> None:
        self._staging = Staging(files, DERIVED, piece)
        self._refusals: list[str] = []
        self._counts: dict[str, int] = {}
        self._genres = _GENRES

    def space(self) -> int:
        """Pieces and staged tables."""
        return self._staging.space()

    def result(self) -> int:
        """Few recordings have votes."""
        return self._staging.result(_RESULT_SHARE)

    def prepare(self, sql: Sql, progress: Progress) -> None:
        """Stage and check.

        Raises:
            Usage: ``missing-table``, ``unknown-columns``; TornDump.
        """
        self._staging.run(sql, progress)
        found = checks.run(sql, DERIVED, set(self._staging.tables))
        self._refusals = [*self._staging.refusals(sql.work), *found.refusals]
        if "genre" in self._staging.tables:
            self._genres += _LISTED
        references = sum(sql.value(f"SELECT count(*) FROM ({query})") for query in self.flat().values())
        refused = sum(self._staging.broken.values()) + sum(found.refused.values())
        self._counts = {
            "rows": references + refused + found.duplicates, "references": references, "records": references,
            "duplicates": found.duplicates, "refused": refused,
        }  # fmt: skip

    def flat(self) -> Mapping[str, str]:
        """Genres and ratings."""
        return {"genre": self._genres, "signal": _RATINGS}

    def refusals(self) -> str | None:
        """By table, then line."""
        return checks.ordered(self._refusals, DERIVED) if self._refusals else None

    def counts(self) -> Mapping[str, int]:
        """Each genre of a recording and each rating is a reference."""
        return self._counts


def records(files: Files) -> Iterator[Record]:
    """The same from memory. A recording with genres comes with nothing else: no other record can carry them.

    Raises:
        Usage: ``missing-table``, ``unknown-columns``; TornDump.
    """
    tables, rejected = load(files, DERIVED)
    if "recording" not in tables.present:
        raise no_recordings(files)
    yield from rejected
    keys = {row["id"]: row["gid"] for row in tables.rows("recording")}
    for recording, rows in _tagged(tables).items():
        yield RecordingRecord(keys[recording], rows[0][0].position, genres=tuple(name for _, name in rows))
    for row in tables.rows("recording_meta"):
        rating = Signal("rating", float(row["rating"]), LICENCE)
        yield SignalRecord(Ref(SOURCE, keys[row["id"]]), row.position, rating)


def _tagged(tables: Tables) -> dict[int, list[tuple[Row, str]]]:
    """Recording → its genres, in the order of the file."""
    listed = {values.text(row["name"], set()) for row in tables.rows("genre")}
    names = {row["id"]: values.text(row["name"], set()) for row in tables.rows("tag")}
    found: dict[int, list[tuple[Row, str]]] = {}
    for row in tables.rows("recording_tag"):
        name = names.get(row["tag"])
        if row["count"] > 0 and name is not None and ("genre" not in tables.present or name in listed):
            found.setdefault(row["recording"], []).append((row, name))
    return found
