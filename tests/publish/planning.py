"""Makes small inputs for planning."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from typing import Any

from fonoteca.formats.pack import file_name
from fonoteca.publish.inputs import Candidate, Inputs, Limits, PublishedPack
from fonoteca.publish.plan import PublicationPlan

LIMITS = Limits(pack_size=40_000, volume_size=200_000, piece_length=16_384)


def candidate(recording: int, *, size: int = 9_000, permit_class: str = "free", **more: Any) -> Candidate:
    """A cleared holding whose blob is named after its recording."""
    blob = more.pop("blob", None) or hashlib.sha256(str(recording).encode()).hexdigest()
    more = {"title": f"Title {recording}", "artist": "Artist", "release": "Release", "extension": "flac"} | more
    return Candidate(recording, blob, size, permit_class, ("CC0-1.0",), **more)


def world(seed: int, count: int) -> tuple[list[Candidate], dict[int, int | None]]:
    """So many holdings with listens, different for each seed."""
    dice = random.Random(seed)
    ids = dice.sample(range(1, 1 << 40), count)
    holdings = [
        candidate(i, size=dice.randrange(1, 15_000), permit_class=dice.choice(["free", "free", "nc"])) for i in ids
    ]
    return holdings, {i: dice.choice([None, 0, dice.randrange(1, 1000)]) for i in ids}


def first(candidates: list[Candidate], listens: dict[int, int | None], limits: Limits = LIMITS) -> Inputs:
    """Inputs of a first edition."""
    return Inputs(1, tuple(candidates), listens, limits)


def after(done: PublicationPlan, candidates: list[Candidate], listens: dict[int, int | None]) -> Inputs:
    """Inputs of the edition that follows one that was carried out."""
    packs = [replace(k.old, volume=k.volume) for k in done.kept]
    packs += [replace(r.old, revision=r.revision, volume=r.volume) for r in done.redacted]
    packs += [
        PublishedPack(
            p.id, 0, p.tier, p.permit_class, done.volume_of(p.id), p.bytes, "0" * 64, "0" * 64, len(p.members)
        )
        for p in done.added
    ]
    return Inputs(done.number + 1, tuple(candidates), listens, LIMITS, tuple(packs), done.located)


def files(done: PublicationPlan) -> dict[str, str]:
    """File name → volume of every pack of the edition."""
    found = {file_name(k.id, k.old.revision): k.volume for k in done.kept}
    return found | {name: v.name for v in done.volumes for _, name, _ in v.files}
