"""Text as the index and the query see it: one folding for both, so that what is written is found.

Fold: NFKC, casefold, diacritics off in scripts where readers leave them out, invisible characters out.
Split: words at everything that is neither letter nor digit; in scripts that write no blanks between words
(Chinese, Japanese, Korean syllables, Thai, Lao, Khmer, Burmese) every character with its marks is a token,
and a query's run of them is searched as a phrase.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator

# Letters that Unicode does not decompose, but that people type without the stroke or as two letters.
_LETTERS = str.maketrans({
    "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th",
    "ى": "ي", "ی": "ي", "ة": "ه", "ک": "ك", "ٱ": "ا", "ـ": None,
})  # fmt: skip
_BARE = ("LATIN", "GREEK", "CYRILLIC", "HEBREW", "ARABIC", "ARMENIAN", "SYRIAC")
"""Scripts whose combining marks are left out when people search."""
_SINGLE_RANGES = (
    (0x0E01, 0x0EFF), (0x1000, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x2E80, 0x2FDF), (0x3005, 0x3007),
    (0x3021, 0x30FF), (0x3105, 0x312F), (0x3131, 0x318E), (0x31A0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
    (0xA960, 0xA97F), (0xAC00, 0xD7FF), (0xF900, 0xFAFF), (0x1B000, 0x1B16F), (0x20000, 0x3FFFF),
)  # fmt: skip
_PLAIN = re.compile(r"[a-z0-9]+|[+<=>|~^`]")
_CONTROLS = dict.fromkeys([*range(32), 127], " ")
_KATAKANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}


@functools.lru_cache(maxsize=4096)
def _bare(char: str) -> bool:
    return unicodedata.name(char, "").startswith(_BARE)


@functools.lru_cache(maxsize=16384)
def _single(char: str) -> bool:
    """True where one character is a token by itself: blankless scripts, and symbols (a title may be one heart)."""
    code = ord(char)
    return any(low <= code <= high for low, high in _SINGLE_RANGES) or unicodedata.category(char) in {"So", "Sm", "Sk"}


@functools.lru_cache(maxsize=16384)
def _sort(char: str) -> str:
    """``blank``, ``drop``, ``mark``, ``single``, ``word`` or ``break``."""
    category = unicodedata.category(char)
    if char.isspace() or category in {"Cc", "Zs", "Zl", "Zp"}:
        return "blank"
    if category in {"Cf", "Cs"}:
        return "drop"
    if category[0] == "M":
        return "mark"
    if _single(char):
        return "single"
    return "word" if category[0] in "LN" else "break"


def _digit(char: str) -> str:
    value = unicodedata.decimal(char, None)
    return char if value is None else str(value)


def fold(text: str) -> str:
    """The text with case, width, most diacritics, national digits and invisible characters evened out.

    Blanks are collapsed to one. ``fold(fold(text)) == fold(text)`` for every text.
    """
    if text.isascii():  # nearly all of most catalogues: the same result, ten times as fast
        return " ".join(text.translate(_CONTROLS).lower().split())
    before = None
    while before != text:  # casefold and NFKC can each open work for the other: two rounds settle all known text
        before, text = text, _fold_once(text)
    return text


def _fold_once(text: str) -> str:
    wide = unicodedata.normalize("NFKC", text.encode("utf-8", "replace").decode("utf-8")).casefold()
    out: list[str] = []
    base = ""
    for char in unicodedata.normalize("NFKD", wide):
        sort = _sort(char)
        if sort == "drop" or (sort == "mark" and base and _bare(base)):
            continue
        if sort != "mark":
            base = char
        out.append(" " if sort == "blank" else _digit(char))
    folded = unicodedata.normalize("NFC", "".join(out)).translate(_LETTERS).translate(_KATAKANA)
    return " ".join(folded.split())


def _pieces(folded: str) -> Iterator[str]:
    """Tokens of one folded text without blanks, in order."""
    word = ""
    cluster = False
    for char in folded:
        sort = _sort(char)
        if sort == "mark":
            word += char
            continue
        if word and (cluster or sort != "word"):
            yield word
            word = ""
        cluster = sort == "single"
        word += char if sort in {"word", "single"} else ""
    if word:
        yield word


def _tokens(folded: str) -> list[str]:
    return _PLAIN.findall(folded) if folded.isascii() else list(_pieces(folded))


def chunks(text: str) -> list[list[str]]:
    """Tokens of each blank-separated chunk: ``"AC/DC 東京"`` gives ``[["ac", "dc"], ["東", "京"]]``."""
    found = ([token[:MAX_TOKEN] for token in _tokens(chunk)] for chunk in fold(text).split(" "))
    return [tokens for tokens in found if tokens]


MAX_TEXT = 2000
"""Characters of a title or name that are indexed."""
MAX_TOKEN = 100
"""Characters of a token that are indexed; the rest is cut off on both sides alike."""


def tokens(text: str) -> list[str]:
    """All tokens of a text, in order."""
    return [token for chunk in chunks(text) for token in chunk]


def indexed(text: str) -> list[str]:
    """What the index holds of a text: its tokens, then the spellings without the punctuation inside words.

    ``"AC/DC"`` is found as ``acdc`` and ``"R.E.M."`` as ``rem``.
    """
    split = chunks(text[:MAX_TEXT])
    joined = ["".join(chunk)[:MAX_TOKEN] for chunk in split if len(chunk) > 1 and not any(_single(t[0]) for t in chunk)]
    return [token for chunk in split for token in chunk] + joined


def whole(text: str) -> str:
    """A title as one key: equal for titles that differ in case, width, diacritics or punctuation only.

    A title of nothing but punctuation is its own key.
    """
    written = text[:MAX_TEXT]
    return " ".join(tokens(written))[:MAX_WHOLE] or fold(written)[:MAX_WHOLE]


MAX_WHOLE = 300
"""Characters of a title that exact matching compares."""
