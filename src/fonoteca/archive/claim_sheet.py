"""What an operator says of the files: the table of ``--claims`` (docs/formats/claims-csv.md), row by row."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from pathlib import Path

from fonoteca.archive.records import Refusal
from fonoteca.archive.walk import Found
from fonoteca.audio.text import clean_text
from fonoteca.core.errors import Usage
from fonoteca.sources import mapping as mappings
from fonoteca.sources.records import Refused
from fonoteca.sources.rows import Row, describe

COLUMNS = ("file", "recording", "title", "artist", "release", "disc", "track", "licence", "licence_url", "evidence",
           "source")  # fmt: skip
_MAX_CHARS = 4096


@dataclass(frozen=True)
class ClaimRow:
    """One row. Empty texts where the table says nothing."""

    position: str
    file: str
    recording: str = ""
    title: str = ""
    artist: str = ""
    release: str = ""
    disc: str = ""
    track: str = ""
    licence: str = ""
    licence_url: str = ""
    evidence: str = ""
    source: str = ""


@dataclass(frozen=True)
class ClaimSheet:
    """All rows of one table, by the file that they are about.

    Attributes:
        by_path: absolute path → rows, in the table's order.
        refused: rows that could not be used, and rows whose file is not there.
    """

    name: str = ""
    by_path: MappingOf[Path, tuple[ClaimRow, ...]] = field(default_factory=dict)
    refused: tuple[Refusal, ...] = ()

    def of(self, path: Path) -> tuple[ClaimRow, ...]:
        """The rows about one file."""
        return self.by_path.get(path, ())


def _wanted_columns(columns: MappingOf[str, str], header: list[str], path: Path) -> dict[str, str]:
    """Field → column, for the fields that the table has."""
    wanted = {name: columns.get(name, name) for name in COLUMNS}
    absent = [columns[name] for name in COLUMNS if name in columns and header and columns[name] not in header]
    if absent or (header and wanted["file"] not in header):
        missing = absent or [wanted["file"]]
        raise Usage("bad-claims", "The claims could not be read", f"{path.name} has no column {missing[0]!r}",
                    f"its columns are {', '.join(header[:15])}; name them in a mapping file (--mapping)",
                    str(path))  # fmt: skip
    return {name: column for name, column in wanted.items() if not header or column in header}


def _row(row: Row, columns: MappingOf[str, str], constants: MappingOf[str, str]) -> ClaimRow:
    values = dict(constants)
    for name, column in columns.items():
        raw = row.values.get(column)
        text = "" if raw is None else str(raw)
        if text.strip():
            values[name] = text.strip() if name == "file" else clean_text(text, _MAX_CHARS)[0]
    return ClaimRow(row.position, **{name: values.get(name, "") for name in COLUMNS})


def _candidates(file: str, folder: Path, roots: list[Path]) -> list[Path]:
    """Where the file of a row may be: below the table's folder, below a named folder, or beside a named file."""
    parts = file.replace("\\", "/")
    return [Path(os.path.normpath(base / parts)) for base in [folder, *roots]]


def read(path: Path, mapping: Path | None, found: list[Found], named: list[Path]) -> ClaimSheet:
    """Read a table of claims and match its rows with the files of the intake.

    Args:
        path: of the table; CSV, TSV or JSON lines.
        mapping: TOML whose ``[columns]`` say which column is which field.
        found: the files of the intake.
        named: the paths given on the command line.

    Raises:
        Usage: ``bad-claims``, ``bad-mapping``, or what the table reader says of the file.
    """
    mapped = mappings.parse(mappings.load(mapping), mapping.name) if mapping else mappings.Mapping()
    table = describe(path, mapped.reading)
    columns = _wanted_columns(mapped.columns, list(table.columns), path)
    constants = {name: value for name, value in mapped.constants.items() if name in COLUMNS}
    folder = Path(os.path.abspath(path)).parent
    roots = [p if p.is_dir() else p.parent for p in (Path(os.path.abspath(n)) for n in named)]
    known = {f.path for f in found}
    rows: dict[Path, list[ClaimRow]] = defaultdict(list)
    refused: list[Refusal] = []
    for row in table.rows():
        if isinstance(row, Refused):
            refused.append(Refusal(row.position, "bad-claim-row", row.reason))
            continue
        claim = _row(row, columns, constants)
        places = _candidates(claim.file, folder, roots) if claim.file else []
        taken = next((p for p in places if p in known), None)
        if taken is not None:
            rows[taken].append(claim)
        elif not any(p.is_file() for p in places):  # a file that is there, but was not named, is left for later
            refused.append(_without_file(claim))
    return ClaimSheet(path.name, {p: tuple(r) for p, r in rows.items()}, tuple(refused))


def _without_file(claim: ClaimRow) -> Refusal:
    label, _ = clean_text(claim.file, 1024)
    why = "is not there" if label else "is not named"
    return Refusal(label or claim.position, "claim-without-file", f"the file of the row at {claim.position} {why}")
