"""``fonoteca index``: builds the search index of what ``search`` or the site would read."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from fonoteca.cli.context import Context
from fonoteca.cli.words import counted
from fonoteca.core.errors import ExitCode
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.progress import Progress

if TYPE_CHECKING:
    import pyarrow as pa

    from fonoteca.catalogue.query import Catalogue
    from fonoteca.rights.joined import Joined
    from fonoteca.search.inputs import Inputs
    from fonoteca.search.searcher import Searcher

HELP = "build the search index of the current snapshot"
EXAMPLES = ("fonoteca index", "fonoteca --archive my-mirror index --edition 3")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of ``index``."""
    from fonoteca.cli.joined import edition_argument

    edition_argument(parser)


def run(context: Context, args: argparse.Namespace) -> ExitCode:
    """Build it, unless it is there."""
    start = context.clock.monotonic()
    told, built, searcher = open_index(context, args.edition, context.progress)
    seconds = round(context.clock.monotonic() - start, 3)
    done = "was built" if built else "is up to date"
    context.summary(
        {"what": told, "recordings": searcher.recordings, "built": built, "seconds": seconds},
        [f"the search index of {told} {done}: {counted(searcher.recordings, 'recording')}"],
    )
    return ExitCode.DONE


def open_index(context: Context, edition: int | None, progress: Progress) -> tuple[str, bool, Searcher]:
    """What is searched, whether its index had to be built, and the searcher.

    In a mirror, or with a number, an edition; in an archive the generation that counts, with what is held and cleared.

    Raises:
        NoArchive: no archive, no catalogue, or no such edition.
        NoSpace: ``over-budget``: the budget of the mirror has no room for an index.
    """
    from fonoteca.search import inputs

    layout = context.archive_or_mirror()
    if edition is None and isinstance(layout, ArchiveLayout):
        return _generation(context, layout, progress)
    publication = layout.publication
    number = inputs.edition_number(publication, edition)
    digest = inputs.edition_digest(publication, number)
    return _opened(context, digest, f"edition {number}", lambda: inputs.edition_inputs(publication, number), progress)


def _opened(
    context: Context, digest: str, what: str, make: Callable[[], Inputs], progress: Progress
) -> tuple[str, bool, Searcher]:
    from fonoteca.cli.room import index_room
    from fonoteca.search import searcher

    built = []

    def made() -> Inputs:
        built.append(what)
        if not context.quiet:
            context.env.stderr.write(f"building the search index of {what}\n")
        return make()

    search = context.archive_or_mirror().search
    found = searcher.opened(search, digest, made, context.clock.monotonic, progress, index_room(context))
    return what, bool(built), found


def _generation(context: Context, layout: ArchiveLayout, progress: Progress) -> tuple[str, bool, Searcher]:
    from fonoteca.catalogue.places import Places
    from fonoteca.cli.joined import reading
    from fonoteca.search.inputs import TABLES, Inputs, digest_of

    with reading(context, None) as joined:
        catalogue = joined.catalogue
        manifest = Places.of(layout).generation(catalogue.number).read_bytes()
        playable = _playable(joined)
        pairs = zip(*(column.to_pylist() for column in playable.columns), strict=True)
        digest = digest_of("generation", manifest, repr(sorted(pairs, key=str)))
        what = f"generation {catalogue.number}"

        def make() -> Inputs:
            tables = {name: catalogue.table(name) for name in TABLES}
            return Inputs(what, digest, tables, playable, _licences(catalogue))

        return _opened(context, digest, what, make, progress)


def _playable(joined: Joined) -> pa.Table:
    """What is held and cleared, with its licences."""
    import pyarrow as pa

    from fonoteca.search.inputs import PLAYABLE

    rows = [
        {"recording_id": v.recording, "licence": v.licences[0].id if v.licences else None}
        for v in joined.verdicts if v.cleared
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=PLAYABLE)


def _licences(catalogue: Catalogue) -> pa.Table:
    """The licences that are claimed, by id where they are known."""
    import pyarrow as pa

    from fonoteca.rights.licence import read
    from fonoteca.search.inputs import PLAYABLE

    pairs = catalogue.claimed_licences()
    known: dict[tuple[str, str], str | None] = {}
    names = []
    for pair in zip(pairs["licence"].to_pylist(), pairs["url"].to_pylist(), strict=True):
        if pair not in known:
            licence = read(*pair).licence
            known[pair] = licence.id if licence else None
        names.append(known[pair])
    return pa.table([pairs["recording_id"], pa.array(names, pa.string())], schema=PLAYABLE)
