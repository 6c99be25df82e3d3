"""What the files of a publication are held to: edition.json by its signature, all else by digest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fonoteca.archive import leaves
from fonoteca.archive.measure import Promise, compare
from fonoteca.archive.signed import Target
from fonoteca.core.errors import FonotecaError
from fonoteca.core.findings import Finding, Severity
from fonoteca.core.layout import PublicationLayout
from fonoteca.formats import manifest, metainfo, parquet, tables
from fonoteca.formats.metainfo import FileEntry, MetainfoError

REPAIR = "fonoteca repair --from URL|PATH"
LEAVES_REPAIR = "fonoteca repair"
_WITHDRAWALS = "withdrawals/withdrawals.json"
_UNSIGNED = ("live", "metadata")


@dataclass
class Look:
    """What is known of a publication while it is checked.

    Attributes:
        base: findings name paths below it.
        leaves: folder of the leaves of packs and editions, if any.
        partial: packs and older editions need not all be there (a mirror).
        targets: what the signed metadata promises, by path.
        holds: pack file → blobs inside.
    """

    publication: PublicationLayout
    base: Path
    leaves: Path | None = None
    partial: bool = False
    targets: Mapping[str, Target] = field(default_factory=dict)
    holds: Mapping[str, Sequence[tuple[int, int, str]]] = field(default_factory=dict)
    expected: set[Path] = field(default_factory=set)
    damaged_leaves: list[Finding] = field(default_factory=list)

    def label(self, path: Path) -> str:
        """The path as findings give it."""
        return path.relative_to(self.base).as_posix() if path.is_relative_to(self.base) else str(path)

    def kept(self, name: str, root: str) -> Sequence[bytes] | None:
        """Leaves that are kept for a file, if they are whole; if they are there and not whole, that is a finding."""
        if self.leaves is None:
            return None
        found = leaves.kept(self.leaves, name, root)
        path = self.leaves / name
        if found is None and path.exists():
            self.damaged_leaves.append(Finding("leaves-damaged", self.label(path), detail="not the digests of the "
                                               "blocks of its file", repair=LEAVES_REPAIR))  # fmt: skip
        return found


def publication_promises(look: Look) -> Iterator[Promise | Finding]:
    """Everything that the publication promises, editions first, then torrents, then packs; each file once."""
    last: manifest.Edition | None = None
    for number in _numbers(look):
        found: list[manifest.Edition] = []
        yield from edition_promises(look, look.publication.edition(number), number, found)
        last = found[0] if found else last
    yield from _signed_list(look)
    if last is None:
        return
    torrents = {ref.path: ref for ref in last.torrents}
    for ref in torrents.values():
        yield _of_ref(look, look.publication.root / ref.path, ref, f"torrents/{ref.path}.leaves")
    yield from _packs(look, last)


def _numbers(look: Look) -> list[int]:
    """The editions that are there or that the signed metadata promises. A mirror is promised the newest one only."""
    promised = {int(p.split("/")[1]) for p in look.targets if p.startswith("editions/") and p.endswith("/edition.json")}
    if look.partial and promised:
        promised = {max(promised)}
    return sorted(promised | set(look.publication.edition_numbers()))


def _signed_list(look: Look) -> Iterator[Promise]:
    target = look.targets.get(_WITHDRAWALS)
    if target is not None:
        yield _of_target(look, look.publication.root / _WITHDRAWALS, target)


def _of_target(look: Look, path: Path, target: Target) -> Promise:
    look.expected.add(path)
    return Promise(path, look.label(path), target.length, sha256=target.sha256, repair=REPAIR)


def _of_ref(look: Look, path: Path, ref: manifest.FileRef, name: str, entry: FileEntry | None = None,
            piece_length: int = 0) -> Promise:  # fmt: skip
    look.expected.add(path)
    pieces = entry.piece_layer if entry is not None and entry.root.hex() == ref.merkle_root else ()
    kept = look.kept(name, ref.merkle_root)
    return Promise(path, look.label(path), ref.bytes, ref.merkle_root, ref.sha256, leaves=kept,
                   pieces=pieces, piece_length=piece_length, repair=REPAIR)  # fmt: skip


def edition_promises(
    look: Look, folder: Path, number: int, found: list[manifest.Edition]
) -> Iterator[Promise | Finding]:
    """The files of one edition's folder. The edition goes into ``found`` if its manifest can be trusted."""
    path = folder / "edition.json"
    target = look.targets.get(f"editions/{number:04d}/edition.json")
    if target is not None:
        promise = _of_target(look, path, target)
        yield promise
        if compare(promise):
            return  # nothing that it says can be trusted
    look.expected.add(path)
    try:
        edition = manifest.parse(path.read_bytes())
    except (FonotecaError, OSError) as error:
        if target is None:
            yield Finding("file-differs", look.label(path), repair=REPAIR, detail=str(error))
        return
    found.append(edition)
    for ref in edition.files:
        if look.partial and ref.path.startswith("snapshot") and not (folder / ref.path).exists():
            continue
        entry, piece_length = _single(look, number, ref.path)
        yield _of_ref(look, folder / ref.path, ref, leaves.edition_name(number, ref.path), entry, piece_length)


