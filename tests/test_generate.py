"""Generated catalogues: the same bytes from the same seed, distributed as real ones are, the same whatever the form."""

from __future__ import annotations

import bz2
import gzip
import json
import sys
import tarfile
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY))

from benchmarks.generate import bzip2, derived, model, words
from benchmarks.generate.__main__ import count, packed
from benchmarks.generate.forms import FORMS
from benchmarks.generate.model import Shard
from benchmarks.generate.writing import pack, write

pytestmark = pytest.mark.core

TRACKS = 200_000
FIRST_LINE = "2\ta0f0b221-6022-457c-a08a-4b3c2c885efc\tDrafer part 2\t7\t226724\t\t0\t2020-05-25 10:26:32.782380+00\tf"


@pytest.fixture(scope="module")
def whole() -> tuple[Shard, model.Recordings]:
    shard = Shard.of(1, TRACKS, 0, 1)
    return shard, model.recordings(shard, np.arange(shard.base, shard.end))


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# Determinism


@pytest.mark.parametrize("form", FORMS)
def test_the_same_seed_and_shard_give_the_same_bytes_whatever_the_threads(form: str, tmp_path: Path) -> None:
    for jobs in (1, 2):
        write(form, Shard.of(7, 300_000, 1, 2), tmp_path / str(jobs), jobs)
    assert _files(tmp_path / "1") == _files(tmp_path / "2")
    write(form, Shard.of(8, 300_000, 1, 2), tmp_path / "other")
    assert _files(tmp_path / "1") != _files(tmp_path / "other")


def test_a_seed_means_the_same_for_ever(tmp_path: Path) -> None:
    write("mbdump", Shard.of(1, 3_000, 0, 1), tmp_path)
    first = (tmp_path / "mbdump" / "recording").read_text("utf-8").splitlines()[1]
    assert first == FIRST_LINE


def test_shards_share_no_recording_and_number_as_many_as_asked_for() -> None:
    shards = [Shard.of(1, 80_001, number, 8) for number in range(8)]
    assert sum(shard.recordings for shard in shards) == 80_001
    numbers = [n for shard in shards for n in (shard.base, shard.end)]
    assert numbers == sorted(numbers)
    with pytest.raises(ValueError, match="no shard 8"):
        Shard.of(1, 80_000, 8, 8)


def test_the_largest_catalogue_can_be_told_from_its_middle() -> None:
    shard = Shard.of(1, count("256M"), 5, 8)
    assert (shard.recordings, shard.blocks) == (32_000_000, 31_250)
    blocks = np.arange(shard.first + 20_000, shard.first + 20_004)
    made = model.listing(shard, blocks)
    assert len(made.number) == 4 * model.TRACK_IDS
    assert made.number.min() >= shard.base and made.number.max() < shard.end
    assert len(set(model.isrcs(made).to_pylist())) == len(set(made.origin.tolist()))


def test_sizes_are_decimal() -> None:
    assert (count("80k"), count("256M"), count("7")) == (80_000, 256_000_000, 7)


# Distributions, beside the figures of SOURCES (docs/benchmarks.md)


def test_listens_follow_the_law_of_the_open_archive(whole: tuple[Shard, model.Recordings]) -> None:
    shard, made = whole
    heard = model.listens(shard, made.number)
    assert heard.null_count / TRACKS == pytest.approx(0.4, abs=0.01)
    values = np.sort(heard.drop_null().to_numpy())[::-1]
    assert np.quantile(values, [0.25, 0.5, 0.75, 0.9, 0.99]) == pytest.approx([105, 237, 627, 1_629, 7_027], rel=0.05)
    assert (values.min(), values.mean()) == (12, pytest.approx(734, rel=0.06))
    rising, ranks = values[::-1], np.arange(1, len(values) + 1)
    gini = 2 * (ranks * rising).sum() / (len(values) * rising.sum()) - 1
    assert gini == pytest.approx(0.70, abs=0.01)
    shares = np.cumsum(values) / values.sum()
    held = [(np.searchsorted(shares, part) + 1) / len(values) for part in (0.5, 0.8, 0.9, 0.95, 0.99, 0.996)]
    assert held == pytest.approx([0.065, 0.267, 0.436, 0.596, 0.848, 0.920], abs=0.01)


def test_186_of_256_recordings_have_an_isrc_of_their_own(whole: tuple[Shard, model.Recordings]) -> None:
    _, made = whole
    codes = model.isrcs(made)
    assert len(codes.unique()) / TRACKS == pytest.approx(186 / 256, abs=0.002)
    assert pc.all(pc.match_substring_regex(codes, "^[A-Z]{2}[0-9A-Z]{3}[0-9]{7}$")).as_py()
    assert Counter(Counter(codes.to_pylist()).values())[3] > 1_000


