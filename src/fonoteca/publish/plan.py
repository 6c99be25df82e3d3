"""The publication plan: pure. ``publish --plan`` prints the very object that the run executes (rule L8).

Append-only: a pack of the last edition stays where it is, whatever is added. Only an entry that may no longer be
published changes a pack, and then into its redaction, which keeps id, length and all other entries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fonoteca.publish import cut, order, tiers, volumes
from fonoteca.publish.cut import NewPack
from fonoteca.publish.inputs import Candidate, Inputs, Located
from fonoteca.publish.volumes import Kept, Redaction, Volume


@dataclass(frozen=True)
class PublicationPlan:
    """What an edition does.

    Attributes:
        number: of the edition.
        kept, added, redacted: packs of the edition.
        volumes: those that the edition brings; the volumes of other kept packs stay.
        superseded: names of volumes that a re-issued one replaces.
        located: the whole locator, sorted.
        lost: entries of the last edition that are blanked.
        coverage: share of all known listens, 0 to 1, by pack id.
        withheld: recordings with a holding that may not be published.
        tables: tables of the snapshot, each with a torrent of its own.
    """

    number: int
    kept: tuple[Kept, ...]
    added: tuple[NewPack, ...]
    redacted: tuple[Redaction, ...]
    volumes: tuple[Volume, ...]
    located: tuple[Located, ...]
    lost: tuple[Located, ...]
    coverage: Mapping[str, float]
    withheld: int
    tables: int = 0

    @property
    def superseded(self) -> tuple[str, ...]:
        """Volumes that go."""
        return tuple(v.replaces for v in self.volumes if v.replaces)

    def volume_of(self, pack_id: str) -> str:
        """The volume in which this edition has a pack. Raises KeyError."""
        return self._volumes()[pack_id]

    def _volumes(self) -> dict[str, str]:
        found = {k.id: k.volume for k in self.kept}
        return found | {pack_id: v.name for v in self.volumes for pack_id, _, _ in v.files}

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes: of audio, of all else in the packs (headers, blanked entries, filling), and of new packs."""
        audio = sum({(row.pack, row.offset): row.bytes for row in self.located}.values())
        whole = sum(k.old.bytes for k in self.kept) + sum(r.old.bytes for r in self.redacted)
        new = sum(pack.bytes for pack in self.added)
        return {"audio": audio, "padding": whole + new - audio, "new": new}

    def counts(self) -> dict[str, Any]:
        """The fields that plan and summary share (CLI contract)."""
        standing = {k.volume for k in self.kept} | {v.name for v in self.volumes}
        return {
            "edition": self.number,
            "recordings": len({row.recording for row in self.located}),
            "withheld": self.withheld,
            "packs": {"kept": len(self.kept), "added": len(self.added) + len(self.redacted),
                      "superseded": len(self.redacted)},
            "bytes": self.sizes,
            "torrents": len(standing) + self.tables,
        }  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """What ``--plan`` prints."""
        where = self._volumes()
        return self.counts() | {
            "changed": True,
            "add": [{"pack": p.id, "tier": p.tier, "class": p.permit_class, "volume": where[p.id], "bytes": p.bytes,
                     "audio": p.audio, "recordings": len(p.members), "coverage": self.coverage.get(p.id, 0.0)}
                    for p in self.added],
            "redact": [{"pack": r.id, "revision": r.revision, "volume": r.volume, "blobs": list(r.blobs)}
                       for r in self.redacted],
            "volumes": [{"name": v.name, "tier": v.tier, "class": v.permit_class, "bytes": v.bytes,
                         "packs": [pack_id for pack_id, _, _ in v.files], "replaces": v.replaces}
                        for v in self.volumes],
        }  # fmt: skip


def plan(inputs: Inputs) -> PublicationPlan:
    """The next edition: what stays, what is blanked, what is new and where it goes."""
    surviving, lost = _survey(inputs)
    chosen = order.best(inputs.candidates)
    placed = {row.blob for row in surviving}
    bands = tiers.cut(inputs.listens)
    new = _one_per_blob(c for c in chosen.values() if c.blob not in placed)
    added = cut.packs(new, inputs.listens, bands, inputs.limits, {p.id for p in inputs.packs})
    names = volumes.Names(inputs.number)
    kept, redacted, reissued = volumes.reissue(inputs.packs, _by_pack(lost), names)
    located = _with_aliases([*surviving, *_rows(added)], chosen)
    return PublicationPlan(
        inputs.number, tuple(kept), tuple(added), tuple(redacted),
        (*reissued, *volumes.fresh(added, inputs.limits, names)), tuple(located), tuple(lost),
        coverage(located, inputs.listens), inputs.withheld, inputs.tables,
    )  # fmt: skip


def _survey(inputs: Inputs) -> tuple[list[Located], list[Located]]:
    """Entries of the last edition that stay, and those that must be blanked."""
    cleared = {(c.recording, c.blob): c for c in inputs.candidates}
    classes = {p.id: p.permit_class for p in inputs.packs}
    surviving, lost = [], []
    for row in inputs.located:
        candidate = cleared.get((row.recording, row.blob))
        if candidate is None or (classes[row.pack] == "free" and candidate.permit_class != "free"):
            lost.append(row)
        else:
            surviving.append(replace(row, licence=candidate.licence))
    gone = {row.blob for row in lost}
    lost += [row for row in surviving if row.blob in gone]
    return [row for row in surviving if row.blob not in gone], lost


def _one_per_blob(candidates: Iterable[Candidate]) -> list[Candidate]:
    """No byte is published twice: where recordings share a blob, the lowest id has it, the others point to it."""
    found: dict[str, Candidate] = {}
    for candidate in candidates:
        found.setdefault(candidate.blob, candidate)
    return list(found.values())


def _by_pack(lost: Collection[Located]) -> dict[str, tuple[str, ...]]:
    packs = {row.pack for row in lost}
    return {pack: tuple(sorted({row.blob for row in lost if row.pack == pack})) for pack in packs}


def _rows(added: Iterable[NewPack]) -> list[Located]:
    return [
        Located(member.recording, member.blob, new.id, place.data_offset, member.bytes, place.entry.path, member.mime,
                member.codec, member.bit_rate, new.tier, member.recipe, member.licence)
        for new in added
        for member, place in zip(new.members, new.layout.places, strict=True)
    ]  # fmt: skip


def _with_aliases(rows: list[Located], chosen: Mapping[int, Candidate]) -> list[Located]:
    """The locator: every chosen recording has a row, also where its bytes stand under another recording's name."""
    places = {row.blob: row for row in reversed(rows)}
    have = {(row.recording, row.blob) for row in rows}
    aliases = [
        replace(places[c.blob], recording=c.recording, licence=c.licence)
        for c in chosen.values()
        if (c.recording, c.blob) not in have
    ]
    return sorted([*rows, *aliases], key=lambda row: (row.recording, row.blob))


def coverage(rows: Iterable[Located], listens: Mapping[int, int | None]) -> dict[str, float]:
    """Share of all known listens that the recordings of each pack stand for."""
    total = sum(count or 0 for count in listens.values())
    recordings: dict[str, set[int]] = {}
    for row in rows:
        recordings.setdefault(row.pack, set()).add(row.recording)
    return {pack: sum(listens.get(r) or 0 for r in ids) / total if total else 0.0 for pack, ids in recordings.items()}
