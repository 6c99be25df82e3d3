"""The manifest and the pointer: golden bytes, and every way in which they can be wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fonoteca.catalogue import generation
from fonoteca.catalogue.files import FileRef
from fonoteca.catalogue.generation import DumpFile, DumpId, Generation, PartitionEntry, Popularity, Remap
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.tables import FORMAT
from fonoteca.core import canonical
from fonoteca.core.errors import Damaged, Failed
from simulators.tiny_catalogue import archive, filled, info

pytestmark = pytest.mark.core


def small() -> Generation:
    """One partition, one merged table, a popularity: every field of the format."""
    dump = DumpId.of("", (DumpFile("raw_tracks.csv.gz", 102_180, "b6" * 32),))
    entry = PartitionEntry(
        "fma", "", dump, [{"fields": "*", "licence": "CC-BY-4.0", "credit": "FMA"}], "", "1",
        {"rows": 4, "recordings": 3, "refused": 1}, f"quarantine/fma-{dump.id}.jsonl",
        {"recording": [FileRef("0a" * 32, 4_096, 3)]}, [("recording", "17", 5)],
    )  # fmt: skip
    popularity = Popularity(("CC0-1.0",), True, [FileRef("0c" * 32, 900, 3)])
    merged = {"recordings": [FileRef("0b" * 32, 5_000, 3)]}
    return Generation(7, (entry,), merged, popularity, (Remap("recording", "fma", "", "17", 5, 6),))


def test_the_manifest_is_byte_exact(golden: Callable[[str, bytes], None]) -> None:
    golden("generation/000007.json", canonical.encode(small().as_json()))


def test_the_pointer_is_byte_exact(golden: Callable[[str, bytes], None], tmp_path: Path) -> None:
    generation.commit(Places(tmp_path), small())
    golden("generation/CURRENT", Places(tmp_path).current.read_bytes())


def test_a_generation_survives_writing_and_reading(tmp_path: Path) -> None:
    generation.commit(Places(tmp_path), small())
    assert generation.load(Places(tmp_path)) == small()


def test_a_new_archive_has_the_empty_generation(tmp_path: Path) -> None:
    assert generation.load(Places(tmp_path)) == Generation(0)


def test_a_manifest_holds_no_time_and_no_folder(tmp_path: Path) -> None:
    layout = filled(tmp_path)
    data = Places.of(layout).generation(3).read_text()
    assert str(tmp_path) not in data
    assert "20" + "26" not in json.dumps(json.loads(data)["partitions"][0]["dump"])


def test_dumps_of_the_same_bytes_have_one_name_whatever_their_folder() -> None:
    files = (DumpFile("a", 1, "00"), DumpFile("b", 2, "01"))
    assert DumpId.of("", files) == DumpId.of("", files)
    assert len({DumpId.of("", files).id, DumpId.of("x", files).id, DumpId.of("", files[::-1]).id}) == 3


@pytest.mark.parametrize("data", [b"", b"{}", b"nonsense", b'{"generation":"x","digest":"y"}', b"\xff"])
def test_a_damaged_pointer_is_named(data: bytes, tmp_path: Path) -> None:
    layout = filled(tmp_path)
    Places.of(layout).current.write_bytes(data)
    with pytest.raises(Damaged) as caught:
        generation.load(Places.of(layout))
    assert (caught.value.code, caught.value.subject) == ("generation-damaged", str(Places.of(layout).current))


def test_a_manifest_that_is_not_the_one_named_is_refused(tmp_path: Path) -> None:
    layout = filled(tmp_path)
    path = Places.of(layout).generation(3)
    path.write_bytes(path.read_bytes().replace(b"CC0-1.0", b"CC1-1.0"))
    with pytest.raises(Damaged, match="by digest"):
        generation.load(Places.of(layout))


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    layout = filled(tmp_path)
    Places.of(layout).generation(3).unlink()
    with pytest.raises(Damaged, match="which is not there"):
        generation.load(Places.of(layout))


def test_a_newer_format_is_refused_with_a_sentence(tmp_path: Path) -> None:
    places = Places.of(archive(tmp_path))
    data = canonical.encode(small().as_json() | {"format": FORMAT + 1})
    places.generations.mkdir(parents=True)
    places.generation(7).write_bytes(data)
    pointer = {"generation": 7, "digest": hashlib.sha256(data).hexdigest()}
    places.current.write_bytes(canonical.encode(pointer))
    with pytest.raises(Failed) as caught:
        generation.load(places)
    assert caught.value.code == "newer-format"


def test_a_manifest_that_could_not_be_read_again_never_counts(tmp_path: Path) -> None:
    places = Places(tmp_path)
    generation.commit(places, small())
    before = places.current.read_bytes()
    [entry] = small().partitions
    odd = small().with_partition(PartitionEntry(**{**vars(entry), "dataset": "no text: \udcff"}))
    with pytest.raises(Damaged):
        generation.commit(places, odd)
    assert places.current.read_bytes() == before
    assert generation.load(places) == small()


def test_partitions_are_replaced_by_name_and_sorted() -> None:
    entry = small().partitions[0]
    other = PartitionEntry(**{**vars(entry), "source": "discogs"})
    both = small().with_partition(other)
    assert [p.source for p in both.partitions] == ["discogs", "fma"]
    assert both.with_partition(other) == both
    assert info("fma").name == "fma"
