"""Asking the index: exact titles first, then relevance times popularity; typos forgiven when little is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fonoteca.core import durable
from fonoteca.core.errors import Damaged, Usage
from fonoteca.core.progress import SILENT, Progress
from fonoteca.search import index
from fonoteca.search.inputs import Inputs
from fonoteca.search.query import Field, Query, Term, parse

COUNTED = 1000
"""Matches are counted up to here; beyond, ``total`` is this number and ``total_is_exact`` is false."""
MAX_LIMIT = 1000
MAX_OFFSET = 10_000
FEW = 5
"""With fewer hits than this, words that are one or two letters off count too."""
_EXACT, _AS_WRITTEN = 65_536.0, 2_048.0
_BOOSTS = ((Field.TITLE, 3.0), (Field.ARTIST, 2.0), (Field.RELEASE, 1.0))
_STARTED = 0.2
_MIN_PREFIX = 2


@dataclass(frozen=True)
class Hit:
    """One recording, as ``search --json`` gives it. ``popularity`` is 0 to 100, or None where unknown."""

    id: str
    title: str | None
    artist: str | None
    release: str | None
    year: int | None
    isrc: str | None
    licence: str | None
    playable: bool
    popularity: float | None
    score: float


@dataclass(frozen=True)
class Hits:
    """A page of hits. ``tolerant`` is true where words that are nearly right were counted too."""

    hits: list[Hit]
    total: int
    total_is_exact: bool
    seconds: float
    tolerant: bool = False

    def as_json(self) -> dict[str, Any]:
        """The contract's object."""
        return {"hits": [asdict(hit) for hit in self.hits], "total": self.total,
                "total_is_exact": self.total_is_exact, "tolerant": self.tolerant,
                "seconds": round(self.seconds, 6)}  # fmt: skip


def check_page(limit: int, offset: int) -> None:
    """Raises Usage (exit 2) for a page that nobody can ask for."""
    if not 1 <= limit <= MAX_LIMIT:
        raise Usage("bad-limit", "The search was not made", f"the limit is {limit}",
                    f"ask for 1 to {MAX_LIMIT} hits at a time", "limit")  # fmt: skip
    if not 0 <= offset <= MAX_OFFSET:
        raise Usage("bad-offset", "The search was not made", f"the offset is {offset}",
                    f"start at 0 to {MAX_OFFSET}, or ask more precisely", "offset")  # fmt: skip


class Searcher:
    """One opened index. Safe to share between threads; the index's files are never written to."""

    def __init__(self, folder: Path, stopwatch: Callable[[], float]) -> None:
        import tantivy

        try:
            opened = tantivy.Index.open(str(folder))
        except (ValueError, OSError) as error:
            raise Damaged("bad-index", "The search index could not be opened", str(error), "delete its folder and run "
                          "'fonoteca index': it is built anew", str(folder)) from error  # fmt: skip
        index.register(opened)
        self._searcher: Any = opened.searcher()
        self._make = _Maker(opened.schema)
        self._stopwatch = stopwatch

    @property
    def recordings(self) -> int:
        """How many recordings are indexed."""
        return int(self._searcher.num_docs)

    def search(self, text: str, limit: int = 20, offset: int = 0) -> Hits:
        """The page of hits for any text.

        Raises:
            Usage: for a limit or offset out of range.
        """
        check_page(limit, offset)
        start = self._stopwatch()
        asked = parse(text)
        found, tolerant = self._find(asked, offset + limit)
        hits = [self._hit(score, address) for score, _, address in found[offset : offset + limit]]
        exact = len(found) <= COUNTED
        return Hits(hits, len(found) if exact else COUNTED, exact, self._stopwatch() - start, tolerant)

    def most_heard(self, limit: int = 20) -> Hits:
        """The most popular recordings of all, playable ones only."""
        return self.search("playable:yes", limit)

    def _find(self, asked: Query, wanted: int) -> tuple[list[tuple[float, int, Any]], bool]:
        if asked.empty:
            return [], False
        found = self._ranked(self._make.ranked(asked, tolerant=False), wanted)
        if len(found) >= FEW or not asked.words:
            return found, False
        wider = self._ranked(self._make.ranked(asked, tolerant=True), wanted)
        return wider, len(wider) > len(found)

    def _ranked(self, query: Any, wanted: int) -> list[tuple[float, int, Any]]:
        """Score, place and address, best first; equal scores by place, which is popularity, then id."""
        most = COUNTED + 1 if wanted <= COUNTED else MAX_OFFSET + MAX_LIMIT
        hits = self._searcher.search(query, limit=most, count=False, weight_by_field="weight").hits
        places = self._searcher.fast_field_values("place", [address for _, address in hits])
        rows = [(float(score), int(place), address) for (score, address), place in zip(hits, places, strict=True)]
        return sorted(rows, key=lambda row: (-row[0], row[1]))

    def _hit(self, score: float, address: Any) -> Hit:
        card = json.loads(self._searcher.doc(address).get_first("card"))
        return Hit(**card, score=round(score, 3))


