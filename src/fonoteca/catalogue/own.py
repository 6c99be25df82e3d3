"""A flat partition's own merged tables: what it alone describes is merged once, when it is read, and never again.

They are made of its facts alone, so a new dump of another partition leaves them as they are. Of ids that several
partitions describe (``overlaps``) the generation's merged tables have the rows, and these here are not shown.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from fonoteca.catalogue import files, merge, views
from fonoteca.catalogue.engine import parquet
from fonoteca.catalogue.files import FileRef
from fonoteca.catalogue.generation import Generation, PartitionEntry
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.tables import MERGED
from fonoteca.catalogue.wide import HIDDEN
from fonoteca.core.progress import Progress

if TYPE_CHECKING:
    import duckdb


def bring_up(
    connection: duckdb.DuckDBPyConnection, places: Places, generation: Generation, progress: Progress
) -> Generation:  # fmt: skip
    """The generation with every flat partition merged by itself.

    Where a collision changed ids across partitions, none is: then all flat facts are merged together.
    """
    if generation.remaps:
        return replace(generation, partitions=tuple(replace(p, merged={}) for p in generation.partitions))
    made = tuple(
        part if _is_done(places, part) else replace(part, merged=_merge(connection, places, part, progress))
        for part in generation.partitions
    )
    return replace(generation, partitions=made)


def _is_done(places: Places, part: PartitionEntry) -> bool:
    refs = [ref for found in part.merged.values() for ref in found]
    return files.are_there(places, refs) and bool(refs) == part.is_flat


def _merge(
    connection: duckdb.DuckDBPyConnection, places: Places, part: PartitionEntry, progress: Progress
) -> dict[str, list[FileRef]]:
    if not part.is_flat:
        return {}
    views.name_flat_facts(connection, places, part)
    return merge.merge(connection, places, progress)


def rows(places: Places, generation: Generation, table: str, kinds: Collection[str]) -> str:
    """The query of one merged table's rows that partitions have for themselves; empty where there are none.

    Args:
        places: of the catalogue.
        generation: with its partitions.
        table: name of the merged table.
        kinds: for which there are views ``overlap_<kind>``.
    """
    paths = places.paths(ref for ref in generation.own(table) if ref.rows)
    if not paths:
        return ""
    query = f"SELECT {', '.join(MERGED[table].names)} FROM {parquet(paths)}"
    column, hiding = HIDDEN.get(table.removesuffix("s"), ("", ()))
    for kind in hiding:
        if kind in kinds:
            of = f" AND w.kind = '{kind}'" if column == "entity_id" else ""
            query = f"SELECT w.* FROM ({query}) w ANTI JOIN overlap_{kind} o ON w.{column} = o.id{of}"
    return query
