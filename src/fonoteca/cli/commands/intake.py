"""``fonoteca intake``: audio files → decode check, digests, blobs, holdings, claims."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from fonoteca.cli.context import Context
from fonoteca.cli.words import counted, next_command
from fonoteca.core.errors import ExitCode, Usage
from fonoteca.core.sizes import show_size

if TYPE_CHECKING:
    from fonoteca.archive.claims import Statement
    from fonoteca.archive.intake import IntakePlan, IntakeResult

HELP = "take in audio files: decode each whole, digest, store, and note what is claimed of them"
EXAMPLES = (
    "fonoteca intake ~/Music/open --claims ~/Music/open/claims.csv",
    'fonoteca intake piece.flac --licence CC0-1.0 --evidence "letter of the composer, 2026-05-01"',
)
SETTINGS = {"workers": "intake.workers"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    parser.add_argument("paths", metavar="PATH", nargs="+", help="audio files, or folders of them")
    parser.add_argument("--claims", metavar="CSV", help="table that says of each file who made it and its licence")
    parser.add_argument("--mapping", metavar="FILE", help="TOML file that says which column of CSV is which field")
    parser.add_argument("--licence", metavar="ID", help="the licence of all these files")
    parser.add_argument("--evidence", metavar="TEXT", help="where that licence is stated")
    parser.add_argument("--workers", type=int, metavar="N", help="decoder processes that run at once")
    parser.add_argument("--plan", action="store_true", help="say what would be looked at; change nothing")


def run(context: Context, args: argparse.Namespace) -> ExitCode:
    """Plan, take in, bring the catalogue up to date, sum up."""
    from fonoteca.archive import intake

    context.archive()
    started = context.clock.monotonic()
    if args.plan:
        plan = _plan(context, args)
        context.plan(plan.as_json(), [f"{counted(len(plan.files), 'file')} would be looked at"])
        return ExitCode.DONE
    with context.writer():
        plan = _plan(context, args)
        if context.json:
            context.plan(plan.as_json())
        result = intake.execute(plan, context.progress)
        for sentence in result.unenforced:
            context.progress.warn(f"decoder sandbox: {sentence}")
        generation = _catalogue(context)
    seconds = round(context.clock.monotonic() - started, 3)
    context.summary(result.as_json() | {"generation": generation, "seconds": seconds}, _lines(context, result))
    return ExitCode.REFUSED_RECORDS if result.refused else ExitCode.DONE


def _plan(context: Context, args: argparse.Namespace) -> IntakePlan:
    from fonoteca.archive import intake
    from fonoteca.audio.facts import Limits

    settings = context.settings
    limits = Limits(
        max_bytes=settings.number("intake.max_bytes"),
        decode_seconds=settings.number("intake.decode_seconds"),
        decode_memory_bytes=settings.number("intake.decode_memory"),
    )
    if args.mapping and not args.claims:
        raise Usage("bad-arguments", "The command was not understood", "--mapping needs --claims",
                    "name the table with --claims CSV", "--mapping")  # fmt: skip
    return intake.plan(
        context.archive(), [context.path(p) for p in args.paths],
        claims_file=context.path(args.claims) if args.claims else None,
        mapping=context.path(args.mapping) if args.mapping else None,
        statement=_statement(args), limits=limits, workers=settings.number("intake.workers"),
    )  # fmt: skip


def _statement(args: argparse.Namespace) -> Statement | None:
    """``--licence`` with its ``--evidence``, if the licence is one that the gate knows."""
    from fonoteca.archive.claims import Statement
    from fonoteca.rights.licence import resolve

    if args.licence is None and args.evidence is None:
        return None
    if not args.licence or not args.evidence:
        raise Usage("bad-arguments", "The command was not understood", "--licence and --evidence go together",
                    'write both: --licence CC-BY-4.0 --evidence "where it says so"', "--licence")  # fmt: skip
    if resolve(args.licence) is None:
        raise Usage("no-such-licence", "Nothing was taken in", f"{args.licence!r} is no licence that is known",
                    "write an SPDX id such as CC0-1.0, CC-BY-4.0 or CC-BY-SA-4.0", args.licence)  # fmt: skip
    return Statement(args.licence, args.evidence)


def _catalogue(context: Context) -> int:
    """The catalogue's partition of files taken in, made anew from the ledger. Returns the generation's number."""
    from fonoteca.archive import folder_records
    from fonoteca.archive.holdings import Holdings
    from fonoteca.catalogue.ingest import ingest_records

    layout = context.archive()
    held = Holdings.open(layout).holdings()
    result = ingest_records(
        layout, folder_records.INFO, folder_records.DATASET, folder_records.dump_name(held),
        folder_records.records(held), settings=context.settings, progress=context.progress,
    )  # fmt: skip
    return result.generation


def _lines(context: Context, result: IntakeResult) -> list[str]:
    counts = f"{result.duplicates} held already, {result.refused} refused"
    lines = [f"{result.accepted} of {counted(result.files, 'file')} taken in ({show_size(result.bytes)}), {counts}"]
    if result.refused:
        lines.append("The refused files and their reasons are in the ledger and above.")
    if result.accepted:
        lines.append(f"Next: {next_command(context, 'publish')}")
    return lines
