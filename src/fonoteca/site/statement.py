"""The edition page: what is published, by digest, and how to check it without our programs."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from fonoteca.core.layout import PublicationLayout
from fonoteca.site.edition import Edition, Row

_LARGEST_ROOT = 1 << 20


def page(edition: Edition) -> Row:
    """Number, totals, coverage, files with digests, packs by tier and class, what came before."""
    told = edition.manifest
    return {
        "edition": edition.number, "created": told.created, "previous": told.previous, "inputs": told.inputs,
        "sha256": edition.digest, "address": f"/editions/{edition.number:04d}/edition.json",
        "totals": dict(told.totals), "coverage": dict(told.coverage), "synthetic": edition.synthetic,
        "shares": shares(told.coverage), "packs": _packs(edition),
        "files": [ref.as_json() | {"address": f"/editions/{edition.number:04d}/{ref.path}"} for ref in told.files],
        "torrents": len(told.torrents), "editions": edition.publication.edition_numbers(),
        "root": root(edition.publication),
    }  # fmt: skip


def shares(coverage: Any) -> list[Row]:
    """``published`` and ``held`` as value, low and high, where the edition states them."""
    found = coverage.get("share")
    if not isinstance(found, dict):
        return []
    return [
        {"name": name, **{k: share[k] for k in ("value", "low", "high")}}
        for name, share in ((n, found.get(n)) for n in ("published", "held"))
        if isinstance(share, dict) and all(isinstance(share.get(k), int | float) for k in ("value", "low", "high"))
    ]  # fmt: skip


def _packs(edition: Edition) -> list[Row]:
    if "packs" not in edition.kept:
        edition.kept["packs"] = edition.rows(
            "SELECT tier, class, count(*) AS packs, sum(bytes)::BIGINT AS bytes, "
            "sum(recordings)::BIGINT AS recordings, least(sum(coverage), 1) AS coverage, "
            "count(DISTINCT volume) AS volumes FROM packs WHERE state <> 'superseded' "
            "GROUP BY 1, 2 ORDER BY coverage DESC, 1, 2")  # fmt: skip
    packs: list[Row] = edition.kept["packs"]
    return packs


def root(publication: PublicationLayout) -> Row | None:
    """The first root metadata: its digest and the ids of its keys, to compare with what one was told elsewhere."""
    path = publication.metadata / "1.root.json"
    try:
        with path.open("rb") as source:
            data = source.read(_LARGEST_ROOT)
        role = json.loads(data)["signed"]["roles"]["root"]
        keys, threshold = [str(k)[:128] for k in role["keyids"]][:20], int(role["threshold"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return {"address": "/metadata/1.root.json", "sha256": hashlib.sha256(data).hexdigest(), "keys": keys,
            "threshold": threshold}  # fmt: skip