def test_reissues_have_title_and_length_of_the_original(whole: tuple[Shard, model.Recordings]) -> None:
    shard, made = whole
    again = np.flatnonzero(made.origin != made.number)[:5_000]
    originals = model.recordings(shard, made.origin[again])
    assert (originals.origin == originals.number).all()
    titles = model.recording_titles(shard, made).take(again)
    assert titles.equals(model.recording_titles(shard, originals))
    assert (originals.artist == made.artist[again]).all()


def test_some_reissues_come_from_another_shard_with_another_artist() -> None:
    shard = Shard.of(1, 400_000, 1, 4)
    made = model.recordings(shard, np.arange(shard.base, shard.end))
    again = made.origin != made.number
    here = (made.origin >= shard.base) & (made.origin < shard.first * model.BLOCK + shard.blocks * model.BLOCK)
    assert (~here).sum() / again.sum() == pytest.approx(0.25 * 0.75, abs=0.04)


def test_titles_are_as_long_and_in_such_scripts_as_real_ones(whole: tuple[Shard, model.Recordings]) -> None:
    shard, made = whole
    titles = model.recording_titles(shard, made)
    lengths = pc.utf8_length(titles).to_numpy()
    assert 13 <= np.median(lengths) <= 15
    assert np.quantile(lengths, 0.99) == pytest.approx(57, abs=5)
    assert 120 < lengths.max() < 300
    latin = pc.match_substring_regex(titles, r"\p{Latin}").to_numpy(zero_copy_only=False).mean()
    cyrillic = pc.match_substring_regex(titles, r"\p{Cyrillic}").to_numpy(zero_copy_only=False).mean()
    eastern = (
        pc.match_substring_regex(titles, r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")
        .to_numpy(zero_copy_only=False)
        .mean()
    )
    assert (latin, cyrillic, eastern) == (pytest.approx(0.967, abs=0.005), pytest.approx(0.02, abs=0.004),
                                          pytest.approx(0.008, abs=0.003))  # fmt: skip
    ascii_only = pc.string_is_ascii(titles).to_numpy(zero_copy_only=False).mean()
    assert 1 - ascii_only == pytest.approx(0.07, abs=0.03)
    assert len(titles.unique()) > 0.6 * TRACKS


def test_lengths_are_those_of_real_tracks_and_7_of_200_are_missing(whole: tuple[Shard, model.Recordings]) -> None:
    shard, made = whole
    lengths = model.lengths(shard, made)
    assert lengths.null_count / TRACKS == pytest.approx(0.035, abs=0.002)
    found = np.quantile(lengths.drop_null().to_numpy() / 1000, [0.01, 0.25, 0.5, 0.75, 0.95, 0.99])
    assert found == pytest.approx([48, 186, 248, 329, 489, 720], rel=0.04)


def test_releases_have_as_many_tracks_dates_and_barcodes_as_real_ones(whole: tuple[Shard, model.Recordings]) -> None:
    shard, _ = whole
    made = model.releases(shard, np.arange(shard.first, shard.first + shard.blocks))
    assert made.size.sum() == TRACKS + shard.blocks * 64
    assert np.median(made.size) == 8
    assert np.quantile(made.size, 0.95) == pytest.approx(21, abs=2)
    assert (made.artist == model.VARIOUS_ARTISTS).mean() == pytest.approx(0.17, abs=0.005)
    assert (made.year == 0).mean() == pytest.approx(0.118, abs=0.01)
    assert ((made.year > 0) & (made.month == 0)).mean() == pytest.approx(0.571, abs=0.01)
    codes = model.barcodes(shard, made)
    assert 1 - codes.null_count / len(codes) == pytest.approx(0.338, abs=0.01)
    for code in codes.drop_null()[:100].to_pylist():
        assert sum(int(c) * (1, 3)[i % 2] for i, c in enumerate(code)) % 10 == 0


def test_a_few_artists_have_half_of_all_tracks(whole: tuple[Shard, model.Recordings]) -> None:
    _, made = whole
    tracks = np.sort(np.unique(made.artist, return_counts=True)[1])[::-1]
    half = np.searchsorted(np.cumsum(tracks) / tracks.sum(), 0.5) / len(tracks)
    assert half == pytest.approx(0.084, abs=0.02)
    assert 4 <= np.median(tracks) <= 8
    assert np.quantile(tracks, 0.99) == pytest.approx(151, rel=0.4)


def test_licences_are_mixed_as_in_the_open_lists(whole: tuple[Shard, model.Recordings]) -> None:
    shard, made = whole
    found = model.licences(shard, made)
    assert found.null_count / TRACKS == pytest.approx(0.104, abs=0.02)
    assert pc.sum(pc.match_substring_regex(found, r"/by(-sa)?/|zero|publicdomain")).as_py() / TRACKS == pytest.approx(
        0.063, abs=0.02
    )


def test_no_word_needs_an_escape_in_a_copy_row() -> None:
    known = words.vocabulary().words
    assert not pc.any(pc.match_substring_regex(known, r"[\\\t\r\n]")).as_py()
    assert len(known.unique()) > 0.99 * len(known)


def test_few_recordings_have_tags_and_few_genres_most_of_them(tmp_path: Path) -> None:
    write("derived", Shard.of(1, TRACKS, 0, 1), tmp_path)
    folder = tmp_path / "mbdump-derived" / "mbdump"
    names = {row[0]: row[1] for row in _rows(folder / "tag")}
    rows = _rows(folder / "recording_tag")
    tags = Counter(row[0] for row in rows)
    assert len({(row[0], row[1]) for row in rows}) == len(rows)
    assert len(tags) / TRACKS == pytest.approx(0.03, abs=0.002)
    assert set(tags.values()) == {1, 2}
    assert sum(count == 2 for count in tags.values()) / len(tags) == pytest.approx(0.5, abs=0.03)
    used = Counter(names[row[1]] for row in rows)
    assert used.keys() >= set(derived.GENRES) and set(used) - set(derived.GENRES) == set(derived.OTHERS)
    most = [used[name] for name in derived.GENRES]
    assert sum(most[:20]) / sum(most) == pytest.approx(0.48, abs=0.03)
    assert sum(row[2] == "0" for row in rows) / len(rows) == pytest.approx(0.04, abs=0.01)


# Forms

SMALL = (3, 20_000, 1, 2)


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("forms")
    for form in FORMS:
        write(form, Shard.of(*SMALL), root / form)
    return root


def _table(root: Path, name: str) -> list[list[str]]:
    return _rows(root / "mbdump" / "mbdump" / name)


def _rows(path: Path) -> list[list[str]]:
    text = path.read_text("utf-8")
    return [line.split("\t") for line in text.removesuffix("\n").split("\n")]


def test_all_forms_tell_the_same_recordings(forms: Path) -> None:
    credit = {row[0]: row[1] for row in _table(forms, "artist_credit")}
    isrc = {row[1]: row[2] for row in _table(forms, "isrc")}
    tables = {
        row[1]: (row[2], credit[row[3]], row[4].replace("\\N", ""), isrc[row[0]]) for row in _table(forms, "recording")
    }
    documents = {}
    for line in (forms / "jsonl" / "mbdump" / "recording").read_text("utf-8").splitlines():
        found = json.loads(line)
        artist = "".join(part["name"] + part["joinphrase"] for part in found["artist-credit"])
        documents[found["id"]] = (found["title"], artist, str(found["length"] or ""), found["isrcs"][0])
    rows = pq.read_table(forms / "parquet" / "tracks.parquet").to_pylist()
    ready = {row["mbid"]: (row["title"], row["artist"], str(row["duration_ms"] or ""), row["isrc"]) for row in rows}
    assert tables == documents == ready
    assert len(tables) == SMALL[1] / SMALL[3]
    heard = pq.read_table(forms / "listens" / "listens.parquet").to_pylist()
    assert {row["recording_mbid"]: row["listens"] for row in heard} == {
        row["mbid"]: row["listens"] for row in rows if row["listens"] is not None
    }


def test_all_forms_tell_the_same_releases_and_tracks(forms: Path) -> None:
    title = {row[0]: row[2] for row in _table(forms, "recording")}
    release_of = {row[0]: row[1] for row in _table(forms, "medium")}
    name = {row[0]: row[2] for row in _table(forms, "release")}
    tracks = Counter((name[release_of[row[3]]], title[row[2]]) for row in _table(forms, "track"))
    documents: Counter[tuple[str, str]] = Counter()
    for line in (forms / "jsonl" / "mbdump" / "release").read_text("utf-8").splitlines():
        found = json.loads(line)
        media = found["media"]
        assert [medium["track-count"] for medium in media] == [len(medium["tracks"]) for medium in media]
        documents.update(
            (found["title"], track["recording"]["title"]) for medium in media for track in medium["tracks"]
        )
    root = ET.fromstring(gzip.decompress(next((forms / "discogs").glob("*.xml.gz")).read_bytes()))
    xml = Counter((release.findtext("title") or "", track.findtext("title") or "")
                  for release in root for track in release.findall("tracklist/track"))  # fmt: skip
    assert tracks == documents == xml


def test_every_reference_between_tables_resolves_and_columns_are_complete(forms: Path) -> None:
    columns = {"artist": 19, "artist_credit": 7, "artist_credit_name": 5, "recording": 9, "isrc": 5, "track": 12,
    "medium": 9,
               "release": 14, "release_group": 8, "release_country": 5, "release_unknown_country": 4, "area": 14,
               "label": 16,
               "release_label": 5, "recording_gid_redirect": 3, "iso_3166_1": 2, "country_area": 1,
               "genre": 6}  # fmt: skip
    tables = {name: _table(forms, name) for name in columns}
    assert {name: {len(row) for row in rows} for name, rows in tables.items()} == {
        n: {width} for n, width in columns.items()
    }
    ids = {name: [row[0] for row in tables[name]] for name in ("artist", "artist_credit", "recording", "medium",
    "release",
                                                              "release_group", "label", "track", "isrc",
                                                              "area")}  # fmt: skip
    assert all(len(set(found)) == len(found) for found in ids.values())
    for table, column, target in (
        ("artist_credit_name", 0, "artist_credit"), ("artist_credit_name", 2, "artist"), ("recording", 3,
        "artist_credit"),
        ("isrc", 1, "recording"), ("track", 2, "recording"), ("track", 3, "medium"), ("track", 7, "artist_credit"),
        ("medium", 1, "release"), ("release", 3, "artist_credit"), ("release", 4, "release_group"),
        ("release_country", 0, "release"), ("release_country", 1, "area"), ("recording_gid_redirect", 1, "recording"),
        ("release_label", 1, "release"), ("release_label", 2, "label"), ("iso_3166_1", 0, "area"),
    ):  # fmt: skip
        assert {row[column] for row in tables[table]} <= set(ids[target]), (table, column)
    of_gids = ("artist", "recording", "release", "release_group", "track", "label")
    gids = [row[1] for name in of_gids for row in tables[name]]
    assert len(set(gids)) == len(gids)
    folder = forms / "derived" / "mbdump-derived" / "mbdump"
    tags, used = _rows(folder / "tag"), _rows(folder / "recording_tag")
    assert {len(row) for row in tags} == {3} and {len(row) for row in used} == {4}
    assert {row[0] for row in used} <= set(ids["recording"])
    assert {row[1] for row in used} <= {row[0] for row in tags}
    assert {row[2] for row in tables["genre"]} < {row[1] for row in tags}


def test_recordings_alone_are_the_same_lines(forms: Path) -> None:
    whole, alone = _files(forms / "jsonl"), _files(forms / "jsonl-recordings")
    assert whole.keys() - alone.keys() == {"mbdump/release"}
    assert alone.items() <= whole.items()


def test_threads_make_one_stream_of_bzip2(tmp_path: Path) -> None:
    dice = np.random.default_rng(1)
    noise, runs = dice.bytes(1_900_001), b"".join(bytes([n % 251]) * 4 for n in range(300_000))
    for number, data in enumerate((b"", b"a", b"line\n" * 700_000, noise, runs, noise[:500_000] + runs)):
        made = []
        for jobs in (1, 2):
            path = tmp_path / f"{number}.{jobs}"
            with bzip2.Writer(path.open("wb"), jobs) as out:
                for start in range(0, len(data), 333_333):
                    out.write(data[start : start + 333_333])
            made.append(path.read_bytes())
        assert made[0] == made[1]
        machine = bz2.BZ2Decompressor()
        assert machine.decompress(made[0]) == data
        assert machine.eof and not machine.unused_data


@pytest.mark.parametrize("kind", ["tar", "tar.bz2", "tar.zst"])
def test_a_packed_dump_holds_the_files_of_the_folder(kind: str, forms: Path, tmp_path: Path) -> None:
    folder = tmp_path / "dump"
    write("mbdump", Shard.of(*SMALL), folder)
    target = tmp_path / f"mbdump.{kind}"
    pack(folder, kind, target)
    assert not [p for p in folder.rglob("*") if p.is_file()]
    stream = pa.input_stream(str(target), compression="zstd" if kind == "tar.zst" else None)
    with tarfile.open(fileobj=stream, mode="r|bz2" if kind == "tar.bz2" else "r|") as tar:
        found = {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]
    assert list(found)[:2] == ["COPYING", "REPLICATION_SEQUENCE"]
    assert found == _files(forms / "mbdump")


def test_tags_are_packed_as_a_dump_of_their_own(forms: Path, tmp_path: Path) -> None:
    for form in ("mbdump", "derived"):
        write(form, Shard.of(*SMALL), tmp_path / "dump")
    packed(tmp_path / "dump", "tar", {"mbdump", "derived"})
    for name, inside in (("dump", forms / "mbdump"), ("dump-derived", forms / "derived" / "mbdump-derived")):
        with tarfile.open(tmp_path / f"{name}.tar") as tar:
            assert {entry.name: tar.extractfile(entry).read() for entry in tar} == _files(inside)  # type: ignore[union-attr]
