"""Volumes: the content of one torrent each. New packs fill new ones; a redaction re-issues the one it stands in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fonoteca.formats import pack
from fonoteca.publish.cut import NewPack, fill
from fonoteca.publish.inputs import Limits, PublishedPack


@dataclass(frozen=True)
class Redaction:
    """A published pack that is replaced by its next revision, in which ``blobs`` are blanked."""

    old: PublishedPack
    blobs: tuple[str, ...]
    volume: str

    @property
    def id(self) -> str:
        """The pack's id, which a redaction keeps."""
        return self.old.id

    @property
    def revision(self) -> int:
        """Of the redaction."""
        return self.old.revision + 1


@dataclass(frozen=True)
class Kept:
    """A published pack that stays as it is; ``volume`` differs from the old one's where that is re-issued."""

    old: PublishedPack
    volume: str

    @property
    def id(self) -> str:
        """The pack's id."""
        return self.old.id


@dataclass(frozen=True)
class Volume:
    """A volume that this edition brings. ``files`` are (pack id, file name, bytes), sorted by file name."""

    name: str
    tier: str
    permit_class: str
    files: tuple[tuple[str, str, int], ...]
    replaces: str | None = None

    @property
    def bytes(self) -> int:
        """Of all its packs."""
        return sum(size for _, _, size in self.files)


class Names:
    """Volume names of one edition: ``<tier>-<class>-NNNN-KK``, KK running from 01 in each tier and class."""

    def __init__(self, edition: int) -> None:
        self._edition = edition
        self._given: Counter[tuple[str, str]] = Counter()

    def next(self, tier: str, permit_class: str) -> str:
        """The next name."""
        self._given[tier, permit_class] += 1
        return f"{tier}-{permit_class}-{self._edition:04d}-{self._given[tier, permit_class]:02d}"


def reissue(
    packs: Sequence[PublishedPack], lost: dict[str, tuple[str, ...]], names: Names
) -> tuple[list[Kept], list[Redaction], list[Volume]]:
    """What happens to the packs of the last edition.

    Args:
        packs: all of them.
        lost: pack id → digests of the blobs that must be blanked in it.
        names: gives the names of re-issued volumes.
    """
    hit = sorted({p.volume for p in packs if p.id in lost})
    heads = {p.volume: p for p in packs}
    renamed = {old: names.next(heads[old].tier, heads[old].permit_class) for old in hit}
    kept = [Kept(p, renamed.get(p.volume, p.volume)) for p in packs if p.id not in lost]
    redacted = [Redaction(p, lost[p.id], renamed[p.volume]) for p in packs if p.id in lost]
    volumes = [
        Volume(new, heads[old].tier, heads[old].permit_class, _files(new, kept, redacted), replaces=old)
        for old, new in renamed.items()
    ]
    return kept, redacted, volumes


def _files(name: str, kept: Sequence[Kept], redacted: Sequence[Redaction]) -> tuple[tuple[str, str, int], ...]:
    files = [(k.id, pack.file_name(k.id, k.old.revision), k.old.bytes) for k in kept if k.volume == name]
    files += [(r.id, pack.file_name(r.id, r.revision), r.old.bytes) for r in redacted if r.volume == name]
    return tuple(sorted(files, key=lambda f: f[1]))


def fresh(packs: Sequence[NewPack], limits: Limits, names: Names) -> list[Volume]:
    """Volumes of new packs. The packs come by tier and class, and stay in that order."""
    found: list[Volume] = []
    kinds = list(dict.fromkeys((p.tier, p.permit_class) for p in packs))
    for tier, permit_class in kinds:
        group = [p for p in packs if (p.tier, p.permit_class) == (tier, permit_class)]
        for portion in fill(group, lambda p: p.bytes, limits.volume_bytes):
            files = sorted(((p.id, pack.file_name(p.id, 0), p.bytes) for p in portion), key=lambda f: f[1])
            found.append(Volume(names.next(tier, permit_class), tier, permit_class, tuple(files)))
    return found
