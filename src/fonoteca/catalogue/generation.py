"""A generation: the manifest that says which files are the catalogue, and the pointer that names it.

``generations/NNNNNN.json`` is canonical JSON without any time in it, so the same dumps give the same bytes.
``CURRENT`` names the generation that counts and its digest; it is replaced by one rename. Readers hold a shared
lock on the manifest that they opened, and the collector leaves what they use. Normative text:
docs/formats/generation.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fonoteca.catalogue.files import FileRef
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.tables import FLAT_FORMAT, FORMAT
from fonoteca.core import canonical, durable
from fonoteca.core.errors import Damaged, Failed


@dataclass(frozen=True)
class DumpFile:
    """One file of a dump: base name, length in bytes, hex SHA-256."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class DumpId:
    """Which bytes were read. ``id`` is made from dataset and files, never from a date or a folder."""

    id: str
    files: tuple[DumpFile, ...] = ()

    @classmethod
    def of(cls, dataset: str, files: tuple[DumpFile, ...]) -> DumpId:
        """The first 16 hex digits of the digest over dataset and files, in their order."""
        told = {"dataset": dataset, "files": [[f.name, f.bytes, f.sha256] for f in files]}
        return cls(canonical.digest(told)[:16], files)


Tables = Mapping[str, list[FileRef]]


@dataclass(frozen=True)
class WideFile:
    """One chunk of a wide table."""

    rows: FileRef
    schemes: tuple[str, ...] | None = None
    """Of the identifiers in it, sorted: where a scheme is not among them, nobody has to look. None: not known."""
    keys: tuple[FileRef, ...] = ()
    """By id and by name, of this chunk alone: until the partition's are joined, and in format 2."""
    empty: tuple[str, ...] = ()
    """Columns that hold nothing in any row, sorted: nobody has to read them. Others may be empty, too."""

    def as_json(self) -> dict[str, Any]:
        """As it stands in the manifest."""
        told: dict[str, Any] = {} if self.schemes is None else {"schemes": list(self.schemes)}
        told |= {"empty": list(self.empty)} if self.empty else {}
        keys = {name: ref.as_json() for name, ref in zip(("ids", "names"), self.keys, strict=False)}
        return {"rows": self.rows.as_json(), **keys, **told}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> WideFile:
        """The reverse."""
        keys = _keys([value[name] for name in ("ids", "names") if name in value])
        schemes = tuple(value["schemes"]) if "schemes" in value else None
        return cls(FileRef.from_json(value["rows"]), schemes, keys, tuple(value.get("empty", ())))


