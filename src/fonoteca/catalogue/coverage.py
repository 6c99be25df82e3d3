"""Coverage: the share of all known listens that what is held, or published, stands for (docs/formats/signal.md).

The interval is a bootstrap over recordings with a fixed seed, 95 %, made wider by the recordings whose listens
nobody knows: their lower end gives them none, their upper end the median of their source. Recordings are grouped
by (listens, held), so that a replicate costs the number of different counts, not the number of recordings.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from fonoteca.catalogue.query import Catalogue

if TYPE_CHECKING:
    import numpy as np

    _Array = np.ndarray[Any, Any]

SEED = 20_240_229
REPLICATES = 400
_AT_ONCE = 4_096
BY = ("tier", "country", "decade", "genre", "licence")
"""What coverage can be broken down by; ``tier`` and ``licence`` need keys from the caller."""

KEYS = pa.schema([("recording_id", pa.int64()), ("key", pa.string())])
"""Recording → key, for a breakdown; a recording may have several keys."""
_MEMBERS = pa.schema([("id", pa.int64())])


@dataclass(frozen=True)
class Share:
    """A share from 0 to 1 and its interval; None where no listens are known."""

    value: float | None
    low: float | None
    high: float | None

    def as_json(self) -> dict[str, float | None]:
        """The three numbers."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Group:
    """One key of a breakdown: its recordings, how many of them are held, and the share of its listens held."""

    key: str
    recordings: int
    held: int
    share: float | None


@dataclass(frozen=True)
class Coverage:
    """Listens and shares over all recordings."""

    known: int
    held: int
    published: int
    share_held: Share
    share_published: Share
    unknown: int
    by: tuple[Group, ...]
    licences: tuple[str, ...]
    synthetic: bool

    def as_json(self) -> dict[str, Any]:
        """The object of ``fonoteca coverage``."""
        return {
            "listens": {"known": self.known, "held": self.held, "published": self.published},
            "share": {"held": self.share_held.as_json(), "published": self.share_published.as_json()},
            "by": [vars(group) for group in self.by],
            "unknown": self.unknown,
            "licences": list(self.licences),
            "synthetic": self.synthetic,
        }


def coverage(
    catalogue: Catalogue,
    held: Collection[int] | pa.Array,
    published: Collection[int] | pa.Array,
    by: str | None = None,
    keys: pa.Table | None = None,
) -> Coverage:
    """How much of what is listened to is held, and published.

    Args:
        catalogue: with popularity.
        held, published: ids of recordings; ids that the catalogue does not know count for nothing.
        by: one of :data:`BY`, or None.
        keys: columns of :data:`KEYS`, for a ``by`` that the catalogue cannot know itself; empty where None.

    Raises:
        ValueError: ``by`` is none of :data:`BY`.
    """
    if by is not None and by not in BY:
        raise ValueError(f"coverage cannot be broken down by {by!r}, only by {', '.join(BY)}")
    groups = _grouped(catalogue, _ids(held), _ids(published))
    known = [g for g in groups if g["listens"] is not None]
    share_held, share_published = _shares(groups)
    return Coverage(
        known=sum(g["listens"] * g["n"] for g in known),
        held=sum(g["listens"] * g["n"] for g in known if g["held"]),
        published=sum(g["listens"] * g["n"] for g in known if g["published"]),
        share_held=share_held,
        share_published=share_published,
        unknown=sum(g["n"] for g in groups if g["listens"] is None),
        by=_breakdown(catalogue, by, keys, _ids(held)) if by else (),
        licences=tuple(catalogue.licences),
        synthetic=catalogue.synthetic,
    )


def _ids(found: Collection[int] | pa.Array) -> pa.Table:
    array = found if isinstance(found, pa.Array | pa.ChunkedArray) else pa.array(sorted(set(found)), pa.int64())
    return pa.table([array.cast(pa.int64())], schema=_MEMBERS)


def _grouped(catalogue: Catalogue, held: pa.Table, published: pa.Table) -> list[dict[str, Any]]:
    """(listens, median of the source, held, published) → n recordings, in a fixed order."""
    query = """
        WITH p AS (SELECT r.id, r.source, p.listens FROM recordings r LEFT JOIN popularity p ON p.recording_id = r.id),
        m AS (SELECT source, coalesce(quantile_disc(listens, 0.5), 0) AS median FROM p GROUP BY source)
        SELECT p.listens, CASE WHEN p.listens IS NULL THEN m.median END AS median,
            p.id IN (SELECT id FROM held_ids) AS held, p.id IN (SELECT id FROM published_ids) AS published,
            count(*) AS n
        FROM p JOIN m ON m.source IS NOT DISTINCT FROM p.source
        GROUP BY ALL ORDER BY ALL"""
    return catalogue.with_values(query, {"held_ids": held, "published_ids": published})


