"""Claims about a blob: from the operator's table, from the command line, from the file's own tags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fonoteca.archive.claim_sheet import ClaimRow
from fonoteca.core.ids import Kind, make_id, parse_id
from fonoteca.formats.claim import Claim, SubjectKind

KEYED_SOURCES = ("discogs", "fma", "folder", "freemusi", "jamendo", "musicbrainz", "table")
"""Sources whose recordings a claim may name as ``source:key``."""
DUMP = "intake"
"""The dump of claims that stand in no table."""
_LICENCE_TAGS = ("license", "copyright", "copyright message", "usage terms", "rights", "terms of use")
_LIKE_A_LICENCE = re.compile(
    r"creativecommons\.org|\bcc[ \-]|\bcc0\b|public domain|artlibre\.org|licen[sc]e", re.IGNORECASE
)
# Creative Commons' own form for tags: "2004 Name. Licensed to the public under URL verify at URL".
_TO_THE_PUBLIC = re.compile(
    r"[^:/]*\blicensed to the public under (https?://\S+)(?:\s+verify at https?://\S+)?\s*(?:https?://\S+)?",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?://[^\s<>\"')\]]+", re.IGNORECASE)


@dataclass(frozen=True)
class Statement:
    """What the operator says of all files at once: ``--licence`` and ``--evidence``."""

    licence: str
    evidence: str


def of_tags(tags: Iterable[tuple[str, str]], blob: str) -> list[Claim]:
    """Tags that look like a licence. "Copyright 2004 by X" claims nothing."""
    claims = []
    for name, value in tags:
        if name not in _LICENCE_TAGS or not _LIKE_A_LICENCE.search(value):
            continue
        whole = _TO_THE_PUBLIC.fullmatch(value)
        address = _ADDRESS.search(whole[1] if whole else value)
        url = address[0].rstrip(".,;") if address else ""
        evidence = f'tag "{name}" in the file: {value}' if whole else f'tag "{name}" in the file'
        claims.append(Claim(SubjectKind.BLOB.value, blob, "" if whole else value, url, evidence, "tags", DUMP,
                            f"tag:{name}"))  # fmt: skip
    return claims


def of_rows(rows: Sequence[ClaimRow], blob: str, dump: str) -> list[Claim]:
    """Rows that state a licence or its address."""
    claims = [
        Claim(
            SubjectKind.BLOB.value, blob, r.licence, r.licence_url, r.evidence, r.source or "claims", dump, r.position
        )
        for r in rows
    ]
    return [c for c in claims if not c.silent]


def of_statement(statement: Statement | None, blob: str) -> list[Claim]:
    """The operator's statement, about one blob."""
    if statement is None:
        return []
    return [
        Claim(SubjectKind.BLOB.value, blob, statement.licence, "", statement.evidence, "operator", DUMP, "--licence")
    ]


def recording_of(rows: Sequence[ClaimRow], blob: str) -> tuple[int, str]:
    """The recording that a blob belongs to: (id, ``source:key`` or shown id). The first row that names one decides."""
    named = next((r.recording for r in rows if r.recording), None)
    if named is None:
        return make_id(Kind.RECORDING, "folder", blob), f"folder:{blob}"
    try:
        kind, value = parse_id(named)
        if kind is Kind.RECORDING:
            return value, named.strip().lower()
    except ValueError:
        pass
    source, _, key = named.partition(":")
    if source in KEYED_SOURCES and key:
        return make_id(Kind.RECORDING, source, key), named
    return make_id(Kind.RECORDING, "folder", named), f"folder:{named}"