@dataclass(frozen=True)
class KeyFiles:
    """The sorted keys by which rows of one table of a partition are found (docs/formats/keys.md).

    Attributes:
        ids: of a wide table, one for every 64 chunks; of a flat one, one for each file.
        names: by identifier, likewise; empty where the table has none.
        key_schemes: of the keys of its rows that are identifiers themselves, sorted.
    """

    ids: tuple[FileRef, ...]
    names: tuple[FileRef, ...] = ()
    key_schemes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As it stands in the manifest."""
        names = {"names": [ref.as_json() for ref in self.names]} if self.names else {}
        schemes = {"key_schemes": list(self.key_schemes)} if self.key_schemes else {}
        return {"ids": [ref.as_json() for ref in self.ids], **names, **schemes}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> KeyFiles:
        """The reverse."""
        return cls(_keys(value["ids"]), _keys(value.get("names", [])), tuple(value.get("key_schemes", ())))


@dataclass(frozen=True)
class PartitionEntry:
    """One partition of facts: what was read, how, what came out."""

    source: str
    dataset: str
    dump: DumpId
    licence: list[dict[str, str]]
    mapping: str
    reader: str
    counts: dict[str, int]
    quarantine: str | None
    tables: dict[str, list[FileRef]]
    collisions: list[tuple[str, str, int]] = field(default_factory=list)
    wide: dict[str, list[WideFile]] = field(default_factory=dict)
    """Wide table → its chunks, in order; empty where the facts are flat."""
    direct: tuple[str, ...] = ()
    """Flat tables whose rows stand beside the merged tables as they are, because they are too many to copy."""
    tombstones: list[FileRef] = field(default_factory=list)
    """What an earlier dump of the partition described, and this one does not."""
    merged: dict[str, list[FileRef]] = field(default_factory=dict)
    """Merged tables of its flat facts alone; empty where they are merged with those of all others."""
    keys: dict[str, KeyFiles] = field(default_factory=dict)
    """Wide or direct table → its keys."""

    @property
    def name(self) -> tuple[str, str]:
        """Source and dataset."""
        return self.source, self.dataset

    def as_json(self) -> dict[str, Any]:
        """As it stands in the manifest."""
        files = [{"name": f.name, "bytes": f.bytes, "sha256": f.sha256} for f in self.dump.files]
        return {
            "source": self.source, "dataset": self.dataset, "dump": {"id": self.dump.id, "files": files},
            "licence": self.licence, "mapping": self.mapping, "reader": self.reader, "counts": self.counts,
            "quarantine": self.quarantine, "tables": _tables_as_json(self.tables),
            "collisions": [list(c) for c in self.collisions],
            **self._bulk_as_json(),
        }  # fmt: skip

    def _bulk_as_json(self) -> dict[str, Any]:
        """What only some partitions have."""
        wide = {name: [f.as_json() for f in found] for name, found in self.wide.items()}
        buried = {"tombstones": [f.as_json() for f in self.tombstones]} if self.tombstones else {}
        merged = {"merged": _tables_as_json(self.merged)} if self.merged else {}
        direct = {"direct": list(self.direct)} if self.direct else {}
        keys = {"keys": {name: found.as_json() for name, found in self.keys.items()}} if self.keys else {}
        return ({"wide": wide} if wide else {}) | direct | buried | merged | keys

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> PartitionEntry:
        """The reverse."""
        files = tuple(DumpFile(f["name"], f["bytes"], f["sha256"]) for f in value["dump"]["files"])
        return cls(
            value["source"], value["dataset"], DumpId(value["dump"]["id"], files), value["licence"], value["mapping"],
            value["reader"], value["counts"], value["quarantine"], _tables_from_json(value["tables"]),
            [(kind, key, id_) for kind, key, id_ in value["collisions"]],
            {name: [WideFile.from_json(f) for f in found] for name, found in value.get("wide", {}).items()},
            tuple(value.get("direct", ())), _refs(value.get("tombstones", [])),
            _tables_from_json(value.get("merged", {})),
            {name: KeyFiles.from_json(found) for name, found in value.get("keys", {}).items()},
        )  # fmt: skip

    @property
    def has_keys(self) -> bool:
        """True where each row of its wide and direct tables can be found by keys."""
        return all(table in self.keys for table in [*filter(self.wide.get, self.wide), *self.direct])

    def to_merge(self, table: str) -> list[FileRef]:
        """The flat files of a fact table that a merged table repeats."""
        return [] if table in self.direct else self.tables.get(table, [])

    @property
    def is_flat(self) -> bool:
        """True where some of its facts go into merged tables."""
        return any(self.to_merge(table) for table in self.tables)

    def files(self) -> Iterator[FileRef]:
        """Every file that it has."""
        for refs in [*self.tables.values(), *self.merged.values()]:
            yield from refs
        for chunks in self.wide.values():
            for chunk in chunks:
                yield from (chunk.rows, *chunk.keys)
        for found in self.keys.values():
            yield from (*found.ids, *found.names)
        yield from self.tombstones


@dataclass(frozen=True)
class Remap:
    """A key that a collision between partitions gives another id than its partition's facts have."""

    kind: str
    source: str
    dataset: str
    key: str
    was: int
    now: int

    def as_json(self) -> dict[str, Any]:
        """As it stands in the manifest."""
        return dict(vars(self))


@dataclass(frozen=True)
class Heard:
    """The listens of one wide partition.

    Attributes:
        name: source, dataset and dump of the partition, with blanks between.
        by: who gives listens to how many of its recordings; also those who give none, so that nobody looks again.
        files: one beside each chunk, with its rows in its order; empty where its own listens are all there are.
    """

    name: str
    by: tuple[tuple[str, int], ...]
    files: tuple[FileRef, ...]

    def as_json(self) -> dict[str, Any]:
        """As it stands in the manifest."""
        return {"name": self.name, "by": [list(b) for b in self.by], "files": [f.as_json() for f in self.files]}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Heard:
        """The reverse."""
        by = tuple((str(name), int(rows)) for name, rows in value["by"])
        return cls(str(value["name"]), by, tuple(_refs(value["files"])))


