"""The full-text index: built whole from tables, never mended; a folder named by the digest of what it indexes.

Documents go in by popularity, then id, by one thread, so that equal inputs give equal answers in equal order.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from fonoteca.core import canonical, durable
from fonoteca.core.errors import Failed
from fonoteca.core.ids import Kind, show_id
from fonoteca.core.progress import SILENT, Progress, Unit
from fonoteca.search import query, text
from fonoteca.search.inputs import Inputs
from fonoteca.search.query import Field

FORMAT = 1
"""Part of the folder's name: a version that indexes otherwise builds anew."""
MARKER = "index.json"
_BATCH = 10_000
_HEAP = 128 << 20
_BLOCK = 4096
_LEAST = 64 << 10
_STALE_SECONDS = 86_400
_TOKENIZER = "tokens"
_REMEMBERED = 16_384

_ROWS = """
WITH ids AS (
    SELECT r.id, i.scheme, i.value FROM recordings r JOIN identifiers i ON i.entity_id = r.id
    UNION
    SELECT t.recording_id, i.scheme, i.value FROM tracks t JOIN identifiers i ON i.entity_id = t.release_id
    WHERE i.scheme IN ('upc', 'mbid')
), keys AS (
    SELECT id, list_sort(list(value) FILTER (scheme = 'isrc')) AS isrc,
           list_sort(list(value) FILTER (scheme = 'upc')) AS upc,
           list_sort(list(value) FILTER (scheme = 'mbid')) AS mbid
    FROM ids GROUP BY id
), albums AS (
    SELECT t.recording_id AS id, list_sort(list(DISTINCT l.title)) AS titles, min(l.year) AS year
    FROM tracks t JOIN releases l ON l.id = t.release_id GROUP BY t.recording_id
), here AS (
    SELECT recording_id AS id, min(licence) AS licence FROM playable GROUP BY recording_id
), known AS (
    SELECT recording_id AS id, min(licence) AS licence FROM licences GROUP BY recording_id
)
SELECT r.id, r.title, r.artist, r.release, coalesce(r.year, albums.year) AS year, albums.titles AS albums,
       keys.isrc, keys.upc, keys.mbid, here.id IS NOT NULL AS playable,
       coalesce(here.licence, known.licence) AS licence, p.score AS popularity
FROM recordings r
LEFT JOIN popularity p ON p.recording_id = r.id
LEFT JOIN keys ON keys.id = r.id
LEFT JOIN albums ON albums.id = r.id
LEFT JOIN here ON here.id = r.id
LEFT JOIN known ON known.id = r.id
ORDER BY p.score DESC NULLS LAST, r.id
"""


@dataclass(frozen=True)
class Room:
    """How much an index may take.

    Attributes:
        allow: told how many bytes an index takes, before it is built and when it turns out to be more; raises NoSpace.
        kept: finished indexes that stay in the folder. With one only, the old one goes before the new one is built.
    """

    allow: Callable[[int], None] = lambda _: None
    kept: int = 3


