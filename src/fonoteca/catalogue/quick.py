"""Look-ups in a catalogue with wide partitions: by key files where they can say it, else by the smallest query."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from fonoteca.catalogue import lookup, reading, show, views
from fonoteca.catalogue.answer import Answers
from fonoteca.catalogue.engine import Engine, connect
from fonoteca.catalogue.find import Finder
from fonoteca.catalogue.generation import Generation
from fonoteca.catalogue.places import Places
from fonoteca.core.ids import Kind


class Quick:
    """Asked before the queries over all rows."""

    def __init__(self, places: Places, generation: Generation, engine: Engine, stack: contextlib.ExitStack) -> None:
        self._places, self._generation, self._engine, self._stack = places, generation, engine, stack
        self._finder = Finder(places, generation)
        stack.callback(self._finder.close)
        self.answers = Answers(self._finder, generation, lookup.given_ids(generation))
        self._flat: Any = None

    def show(self, kind: Kind, entity: int) -> dict[str, Any] | None:
        """The object of ``show``; None where the queries over all rows have to say it. KeyError for nothing."""
        found = self.answers.show(kind, entity)
        if found is None and not self._finder.has(kind, entity):
            # Whatever belongs to an entity without a wide row is in the merged tables and the flat facts.
            return show.show(self._select, kind, entity, is_edition=False)
        return found

    def _select(self, query: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        if self._flat is None:
            self._flat = self._stack.enter_context(connect(self._engine))
            flat = _without_wide(self._generation)
            views.name_facts(self._flat, self._places, flat, flat.remaps)
            reading.name_tables(self._flat, self._places, flat)
        self._flat.execute(query, list(parameters))
        names = [column[0] for column in self._flat.description or []]
        return [dict(zip(names, row, strict=True)) for row in self._flat.fetchall()]


@contextlib.contextmanager
def opened(places: Places, generation: Generation, engine: Engine) -> Iterator[Quick | None]:
    """The look-ups of a generation; None where it has no wide partition, or one without the keys of today's format."""
    keyed = generation.wide and all(part.has_keys for part in generation.partitions)
    with contextlib.ExitStack() as stack:
        yield Quick(places, generation, engine, stack) if keyed else None


def _without_wide(generation: Generation) -> Generation:
    """The same without the rows of wide tables; that there are such tables is still to be seen."""
    partitions = tuple(replace(p, wide={table: [] for table in p.wide}) for p in generation.partitions)
    return replace(generation, partitions=partitions)
