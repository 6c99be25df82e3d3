"""What a verify with a time budget has read already: one JSON file, disposable."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from fonoteca.core import canonical, durable


class Checked:
    """The files read in the present round, by the key of their promise. A full round starts the next one."""

    def __init__(self, path: Path, keys: set[str], wanted: Collection[str]) -> None:
        self._path = path
        self._keys = keys
        self._wanted = set(wanted)

    @classmethod
    def load(cls, path: Path, wanted: Collection[str]) -> Checked:
        """What an earlier run left. A file that cannot be read counts as none: everything is read again."""
        try:
            keys = {str(k) for k in canonical.decode(path.read_bytes())["checked"]}
        except (OSError, ValueError, KeyError, TypeError):
            keys = set()
        return cls(path, keys & set(wanted), wanted)

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def add(self, key: str) -> None:
        """A file was read and is whole."""
        self._keys.add(key)

    def save(self) -> None:
        """Keep the round for the next run, or forget it when it is complete."""
        if self._wanted <= self._keys:
            durable.remove(self._path)
        else:
            durable.write_bytes(self._path, canonical.encode({"checked": sorted(self._keys)}))
