"""``musicbrainz``: the dumps of MusicBrainz, of which this reads the tables of the database.

What form a dump has is told by its files; each form has modules of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from fonoteca.core.errors import Usage
from fonoteca.sources import musicbrainz_files as table_files
from fonoteca.sources.bulk import Bulk
from fonoteca.sources.records import Dump, FieldLicence, Record, Source, SourceInfo

LICENCE = "CC0-1.0"
DERIVED_LICENCE = "CC-BY-NC-SA-3.0"
DERIVED = "derived"
"""The dataset of what is not CC0: tags and ratings."""
INFO = SourceInfo(
    name="musicbrainz",
    kind="catalogue",
    title="MusicBrainz (dumps of its database)",
    licences=(FieldLicence("*", LICENCE, "MusicBrainz"),),
    where="data.metabrainz.org/pub/musicbrainz/data/fullexport, twice a week",
    size="7 GB packed, September 2026: 40 million recordings, 5.7 million releases, 3 million artists",
    files="mbdump.tar.bz2 (or another tar), or a folder with its files; with mbdump-derived.tar.bz2 besides, tags and "
    "ratings as dataset 'derived'",
)
_DERIVED_INFO = replace(INFO, licences=(FieldLicence("*", DERIVED_LICENCE, "MusicBrainz"),))


class MusicBrainz(Source):
    """Recordings, releases and artists, keyed by MBID."""

    @property
    def info(self) -> SourceInfo:
        """CC0 1.0."""
        return INFO

    def describe(self, dump: Dump) -> SourceInfo:
        """CC0, but for tags and ratings: CC BY-NC-SA 3.0."""
        return _DERIVED_INFO if dump.dataset == DERIVED else INFO

    def check(self, dump: Dump) -> None:
        """Raises Usage for what is no dump of MusicBrainz."""
        _tables(dump)

    def resolve(self, dump: Dump) -> Dump:
        """A folder becomes its files; what is not CC0 gets a dataset of its own."""
        files = _tables(dump)
        paths = [*files.archives, *files.plain, *table_files.beside(dump)]
        return replace(dump, paths=tuple(paths), dataset=dump.dataset or (DERIVED if files.derived else ""))

    def warnings(self, dump: Dump) -> Sequence[str]:
        """An unknown schema; tables that are not there."""
        return list(_tables(dump).warnings())

    def bulk(self, dump: Dump) -> Bulk | None:
        """Tables go by columns."""
        from fonoteca.sources.musicbrainz_bulk import TablesBulk

        return TablesBulk(_tables(dump))

    def records(self, dump: Dump) -> Iterator[Record]:
        """The same, row by row, all tables in memory: for small dumps."""
        from fonoteca.sources.musicbrainz_rows import records

        return records(_tables(dump))


def _tables(dump: Dump) -> table_files.Files:
    for path in dump.paths:
        if not path.exists():
            raise Usage("unreadable-dump", f"{path.name} could not be read", "No such file or directory",
                        "check the path and its permissions", str(path))  # fmt: skip
    files = table_files.find(dump)
    if files is None:
        where = ", ".join(str(p) for p in dump.paths) or "no file was named"
        raise Usage("not-a-dump", "There is no dump of MusicBrainz here", f"{where}: no tables of mbdump are there",
                    "'fonoteca sources musicbrainz' says which files it reads and where they come from",
                    str(dump.paths[0]) if dump.paths else None)  # fmt: skip
    return files
