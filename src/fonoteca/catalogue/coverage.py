"""Coverage: the share of all known listens that what is held, or published, stands for (docs/formats/signal.md).

Nothing here goes recording by recording: the view ``heard_counts`` is a histogram (how many recordings have so many
listens), what is held or published is looked up once, and all else is computed from these few rows. So a replicate of
the bootstrap costs the number of different counts, and the catalogue is never joined with itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from fonoteca.catalogue import operations
from fonoteca.catalogue.bootstrap import SEED, SIDES, Groups, replicates
from fonoteca.catalogue.breakdown import BY, KEYS, NEEDED, Bands, Group, Wanted, breakdown

if TYPE_CHECKING:
    from fonoteca.catalogue.bootstrap import Array

__all__ = ["BY", "KEYS", "NEEDED", "Coverage", "Group", "Relations", "Share", "Threshold", "coverage"]

_MEMBERS = pa.schema([("id", pa.int64())])
_MEMBER = """
    SELECT id, max(held) AS held, max(published) AS published FROM (
        SELECT id, 1 AS held, 0 AS published FROM held_ids UNION ALL
        SELECT id, 0 AS held, 1 AS published FROM published_ids) AS m GROUP BY id"""


class Answer(Protocol):
    """The rows of a query."""

    def table(self) -> pa.Table:
        """All of them."""
        ...


class Relations(Protocol):
    """What answers queries over the views of a catalogue: a :class:`~fonoteca.catalogue.query.Catalogue`, or Spark."""

    @property
    def licences(self) -> Sequence[str]:
        """Of the listens that popularity counts."""
        ...

    @property
    def synthetic(self) -> bool:
        """True where made-up listens are among them."""
        ...

    def give(self, name: str, table: pa.Table) -> None:
        """Name a table of values that queries can join."""
        ...

    def sql(self, query: str) -> Answer:
        """Run one query."""
        ...


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
class Threshold:
    """How many recordings, most heard first, stand for a share of all known listens; ``listens`` of the last one."""

    share: float
    recordings: int
    listens: int


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
    thresholds: tuple[Threshold, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The object of ``fonoteca coverage``."""
        return {
            "listens": {"known": self.known, "held": self.held, "published": self.published},
            "share": {"held": self.share_held.as_json(), "published": self.share_published.as_json()},
            "thresholds": [vars(threshold) for threshold in self.thresholds],
            "by": [vars(group) for group in self.by],
            "unknown": self.unknown,
            "licences": list(self.licences),
            "synthetic": self.synthetic,
        }


def coverage(
    catalogue: Relations,
    held: Collection[int] | pa.Array,
    published: Collection[int] | pa.Array,
    by: str | None = None,
    keys: pa.Table | None = None,
    *,
    bands: Bands = (),
    licences: pa.Table | None = None,
) -> Coverage:
    """How much of what is listened to is held, and published.

    Args:
        catalogue: with the views ``heard`` and ``heard_counts``, and for ``by`` those of :data:`NEEDED`.
        held, published: ids of recordings; ids that the catalogue does not know count for nothing.
        by: one of :data:`BY`, or None.
        keys: columns of :data:`KEYS`, for a ``by`` that the catalogue cannot know itself; empty where None.
        bands: for ``tier``, instead of keys: the tiers by share of listens.
        licences: for ``licence``, besides keys: what the licences that are claimed are called.

    Raises:
        ValueError: ``by`` is none of :data:`BY`.
    """
    if by is not None and by not in BY:
        raise ValueError(f"coverage cannot be broken down by {by!r}, only by {', '.join(BY)}")
    members = _ids(held), _ids(published)
    for name, table in zip(("held_ids", "published_ids"), members, strict=True):
        catalogue.give(name, table)
    whole = _rows(catalogue, "SELECT source, listens, recordings FROM heard_counts")
    part = whole.slice(0, 0)
    if any(table.num_rows for table in members):
        catalogue.give("heard_members", _rows(catalogue, _MEMBERS_HEARD))
        part = _rows(catalogue, operations.histogram("heard_members", "source", "held", "published"))
    known, unknown = _known(whole, part), _unknown(whole, part)
    share_held, share_published = _shares(known, unknown)
    without = int(unknown.recordings.sum())
    wanted = Wanted(keys, bands, licences, members[0].num_rows > 0)
    return Coverage(
        known=known.heard(),
        held=known.heard(held=True),
        published=known.heard(published=True),
        share_held=share_held,
        share_published=share_published,
        unknown=without,
        by=breakdown(catalogue, by, wanted, known, without) if by else (),
        licences=tuple(catalogue.licences),
        synthetic=catalogue.synthetic,
        thresholds=_thresholds(catalogue, known),
    )


