"""Which engine makes the large results: DuckDB on this machine, or the Spark that the settings name.

``catalogue.engine`` governs four operations: the ingest of tables, ranks, the groups of an ISRC, and coverage. What
cannot run on the engine that was chosen is refused; nothing goes to the other by itself (docs/explanation/engines.md).
"""

from __future__ import annotations

import contextlib
import importlib.util
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from fonoteca.core.errors import Failed, FonotecaError, Usage
from fonoteca.core.settings import Settings

if TYPE_CHECKING:
    import duckdb

    from fonoteca.catalogue.coverage import Relations
    from fonoteca.catalogue.query import Catalogue

ENGINES = ("duckdb", "spark")
_LOOPBACK = re.compile(r"local(\[.*\])?|spark://(127\.0\.0\.1|localhost)(:\d+)?")


@dataclass(frozen=True)
class Cluster:
    """Which Spark: ``master`` is its address (``spark://host:7077``), '' one inside this process.

    Memory is of this process and of each executor, in bytes; threads are those of a Spark inside this process.
    """

    master: str = ""
    memory: int = 2 << 30
    threads: int = 2

    @classmethod
    def of(cls, settings: Settings) -> Cluster:
        """From ``catalogue.spark_master``, ``catalogue.memory`` and ``catalogue.threads``."""
        threads = max(1, settings.number("catalogue.threads"))
        return cls(settings.text("catalogue.spark_master"), settings.number("catalogue.memory"), threads)

    def options(self) -> dict[str, str]:
        """Spark's own settings; all others come from its ``spark-defaults.conf``."""
        memory = f"{max(self.memory >> 20, 512)}m"
        options = {
            "spark.app.name": "fonoteca", "spark.master": self.master or f"local[{self.threads}]",
            "spark.driver.memory": memory, "spark.executor.memory": memory,
            # As in DuckDB: an overflow is an error, times have no zone, text is compared by code points.
            "spark.sql.ansi.enabled": "true", "spark.sql.session.timeZone": "UTC",
            "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false",
        }  # fmt: skip
        if _LOOPBACK.fullmatch(options["spark.master"]):
            # Other machines have a Python of their own, which their operator names; here it is this one.
            options |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
                        "spark.pyspark.python": sys.executable}  # fmt: skip
        return options


def cluster(settings: Settings) -> Cluster | None:
    """The Spark that ``catalogue.engine`` chooses; None for DuckDB.

    Raises:
        Usage: ``bad-setting``: neither of the two.
        Failed: ``missing-extra``.
    """
    name = settings.text("catalogue.engine")
    if name not in ENGINES:
        raise Usage("bad-setting", "The setting catalogue.engine could not be read", f"{name!r} is no engine",
                    f"choose one of {', '.join(ENGINES)}", "catalogue.engine")  # fmt: skip
    if name == "duckdb":
        return None
    for library in ("pyspark", "sqlglot"):
        if importlib.util.find_spec(library) is None:
            raise Failed("missing-extra", "A part of fonoteca is not installed",
                         f"catalogue.engine is 'spark', and the library {library!r} is missing",
                         "install it with: pip install 'fonoteca[archive,spark]'; or set catalogue.engine to 'duckdb'",
                         library)  # fmt: skip
    return Cluster.of(settings)


def refused(what: str, why: str) -> FonotecaError:
    """The error for what Spark cannot do, where it was chosen."""
    return Usage("not-on-spark", f"{what} cannot be done on Spark", f"catalogue.engine is 'spark', and {why}",
                 "set catalogue.engine to 'duckdb' for this command: FONOTECA_CATALOGUE_ENGINE=duckdb fonoteca ...",
                 "catalogue.engine")  # fmt: skip


@contextlib.contextmanager
def counting(found: Cluster | None, catalogue: Catalogue) -> Iterator[Relations]:
    """What answers questions about an open catalogue: itself, or Spark over its files. Raises as :func:`held`."""
    if found is None:
        yield catalogue
        return
    from fonoteca.catalogue import spark

    with spark.opened(catalogue, found) as relations:
        yield relations


@contextlib.contextmanager
def held(found: Cluster | None) -> Iterator[None]:
    """One connection to the cluster for all that is done meanwhile; nothing for DuckDB.

    Raises:
        Failed: ``spark-failed``.
    """
    if found is None:
        yield
        return
    from fonoteca.catalogue import spark

    with spark.session(found):
        yield


class Maker(Protocol):
    """Makes large results once. Queries are of DuckDB's dialect, over what a connection of DuckDB has names for."""

    def keep(self, name: str, query: str) -> None:
        """Make the rows of a query and name them in the connection."""
        ...

    def drop(self, name: str) -> None:
        """Let go of what was kept."""
        ...

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """A small result."""
        ...


class Here:
    """The :class:`Maker` that is DuckDB itself."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def keep(self, name: str, query: str) -> None:
        """As a table in memory, which may spill."""
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")

    def drop(self, name: str) -> None:
        """Its memory too."""
        self._connection.execute(f"DROP TABLE IF EXISTS {name}")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All at once."""
        return self._connection.execute(query).fetchall()


@contextlib.contextmanager
def maker(found: Cluster | None, connection: duckdb.DuckDBPyConnection, folder: Path) -> Iterator[Maker]:
    """What makes large results for a connection.

    Args:
        found: the Spark that was chosen; None for DuckDB.
        connection: has the names that queries use.
        folder: for what Spark writes; every machine of the cluster sees it. The caller deletes it.
    """
    if found is None:
        yield Here(connection)
        return
    from fonoteca.catalogue import spark

    with spark.session(found) as session:
        yield spark.Made(session, connection, folder)