def _single(look: Look, number: int, path: str) -> tuple[FileEntry | None, int]:
    """The torrent entry of a snapshot's table."""
    name = f"fonoteca-{number:04d}-{path.rpartition('/')[2]}"
    found = _torrent(look.publication.torrents / f"{name}.torrent")
    return (found.files[0], found.piece_length) if found is not None and found.single_file else (None, 0)


def _torrent(path: Path) -> metainfo.Metainfo | None:
    try:
        return metainfo.parse(path.read_bytes())
    except (OSError, MetainfoError, FonotecaError):
        return None


def _packs(look: Look, edition: manifest.Edition) -> Iterator[Promise | Finding]:
    """The packs of an edition, by packs.parquet; where that is damaged, by the torrents."""
    ref = edition.file("packs.parquet")
    path = look.publication.edition(edition.number) / "packs.parquet"
    known = Promise(path, "", ref.bytes, ref.merkle_root, ref.sha256)
    if compare(known):  # the finding is given with the edition's files
        yield from _packs_of_torrents(look, edition)
        return
    torrents: dict[str, metainfo.Metainfo | None] = {}
    for row in parquet.read_table(path, schema=tables.PACKS).to_pylist():
        if row["state"] == "superseded":
            continue
        name = f"{row['id']}.r{row['revision']}.tar"
        volume = torrents.setdefault(row["volume"], _torrent(look.publication.torrents / f"{row['volume']}.torrent"))
        yield _pack(look, row, name, volume)


def _pack(look: Look, row: Mapping[str, object], name: str, volume: metainfo.Metainfo | None) -> Promise:
    path = look.publication.packs / str(row["volume"]) / name
    look.expected.add(path)
    root = str(row["merkle_root"])
    entry = next((e for e in volume.files if e.path == (name,) and e.root.hex() == root), None) if volume else None
    kept = look.kept(f"packs/{name}.leaves", root)
    return Promise(
        path, look.label(path), int(str(row["bytes"])), root, str(row["sha256"]), leaves=kept,
        piece_length=volume.piece_length if volume else 0, pieces=_layer(entry, root), pack=str(row["id"]),
        holds=look.holds.get(f"{row['volume']}/{name}", ()), repair=REPAIR, optional=look.partial,
    )  # fmt: skip


def _layer(entry: FileEntry | None, root: str) -> Sequence[bytes]:
    """The piece layer; a file of one piece has none, and its root stands for it."""
    if entry is None:
        return ()
    return entry.piece_layer or [bytes.fromhex(root)]


def _packs_of_torrents(look: Look, edition: manifest.Edition) -> Iterator[Promise]:
    for ref in edition.torrents:
        found = _torrent(look.publication.root / ref.path)
        if found is None or found.single_file:
            continue
        for entry in found.files:
            row = {"volume": found.name, "bytes": entry.length, "merkle_root": entry.root.hex(), "sha256": "",
                   "id": entry.path[-1].partition(".")[0]}  # fmt: skip
            if (look.publication.packs / found.name).is_dir() or not look.partial:
                yield _pack(look, row, entry.path[-1], found)


def unexpected(look: Look) -> Iterator[Finding]:
    """Files of the publication that nothing names. Call when all promises were made."""
    root = look.publication.root
    for path in sorted(p for p in root.rglob("*") if not p.is_dir() or p.is_symlink()):
        if path in look.expected or path.relative_to(root).parts[0] in _UNSIGNED:
            continue
        yield Finding("unexpected-file", look.label(path), Severity.WARNING, repair="move it away",
                      detail="nothing that is signed names it")  # fmt: skip
