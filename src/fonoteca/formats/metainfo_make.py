"""Making a hybrid torrent without pad files (docs/formats/torrent.md). Source of the rules: BEP 3, 12, 19, 52."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fonoteca.core import merkle
from fonoteca.formats.metainfo_fields import Limits, check_names
from fonoteca.formats.metainfo_values import FileEntry, Metainfo, MetainfoError


def hybrid(
    name: str,
    files: Sequence[FileEntry],
    piece_length: int,
    *,
    web_seeds: Sequence[str] = (),
    trackers: Sequence[str] = (),
    single_file: bool = False,
) -> Metainfo:
    """A torrent that v1 and v2 clients read, from hashes that are already there.

    Args:
        files: in any order. In the multi-file form each is a whole number of pieces, so that no pad file is needed.
        single_file: the one file has the torrent's name, no folder, and any length.

    Raises:
        ValueError: (``MetainfoError`` for names) a file that would need a pad file; hashes that do not fit lengths
            or one another; names that clash or that the file-name rule forbids.
    """
    merkle.check_piece_length(piece_length)
    entries = tuple(_checked(entry, piece_length) for entry in sorted(files, key=lambda entry: entry.sort_key))
    _check_form(name, entries, piece_length, single_file)
    info: dict[bytes, Any] = {
        b"name": name.encode(),
        b"piece length": piece_length,
        b"meta version": 2,
        b"file tree": _file_tree(entries),
        b"pieces": b"".join(piece for entry in entries for piece in entry.sha1_pieces),
    }
    if single_file:
        info[b"length"] = entries[0].length
    else:
        info[b"files"] = [{b"length": e.length, b"path": [part.encode() for part in e.path]} for e in entries]
    layers = {entry.root: b"".join(entry.piece_layer) for entry in entries if entry.piece_layer}
    top = {b"info": info, b"piece layers": layers, **_addresses(trackers, web_seeds)}
    return Metainfo(name, piece_length, entries, single_file, tuple(trackers), tuple(web_seeds), top)


def _checked(entry: FileEntry, piece_length: int) -> FileEntry:
    """The entry with plain lists and no layer where none belongs."""
    count = -(-entry.length // piece_length)
    if entry.length <= 0:
        raise ValueError(f"{entry.path} is empty")
    if len(entry.sha1_pieces) != count or any(len(piece) != 20 for piece in entry.sha1_pieces):
        raise ValueError(f"{entry.path} needs {count} SHA-1 pieces")
    layer = list(entry.piece_layer) if entry.length > piece_length else []
    if layer and len(layer) != count:
        raise ValueError(f"{entry.path} needs a piece layer of {count} hashes")
    if entry.length > piece_length and merkle.root(layer, merkle_level(piece_length)) != entry.root:
        raise ValueError(f"the piece layer of {entry.path} does not lead to its root")
    if len(entry.root) != merkle.HASH:
        raise ValueError(f"{entry.path} has no root")
    return FileEntry(entry.path, entry.length, entry.root, layer, list(entry.sha1_pieces))


def merkle_level(piece_length: int) -> int:
    """The level of the tree on which a node covers one piece; blocks stand on level 0."""
    return (piece_length // merkle.BLOCK).bit_length() - 1


def _check_form(name: str, entries: Sequence[FileEntry], piece_length: int, single_file: bool) -> None:
    check_names(name, [entry.path for entry in entries], Limits())
    if single_file:
        if len(entries) != 1 or entries[0].path != (name,):
            raise ValueError("a single-file torrent has one file, of the torrent's name")
        return
    for entry in entries:
        if entry.length % piece_length:
            raise MetainfoError("torrent-padding", f"{entry.path} is no whole number of pieces: it would be padded")


def _file_tree(entries: Sequence[FileEntry]) -> dict[bytes, Any]:
    tree: dict[bytes, Any] = {}
    for entry in entries:
        folder = tree
        for part in entry.path[:-1]:
            folder = folder.setdefault(part.encode(), {})
        folder[entry.path[-1].encode()] = {b"": {b"length": entry.length, b"pieces root": entry.root}}
    return tree


def _addresses(trackers: Sequence[str], web_seeds: Sequence[str]) -> dict[bytes, Any]:
    """``announce`` for one tracker, a tier for each where there are more (BEP 12); ``url-list`` (BEP 19)."""
    fields: dict[bytes, Any] = {}
    if trackers:
        fields[b"announce"] = trackers[0].encode()
    if len(trackers) > 1:
        fields[b"announce-list"] = [[address.encode()] for address in trackers]
    if web_seeds:
        fields[b"url-list"] = [address.encode() for address in web_seeds]
    return fields
