"""Fixity of the catalogue: every file against its name, every manifest against its pointer. Findings, no errors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from fonoteca.catalogue import generation
from fonoteca.catalogue.files import FileRef
from fonoteca.catalogue.places import Places
from fonoteca.core.errors import FonotecaError
from fonoteca.core.findings import Finding
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.progress import SILENT, Progress, Unit

_READ = 1 << 20
_REPAIR = "ingest the same dumps again: the same command writes the same files"


def check(layout: ArchiveLayout, progress: Progress = SILENT) -> Iterator[Finding]:
    """All damage of the generations that are there; nothing at all for an archive without a catalogue."""
    places = Places.of(layout)
    if places.root.exists() and not places.root.is_dir():
        yield _finding("catalogue-manifest-damaged", layout, places.root, "it is no folder: move it away")
        return
    if not places.current.is_file() and not places.generations.is_dir():
        return
    wanted: dict[str, FileRef] = {}
    try:
        wanted |= {f.sha256: f for f in generation.load(places).files()}
    except FonotecaError as error:
        path = Path(error.subject) if error.subject else places.current
        yield _finding("catalogue-manifest-damaged", layout, path, error.why)
    for path in sorted(places.generations.glob("*.json")):
        try:
            wanted |= {f.sha256: f for f in generation.parse(places, int(path.stem), path.read_bytes()).files()}
        except (FonotecaError, OSError, ValueError) as error:
            yield _finding("catalogue-manifest-damaged", layout, path, str(error))
    progress.stage("catalogue", sum(f.bytes for f in wanted.values()), Unit.BYTES)
    for sha256 in sorted(wanted):
        yield from _check_file(layout, places.path(wanted[sha256]), wanted[sha256], progress)


def _check_file(layout: ArchiveLayout, path: Path, ref: FileRef, progress: Progress) -> Iterator[Finding]:
    found, length = hashlib.sha256(), 0
    try:
        with path.open("rb") as stream:
            while data := stream.read(_READ):
                found.update(data)
                length += len(data)
                progress.advance(len(data))
    except FileNotFoundError:
        yield _finding("catalogue-file-missing", layout, path, f"{ref.bytes} bytes, {ref.rows} rows are not there")
        return
    except OSError as error:
        yield _finding("catalogue-file-damaged", layout, path, f"it cannot be read: {error.strerror or error}")
        return
    if found.hexdigest() != ref.sha256:
        detail = f"expected {ref.bytes} bytes with SHA-256 {ref.sha256}, found {length} with {found.hexdigest()}"
        yield _finding("catalogue-file-damaged", layout, path, detail)


def _finding(code: str, layout: ArchiveLayout, path: Path, detail: str) -> Finding:
    shown = path.relative_to(layout.root).as_posix() if path.is_relative_to(layout.root) else str(path)
    repair = f"delete {shown}, then {_REPAIR}" if code == "catalogue-file-damaged" else _REPAIR
    return Finding(code, shown, repair=repair, detail=detail)
