"""The snapshot: the catalogue's merged tables, made again from those facts alone that anybody may use.

A field of a merged row may come from any partition, so a filter over rows would let a value slip through. Here
partitions are left out *before* the merge: what no permitting source says is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from fonoteca.catalogue import merge, popularity, views
from fonoteca.catalogue.engine import Engine, connect
from fonoteca.catalogue.files import FileRef
from fonoteca.catalogue.generation import Generation, PartitionEntry
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.tables import FACTS
from fonoteca.core import durable
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.progress import Progress
from fonoteca.formats import parquet
from fonoteca.formats.claim import Claim
from fonoteca.formats.parquet import ColumnNote
from fonoteca.formats.tables import SNAPSHOT
from fonoteca.rights.licence import Licence, resolve

Allows = Callable[[Licence], bool]

_FACTS_OF: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "recordings": {"*": ("recording",), "artist": ("credit",), "release": ("track", "release"),
                   "release_id": ("track",), "year": ("recording", "track", "release")},
    "releases": {"*": ("release",), "artist": ("credit",), "tracks": ("track",)},
    "tracks": {"*": ("track",)}, "artists": {"*": ("artist",)}, "credits": {"*": ("credit",)},
    "identifiers": {"*": ("identifier",)}, "genres": {"*": ("genre",)}, "popularity": {"*": ("signal",)},
    "claims": {"*": ("claim",)},
}  # fmt: skip
"""Published table → column (``*``: all others) → the fact tables that it is made of."""


@dataclass(frozen=True)
class Slice:
    """Tables made from permitted facts, with the sources and licences of each column."""

    tables: Mapping[str, pa.Table]
    notes: Mapping[str, Mapping[str, ColumnNote]]
    credits: tuple[tuple[str, str, str], ...]
    """(source, licence id, whom to credit) of each partition that is in it."""


def commercial(licence: Licence) -> bool:
    """What may stand in ``snapshot/``."""
    return licence.permits.redistribute and licence.permits.commercial


def noncommercial(licence: Licence) -> bool:
    """What may stand in ``snapshot-nc/``: the rest of what may be passed on."""
    return licence.permits.redistribute and not licence.permits.commercial


def permitted(part: PartitionEntry, fact_table: str, allows: Allows) -> bool:
    """May the facts of one table of a partition be passed on?

    A partition names a licence for all fields (``*``) and perhaps others for some. Every licence that touches the
    table must allow it; one that is unknown allows nothing.
    """
    touching = [e["licence"] for e in part.licence if _touches(e["fields"], fact_table)]
    licences = [resolve(text) for text in touching]
    return bool(licences) and all(lic is not None and allows(lic) for lic in licences)


def _touches(fields: str, fact_table: str) -> bool:
    """A field name that is one of our tables touches that table only; anything else touches all."""
    names = {name: name for name in FACTS} | {f"{name}s": name for name in FACTS}
    named = {names.get(field.strip(), "*") for field in fields.split(",")}
    return "*" in named or fact_table in named


def restricted(generation: Generation, allows: Allows) -> Generation:
    """The generation without the facts that may not be passed on."""
    parts = [_restricted(part, allows) for part in generation.partitions]
    return replace(generation, partitions=tuple(p for p in parts if p.tables or p.wide))


def _restricted(part: PartitionEntry, allows: Allows) -> PartitionEntry:
    """A wide row has facts of all kinds in it: it may be passed on only where every one of them may."""
    allowed = {table for table in FACTS if permitted(part, table, allows)}
    tables = {table: refs for table, refs in part.tables.items() if table in allowed}
    return replace(part, tables=tables, wide=part.wide if allowed == set(FACTS) else {})


def build(
    layout: ArchiveLayout, generation: Generation, allows: Allows, engine: Engine, progress: Progress
) -> Slice:  # fmt: skip
    """All tables of a snapshot.

    Raises:
        Damaged, NoSpace: as the catalogue's merge.
    """
    part = restricted(generation, allows)
    counted = tuple(text for text in generation.popularity.licences if _allowed(text, allows)) if (
        generation.popularity) else ()  # fmt: skip
    told = generation.popularity
    if part == generation and generation.is_flat and told and counted == told.licences:
        tables = _as_merged(layout, generation)
    else:
        tables = _merged_again(layout, part, counted, engine, progress)
    return Slice(tables, {name: _notes(name, part, counted) for name in SNAPSHOT}, _credits(part))


def with_claims(content: Slice, claims: Iterable[Claim], source: str) -> Slice:
    """A snapshot with the claims that were made of published blobs at intake: they are the archive's own (CC0)."""
    rows = pa.Table.from_pylist([claim.as_json() for claim in claims], schema=SNAPSHOT["claims"])
    if not rows.num_rows:
        return content
    notes = {
        column: parquet.note([*told.sources, source], [*told.licences, "CC0-1.0"])
        for column, told in content.notes["claims"].items()
    }
    return replace(
        content, tables={**content.tables, "claims": pa.concat_tables([content.tables["claims"], rows])},
        notes={**content.notes, "claims": notes},
    )  # fmt: skip


def _allowed(text: str, allows: Allows) -> bool:
    licence = resolve(text)
    return licence is not None and allows(licence)


def _as_merged(layout: ArchiveLayout, generation: Generation) -> dict[str, pa.Table]:
    """Nothing is left out: the generation's own tables are the snapshot's."""
    assert generation.popularity is not None
    refs = dict(generation.merged) | {"popularity": generation.popularity.files}
    return _read(Places.of(layout), refs)


def _merged_again(
    layout: ArchiveLayout, part: Generation, counted: tuple[str, ...], engine: Engine, progress: Progress
) -> dict[str, pa.Table]:
    bench = Places(Places.of(layout).spool / "publish")
    durable.remove_tree(bench.root)
    durable.make_folder(bench.spool)
    durable.make_folder(bench.files)
    try:
        with connect(engine, bench.spool) as connection:
            views.name_facts(connection, Places.of(layout), part, part.remaps)
            refs = dict(merge.merge(connection, bench, progress))
            refs["popularity"] = popularity.rank(connection, bench, counted).files
        return _read(bench, refs)
    finally:
        durable.remove_tree(bench.root)


def _read(places: Places, refs: Mapping[str, list[FileRef]]) -> dict[str, pa.Table]:
    found = {}
    for name, schema in SNAPSHOT.items():
        parts = [parquet.read_table(places.file(ref.sha256), schema=schema) for ref in refs.get(name, [])]
        found[name] = pa.concat_tables([schema.empty_table(), *parts])
    return found


def _notes(table: str, part: Generation, counted: tuple[str, ...]) -> dict[str, ColumnNote]:
    facts = _FACTS_OF[table]
    found = {}
    for column in SNAPSHOT[table].names:
        origins = facts.get(column, facts["*"])
        parts = [p for p in part.partitions if p.wide or any(p.tables.get(fact) for fact in origins)]
        licences = counted if table == "popularity" else tuple(
            licence for p in parts for fact in origins for licence in _licences(p, fact)
        )  # fmt: skip
        found[column] = parquet.note([p.source for p in parts], licences)
    return found


def _licences(part: PartitionEntry, fact: str) -> list[str]:
    known = [resolve(e["licence"]) for e in part.licence if _touches(e["fields"], fact)]
    return [licence.id for licence in known if licence is not None]


def _credits(part: Generation) -> tuple[tuple[str, str, str], ...]:
    found = set()
    for entry in part.partitions:
        for told in entry.licence:
            licence = resolve(told["licence"])
            if licence is not None:
                found.add((entry.source, licence.id, told.get("credit", "")))
    return tuple(sorted(found))
