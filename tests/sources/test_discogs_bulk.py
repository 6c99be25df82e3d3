"""Discogs by columns: the rows of the record way, whatever the dump holds, however it is cut, whoever is killed."""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.discogs_hostile import HOSTILE, OTHER
from contracts.discogs_samples import ARTISTS, BROKEN, FIRST, LABELS, MASTERS, SECOND, releases
from contracts.discogs_ways import by_columns, by_records, same_both_ways
from fonoteca.core.errors import Failed
from fonoteca.sources import discogs_workers
from fonoteca.sources.discogs_pieces import Piece
from fonoteca.sources.discogs_shapes import SHAPES
from fonoteca.sources.limits import Limits
from fonoteca.sources.xmlrecords import blocks, records

pytestmark = pytest.mark.core


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    folder = tmp_path / "dump"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_records_are_what_the_parser_says(tmp_path: Path, dump: Path, name: str) -> None:
    (dump / "r").write_bytes(releases(FIRST, HOSTILE[name], SECOND))
    found = same_both_ways([dump], tmp_path / "w", workers=0)
    assert {"9", "10"} <= {row[1] for row in found["release"]}
    assert "root:" not in repr(found)


@pytest.mark.parametrize(("name", "code"), [
    ("entity expansion", "bad-xml"), ("quadratic blow-up", "bad-xml"), ("external entity", "bad-xml"),
    ("invalid token", "bad-xml"), ("depth of 100,000", "bad-xml"), ("tags crossed", "bad-xml"), ("no end", "bad-xml"),
    ("an attribute twice", "bad-xml"), ("reference to nothing", "bad-xml"), ("number zero", "no-key"),
    ("a number that came before with other content", "key-conflict"),
])  # fmt: skip
def test_what_is_refused(tmp_path: Path, dump: Path, name: str, code: str) -> None:
    (dump / "r").write_bytes(releases(FIRST, HOSTILE[name], SECOND))
    found = by_columns([dump], tmp_path / "w", workers=0)
    assert code in {row[1] for row in found["refused"]}


def test_an_attribute_of_a_hundred_megabytes_is_refused(tmp_path: Path, dump: Path) -> None:
    with gzip.open(dump / "r", "wb", 1) as stream:
        stream.write(releases(FIRST, end='<release id="11" a="'))
        rng = random.Random(1)
        for _ in range(100):
            stream.write(rng.randbytes(1 << 16).hex().encode() * 8)
        stream.write(f'"><title>Long</title></release>\n{SECOND}\n</releases>\n'.encode())
    found = same_both_ways([dump], tmp_path / "w", workers=0)
    assert [row[1] for row in found["refused"]] == ["long-row"]
    assert [row[1] for row in found["release"]] == ["9", "10"]


@pytest.mark.parametrize("end", ["", '<release id="11"><title>Half', "</release", "</releases>trailing", "<!-- "])
def test_a_missing_end_is_told(tmp_path: Path, dump: Path, end: str) -> None:
    (dump / "r").write_bytes(releases(FIRST, SECOND, end=end))
    assert same_both_ways([dump], tmp_path / "w", workers=0)["refused"]


def test_bytes_that_are_no_utf_8(tmp_path: Path, dump: Path) -> None:
    data = releases(FIRST, SECOND.replace('"10"', '"12"').replace("Bare", "B@re"), SECOND)
    (dump / "r").write_bytes(data.replace(b"B@re", b"B\xe4re\xed\xa0\x80\xc0\xaf"))
    found = same_both_ways([dump], tmp_path / "w", workers=0)
    assert [row[8] for row in found["release"]][1] == ["bad-encoding"]


def test_utf_16_that_says_it_is_utf_8(tmp_path: Path, dump: Path) -> None:
    wide = SECOND.replace('"10"', '"12"').encode("utf-16-le")
    (dump / "r").write_bytes(releases(FIRST).replace(b"</releases>\n", b"") + wide + releases(SECOND)[11:])
    found = same_both_ways([dump], tmp_path / "w", workers=0)
    assert [row[1] for row in found["release"]] == ["9", "10"]
    assert found["refused"]


