"""All sources by name. Nothing heavy is imported here: reading a dump imports what it needs."""

from __future__ import annotations

import difflib

from fonoteca.core.errors import Usage
from fonoteca.sources.acoustid import AcoustId
from fonoteca.sources.discogs import Discogs
from fonoteca.sources.fma import Fma
from fonoteca.sources.folder import Folder
from fonoteca.sources.freemusi import Freemusi
from fonoteca.sources.internet_archive import InternetArchive
from fonoteca.sources.jamendo import Jamendo
from fonoteca.sources.listenbrainz import ListenBrainz
from fonoteca.sources.musicbrainz import MusicBrainz
from fonoteca.sources.oai_pmh import OaiPmh
from fonoteca.sources.records import Source
from fonoteca.sources.table import Table

_ALL: tuple[Source, ...] = (
    Folder(),
    Table(),
    Fma(),
    Freemusi(),
    Jamendo(),
    MusicBrainz(),
    Discogs(),
    InternetArchive(),
    ListenBrainz(),
    OaiPmh(),
    AcoustId(),
)
SOURCES: dict[str, Source] = {source.info.name: source for source in _ALL}


def find(name: str) -> Source:
    """The source of that name.

    Raises:
        Usage: ``unknown-source``, with the nearest name.
    """
    if name in SOURCES:
        return SOURCES[name]
    near = difflib.get_close_matches(name, SOURCES, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise Usage("unknown-source", "There is no such source", f"{name!r} is not one of {', '.join(SOURCES)}",
                f"{hint}'fonoteca sources' lists them", name)  # fmt: skip
