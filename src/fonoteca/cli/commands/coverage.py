"""``fonoteca coverage``: the share of listens known, held, published, with intervals."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from fonoteca.cli.context import Context
from fonoteca.cli.numbers import at_most_a_million
from fonoteca.cli.words import counted
from fonoteca.core.errors import ExitCode
from fonoteca.core.layout import ArchiveLayout

if TYPE_CHECKING:
    import pyarrow as pa

    from fonoteca.catalogue.coverage import Coverage, Share
    from fonoteca.catalogue.engine import Engine
    from fonoteca.catalogue.query import Catalogue

HELP = "tell the share of listens that is known, held and published, with intervals"
EXAMPLES = ("fonoteca coverage", "fonoteca coverage --by decade", "fonoteca coverage --unheard 100 --json")
_BY = ("tier", "country", "decade", "genre", "licence")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of ``coverage``."""
    parser.add_argument("--by", choices=_BY, help="break the share down")
    parser.add_argument("--unheard", type=at_most_a_million, metavar="N", default=0, help="list the first N recordings "
                        "whose listens nobody knows, those first that other hints speak for")  # fmt: skip


def run(context: Context, args: argparse.Namespace) -> ExitCode:
    """Print the shares."""
    from fonoteca.archive.holdings import Holdings
    from fonoteca.catalogue import chosen, spilling, tail
    from fonoteca.catalogue.coverage import NEEDED, coverage
    from fonoteca.catalogue.engine import Engine
    from fonoteca.catalogue.query import Catalogue
    from fonoteca.publish.tiers import BANDS

    layout = context.archive()
    engine, cluster = Engine.of(context.settings), chosen.cluster(context.settings)
    held = {h.recording for h in Holdings.open(layout).holdings()}
    published = _published(layout, engine)
    named = [*(tail.NEEDED if args.unheard else ()), *NEEDED.get(args.by or "", ())]
    with (
        spilling.folder(layout) as spill,
        Catalogue.open(layout, engine=engine, only=named, spill=spill) as catalogue,
        chosen.counting(cluster, catalogue) as relations,
    ):
        licences, keys = (_licences(catalogue), _of_files(layout)) if args.by == "licence" else (None, None)
        found = coverage(relations, held, published, args.by, keys, bands=BANDS, licences=licences)
        # Spark spreads one query over its machines; on this one it is asked piece by piece.
        tell = catalogue.unheard if cluster is None else lambda n: relations.sql(tail.query(n)).table().to_pylist()
        unheard = _shown(tell(args.unheard)) if args.unheard else []
    value = found.as_json() | ({"unheard": unheard} if args.unheard else {})
    context.result(value, [*_lines(found), *map(_hints, unheard)])
    return ExitCode.DONE


def _published(layout: ArchiveLayout, engine: Engine) -> pa.Array:
    """The recordings of the newest edition; none before the first."""
    import pyarrow as pa

    from fonoteca.catalogue.query import Catalogue

    if not layout.publication.edition_numbers():
        return pa.array([], pa.int64())
    with Catalogue.open_edition(layout.publication, engine=engine) as edition:
        return edition.sql("SELECT DISTINCT recording_id AS id FROM locator").table().column("id")


def _shown(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The first of the unheard tail, with what speaks for each."""
    from fonoteca.catalogue.tail import HINTS
    from fonoteca.core.ids import Kind, show_id

    return [
        {"recording": show_id(Kind.RECORDING, row["recording_id"])}
        | {hint: None if row[hint] is None else int(row[hint]) for hint in HINTS}
        for row in rows
    ]


def _hints(row: dict[str, Any]) -> str:
    told = ", ".join(
        f"{name.replace('_', ' ')} {value:,}" for name, value in row.items() if name != "recording" and value
    )
    return f"  {row['recording']}  {told or 'nothing speaks for it'}"


def _name(licence: str | None, url: str | None) -> str:
    """A licence by its id where it is known, else as it is written."""
    from fonoteca.rights.licence import read

    known = read(licence or "", url or "").licence
    return known.id if known else licence or url or ""


def _licences(catalogue: Catalogue) -> pa.Table:
    """Every licence that is claimed in the catalogue → its name."""
    import pyarrow as pa

    from fonoteca.catalogue.breakdown import LICENCES

    pairs = list(catalogue.sql("SELECT DISTINCT licence, url FROM facts_claim ORDER BY ALL").dicts())
    return pa.Table.from_pylist([p | {"key": _name(p["licence"], p["url"])} for p in pairs], schema=LICENCES)


def _of_files(layout: ArchiveLayout) -> pa.Table:
    """Recording → the licences claimed for its held files: these claims stand in the ledger of holdings."""
    import pyarrow as pa

    from fonoteca.catalogue.coverage import KEYS

    found = sorted(_claimed_of_files(layout))
    return pa.table([[row[0] for row in found], [row[1] for row in found]], schema=KEYS)


def _claimed_of_files(layout: ArchiveLayout) -> set[tuple[int, str]]:
    from fonoteca.archive.holdings import Holdings

    holdings = Holdings.open(layout)
    by_blob: dict[str, set[str]] = {}
    for claim in holdings.claims():
        if not claim.silent:
            by_blob.setdefault(claim.subject, set()).add(_name(claim.licence, claim.url))
    return {(h.recording, key) for h in holdings.holdings() for key in by_blob.get(h.blob, ())}


def _percent(share: Share) -> str:
    if share.value is None or share.low is None or share.high is None:
        return "unknown"
    return f"{share.value:.1%} (95 %: {share.low:.1%} to {share.high:.1%})"


def _lines(found: Coverage) -> list[str]:
    lines = [
        f"known listens  {found.known:,}{'  (made-up listens are among them)' if found.synthetic else ''}",
        f"held           {found.held:,}  {_percent(found.share_held)}",
        f"published      {found.published:,}  {_percent(found.share_published)}",
        f"recordings whose listens are unknown: {found.unknown:,}; counted under {', '.join(found.licences)}",
    ]
    lines += [
        f"{at.share:.1%} of known listens: {counted(at.recordings, 'recording')}, down to {at.listens:,} listens"
        for at in found.thresholds
    ]
    for group in found.by:
        share = "unknown" if group.share is None else f"{group.share:.1%}"
        lines.append(f"  {group.key}: {group.held:,} of {counted(group.recordings, 'recording')}, {share} of listens")
    return lines
