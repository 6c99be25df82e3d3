"""What a mirror remembers between runs: its journal of packs, the budget planned last, how the last refresh went.

The journal is a courtesy to speed: a pack that it does not name is hashed again before it counts.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fonoteca.core import canonical, durable
from fonoteca.core.clock import parse_rfc3339
from fonoteca.core.layout import MirrorLayout

_JOURNAL, _STATUS = "journal.jsonl", "status.json"


@dataclass(frozen=True)
class Entry:
    """A pack that was hashed and put in its place. ``how``: torrent, http, redacted, found or moved."""

    pack: str
    volume: str
    sha256: str
    length: int
    how: str
    at: str

    def line(self) -> bytes:
        """One line of the journal."""
        return json.dumps(self.__dict__, sort_keys=True).encode() + b"\n"


class Journal:
    """The append-only list of finished packs. Safe to use from several threads."""

    def __init__(self, layout: MirrorLayout) -> None:
        self._path = layout.state / _JOURNAL
        self._lock = threading.Lock()
        durable.cut_torn_tail(self._path)
        self._entries = {entry.pack: entry for entry in _read(self._path)}

    def get(self, pack: str) -> Entry | None:
        """The last entry of a pack."""
        return self._entries.get(pack)

    def add(self, entry: Entry) -> None:
        """Write an entry and wait until it is on the disk."""
        with self._lock:
            durable.append_line(self._path, entry.line())
            self._entries[entry.pack] = entry

    def compact(self, packs: Mapping[str, Any]) -> None:
        """Forget packs that are no longer held, so that the journal does not grow for ever."""
        keep = {name: entry for name, entry in self._entries.items() if name in packs}
        if len(keep) < len(self._entries):
            with self._lock:
                durable.write_bytes(self._path, b"".join(entry.line() for _, entry in sorted(keep.items())))
                self._entries = keep


def _read(path: Path) -> list[Entry]:
    if not path.is_file():
        return []
    found = []
    for line in path.read_bytes().split(b"\n")[:-1]:
        try:
            found.append(Entry(**json.loads(line)))
        except (ValueError, TypeError):
            continue  # A damaged line costs one more hashing, no more.
    return found


def status(layout: MirrorLayout) -> dict[str, Any]:
    """What was noted last: ``disk`` (bytes), ``edition``, ``refreshed``, ``expires``, ``failure`` (code or None).

    What cannot be read counts as not noted: without ``expires`` nothing is served until the next refresh.
    """
    path = layout.state / _STATUS
    try:
        value = canonical.decode(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return {k: v for k, v in value.items() if _is_sound(k, v)} if isinstance(value, dict) else {}


def _is_sound(name: str, value: Any) -> bool:
    if name in {"disk", "edition"}:
        return type(value) is int and value >= 0
    try:
        return name not in {"refreshed", "expires"} or bool(parse_rfc3339(value))
    except (ValueError, TypeError):
        return False


def note(layout: MirrorLayout, **values: Any) -> None:
    """Change what is noted; nothing is written where it is the same."""
    before = status(layout)
    after = before | values
    if after != before:
        durable.write_bytes(layout.state / _STATUS, canonical.encode(after))
