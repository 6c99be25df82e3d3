from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.core import canonical
from fonoteca.core.errors import Damaged, Failed
from fonoteca.formats.manifest import Edition, FileRef, check_path, parse

pytestmark = pytest.mark.core

H1, H2 = "1" * 64, "2" * 64


def _ref(path: str) -> FileRef:
    return FileRef(path, 7, H1, H2)


FILES = tuple(_ref(p) for p in ("ledger.parquet", "locator.parquet", "packs.parquet", "torrents.json"))
EDITION = Edition(
    1, "2026-11-24T12:00:00Z", None, H2, {"recordings": 3}, {"share": {}}, FILES, (_ref("torrents/a.torrent"),)
)


def _changed(**fields: Any) -> bytes:
    return canonical.encode(json.loads(EDITION.encode()) | fields)


def test_round_trip_is_byte_exact() -> None:
    assert parse(EDITION.encode()) == EDITION
    assert parse(EDITION.encode()).encode() == EDITION.encode()


def test_unknown_fields_survive() -> None:
    data = _changed(later={"a": [1, 2]}, zebra=None)
    assert parse(data).extra == {"later": {"a": [1, 2]}, "zebra": None}
    assert parse(data).encode() == data


def test_a_newer_format_is_refused_with_a_sentence() -> None:
    with pytest.raises(Failed) as refused:
        parse(_changed(format=2))
    assert refused.value.code == "newer-format"
    assert "newer version" in refused.value.remedy


def test_a_duplicate_key_is_refused() -> None:
    with pytest.raises(Damaged, match="twice"):
        parse(EDITION.encode().replace(b'"number":1', b'"number":1,"number":1'))


BAD_PATHS = [
    "../x", "a/../b", "/etc/passwd", "a//b", "a/", ".", "..", "", "C:\\x", "a\\b",
    "//host/x", "a/./b", "x\0y", "a\nb", "c:x",
]  # fmt: skip


@pytest.mark.parametrize("path", BAD_PATHS)
@pytest.mark.parametrize("field", ["files", "torrents"])
def test_a_path_that_leaves_its_folder_is_refused(path: str, field: str) -> None:
    refs = [*(r.as_json() for r in (FILES if field == "files" else ())), _ref("ok").as_json() | {"path": path}]
    with pytest.raises(Damaged):
        parse(_changed(**{field: refs}))


@pytest.mark.parametrize(
    "fields",
    [
        {"number": 0}, {"number": -1}, {"number": True}, {"number": 1.0}, {"number": 1 << 63}, {"number": 2},
        {"previous": H1}, {"previous": "x"}, {"inputs": None}, {"inputs": "A" * 64}, {"created": "yesterday"},
        {"created": "2026-11-24T12:00:00+01:00"}, {"totals": []}, {"totals": {"a": -1}}, {"coverage": None},
        {"files": {}}, {"files": []}, {"files": [1]}, {"files": [_ref(p).as_json() for p in ("packs.parquet",)]},
        {"files": [r.as_json() for r in (*FILES, FILES[0])]},
        {"files": [r.as_json() for r in (*FILES, _ref("edition.json"))]},
        {"torrents": [_ref("torrents/A").as_json(), _ref("torrents/a").as_json()]}, {"format": None}, {"format": "1"},
    ],
    ids=str,
)  # fmt: skip
def test_what_breaks_a_rule_is_damage(fields: dict[str, Any]) -> None:
    with pytest.raises(Damaged) as refused:
        parse(_changed(**fields))
    assert refused.value.code == "bad-edition"


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"\xff", b"{" * 100_000, b"[" * 100_000, b'{"format":NaN}'])
def test_noise_is_damage(data: bytes) -> None:
    with pytest.raises(Damaged):
        parse(data)


def test_an_endless_manifest_is_refused() -> None:
    with pytest.raises(Damaged, match="more than"):
        parse(b" " * ((32 << 20) + 1))


def test_a_file_is_found_by_its_path() -> None:
    assert EDITION.file("packs.parquet") == _ref("packs.parquet")
    with pytest.raises(KeyError):
        EDITION.file("nowhere")


@given(st.binary(max_size=400))
def test_mutations_never_crash(noise: bytes) -> None:
    data = bytearray(EDITION.encode())
    for index, value in enumerate(noise):
        data[(index * 31 + value) % len(data)] = value
    with contextlib.suppress(Damaged, Failed):
        parse(bytes(data))


@given(st.text(max_size=20))
def test_a_path_that_passes_stays_inside(text: str) -> None:
    try:
        parts = check_path(text).split("/")
    except ValueError:
        return
    assert all(part not in {"", ".", ".."} and "\\" not in part and ":" not in part for part in parts)


def test_later_editions_name_the_one_before() -> None:
    second = replace(EDITION, number=2, previous=H1)
    assert parse(second.encode()) == second


def test_golden_edition(golden: Callable[[str, bytes], None]) -> None:
    share = {"value": 0.75, "low": 0.5, "high": 0.9}
    made = Edition(
        2, "2026-11-25T12:00:00Z", H1, H2,
        {"recordings": 4, "published": 2, "withheld": 1, "withdrawn": 1, "not_held": 0, "packs": 2, "torrents": 1,
         "audio_bytes": 18_000, "pack_bytes": 32_768},
        {"listens": {"known": 100, "held": 100, "published": 75}, "share": {"held": share, "published": share}},
        (*FILES, _ref("snapshot/recordings.parquet"), _ref("CREDITS.md")),
        (_ref("torrents/head-free-0001-01.torrent"),),
        extra={"a_field_of_tomorrow": "é"},
    )  # fmt: skip
    golden("edition/edition.json", made.encode())
    assert parse(made.encode()) == replace(made, files=tuple(sorted(made.files)))
