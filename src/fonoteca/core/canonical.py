"""Canonical JSON: one value, one sequence of bytes, so that digests and signatures mean something."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any


def encode(value: Any) -> bytes:
    """UTF-8, keys sorted, no blanks, no NaN, non-ASCII kept as it is, one final newline.

    Raises:
        ValueError: a float that is not finite.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "surrogatepass") + b"\n"


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} occurs twice")
        found[key] = value
    return found


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text[:40]} is beyond what a number can be")
    return value


def decode(data: bytes) -> Any:
    """Strict JSON: duplicate keys, NaN, numbers beyond a float, over-deep nesting and invalid UTF-8 are refused.

    Raises:
        ValueError: with the reason.
    """

    def refuse(name: str) -> Any:
        raise ValueError(f"{name} is not JSON")

    try:
        return json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique_keys, parse_constant=refuse, parse_float=_finite
        )
    except RecursionError:
        raise ValueError("nested too deep") from None


def digest(value: Any) -> str:
    """Hex SHA-256 of the canonical form."""
    return hashlib.sha256(encode(value)).hexdigest()