class _Maker:
    """Turns our terms into the library's queries."""

    def __init__(self, schema: Any) -> None:
        import tantivy

        self._t: Any = tantivy
        self._q: Any = tantivy.Query
        self._schema = schema

    def ranked(self, asked: Query, *, tolerant: bool) -> Any:
        """All terms, with exact titles lifted to the top and, when tolerant, matches as written above the rest."""
        must, should = self._t.Occur.Must, self._t.Occur.Should
        strict = self._all(asked, tolerant=False)
        parts = [(must, self._all(asked, tolerant=True) if tolerant else strict)]
        if tolerant:
            parts.append((should, self._q.const_score_query(strict, _AS_WRITTEN)))
        if asked.whole:
            parts.append((should, self._q.const_score_query(self._raw("whole", asked.whole), _EXACT)))
        return self._q.boolean_query(parts)

    def _all(self, asked: Query, *, tolerant: bool) -> Any:
        if not asked.terms:
            return self._any([self._raw("whole", asked.whole), self._raw("names", asked.whole)])
        parts = [
            (self._t.Occur.MustNot if t.negated else self._t.Occur.Must, self._term(t, tolerant=tolerant))
            for t in asked.terms
        ]
        if all(t.negated for t in asked.terms):
            parts.append((self._t.Occur.Must, self._q.all_query()))
        return self._q.boolean_query(parts)

    def _any(self, queries: list[Any]) -> Any:
        return self._q.boolean_query([(self._t.Occur.Should, q) for q in queries])

    def _raw(self, field: str, value: str) -> Any:
        return self._q.term_query(self._schema, field, value)

    def _term(self, term: Term, *, tolerant: bool) -> Any:
        if term.tokens:
            fields = _BOOSTS if term.field is Field.ANY else ((term.field, 1.0),)
            loose = tolerant and not (term.negated or term.quoted)
            return self._any([self._q.boost_query(self._words(f.value, term, loose), boost) for f, boost in fields])
        if term.field is Field.YEAR:
            span = self._q.range_query(self._schema, "year", self._t.FieldType.Unsigned, *term.years)
            return self._q.const_score_query(span, 1.0)
        value: Any = term.yes if term.field is Field.PLAYABLE else term.value
        return self._q.const_score_query(self._raw(term.field.value, value), 1.0)

    def _words(self, field: str, term: Term, tolerant: bool) -> Any:
        words = list(term.tokens)
        if len(words) > 1:
            return self._phrase(field, words, tolerant)
        word = words[0]
        ways = [self._raw(field, word)]
        if term.open_end and len(word) >= _MIN_PREFIX:
            ways.append(self._near(field, word, 0, _STARTED, prefix=True))
        if tolerant:
            ways += [self._near(field, word, d, _STARTED / (2 * d)) for d in range(1, typos(word) + 1)]
        return self._any(ways)

    def _phrase(self, field: str, words: list[str], tolerant: bool) -> Any:
        ways = [self._q.phrase_query(self._schema, field, words)]
        if tolerant:  # "AC/DC" or a run of syllables, typed without quotes: the order is no must
            every = [(self._t.Occur.Must, self._raw(field, w)) for w in words]
            ways.append(self._q.const_score_query(self._q.boolean_query(every), _STARTED))
        return self._any(ways)

    def _near(self, field: str, word: str, distance: int, score: float, *, prefix: bool = False) -> Any:
        query = self._q.fuzzy_term_query(self._schema, field, word, distance=distance, prefix=prefix)
        return self._q.const_score_query(query, score)


def opened(
    search: Path, digest: str, inputs: Callable[[], Inputs], stopwatch: Callable[[], float],
    progress: Progress = SILENT, room: index.Room | None = None,
) -> Searcher:  # fmt: skip
    """The searcher over some inputs; its index is built where there is none, or where it is damaged.

    Args:
        search: folder of indexes.
        digest: of the inputs, known without reading them.
        inputs: reads them; called only to build.
        room: how much a new index may take.

    Raises:
        NoSpace: there is no index, and no room for one.
    """
    folder = index.folder_of(search, digest)
    if index.ready(folder):
        try:
            return Searcher(folder, stopwatch)
        except Damaged:
            durable.remove_tree(folder)
    return Searcher(index.build(inputs(), search, progress, room), stopwatch)


def typos(word: str) -> int:
    """Letters that may be wrong in a word: none up to 3 letters, 1 from 4, 2 from 8."""
    return 0 if len(word) < 4 else 1 if len(word) < 8 else 2
