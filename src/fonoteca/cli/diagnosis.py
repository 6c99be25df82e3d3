"""The checks behind ``doctor``: libraries, disk, clock, keys, expiry of signed metadata."""

from __future__ import annotations

import datetime
import importlib.util
import json
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fonoteca.core.clock import Clock, parse_rfc3339
from fonoteca.core.layout import ArchiveLayout, PublicationLayout
from fonoteca.core.sizes import show_size

_LOW_SPACE = 1 << 30
# Libraries, the extra that brings them, and what goes without them.
_LIBRARIES = {
    "libtorrent": ("fonoteca", "torrents and mirroring"),
    "pyarrow": ("fonoteca", "reading tables"),
    "tuf": ("fonoteca", "checking signatures"),
    "duckdb": ("fonoteca[archive]", "the catalogue"),
    "av": ("fonoteca[archive]", "decoding audio"),
    "mutagen": ("fonoteca[archive]", "reading tags"),
    "tantivy": ("fonoteca[archive]", "search"),
    "starlette": ("fonoteca[site]", "the site"),
    "uvicorn": ("fonoteca[site]", "the site"),
}


@dataclass(frozen=True)
class Check:
    """One thing looked at. ``needed`` is False where only a part of the program goes without it."""

    name: str
    ok: bool
    found: str
    fix: str = ""
    needed: bool = True

    def as_json(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)


def diagnose(root: Path, clock: Clock) -> list[Check]:
    """All checks for this machine and for the archive at ``root``, if there is one."""
    checks = [_python(), *_libraries(), _space(root), _clock(clock)]
    layout = ArchiveLayout(root)
    if layout.settings.is_file():
        checks += [*_keys(layout.keys), *_expiry(layout.publication, clock)]
    return checks


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")


def _libraries() -> Iterator[Check]:
    for name, (extra, purpose) in _LIBRARIES.items():
        there = importlib.util.find_spec(name) is not None
        found = "installed" if there else f"missing; it is for {purpose}"
        yield Check(name, there, found, f"pip install '{extra}'", needed=extra == "fonoteca")


def _space(root: Path) -> Check:
    folder = next(p for p in (root, *root.parents) if p.exists())
    free = shutil.disk_usage(folder).free
    return Check("disk", free >= _LOW_SPACE, f"{show_size(free)} free at {folder}", "free some space", needed=False)


def _clock(clock: Clock) -> Check:
    year = clock.now().year
    ok = 2026 <= year <= 2100
    return Check("clock", ok, f"the year is {year}", "set the clock: signatures expire by it")


def _keys(folder: Path) -> Iterator[Check]:
    for path in sorted(folder.glob("*")) if folder.is_dir() else []:
        private = path.is_file() and b"PRIVATE" in path.read_bytes()[:200]
        if private and stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield Check(f"key {path.name}", False, "others can read it", f"chmod 600 {path}")
        if private and path.name.startswith("root"):
            fix = f"move {path} to a medium that is kept offline; publishing does not need it"
            yield Check("root key", False, "lies in the archive", fix, needed=False)


def _expiry(publication: PublicationLayout, clock: Clock) -> Iterator[Check]:
    timestamp = publication.metadata / "timestamp.json"
    if not timestamp.is_file():
        return
    try:
        left = parse_rfc3339(json.loads(timestamp.read_bytes())["signed"]["expires"]) - clock.now()
    except (OSError, ValueError, KeyError, TypeError):
        yield Check(
            "expiry", False, f"{timestamp} cannot be read", "fonoteca verify; then fonoteca repair --from URL|PATH"
        )
        return
    ok = left > datetime.timedelta(days=3.5)
    hours = int(left.total_seconds() // 3600)
    found = f"signed metadata is valid for {hours} h more" if hours > 0 else "signed metadata has expired"
    yield Check("expiry", ok, found, "fonoteca publish --refresh (a timer should run it daily)")
