"""The catalogue's other engine: Apache Spark, for catalogues beyond one machine. The only module that knows Spark.

It runs the very queries that DuckDB runs (:mod:`fonoteca.catalogue.operations`, and the views of a catalogue): sqlglot
turns their text into Spark's dialect, and here stands only what it cannot know. Tables are the catalogue's own Parquet
files, so every machine of a cluster must see them under the same path. When to use it: docs/explanation/engines.md.
"""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from fonoteca.catalogue.chosen import Cluster
from fonoteca.catalogue.engine import parquet
from fonoteca.core.errors import Failed

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import DataFrame, SparkSession
    from sqlglot import exp

    from fonoteca.catalogue.query import Catalogue

__all__ = ["Cluster", "Made", "Rows", "Spark", "connect", "opened", "session", "translated"]
_LARGEST = "1.7976931348623157e308"
_TYPES = {
    "bigint": pa.int64(), "int": pa.int32(), "smallint": pa.int16(), "string": pa.string(), "double": pa.float64(),
    "boolean": pa.bool_(), "decimal(38,0)": pa.decimal128(38, 0), "decimal(20,0)": pa.decimal128(20, 0),
}  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """The answer to one query, not yet computed."""

    frame: DataFrame

    def table(self) -> pa.Table:
        """All rows, brought here: for results that are small whatever the catalogue's size."""
        schema = pa.schema([(name, _TYPES[kind]) for name, kind in self.frame.dtypes])
        rows = done(self.frame.collect)
        columns = zip(*rows, strict=True) if rows else [() for _ in schema]
        return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)

    def write(self, folder: Path) -> None:
        """All rows, as Parquet files in a new folder that every machine of the cluster can write."""
        done(lambda: self.frame.write.parquet(str(folder)))


class Spark:
    """One session. Made by :func:`connect` and :func:`opened`.

    Args:
        session: of Spark.
        views: name → query of DuckDB's dialect, made when a query first names them.
        small: gives the rows of a table that is neither given nor a view.
        licences, synthetic: as of a :class:`~fonoteca.catalogue.query.Catalogue`.
    """

    def __init__(
        self, session: SparkSession, views: Mapping[str, str], small: Callable[[str], pa.Table] | None = None,
        *, licences: Sequence[str] = (), synthetic: bool = False,
    ) -> None:  # fmt: skip
        self._session, self._views, self._small = session, views, small
        self._named: set[str] = set()
        self._files: dict[tuple[str, ...], str] = {}
        self.licences: Sequence[str] = licences
        self.synthetic = synthetic

    def give(self, name: str, table: pa.Table) -> None:
        """Name a table of values. It passes through this process: millions of rows, not more."""
        rows = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
        schema = ", ".join(f"`{field.name}` {_spark_type(field.type)}" for field in table.schema)
        frame = self._session.createDataFrame(rows, schema, verifySchema=False)
        self._name(name, frame)

    def name(self, name: str, paths: Sequence[Path]) -> None:
        """Name Parquet files of one schema as a table."""
        self._name(name, self._scan([str(path) for path in paths]))

    def sql(self, query: str) -> Rows:
        """The rows of one query in DuckDB's dialect.

        Raises:
            Failed: ``spark-failed``.
        """
        from sqlglot import exp

        tree = _parsed(query)
        own = {cte.alias for cte in tree.find_all(exp.CTE)}
        for table in list(tree.find_all(exp.Table)):
            if isinstance(table.this, exp.ReadParquet):
                paths = tuple(literal.this for literal in table.this.find_all(exp.Literal))
                table.set("this", exp.to_identifier(self._file_view(paths)))
            elif table.name not in own | self._named:
                self._make(table.name)
        text = _text(tree)
        return Rows(done(lambda: self._session.sql(text)))

    def _name(self, name: str, frame: DataFrame) -> None:
        frame.createOrReplaceTempView(name)
        self._named.add(name)

    def _make(self, name: str) -> None:
        if name in self._views:
            self._name(name, self.sql(self._views[name]).frame)
        elif self._small is not None:
            self.give(name, self._small(name))
        else:
            raise KeyError(name)

    def _file_view(self, paths: tuple[str, ...]) -> str:
        if paths not in self._files:
            name = f"files_{len(self._files)}"
            self._name(name, self._scan(paths))
            self._files[paths] = name
        return self._files[paths]

    def _scan(self, paths: Sequence[str]) -> DataFrame:
        # The schema is given, since Spark refuses whole files for one column of a kind that it does not know.
        known = [f for f in pq.read_schema(paths[0]) if not pa.types.is_fixed_size_binary(f.type)
                 and not isinstance(f.type, pa.UuidType)]  # fmt: skip
        schema = ", ".join(f"`{f.name}` {_spark_type(f.type)}" for f in known)
        # A file that is named twice counts twice, as it does in DuckDB.
        times = Counter(paths)
        frame = None
        for turn in range(max(times.values())):
            again = [path for path in times if times[path] > turn]
            part = self._session.read.schema(schema).parquet(*again)
            frame = part if frame is None else frame.unionAll(part)
        assert frame is not None
        return frame