def test_a_torn_gzip(tmp_path: Path, dump: Path) -> None:
    packed = gzip.compress(releases(*(SECOND.replace('"10"', f'"{n}"') for n in range(1, 2000))))
    (dump / "r").write_bytes(packed[: len(packed) // 2])
    found = same_both_ways([dump], tmp_path / "w", workers=0)
    assert [row[1] for row in found["refused"]] == ["truncated-file"]


def test_all_four_files_and_two_of_a_kind(tmp_path: Path, dump: Path) -> None:
    (dump / "a").write_text(ARTISTS)
    (dump / "l").write_text(LABELS)
    (dump / "m's").write_text(MASTERS)
    (dump / "r").write_bytes(releases(FIRST, BROKEN, SECOND))
    (dump / "s").write_bytes(gzip.compress(releases(FIRST, OTHER, SECOND.replace('"10"', '"13"'))))
    found = same_both_ways([dump], tmp_path / "w")
    assert found["counts"]["release_duplicates"] == 1
    assert [(row[0], row[1]) for row in found["refused"]] == [
        ("a:3", "no-content"), ("r:2", "bad-xml"), ("s:2", "key-conflict")]  # fmt: skip


def test_the_real_dumps_give_the_same_both_ways(tmp_path: Path, shared_data: Path) -> None:
    found = same_both_ways([shared_data / "discogs"], tmp_path / "w")
    assert (len(found["release"]), len(found["recording"])) == (1300, 5533)


@pytest.fixture
def many(tmp_path: Path, shared_data: Path) -> Path:
    """Some two hundred real releases."""
    data = gzip.decompress((shared_data / "discogs" / "discogs_20200806_releases.first650.xml.gz").read_bytes())
    pieces = re.split(rb"(?=<release id=)", data)
    path = tmp_path / "many"
    path.write_bytes(b"".join(pieces[:200]) + b"</releases>\n")
    return path


def test_neither_the_number_of_processes_nor_the_cuts_change_anything(tmp_path: Path, many: Path) -> None:
    expected = by_columns([many], tmp_path / "w", workers=0)
    for workers, size in ((0, 5_000), (1, 5_000), (3, 5_000), (2, 100_000)):
        assert by_columns([many], tmp_path / f"{workers}-{size}", workers, size) == expected


TOKENS = (
    b"<", b">", b"&", b'"', b"/", b"</a>", b"<a>", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"\r", b"\x07", b"\xff",
    b"&#8;", b"&lt;", b"</release>", b'<release id="7">', b"<title>", b"</title>", b"<track>", b"  ", b"'", b"=",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(25))
def test_mutations_of_real_releases_give_the_same_both_ways(tmp_path: Path, many: Path, dump: Path, seed: int) -> None:
    rng = random.Random(seed)
    data = bytearray(many.read_bytes())
    for _ in range(60):
        at = rng.randrange(20, len(data))
        match rng.randrange(4):
            case 0:
                data[at : at + rng.randrange(1, 40)] = b""
            case 1:
                data[at:at] = rng.choice(TOKENS)
            case 2:
                data[at] = rng.randrange(256)
            case _:
                other = rng.randrange(20, len(data))
                data[at:at] = data[other : other + rng.randrange(1, 400)]
    (dump / "r").write_bytes(data)
    same_both_ways([dump], tmp_path / "w", workers=0, size=rng.choice([20_000, 1 << 20]))


def test_a_killed_process_is_told_and_the_rest_is_read_the_next_time(
    tmp_path: Path, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = discogs_workers._read
    seen: list[int] = []

    def killing(process: object, piece: Piece, data: bytes) -> dict[str, int]:
        seen.append(piece.number)
        if piece.number == 5:
            process.kill()  # type: ignore[attr-defined]
        return read(process, piece, data)  # type: ignore[arg-type]

    monkeypatch.setattr(discogs_workers, "_read", killing)
    with pytest.raises(Failed) as caught:
        by_columns([many], tmp_path / "w", workers=1, size=50_000)
    assert caught.value.code == "reader-ended"
    done = {int(path.stem) for path in (tmp_path / "w" / "pieces").glob("*.json")}
    assert done == set(range(5))
    seen.clear()

    def watched(process: object, piece: Piece, data: bytes) -> dict[str, int]:
        seen.append(piece.number)
        return read(process, piece, data)  # type: ignore[arg-type]

    monkeypatch.setattr(discogs_workers, "_read", watched)
    found = by_columns([many], tmp_path / "w", workers=1, size=50_000)
    assert not done & set(seen)
    monkeypatch.undo()
    assert found == by_columns([many], tmp_path / "fresh", workers=2)


def test_nearly_all_real_releases_are_plain(shared_data: Path) -> None:
    from fonoteca.sources.discogs_columns import columns

    data = gzip.decompress((shared_data / "discogs" / "discogs_20200806_releases.first650.xml.gz").read_bytes())
    starts = [found.start() for found in re.finditer(rb"<release id=", data)]
    _, odd = columns(data[: data.rfind(b"</releases>")], starts, range(1, len(starts) + 1))
    assert len(odd) < 0.03 * len(starts)


def cut(path: Path, size: int, limits: Limits) -> Iterator[tuple[int, bytes, bool]]:
    for block in blocks(path, SHAPES["releases"], limits, size):
        yield block.first, block.data, block.over


def test_blocks_join_to_the_file_and_begin_at_records(tmp_path: Path) -> None:
    path = tmp_path / "r"
    path.write_bytes(releases(FIRST, BROKEN, SECOND, "<release id", "  =>", FIRST))
    for size in (1, 7, 64, 1000, 1 << 20):
        found = list(cut(path, size, Limits()))
        assert b"".join(data for _, data, _ in found) == path.read_bytes()
        assert all(data.startswith(b"<release") for first, data, _ in found if first)


def test_the_size_of_blocks_changes_no_record(tmp_path: Path) -> None:
    path = tmp_path / "r"
    long = SECOND.replace('"10"', '"12"').replace("Bare", "x" * 30_000)
    path.write_bytes(releases(FIRST, long, SECOND, BROKEN))
    expected = by_records([path])
    assert len(list(records(path, SHAPES["releases"], Limits(xml_record=20_000)))) == 4
    assert by_columns([path], tmp_path / "w", 0, 100) == expected
