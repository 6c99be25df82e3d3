"""The answer to a query: a stream of Arrow batches that Polars, pandas, pyarrow and DuckDB read as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from fonoteca.catalogue import failures
from fonoteca.core.errors import FonotecaError, Usage

if TYPE_CHECKING:
    import duckdb

_TABLES_HINT = "'fonoteca sql \"SHOW TABLES\"' lists what can be read; docs/reference/database-schema.md explains it"


class Rows:
    """The rows of one query, readable once, front to back.

    Attributes:
        schema: of the batches.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection, reader: pa.RecordBatchReader, query: str) -> None:
        self._cursor, self._reader, self._query = cursor, reader, query
        self.schema: pa.Schema = reader.schema

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self.schema.names)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The Arrow PyCapsule interface."""
        return self._reader.__arrow_c_stream__(requested_schema)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows in portions.

        Raises:
            Usage: ``sql-wrong``: an error that shows only while the query runs (a cast, a division).
        """
        try:
            yield from self._reader
        except (pa.ArrowException, OSError) as error:
            raise _wrong(self._query, error) from error
        finally:
            self._cursor.close()

    def table(self) -> pa.Table:
        """All rows at once."""
        return pa.Table.from_batches(self.batches(), self.schema)

    def dicts(self) -> Iterator[dict[str, Any]]:
        """Row by row."""
        for batch in self.batches():
            yield from batch.to_pylist()


def run(connection: duckdb.DuckDBPyConnection, query: str) -> Rows:
    """Run one SELECT (also WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE) on a cursor of its own.

    Raises:
        Usage: ``sql-refused``: any other statement, several of them, or a file named in it; ``sql-wrong``.
    """
    import duckdb

    cursor = connection.cursor()
    try:
        _check(cursor, query)
        relation = cursor.sql(query)
        return Rows(cursor, pa.RecordBatchReader.from_stream(relation), query)
    except duckdb.PermissionException as error:
        cursor.close()
        raise _refused(query, _first_line(error)) from error
    except (duckdb.Error, pa.ArrowException) as error:
        cursor.close()
        raise _wrong(query, error) from error
    except FonotecaError:
        cursor.close()
        raise


def _check(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    import duckdb

    statements = connection.extract_statements(query)
    if len(statements) != 1:
        raise _refused(query, f"it has {len(statements)} statements")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise _refused(query, f"{str(statements[0].type).rpartition('.')[2]} is no query")


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", maxsplit=1)[0] or type(error).__name__


def _refused(query: str, why: str) -> Usage:
    return Usage("sql-refused", "The query was not run", f"{why}, and only one SELECT over the catalogue is allowed",
                 _TABLES_HINT, query)  # fmt: skip


def _wrong(query: str, error: BaseException) -> FonotecaError:
    found = failures.damaged(error)
    if found is not None:
        return found
    return Usage("sql-wrong", "The query could not be answered", _first_line(error), _TABLES_HINT, query)
