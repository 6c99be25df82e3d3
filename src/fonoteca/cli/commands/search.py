"""``fonoteca search``: finds recordings by words, fields and phrases, in any script."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fonoteca.cli.context import Context
from fonoteca.cli.words import counted
from fonoteca.core.errors import ExitCode
from fonoteca.core.progress import SILENT

if TYPE_CHECKING:
    from fonoteca.search.searcher import Hit, Hits

HELP = "find recordings: track: artist: album: isrc: upc: mbid: year: licence: playable:, phrases, any script"
EXAMPLES = (
    "fonoteca search fur elise",
    "fonoteca search 'artist:beethoven year:1960..1979 playable:yes' --limit 50",
    "fonoteca search --json isrc:DEA123456789",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The words and flags of ``search``."""
    from fonoteca.cli.joined import edition_argument

    parser.add_argument("query", metavar="QUERY", nargs="+",
                        help="words that must all occur; \"a phrase\"; field:value; in front of any: - forbids it "
                        "(write -- before a query that begins with it)")  # fmt: skip
    parser.add_argument("--limit", metavar="N", type=int, default=20, help="hits at most (20)")
    parser.add_argument("--offset", metavar="N", type=int, default=0, help="leave out the first N hits")
    edition_argument(parser)


def run(context: Context, args: argparse.Namespace) -> ExitCode:
    """Print the hits. The index is built if it is missing."""
    from fonoteca.cli.commands.index import open_index
    from fonoteca.search.searcher import check_page

    check_page(args.limit, args.offset)
    progress = SILENT if context.json else context.progress
    what, _, searcher = open_index(context, args.edition, progress)
    hits = searcher.search(" ".join(args.query), args.limit, args.offset)
    context.result(hits.as_json(), _lines(hits, what, args.offset))
    return ExitCode.DONE


def _lines(hits: Hits, what: str, offset: int) -> Iterator[str]:
    for hit in hits.hits:
        yield _line(hit)
    about = "" if hits.total_is_exact else "more than "
    near = ", near spellings included" if hits.tolerant else ""
    shown = f", shown from {offset + 1:,}" if offset and hits.hits else ""
    yield f"{about}{counted(hits.total, 'recording')} in {what}{near}{shown}"


def _line(hit: Hit) -> str:
    mark = "▶" if hit.playable else "·"
    about = ", ".join(str(part) for part in (hit.release, hit.year, hit.licence) if part)
    return f"{mark} {hit.id}  {hit.title or 'untitled'} by {hit.artist or 'unknown artist'}" + (
        f" ({about})" if about else ""
    )
