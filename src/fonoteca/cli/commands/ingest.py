"""``fonoteca ingest``: the files of a dump become a new generation of the catalogue."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from fonoteca.cli.context import Context
from fonoteca.core.errors import ExitCode, Usage

if TYPE_CHECKING:
    from fonoteca.catalogue.ingest import IngestPlan, IngestResult
    from fonoteca.sources.records import Dump, Source

HELP = "read the files of a dump into a new generation of the catalogue"
EXAMPLES = (
    "fonoteca ingest fma raw_tracks.csv raw_albums.csv",
    "fonoteca ingest table listens.csv --mapping listens.toml --plan",
)

_MAPPED = ("table", "oai_pmh")
"""Sources that take a mapping: for its columns, or for its licence and credit."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The words of ``ingest``."""
    parser.add_argument("source", metavar="SOURCE", help="what the files are: 'fonoteca sources' lists the names")
    parser.add_argument("paths", metavar="PATH", nargs="+", help="the files of one dump, or a folder of them")
    parser.add_argument("--plan", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument("--dataset", metavar="NAME", help="keep this dump beside other dumps of the same source")
    parser.add_argument("--mapping", metavar="FILE", help="what columns mean; for oai_pmh the licence (TOML)")


def run(context: Context, args: argparse.Namespace) -> ExitCode:
    """Plan, and execute unless only the plan was asked for."""
    from fonoteca.catalogue import ingest
    from fonoteca.sources import registry

    layout = context.archive()
    source = registry.find(args.source)
    dump = _dump(context, source, args)
    if args.plan:
        plan = ingest.plan(layout, source, dump, context.settings, context.progress)
        context.plan(plan.as_json(), _plan_lines(plan))
        return ExitCode.DONE
    started = context.clock.monotonic()
    with context.writer():
        plan = ingest.plan(layout, source, dump, context.settings, context.progress)
        context.plan(plan.as_json())
        result = ingest.execute(plan, context.progress)
    seconds = round(context.clock.monotonic() - started, 3)
    context.summary(result.as_json() | {"seconds": seconds}, _result_lines(result))
    return ExitCode.REFUSED_RECORDS if result.refused else ExitCode.DONE


def _dump(context: Context, source: Source, args: argparse.Namespace) -> Dump:
    from fonoteca.sources.mapping import check_dataset, load
    from fonoteca.sources.records import Dump

    paths = [context.path(p) for p in args.paths]
    for path in paths:
        if not path.exists():
            raise Usage("no-dump", "There is nothing to ingest", f"{path} does not exist",
                        "check the path: it is taken against the folder that you are in", str(path))  # fmt: skip
    options: dict[str, Any] = {}
    if args.mapping:
        if source.info.name not in _MAPPED:
            raise Usage("bad-arguments", "The command was not understood",
                        f"--mapping is for {' and '.join(_MAPPED)}, and {source.info.name!r} knows its columns itself",
                        f"leave it out, or read the file as a table: fonoteca ingest table {args.paths[0]} --mapping "
                        f"{args.mapping}", "--mapping")  # fmt: skip
        options["mapping"] = load(context.path(args.mapping))
    check_dataset(args.dataset or "")
    return Dump(paths, dataset=args.dataset or "", options=options)


def _plan_lines(plan: IngestPlan) -> list[str]:
    told = plan.as_json()
    name = f"{told['source']}{'/' + told['dataset'] if told['dataset'] else ''}"
    words = {
        "add": "would be added",
        "replace": f"would replace dump {told['replaces']}",
        "mend": "was read already, but files of the catalogue are missing: they would be written again",
        "nothing": "was read already: nothing to do",
    }
    files = [f"  {f['name']}  {f['bytes']:,} bytes  sha256 {f['sha256']}" for f in told["files"]]
    return [f"{name}: dump {told['dump']} {words[plan.action]} (generation {told['generation']})", *files]


def _result_lines(result: IngestResult) -> list[str]:
    if not result.changed:
        lines = [f"nothing new: dump {result.dump} of {result.source} is in generation {result.generation}"]
    else:
        counted = f"{result.duplicates:,} repeated, {result.refused:,} refused"
        rows = f"{result.records:,} of {result.read:,} rows of {result.source}"
        lines = [f"generation {result.generation}: {rows}, {counted}"]
    if result.quarantine:
        lines.append(f"the refused rows, with reasons, are in {result.quarantine}")
    return lines
