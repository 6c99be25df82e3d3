"""One entity with the source of each of its fields: the object of ``fonoteca show`` (docs/reference/cli.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fonoteca.catalogue.merge import ORDER
from fonoteca.core.ids import Kind, show_id

Select = Callable[[str, Sequence[Any]], list[dict[str, Any]]]
Field = dict[str, Any]

MOST_ROWS = 1_000
"""Tracks and signals that are listed of one entity."""
FACTS = {
    Kind.RECORDING: ("recordings", "facts_recording", ("title", "year", "duration_ms", "language", "flags")),
    Kind.RELEASE: ("releases", "facts_release", ("title", "year", "date", "kind", "label", "country", "flags")),
    Kind.ARTIST: ("artists", "facts_artist", ("name", "sort_name")),
}
"""Kind → its merged table, its facts, and the fields that are those of its facts."""
SOURCE = ("source", "dump", "position")


def empty(kind: Kind, entity: int) -> dict[str, Any]:
    """The object of an entity of which nothing is known yet."""
    return {
        "id": show_id(kind, entity), "kind": kind.word, "fields": {}, "identifiers": [], "credits": [], "genres": [],
        "claims": [], "tracks": [], "signals": [], "popularity": None, "verdict": None, "holdings": None,
        "locator": None,
    }  # fmt: skip


def show(select: Select, kind: Kind, entity: int, *, is_edition: bool) -> dict[str, Any]:
    """The entity as one JSON object; KeyError where there is none.

    Args:
        select: runs a query of ours with parameters.
        kind, entity: which one.
        is_edition: an edition has no facts behind its merged rows, and has a locator and a ledger.
    """
    table = FACTS[kind][0]
    rows = select(f"SELECT * FROM {table} WHERE id = ?", [entity])
    if not rows:
        raise KeyError(show_id(kind, entity))
    row = rows[0]
    found = empty(kind, entity) | {
        "fields": _fields(select, kind, entity, row, is_edition=is_edition),
        "identifiers": _identifiers(select, kind, entity),
        "credits": _credits(select, kind, entity),
        "genres": _genres(select, kind, entity),
        "claims": _claims(select, kind, entity),
        "tracks": _tracks(select, kind, entity),
    }
    if kind is Kind.RECORDING:
        found["signals"] = _signals(select, entity)
        found["popularity"] = _popularity(select, entity)
        if is_edition:
            found["verdict"], found["locator"] = _verdict(select, entity), _locator(select, entity)
    return found


def _fields(select: Select, kind: Kind, entity: int, row: dict[str, Any], *, is_edition: bool) -> dict[str, Field]:
    _, facts, names = FACTS[kind]
    own = [{key: row[key] for key in SOURCE}]
    if is_edition:
        fields = {name: _field(row[name], own) for name in names}
    else:
        given = select(f"SELECT * FROM {facts} WHERE id = ? ORDER BY {ORDER}", [entity])
        fields = {name: _field(row[name], _sources(given, name)) for name in names}
    if kind is Kind.ARTIST:
        return fields
    fields["artist"] = _field(row["artist"], _credit_sources(select, kind, entity))
    if kind is Kind.RECORDING:
        _add_release(select, entity, row, fields)
    return fields


def _field(value: Any, sources: list[Field]) -> Field:
    return {"value": value, "sources": sources if value not in (None, []) else []}


def _sources(rows: list[dict[str, Any]], name: str) -> list[Field]:
    """Every partition's value of a field, the one that stands first."""
    kept = (*SOURCE, "dataset")
    return [{key: row[key] for key in kept} | {"value": row[name]} for row in rows if row[name] not in (None, [])]


def _credit_sources(select: Select, kind: Kind, entity: int) -> list[Field]:
    return select(
        "SELECT DISTINCT source, dump, position FROM credits WHERE kind = ? AND entity_id = ? ORDER BY ALL",
        [kind.word, entity],
    )