class Made:
    """Makes large results on Spark for a connection of DuckDB (:class:`fonoteca.catalogue.chosen.Maker`).

    Queries see what the connection has names for: views over Parquet files are read by the executors, tables in memory
    are handed over. What comes out are Parquet files, which the connection then has a name for.
    """

    def __init__(self, session: SparkSession, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self._session, self._connection, self._folder = session, connection, folder
        self._kept = 0

    def keep(self, name: str, query: str) -> None:
        """As files; their columns have the types that DuckDB gives the query."""
        folder = self._folder / f"made-{self._kept}"
        self._kept += 1
        self.write(query, folder)
        columns = self._connection.execute(f"DESCRIBE SELECT * FROM ({query})").fetchall()
        listed = ", ".join(f'"{column}"::{kind} AS "{column}"' for column, kind, *_ in columns)
        scan = parquet(sorted(folder.glob("*.parquet")))
        self._connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT {listed} FROM {scan}")

    def write(self, query: str, folder: Path) -> None:
        """The rows as Parquet files in a new folder, whose names are in the order of the rows where that is given."""
        self._names().sql(query).write(folder)

    def drop(self, name: str) -> None:
        """The name; the files go with their folder."""
        self._connection.execute(f"DROP VIEW IF EXISTS {name}")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Brought here."""
        found = self._names().sql(query).table().to_pylist()
        return [tuple(int(v) if isinstance(v, Decimal) else v for v in row.values()) for row in found]

    def _names(self) -> Spark:
        views = dict(self._connection.execute(_VIEWS).fetchall())
        return Spark(self._session, views, self._small)

    def _small(self, name: str) -> pa.Table:
        return self._connection.sql(f'SELECT * FROM "{name}"').to_arrow_table()


def _spark_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"ARRAY<{_spark_type(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return f"STRUCT<{', '.join(f'`{f.name}`: {_spark_type(f.type)}' for f in kind)}>"
    names = {pa.int64(): "BIGINT", pa.int32(): "INT", pa.int16(): "SMALLINT", pa.float64(): "DOUBLE",
             pa.float32(): "FLOAT", pa.bool_(): "BOOLEAN", pa.large_string(): "STRING"}  # fmt: skip
    return names.get(kind, "STRING")


def _parsed(query: str) -> exp.Expression:
    from sqlglot import exp
    from sqlglot.dialects.duckdb import DuckDB

    class Ours(DuckDB.Parser):  # type: ignore[misc] # it has no types
        # In DuckDB both words count lists and texts; our queries say len of a list, length of a text.
        # A view's text, as DuckDB keeps it, has count_star() for count(*).
        FUNCTIONS = {**DuckDB.Parser.FUNCTIONS, "LEN": exp.ArraySize.from_arg_list,  # noqa: RUF012 sqlglot's way
                     "COUNT_STAR": lambda _: exp.Count(this=exp.Star())}  # fmt: skip

    dialect = DuckDB()
    (tree,) = Ours(dialect=dialect).parse(dialect.tokenize(query), query)
    assert tree is not None
    return tree.expression if isinstance(tree, exp.Create) else tree


def translated(query: str) -> str:
    """A query of DuckDB's dialect in Spark's."""
    return _text(_parsed(query))


def _text(tree: exp.Expression) -> str:
    from sqlglot import exp

    for select in tree.find_all(exp.Select):
        _number(select)
    text: str = tree.transform(_portable).sql("spark")
    return text


def _number(select: exp.Expression) -> None:
    """``unnest(x) AS c, unnest(range(len(x)))``: Spark walks one list in a SELECT, and counts along where asked."""
    from sqlglot import exp

    walked = [found for e in select.expressions for found in e.find_all(exp.Explode)]
    if len(walked) < 2:
        return
    item, number = walked
    assert isinstance(item.parent, exp.Alias) and isinstance(number.this, exp.GenerateSeries)
    name = item.parent.alias
    view = exp.TableAlias(
        this=exp.to_identifier("walked"), columns=[exp.to_identifier("place"), exp.to_identifier(name)]
    )
    select.append("laterals", exp.Lateral(this=exp.Posexplode(this=item.this.copy()), view=True, alias=view))
    number.replace(exp.column("place"))
    item.parent.replace(exp.column(name))


def _portable(node: exp.Expression) -> exp.Expression:
    """What sqlglot leaves as it is: 128-bit integers, ``isfinite`` and ``* REPLACE``."""
    from sqlglot import exp

    if isinstance(node, exp.DataType) and node.is_type("int128"):
        return exp.DataType.build("DECIMAL(38, 0)")
    if isinstance(node, exp.Anonymous) and node.name.lower() == "isfinite":
        value = node.expressions[0].sql("duckdb")
        between = exp.maybe_parse(f"({value} BETWEEN -{_LARGEST} AND {_LARGEST})", dialect="duckdb")
        return between.transform(_portable)
    if isinstance(node, exp.Star) and node.args.get("replace"):
        # Views only give another type to a column that Spark's scan leaves out.
        return exp.Star()
    return node


def done(work: Callable[[], Any]) -> Any:
    """Run something of Spark; its errors become ours."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        return work()
    except (PySparkException, Py4JError) as error:
        told = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
        # Of an error in an executor's Python, the first line is a heading.
        why = f"{told[0]} {told[-1]}" if len(told) > 1 and told[0].endswith(":") else "".join(told[:1])
        raise Failed("spark-failed", "Spark could not finish the work", why,
                     "look at the logs of its master and workers, and for a Java that it knows; or set "
                     "catalogue.engine to 'duckdb'") from error  # fmt: skip


@contextlib.contextmanager
def session(cluster: Cluster) -> Iterator[SparkSession]:
    """A session with its own names. A process has one connection to a cluster: a second session shares the first's."""
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    if running is not None:
        yield running.newSession()
        return
    builder = SparkSession.builder
    for name, value in cluster.options().items():
        builder = builder.config(name, value)
    found = done(builder.getOrCreate)
    try:
        found.sparkContext.setLogLevel("ERROR")
        # Spark itself looks at this setting only where its own script started the program.
        found.sparkContext.pythonExec = found.conf.get("spark.pyspark.python", found.sparkContext.pythonExec)
        # What it logs of a query that fails stands in the error, too.
        logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
        yield found
    finally:
        found.stop()


@contextlib.contextmanager
def connect(cluster: Cluster) -> Iterator[Spark]:
    """A session without tables.

    Raises:
        Failed: ``spark-failed``: no Java here, or no master at that address.
        ModuleNotFoundError: the extra ``spark`` is not installed.
    """
    with session(cluster) as found:
        yield Spark(found, {})


_VIEWS = "SELECT view_name, sql FROM duckdb_views() WHERE NOT internal"


@contextlib.contextmanager
def opened(catalogue: Catalogue, cluster: Cluster) -> Iterator[Spark]:
    """A session with all views of an open catalogue, over the same files. Raises as :func:`connect`."""
    views = {row["view_name"]: row["sql"] for row in catalogue.select(_VIEWS)}
    with session(cluster) as found:
        yield Spark(found, views, lambda name: catalogue.sql(f'SELECT * FROM "{name}"').table(),
                    licences=catalogue.licences, synthetic=catalogue.synthetic)  # fmt: skip
