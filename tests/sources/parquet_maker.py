"""Makes Parquet files byte by byte, so that each number in them can be a lie."""

from __future__ import annotations

import struct as packing
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12
DATA, INDEX, DICTIONARY, DATA_V2 = range(4)
CODECS = {"none": 0, "snappy": 1, "gzip": 2, "brotli": 4, "zstd": 6, "lz4_raw": 7}
INT64, BYTE_ARRAY = 2, 6


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def zigzag(number: int) -> bytes:
    return varint((number << 1) ^ (number >> 63) if number < 0 else number << 1)


def struct(*fields: tuple[int, int, Any]) -> bytes:
    """Fields as (number, type, value); a list's value is (type of its elements, elements as bytes)."""
    out = b""
    for number, kind, value in fields:
        out += bytes([kind]) + zigzag(number)
        if kind == BINARY:
            out += varint(len(value)) + value
        elif kind == LIST:
            out += bytes([0xF0 | value[0]]) + varint(len(value[1])) + b"".join(value[1])
        else:
            out += value if kind == STRUCT else zigzag(value)
    return out + b"\0"


@dataclass
class Page:
    """A page of plain values; whatever is None is told as it is."""

    data: bytes
    values: int
    type: int = DATA
    unpacked: int | None = None
    packed: int | None = None
    extra: Sequence[tuple[int, int, Any]] = ()
    levels: int = 0
    """Bytes of levels that a page of version 2 says it has."""

    def encode(self) -> bytes:
        packed = len(self.data) if self.packed is None else self.packed
        more = {
            DATA: (5, [(1, I32, self.values), (2, I32, 0), (3, I32, 3), (4, I32, 3)]),
            DICTIONARY: (7, [(1, I32, self.values), (2, I32, 0)]),
            DATA_V2: (8, [(1, I32, self.values), (2, I32, 0), (3, I32, self.values), (4, I32, 0),
                          (5, I32, self.levels), (6, I32, 0)]),
            INDEX: (6, []),
        }  # fmt: skip
        number, fields = more[self.type]
        told = self.unpacked if self.unpacked is not None else packed
        inner = (number, STRUCT, struct(*fields))
        return struct((1, I32, self.type), (2, I32, told), (3, I32, packed), *self.extra, inner) + self.data


@dataclass
class Column:
    """A required column of one row group. ``told`` replaces fields of its metadata."""

    name: str
    pages: Sequence[Page]
    kind: int = INT64
    codec: str = "none"
    told: dict[int, int] = field(default_factory=dict)
    chunk: Sequence[tuple[int, int, Any]] = ()
    """Further fields of the chunk."""

    def meta(self, start: int, size: int) -> bytes:
        values = sum(p.values for p in self.pages if p.type in (DATA, DATA_V2))
        unpacked = size - sum(len(p.data) for p in self.pages)
        unpacked += sum(len(p.data) if p.unpacked is None else p.unpacked for p in self.pages)
        numbers = {5: values, 6: unpacked, 7: size, 9: start} | self.told
        return struct(
            (1, I32, self.kind), (2, LIST, (I32, [zigzag(0)])),
            (3, LIST, (BINARY, [varint(len(self.name)) + self.name.encode()])), (4, I32, CODECS[self.codec]),
            *((number, I64, value) for number, value in sorted(numbers.items())),
        )  # fmt: skip


def numbers(*values: int) -> Page:
    """A page of 64-bit integers."""
    return Page(packing.pack(f"<{len(values)}q", *values), len(values))


def texts(*values: str) -> Page:
    """A page of texts."""
    return Page(b"".join(packing.pack("<I", len(v)) + v.encode() for v in values), len(values))


def write(path: Path, *columns: Column, rows: int, footer: Sequence[tuple[int, int, Any]] = ()) -> Path:
    """A file of one row group."""
    body, chunks, size = b"PAR1", [], 0
    for column in columns:
        pages = b"".join(page.encode() for page in column.pages)
        meta = column.meta(len(body), len(pages))
        chunks.append(struct((2, I64, 0), (3, STRUCT, meta), *column.chunk))
        body, size = body + pages, size + len(pages)
    leaves = [struct((1, I32, c.kind), (3, I32, 0), (4, BINARY, c.name.encode()),
                     *([(6, I32, 0)] if c.kind == BYTE_ARRAY else [])) for c in columns]  # fmt: skip
    schema = [struct((4, BINARY, b"schema"), (5, I32, len(columns))), *leaves]
    group = struct((1, LIST, (STRUCT, chunks)), (2, I64, size), (3, I64, rows))
    end = struct((1, I32, 1), (2, LIST, (STRUCT, schema)), (3, I64, rows), (4, LIST, (STRUCT, [group])), *footer)
    path.write_bytes(body + end + packing.pack("<I", len(end)) + b"PAR1")
    return path
