"""Reading a torrent, strictly: a file that is not right in every part is refused with a code.

The torrent's parts are read by ``metainfo_v1`` and ``metainfo_v2``; here both halves are held against each other.
Source of the rules: BEP 3, 12, 19, 47, 52. Nothing is taken from :mod:`metainfo_make`, so that a slip in the one
cannot hide in the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from fonoteca.formats import metainfo_v1, metainfo_v2
from fonoteca.formats.metainfo_fields import Limits, check_names, decoded, field, text
from fonoteca.formats.metainfo_values import FileEntry, Metainfo, MetainfoError

DEFAULT = Limits()


def parse(data: bytes, limits: Limits = DEFAULT) -> Metainfo:
    """A hybrid torrent from its file.

    Raises:
        MetainfoError: with code and reason, for whatever input.
    """
    top = decoded(data, limits)
    info = field(top, b"info", dict)
    trackers, web_seeds = _trackers(top, limits), _web_seeds(top, limits)
    name = text(field(info, b"name", bytes))
    piece_length = _piece_length(info, limits)
    first = metainfo_v1.read(info, name, piece_length, limits) if metainfo_v1.KEYS & info.keys() else None
    second = metainfo_v2.read(top, info, piece_length, limits) if metainfo_v2.KEYS & info.keys() else None
    half = first or second  # where both are there, they must agree below
    check_names(name, [item.path for item in half.files] if half else [], limits)
    if first is None or second is None:
        raise MetainfoError("torrent-not-hybrid", f"only the {'v2' if second else 'v1'} half is there")
    files = _joined(first, second, piece_length)
    return Metainfo(name, piece_length, files, first.single_file, trackers, web_seeds, top)


def _piece_length(info: dict[bytes, Any], limits: Limits) -> int:
    value = field(info, b"piece length", int)
    if not 16_384 <= value <= limits.piece_length or value & (value - 1):
        raise MetainfoError("torrent-piece-length", f"{value} is no power of two from 16384 to {limits.piece_length}")
    return value


def _joined(first: metainfo_v1.Half, second: metainfo_v2.Half, piece_length: int) -> tuple[FileEntry, ...]:
    """Both halves as one list of files; they must name the same files, lengths and order."""
    ours = [(item.path, item.length) for item in first.files]
    theirs = [(item.path, item.length) for item in second.files]
    if ours != theirs:
        at = next(
            (i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs))
        )
        raise MetainfoError("torrent-halves", f"v1 and v2 differ from file {at} on")
    return tuple(
        FileEntry(item.path, item.length, item.root, item.layer, first.pieces_of(old, piece_length))
        for old, item in zip(first.files, second.files, strict=True)
    )


def _trackers(top: dict[bytes, Any], limits: Limits) -> tuple[str, ...]:
    found = [top[b"announce"]] if b"announce" in top else []
    for tier in field(top, b"announce-list", list) if b"announce-list" in top else []:
        found += tier if isinstance(tier, list) else [tier]
    return _addresses(found, {"http", "https", "udp"}, limits)


def _web_seeds(top: dict[bytes, Any], limits: Limits) -> tuple[str, ...]:
    found = top.get(b"url-list", [])
    return _addresses(found if isinstance(found, list) else [found], {"http", "https"}, limits)


def _addresses(raw: Sequence[object], schemes: set[str], limits: Limits) -> tuple[str, ...]:
    if len(raw) > limits.addresses:
        raise MetainfoError("torrent-limit", f"{len(raw)} addresses are more than {limits.addresses}")
    return tuple(dict.fromkeys(_address(item, schemes, limits) for item in raw))


def _address(raw: object, schemes: set[str], limits: Limits) -> str:
    address = text(raw)
    try:
        parts = urlsplit(address)
        good = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or len(address) > limits.address or not address.isprintable() or " " in address:
        raise MetainfoError("torrent-address", f"{address[:200]!r} is not an address that a torrent may name")
    return address
