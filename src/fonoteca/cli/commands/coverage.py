"""``fonoteca coverage``: the share of listens known, held, published, with intervals."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from fonoteca.cli.context import Context
from fonoteca.cli.words import counted
from fonoteca.core.errors import ExitCode
from fonoteca.core.layout import ArchiveLayout

if TYPE_CHECKING:
    import pyarrow as pa

    from fonoteca.catalogue.coverage import Coverage, Share
    from fonoteca.catalogue.engine import Engine
    from fonoteca.catalogue.query import Catalogue

HELP = "tell the share of listens that is known, held and published, with intervals"
EXAMPLES = ("fonoteca coverage", "fonoteca coverage --by decade")
_BY = ("tier", "country", "decade", "genre", "licence")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of ``coverage``."""
    parser.add_argument("--by", choices=_BY, help="break the share down")


def run(context: Context, args: argparse.Namespace) -> ExitCode:
    """Print the shares."""
    from fonoteca.archive.holdings import Holdings
    from fonoteca.catalogue.coverage import coverage
    from fonoteca.catalogue.engine import Engine
    from fonoteca.catalogue.query import Catalogue

    layout = context.archive()
    engine = Engine.of(context.settings)
    held = {h.recording for h in Holdings.open(layout).holdings()}
    published = _published(layout, engine)
    with Catalogue.open(layout, engine=engine) as catalogue:
        keys = _KEYS[args.by](catalogue, layout) if args.by in _KEYS else None
        found = coverage(catalogue, held, published, args.by, keys)
    context.result(found.as_json(), _lines(found))
    return ExitCode.DONE


def _published(layout: ArchiveLayout, engine: Engine) -> set[int]:
    """The recordings of the newest edition; none before the first."""
    from fonoteca.catalogue.query import Catalogue

    if not layout.publication.edition_numbers():
        return set()
    with Catalogue.open_edition(layout.publication, engine=engine) as edition:
        return {row["id"] for row in edition.select("SELECT DISTINCT recording_id AS id FROM locator")}


def _tiers(catalogue: Catalogue, _layout: ArchiveLayout) -> pa.Table:
    """Recording → tier, as publishing would cut them now."""
    from fonoteca.publish.tiers import cut

    rows = catalogue.select("SELECT recording_id, listens FROM popularity")
    return _keys(cut({row["recording_id"]: row["listens"] for row in rows}))


def _keys(found: Mapping[int, str]) -> pa.Table:
    import pyarrow as pa

    from fonoteca.catalogue.coverage import KEYS

    return pa.table([list(found), list(found.values())], schema=KEYS)


def _licences(catalogue: Catalogue, layout: ArchiveLayout) -> pa.Table:
    """Recording → the licences that are claimed for it or for its held files, by id where they are known."""
    import pyarrow as pa

    from fonoteca.catalogue.coverage import KEYS

    rows = set(zip(*_claimed(catalogue).to_pydict().values(), strict=True)) | _claimed_of_files(layout)
    found = sorted(rows)
    return pa.table([[row[0] for row in found], [row[1] for row in found]], schema=KEYS)


def _claimed_of_files(layout: ArchiveLayout) -> set[tuple[int, str]]:
    from fonoteca.archive.holdings import Holdings
    from fonoteca.rights.licence import read

    holdings = Holdings.open(layout)
    by_blob: dict[str, set[str]] = {}
    for claim in holdings.claims():
        if not claim.silent:
            licence = read(claim.licence, claim.url).licence
            by_blob.setdefault(claim.subject, set()).add(licence.id if licence else claim.licence or claim.url)
    return {(h.recording, key) for h in holdings.holdings() for key in by_blob.get(h.blob, ())}


def _claimed(catalogue: Catalogue) -> pa.Table:
    """The same for what catalogues claim."""
    import pyarrow as pa

    from fonoteca.catalogue.coverage import KEYS
    from fonoteca.rights.licence import read

    pairs = catalogue.claimed_licences()
    known: dict[tuple[str, str], str] = {}
    names = []
    for pair in zip(pairs["licence"].to_pylist(), pairs["url"].to_pylist(), strict=True):
        if pair not in known:
            licence = read(*pair).licence
            known[pair] = licence.id if licence else (pair[0] or pair[1])
        names.append(known[pair])
    keys = pairs.select(["recording_id"]).append_column("key", pa.array(names, pa.string()))
    return keys.cast(KEYS)


_KEYS = {"tier": _tiers, "licence": _licences}


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
    for group in found.by:
        share = "unknown" if group.share is None else f"{group.share:.1%}"
        lines.append(f"  {group.key}: {group.held:,} of {counted(group.recordings, 'recording')}, {share} of listens")
    return lines
