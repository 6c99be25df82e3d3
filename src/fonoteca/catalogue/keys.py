"""Sorted key files: from an id or an identifier to the rows of one wide file (docs/formats/keys.md).

A key is 42 bits of a 63-bit hash, then the row's number in 22 bits, as an unsigned 64-bit number, little-endian; the
file is nothing but such numbers, ascending. A key may name a row that has another id with the same first bits: look.
:mod:`~fonoteca.catalogue.probe` reads them.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from fonoteca.catalogue.files import FileRef
from fonoteca.catalogue.places import Places
from fonoteca.core import durable

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, np.dtype[np.uint64]]

ROW_BITS = 22
_CUT = 21
RELEASE = "release"
"""Scheme under which a recording's rows are found by the id of a release, written as a number."""


def name_hash(scheme: str, value: str) -> int:
    """The first 63 bits of ``SHA-256("name" NUL scheme NUL value)``, as ids are made (docs/formats/id.md)."""
    digest = hashlib.sha256(f"name\0{scheme}\0{value}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def name_hash_sql(scheme: str, value: str) -> str:
    """The same, as SQL over two expressions: the macro ``entity_id`` of the engine hashes alike."""
    return f"entity_id('name', {scheme}, {value})"


def packed(hashes: Any, rows: Any) -> Numbers:
    """Sorted keys from arrays of hashes (63 bits) and of row numbers."""
    import numpy as np

    found: Numbers = (hashes.astype("<u8") >> np.uint64(_CUT)) << np.uint64(ROW_BITS) | rows.astype("<u8")
    found.sort()
    return found


def write(places: Places, name: str, keys: Numbers) -> FileRef:
    """Write keys to a file that is then named by its digest."""
    data = keys.astype("<u8", copy=False).tobytes()
    digest = hashlib.sha256(data).hexdigest()
    work = places.spool / name
    durable.write_bytes(work, data)
    ref = FileRef(digest, len(data), len(keys), "keys")
    durable.rename(work, places.path(ref))
    return ref
