"""Every flipped bit of the catalogue is found and named, all in one pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from fonoteca.catalogue.check import check
from fonoteca.catalogue.generation import load
from fonoteca.catalogue.places import Places
from fonoteca.core.findings import Severity
from simulators.tiny_catalogue import archive, filled, ingest, tree

pytestmark = pytest.mark.core


def test_a_whole_catalogue_has_no_findings(tmp_path: Path) -> None:
    assert list(check(filled(tmp_path))) == []


def test_an_archive_without_a_catalogue_has_none_either(tmp_path: Path) -> None:
    assert list(check(archive(tmp_path))) == []


def test_one_flipped_bit_in_any_file_is_found(tmp_path: Path) -> None:
    layout = filled(tmp_path)
    for path in sorted(Places.of(layout).files.iterdir()):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        found = list(check(layout))
        assert [(f.code, f.path, f.severity) for f in found] == [
            ("catalogue-file-damaged", f"catalogue/files/{path.name}", Severity.DAMAGE)
        ]
        data[len(data) // 2] ^= 1
        path.write_bytes(data)


def test_all_damage_is_listed_in_one_pass(tmp_path: Path) -> None:
    layout = filled(tmp_path)
    paths = sorted(Places.of(layout).files.iterdir())
    for path in paths[::2]:
        path.unlink()
    for path in paths[1::2]:
        path.write_bytes(path.read_bytes() + b"x")
    codes = [f.code for f in check(layout)]
    assert codes.count("catalogue-file-missing") == len(paths[::2])
    assert codes.count("catalogue-file-damaged") == len(paths[1::2])


@pytest.mark.parametrize("name", ["CURRENT", "generations/000003.json", "generations/000002.json"])
@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\xfe"])
def test_a_damaged_manifest_or_pointer_is_a_finding(name: str, damage: bytes, tmp_path: Path) -> None:
    layout = filled(tmp_path)
    (Places.of(layout).root / name).write_bytes(damage)
    found = [f for f in check(layout) if f.code == "catalogue-manifest-damaged"]
    assert f"catalogue/{name}" in {f.path for f in found}


def test_what_the_finding_advises_mends_it(tmp_path: Path) -> None:
    layout = filled(tmp_path)
    whole = tree(tmp_path)
    path = Places.of(layout).file(load(Places.of(layout)).facts("recording")[0].sha256)
    path.write_bytes(bytes(reversed(path.read_bytes())))
    finding = next(iter(check(layout)))
    assert finding.path in finding.repair
    path.unlink()
    for source in ("fma", "jamendo", "table"):
        ingest(layout, source)
    assert list(check(layout)) == []
    assert tree(tmp_path) == whole
