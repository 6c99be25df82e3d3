"""A table of counts by columns: SQL says which rows stand, which repeat and which are refused.

What is said of a refused row comes from the reader of records, so that both ways say it in the same words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fonoteca.core import durable
from fonoteca.core.progress import Progress, Unit
from fonoteca.sources.bulk import Flat, Sql, literal
from fonoteca.sources.mapping import Mapping
from fonoteca.sources.parquet import plain
from fonoteca.sources.records import Refused
from fonoteca.sources.rows import Row
from fonoteca.sources.seen import Seen
from fonoteca.sources.table_row import RowReader

ROW_NUMBER = "file_row_number"
"""The engine's name for the number of a row; a file cannot have a column of that name."""
BLANKS = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    chr(number) for number in range(0x2000, 0x200B)
)
"""What ``str.strip`` takes off a key."""
RESULT = 30
"""Bytes on the disk that come of a count, rather too many: 20 were measured in a small table, 7 in a large one."""
# Looking for all of them costs a second in a million keys; for keys between plain characters it need not be done.
_TRIMMED = f"""CASE WHEN written[1] BETWEEN '!' AND '~' AND written[-1] BETWEEN '!' AND '~' THEN written
    ELSE trim(written, {literal(BLANKS)}) END"""
_PAGE = 1_000
"""Refused rows that are held at once."""
_EXACT = 1 << 53
"""Whole numbers beyond share a float with their neighbours."""