def _ids(found: Collection[int] | pa.Array) -> pa.Table:
    array = found if isinstance(found, pa.Array | pa.ChunkedArray) else pa.array(sorted(set(found)), pa.int64())
    return pa.table([array.cast(pa.int64())], schema=_MEMBERS)


_MEMBERS_HEARD = f"""
    SELECT h.recording_id, h.source, h.year, h.release_id, h.listens, m.held, m.published
    FROM heard AS h JOIN ({_MEMBER}) AS m ON m.id = h.recording_id"""


def _rows(catalogue: Relations, query: str) -> pa.Table:
    """source, listens, recordings; of a part also held and published, 1 or 0."""
    return catalogue.sql(query).table()


def _column(table: pa.Table, name: str) -> Array:
    import numpy as np

    found: Array = table.column(name).to_numpy().astype(np.int64)
    return found


def _known(whole: pa.Table, part: pa.Table) -> Groups:
    """The recordings with known listens, by listens, whatever their source."""
    import numpy as np

    whole, part = (t.filter(t.column("listens").is_valid()) for t in (whole, part))
    listens, place = np.unique(_column(whole, "listens"), return_inverse=True)
    recordings = np.zeros((len(SIDES), len(listens)), np.int64)
    np.add.at(recordings[0], place, _column(whole, "recordings"))
    return _divided(Groups(listens, recordings), part, np.searchsorted(listens, _column(part, "listens")))


def _divided(groups: Groups, part: pa.Table, place: Array) -> Groups:
    """Move what is held or published from the first side to its own."""
    import numpy as np

    if part.num_rows:
        count = _column(part, "recordings")
        np.add.at(groups.recordings, (_column(part, "held") + 2 * _column(part, "published"), place), count)
        np.subtract.at(groups.recordings[0], place, count)
    return groups


def _unknown(whole: pa.Table, part: pa.Table) -> Groups:
    """The others, a group for each source, each recording with the median of its source's known listens."""
    import numpy as np

    unknown, members = (t.filter(t.column("listens").is_null()) for t in (whole, part))
    sources = unknown.column("source").to_pylist()
    recordings = np.zeros((len(SIDES), len(sources)), np.int64)
    recordings[0] = _column(unknown, "recordings")
    medians = np.array([_median(whole, source) for source in sources], np.int64)
    place = np.array([sources.index(source) for source in members.column("source").to_pylist()], np.int64)
    divided = _divided(Groups(medians, recordings), members, place)
    # In a fixed order, whatever order the rows came in.
    order = np.lexsort((*divided.recordings, medians))
    return Groups(medians[order], divided.recordings[:, order])


def _median(whole: pa.Table, source: str | None) -> int:
    """The lower one of the two middle ones; 0 where nothing is known."""
    import numpy as np
    import pyarrow.compute as pc

    of_source = pc.is_null(whole["source"]) if source is None else pc.equal(whole["source"], source)
    rows = whole.filter(pc.and_(of_source, pc.is_valid(whole["listens"]))).sort_by("listens")
    if not rows.num_rows:
        return 0
    up_to = np.cumsum(_column(rows, "recordings"))
    return int(_column(rows, "listens")[np.searchsorted(up_to, (int(up_to[-1]) + 1) // 2)])


def _shares(known: Groups, unknown: Groups) -> tuple[Share, Share]:
    """The shares held and published."""
    import numpy as np

    generator = np.random.default_rng(SEED)
    sums = replicates(generator, known), replicates(generator, unknown)
    total = known.heard()
    if not total:
        return Share(None, None, None), Share(None, None, None)
    parts = known.heard(held=True), known.heard(published=True)
    held, published = (_interval(part / total, sums, row) for row, part in enumerate(parts, 1))
    return held, published


def _interval(value: float, sums: tuple[Array, Array], row: int) -> Share:
    import numpy as np

    known, unknown = sums
    shares = [_ratio(found[row], found[0]) for found in (known, known + unknown)]
    low = min(float(np.quantile(s, 0.025)) for s in shares)
    high = max(float(np.quantile(s, 0.975)) for s in shares)
    return Share(round(value, 6), round(min(low, value), 6), round(max(high, value), 6))


def _ratio(parts: Array, wholes: Array) -> Array:
    import numpy as np

    ratio: Array = np.divide(parts, wholes, out=np.zeros_like(parts), where=wholes > 0)
    return ratio


def _thresholds(catalogue: Relations, known: Groups) -> tuple[Threshold, ...]:
    catalogue.give("listen_counts", pa.table({"listens": known.listens, "recordings": known.recordings.sum(axis=0)}))
    query = operations.thresholds(f"({operations.ranks_of('listen_counts')})")
    rows = sorted(catalogue.sql(query).table().to_pylist(), key=lambda row: row["permille"])
    return tuple(Threshold(row["permille"] / 1000, row["recordings"], row["listens"]) for row in rows)
