"""The bulk way of a large Parquet table of counts about another source's recordings (``about = "signals"``).

Such tables have a row for each recording that anybody listened to; record by record they would take hours. Everything
else that a table can be goes record by record.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fonoteca.core.progress import Progress, Unit
from fonoteca.sources import parquet
from fonoteca.sources.bulk import Bulk, Flat, Sql, literal
from fonoteca.sources.mapping import Mapping
from fonoteca.sources.rows import TableFile

SMALLEST = 16 << 20
"""Bytes of a file from which on the bulk way is worth it."""
_NUMBERS = ("int", "uint", "float", "double")


def bulk(files: Sequence[tuple[TableFile, Mapping]], smallest: int = SMALLEST) -> Bulk | None:
    """The bulk way of one plain Parquet file of keys and counts; None for any other table."""
    if len(files) != 1:
        return None
    file, meaning = files[0]
    if not _is_plain(file, smallest) or not _is_counts(file, meaning):
        return None
    kinds = _kinds(file.path)
    if any(not kinds[c].startswith(_NUMBERS) for c in meaning.signals.values()) or kinds[meaning.key[0]] not in (
        "string", "large_string", "fixed_size_binary[16]", "extension<arrow.uuid>", "int32", "int64",
    ):  # fmt: skip
        return None
    # Where it is not, record by record says why; the rows before the damage are read.
    if not parquet.is_sound(file.path, file.limits):
        return None
    return CountsBulk(file.path, meaning)


def _is_plain(file: TableFile, smallest: int) -> bool:
    if file.format != "parquet" or file.path.stat().st_size < smallest:
        return False
    with file.path.open("rb") as stream:
        return stream.read(4) == b"PAR1"


def _is_counts(file: TableFile, meaning: Mapping) -> bool:
    """Nothing but a key of a named source, and counts: then two rows are equal where these are."""
    return (
        meaning.about == "signals" and bool(meaning.source) and len(meaning.key) == 1 and bool(meaning.signals)
        and not meaning.columns and not meaning.constants and set(file.columns) == set(meaning.needed)
    )  # fmt: skip


def _kinds(path: Path) -> MappingOf[str, str]:
    import pyarrow.parquet as pq

    return {field.name: str(field.type) for field in pq.read_schema(path)}


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


@dataclass
class CountsBulk(Flat):
    """Rows sorted by id, so that repeated keys are neighbours. ``entity_id`` makes the ids."""

    path: Path
    meaning: Mapping
    _counts: MappingOf[str, int] = field(default_factory=dict)

    def space(self) -> int:
        """The sorted rows, and what sorting spills."""
        return 6 * self.path.stat().st_size

    def result(self) -> int:
        """The counts, their keys and their sums: 12 bytes of each row, and 12 of each recording that they are about."""
        return 3 * self.path.stat().st_size

    def prepare(self, sql: Sql, progress: Progress) -> None:
        """Sort; tell first rows from repeated ones."""
        progress.stage("sorting", None, Unit.ROWS)
        key = f"trim({_name(self.meaning.key[0])}::VARCHAR)"
        counts = ", ".join(f"{_count(c)} AS v{n}" for n, c in enumerate(self.meaning.signals.values()))
        given = f"read_parquet({literal(self.path)}, file_row_number = true)"
        sql.view("counts_given", f"SELECT {key} AS key, file_row_number + 1 AS line, {counts} FROM {given}")
        entity = f"CASE WHEN key <> '' THEN entity_id('recording', {literal(self.meaning.source)}, key) END"
        sql.stage("counts", f"""
            SELECT {entity} AS id, line, {self._values()} FROM counts_given
            ORDER BY id NULLS LAST, line""")  # fmt: skip
        values = range(len(self.meaning.signals))
        same = " AND ".join(f"v{n} IS NOT DISTINCT FROM lag(v{n}) OVER ()" for n in values)
        # Staged rows come in their order, and a window without an order of its own keeps to it.
        sql.view("counts_marked", f"""
            SELECT *, coalesce(id = lag(id) OVER (), false) AS again, {same} AS same,
                lag(line) OVER () AS first FROM counts""")  # fmt: skip
        sql.table("counts_odd", "SELECT * FROM counts_marked WHERE again OR id IS NULL")
        self._count(sql)

    def _values(self) -> str:
        return ", ".join(f"v{n}" for n in range(len(self.meaning.signals)))

    def _empty(self) -> str:
        return " AND ".join(f"v{n} IS NULL" for n in range(len(self.meaning.signals)))

    def flat(self) -> MappingOf[str, str]:
        """One row for each count; without ``of_key``: the id was made of it, and the position leads to it."""
        licence = literal(self.meaning.signal_licence or self.meaning.licence)
        position = f"{literal(self.path.name + ':')} || line"
        queries = [
            f"SELECT id AS recording_id, {literal(kind)} AS kind, v{n} AS value, {licence} AS licence, "
            f"{str(self.meaning.synthetic).lower()} AS synthetic, {literal(self.meaning.source)} AS of_source, "
            f"NULL::VARCHAR AS of_key, {position} AS position FROM counts_marked "
            f"WHERE NOT again AND id IS NOT NULL AND v{n} IS NOT NULL"
            for n, kind in enumerate(self.meaning.signals)
        ]  # fmt: skip
        return {"signal": " UNION ALL ".join(queries)}

    def refusals(self) -> str:
        """Rows without a key, without a count, or with another count than the key's first row."""
        position = f"{literal(self.path.name + ':')} || o.line"
        raw = "(SELECT to_json(g)::VARCHAR FROM counts_given g WHERE g.line = o.line)"
        return f"""
            SELECT {position} AS position, CASE WHEN id IS NULL THEN 'no-key' ELSE 'key-conflict' END AS code,
                CASE WHEN id IS NULL THEN 'its key is empty' ELSE 'the key has other content than in row ' || first END
                AS reason, {raw} AS raw, 'recording' AS kind
            FROM counts_odd o WHERE id IS NULL OR NOT same
            UNION ALL
            SELECT {position}, 'no-content', 'the row has no count that can be read', to_json(o)::VARCHAR, 'recording'
            FROM counts_marked o WHERE id IS NOT NULL AND NOT again AND {self._empty()}
            ORDER BY length(position), position"""

    def counts(self) -> MappingOf[str, int]:
        """Rows by what became of them."""
        return self._counts

    def _count(self, sql: Sql) -> None:
        rows = int(sql.value("SELECT count(*) FROM counts") or 0)
        odd = sql.rows("SELECT id IS NULL, same, count(*) FROM counts_odd GROUP BY ALL")
        duplicates = sum(n for lacks, same, n in odd if same and not lacks)
        nothing = f"id IS NOT NULL AND NOT again AND {self._empty()}"
        empty = int(sql.value(f"SELECT count(*) FROM counts_marked WHERE {nothing}") or 0)
        refused = sum(n for lacks, same, n in odd if lacks or not same) + empty
        accepted = rows - duplicates - refused
        made_up = accepted * len(self.meaning.signals) if self.meaning.synthetic else 0
        self._counts = {"rows": rows, "references": accepted, "duplicates": duplicates, "refused": refused,
                        "records": accepted, "synthetic": made_up}  # fmt: skip


def _count(column: str) -> str:
    """A finite number that is not negative, or null."""
    name = _name(column)
    return f"CASE WHEN isfinite({name}::DOUBLE) AND {name} >= 0 THEN {name}::DOUBLE END"
