"""Releases that are made up: by columns they are what the parser and the readers of records make of them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fonoteca.sources import values
from fonoteca.sources.discogs_pieces import Piece, _parsed, tables
from fonoteca.sources.discogs_shapes import SHAPES
from fonoteca.sources.xmlrecords import starts_of

pytestmark = pytest.mark.core

WORDS = (
    "", " ", "a", "A1", "A2", "1-05", "CD2-3", "7", "Track A1", "Name (2)", "Name (2) ", "a  b", " x", "Ä ö", "\u00a0",
    "none", "NONE", "n/a", "\u212a", "un\u212anown", "&", "<", '"', "'", "]]", "e\u0301", "\u202ea", "Ã¤", "\ufffd",
    "\uffee", "\u0085", "0", "00", "007", "4:45", "0:00", "99:99:99", "1999-03-00", "1999", "0000", "1999-13-01",
    "Album", "EP", ",", ";", "Feat.", "\n", "a\nb", "\t", "12 345", "Various", "x" * 300,
)  # fmt: skip
PLAIN = frozenset({
    "a", "A1", "A2", "1-05", "7", "Track A1", "Name (2)", "a  b", " x", "Ä ö", "none", "n/a", "&", "<", '"', "'",
    "e\u0301", "4:45", "0:00", "1999-03-00", "1999", "Album", ",", ";", "Feat.", "Various",
    "1", "2", "3", "4", "5", "0", " 4",
})  # fmt: skip
"""Of these a release is read by columns; with any other one it mostly goes to the parser."""
NUMBERS = ("1", "2", "3", "4", "5", "0", "", "02", " 4", "x", "9" * 18, "9" * 19, "\u0663")
ISRCS = ("ITJ040100240", "IT-J04-01-00241", "isrc itj040100240", "bad", "-", "")
BARCODES = ("5024900001498", "5 024900 001498 >", "5024900001499", "12345670", "123", "none", "", "\u0663" * 8)
DAMAGE = (b"<", b">", b"&", b'"', b"\xff", b"\x00", b"</release>", b"<!--x-->", b"<![CDATA[x]]>", b"&#0;", b"&x;", b"")
_QUOTED = {'"': "&quot;", "\n": "&#10;", "\t": "&#9;"}


class Dice(Random):
    """Some releases are strange, and some are not at all."""

    strange = 0.0

    def is_strange(self) -> bool:
        return self.random() < self.strange


Make = Callable[[Dice], str]
"""Makes a stretch of XML up."""


def one(words: tuple[str, ...]) -> Make:
    plain = tuple(word for word in words if word in PLAIN) or words
    return lambda rng: rng.choice(words if rng.is_strange() else plain)


_word = one(WORDS)


def content(rng: Dice) -> str:
    if rng.is_strange():
        return "".join(f"&#{rng.choice((9, 10, 32, 65, 246, 0x1F3B5))};" for _ in range(rng.randrange(4)))
    return escape(_word(rng))


def element(name: str, inner: Make) -> Make:
    """An element in one of its spellings; or, seldom, none."""

    def make(rng: Dice) -> str:
        found, how = inner(rng), rng.randrange(30) if rng.is_strange() else rng.randrange(1, 30)
        if how == 0:
            return ""
        blank = " " if how == 1 else ""
        return f"<{name}{blank}>{found}</{name}>" if found or how < 15 else f"<{name}{blank}/>"

    return make


def together(*parts: Make) -> Make:
    return lambda rng: "".join(part(rng) for part in parts)


def some(part: Make, most: int = 3) -> Make:
    return lambda rng: "".join(part(rng) for _ in range(rng.randrange(most + 1)))


def tag(name: str, /, **attributes: Make) -> Make:
    """An empty element with its attributes, seldom without some or in another order."""

    def make(rng: Dice) -> str:
        pairs = [f' {key}="{escape(value(rng), _QUOTED)}"' for key, value in attributes.items() if not rng.is_strange()]
        if rng.is_strange():
            rng.shuffle(pairs)
        return f"<{name}{''.join(pairs)}/>"

    return make


artist = element(
    "artist", together(element("id", one(NUMBERS)), *[element(n, content) for n in ("name", "anv", "join", "role")])
)
credited = together(element("artists", some(artist)), element("extraartists", some(artist)))
fields = together(*[element(name, content) for name in ("position", "title", "duration")], credited)
track = element("track", together(fields, lambda rng: parts(rng) if rng.random() < 0.2 else ""))
parts = element("sub_tracks", some(element("track", fields)))
identifiers = (
    tag("identifier", type=one(("ISRC",)), value=one(ISRCS), description=one(WORDS)),
    tag("identifier", type=one(("Barcode",)), value=one(BARCODES), description=one(WORDS)),
    tag("identifier", type=one(WORDS), value=one(WORDS)),
)
body = together(
    element("images", some(tag("image", type=one(WORDS), uri=one(WORDS)))), credited, element("title", content),
    element("labels", some(tag("label", name=one(WORDS), catno=one(WORDS), id=one(NUMBERS)))),
    element("formats", element("format", element("descriptions", some(element("description", content))))),
    element("genres", some(element("genre", content))), element("styles", some(element("style", content))),
    *[element(name, content) for name in ("country", "released", "notes")], element("master_id", one(NUMBERS)),
    element("tracklist", some(track, 5)), element("identifiers", some(lambda rng: rng.choice(identifiers)(rng), 5)),
)  # fmt: skip


def release(number: str, rng: Dice) -> str:
    rng.strange = rng.choice((0, 0, 0.002, 0.02, 0.3))
    return f'<release id="{number}" status="Accepted">{body(rng)}</release>\n'


def same_both_ways(data: bytes) -> None:
    piece = Piece("", 1, "releases", 7, len(data))
    parsed = _parsed(piece, piece.block(data), None, starts_of(data, SHAPES["releases"]))
    assert rows(tables(piece, data)) == rows(parsed)


def rows(found: dict[str, Any]) -> dict[str, list[str]]:
    """The rows of each table; of credited artists the first credit of each, as the dump's reader chooses it."""
    listed = {name: [repr(row) for row in table.to_pylist()] for name, table in found.items()}
    first: dict[str, tuple[int, str, str]] = {}
    for row in found["credited"].to_pylist() if "credited" in found else ():
        position = f"{row['line']}#{row['track']}" if row["track"] else str(row["line"])
        mine = (len(position), position, repr(row))
        first[row["key"]] = min(mine, first.get(row["key"], mine))
    return listed | {"credited": sorted(map(repr, first.values()))}


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_columns_are_what_the_parser_says(seed: int) -> None:
    rng = Dice(seed)
    numbers = [f"{at}{rng.choice(NUMBERS[:6])}" for at in range(1, rng.randrange(2, 12))]
    same_both_ways("".join(release(n, rng) for n in numbers).encode())


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32))
def test_so_are_damaged_releases(seed: int) -> None:
    rng = Dice(seed)
    raw = bytearray("".join(release(n, rng) for n in "567").encode())
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(16, len(raw))
        raw[at : at + rng.randrange(3)] = rng.choice(DAMAGE)
    same_both_ways(bytes(raw))


def test_no_word_for_nothing_has_a_digit_in_it() -> None:
    assert not any(c.isdigit() for word in values._NOTHING for c in word)
