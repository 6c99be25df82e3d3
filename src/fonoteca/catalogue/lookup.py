"""From what a person types to ids: ``isrc:…``, ``mbid:…``, ``upc:…``, ``sha256:…``, ``fma:141``, or an id of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fonoteca.catalogue.generation import Generation
from fonoteca.core.errors import Usage
from fonoteca.core.ids import Kind, make_id, parse_id

if TYPE_CHECKING:
    from fonoteca.catalogue.answer import Answers

Select = Callable[[str, Sequence[Any]], list[dict[str, Any]]]
GivenIds = Mapping[tuple[str, str, str], int]
"""(kind, source, key) → id, of the few keys whose id is not simply their hash."""

_TABLE = {Kind.RECORDING: "recordings", Kind.RELEASE: "releases", Kind.ARTIST: "artists"}
_BARCODES = ("upc", "ean", "barcode")
_NO_SOURCES = {"isrc", "mbid", *_BARCODES}
"""Schemes that no source is called by: what has such an identifier needs no second look for a key."""


def given_ids(generation: Generation) -> GivenIds:
    """The ids that collisions settled."""
    local = {(kind, p.source, key): value for p in generation.partitions for kind, key, value in p.collisions}
    return local | {(r.kind, r.source, r.key): r.now for r in generation.remaps}


def resolve(
    select: Select, words: str, given: GivenIds, answers: Answers | None = None
) -> list[tuple[Kind, int]]:  # fmt: skip
    """All entities that the words name, as an identifier or as a source's key: recordings first, ids ascending.

    Args:
        select: runs a query of ours with parameters.
        words: as typed.
        given: the ids that are not simply hashes.
        answers: key files, where there are any: they are asked instead of the queries.

    Raises:
        Usage: ``bad-id``: neither an id of ours nor ``SCHEME:VALUE``.
    """
    scheme, colon, value = words.strip().partition(":")
    if not colon or not value.strip():
        return _ours(select, words, answers)
    scheme, value = scheme.strip().lower(), value.strip()
    if scheme == "sha256":
        return _blob(select, value.lower())
    identified = answers.identified(scheme, value) if answers else _identified(select, scheme, value)
    if identified and scheme in _NO_SOURCES:
        return identified
    keyed = _by_key(select, scheme, value, given, answers)
    return _ordered({*identified, *keyed})


def _ours(select: Select, words: str, answers: Answers | None) -> list[tuple[Kind, int]]:
    try:
        kind, value = parse_id(words)
    except ValueError as error:
        raise Usage("bad-id", "The identifier was not understood", str(error),
                    "give an id such as r0000000000001, or isrc:…, mbid:…, upc:…, sha256:…, SOURCE:KEY",
                    words) from None  # fmt: skip
    return [(kind, value)] if _exists(select, kind, value, answers) else []


def _exists(select: Select, kind: Kind, value: int, answers: Answers | None) -> bool:
    if answers:
        return answers.exists(kind, value)
    return bool(select(f"SELECT 1 FROM {_TABLE[kind]} WHERE id = ? LIMIT 1", [value]))


def _blob(select: Select, sha256: str) -> list[tuple[Kind, int]]:
    known = {row["table_name"] for row in select("SELECT table_name FROM duckdb_tables()", [])}
    found = {row["id"] for row in select("SELECT recording_id AS id FROM locator WHERE blob_sha256 = ?", [sha256])}
    if "holdings" in known:
        found |= {row["id"] for row in select("SELECT recording AS id FROM holdings WHERE blob = ?", [sha256])}
    return [(Kind.RECORDING, value) for value in sorted(found)]


def spellings(scheme: str, value: str) -> tuple[list[str], list[str]]:
    """Schemes and values under which an identifier may stand in the table."""
    if scheme == "isrc":
        return [scheme], sorted({value, value.upper().replace("-", "").replace(" ", "")})
    if scheme in _BARCODES:
        digits = value.replace(" ", "").replace("-", "")
        bare = digits.lstrip("0")
        return list(_BARCODES), sorted({value, digits, bare, bare.zfill(12), bare.zfill(13), bare.zfill(14)})
    return [scheme], sorted({value, value.lower()})


def _identified(select: Select, scheme: str, value: str) -> list[tuple[Kind, int]]:
    schemes, values = spellings(scheme, value)
    rows = select(
        "SELECT DISTINCT kind, entity_id FROM identifiers WHERE list_contains(?, scheme) AND list_contains(?, value)",
        [schemes, values],
    )
    return _ordered({(Kind[row["kind"].upper()], row["entity_id"]) for row in rows})


def _ordered(found: set[tuple[Kind, int]]) -> list[tuple[Kind, int]]:
    return sorted(found, key=lambda pair: (list(Kind).index(pair[0]), pair[1]))


def _by_key(
    select: Select, source: str, key: str, given: GivenIds, answers: Answers | None
) -> list[tuple[Kind, int]]:  # fmt: skip
    candidates = [(kind, given.get((kind.word, source, key), make_id(kind, source, key))) for kind in Kind]
    return [(kind, value) for kind, value in candidates if _exists(select, kind, value, answers)]