def _add_release(select: Select, entity: int, row: dict[str, Any], fields: dict[str, Field]) -> None:
    """The release of a recording comes from a track; its year may come from the release."""
    sources = select(
        "SELECT source, dump, position FROM tracks WHERE release_id = ? AND recording_id = ? ORDER BY ALL",
        [row["release_id"], entity],
    )
    fields["release"] = _field(row["release"], sources)
    release_id = row["release_id"]
    fields["release_id"] = _field(None if release_id is None else show_id(Kind.RELEASE, release_id), sources)
    if row["year"] is not None and not fields["year"]["sources"]:
        fields["year"]["sources"] = select("SELECT source, dump, position FROM releases WHERE id = ?", [release_id])


def _identifiers(select: Select, kind: Kind, entity: int) -> list[Field]:
    return select(
        "SELECT scheme, value, source, dump, position FROM identifiers WHERE kind = ? AND entity_id = ? ORDER BY ALL",
        [kind.word, entity],
    )


def _credits(select: Select, kind: Kind, entity: int) -> list[Field]:
    rows = select(
        "SELECT ordinal, artist_id, name, role, joined_by, source, dump, position FROM credits "
        "WHERE kind = ? AND entity_id = ? ORDER BY ALL",
        [kind.word, entity],
    )
    return [row | {"artist_id": show_id(Kind.ARTIST, row["artist_id"])} for row in rows]


def _genres(select: Select, kind: Kind, entity: int) -> list[Field]:
    return select(
        "SELECT genre, source, dump, position FROM genres WHERE kind = ? AND entity_id = ? ORDER BY ALL",
        [kind.word, entity],
    )


def _claims(select: Select, kind: Kind, entity: int) -> list[Field]:
    """A recording's claims and those of its releases, whose claims hold for their tracks."""
    subjects = [show_id(kind, entity)]
    if kind is Kind.RECORDING:
        rows = select("SELECT DISTINCT release_id FROM tracks WHERE recording_id = ?", [entity])
        subjects += [show_id(Kind.RELEASE, row["release_id"]) for row in rows]
    return select(
        "SELECT kind, subject, licence, url, evidence, source, dump, position FROM claims "
        "WHERE list_contains(?, subject) ORDER BY ALL",
        [subjects],
    )


def _tracks(select: Select, kind: Kind, entity: int) -> list[Field]:
    if kind is Kind.ARTIST:
        return []
    column = "release_id" if kind is Kind.RELEASE else "recording_id"
    rows = select(
        "SELECT t.release_id, t.disc, t.number, t.recording_id, coalesce(t.title, r.title) AS title, "
        "t.source, t.dump, t.position FROM tracks t LEFT JOIN recordings r ON r.id = t.recording_id "
        f"WHERE t.{column} = ? ORDER BY t.release_id, t.disc, t.number, t.recording_id, title, "
        f"t.source, t.dump, t.position LIMIT {MOST_ROWS}",
        [entity],
    )
    return [
        row
        | {
            "release_id": show_id(Kind.RELEASE, row["release_id"]),
            "recording_id": show_id(Kind.RECORDING, row["recording_id"]),
        }
        for row in rows
    ]


def _signals(select: Select, entity: int) -> list[Field]:
    return select(
        "SELECT kind, value, licence, synthetic, source, dump, position FROM signals WHERE recording_id = ? "
        f"ORDER BY ALL LIMIT {MOST_ROWS}",
        [entity],
    )


def _popularity(select: Select, entity: int) -> Field | None:
    rows = select("SELECT listens, score, rank, licence FROM popularity WHERE recording_id = ?", [entity])
    return rows[0] if rows else None


def _locator(select: Select, entity: int) -> list[Field]:
    return select("SELECT * EXCLUDE (recording_id) FROM locator WHERE recording_id = ? ORDER BY ALL", [entity])


def _verdict(select: Select, entity: int) -> Field | None:
    """What the edition's ledger says."""
    rows = select("SELECT status, reason, detail, licence FROM ledger WHERE recording_id = ?", [entity])
    if not rows:
        return None
    row = rows[0]
    reasons = [{"code": row["reason"], "text": row["detail"], "evidence": row["licence"]}] if row["reason"] else []
    return {"state": "cleared" if row["status"] == "published" else row["status"], "reasons": reasons}
