"""The checks behind ``doctor``: libraries, disk, clock, keys, expiry of signed metadata, budget of a mirror."""

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

from fonoteca.core.clock import Clock, parse_rfc3339, rfc3339
from fonoteca.core.layout import ArchiveLayout, MirrorLayout, PublicationLayout
from fonoteca.core.settings import Settings, resolve
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


def diagnose(root: Path, clock: Clock, settings: Settings | None = None) -> list[Check]:
    """All checks for this machine and for the archive or the mirror at ``root``, if there is one.

    Args:
        settings: those of the run, for the budget and the time of grace of a mirror; else the defaults.
    """
    checks = [_python(), *_libraries(), _space(root), _clock(clock)]
    layout = ArchiveLayout(root)
    if layout.settings.is_file():
        checks += [*_keys(layout.keys), *_expiry(layout.publication, clock)]
    elif (mirror := MirrorLayout(root)).settings.is_file():
        settings = settings or resolve([])
        checks += [_signatures(mirror, clock, settings), _budget(mirror, settings)]
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


def _signatures(mirror: MirrorLayout, clock: Clock, settings: Settings) -> Check:
    """A mirror cannot sign: it has what the publisher signed, and a time of grace behind that."""
    from fonoteca.mirror.run import stale_since

    expires, now = stale_since(mirror), clock.now()
    fix = "fonoteca mirror run (a service should keep it running)"
    if expires is None:
        return Check("signatures", False, "nothing was fetched yet", fix, needed=False)
    if now < expires:
        return Check("signatures", True, f"the publisher's signatures are valid until {rfc3339(expires)}", fix)
    left = expires + datetime.timedelta(days=settings.number("mirror.grace_days")) - now
    told = f"stale since {rfc3339(expires)}; "
    if left <= datetime.timedelta(0):
        return Check("signatures", False, told + "the time of grace is over, nothing is served", fix)
    told += f"served for {_long(left)} more (mirror.grace_days)"
    return Check("signatures", False, told, fix + "; if it fails, ask the publisher")


def _long(left: datetime.timedelta) -> str:
    hours = int(left.total_seconds() // 3600)
    return f"{hours // 24} days" if hours >= 48 else f"{hours} h"


def _budget(mirror: MirrorLayout, settings: Settings) -> Check:
    """What the mirror takes against what it may; and whether the disk has the rest of it."""
    from fonoteca.mirror import state
    from fonoteca.mirror.budget import allocated

    budget = settings.number("mirror.disk") or int(state.status(mirror).get("disk", 0))
    used, free = allocated(mirror.root), shutil.disk_usage(mirror.root).free
    if not budget:
        return Check("budget", False, f"none is known; {show_size(used)} are used",
                     "fonoteca mirror plan --disk SIZE", needed=False)  # fmt: skip
    found = f"{show_size(used)} of {show_size(budget)} used, {show_size(free)} free on the disk"
    if used > budget:
        return Check("budget", False, found + ": it is exceeded", f"fonoteca mirror run --disk {used}, or with less, "
                     "which drops packs", needed=False)  # fmt: skip
    if budget - used > free:
        return Check("budget", False, found + ": the disk has not so much", "free some space, or "
                     f"fonoteca mirror run --disk {used + free}", needed=False)  # fmt: skip
    return Check("budget", True, found)
