"""``fonoteca verify``: reads everything again and lists all damage."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fonoteca.cli.context import Context
from fonoteca.cli.numbers import at_once
from fonoteca.cli.words import counted
from fonoteca.core.errors import ExitCode, NoArchive, Usage
from fonoteca.core.layout import ARCHIVE_FILE, MIRROR_FILE, ArchiveLayout, MirrorLayout, PublicationLayout
from fonoteca.core.sizes import show_size

if TYPE_CHECKING:
    from fonoteca.archive.verify import Budget, Verify
    from fonoteca.core.findings import Finding

HELP = "read everything again and list all damage: blobs, ledger, packs, editions"
EXAMPLES = ("fonoteca verify --for 2h", "fonoteca verify archive/publication/editions/0001")
_DURATION = re.compile(r"([0-9]{1,9})\s*([smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    parser.add_argument("path", metavar="PATH", nargs="?", help="an archive, mirror, publication or edition folder")
    parser.add_argument("--for", dest="duration", metavar="DURATION",
                        help="stop after so long (90s, 30m, 2h) and go on there next time")  # fmt: skip
    parser.add_argument("--full", action="store_true", help="also check whole-file SHA-256 and BLAKE3")
    parser.add_argument("--workers", type=at_once, default=2, metavar="N", help="threads that read and hash at once")


def run(context: Context, args: argparse.Namespace) -> ExitCode:
    """Check, list, sum up: exit 4 where anything is damaged."""
    from fonoteca.archive.verify import Verify
    from fonoteca.core.findings import Severity

    root = context.path(args.path).absolute() if args.path else context.archive_or_mirror().root
    started = context.clock.monotonic()
    work = Verify(args.full, args.workers, _budget(context, args, root), context.progress)
    findings = 0
    damaged: set[str] = set()
    for finding in _findings(context, work, root):
        findings += 1
        if finding.severity is Severity.DAMAGE:
            damaged.add(finding.path)
        context.progress.item(finding.as_json())
    value = {
        "checked": work.tally.checked, "bytes": work.tally.bytes, "damaged": len(damaged), "findings": findings,
        "left": work.tally.left, "seconds": round(context.clock.monotonic() - started, 3),
    }  # fmt: skip
    context.summary(value, _lines(value))
    return ExitCode.DAMAGE if damaged else ExitCode.DONE


def _findings(context: Context, work: Verify, root: Path) -> Iterator[Finding]:
    """What there is to check, by what kind of folder it is."""
    if (root / ARCHIVE_FILE).is_file():
        from fonoteca.catalogue import check as catalogue

        yield from work.check(ArchiveLayout(root))
        yield from catalogue.check(ArchiveLayout(root), context.progress)
    elif (root / MIRROR_FILE).is_file():
        mirror = MirrorLayout(root)
        yield from work.check_publication(mirror.publication, mirror.leaves, base=root, partial=True)
    elif (root / "edition.json").is_file():
        yield from work.check_edition(root)
    elif (root / "editions").is_dir() or (root / "metadata").is_dir():
        yield from _publication(work, root)
    else:
        raise NoArchive("no-archive", "There is nothing to verify", f"{root} is no archive, mirror, publication or "
                        "edition", "name one, or the archive with --archive DIR", str(root))  # fmt: skip


def _publication(work: Verify, root: Path) -> Iterator[Finding]:
    """A publication on its own; in an archive or mirror its block digests help, in a mirror it may be partial."""
    partial = (root.parent / MIRROR_FILE).is_file()
    leaves = root.parent / "holdings" / "leaves" if (root.parent / ARCHIVE_FILE).is_file() else None
    leaves = MirrorLayout(root.parent).leaves if partial else leaves
    yield from work.check_publication(PublicationLayout(root), leaves, partial=partial)


def _budget(context: Context, args: argparse.Namespace, root: Path) -> Budget | None:
    from fonoteca.archive.verify import Budget

    if args.duration is None:
        return None
    match = _DURATION.fullmatch(args.duration.strip())
    if not match:
        raise Usage("bad-arguments", "The command was not understood", f"{args.duration!r} is not a duration",
                    "write for example 90s, 30m, 2h or 1d", "--for")  # fmt: skip
    if (root / ARCHIVE_FILE).is_file():
        state = ArchiveLayout(root).jobs.parent / "verify.json"
    elif (root / MIRROR_FILE).is_file():
        state = MirrorLayout(root).state / "verify.json"
    else:
        raise Usage("bad-arguments", "The command was not understood", "--for keeps its place in an archive or mirror, "
                    f"and {root} is neither", "leave --for out, or name the archive or mirror", "--for")  # fmt: skip
    return Budget(context.clock, float(int(match[1]) * _SECONDS[match[2]]), state)


def _lines(value: dict[str, float]) -> list[str]:
    read = f"{counted(int(value['checked']), 'file')}, {show_size(int(value['bytes']))} read"
    if value["damaged"]:
        damaged = counted(int(value["damaged"]), "file is", "files are")
        return [f"{read}: {damaged} damaged; each finding above says what mends it"]
    left = f"; {counted(int(value['left']), 'file is', 'files are')} left for the next run" if value["left"] else ""
    return [f"{read}: no damage{left}"]
