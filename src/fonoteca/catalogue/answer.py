"""The answers of :mod:`~fonoteca.catalogue.show` and :mod:`~fonoteca.catalogue.lookup` from key files and single rows.

They are the answers of the queries over there, to the letter; a test compares them. Whatever these rows alone cannot
say (several partitions describe the entity) is left to the queries: the answer is None.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Any

from fonoteca.catalogue.find import Finder, Found
from fonoteca.catalogue.generation import Generation, Popularity
from fonoteca.catalogue.lookup import GivenIds, spellings
from fonoteca.catalogue.operations import MOST
from fonoteca.catalogue.show import FACTS, MOST_ROWS, SOURCE, empty
from fonoteca.core.ids import Kind, make_id, show_id

Row = dict[str, Any]


class _Unsure(Exception):
    """These rows are not all that is known."""


class Answers:
    """Look-ups in one generation with wide partitions."""

    def __init__(self, finder: Finder, generation: Generation, given: GivenIds) -> None:
        self._finder = finder
        self._generation = generation
        self._given = given
        self._moved = {value for r in generation.remaps for value in (r.was, r.now)}
        self._ranks: tuple[list[int], list[Row]] | None = None

    def exists(self, kind: Kind, entity: int) -> bool:
        """True where anything has this id."""
        # The whole row: what exists is what is shown next.
        return bool(self._finder.by_id(kind, entity)) or self._finder.in_merged(FACTS[kind][0], "id", entity)

    def identified(self, scheme: str, value: str) -> list[tuple[Kind, int]]:
        """What has this identifier, recordings first, ids ascending."""
        schemes, values = spellings(scheme, value)
        found: set[tuple[Kind, int]] = set()
        for one in values:
            rows = [row for row in self._finder.merged("identifiers", "value", one) if row["scheme"] in schemes]
            rows += [row for name in schemes for row in self._finder.direct_names(name, one)]
            found |= {(Kind[row["kind"].upper()], row["entity_id"]) for row in rows}
            for name in schemes:
                found |= {(kind, entity) for kind in Kind for entity in self._named(kind, name, one)}
        return sorted(found, key=lambda pair: (list(Kind).index(pair[0]), pair[1]))

    def _named(self, kind: Kind, scheme: str, value: str) -> list[int]:
        """By identifiers, and by keys that are identifiers themselves."""
        found = self._finder.by_name(kind, scheme, value)
        for source in sorted(self._finder.keyed(kind, scheme)):
            entity = self._given.get((kind.word, source, value), make_id(kind, source, value))
            # The whole row: who asks for a name asks for the rest next.
            rows = self._finder.by_id(kind, entity)
            found += [r.id for r in rows if r.row["key_scheme"] == scheme and str(r.row["key"]) == value]
        return found

    def show(self, kind: Kind, entity: int) -> Row | None:
        """The object of ``show``; None where the queries have to say it."""
        if entity in self._moved:
            return None
        found = self._finder.by_id(kind, entity)
        if len(found) != 1 or self._finder.overlaps(kind, entity):
            return None
        try:
            return self._shown(kind, found[0])
        except _Unsure:
            return None

    def _shown(self, kind: Kind, one: Found) -> Row:
        told = empty(kind, one.id)
        own = one.provenance
        told["fields"] = self._fields(kind, one)
        told["identifiers"] = self._identifiers(kind, one)
        told["credits"] = [
            {"ordinal": n} | credit | {"artist_id": show_id(Kind.ARTIST, credit["artist_id"])} | own
            for n, credit in enumerate(one.row.get("credits") or ())
        ]
        told["genres"] = self._genres(kind, one)
        told["tracks"] = self._tracks(kind, one)
        told["claims"] = self._claims(kind, one)
        if kind is Kind.RECORDING:
            told["signals"] = self._signals(one)
            told["popularity"] = self._popularity(one)
        return told

    def _fields(self, kind: Kind, one: Found) -> dict[str, Row]:
        own = one.provenance
        fields = {}
        for name in FACTS[kind][2]:
            value = one.row[name]
            told = value not in (None, [])
            fields[name] = {
                "value": value,
                "sources": [own | {"dataset": one.part.dataset, "value": value}] if told else [],
            }
        if kind is Kind.ARTIST:
            return fields
        artist = one.row["artist"]
        fields["artist"] = {"value": artist, "sources": [own] if artist is not None and one.row["credits"] else []}
        if kind is Kind.RECORDING:
            self._add_release(one, fields)
        return fields

    def _add_release(self, one: Found, fields: dict[str, Row]) -> None:
        release, title = one.row["release_id"], one.row["release"]
        tracks = one.row["tracks"] or () if release is not None else ()
        on = [one.provenance for track in tracks if track["release_id"] == release]
        fields["release"] = {"value": title, "sources": on if title is not None else []}
        fields["release_id"] = {
            "value": None if release is None else show_id(Kind.RELEASE, release),
            "sources": on if release is not None else [],
        }
        if one.row["year"] is None and one.row["release_year"] is not None:
            found = [] if release is None else self._release(release, one)
            fields["year"] = {"value": one.row["release_year"], "sources": [f.provenance for f in found]}

    def _release(self, release: int, one: Found) -> list[Found]:
        """The wide row of a release, or nothing; whatever else there is, queries have to merge."""
        found = self._finder.by_id(Kind.RELEASE, release, ("id", "claims", "member", "line"), one.part)
        if len(found) > 1 or self._finder.in_merged("releases", "id", release):
            raise _Unsure
        return found

    def _identifiers(self, kind: Kind, one: Found) -> list[Row]:
        """The row's own, and those that another source tells of it."""
        rows: list[Row] = [{"scheme": s, "value": v, **one.provenance} for s, v in one.names()]
        more = self._finder.merged("identifiers", "entity_id", one.id) + self._finder.direct("identifier", one.id)
        return _ordered(rows + [_part(row, "scheme", "value") for row in more if row["kind"] == kind.word])

    def _genres(self, kind: Kind, one: Found) -> list[Row]:
        rows = [{"genre": genre} | one.provenance for genre in one.row.get("genres") or ()]
        more = self._finder.direct("genre", one.id)
        rows += [_part(row, "genre") for row in more if row["kind"] == kind.word]
        return _ordered(rows)

    def _claims(self, kind: Kind, one: Found) -> list[Row]:
        """A recording's claims and those of its releases."""
        rows = self._claims_on(kind, one.id, [one])
        if kind is Kind.RECORDING:
            for release in {track["release_id"] for track in one.row["tracks"] or ()} - {None}:
                # A recording may be on many releases: their rows are read only where any has claims of its own.
                on = self._release(release, one) if self._finder.may_hold(Kind.RELEASE, "claims") else []
                rows += self._claims_on(Kind.RELEASE, release, on)
        return _ordered(rows)

    def _claims_on(self, kind: Kind, entity: int, found: list[Found]) -> list[Row]:
        about = {"kind": kind.word, "subject": show_id(kind, entity)}
        rows = [about | claim | one.provenance for one in found for claim in one.row.get("claims") or ()]
        names = ("kind", "subject", "licence", "url", "evidence")
        rows += [_part(row, *names) for row in self._finder.merged("claims", "subject", about["subject"])]
        more = self._finder.direct("claim", entity)
        return rows + [_part(about | row, *names) for row in more if row["kind"] == kind.word]

    def _tracks(self, kind: Kind, one: Found) -> list[Row]:
        if kind is Kind.ARTIST:
            return []
        if kind is Kind.RELEASE and self._finder.in_merged("tracks", "release_id", one.id):
            raise _Unsure
        rows = []
        for on in self._finder.of_release(one.id) if kind is Kind.RELEASE else [one]:
            for track in on.row["tracks"] or ():
                if kind is Kind.RELEASE and track["release_id"] != one.id:
                    continue
                title = track["title"] if track["title"] is not None else on.row["title"]
                rows.append(track | {"recording_id": on.id, "title": title} | on.provenance)
        order = ("release_id", "disc", "number", "recording_id", "title", *SOURCE)
        rows.sort(key=lambda row: [_last(row[name]) for name in order])
        return [
            row | {"release_id": show_id(Kind.RELEASE, row["release_id"]),
                   "recording_id": show_id(Kind.RECORDING, row["recording_id"])}
            for row in rows[:MOST_ROWS]
        ]  # fmt: skip

    def _signals(self, one: Found) -> list[Row]:
        row, own = one.row, one.provenance
        rows = []
        if row["listens"] is not None:
            told = {"kind": "listens", "value": float(row["listens"]), "licence": row["listens_licence"]}
            rows.append(told | {"synthetic": bool(row["listens_synthetic"])} | own)
        rows += [signal | {"synthetic": bool(signal["synthetic"])} | own for signal in row["signals"] or ()]
        more = self._finder.merged("signals", "recording_id", one.id)
        more += self._finder.direct("signal", one.id)
        rows += [_part(signal, "kind", "value", "licence", "synthetic") for signal in more]
        return _ordered(rows)[:MOST_ROWS]

    def _popularity(self, one: Found) -> Row | None:
        told = self._generation.popularity
        if told is None:
            return None
        listens = self._listens(one, told)
        counts, ranks = self._ranked()
        at = len(counts) if listens is None else bisect_left(counts, listens)
        ranked = ranks[at] if at < len(counts) and counts[at] == listens else {"score": None, "rank": None}
        licence = None if listens is None else ", ".join(told.licences)
        return {"listens": listens, "score": ranked["score"], "rank": ranked["rank"], "licence": licence}

    def _listens(self, one: Found, told: Popularity) -> int | None:
        """The sum where others tell listens, too; else the row's own, where they count."""
        summed = self._finder.heard(one)
        listens: int | None = (summed or one.row)["listens"]
        if summed is not None or listens is None:
            return listens
        return listens if 0 <= listens < MOST and one.row["listens_licence"] in told.licences else None

    def _ranked(self) -> tuple[list[int], list[Row]]:
        """Listens, ascending, and what they are worth: a few hundred thousand different ones at most."""
        if self._ranks is None:
            assert self._generation.popularity is not None
            rows = [row for ref in self._generation.popularity.ranks for row in self._finder.all_rows(ref.sha256)]
            self._ranks = [row["listens"] for row in rows], rows
        return self._ranks


def _part(row: Mapping[str, Any], *names: str) -> Row:
    return {name: row[name] for name in (*names, *SOURCE)}


def _ordered(rows: Iterable[Row]) -> list[Row]:
    """As ORDER BY ALL: by the columns in their order, what is not known last."""
    return sorted(rows, key=lambda row: [_last(value) for value in row.values()])


def _last(value: Any) -> tuple[bool, Any]:
    return value is None, 0 if value is None else value
