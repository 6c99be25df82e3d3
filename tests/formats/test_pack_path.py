"""The file-name rule: whatever people call their music, the name is safe everywhere and tells what it is."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.core.ids import Kind, make_id, show_id
from fonoteca.formats.pack_path import (
    MAX_COMPONENT,
    EntryName,
    component,
    component_fault,
    entry_path,
    fold,
    unique_paths,
)

pytestmark = pytest.mark.core

RECORDING = make_id(Kind.RECORDING, "fma", "141")
ID8 = show_id(Kind.RECORDING, RECORDING)[-8:]
SHA = "0123456789abcdef" * 4
anything = st.text(max_size=200) | st.text(alphabet="./\\-: \t\u0301\u202eCON名é", max_size=80)


def name(title: str = "Title", artist: str = "Artist", blob: str = SHA, extension: str = "mp3") -> EntryName:
    return EntryName(artist, "Release", 0, 3, title, RECORDING, extension, blob)


def test_a_plain_name_reads_as_people_write_it() -> None:
    path = entry_path("Hania Rani", "Esja", 1, 3, "Sun", RECORDING, "mp3")
    assert path == f"Hania Rani/Esja/03 Sun [{ID8}].mp3"


@given(anything, anything, anything, st.integers(0, 30), st.integers(-1, 1200), anything)
def test_every_path_keeps_to_the_rule_whatever_the_tags_say(
    artist: str, release: str, title: str, disc: int, number: int, extension: str
) -> None:
    for blob in ("", SHA):
        parts = entry_path(artist, release, disc, number, title, RECORDING, extension, blob).split("/")
        assert len(parts) == 3
        assert [component_fault(part) for part in parts] == [None] * 3


@given(anything)
def test_a_component_made_twice_is_the_same(text: str) -> None:
    once = component(text)
    assert component(once) == once
    assert len(once.encode()) <= MAX_COMPONENT


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("", "unknown"),
        ("   ", "unknown"),
        ("...", "unknown"),
        ("..", "unknown"),
        ("../../etc/passwd", "_._.._etc_passwd"),
        ("/etc/passwd", "_etc_passwd"),
        ("C:\\Windows", "C__Windows"),
        (".hidden", "_hidden"),
        ("-rf", "_rf"),
        ("AC/DC", "AC_DC"),
        ('What? "Yes" <b>|*', "What_ _Yes_ _b___"),
        ("ends with a dot.", "ends with a dot"),
        ("dots and blanks . . ", "dots and blanks"),
        ("  front", "front"),
        ("a\tb\nc\0d\x7fe", "a_b_c_d_e"),
        ("\u202egnp.mp3", "_gnp.mp3"),
        ("a\u2066b\u2069\u200f", "a_b__"),
        ("line\u2028line", "line_line"),
        ("half \ud83d a character", "half _ a character"),
        ("con", "_con"),
        ("CON.mp3", "_CON.mp3"),
        ("Aux ", "_Aux"),
        ("nul .txt", "_nul .txt"),
        ("LPT9", "_LPT9"),
        ("COM\u00b9", "_COM\u00b9"),
        ("Console", "Console"),
        ("e\u0301", "\u00e9"),
        ("作曲家", "作曲家"),
    ],
)
def test_component(text: str, made: str) -> None:
    assert component(text) == made


def test_a_device_name_that_only_appears_by_the_cut_is_caught() -> None:
    assert component("CON" + " " * 200 + "x") == "_CON"


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_the_cut_is_at_120_bytes_and_between_characters(over: int) -> None:
    text = "a" * (MAX_COMPONENT - 3 + over) + "名"
    made = component(text)
    assert made == (text if over <= 0 else "a" * 118)
    assert unicodedata.is_normalized("NFC", made)


def test_the_title_is_cut_and_the_id_stays() -> None:
    last = entry_path("A", "R", 0, 7, "名" * 100, RECORDING, "opus").split("/")[-1]
    assert last.startswith("07 名")
    assert last.endswith(f"名 [{ID8}].opus")
    assert MAX_COMPONENT - 3 < len(last.encode()) <= MAX_COMPONENT


@pytest.mark.parametrize(
    ("disc", "number", "head"), [(0, 0, "00"), (1, 5, "05"), (2, 5, "205"), (12, 5, "1205"), (0, 123, "123")]
)
def test_disc_and_number(disc: int, number: int, head: str) -> None:
    assert entry_path("A", "R", disc, number, "T", RECORDING, "mp3").split("/")[-1].startswith(f"{head} T ")


@pytest.mark.parametrize(
    ("extension", "made"), [(".MP3", "mp3"), ("opus", "opus"), ("", "bin"), ("m/p", "bin"), ("muchtoolong", "bin")]
)
def test_extension(extension: str, made: str) -> None:
    assert entry_path("A", "R", 0, 1, "T", RECORDING, extension).endswith(f"].{made}")


def test_an_artist_named_withdrawn_does_not_look_like_a_redaction() -> None:
    assert entry_path("Withdrawn", SHA, 0, 1, "T", RECORDING, "mp3").startswith("_Withdrawn/")


def test_names_that_differ_only_in_case_take_their_blobs_mark() -> None:
    other = "fedcba9876543210" * 4
    names = [name("Sun"), name("SUN", blob=other), name("Moon")]
    paths = unique_paths(names)
    assert paths == [
        f"Artist/Release/03 Sun [{ID8} 01234567].mp3",
        f"Artist/Release/03 SUN [{ID8} fedcba98].mp3",
        f"Artist/Release/03 Moon [{ID8}].mp3",
    ]


def test_unique_paths_do_not_depend_on_the_order() -> None:
    names = [name("Straße"), name("STRASSE", blob="f" * 64), name("x", artist="ARTIST"), name("X", blob="e" * 64)]
    expected = dict(zip(names, unique_paths(names), strict=True))
    for order in itertools.permutations(names):
        assert dict(zip(order, unique_paths(order), strict=True)) == expected
    assert len({fold(path) for path in expected.values()}) == 4


def test_the_same_recording_and_blob_twice_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="twice"):
        unique_paths([name(), name()])
