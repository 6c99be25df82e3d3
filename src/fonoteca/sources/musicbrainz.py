"""``musicbrainz``: the dumps of MusicBrainz, in any of their forms (:mod:`fonoteca.sources.musicbrainz_forms`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from fonoteca.core.errors import Usage
from fonoteca.sources.bulk import Bulk
from fonoteca.sources.musicbrainz_forms import Form, form
from fonoteca.sources.records import Dump, FieldLicence, Record, Source, SourceInfo

LICENCE = "CC0-1.0"
DERIVED_LICENCE = "CC-BY-NC-SA-3.0"
INFO = SourceInfo(
    name="musicbrainz",
    kind="catalogue",
    title="MusicBrainz (dumps of its database)",
    licences=(FieldLicence("*", LICENCE, "MusicBrainz"),),
    where="data.metabrainz.org/pub/musicbrainz/data: fullexport or json-dumps, twice a week",
    size="7 GB packed, September 2026: 40 million recordings, 5.7 million releases, 3 million artists",
    files="mbdump.tar.bz2 (or another tar) or a folder with its files; mbdump-derived.tar.bz2 with mbdump.tar.bz2 "
    "(genres and ratings, dataset 'derived'); recording, release and artist.tar.xz of the JSON dumps or their lines; "
    "musicbrainz-canonical-dump-*.tar.zst or its CSV files (canonical MBIDs, dataset 'canonical'; its names with "
    "--dataset canonical-data, or canonical_musicbrainz_data.csv alone)",
)
_DERIVED_INFO = replace(INFO, licences=(FieldLicence("*", DERIVED_LICENCE, "MusicBrainz"),))


class MusicBrainz(Source):
    """Recordings, releases and artists, keyed by MBID."""

    @property
    def info(self) -> SourceInfo:
        """CC0 1.0."""
        return INFO

    def describe(self, dump: Dump) -> SourceInfo:
        """CC0, but for genres and ratings: CC BY-NC-SA 3.0."""
        return _DERIVED_INFO if _form(dump).derived else INFO

    def check(self, dump: Dump) -> None:
        """Raises Usage for what is no dump of MusicBrainz."""
        _form(dump)

    def resolve(self, dump: Dump) -> Dump:
        """A folder becomes its files; what is not CC0 gets a dataset of its own."""
        return _form(dump).resolve(dump)

    def warnings(self, dump: Dump) -> Sequence[str]:
        """An unknown schema; tables that are not there."""
        return _form(dump).warnings()

    def bulk(self, dump: Dump) -> Bulk | None:
        """All forms go by columns."""
        return _form(dump).bulk()

    def records(self, dump: Dump) -> Iterator[Record]:
        """The same record by record; tables are held in memory, so this is for small dumps."""
        return _form(dump).records()


def _form(dump: Dump) -> Form:
    for path in dump.paths:
        if not path.exists():
            raise Usage("unreadable-dump", f"{path.name} could not be read", "No such file or directory",
                        "check the path and its permissions", str(path))  # fmt: skip
    found = form(dump)
    if found is None:
        where = ", ".join(str(p) for p in dump.paths) or "no file was named"
        raise Usage("not-a-dump", "There is no dump of MusicBrainz here",
                    f"{where}: neither tables of mbdump nor lines of its JSON dumps are there",
                    "'fonoteca sources musicbrainz' says which files it reads and where they come from",
                    str(dump.paths[0]) if dump.paths else None)  # fmt: skip
    return found
