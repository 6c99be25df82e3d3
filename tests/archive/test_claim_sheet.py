"""The table of claims: columns, mappings, rows without a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from fonoteca.archive.claim_sheet import read
from fonoteca.archive.walk import find
from fonoteca.core.errors import FonotecaError

pytestmark = pytest.mark.core


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """A folder with two files."""
    folder = tmp_path / "music"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.flac", "sub/b.flac"):
        (folder / name).write_bytes(b"x")
    return folder


def sheet(folder: Path, text: str, named: list[Path], where: Path | None = None) -> Path:
    path = (where or folder) / "claims.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_find_their_files_beside_the_table_or_below_a_folder_that_was_named(music: Path, tmp_path: Path) -> None:
    text = "file,title,licence\na.flac,Alpha,CC0-1.0\nsub/b.flac,Beta,CC-BY-4.0\n./sub/../a.flac,Again,CC0-1.0\n"
    for where in (music, tmp_path / "elsewhere"):
        path = sheet(music, text, [music], where)
        found = find([music], {path})
        got = read(path, None, found, [music])
        assert [r.title for r in got.of(music / "a.flac")] == ["Alpha", "Again"]
        assert [r.licence for r in got.of(music / "sub" / "b.flac")] == ["CC-BY-4.0"]
        assert got.refused == ()
        path.unlink()


def test_a_row_without_its_file_is_refused_and_one_whose_file_was_not_named_is_left(music: Path) -> None:
    path = sheet(music, "file,licence\nmissing.flac,CC0-1.0\n,CC0-1.0\nsub/b.flac,CC0-1.0\n../../etc/passwd0,CC0\n", [])
    got = read(path, None, find([music / "a.flac"]), [music / "a.flac"])
    assert [(r.path, r.code) for r in got.refused] == [
        ("missing.flac", "claim-without-file"), ("claims.csv:3", "claim-without-file"),
        ("../../etc/passwd0", "claim-without-file"),
    ]  # fmt: skip
    assert got.by_path == {}


def test_a_mapping_renames_columns_and_gives_constants(music: Path, tmp_path: Path) -> None:
    path = sheet(music, "name,spdx\na.flac,CC0-1.0\n", [])
    mapping = tmp_path / "map.toml"
    mapping.write_text('[columns]\nfile = "name"\nlicence = "spdx"\n[constants]\nsource = "git"\n')
    (row,) = read(path, mapping, find([music], {path}), [music]).of(music / "a.flac")
    assert (row.licence, row.source, row.position) == ("CC0-1.0", "git", "claims.csv:2")


@pytest.mark.parametrize(
    ("text", "mapping", "code"),
    [
        ("title,licence\nx,CC0\n", None, "bad-claims"),
        ("file,licence\nx,CC0\n", '[columns]\nlicence = "spdx"\n', "bad-claims"),
        ("file,licence\nx,CC0\n", '[columns]\nlicense = "licence"\n', "bad-mapping"),
        ("file,licence\nx,CC0\n", "not toml [", "bad-mapping"),
        ("", None, "not-a-dump"),
    ],
)
def test_tables_and_mappings_that_do_not_fit_are_usage_errors(
    music: Path, tmp_path: Path, text: str, mapping: str | None, code: str
) -> None:
    path = sheet(music, text, [])
    mapped = None
    if mapping is not None:
        mapped = tmp_path / "map.toml"
        mapped.write_text(mapping)
    with pytest.raises(FonotecaError) as error:
        read(path, mapped, find([music], {path}), [music])
    assert (error.value.code, int(error.value.exit)) == (code, 2)


def test_a_row_that_cannot_be_read_is_refused_and_the_others_stay(music: Path) -> None:
    path = sheet(music, 'file,licence\na.flac,CC0-1.0,too,many\nsub/b.flac,CC0-1.0\n"open', [])
    got = read(path, None, find([music], {path}), [music])
    assert {r.code for r in got.refused} == {"bad-claim-row"}
    assert len(got.of(music / "sub" / "b.flac")) == 1


def test_controls_in_a_row_are_taken_out(music: Path) -> None:
    path = sheet(music, "file,title,licence\na.flac,\u202eevil\x1b[0m,CC0-1.0\n", [])
    (row,) = read(path, None, find([music], {path}), [music]).of(music / "a.flac")
    assert row.title == "evil[0m"
