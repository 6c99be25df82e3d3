"""``torrents.json``: the torrents of an edition, metadata first, then audio by popularity.

Normative text: docs/formats/torrents-json.md. Fields that this version does not know survive reading and writing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fonoteca.core import canonical
from fonoteca.core.errors import Damaged, Failed
from fonoteca.formats.manifest import check_count, check_path

FORMAT = 1
MAX_BYTES = 64 << 20
MAX_TORRENTS = 100_000
_V1 = re.compile(r"[0-9a-f]{40}")
_V2 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class TorrentInfo:
    """One torrent.

    Attributes:
        name: the torrent's name: of a volume, or of a single file.
        path: the torrent file, relative to the publication's root.
        content: the folder or file that the torrent's content is, relative to the publication's root.
        kind: ``snapshot`` (one table) or ``volume`` (packs).
        infohash_v1, infohash_v2: hex.
        bytes: of the content, without any padding files (there are none).
        files: number of files.
        tier, permit_class: of a volume (``class`` in JSON); a table has tier ``metadata``.
        packs: ids of a volume's packs, in the order of their files.
        coverage: share of all known listens, 0 to 1.
        licences: licence ids of the content.
        added: number of the edition that brought it.
        superseded_by: name of the torrent that replaces it, or None for a current one.
        web_seeds, trackers: addresses.
        v1_path: the file of the torrent's v1-only twin (:mod:`fonoteca.formats.metainfo_twin`), relative to the
            publication's root; None in an edition that was made before there were any.
        v1_infohash, v1_magnet: the twin's; None where there is none.
    """

    name: str
    path: str
    content: str
    kind: str
    infohash_v1: str
    infohash_v2: str
    magnet: str
    bytes: int
    files: int
    tier: str
    permit_class: str
    packs: tuple[str, ...] = ()
    coverage: float = 0.0
    licences: tuple[str, ...] = ()
    added: int = 1
    superseded_by: str | None = None
    web_seeds: tuple[str, ...] = ()
    trackers: tuple[str, ...] = ()
    v1_path: str | None = None
    v1_infohash: str | None = None
    v1_magnet: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def current(self) -> bool:
        """True unless another torrent replaces it."""
        return self.superseded_by is None

    def as_json(self) -> dict[str, Any]:
        """The fields as ``torrents.json`` names them."""
        value = {name: getattr(self, name) for name in _SAME}
        lists = {name: list(getattr(self, name)) for name in _LISTS}
        twin = {name: getattr(self, name) for name in _TWIN} if self.v1_path is not None else {}
        return dict(self.extra) | value | lists | twin | {"class": self.permit_class}


_TEXTS = ("name", "path", "content", "kind", "infohash_v1", "infohash_v2", "magnet", "tier")
_SAME = (*_TEXTS, "bytes", "files", "added", "superseded_by", "coverage")
_LISTS = ("packs", "licences", "web_seeds", "trackers")
_TWIN = ("v1_path", "v1_infohash", "v1_magnet")
_KNOWN = {*_SAME, *_LISTS, *_TWIN, "class"}


def encode(torrents: Sequence[TorrentInfo], edition: int) -> bytes:
    """Canonical JSON of all torrents, in the order given."""
    return canonical.encode({"format": FORMAT, "edition": edition, "torrents": [t.as_json() for t in torrents]})


def parse(data: bytes) -> list[TorrentInfo]:
    """Read ``torrents.json``.

    Raises:
        Damaged: ``bad-torrents``, with the reason.
        Failed: ``newer-format``: written by a newer version.
    """
    try:
        if len(data) > MAX_BYTES:
            raise ValueError(f"{len(data)} bytes are more than the {MAX_BYTES} that are accepted")
        value = canonical.decode(data)
        if not isinstance(value, dict) or not isinstance(value.get("torrents"), list):
            raise ValueError("it is not an object with a list 'torrents'")
        if check_count(value.get("format"), "format") > FORMAT:
            raise Failed("newer-format", "The list of torrents could not be read",
                         f"torrents.json has format {value['format']}, and this version reads up to {FORMAT}",
                         "install a newer version of fonoteca", "torrents.json")  # fmt: skip
        if len(value["torrents"]) > MAX_TORRENTS:
            raise ValueError(f"it has more than {MAX_TORRENTS} torrents")
        found = [_torrent(item) for item in value["torrents"]]
        if len({t.name.casefold() for t in found}) != len(found):
            raise ValueError("two torrents have one name")
        return found
    except ValueError as error:
        raise Damaged("bad-torrents", "The list of torrents could not be read", f"torrents.json: {error}",
                      "fetch it again from its publisher, or build the edition again",
                      "torrents.json") from error  # fmt: skip


def _torrent(item: object) -> TorrentInfo:
    if not isinstance(item, dict):
        raise ValueError(f"{item!r} is no torrent")
    texts: dict[str, Any] = {name: _text(item.get(name), name) for name in _TEXTS}
    check_path(texts["path"])
    check_path(texts["content"])
    if "/" in check_path(texts["name"]):
        raise ValueError(f"the name {texts['name']!r} is a path")
    if not _V1.fullmatch(texts["infohash_v1"]) or not _V2.fullmatch(texts["infohash_v2"]):
        raise ValueError(f"torrent {texts['name']}: an info-hash is not hex of the right length")
    lists: dict[str, Any] = {name: _texts(item.get(name), name) for name in _LISTS}
    superseded = item.get("superseded_by")
    return TorrentInfo(
        **texts, bytes=check_count(item.get("bytes"), "bytes"), files=check_count(item.get("files"), "files"),
        added=check_count(item.get("added"), "added"), coverage=_share(item.get("coverage")),
        permit_class=_text(item.get("class"), "class"),
        superseded_by=None if superseded is None else _text(superseded, "superseded_by"),
        **lists, **_twin(item), extra={k: v for k, v in item.items() if k not in _KNOWN},
    )  # fmt: skip


def _twin(item: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the twin: all of them, or none."""
    found: dict[str, Any] = {name: _text(item[name], name) for name in _TWIN if name in item}
    if not found:
        return {}
    if len(found) != len(_TWIN) or not _V1.fullmatch(found["v1_infohash"]):
        raise ValueError(f"of {', '.join(_TWIN)} one is missing, or the info-hash is not hex of the right length")
    check_path(found["v1_path"])
    return found


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} {value!r} is not a text")
    return value


def _texts(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{name} {value!r} is not a list of texts")
    return tuple(_text(item, name) for item in value)


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"coverage {value!r} is not a share from 0 to 1")
    return float(value)
