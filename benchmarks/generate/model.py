"""What a shard holds: recordings, releases and artists as numbers, which every form then tells in its own way.

Nothing is looked up: all that a row says follows from its own number, so that any part can be made alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.generate import laws, words
from benchmarks.generate.mix import Dice, Index, digits, fixed_text, scaled
from benchmarks.generate.pattern import BLOCK, PATTERNS, RELEASES, patterns

Mask = npt.NDArray[np.bool_]

COMPILATIONS, COMPILED = 4, 16
"""Compilations beside a block's releases, and what each repeats: one recording in sixteen is on two releases."""
RELEASE_IDS = RELEASES + COMPILATIONS
TRACK_IDS = BLOCK + COMPILATIONS * COMPILED
BIG, SMALL = 5, 48
"""Artists of a block: those 9 % that are big have half of all tracks."""
ARTISTS = BIG + SMALL
FEATURED = 16
"""One recording in so many has a guest: a credit of two names."""
VARIOUS_ARTISTS = 1
"""The id of the artist who is none."""
DISC = 20
"""Tracks of a disc, at most."""
AFAR = 4
"""One reissue in so many reissues a release of any shard, under another artist; the others one of the same artist."""


@dataclass(frozen=True)
class Shard:
    """One dump of a catalogue of ``tracks`` recordings in ``of`` dumps.

    Attributes:
        dice: hang on the seed of the whole catalogue.
        first: the first block.
        blocks: how many.
        all_blocks: of the whole catalogue.
        recordings: in this shard; the last block may be cut.
    """

    dice: Dice
    first: int
    blocks: int
    all_blocks: int
    recordings: int

    @classmethod
    def of(cls, seed: int, tracks: int, shard: int, of: int) -> Shard:
        """Shard ``shard`` of ``of``, from 0. All are of one size but the last, which may be smaller."""
        if not 0 <= shard < of <= tracks:
            raise ValueError(f"there is no shard {shard} of {of} in {tracks} tracks")
        each = -(-tracks // of)
        mine = min(each, tracks - shard * each)
        per_shard = -(-each // BLOCK)
        return cls(Dice(seed), shard * per_shard, -(-mine // BLOCK), per_shard * of, mine)

    @property
    def base(self) -> int:
        """The number of the first recording."""
        return self.first * BLOCK

    @property
    def end(self) -> int:
        """The number after the last recording."""
        return self.base + self.recordings


@dataclass(frozen=True)
class Releases:
    """Some releases, by number (100 a block, the last four of them compilations)."""

    number: Index
    origin: Index
    """Where title and group come from: the release that it reissues, else itself."""
    size: Index
    artist: Index
    year: Index
    month: Index
    """0 where it is unknown, as are day and year."""
    day: Index


@dataclass(frozen=True)
class Recordings:
    """Some recordings, by number."""

    number: Index
    origin: Index
    """The recording with the same ISRC that was there first; itself where it is the first."""
    release: Index
    offset: Index
    """Within the release, from 0."""
    artist: Index
    guest: Index
    """0: none."""

    def at(self, rows: Index) -> Recordings:
        """Some of them."""
        columns = (self.number, self.origin, self.release, self.offset, self.artist, self.guest)
        return Recordings(*(column[rows] for column in columns))


def releases(shard: Shard, blocks: Index) -> Releases:
    """All releases of some blocks; those whose recordings were cut off are left out."""
    known, dice = patterns(), shard.dice
    block = np.repeat(blocks, RELEASE_IDS)
    slot = np.tile(np.arange(RELEASE_IDS), len(blocks))
    compiled = slot >= RELEASES
    place = np.where(compiled, 0, slot)
    row = block % PATTERNS
    start = block * BLOCK + known.starts[row, place]
    size = np.where(compiled, COMPILED, np.minimum(known.sizes[row, place], shard.end - start))
    number = block * RELEASE_IDS + slot
    origin = np.where(compiled, number, origins(shard, block, place)[0])
    artist = np.where(compiled | (known.various[row, place] > 0), VARIOUS_ARTISTS, release_artist(shard, origin))
    year, month, day = _dates(dice, number, origin)
    kept = size > 0
    return Releases(*(column[kept] for column in (number, origin, size, artist, year, month, day)))


def origins(shard: Shard, block: Index, slot: Index) -> tuple[Index, Mask]:
    """The release that each of some releases reissues (itself, if none), and whether that lies in any shard."""
    row, number = block % PATTERNS, block * RELEASE_IDS + slot
    original = patterns().original[row, slot]
    again = original != slot
    afar = again & (shard.dice.one_in("afar", number, AFAR))
    first = np.where(afar, row, shard.first + (block - shard.first) % PATTERNS)
    last = np.where(afar, shard.all_blocks, shard.first + shard.blocks)
    of_kind = (last - first + PATTERNS - 1) // PATTERNS
    # A third reissue one of few: those are reissued again and again.
    few = np.where(shard.dice.one_in("often", number, 3), -(-of_kind // 64), of_kind)
    source = first + PATTERNS * shard.dice.below("source", number, few)
    return np.where(again, source * RELEASE_IDS + original, number), afar


def is_here(shard: Shard, release: Index) -> Mask:
    """Whether releases (no compilations but those of the shard) are in this shard, and not cut off at its end."""
    block, slot = release // RELEASE_IDS, release % RELEASE_IDS
    start = block * BLOCK + patterns().starts[block % PATTERNS, np.minimum(slot, RELEASES - 1)]
    of_shard = (block >= shard.first) & (block < shard.first + shard.blocks)
    return of_shard & ((start < shard.end) | (slot >= RELEASES))


def release_artist(shard: Shard, origin: Index) -> Index:
    """The artist of a release; reissues from afar are under an artist of this shard."""
    block = shard.first + (origin // RELEASE_IDS - shard.first) % shard.blocks
    slot = origin % RELEASE_IDS
    small = block * ARTISTS + BIG + slot * SMALL // RELEASE_IDS
    return np.where(shard.dice.below("big", origin, 2) == 0, _big(shard, "release", origin), small) + 2


def _big(shard: Shard, name: str, number: Index) -> Index:
    """One of the shard's big artists, some of whom have far more than others."""
    count = shard.blocks * BIG
    place = shard.dice.below(f"{name}/big/0", number, count)
    place = place * np.minimum(shard.dice.below(f"{name}/big/1", number, 1 << 21), 1 << 20) >> 20
    place = (place * 7_919 + 13) % count if count % 7_919 else place  # the biggest ones stand anywhere
    return (shard.first + place // BIG) * ARTISTS + place % BIG


def _dates(dice: Dice, number: Index, origin: Index) -> tuple[Index, Index, Index]:
    """118 of 1,000 have none, 571 a year alone, 40 a month, the rest a day. A reissue comes after its original."""
    year = laws.years(dice.bits("year", origin))
    later = np.minimum(year + 1 + dice.below("later", number, 25), 2026)
    known = dice.below("date", number, 1_000)
    year = np.where(known < 118, 0, np.where(origin != number, later, year))
    month = np.where(known < 118 + 571, 0, 1 + dice.below("month", number, 12))
    day = np.where(known < 118 + 571 + 40, 0, 1 + dice.below("day", number, 28))
    return year, month, day


def recordings(shard: Shard, numbers: Index) -> Recordings:
    """Any recordings of the shard (their releases' own, not the compilations')."""
    known, dice = patterns(), shard.dice
    block, place = numbers // BLOCK, numbers % BLOCK
    row = block % PATTERNS
    slot = known.release[row, place]
    source, afar = origins(shard, block, slot)
    offset = place - known.starts[row, slot]
    source_row, source_slot = source // RELEASE_IDS % PATTERNS, source % RELEASE_IDS
    origin = source // RELEASE_IDS * BLOCK + known.starts[source_row, source_slot] + offset
    various = known.various[row, slot] > 0
    of_origin = np.where(afar, numbers, origin)
    small = shard.first + shard.dice.below("track/block", of_origin, shard.blocks)
    single = small * ARTISTS + BIG + dice.below("track/small", of_origin, SMALL)
    each = np.where(dice.below("track/big", of_origin, 2) == 0, _big(shard, "track", of_origin), single) + 2
    artist = np.where(various, each, release_artist(shard, source))
    guest = np.where(numbers % FEATURED == 7, _big(shard, "guest", of_origin) + 2, 0)
    return Recordings(numbers, origin, block * RELEASE_IDS + slot, offset, artist, np.where(guest == artist, 0, guest))


def compiled(shard: Shard, blocks: Index) -> tuple[Index, Index, Index]:
    """Tracks of compilations: release, offset, recording; any of the shard."""
    block = np.repeat(blocks, COMPILATIONS * COMPILED)
    place = np.tile(np.arange(COMPILATIONS * COMPILED), len(blocks))
    release = block * RELEASE_IDS + RELEASES + place // COMPILED
    chosen = shard.base + shard.dice.below("compiled", block * TRACK_IDS + place, shard.recordings)
    return release, place % COMPILED, chosen


def listing(shard: Shard, blocks: Index) -> Recordings:
    """All tracks of some blocks in the order of their releases, as :func:`releases` gives them."""
    own = recordings(shard, np.arange(blocks[0] * BLOCK, min((blocks[-1] + 1) * BLOCK, shard.end)))
    release, offset, number = compiled(shard, blocks)
    other = recordings(shard, number)
    order = np.argsort(np.concatenate([own.release, release]), kind="stable")
    pairs = [(own.number, number), (own.origin, other.origin), (own.release, release), (own.offset, offset),
             (own.artist, other.artist), (own.guest, other.guest)]  # fmt: skip
    return Recordings(*(np.concatenate(pair)[order] for pair in pairs))


def scripts(dice: Dice, release: Index) -> Index:
    """The script of the titles of a release, by its origin."""
    return laws.picked(dice.bits("script", release), words.SCRIPT_SHARES)


def recording_titles(shard: Shard, of: Recordings) -> pa.Array:
    """Of the original, on reissues too."""
    origin_release = _release_of(of.origin)
    return words.titles(shard.dice, "title", of.origin, scripts(shard.dice, origin_release))


def _release_of(recording: Index) -> Index:
    block = recording // BLOCK
    return block * RELEASE_IDS + patterns().release[block % PATTERNS, recording % BLOCK]


def release_titles(shard: Shard, of: Releases) -> pa.Array:
    """Of the original, on reissues too."""
    return words.titles(shard.dice, "album", of.origin, scripts(shard.dice, of.origin))


def artist_names(shard: Shard, artists: Index) -> pa.Array:
    """The names; that of nobody in particular is the usual one."""
    script = scripts(shard.dice, artists + (1 << 40))
    named = words.names(shard.dice, "artist", artists, script)
    return pc.if_else(pa.array(artists == VARIOUS_ARTISTS), "Various Artists", named)


def credited(shard: Shard, of: Recordings) -> pa.Array:
    """The credit of each recording as one text."""
    artists, row = np.unique(np.concatenate([of.artist, of.guest[of.guest > 0]]), return_inverse=True)
    named = artist_names(shard, artists)
    first = named.take(row[: len(of.artist)])
    second = np.zeros(len(of.artist), np.int64)
    second[of.guest > 0] = row[len(of.artist) :]
    return pc.binary_join_element_wise(
        first, named.take(pa.array(second, mask=of.guest == 0)), " feat. ", null_handling="skip"
    )


def lengths(shard: Shard, of: Recordings) -> pa.Array:
    """Milliseconds; 7 of 200 are unknown; a reissue differs by less than two seconds."""
    same = laws.durations(shard.dice.bits("length", of.origin))
    other = np.where(of.origin == of.number, 0, shard.dice.below("trim", of.number, 2_000))
    return pa.array(same + other, mask=shard.dice.below("no length", of.number, 200) < 7)


def isrcs(of: Recordings) -> pa.Array:
    """One for each original, no two equal.

    Eight neighbours have codes one after another of one registrant, as the tracks of a real release do; the next eight
    have another registrant. A registrant (36^3 of them) gives out less than 100,000 codes, all in one year.
    """
    block, place = of.origin // BLOCK, of.origin % BLOCK
    # For each place in a block this is a one-to-one map of blocks, and the designation tells places apart.
    moved = block >> 18 << 18 | (block * 0x1F123B + place // 8 * 0x9E37) & ((1 << 18) - 1)
    registrant, designation = moved // 97, moved % 97 * BLOCK + place
    chance = Dice(0).bits("registrant", registrant)
    letters = np.empty((len(place), 12), np.uint8)
    letters[:, :2] = _COUNTRIES[scaled(chance, len(_COUNTRIES))]
    code = registrant * 7_919 % 36**3
    for column in (4, 3, 2):
        code, letters[:, column] = code // 36, _ALPHABET[code % 36]
    letters[:, 5:7] = digits((chance & np.uint64(0xFFFF)).astype(np.int64) % 27, 2)
    letters[:, 7:] = digits(designation, 5)
    return fixed_text(letters)


_ALPHABET = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", np.uint8)
_COUNTRIES = np.frombuffer(b"USGBDEFRJPNLSEITBRCAAUESMXKRPLFIQMQZTC", np.uint8).reshape(-1, 2)


def listens(shard: Shard, numbers: Index) -> pa.Array:
    """Listens of recordings; of two in five nothing is known."""
    found = laws.listens(shard.dice.bits("listens", numbers), shard.dice.bits("listens/tail", numbers))
    return pa.array(found, mask=shard.dice.below("unheard", numbers, 5) < 2)


def licences(shard: Shard, of: Recordings) -> pa.Array:
    """Licences as written, one for a release."""
    number = laws.picked(shard.dice.bits("licence", of.release), tuple(weight for _, weight in laws.LICENCES))
    return pa.array([text for text, _ in laws.LICENCES]).take(pa.array(number))


def barcodes(shard: Shard, of: Releases) -> pa.Array:
    """EAN-13 with a right check digit, for 338 of 1,000 releases."""
    stem = 10**11 * 4 + of.number * 13 + shard.dice.below("barcode", of.number, 13)
    letters = digits(stem * 10, 13)
    values = letters[:, :12] - 48
    weighed = values[:, ::2].sum(1, dtype=np.int64) + 3 * values[:, 1::2].sum(1, dtype=np.int64)
    letters[:, 12] = 48 + (-weighed) % 10
    missing = shard.dice.below("no barcode", of.number, 1_000) >= 338
    return pc.if_else(pa.array(missing), None, fixed_text(letters))
