"""What ``show``, ``sql`` and ``export`` read, from the words of the command line."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fonoteca.cli.context import Context
from fonoteca.cli.policy import publication_policy
from fonoteca.core.layout import ArchiveLayout

if TYPE_CHECKING:
    from fonoteca.rights.joined import Joined


def edition_argument(parser: argparse.ArgumentParser) -> None:
    """The flag that chooses an edition instead of the generation that counts."""
    parser.add_argument("--edition", metavar="N", type=int, help="read this edition's snapshot")


@contextlib.contextmanager
def reading(context: Context, edition: int | None) -> Iterator[Joined]:
    """What the command reads: in a mirror, or with a number, an edition; else the archive as it is now.

    Raises:
        NoArchive: no archive, no catalogue or no such edition.
    """
    from fonoteca.catalogue.engine import Engine
    from fonoteca.rights.joined import open_joined

    layout = context.archive_or_mirror()
    place = layout if isinstance(layout, ArchiveLayout) else layout.publication
    with open_joined(place, publication_policy(context), edition, Engine.of(context.settings)) as joined:
        yield joined
