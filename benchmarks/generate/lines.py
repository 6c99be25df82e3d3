"""Columns of Arrow joined to the bytes of a text file, whole columns at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.generate.mix import Index

Part: TypeAlias = "str | Index | pa.Array"
"""A constant, whole numbers, or an array that may hold nulls."""


def text(part: Part, null: str) -> Any:
    """A part as text."""
    if isinstance(part, str):
        return pa.scalar(part)
    array = pa.array(part) if isinstance(part, np.ndarray) else part
    if not pa.types.is_string(array.type):
        array = pc.cast(array, pa.string())
    return pc.fill_null(array, null) if array.null_count else array


def joined(parts: Sequence[Part], between: str = "", null: str = "") -> pa.Array:
    """One text for each row. At least one part must be an array."""
    return pc.binary_join_element_wise(*(text(part, null) for part in parts), between)


def copy_rows(*parts: Part) -> memoryview:
    """Rows of PostgreSQL's COPY; nothing in our words needs an escape. Constants may hold several columns."""
    rows = joined([*parts[:-1], _ended(parts[-1])], "\t", r"\N")
    return flat(rows)


def _ended(last: Part) -> Part:
    return last + "\n" if isinstance(last, str) else joined([text(last, r"\N"), "\n"])


def flat(rows: pa.Array) -> memoryview:
    """The texts of all rows, one after another."""
    offsets = np.frombuffer(rows.buffers()[1], np.int32)[rows.offset : rows.offset + len(rows) + 1]
    return memoryview(rows.buffers()[2])[int(offsets[0]) : int(offsets[-1])] if len(rows) else memoryview(b"")


def grouped(rows: pa.Array, sizes: Index) -> pa.Array:
    """The texts of neighbours run together: ``sizes`` says how many rows make one."""
    offsets = np.frombuffer(rows.buffers()[1], np.int32)[rows.offset : rows.offset + len(rows) + 1]
    ends = np.concatenate([[0], np.cumsum(sizes)])
    chosen = np.ascontiguousarray(offsets[ends])
    return pa.StringArray.from_buffers(len(sizes), pa.py_buffer(chosen), rows.buffers()[2])


def chosen(numbers: Index, texts: Sequence[str], keep: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """The texts with these numbers; null where ``keep`` is false."""
    mask = None if keep is None else ~keep
    return pa.DictionaryArray.from_arrays(pa.array(numbers, mask=mask), list(texts)).cast(pa.string())
