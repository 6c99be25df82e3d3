"""``fonoteca export``: the rows of a query as a file."""

from __future__ import annotations

import argparse

from fonoteca.cli.context import Context
from fonoteca.cli.words import counted
from fonoteca.core.errors import ExitCode

HELP = "write the rows of a query as Parquet, CSV, JSON lines, SQLite or DuckDB"
EXAMPLES = (
    'fonoteca export "FROM recordings" -o recordings.parquet',
    'fonoteca export "SELECT id, title, artist FROM recordings WHERE year < 1930" -o old.csv',
    'fonoteca export "FROM recordings" -o recordings.sqlite',
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The words of ``export``."""
    parser.add_argument("query", metavar="QUERY", help="one SELECT; 'fonoteca sql \"SHOW TABLES\"' lists the tables")
    parser.add_argument("-o", "--output", metavar="FILE", required=True,
                        help="ends in .parquet, .csv, .jsonl, .sqlite, .db or .duckdb")  # fmt: skip
    from fonoteca.cli.joined import edition_argument

    edition_argument(parser)


def run(context: Context, args: argparse.Namespace) -> ExitCode:
    """Write the file; it appears when it is whole."""
    from fonoteca.catalogue.export import export, writer_for
    from fonoteca.cli.joined import reading

    path = context.path(args.output)
    writer_for(path)
    with reading(context, args.edition) as joined:
        count = export(joined.sql(args.query), path)
    size = path.stat().st_size
    value = {"path": str(path), "format": path.suffix.lower().lstrip("."), "rows": count, "bytes": size}
    context.result(value, [f"{path}: {counted(count, 'row')}, {counted(size, 'byte')}"])
    return ExitCode.DONE
