"""``fonoteca rank``: listen counts → popularity from 0 to 100 and a rank."""

from __future__ import annotations

import argparse

from fonoteca.cli.context import Context
from fonoteca.core.errors import ExitCode
from fonoteca.core.progress import SILENT

HELP = "turn listen counts into popularity from 0 to 100 and a rank"
EXAMPLES = ("fonoteca rank", "fonoteca rank --licences CC0-1.0,CC-BY-4.0")
SETTINGS = {"licences": "popularity.licences"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of ``rank``."""
    parser.add_argument("--licences", metavar="LIST", help="count listens under these licences (default CC0-1.0)")


def run(context: Context, args: argparse.Namespace) -> ExitCode:  # noqa: ARG001 the flag is a setting
    """Make the popularity table anew."""
    from fonoteca.catalogue import chosen
    from fonoteca.catalogue.engine import Engine
    from fonoteca.catalogue.ingest import rank
    from fonoteca.catalogue.query import Catalogue

    layout = context.archive()
    engine = Engine.of(context.settings)
    with context.writer():
        generation, changed = rank(
            layout,
            context.settings.list("popularity.licences"),
            engine=engine,
            progress=SILENT if context.json else context.progress,
            cluster=chosen.cluster(context.settings),
        )
    with Catalogue.open(layout, engine=engine) as catalogue:
        counted = catalogue.select("SELECT count(*) AS recordings, count(listens) AS known FROM popularity")[0]
    popularity = generation.popularity
    assert popularity is not None
    value = {
        "generation": generation.number, "changed": changed, "recordings": counted["recordings"],
        "ranked": counted["known"], "unknown": counted["recordings"] - counted["known"],
        "licences": list(popularity.licences), "synthetic": popularity.synthetic,
    }  # fmt: skip
    note = " (made-up listens are among them)" if popularity.synthetic else ""
    ranked = f"{counted['known']:,} of {counted['recordings']:,} recordings"
    licences = ", ".join(popularity.licences)
    context.result(value, [f"generation {generation.number}: {ranked} have known listens under {licences}{note}"])
    return ExitCode.DONE
