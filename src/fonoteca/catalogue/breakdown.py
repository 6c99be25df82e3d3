"""Coverage broken down: recordings, how many of them are held, and the share of listens held, for each key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from fonoteca.catalogue.bootstrap import SIDES

if TYPE_CHECKING:
    from fonoteca.catalogue.bootstrap import Groups
    from fonoteca.catalogue.coverage import Relations

BY = ("tier", "country", "decade", "genre", "licence")
"""What coverage can be broken down by; ``tier`` and ``licence`` need what only the caller knows."""
NEEDED: dict[str, tuple[str, ...]] = {
    "country": ("releases",), "genre": ("genres",), "licence": ("facts_claim", "tracks"),
}  # fmt: skip
"""What a breakdown is by → the views that it asks besides ``heard``."""
KEYS = pa.schema([("recording_id", pa.int64()), ("key", pa.string())])
"""Recording → key, for a breakdown; a recording may have several keys."""
LICENCES = pa.schema([("licence", pa.string()), ("url", pa.string()), ("key", pa.string())])
"""A licence as it is claimed → its key."""
Bands = Sequence[tuple[str, int]]
"""Tier → percentage of known listens at which it ends, most heard first; the last ends at 100."""
UNHEARD = "unheard"
UNKNOWN = "unknown"
_ALL = "heard"
_HELD = "(SELECT * FROM heard_members WHERE held = 1)"


@dataclass(frozen=True)
class Group:
    """One key of a breakdown: its recordings, how many of them are held, and the share of its listens held."""

    key: str
    recordings: int
    held: int
    share: float | None


@dataclass(frozen=True)
class Wanted:
    """What the caller knows: keys of recordings, bands of tiers, keys of licences; and whether anything is held."""

    keys: pa.Table | None
    bands: Bands
    licences: pa.Table | None
    held: bool


@dataclass
class _Sums:
    recordings: int = 0
    listens: int = 0
    held: int = 0
    held_listens: int = 0


def breakdown(catalogue: Relations, by: str, wanted: Wanted, known: Groups, unknown: int) -> tuple[Group, ...]:
    """Most listened to first; recordings without a key stand under ``unknown``.

    Args:
        by: one of :data:`BY`.
        wanted: what the caller knows. Relation ``heard_members`` has what is held, where anything is.
        known: the recordings with known listens; borders of tiers are found in them.
        unknown: how many others there are.
    """
    catalogue.give("given_keys", wanted.keys if wanted.keys is not None else KEYS.empty_table())
    catalogue.give("licence_keys", wanted.licences if wanted.licences is not None else LICENCES.empty_table())
    found: dict[str, _Sums] = {}
    if by == "tier" and wanted.bands:
        borders = _borders(known, [percent for _, percent in wanted.bands[:-1]])
        keyed = _tier(catalogue, wanted.bands, borders, known)
        everything = _tier_sums(wanted.bands, borders, known, unknown)
    else:
        keyed = _KEYED[by]
        everything = _sums(catalogue, keyed, _ALL)
    for key, recordings, listens in everything:
        sums = found.setdefault(_shown(by, key), _Sums())
        sums.recordings, sums.listens = sums.recordings + recordings, sums.listens + listens
    for key, recordings, listens in _sums(catalogue, keyed, _HELD) if wanted.held else ():
        sums = found[_shown(by, key)]
        sums.held, sums.held_listens = sums.held + recordings, sums.held_listens + listens
    ordered = sorted(found.items(), key=lambda item: (-item[1].listens, item[0]))
    return tuple(
        Group(key, s.recordings, s.held, round(s.held_listens / s.listens, 6) if s.listens else None)
        for key, s in ordered
    )  # fmt: skip


def _sums(catalogue: Relations, keyed: str, relation: str) -> Iterable[tuple[Any, int, int]]:
    """(key, recordings, listens) of one relation."""
    query = f"""
        SELECT key, count(*) AS recordings, CAST(coalesce(sum(CAST(listens AS HUGEINT)), 0) AS VARCHAR) AS listens
        FROM ({keyed.format(heard=relation)}) AS k GROUP BY key"""
    for row in catalogue.sql(query).table().to_pylist():
        yield row["key"], row["recordings"], int(row["listens"])


def _shown(by: str, key: Any) -> str:
    if key is None or key == "":
        return UNKNOWN
    return f"{key // 10 * 10}s" if by == "decade" else str(key)


_GIVEN = """SELECT k.key, h.listens FROM {{heard}} AS h
    LEFT JOIN (SELECT DISTINCT recording_id, key FROM ({keys}) AS g WHERE key IS NOT NULL AND key <> '') AS k
    ON k.recording_id = h.recording_id"""
_CLAIMED = """
    SELECT recording_id, key FROM given_keys UNION ALL
    SELECT c.entity_id AS recording_id, n.key FROM facts_claim AS c JOIN licence_keys AS n
        ON n.licence IS NOT DISTINCT FROM c.licence AND n.url IS NOT DISTINCT FROM c.url WHERE c.kind = 'recording'
    UNION ALL
    SELECT t.recording_id, n.key FROM tracks AS t JOIN facts_claim AS c ON c.entity_id = t.release_id
        JOIN licence_keys AS n ON n.licence IS NOT DISTINCT FROM c.licence AND n.url IS NOT DISTINCT FROM c.url
        WHERE c.kind = 'release'"""
_GENRES = "SELECT entity_id AS recording_id, genre AS key FROM genres WHERE kind = 'recording'"
_KEYED = {
    "country": """SELECT l.country AS key, h.listens FROM {heard} AS h
        LEFT JOIN releases AS l ON l.id = h.release_id""",
    # Years, few enough to be made decades afterwards.
    "decade": "SELECT year AS key, listens FROM {heard} AS h",
    "genre": _GIVEN.format(keys=_GENRES),
    "tier": _GIVEN.format(keys="SELECT recording_id, key FROM given_keys"),
    "licence": _GIVEN.format(keys=_CLAIMED),
}
"""Query of key and listens of the recordings of the relation ``{heard}``."""


@dataclass(frozen=True)
class _Border:
    """Where a tier ends: above are those with more listens, and the ``first`` ones by id with just as many.

    ``recordings`` and ``heard``: how many are above, and their listens.
    """

    listens: int
    first: int
    recordings: int
    heard: int


def _borders(known: Groups, percents: Sequence[int]) -> list[_Border]:
    """A recording belongs to the band in which it begins: what those before it have is less than the percentage."""
    listens = known.listens.tolist()[::-1]
    recordings = known.recordings.sum(axis=0).tolist()[::-1]
    above = list(accumulate(recordings, initial=0))
    heard = list(accumulate(map(int.__mul__, listens, recordings), initial=0))
    found = []
    for percent in percents:
        border = heard[-1] * percent
        place = next((n for n, end in enumerate(heard[1:]) if end * 100 >= border), None)
        if place is None:
            found.append(_Border(-1, 0, above[-1], heard[-1]))
            continue
        value, missing = listens[place], border - heard[place] * 100
        first = -(-missing // (100 * value)) if value and missing > 0 else 0
        found.append(_Border(value, first, above[place] + first, heard[place] + first * value))
    return found


def _tier(catalogue: Relations, bands: Bands, borders: Sequence[_Border], known: Groups) -> str:
    """Tiers of what is held, by listens; by id too where a border runs through equal counts that some of it has."""
    cases = [f"WHEN listens IS NULL THEN '{UNHEARD}'"]
    for (name, _), at in zip(bands[:-1], borders, strict=True):
        ties = ""
        if at.first and _is_held(known, at.listens):
            ties = f" OR (listens = {at.listens} AND recording_id <= {_nth(catalogue, at.listens, at.first)})"
        cases.append(f"WHEN listens > {at.listens}{ties} THEN '{name}'")
    return f"SELECT CASE {' '.join(cases)} ELSE '{bands[-1][0]}' END AS key, listens FROM {{heard}} AS h"


def _is_held(known: Groups, listens: int) -> bool:
    """Is any recording of so many listens held?"""
    held = [side for side, (is_held, _) in enumerate(SIDES) if is_held]
    return bool(known.recordings[held][:, known.listens == listens].sum())


def _tier_sums(
    bands: Bands, borders: Sequence[_Border], known: Groups, unknown: int
) -> Iterable[tuple[str, int, int]]:  # fmt: skip
    """What a query by :func:`_tier` over all recordings would give, from the histogram."""
    ends = [(at.recordings, at.heard) for at in borders] + [(int(known.recordings.sum()), known.heard())]
    for (name, _), (start, before), (end, heard) in zip(bands, [(0, 0), *ends], ends, strict=False):
        if end > start:
            yield name, end - start, heard - before
    if unknown:
        yield UNHEARD, unknown, 0


def _nth(catalogue: Relations, listens: int, n: int) -> int:
    """The n-th smallest id of the recordings with so many listens."""
    query = f"SELECT recording_id FROM heard WHERE listens = {listens} ORDER BY recording_id LIMIT 1 OFFSET {n - 1}"
    found: int = catalogue.sql(query).table().column("recording_id")[0].as_py()
    return found
