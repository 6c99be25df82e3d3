"""The table of packs as a stranger may write it: no row leads outside, superseded packs are not offered."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from fonoteca.core.errors import Damaged, TrustFailed
from fonoteca.core.layout import PublicationLayout
from fonoteca.formats import tables
from fonoteca.formats.parquet import write_table
from fonoteca.mirror.packs import found_packs, read_packs

pytestmark = pytest.mark.core
GOOD = {
    "id": "head-0123456789abcdef", "revision": 0, "tier": "head", "class": "free", "volume": "head-free-0001-01",
    "bytes": 32_768, "sha256": "a" * 64, "merkle_root": "b" * 64, "recordings": 3, "coverage": 0.5, "state": "kept",
    "superseded_by": None,
}  # fmt: skip


def table(folder: Path, *rows: dict[str, object]) -> Path:
    path = folder / "packs.parquet"
    write_table(path, pa.Table.from_pylist([GOOD | row for row in rows], schema=tables.PACKS), sort_by=("id",))
    return path


def test_rows_become_packs(tmp_path: Path) -> None:
    [pack] = read_packs(table(tmp_path, {}, {"id": "head-old", "state": "superseded"}))
    assert (pack.name, pack.file) == ("head-0123456789abcdef.r0", "head-0123456789abcdef.r0.tar")
    assert pack.offer() == ("head-0123456789abcdef.r0", 32_768, 0.5, None, 0)
    publication = PublicationLayout(tmp_path / "p")
    assert pack.path(publication) == tmp_path / "p/packs/head-free-0001-01/head-0123456789abcdef.r0.tar"


@pytest.mark.parametrize(
    "row",
    [
        {"id": "../up"}, {"id": ""}, {"id": None}, {"id": "a/b"}, {"id": "A"}, {"id": "a" * 200}, {"volume": ".."},
        {"volume": "/abs"}, {"volume": "a\\b"}, {"volume": None}, {"bytes": 0}, {"bytes": -1}, {"bytes": None},
        {"revision": -1}, {"revision": None}, {"sha256": None}, {"sha256": "xyz"}, {"coverage": 2.0},
        {"coverage": float("nan")}, {"coverage": -0.5}, {"merkle_root": ""},
    ],
)  # fmt: skip
def test_a_hostile_row_is_refused(tmp_path: Path, row: dict[str, object]) -> None:
    with pytest.raises(TrustFailed) as caught:
        read_packs(table(tmp_path, {}, row))
    assert caught.value.code == "trust-extra-file"


def test_one_pack_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrustFailed):
        read_packs(table(tmp_path, {}, {"volume": "head-free-0002-01"}))


def test_what_is_no_table_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "packs.parquet"
    for junk in (b"", b"PAR1", b"x" * 100):
        path.write_bytes(junk)
        with pytest.raises(Damaged):
            read_packs(path)


def test_only_pack_files_are_found(tmp_path: Path) -> None:
    publication = PublicationLayout(tmp_path)
    folder = tmp_path / "packs" / "v"
    folder.mkdir(parents=True)
    for name in ("a.r0.tar", "b.r12.tar", "c.tar", "A.r0.tar", "x.r0.tar.partial"):
        (folder / name).write_bytes(b"123")
    assert [(f.name, f.volume, f.length) for f in found_packs(publication)] == [("a.r0", "v", 3), ("b.r12", "v", 3)]
    assert list(found_packs(PublicationLayout(tmp_path / "none"))) == []
