"""The forms of a dump: what files it consists of, and how some blocks of a shard are told in them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from benchmarks.generate import derived, discogs, jsonl, mbdump, plain
from benchmarks.generate.mix import Index
from benchmarks.generate.model import Shard

Portions = Sequence[memoryview | bytes]


@dataclass(frozen=True)
class Form:
    """One form.

    Attributes:
        constant: files, whole.
        before, after: what a growing file begins and ends with.
        text: the bytes that some blocks add to each growing file.
        rows: the row group that some blocks add to each Parquet file.
        packed: files that lie compressed by gzip; a portion is a member of its own (RFC 1952, section 2.2).
    """

    constant: Callable[[], Mapping[str, bytes]] = dict
    text: Callable[[Shard, Index], Mapping[str, Portions]] | None = None
    rows: Callable[[Shard, Index], Mapping[str, pa.Table]] | None = None
    before: Mapping[str, bytes] | None = None
    after: Mapping[str, bytes] | None = None
    packed: bool = False

    def portions(self, shard: Shard, blocks: Index) -> Mapping[str, Portions]:
        """What some blocks add to the growing files; what the first and the last add besides is in it."""
        made = {name: list(parts) for name, parts in self.text(shard, blocks).items()} if self.text else {}
        if blocks[0] == shard.first:
            for name, head in (self.before or {}).items():
                made[name].insert(0, head)
        if blocks[-1] == shard.first + shard.blocks - 1:
            for name, tail in (self.after or {}).items():
                made[name].append(tail)
        return {name: [packed(parts)] for name, parts in made.items()} if self.packed else made


def packed(parts: Portions) -> bytes:
    """A member of a gzip file, without name and time."""
    machine = zlib.compressobj(6, zlib.DEFLATED, 31)
    return b"".join([*map(machine.compress, parts), machine.flush()])


def _in_folder(shard: Shard, blocks: Index) -> Mapping[str, Portions]:
    return {f"mbdump/{name}": parts for name, parts in mbdump.tables(shard, blocks).items()}


def _constant() -> Mapping[str, bytes]:
    return {**mbdump.constant(), "mbdump/genre": derived.genres()}


FORMS: Mapping[str, Form] = {
    "mbdump": Form(_constant, text=_in_folder),
    "derived": Form(derived.constant, text=derived.tables),
    "listens": Form(rows=plain.listens),
    "jsonl": Form(jsonl.constant, text=jsonl.lines),
    "jsonl-recordings": Form(jsonl.constant, text=jsonl.recordings),
    "discogs": Form(text=discogs.releases, before={discogs.FILE: b"<releases>\n"},
    after={discogs.FILE: b"</releases>\n"},
                    packed=True),
    "parquet": Form(rows=plain.tracks),
}  # fmt: skip