def _shares(groups: list[dict[str, Any]]) -> tuple[Share, Share]:
    """The shares held and published."""
    import numpy as np

    generator = np.random.default_rng(SEED)
    known = _replicates(generator, [g for g in groups if g["listens"] is not None], "listens")
    unknown = _replicates(generator, [g for g in groups if g["listens"] is None], "median")
    total = sum(g["listens"] * g["n"] for g in groups if g["listens"] is not None)
    return _interval(groups, "held", total, known, unknown, 1), _interval(groups, "published", total, known, unknown, 2)


def _interval(groups: list[dict[str, Any]], which: str, total: int, known: _Array, unknown: _Array, row: int) -> Share:
    import numpy as np

    if not total:
        return Share(None, None, None)
    value = sum(g["listens"] * g["n"] for g in groups if g[which] and g["listens"] is not None) / total
    shares = [_ratio(sums[row], sums[0]) for sums in (known, known + unknown)]
    low = min(float(np.quantile(s, 0.025)) for s in shares)
    high = max(float(np.quantile(s, 0.975)) for s in shares)
    return Share(round(value, 6), round(min(low, value), 6), round(max(high, value), 6))


def _replicates(generator: np.random.Generator, groups: list[dict[str, Any]], weight: str) -> _Array:
    """Per replicate the listens of all recordings, of those held, of those published: shape (3, replicates).

    Of n equal recordings, Poisson(n) are drawn. The sums are whole numbers below 2^53, hence exact in any order.
    """
    import numpy as np

    sums: _Array = np.zeros((3, REPLICATES))
    for start in range(0, len(groups), _AT_ONCE):
        part = groups[start : start + _AT_ONCE]
        drawn = generator.poisson(np.array([[g["n"]] for g in part]), (len(part), REPLICATES))
        listens = np.array([float(g[weight]) for g in part])
        weights = np.array([listens, listens * [g["held"] for g in part], listens * [g["published"] for g in part]])
        sums += weights @ drawn
    return sums


def _ratio(parts: _Array, wholes: _Array) -> _Array:
    import numpy as np

    ratio: _Array = np.divide(parts, wholes, out=np.zeros_like(parts), where=wholes > 0)
    return ratio


_COUNTRIES = (
    """SELECT r.id AS recording_id, l.country AS key FROM recordings r JOIN releases l ON l.id = r.release_id"""
)
_DECADES = "SELECT id AS recording_id, (year // 10 * 10)::VARCHAR || 's' AS key FROM recordings"
_GENRES = "SELECT entity_id AS recording_id, genre AS key FROM genres WHERE kind = 'recording'"
_GIVEN = "SELECT recording_id, key FROM given_keys"
_KEYS_OF = {"country": _COUNTRIES, "decade": _DECADES, "genre": _GENRES, "tier": _GIVEN, "licence": _GIVEN}


def _breakdown(catalogue: Catalogue, by: str, keys: pa.Table | None, held: pa.Table) -> tuple[Group, ...]:
    """Most listened to first; recordings without a key stand under ``unknown``."""
    query = f"""
        WITH k AS (SELECT DISTINCT recording_id, key FROM ({_KEYS_OF[by]}) WHERE key IS NOT NULL AND key <> ''),
        p AS (
            SELECT coalesce(k.key, 'unknown') AS key, r.id IN (SELECT id FROM held_ids) AS held, p.listens
            FROM recordings r LEFT JOIN popularity p ON p.recording_id = r.id LEFT JOIN k ON k.recording_id = r.id)
        SELECT key, count(*) AS recordings, count(*) FILTER (held) AS held, coalesce(sum(listens), 0)::BIGINT AS known,
            coalesce(sum(listens) FILTER (held), 0)::BIGINT AS listens
        FROM p GROUP BY key ORDER BY known DESC, key"""
    given = keys if keys is not None else KEYS.empty_table()
    rows = catalogue.with_values(query, {"held_ids": held, "given_keys": given})
    return tuple(
        Group(row["key"], row["recordings"], row["held"],
              round(row["listens"] / row["known"], 6) if row["known"] else None)
        for row in rows
    )  # fmt: skip
