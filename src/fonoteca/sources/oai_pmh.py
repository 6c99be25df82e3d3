"""``oai_pmh``: harvested answers of OAI-PMH repositories (ListRecords, GetRecord) with Dublin Core, a file a page.

Pages come in the order of their names. Of a record that comes more than once the version with the latest datestamp
counts; one that is deleted then does not come at all. Resumption tokens are the harvester's, and are not looked at.
OAI-PMH 2.0; Dublin Core elements 1.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree.ElementTree import Element

from fonoteca.core import canonical
from fonoteca.sources import mapping as mappings
from fonoteca.sources import oai_pmh_fields as fields
from fonoteca.sources.documents import Document, DocumentSource, names, recognise
from fonoteca.sources.oai_pmh_fields import OAI
from fonoteca.sources.records import Dump, Duplicate, FieldLicence, Record, Refused, SourceInfo
from fonoteca.sources.xmlrecords import Fragment, Shape, records, root_of, why_not

INFO = SourceInfo(
    name="oai_pmh",
    kind="catalogue",
    title="OAI-PMH repositories (libraries and archives, Dublin Core)",
    licences=(FieldLicence("*", "as the mapping says", "as the mapping says"),),
    where="the repository's own address, by any harvester that keeps its answers",
    size="what memory for its identifiers allows: about 300 bytes a record",
    files="answers as XML in UTF-8, gzipped or not, a page a file, in the order of their names",
)
_KINDS = ("pages",)
_PREFIX = re.compile(rb"([A-Za-z_][\w.-]*:)?OAI-PMH")


class OaiPmh(DocumentSource):
    """Records as recordings; what they say of rights as claims. Options: ``mapping``, for its licence and credit."""

    @property
    def info(self) -> SourceInfo:
        """The licence is the repository's: a mapping names it."""
        return INFO

    def describe(self, dump: Dump) -> SourceInfo:
        """The mapping's ``licence`` and ``credit``; without one the metadata is not for publication."""
        option = dump.options.get("mapping")
        if option is None:
            return INFO
        given = mappings.parse(mappings.load(Path(option)) if isinstance(option, str | Path) else option)  # type: ignore[arg-type]
        return replace(INFO, licences=(FieldLicence("*", given.licence, given.credit),))

    def documents(self, dump: Dump) -> list[Document]:
        """Those that are of this source. Raises Usage for files that are no answers of OAI-PMH."""
        return _files(dump)

    def records(self, dump: Dump) -> Iterator[Record]:
        """The latest version of each record, where it first stood; others are repeated, or in conflict."""
        latest = _latest(dump)
        given: set[str] = set()
        for found in _fragments(dump):
            if isinstance(found, Refused):
                yield found
                continue
            key = fields.identifier(found.element)
            if not key:
                yield found.refuse("no-key", "the record has no identifier")
            elif not fields.is_deleted(found.element):
                yield from _one(found, key, latest[key], given)


@dataclass(frozen=True)
class _Version:
    """The version that counts: when it was changed, its content, and where it stood first."""

    stamp: str
    deleted: bool
    digest: str
    position: str


def _files(dump: Dump) -> list[Document]:
    return recognise(dump, "oai_pmh", _KINDS, _kind_of, why_not=why_not)


def _kind_of(path: Path) -> str | None:
    if not path.exists():
        raise FileNotFoundError(2, "No such file or directory", str(path))
    root = root_of(path)
    return "pages" if root and _PREFIX.fullmatch(root[0]) else None


def _fragments(dump: Dump) -> Iterator[Fragment | Refused]:
    paths = [document.path for document in _files(dump)]
    shown = names(paths)
    for path in paths:
        yield from records(path, shape_of(path), name=shown[path])


def shape_of(path: Path) -> Shape:
    """How records begin in this page: its root says which prefix, if any, the names of OAI-PMH have."""
    root = root_of(path)
    name = root[0] if root else b"OAI-PMH"
    prefix = name.removesuffix(b"OAI-PMH")
    start = rb"<%srecord(?:\s[^<>]{0,500})?>\s{0,500}<%sheader[\s>]" % (re.escape(prefix), re.escape(prefix))
    return Shape(name, re.compile(start), b"</" + prefix + b"record>", wrapped=True)


def _latest(dump: Dump) -> dict[str, _Version]:
    """By identifier. Of versions with one datestamp the first counts."""
    found: dict[str, _Version] = {}
    for fragment in _fragments(dump):
        if isinstance(fragment, Refused):
            continue
        key = fields.identifier(fragment.element)
        stamp = fields.stamp(fragment.element)
        if key and (key not in found or stamp > found[key].stamp):
            found[key] = _Version(
                stamp, fields.is_deleted(fragment.element), _digest(fragment.element), fragment.position
            )
    return found


def _digest(element: Element) -> str:
    """Of the metadata, however it is laid out."""
    metadata = element.find(f"{OAI}metadata")
    if metadata is None:
        return ""
    told = [
        [e.tag, sorted(map(list, e.attrib.items())), (e.text or "").strip(), (e.tail or "").strip()]
        for e in metadata.iter() if e is not metadata
    ]  # fmt: skip
    return canonical.digest({"metadata": told})


def _one(found: Fragment, key: str, version: _Version, given: set[str]) -> Iterator[Record]:
    if found.position == version.position:
        given.add(key)
        yield fields.recording(found, key)
        return
    same = fields.stamp(found.element) == version.stamp
    if same and not version.deleted and _digest(found.element) != version.digest:
        yield found.refuse("key-conflict", f"{key} has other content than at {version.position}, of the same datestamp")
    else:
        yield Duplicate(found.position, key)
