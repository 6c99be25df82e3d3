"""A vocabulary of made-up words in several scripts; titles and names of them, common words as common as in life."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.generate.laws import WORD_COUNTS
from benchmarks.generate.mix import Dice, Index, Words, scaled

LATIN, CYRILLIC, JAPANESE, CHINESE, HANGUL, ARABIC, HEBREW, GREEK, NONE = range(9)
SCRIPT_SHARES = (9670, 200, 40, 30, 10, 10, 5, 5, 50)
"""Of 10,000 titles. The last is for titles without any letter."""
_ONSETS = (*"bcdfghjklmnprstvwyzbdflmnrst", "br", "ch", "cl", "dr", "fl", "gr", "pl", "sh", "st", "th", "tr")
_CODAS = ["", "", "", "", "", "", "", "", "l", "n", "r", "s", "t", "nd", "ck", "ng"]
_VOWELS = ["a", "e", "i", "o", "u", "a", "e", "i", "o", "a", "e", "ea", "ou"]
_ACCENTED = ["á", "é", "í", "ó", "ú", "ä", "ö", "ü", "ç", "ñ", "ø", "ã"]
_LETTERS = {
    CYRILLIC: ("бвгджзклмнпрстфхцчш", "аеиоуыяю"),
    JAPANESE: ("かきくけこさしすせそラリルレロ", "なにぬのはひふントド"),
    CHINESE: ("天地人月日山水火风花雪夜梦心爱", "之上下中来去光声歌雨"),
    HANGUL: ("가나다라마바사아자차", "는을이고도리수요"),
    ARABIC: ("بتجدرسشعفقكلمن", "اوي"),
    HEBREW: ("בגדהזחכלמנרשת", "אוי"),
    GREEK: ("βγδζθκλμνπρστφχ", "αεηιουω"),
}  # fmt: skip
_SMALL = ("of", "the", "in", "to", "and", "a", "my", "you", "me", "on", "for", "is", "it", "no", "&", "love")
SUFFIXES = ("(live)", "(remix)", "(instrumental)", "(radio edit)", '(12" mix)', "(acoustic)", "(demo)",
            "- Remastered 2011", "(feat. DJ Lume)", "part 2", "(reprise)", "(outro)")  # fmt: skip
_OCTAVES = {LATIN: 18, NONE: 6}
"""Binary orders of rank in the vocabulary of a script: 2^18 - 1 Latin words; 2^12 - 1 of the others."""
_SUFFIXED = 12


@dataclass(frozen=True)
class Vocabulary:
    """All words in one array; those of a script from ``start[script]`` on, the commonest first."""

    words: pa.Array
    start: Index
    octaves: Index


@functools.lru_cache(1)
def vocabulary() -> Vocabulary:
    """The same words whatever the seed."""
    words: list[str] = []
    start, octaves = [], []
    for script in range(len(SCRIPT_SHARES)):
        start.append(len(words))
        octaves.append(_OCTAVES.get(script, 12))
        words += _of_script(script, (1 << octaves[-1]) - 1)
    return Vocabulary(pa.array(words), np.array(start), np.array(octaves))


def _of_script(script: int, count: int) -> list[str]:
    if script == NONE:
        marks = ["000", "...", "?", "1", "2", "3", "!!!", "#1", "7", "12", "+", "-", "1999", "24/7", "00:00", "99"]
        return [*marks, *map(str, range(100, 100 + count - len(marks)))]
    dice = Dice(script)
    make = _latin if script == LATIN else functools.partial(_other, *_LETTERS[script])
    seen = dict.fromkeys(word.capitalize() if word != "&" else word for word in _SMALL) if script == LATIN else {}
    number = 0
    while len(seen) < count:
        draws = dice.bits("word", np.arange(number, number + 65_536))
        for draw in draws.tolist():
            seen.setdefault(make(draw, len(seen)))
            if len(seen) == count:
                break
        number += len(draws)
    return list(seen)


def _latin(draw: int, rank: int) -> str:
    """Common words are short."""
    word = ""
    for _ in range(1 + (rank > 40) + (rank > 8_000 and draw % 5 > 1) + (rank > 60_000 and draw % 5 == 0)):
        draw, onset = divmod(draw, len(_ONSETS))
        draw, vowel = divmod(draw, len(_VOWELS))
        draw, coda = divmod(draw, len(_CODAS))
        word += _ONSETS[onset] + _VOWELS[vowel] + _CODAS[coda]
    draw, kind = divmod(draw, 40)
    return (word + _ACCENTED[draw % len(_ACCENTED)] if kind == 0 else word).capitalize()


def _other(onsets: str, rest: str, draw: int, rank: int) -> str:
    word, pairs = "", len(onsets) * len(rest)
    for _ in range(1 + (rank > pairs // 3) + (rank > pairs * pairs // 3)):
        draw, onset = divmod(draw, len(onsets))
        draw, second = divmod(draw, len(rest))
        word += onsets[onset] + rest[second]
    return word


def titles(dice: Dice, name: str, index: Index, script: Index) -> pa.Array:
    """Titles: a word is drawn as often as its rank is small, an equal part from each binary order of ranks."""
    shape = dice.bits(f"{name}/shape", index)
    counts = WORD_COUNTS[(shape & np.uint64(4095)).astype(np.int64)]
    counts[script == NONE] = 1
    least = np.where((counts == 1) & (script != NONE), 4, 0)  # few titles are a "The" alone
    parts = _words(dice, name, index, script, counts, least)
    parts.append(_suffix(shape, counts, script))
    return _closed_up(pc.binary_join_element_wise(*parts, " ", null_handling="skip"), script)


def names(dice: Dice, name: str, index: Index, script: Index) -> pa.Array:
    """Names of artists: one to three words, none very common; some have a "The" or a "DJ" before them."""
    shape = dice.below(f"{name}/shape", index, 100)
    counts = np.where(shape < 30, 1, np.where(shape < 82, 2, 3))
    before = np.where((shape % 10 == 1) & (script == LATIN), 0, np.where((shape % 40 == 2) & (script == LATIN), 1, -1))
    first = pa.DictionaryArray.from_arrays(pa.array(before, mask=before < 0), ["The", "DJ"]).cast(pa.string())
    parts = [first, *_words(dice, name, index, np.where(script == NONE, LATIN, script), counts, np.full(len(index), 5))]
    return _closed_up(pc.binary_join_element_wise(*parts, " ", null_handling="skip"), script)


def _words(dice: Dice, name: str, index: Index, script: Index, counts: Index, least: Index) -> list[pa.Array]:
    """One array for each place, null where there are fewer words. ``least``: binary orders of rank to leave out."""
    known, found = vocabulary(), []
    for place in range(int(counts.max(initial=0))):
        rows = np.flatnonzero(counts > place)
        numbers = np.zeros(len(index), np.int64)
        bits = dice.bits(f"{name}/{place}", index[rows])
        order = scaled(bits, known.octaves[script[rows]] - least[rows]) + least[rows]
        rank = (1 << order) | ((bits & np.uint64(0x3FFFFFFF)).astype(np.int64) & ((1 << order) - 1))
        numbers[rows] = known.start[script[rows]] + rank - 1
        found.append(known.words.take(pa.array(numbers, mask=counts <= place)))
    return found


def _suffix(shape: Words, counts: Index, script: Index) -> pa.Array:
    draw = (shape >> np.uint64(16)).astype(np.int64)
    number = (draw >> 8) % len(SUFFIXES)
    without = (draw % _SUFFIXED != 0) | (script != LATIN) | (counts > 6)
    return pa.DictionaryArray.from_arrays(pa.array(number, mask=without), list(SUFFIXES)).cast(pa.string())


def _closed_up(texts: pa.Array, script: Index) -> pa.Array:
    """Japanese and Chinese are written without spaces."""
    mask = pa.array((script == JAPANESE) | (script == CHINESE))
    return pc.replace_with_mask(texts, mask, pc.replace_substring(texts.filter(mask), " ", ""))
