"""Catalogue files: immutable Parquet, named by its digest, the same bytes for the same rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from fonoteca.catalogue.places import Places
from fonoteca.core import durable

ROW_GROUP = 65_536


@dataclass(frozen=True, order=True)
class FileRef:
    """A file of the catalogue: hex SHA-256 (its name), length in bytes, rows; Parquet, or sorted ``keys``."""

    sha256: str
    bytes: int
    rows: int
    kind: str = "parquet"

    def as_json(self) -> dict[str, Any]:
        """As it stands in a generation; where it stands says of which kind it is."""
        return {"sha256": self.sha256, "bytes": self.bytes, "rows": self.rows}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> FileRef:
        """The reverse. Raises KeyError, ValueError or TypeError for what is none."""
        return cls(str(value["sha256"]), int(value["bytes"]), int(value["rows"]))


class _Hashing:
    """A sink that hashes what passes; Parquet is written front to back."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.sha256 = hashlib.sha256()
        self.length = 0
        self.closed = False

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        self.length += len(data)
        self._stream.write(data)
        return len(data)

    def tell(self) -> int:
        return self.length

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        self.closed = True


def are_there(places: Places, refs: Iterable[FileRef]) -> bool:
    """True where every file is there with its length: digests are the business of ``verify``."""
    try:
        return all(places.path(ref).stat().st_size == ref.bytes for ref in refs)
    except FileNotFoundError:
        return False


def row_groups(batches: Iterable[pa.RecordBatch], schema: pa.Schema, rows: int = ROW_GROUP) -> Iterator[pa.Table]:
    """Tables of exactly ``rows`` rows (the last may be shorter), however the engine cut its batches."""
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        rest = batch
        while count + rest.num_rows >= rows:
            head = rest.slice(0, rows - count)
            yield _fit([*held, head], schema)
            rest = rest.slice(rows - count)
            held, count = [], 0
        if rest.num_rows:
            held.append(rest)
            count += rest.num_rows
    if held:
        yield _fit(held, schema)


def _fit(batches: list[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_batches(batches).cast(schema).combine_chunks()


def write(
    places: Places, name: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema, group: int = ROW_GROUP
) -> FileRef:
    """Write rows, in the order given, to a file that is then named by its digest.

    Args:
        places: of the catalogue.
        name: of the work file below ``spool/``.
        batches: rows with the columns of ``schema``.
        group: rows of a row group.
    """
    work = places.spool / name
    rows = 0
    with durable.writing(work) as raw:
        sink = _Hashing(raw)
        with pq.ParquetWriter(
            sink, schema, version="2.6", compression="zstd", compression_level=3, use_dictionary=True,
            write_statistics=True, data_page_version="1.0", write_page_index=True,
        ) as writer:  # fmt: skip
            for some in row_groups(batches, schema, group):
                writer.write_table(some, row_group_size=group)
                rows += some.num_rows
    ref = FileRef(sink.sha256.hexdigest(), sink.length, rows)
    # Also over a file that is there: the bytes are the same unless it was damaged, and then this heals it.
    durable.rename(work, places.file(ref.sha256))
    return ref