class _Meter:
    """What an index takes while it grows: where that is more than was allowed, it is asked for."""

    def __init__(self, folder: Path, room: Room) -> None:
        self._folder = folder
        self._room = room
        self._allowed = 0

    def ask(self, total: int) -> None:
        """Raises NoSpace."""
        if total > self._allowed:
            self._room.allow(total)
            self._allowed = total

    def look(self) -> None:
        """Ask for what is on the disk by now. Raises NoSpace."""
        sizes = []
        for path in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # segments are merged meanwhile
                sizes.append(path.stat().st_size)
        self.ask(sum(-(-size // _BLOCK) * _BLOCK for size in sizes) + _BLOCK)


def estimate(inputs: Inputs) -> int:
    """Bytes that an index over these inputs will hardly exceed: measured, it takes two thirds of its tables."""
    held = sum(table.nbytes for table in (*inputs.tables.values(), inputs.playable, inputs.licences))
    return int(held) + _LEAST


def folder_of(search: Path, digest: str) -> Path:
    """Where the index over these inputs is, or will be."""
    return search / f"{FORMAT}-{digest[:32]}"


def ready(folder: Path) -> bool:
    """Whether a finished index is there."""
    return (folder / MARKER).is_file()


def build(inputs: Inputs, search: Path, progress: Progress = SILENT, room: Room | None = None) -> Path:
    """The folder of the index over these inputs; built if it is not there yet.

    Args:
        room: how much it may take; without it, as much as the disk has.

    Raises:
        NoSpace, Failed: it could not be written, or there is no room; nothing half-built is left.
    """
    room = room or Room()
    folder = folder_of(search, inputs.digest)
    if ready(folder):
        return folder
    temp = search / f".building-{folder.name}-{os.getpid()}"
    durable.remove_tree(temp)
    durable.remove_tree(folder)
    if room.kept == 1 and search.is_dir():
        _prune(search, folder, 0)
    meter = _Meter(temp, room)
    meter.ask(estimate(inputs))
    durable.make_folder(temp)
    try:
        count = _fill(temp, inputs, progress, meter)
        durable.write_bytes(temp / MARKER, canonical.encode(
            {"format": FORMAT, "what": inputs.what, "digest": inputs.digest, "recordings": count}))  # fmt: skip
        _put_in_place(temp, folder)
    except OSError as error:
        raise durable.translate_os_error(error, folder, "The search index could not be written") from error
    finally:
        durable.remove_tree(temp)
    _prune(search, folder, room.kept - 1)
    return folder


def _put_in_place(temp: Path, folder: Path) -> None:
    try:
        durable.rename(temp, folder)
    except Failed:
        if not ready(folder):  # else another process was faster, with the same content
            raise


def _prune(search: Path, newest: Path, others: int) -> None:
    """Keep so many finished indexes beside the newest, and nothing that a build left long ago."""
    finished = sorted(
        (p for p in search.iterdir() if ready(p) and p != newest and not p.name.startswith(".")),
        key=lambda p: (p / MARKER).stat().st_mtime,
    )
    building = [p for p in search.iterdir() if p.name.startswith(".building-")]
    now = (newest / MARKER).stat().st_mtime if ready(newest) else 0.0
    stale = [p for p in building if now - p.stat().st_mtime > _STALE_SECONDS]
    for old in finished[: max(len(finished) - others, 0)] + stale:
        durable.remove_tree(old)


def schema() -> Any:
    """The index's fields. ``card`` is what a hit shows; ``place`` is the document's rank by popularity, then id."""
    import tantivy

    builder = tantivy.SchemaBuilder()
    for name in (Field.TITLE, Field.ARTIST, Field.RELEASE):
        builder.add_text_field(name.value, tokenizer_name=_TOKENIZER, index_option="position")
    for key in ("whole", "names", Field.ISRC.value, Field.UPC.value, Field.MBID.value, Field.LICENCE.value):
        builder.add_text_field(key, tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field(Field.YEAR.value, indexed=True, fast=True)
    builder.add_boolean_field(Field.PLAYABLE.value, indexed=True)
    builder.add_unsigned_field("weight", fast=True)
    builder.add_unsigned_field("place", fast=True)
    builder.add_text_field("card", stored=True, tokenizer_name="raw", index_option="basic")
    return builder.build()


def register(index: Any) -> None:
    """Our tokens come joined by blanks: the library only has to cut them apart again."""
    import tantivy

    index.register_tokenizer(_TOKENIZER, tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())


def _fill(folder: Path, inputs: Inputs, progress: Progress, meter: _Meter) -> int:
    import tantivy

    fields = schema()
    index = tantivy.Index(fields, path=str(folder))
    register(index)
    writer = index.writer(heap_size=_HEAP, num_threads=1)
    progress.stage(f"index of {inputs.what}", inputs.tables["recordings"].num_rows, Unit.ROWS)
    count = 0
    for rows in _rows(inputs):
        for row in rows:
            writer.add_document(tantivy.Document.from_dict(document(row, count), fields))
            count += 1
        progress.advance(len(rows))
        meter.look()
    writer.commit()
    writer.wait_merging_threads()
    meter.look()
    return count


def _rows(inputs: Inputs) -> Iterator[list[dict[str, Any]]]:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        for name, table in [*inputs.tables.items(), ("playable", inputs.playable), ("licences", inputs.licences)]:
            connection.register(name, table)
        for batch in pa.RecordBatchReader.from_stream(connection.sql(_ROWS)):
            for start in range(0, batch.num_rows, _BATCH):
                yield batch.slice(start, _BATCH).to_pylist()


def document(row: dict[str, Any], place: int) -> dict[str, Any]:
    """One recording as the index's fields."""
    score = row["popularity"]
    isrcs = row["isrc"] or []
    card = {
        "id": show_id(Kind.RECORDING, row["id"]), "title": row["title"], "artist": row["artist"],
        "release": row["release"], "year": row["year"], "isrc": isrcs[0] if isrcs else None,
        "licence": row["licence"], "playable": row["playable"], "popularity": score,
    }  # fmt: skip
    found: dict[str, Any] = {
        "title": [" ".join(text.indexed(row["title"] or ""))], "artist": [_joined(row["artist"])],
        "release": [_joined(r) for r in sorted({row["release"], *(row["albums"] or [])} - {None})],
        "whole": _keys([text.whole(row["title"] or "")]),
        "names": _keys([_whole(row["artist"] or ""), _whole(row["release"] or "")]),
        "isrc": _keys([query.identifier_key(Field.ISRC, v) for v in isrcs]),
        "upc": _keys([query.identifier_key(Field.UPC, v) for v in row["upc"] or []]),
        "mbid": _keys([query.identifier_key(Field.MBID, v) for v in row["mbid"] or []]),
        "licence": licence_keys(row["licence"]),
        "playable": [bool(row["playable"])], "weight": [int(max(score or 0, 0))], "place": [place],
        "card": [json.dumps(card, ensure_ascii=False, separators=(",", ":"))],
    }  # fmt: skip
    if row["year"] is not None and row["year"] >= 0:
        found["year"] = [row["year"]]
    return found


@functools.lru_cache(maxsize=_REMEMBERED)
def licence_keys(licence: str | None) -> list[str]:
    """The keys under which a licence is found: whole, without the port, without the version.

    ``CC-BY-SA-3.0-US`` is ``by-sa-3.0-us``, ``by-sa-3.0`` and ``by-sa``, and never ``by``: that is another licence.
    """
    parts = query.licence_key(licence or "").split("-")
    cut = next((i for i, part in enumerate(parts) if part[:1].isdigit()), len(parts))
    return _keys(["-".join(parts), "-".join(parts[: cut + 1]), "-".join(parts[:cut])])


# Artists, albums and licences come again and again: each is folded once.
@functools.lru_cache(maxsize=_REMEMBERED)
def _joined(value: str | None) -> str:
    return " ".join(text.indexed(value or ""))


@functools.lru_cache(maxsize=_REMEMBERED)
def _whole(value: str) -> str:
    return text.whole(value)


def _keys(values: list[str]) -> list[str]:
    return sorted({v for v in values if v})
