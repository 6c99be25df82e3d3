"""``discogs``: the monthly dumps of Discogs (artists, labels, masters, releases; CC0), any of the four.

A track has no id of its own: its key is the release's id and the position as written, ``249504:B2``. That survives
when a heading or another track is put in, which a running number would not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from fonoteca.sources.bulk import Bulk
from fonoteca.sources.discogs_readers import READERS, Reader, key_conflict, no_number, number_of
from fonoteca.sources.discogs_shapes import SHAPES
from fonoteca.sources.documents import Document, DocumentSource, recognise
from fonoteca.sources.records import Dump, Duplicate, FieldLicence, Record, Refused, SourceInfo
from fonoteca.sources.seen_numbers import SeenNumbers
from fonoteca.sources.xmlrecords import Fragment, records, root_of, why_not

LICENCE = "CC0-1.0"
INFO = SourceInfo(
    name="discogs",
    kind="catalogue",
    title="Discogs (monthly dumps of releases, masters, artists and labels)",
    licences=(FieldLicence("*", LICENCE, "Discogs"),),
    where="data.discogs.com, once a month",
    size="11.7 GB packed, September 2026; about 18 million releases with 161 million tracks",
    files="artists, labels, masters and releases as XML, gzipped or not, any of them, whatever their names",
)


class Discogs(DocumentSource):
    """Releases with their tracks as recordings; masters as releases of the kind ``master``; artists."""

    @property
    def info(self) -> SourceInfo:
        """CC0 1.0."""
        return INFO

    def documents(self, dump: Dump) -> list[Document]:
        """Those that are of this source. Raises Usage for files that are none of the four dumps."""
        return _files(dump)

    def warnings(self, dump: Dump) -> Sequence[str]:
        """Dumps that are not here, and what that means; labels, which have no table."""
        kinds = {document.kind for document in _files(dump)}
        return [sentence for kind, sentence in _LACKING.items() if kind not in kinds] + (
            ["labels: only looked through for damage; names of labels stand on the releases"]
            if "labels" in kinds else []
        )  # fmt: skip

    def records(self, dump: Dump) -> Iterator[Record]:
        """Artists, labels, masters, then releases, each with its tracks."""
        seen = {kind: SeenNumbers() for kind in SHAPES}
        for document in _files(dump):
            reader = READERS[document.kind]
            kind = SHAPES[document.kind].kind
            for found in records(document.path, SHAPES[document.kind]):
                if isinstance(found, Refused):
                    yield found
                else:
                    yield from _numbered(found, kind, seen[document.kind], reader)

    def bulk(self, dump: Dump) -> Bulk | None:
        """By columns: the same rows as :meth:`records`, several times as fast."""
        from fonoteca.sources.discogs_bulk import DiscogsBulk

        return DiscogsBulk(_files(dump))


_LACKING = {
    "artists": "there is no dump of artists: they have the names that the releases credit, and no others",
    "masters": "there is no dump of masters: releases name theirs by number only",
    "releases": "there is no dump of releases: no recordings come",
}


def _files(dump: Dump) -> list[Document]:
    return recognise(dump, "discogs", tuple(SHAPES), _kind_of, why_not=why_not)


def _kind_of(path: Path) -> str | None:
    if not path.exists():
        raise FileNotFoundError(2, "No such file or directory", str(path))
    root = root_of(path)
    name = root[0].decode() if root else ""
    return name if name in SHAPES else None


def _numbered(found: Fragment, kind: str, seen: SeenNumbers, reader: Reader) -> Iterator[Record]:
    """The records of one element, if its number is one and comes for the first time."""
    number = number_of(found)
    if number is None:
        yield no_number(found, kind)
        return
    again = seen.second(number, found.raw)
    if again is None:
        yield from reader(found, str(number))
    elif again:
        yield Duplicate(found.position, str(number), kind)
    else:
        yield key_conflict(found, number, kind)