@dataclass
class CountsBulk(Flat):
    """Rows sorted by id, so that repeated keys are neighbours. ``entity_id`` makes the ids.

    Attributes:
        path: of the file.
        meaning: of its columns.
        kinds: column → Arrow's name of its type.
        size: rows of the file.
    """

    path: Path
    meaning: Mapping
    kinds: MappingOf[str, str]
    size: int
    _counts: MappingOf[str, int] = field(default_factory=dict)
    _refused: Path | None = None

    def space(self) -> int:
        """The sorted rows, and what sorting spills."""
        return max(6 * self.path.stat().st_size, 100 * self.size)

    def result(self) -> int:
        """The facts, their keys, and sums of listens."""
        return RESULT * self.size * len(self.meaning.signals)

    def prepare(self, sql: Sql, progress: Progress) -> None:
        """Sort; tell first rows from repeated ones, and refused ones from both."""
        progress.stage("sorting", None, Unit.ROWS)
        counts = ", ".join(f"{_name(c)} AS c{n}" for n, c in enumerate(self._columns))
        sql.view("counts_given", f"""
            SELECT {ROW_NUMBER} + 1 AS line, {_name(self.meaning.key[0])} AS k, {counts}
            FROM read_parquet({literal(self.path)}, {ROW_NUMBER} = true, hive_partitioning = false)""")  # fmt: skip
        entity = f"CASE WHEN key <> '' THEN entity_id('recording', {literal(self.meaning.source)}, key) END"
        values = ", ".join(f"{_count(f'c{n}')} AS v{n}" for n, _ in enumerate(self._columns))
        sql.stage("counts_sorted", f"""
            SELECT {entity} AS id, line, {values}, {self._unlike()} AS unlike
            FROM (SELECT *, {_TRIMMED} AS key FROM (SELECT *, k::VARCHAR AS written FROM counts_given))
            ORDER BY id NULLS LAST, line""")  # fmt: skip
        # Staged rows come in their order, and a window without an order of its own keeps to it.
        sql.view("counts_marked", "SELECT *, coalesce(id = lag(id) OVER (), false) AS again FROM counts_sorted")
        self._compare(sql)
        self._count(sql)
        self._refuse(sql)

    @property
    def _columns(self) -> list[str]:
        return list(self.meaning.signals.values())

    def _each(self, form: str, joined: str = " AND ") -> str:
        return joined.join(form.format(v=f"v{n}", c=f"c{n}", n=n) for n, _ in enumerate(self._columns))

    def _unlike(self) -> str:
        """The row as it is written, where key and counts do not say all of it; null for nearly all rows."""
        odd, shown = ["written <> key"], ["written"]
        for n, column in enumerate(self._columns):
            if self.kinds[column].startswith(("float", "double")):
                odd.append(f"isfinite(c{n}) AND (c{n} < 0 OR signbit(c{n}))")
                shown.append(f"CASE WHEN isfinite(c{n}) THEN c{n}::VARCHAR END")
            else:
                odd.append(f"c{n} < 0 OR c{n} > {_EXACT}")
                shown.append(f"c{n}::VARCHAR")
        return f"CASE WHEN {' OR '.join(odd)} THEN to_json([{', '.join(shown)}])::VARCHAR END"

    def _compare(self, sql: Sql) -> None:
        """All rows of repeated keys, each held against the first one of its key."""
        same = self._each("{v} IS NOT DISTINCT FROM first_value({v}) OVER one")
        sql.table("counts_again", f"""
            SELECT line, first_value(line) OVER one AS first,
                {same} AND unlike IS NOT DISTINCT FROM first_value(unlike) OVER one AS same
            FROM (FROM counts_sorted WHERE id IN (SELECT id FROM counts_marked WHERE again))
            WINDOW one AS (PARTITION BY id ORDER BY line)""")  # fmt: skip

    def _count(self, sql: Sql) -> None:
        first = "id IS NOT NULL AND NOT again"
        said = self._each(f"count({{v}}) FILTER ({first})", " + ")
        rows, lacking, empty, records = sql.rows(f"""
            SELECT count(*), count(*) FILTER (id IS NULL), count(*) FILTER ({first} AND {self._each("{v} IS NULL")}),
                {said} FROM counts_marked""")[0]  # fmt: skip
        again = dict(sql.rows("SELECT same, count(*) FROM counts_again WHERE line <> first GROUP BY same"))
        duplicates, refused = again.get(True, 0), again.get(False, 0) + lacking + empty
        self._counts = {"rows": rows, "references": rows - duplicates - refused, "duplicates": duplicates,
                        "refused": refused, "records": records,
                        "synthetic": records if self.meaning.synthetic else 0}  # fmt: skip

    def _refuse(self, sql: Sql) -> None:
        """Read the refused rows by the rules for records: each after the first row of its key."""
        if not self._counts["refused"]:
            return
        sql.table("counts_refused", f"""
            WITH refused AS (
                SELECT first AS head, line FROM counts_again WHERE NOT same
                UNION SELECT first, first FROM counts_again WHERE NOT same
                UNION SELECT line, line FROM counts_marked
                WHERE id IS NULL OR (NOT again AND {self._each("{v} IS NULL")}))
            SELECT row_number() OVER (ORDER BY r.head, r.line) AS number, r.head, g.*
            FROM refused r JOIN counts_given g ON g.line = r.line""")  # fmt: skip
        self._refused = sql.work / "counts-refused.parquet"
        _write(self._refused, self._told(_pages(sql, "counts_refused")))
        sql.drop("counts_refused")

    def _told(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[Refused]:
        names, before = [self.meaning.key[0], *self._columns], None
        reader = RowReader(self.meaning, Seen())
        for _, head, line, *values in rows:
            if head != before:
                before, reader = head, RowReader(self.meaning, Seen())
            row = Row(f"{self.path.name}:{line}", {n: plain(v) for n, v in zip(names, values, strict=True)})
            yield from (record for record in reader.records(row) if isinstance(record, Refused))

    def flat(self) -> MappingOf[str, str]:
        """One row for each count."""
        return {"signal": facts(self.meaning, self.path.name, [
            f"SELECT id, v{n} AS value, line FROM counts_marked WHERE NOT again AND id IS NOT NULL AND v{n} IS NOT NULL"
            for n, _ in enumerate(self._columns)
        ])}  # fmt: skip

    def refusals(self) -> str | None:
        """Rows without a key, without a count, or with another count than the key's first row."""
        if self._refused is None:
            return None
        return f"SELECT * FROM read_parquet({literal(self._refused)}) ORDER BY length(position), position"

    def counts(self) -> MappingOf[str, int]:
        """Rows by what became of them."""
        return self._counts


def facts(meaning: Mapping, name: str, given: Sequence[str]) -> str:
    """The query of the facts, without ``of_key``: the id was made of it, and the position leads to it.

    Args:
        meaning: of the file's columns.
        name: of the file.
        given: of each signal, in order, the query of its ``id``, ``value`` and ``line``.
    """
    licence = literal(meaning.signal_licence or meaning.licence)
    return " UNION ALL ".join(
        f"SELECT id AS recording_id, {literal(kind)} AS kind, value, {licence} AS licence, "
        f"{str(meaning.synthetic).lower()} AS synthetic, {literal(meaning.source)} AS of_source, "
        f"NULL::VARCHAR AS of_key, {literal(name + ':')} || line AS position FROM ({query})"
        for kind, query in zip(meaning.signals, given, strict=True)
    )


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _count(column: str) -> str:
    """A finite number that is not negative, or null."""
    return f"CASE WHEN isfinite({column}::DOUBLE) AND {column} >= 0 THEN {column}::DOUBLE END"


def _pages(sql: Sql, table: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a table that are numbered from 1, some at a time."""
    size = int(sql.value(f"SELECT count(*) FROM {table}") or 0)
    for start in range(0, size, _PAGE):
        yield from sql.rows(f"FROM {table} WHERE number > {start} AND number <= {start + _PAGE} ORDER BY number")


def _write(path: Path, refused: Iterable[Refused]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = ("position", "code", "reason", "raw", "kind")
    schema = pa.schema([(name, pa.string()) for name in names])
    with durable.writing(path) as stream, pq.ParquetWriter(stream, schema) as writer:
        page: list[dict[str, str]] = []
        for record in refused:
            page.append({name: getattr(record, name) for name in names})
            if len(page) == _PAGE:
                writer.write_table(pa.Table.from_pylist(page, schema))
                page.clear()
        writer.write_table(pa.Table.from_pylist(page, schema))
