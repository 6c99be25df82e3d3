"""Promise H1: every source reads mutated dumps without a crash, a hang over 5 s, or 512 MiB. Seeded; 20 s for all.

Each real sample is mutated: bytes flipped, cut out, doubled, moved; numbers made huge; packed anew after it.
"""

from __future__ import annotations

import gzip
import os
import random
import re
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from faults.ingesting import write_mbdump, write_table
from sources.confined import confined

pytestmark = pytest.mark.core
SECONDS = float(os.environ.get("FONOTECA_NOISE_SECONDS", "15"))
LONG = 1_800.0
HEAD = 40_000
"""Bytes of a sample that are mutated: small enough to be read often."""
NUMBERS = [b"0", b"-1", b"9" * 30, b"2147483648", b"1e999", b"NaN", b"0000", b"31", "٣".encode()]
PIECES = [b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"<", b"&x;", b"<!DOCTYPE a [<!ENTITY x 'y'>]>", b"]]>", b'"', b"\n",
          b"\r", b"\t", b"{", b"[" * 60, b"}", b"\\", b"\\N", b"\\ud800", b"=1+1", b"\x1f\x8b", b"PAR1"]  # fmt: skip


def mutated(data: bytes, dice: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(dice.choice([1, 1, 2, 5, 20])):
        at, way = dice.randrange(len(out) + 1), dice.randrange(6)
        if way == 0 and at < len(out):
            out[at] ^= 1 << dice.randrange(8)
        elif way == 1:
            del out[at : at + dice.randint(1, 40)]
        elif way == 2:
            out[at:at] = dice.choice(PIECES)
        elif way == 3:
            out[at:at] = out[at : at + dice.randint(1, 400)] * dice.choice([1, 3, 50])
        elif way == 4 and (spot := re.compile(rb"\d+").search(out, at)):
            out[spot.start() : spot.end()] = dice.choice(NUMBERS)
        else:
            end = dice.randrange(len(out) + 1)
            out[at:at] = out[end : end + dice.randint(1, 200)]
        if len(out) > 4 * HEAD or not out:
            out = bytearray(data)
    return bytes(out)


def small(folder: Path) -> list[tuple[str, bytes]]:
    """Samples that need no shared data: (source, bytes)."""
    for name in ("table", "mb"):
        (folder / name).mkdir()
    write_table(folder / "table", 60)
    write_mbdump(folder / "mb", 60)
    rows = [{"id": str(n), "title": f"t{n}", "list": ["a", None], "inner": {"x": n}} for n in range(60)]
    pq.write_table(pa.Table.from_pylist(rows), folder / "t.parquet")
    lines = b"".join(b'{"id": %d, "title": "t", "artist": ["a", {"b": 1}]}\n' % n for n in range(60))
    return [("table", (folder / "table/songs.csv").read_bytes()), ("table", (folder / "t.parquet").read_bytes()),
            ("table", lines)]  # fmt: skip


REAL = {
    "fma": ["catalogues/fma-excerpt/raw_tracks_excerpt.csv.gz", "catalogues/fma-excerpt/raw_albums_excerpt.csv.gz"],
    "freemusi": ["catalogues/freemusi-cc/releases.csv.gz", "catalogues/freemusi-cc/tracks.csv.gz"],
    "jamendo": ["catalogues/mtg-jamendo/tracks_union.tsv.gz", "catalogues/mtg-jamendo/autotagging_moodtheme.tsv.gz"],
    "discogs": [f"discogs/discogs_20200806_{kind}.first650.xml.gz"
                for kind in ("artists", "labels", "masters", "releases")],
    "internet_archive": ["catalogues/internet-archive/nasa.json", "catalogues/internet-archive/scrape_response.json"],
    "listenbrainz": ["listenbrainz"],
    "oai_pmh": ["oai-pmh"],
    "table": ["catalogues/jamendo-lyrics/JamendoLyrics.csv", "catalogues/licence-strings.csv"],
}  # fmt: skip


def real(shared: Path) -> list[tuple[str, bytes]]:
    """The heads of the real samples."""
    found = []
    for source, names in REAL.items():
        for name in names:
            path = shared / name
            paths = (
                sorted(p for p in path.rglob("*") if p.suffix in {".parquet", ".xml", ".json"})
                if path.is_dir()
                else [path]
            )
            for one in paths[:6]:
                data = one.read_bytes()
                data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
                found.append((source, data if data[:4] == b"PAR1" else data[:HEAD]))
    return found


def noise(samples: list[tuple[str, bytes]], folder: Path, seconds: float, seed: int) -> int:
    """Mutate and read until the time is over; returns how many inputs that were."""
    dice, read = random.Random(seed), 0
    begun = time.monotonic()
    with confined() as reader:
        while time.monotonic() < begun + seconds:
            for source, data in samples:
                changed = mutated(data, dice)
                if dice.random() < 0.15:
                    packed = gzip.compress(changed, 1)
                    changed = packed if dice.random() < 0.5 else mutated(packed, dice)
                (folder / "noise").write_bytes(changed)
                try:
                    reader.survive(source, folder / "noise", f"seed {seed}, input {read}")
                except AssertionError:
                    keep = folder / f"failing-{source}-{read}"
                    keep.write_bytes(changed)
                    raise
                read += 1
    return read


def test_noise_in_what_we_can_make_ourselves(tmp_path: Path) -> None:
    assert noise(small(tmp_path), tmp_path, SECONDS / 5, seed=1) >= 20


@pytest.mark.shared_data
def test_noise_in_all_real_samples(tmp_path: Path, shared_data: Path) -> None:
    samples = real(shared_data)
    assert {source for source, _ in samples} == set(REAL)
    assert noise(samples, tmp_path, SECONDS * 3 / 5, seed=2) >= len(samples)


def test_noise_in_tables_of_musicbrainz(tmp_path: Path) -> None:
    """Each time another table of a dump is mutated."""
    (tmp_path / "mb").mkdir()
    write_mbdump(tmp_path / "mb", 60)
    folder, dice = tmp_path / "mb/mbdump", random.Random(3)
    begun = time.monotonic()
    with confined() as reader:
        while time.monotonic() < begun + SECONDS / 5:
            victim = dice.choice(sorted(folder.iterdir()))
            whole = victim.read_bytes()
            victim.write_bytes(mutated(whole, dice))
            reader.survive("musicbrainz", folder, victim.name)
            victim.write_bytes(whole)


@pytest.mark.long
@pytest.mark.shared_data
@pytest.mark.parametrize("seed", range(10, 12))
def test_hours_of_noise(tmp_path: Path, shared_data: Path, seed: int) -> None:
    noise(real(shared_data) + small(tmp_path), tmp_path, LONG, seed)
