"""Which keys a dump has given already: the second row of a key is an exact duplicate, or a conflict."""

from __future__ import annotations

from fonoteca.sources.records import Duplicate, Refused
from fonoteca.sources.rows import Row

_BYTES = 16


class Seen:
    """Key → digest and position of the row that had it first, in memory: about 200 bytes a key.

    So a dump of 10^7 rows takes about 2 GB; larger ones need their keys on the disk.
    """

    def __init__(self, kind: str = "recording") -> None:
        self._kind = kind
        self._first: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self._first)

    def second(self, key: str, row: Row, digest: str | None = None) -> Duplicate | Refused | None:
        """None for a key's first row; for a later one what it is: a duplicate, or refused for a conflict.

        Args:
            digest: hex digest of what is compared, where it is not the whole row.
        """
        mark = bytes.fromhex(digest or row.digest())[:_BYTES]
        first = self._first.setdefault(key, mark + row.position.encode("utf-8", "surrogatepass"))
        position = first[_BYTES:].decode("utf-8", "surrogatepass")
        if first[:_BYTES] != mark:
            return row.refuse("key-conflict", f"the key {key!r} at {row.position} has other content than at {position}",
                              kind=self._kind)  # fmt: skip
        return None if position == row.position else Duplicate(row.position, key, self._kind)


def joined_key(parts: list[str]) -> str:
    """One key of several parts: '/' between them, '/' and '%' inside them escaped, so that no two keys meet."""
    if len(parts) == 1:
        return parts[0]
    return "/".join(p.replace("%", "%25").replace("/", "%2F") for p in parts)