@dataclass(frozen=True)
class Popularity:
    """Of which listens the popularity table was made."""

    licences: tuple[str, ...]
    synthetic: bool
    files: list[FileRef]
    ranks: list[FileRef] = field(default_factory=list)
    """Listens → score and rank; empty in a flat catalogue."""
    heard: tuple[Heard, ...] = ()
    """Listens of the wide partitions."""

    def as_json(self) -> dict[str, Any]:
        """As it stands in the manifest."""
        files = [f.as_json() for f in self.files]
        ranks = {"ranks": [f.as_json() for f in self.ranks]} if self.ranks else {}
        heard = {"heard": [h.as_json() for h in self.heard]} if self.heard else {}
        return {"licences": list(self.licences), "synthetic": self.synthetic, "files": files, **ranks, **heard}

    def all_files(self) -> list[FileRef]:
        """Every file that it has."""
        return [*self.files, *self.ranks, *[f for h in self.heard for f in h.files]]

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Popularity:
        """The reverse."""
        files, ranks = _refs(value["files"]), _refs(value.get("ranks", []))
        heard = tuple(Heard.from_json(h) for h in value.get("heard", []))
        return cls(tuple(value["licences"]), bool(value["synthetic"]), files, ranks, heard)


@dataclass(frozen=True)
class Generation:
    """One state of the whole catalogue. Number 0 is the empty catalogue of a new archive: it has no file."""

    number: int
    partitions: tuple[PartitionEntry, ...] = ()
    merged: dict[str, list[FileRef]] = field(default_factory=dict)
    popularity: Popularity | None = None
    remaps: tuple[Remap, ...] = ()
    overlaps: dict[str, list[FileRef]] = field(default_factory=dict)
    """Kind → ids of wide rows that another row or partition describes too: the merged tables have those."""

    @property
    def overlapping(self) -> tuple[str, ...]:
        """The kinds of which any ids overlap, sorted."""
        return tuple(sorted(kind for kind, refs in self.overlaps.items() if any(ref.rows for ref in refs)))

    @property
    def wide(self) -> tuple[PartitionEntry, ...]:
        """The partitions with wide tables."""
        return tuple(p for p in self.partitions if p.wide)

    def partition(self, source: str, dataset: str) -> PartitionEntry | None:
        """The partition of that name."""
        return next((p for p in self.partitions if p.name == (source, dataset)), None)

    def with_partition(self, entry: PartitionEntry) -> Generation:
        """This generation with one partition added or replaced; sorted by name."""
        others = [p for p in self.partitions if p.name != entry.name]
        return replace(self, partitions=tuple(sorted([*others, entry], key=lambda p: p.name)))

    @property
    def is_flat(self) -> bool:
        """True where all facts are in the merged tables, as programs of format 1 expect."""
        return not any(p.wide or p.direct or p.merged for p in self.partitions)

    def _format(self) -> int:
        return FLAT_FORMAT if self.is_flat and not any(p.tombstones for p in self.partitions) else FORMAT

    def facts(self, table: str) -> list[FileRef]:
        """The flat files of one fact table, partition by partition."""
        return [f for p in self.partitions for f in p.tables.get(table, [])]

    def direct(self, table: str) -> list[FileRef]:
        """Of those, the files that no merged table repeats."""
        return [f for p in self.partitions if table in p.direct for f in p.tables.get(table, [])]

    def to_merge(self, table: str) -> list[FileRef]:
        """Of those, the files that the merged tables are made from."""
        return [f for p in self.partitions for f in p.to_merge(table)]

    def own(self, table: str) -> list[FileRef]:
        """The files of one merged table that partitions have for themselves."""
        return [f for p in self.partitions for f in p.merged.get(table, [])]

    def all_merged(self, table: str) -> list[FileRef]:
        """All files of one merged table; of ids that overlap, the partitions' own rows are not to be shown."""
        return [*self.merged.get(table, []), *self.own(table)]

    def chunks(self, table: str) -> list[WideFile]:
        """The chunks of one wide table, partition by partition."""
        return [chunk for p in self.partitions for chunk in p.wide.get(table, [])]

    def files(self) -> Iterator[FileRef]:
        """Every file that it names."""
        for part in self.partitions:
            yield from part.files()
        for refs in [*self.merged.values(), *self.overlaps.values()]:
            yield from refs
        if self.popularity:
            yield from self.popularity.all_files()

    def as_json(self) -> dict[str, Any]:
        """The manifest."""
        return {
            "format": self._format(), "number": self.number,
            "partitions": [p.as_json() for p in self.partitions],
            "merged": _tables_as_json(self.merged), "remaps": [r.as_json() for r in self.remaps],
            "popularity": self.popularity.as_json() if self.popularity else None,
            **({"overlaps": _tables_as_json(self.overlaps)} if self.overlaps else {}),
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Generation:
        """The reverse. Raises KeyError, TypeError or ValueError for what is none."""
        told = value["popularity"]
        popularity = Popularity.from_json(told) if told else None
        return cls(
            int(value["number"]), tuple(PartitionEntry.from_json(p) for p in value["partitions"]),
            _tables_from_json(value["merged"]), popularity, tuple(Remap(**r) for r in value["remaps"]),
            _tables_from_json(value.get("overlaps", {})),
        )  # fmt: skip

    def same_content(self, other: Generation) -> bool:
        """True where both differ in nothing but the number."""
        return replace(self, number=0).as_json() == replace(other, number=0).as_json()


def _tables_as_json(tables: Tables) -> dict[str, Any]:
    return {name: [f.as_json() for f in refs] for name, refs in tables.items()}


def _refs(value: list[dict[str, Any]]) -> list[FileRef]:
    return [FileRef.from_json(f) for f in value]


def _keys(value: list[dict[str, Any]]) -> tuple[FileRef, ...]:
    return tuple(replace(FileRef.from_json(f), kind="keys") for f in value)


def _tables_from_json(value: dict[str, Any]) -> dict[str, list[FileRef]]:
    return {name: _refs(refs) for name, refs in value.items()}


def _damaged(subject: str, why: str) -> Damaged:
    return Damaged(
        "generation-damaged", "The catalogue could not be opened", why,
        "restore the catalogue/ folder from a backup, or delete it and ingest the dumps again", subject,
    )  # fmt: skip


def current_number(places: Places) -> tuple[int, str] | None:
    """Number and manifest digest of the generation that counts; None before the first ingest.

    Raises:
        Damaged: CURRENT is no pointer.
    """
    try:
        told = canonical.decode(places.current.read_bytes())
        return int(told["generation"]), str(told["digest"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(str(places.current), f"CURRENT cannot be read ({error})") from error


def parse(places: Places, number: int, data: bytes) -> Generation:
    """A manifest from its bytes.

    Raises:
        Damaged: it is none.
        Failed: a newer format.
    """
    path = str(places.generation(number))
    try:
        value = canonical.decode(data)
        if value["format"] > FORMAT:
            raise Failed("newer-format", "The catalogue could not be opened",
                         f"it has format {value['format']}, and this version reads up to {FORMAT}",
                         "install a newer fonoteca", path)  # fmt: skip
        return Generation.from_json(value)
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, f"generation {number} cannot be read ({error!r})") from error


def manifests(places: Places) -> list[int]:
    """Numbers of the manifests that are there, ascending."""
    return sorted(int(p.stem) for p in places.generations.glob("*.json") if p.stem.isdigit())


def load(places: Places) -> Generation:
    """The generation that counts; the empty one (number 0) before the first ingest.

    Raises:
        Damaged: the pointer or the manifest is not what it was.
    """
    named = current_number(places)
    if named is None:
        later = [n for n in manifests(places) if n > 1]
        if later:
            # The very first ingest, killed, leaves manifest 1 without a pointer; later ones were pointed to.
            raise _damaged(str(places.current), f"CURRENT is not there, though generation {later[-1]} is")
        return Generation(0)
    number, digest = named
    path = places.generation(number)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise _damaged(str(path), f"CURRENT names generation {number}, which is not there") from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise _damaged(str(path), f"generation {number} is not the one that CURRENT names by digest")
    return parse(places, number, data)


def commit(places: Places, generation: Generation) -> None:
    """Write the manifest, then swap the pointer. All files that it names are on the disk already.

    Raises:
        Damaged: it could not be read again; nothing has changed.
    """
    data = canonical.encode(generation.as_json())
    # What cannot be read must never count: it would take the whole catalogue with it.
    parse(places, generation.number, data)
    durable.write_bytes(places.generation(generation.number), data)
    pointer = {"generation": generation.number, "digest": hashlib.sha256(data).hexdigest()}
    durable.write_bytes(places.current, canonical.encode(pointer))
