"""``fonoteca repair``: mends damaged blocks from copies elsewhere; keeps the damaged originals."""

from __future__ import annotations

import argparse
import contextlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fonoteca.cli.context import Context
from fonoteca.cli.numbers import at_once
from fonoteca.cli.words import counted
from fonoteca.core.errors import ExitCode, NetworkFailed, Usage
from fonoteca.core.layout import ArchiveLayout, MirrorLayout
from fonoteca.core.sizes import show_size

if TYPE_CHECKING:
    from fonoteca.archive.repair import Repair, Tally
    from fonoteca.core.blocks import BlockSource
    from fonoteca.core.fetch import Fetcher

HELP = "mend damaged blocks from a mirror, a publication or another disk, and keep the damaged originals"
EXAMPLES = (
    "fonoteca repair --from https://mirror.example/publication",
    "fonoteca --archive ~/mirror repair --from /media/backup/archive",
)
_MOST_WORKERS = 256
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    parser.add_argument("--from", dest="source", metavar="URL|PATH", action="append", default=[],
                        help="a publication's address, or the folder of a publication, mirror, archive or of the files "
                        "themselves; may be given several times")  # fmt: skip
    parser.add_argument("--workers", type=at_once, default=2, metavar="N", help="threads that look for damage at once")


def run(context: Context, args: argparse.Namespace) -> ExitCode:
    """Find, mend, sum up: exit 0 where all is mended, 4 where damage is left, 14 where the network was the reason."""
    layout = context.archive_or_mirror()
    if not 1 <= args.workers <= _MOST_WORKERS:
        raise Usage("bad-arguments", "The command was not understood", f"{args.workers} is no number of threads",
                    f"write a number from 1 to {_MOST_WORKERS}", "--workers")  # fmt: skip
    with context.writer(), _sources(context, layout, args.source) as sources:
        work = _repair(context, layout, sources, args.workers)
        try:
            for item in work.run():
                context.progress.item(item.as_json())
        finally:
            context.summary(_value(work.tally), _lines(work.tally))
    return _code(work.tally)


def _repair(context: Context, layout: ArchiveLayout | MirrorLayout, sources: list[BlockSource], workers: int) -> Repair:
    from fonoteca.archive.quarantine import Home
    from fonoteca.archive.repair import Repair

    if isinstance(layout, MirrorLayout):
        return Repair(Home.of_mirror(layout), context.clock, sources, context.progress, workers, _room(context, layout))
    from fonoteca.catalogue import check as catalogue

    found = list(catalogue.check(layout, context.progress))
    return Repair(Home.of_archive(layout), context.clock, sources, context.progress, workers, more=found)


def _room(context: Context, layout: MirrorLayout) -> Any:
    """A mirror keeps to its budget while it mends: the copy and the damaged original are both there for good."""
    from fonoteca.mirror.budget import Budget
    from fonoteca.mirror.state import status

    limit = context.settings.number("mirror.disk") or status(layout).get("disk")
    if not isinstance(limit, int):
        return lambda _: None

    def room(amount: int) -> None:
        Budget(layout.root, limit).reserve(amount, folders=8)

    return room


@contextlib.contextmanager
def _sources(context: Context, layout: ArchiveLayout | MirrorLayout, named: list[str]) -> Iterator[list[BlockSource]]:
    """What was named with ``--from``, in its order; in a mirror, without it, the publisher."""
    from fonoteca.core.fetch import Fetcher
    from fonoteca.mirror import publisher

    words = named or ([publisher.load(layout).url] if isinstance(layout, MirrorLayout) else [])
    with Fetcher(context.clock) as fetcher:
        yield [_source(context, word, fetcher) for word in words]


def _source(context: Context, word: str, fetcher: Fetcher) -> BlockSource:
    from fonoteca.core.blocks import FolderSource, WebSource
    from fonoteca.mirror import publisher

    if _ADDRESS.match(word):
        try:
            return WebSource(publisher.check_url(word), fetcher)
        except Usage as error:
            raise Usage("bad-url", "Nothing was repaired", error.why, error.remedy, word) from error
    path = context.path(word)
    if not path.is_dir():
        raise Usage("no-such-path", "Nothing was repaired", f"{path} is no folder",
                    "name a folder that holds good copies, or an http or https address with --from",
                    str(path))  # fmt: skip
    return FolderSource(path)


def _value(tally: Tally) -> dict[str, Any]:
    failure = tally.failure
    return {"checked": tally.checked, "damaged": tally.damaged, "repaired": tally.repaired,
            "unrepaired": tally.unrepaired, "bytes": {"fetched": tally.fetched},
            "network": failure.code if failure else None}  # fmt: skip


def _lines(tally: Tally) -> list[str]:
    if not tally.damaged:
        return [f"{counted(tally.checked, 'file')} read: no damage"]
    moved = f"{show_size(tally.fetched)} fetched"
    lines = [f"{counted(tally.checked, 'file')} read, {tally.damaged:,} damaged, {tally.repaired:,} repaired; {moved}"]
    if tally.unrepaired:
        left = counted(tally.unrepaired, "file is", "files are")
        lines.append(f"{left} still damaged; each line above says why. More copies to ask: "
                     "fonoteca repair --from URL|PATH")  # fmt: skip
    return lines


def _code(tally: Tally) -> ExitCode:
    if not tally.unrepaired:
        return ExitCode.DONE
    return NetworkFailed.exit if tally.failure is not None else ExitCode.DAMAGE
