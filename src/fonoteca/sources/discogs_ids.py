"""Ids of many keys of Discogs at once."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from fonoteca.sources.discogs_scan import Ints
from fonoteca.sources.discogs_wide import SOURCE


def ids(kind: bytes, written: Sequence[bytes]) -> Ints:
    """As :func:`fonoteca.core.ids.make_id`; the kind as its word."""
    start = kind + b"\0" + SOURCE.encode() + b"\0"
    digests = b"".join([sha256(start + key).digest() for key in written])
    return (np.frombuffer(digests, ">u8")[::4] >> np.uint64(1)).astype(np.int64)
