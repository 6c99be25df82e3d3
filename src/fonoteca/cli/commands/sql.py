"""``fonoteca sql``: read-only SQL over the catalogue or over an edition."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fonoteca.cli.context import Context
from fonoteca.core.errors import ExitCode

if TYPE_CHECKING:
    from fonoteca.catalogue.rows import Rows

HELP = "run read-only SQL over the tables of the catalogue"
EXAMPLES = (
    'fonoteca sql "SELECT year, count(*) FROM recordings GROUP BY year ORDER BY year"',
    'fonoteca --json sql "SHOW TABLES"',
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The words of ``sql``."""
    parser.add_argument("query", metavar="QUERY", help="one SELECT; 'SHOW TABLES' lists what can be read")
    from fonoteca.cli.joined import edition_argument

    edition_argument(parser)


def run(context: Context, args: argparse.Namespace) -> ExitCode:
    """Print the rows: tab-separated with a header line, or as one JSON object."""
    from fonoteca.cli.joined import reading

    with reading(context, args.edition) as joined:
        rows = joined.sql(args.query)
        if context.json:
            found = list(rows.dicts())
            context.result({"columns": rows.columns, "rows": found, "total": len(found)})
        else:
            context.result({}, _lines(rows))
    return ExitCode.DONE


def _lines(rows: Rows) -> Iterator[str]:
    yield "\t".join(rows.columns)
    for batch in rows.batches():
        for row in zip(*[column.to_pylist() for column in batch.columns], strict=True):
            yield "\t".join(map(_cell, row))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    import json

    text = json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict) else str(value)
    return " ".join(text.split("\t")).replace("\n", " ")
