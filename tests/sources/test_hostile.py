"""Whatever the bytes are: a dump is refused by ``check``, or read to its end with every row accounted for."""

from __future__ import annotations

import gzip
import os
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fonoteca.core.errors import Usage
from fonoteca.sources.fma import Fma
from fonoteca.sources.freemusi import Freemusi
from fonoteca.sources.jamendo import Jamendo
from fonoteca.sources.records import Dump, Record, Source
from fonoteca.sources.table import Table
from fonoteca.sources.tally import Tally

pytestmark = pytest.mark.core

SPECIMENS: list[tuple[Source, bytes]] = [
    (Table(), b'id,title,artist,duration\n1,"A, b",C,3:45\n2,"D ""e""\nf",G,12\n'),
    (Table(), b'{"id": 1, "title": "A", "artist": ["B", "C"], "genres": ["x"]}\n{"id": 2, "title": {"a": [1]}}\n'),
    (Fma(), (b"track_id,track_title,artist_name,license_title,license_url,track_duration,track_listens,track_genres\n"
            b"1,A,B,Attribution,http://x,3:45,7,\"[{'genre_title': 'Pop'}]\"\n2,C,D,,,12,8,[]\n")),
    (Freemusi(), b"id,disc,track,title,trackurl,trackartist,duration,rating\nr,1,1,A,http://x,B,12,3\nr,1,2,,,,,\n"),
    (Jamendo(), (b"TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n"
                b"track_0000001\tartist_000001\talbum_000001\t1/1.mp3\t12.5\tgenre---pop\tmood---x\n")),
]  # fmt: skip
PIECES = [
    b"\0",
    b'"',
    b"\n",
    b"\r",
    b",",
    b"\t",
    b"\xff\xfe",
    b"\x80",
    b"{",
    b"[",
    b"}",
    b"\xed\xa0\x80",
    b"\x1a",
    b"9" * 400,
]


def read(source: Source, path: Path) -> Tally | None:
    """The counts, or None where ``check`` refused the file."""
    dump = Dump([path])
    try:
        dump = source.resolve(dump)
        source.check(dump)
    except Usage as error:
        assert error.remedy
        return None
    tally = Tally()
    first: list[Record] = list(tally.watch(source.records(dump)))
    assert tally.rows == tally.recordings + tally.references + tally.duplicates + tally.refused
    assert list(source.records(dump)) == first
    return tally


def mutated(data: bytes, seed: int) -> bytes:
    rng = random.Random(seed)
    out = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(out) + 1)
        if rng.random() < 0.5:
            out[at:at] = rng.choice(PIECES)
        else:
            del out[at : at + rng.randint(1, 8)]
    return bytes(out)


@pytest.mark.parametrize("number", range(len(SPECIMENS)))
@pytest.mark.parametrize("packed", [False, True])
def test_mutations_of_good_files_are_refused_or_accounted_for(tmp_path: Path, number: int, packed: bool) -> None:
    source, data = SPECIMENS[number]
    path = tmp_path / "t"
    path.write_bytes(data)
    assert read(source, path) is not None
    for seed in range(150):
        changed = mutated(gzip.compress(data) if packed and seed % 2 else data, seed)
        path.write_bytes(gzip.compress(changed) if packed and not seed % 2 else changed)
        read(source, path)


@given(st.binary(max_size=400))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_any_bytes_are_refused_or_accounted_for(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "t"
    path.write_bytes(data)
    for source, _ in SPECIMENS:
        read(source, path)


@given(st.text(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_any_text_below_a_header_is_accounted_for(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t"
    path.write_bytes(b"title,artist\n" + text.encode("utf-8", "surrogatepass"))
    read(Table(), path)


@pytest.mark.parametrize("kind", ["fifo", "device"])
def test_what_is_no_regular_file_is_not_opened(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "pipe" if kind == "fifo" else Path(os.devnull)
    if kind == "fifo":
        os.mkfifo(path)
    with pytest.raises(Usage, match="no regular file"):
        Table().check(Dump([path]))
