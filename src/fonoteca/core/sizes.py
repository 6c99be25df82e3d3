"""Byte counts as people write them: ``2TB``, ``500 MiB``, ``1048576``."""

from __future__ import annotations

import re

_UNITS = {
    "": 1, "B": 1,
    "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "PB": 10**15,
    "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40, "PIB": 2**50,
    "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15,
}  # fmt: skip
_FORM = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*")


def parse_size(text: str) -> int:
    """Bytes. Decimal units as disks are sold (TB), binary ones with an i (TiB).

    Raises:
        ValueError: not a size, or below zero.
    """
    match = _FORM.fullmatch(text)
    if not match or match[2].upper() not in _UNITS:
        raise ValueError(f"{text!r} is not a size; write for example 2TB, 500GB or 750MiB")
    whole, _, fraction = match[1].partition(".")
    scale = int("1" + "0" * len(fraction))
    return int(whole + fraction) * _UNITS[match[2].upper()] // scale


def show_size(count: int) -> str:
    """Decimal, three significant figures: ``1.25 GB``."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 999.5:  # what would be rounded to 1000 goes into the next unit
            return f"{count} B" if unit == "B" else f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} PB"
