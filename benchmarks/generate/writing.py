"""A shard is made part by part on all cores and written in order by one."""

from __future__ import annotations

import contextlib
import tarfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.generate import bzip2
from benchmarks.generate.forms import FORMS, Form
from benchmarks.generate.mix import Index
from benchmarks.generate.model import Shard

PART = 128
"""Blocks of a part: 131,072 recordings, 45 MB of tables."""
PACKS = ("folder", "tar", "tar.bz2", "tar.zst")
_EPOCH = 1_788_307_213


def write(form: str, shard: Shard, target: Path, jobs: int = 2, told: Callable[[int], None] = lambda _: None) -> None:
    """Write a dump into a folder; ``told`` hears of recordings done. Files of that name are replaced."""
    made = FORMS[form]
    for name, data in made.constant().items():
        _path(target, name).write_bytes(data)
    if made.text is not None:
        _write_text(made, shard, target, jobs, told)
    if made.rows is not None:
        _write_rows(made.rows, shard, target, jobs, told)


def _write_text(form: Form, shard: Shard, target: Path, jobs: int, told: Callable[[int], None]) -> None:
    with contextlib.ExitStack() as stack:
        files: dict[str, IO[bytes]] = {}
        for blocks, portions in _in_order(lambda blocks: form.portions(shard, blocks), shard, jobs):
            for name, parts in portions.items():
                if name not in files:
                    files[name] = stack.enter_context(_path(target, name).open("wb", buffering=0))
                for part in parts:
                    _write_all(files[name], memoryview(part))
            told(_done(shard, blocks))


def _write_all(stream: IO[bytes], data: memoryview) -> None:
    while len(data):
        data = data[stream.write(data) :]


def _write_rows(
    rows: Callable[[Shard, Index], Any], shard: Shard, target: Path, jobs: int, told: Callable[[int], None]
) -> None:
    with contextlib.ExitStack() as stack:
        files: dict[str, pq.ParquetWriter] = {}
        for blocks, tables in _in_order(lambda blocks: rows(shard, blocks), shard, jobs):
            for name, table in tables.items():
                if name not in files:
                    path = str(_path(target, name))
                    files[name] = stack.enter_context(pq.ParquetWriter(path, table.schema, compression="zstd"))
                files[name].write_table(table, row_group_size=len(table) or 1)
            told(_done(shard, blocks))


def _in_order(make: Callable[[Index], Any], shard: Shard, jobs: int) -> Iterator[tuple[Index, Any]]:
    """Parts as they are wanted: no more than one for each job, and one, wait to be written."""
    pa.set_cpu_count(max(jobs, 1))
    starts = range(shard.first, shard.first + shard.blocks, PART)
    parts = (np.arange(start, min(start + PART, shard.first + shard.blocks)) for start in starts)
    waiting: deque[tuple[Index, Future[Any]]] = deque()
    with ThreadPoolExecutor(jobs) as pool:
        for blocks in parts:
            waiting.append((blocks, pool.submit(make, blocks)))
            if len(waiting) > jobs + 1:
                done, future = waiting.popleft()
                yield done, future.result()
        while waiting:
            done, future = waiting.popleft()
            yield done, future.result()


def _done(shard: Shard, blocks: Index) -> int:
    return min((int(blocks[-1]) + 1) * 1024, shard.end) - shard.base


def _path(target: Path, name: str) -> Path:
    path = target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def pack(folder: Path, form: str, archive: Path, jobs: int = 2) -> None:
    """Put a folder's files into a TAR, those about the dump first, and remove them. Same files, same bytes."""
    paths = sorted((p for p in folder.rglob("*") if p.is_file()), key=lambda p: (len(p.parts), p.name))
    with _opened(form, archive, jobs) as out, tarfile.open(fileobj=out, mode="w|", format=tarfile.GNU_FORMAT) as tar:
        for path in paths:
            entry = tarfile.TarInfo(str(path.relative_to(folder)))
            entry.size, entry.mtime, entry.mode = path.stat().st_size, _EPOCH, 0o644
            with path.open("rb") as stream:
                tar.addfile(entry, stream)
            path.unlink()


def _opened(form: str, archive: Path, jobs: int) -> Any:
    if form == "tar.bz2":
        return bzip2.Writer(archive.open("wb"), jobs)
    return pa.CompressedOutputStream(str(archive), "zstd") if form == "tar.zst" else archive.open("wb")
