"""MusicBrainz: a file for each table, as PostgreSQL's COPY writes it, columns as in schema 31."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.generate import laws, model, words
from benchmarks.generate.lines import chosen, copy_rows, joined
from benchmarks.generate.mix import Index
from benchmarks.generate.model import Shard
from benchmarks.generate.pattern import BLOCK

VARIOUS_GID = "89ad4ac3-39f7-470e-963a-56509c546377"
REDIRECTED = 64
"""One recording in so many has been merged with another, whose gid leads to it."""
COUNTRIES = (
    (221, "GB", "United Kingdom"), (222, "US", "United States"), (240, "XW", "[Worldwide]"), (81, "DE", "Germany"),
    (73, "FR", "France"), (107, "JP", "Japan"), (13, "AU", "Australia"), (105, "IT", "Italy"), (150, "NL",
    "Netherlands"),
    (202, "SE", "Sweden"), (30, "BR", "Brazil"), (194, "ES", "Spain"), (138, "MX", "Mexico"), (170, "PL", "Poland"),
    (72, "FI", "Finland"), (177, "RU", "Russia"), (113, "KR", "South Korea"), (21, "BE", "Belgium"),
)  # fmt: skip
COUNTRY_WEIGHTS = (140, 230, 260, 90, 45, 60, 15, 30, 25, 20, 20, 20, 10, 12, 12, 15, 10, 12)
STAMPS = tuple(f"20{y:02d}-{1 + y * 5 % 12:02d}-{1 + y * 11 % 28:02d} 1{y % 10}:2{y % 7}:3{y % 9}.{y * 39_119:06d}+00"
               for y in range(11, 26))  # fmt: skip
FORMATS = (1, 12, 7, 2)
"""CD, digital media, 12" vinyl, vinyl."""
LANGUAGES = (120, 113, 145, 134, 198)
SCRIPTS = (28, 31, 85, 18)
LABEL_OF = 20
"""Releases of a label, on average."""


def constant() -> Mapping[str, bytes]:
    """Tables and files that are the same in every dump."""
    area = [
        f"{i}\t{uuid.UUID(int=i << 96, version=4)}\t{name}\t1\t0\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\tf\t\n"
        for i, _, name in sorted(COUNTRIES)
    ]
    code = [f"{i}\t{code}\n" for i, code, _ in sorted(COUNTRIES)]
    return {
        "TIMESTAMP": b"2026-09-02 00:20:13.371462+00\n",
        "SCHEMA_SEQUENCE": b"31\n",
        "REPLICATION_SEQUENCE": b"\n",
        "COPYING": b"Made up by a generator; no rights are claimed: CC0.\n",
        "mbdump/area": "".join(area).encode(),
        "mbdump/country_area": "".join(f"{i}\n" for i, _, _ in sorted(COUNTRIES)).encode(),
        "mbdump/iso_3166_1": "".join(code).encode(),
    }


def tables(shard: Shard, blocks: Index) -> dict[str, list[memoryview]]:
    """The rows of some blocks; a table may come in several portions."""
    out: dict[str, list[memoryview]] = {}
    _artists(shard, blocks, out)
    _releases(shard, model.releases(shard, blocks), out)
    _recordings(shard, blocks, out)
    return out


def _artists(shard: Shard, blocks: Index, out: dict[str, list[memoryview]]) -> None:
    ids = (blocks[:, None] * model.ARTISTS + np.arange(model.ARTISTS)).ravel() + 2
    if blocks[0] == shard.first:  # the artist who is none is in every dump, first
        ids = np.concatenate([[model.VARIOUS_ARTISTS], ids])
    names, dice = model.artist_names(shard, ids), shard.dice
    gid = pc.if_else(ids == model.VARIOUS_ARTISTS, VARIOUS_GID, dice.uuids("artist", ids))
    born = dice.below("born", ids, 70)
    year = chosen(born, [str(1935 + n) for n in range(70)], dice.below("born known", ids, 10) < 3)
    kind = chosen(dice.below("kind", ids, 3), ["1", "2", "1"], dice.below("kind known", ids, 10) < 8)
    sort = pc.replace_substring_regex(names, r"^The (.*)$", r"\1, The")
    stamp = chosen(dice.below("stamp", ids, len(STAMPS)), STAMPS)
    out["artist"] = [copy_rows(ids, gid, names, sort, year, _unknown(5), kind, r"\N", r"\N",
                               "", "0", stamp, "f", r"\N", r"\N")]  # fmt: skip
    credit_gid = dice.uuids("credit", ids)
    uses = dice.below("uses", ids, 60)
    out["artist_credit"] = [copy_rows(ids, names, "1", uses, stamp, "0", credit_gid)]
    out["artist_credit_name"] = [copy_rows(ids, "0", ids, names, "")]


def _unknown(columns: int) -> str:
    return "\t".join([r"\N"] * columns)


def _releases(shard: Shard, made: model.Releases, out: dict[str, list[memoryview]]) -> None:
    dice, number = shard.dice, made.number
    ids, origin = number + 1, made.origin
    # A reissue belongs to the group of its original, if that is in this dump.
    here = model.is_here(shard, origin)
    group = np.where(here, origin, number) + 1
    titles, stamp = model.release_titles(shard, made), chosen(dice.below("stamp", number, len(STAMPS)), STAMPS)
    language = chosen(dice.below("language", number, len(LANGUAGES)), list(map(str, LANGUAGES)),
                      dice.below("language known", number, 10) < 8)  # fmt: skip
    script = chosen(np.minimum(model.scripts(dice, origin), 3), list(map(str, SCRIPTS)))
    code = model.barcodes(shard, made)
    out["release"] = [copy_rows(ids, dice.uuids("release", number), titles, made.artist, group, "1", r"\N", language,
    script,
                                code, "", "0", "-1", stamp)]  # fmt: skip
    first = np.flatnonzero(group == ids)
    kind = chosen(np.where(made.size > 6, 0, np.where(made.size > 2, 2, 1))[first], ["1", "2", "3"])
    out["release_group"] = [copy_rows(ids[first], dice.uuids("group", number[first]), titles.take(first),
    made.artist[first],
                                      kind, "", "0", stamp.take(first))]  # fmt: skip
    _events(shard, made, out)
    _labels(shard, made, out)
    _media(shard, made, out)


def countries(shard: Shard, number: Index) -> Index:
    """Where each release came out, a number in :data:`COUNTRIES`; -1 where only the date is known."""
    somewhere = shard.dice.below("somewhere", number, 100) < 92
    return np.where(somewhere, laws.picked(shard.dice.bits("country", number), COUNTRY_WEIGHTS), -1)


def _events(shard: Shard, made: model.Releases, out: dict[str, list[memoryview]]) -> None:
    country = countries(shard, made.number)
    ids = np.array([area for area, _, _ in COUNTRIES])
    for table, rows in (
        ("release_country", np.flatnonzero((made.year > 0) & (country >= 0))),
        ("release_unknown_country", np.flatnonzero((made.year > 0) & (country < 0))),
    ):
        month, day = (pa.array(part[rows], mask=part[rows] == 0) for part in (made.month, made.day))
        area = [ids[country[rows]]] if table == "release_country" else []
        out[table] = [copy_rows(made.number[rows] + 1, *area, made.year[rows], month, day)]


def labels(shard: Shard, number: Index) -> tuple[Index, pa.Array]:
    """The label of each release (-1: none) and the number in its catalogue.

    Labels are numbered among the releases that are multiples of LABEL_OF.
    """
    span, first = (blocks * model.RELEASE_IDS // LABEL_OF for blocks in (shard.blocks, shard.first))
    label = first + shard.dice.below("label", number, span)
    letters = chosen(label % 26, [f"{chr(65 + n)}{chr(65 + n * 7 % 26)}R " for n in range(26)])
    code = joined([letters, number % 10_007])
    return np.where(shard.dice.below("labelled", number, 10) < 6, label, -1), code


def label_names(shard: Shard, label: Index) -> pa.Array:
    """Names of labels."""
    return words.names(shard.dice, "label", label, np.zeros(len(label), np.int64))


def _labels(shard: Shard, made: model.Releases, out: dict[str, list[memoryview]]) -> None:
    label, code = labels(shard, made.number)
    rows = np.flatnonzero(label >= 0)
    ids = made.number[rows] + 1
    out["release_label"] = [copy_rows(ids, ids, label[rows] + 1, code.take(rows), r"\N")]
    mine = np.unique(made.number // LABEL_OF)
    out["label"] = [copy_rows(mine + 1, shard.dice.uuids("label", mine), label_names(shard, mine), _unknown(7), "4",
    r"\N",
                              "", "0", r"\N", "f")]  # fmt: skip


def _media(shard: Shard, made: model.Releases, out: dict[str, list[memoryview]]) -> None:
    discs = -(-made.size // model.DISC)
    release, total = np.repeat(made.number, discs), np.repeat(made.size, discs)
    disc = np.arange(len(release)) - np.repeat(np.cumsum(discs) - discs, discs)
    count = np.minimum(total - disc * model.DISC, model.DISC)
    ids = medium(release, disc)
    style = chosen(shard.dice.below("format", release, len(FORMATS)), list(map(str, FORMATS)))
    stamp = chosen(shard.dice.below("stamp", release, len(STAMPS)), STAMPS)
    gid = shard.dice.uuids("medium", ids)
    out["medium"] = [copy_rows(ids, release + 1, disc + 1, style, "", "0", stamp, count, gid)]


def medium(release: Index, disc: Index) -> Index:
    """A release has at most sixteen discs."""
    return release * 16 + disc + 1


def _recordings(shard: Shard, blocks: Index, out: dict[str, list[memoryview]]) -> None:
    numbers = np.arange(blocks[0] * BLOCK, min((blocks[-1] + 1) * BLOCK, shard.end))
    made, dice = model.recordings(shard, numbers), shard.dice
    titles, lengths = model.recording_titles(shard, made), model.lengths(shard, made)
    credit = credits_of(shard, made)
    when = dice.below("stamp", numbers, 4 * len(STAMPS))
    stamp = chosen(when % len(STAMPS), STAMPS, when < len(STAMPS))  # most have never been edited
    out["recording"] = [
        copy_rows(numbers + 1, dice.uuids("recording", numbers), titles, credit, lengths, "\t0", stamp, "f")
    ]
    codes = model.isrcs(made)
    out["isrc"] = [copy_rows(numbers + 1, numbers + 1, codes, "0", STAMPS[3])]
    old = numbers[dice.one_in("redirect", numbers, REDIRECTED)]
    out["recording_gid_redirect"] = [copy_rows(dice.uuids("redirect", old), old + 1, STAMPS[5])]
    track = numbers // BLOCK * model.TRACK_IDS + numbers % BLOCK
    out["track"] = [_tracks(shard, track, numbers, made.release, made.offset, titles, credit, lengths)]
    release, offset, chosen_ones = model.compiled(shard, blocks)
    others = model.recordings(shard, chosen_ones)
    place = np.arange(len(release)) % (model.COMPILATIONS * model.COMPILED)
    track = release // model.RELEASE_IDS * model.TRACK_IDS + BLOCK + place
    out["track"].append(_tracks(shard, track, chosen_ones, release, offset, model.recording_titles(shard, others),
                                credits_of(shard, others), model.lengths(shard, others)))  # fmt: skip
    _guests(shard, made, out)


def _tracks(shard: Shard, track: Index, recording: Index, release: Index, offset: Index, titles: pa.Array,
            credit: Index, lengths: pa.Array) -> memoryview:  # fmt: skip
    place = offset % model.DISC + 1
    disc = medium(release, offset // model.DISC)
    gid = shard.dice.uuids("track", track)
    return copy_rows(track + 1, gid, recording + 1, disc, place, place, titles, credit, lengths, "0", STAMPS[1], "f")


def credits_of(shard: Shard, made: model.Recordings) -> Index:
    """The credit of an artist alone has the artist's id; that of two follows after all artists of the catalogue."""
    alone = made.guest == 0
    return np.where(alone, made.artist, shard.all_blocks * model.ARTISTS + 2 + made.number // model.FEATURED)


def _guests(shard: Shard, made: model.Recordings, out: dict[str, list[memoryview]]) -> None:
    rows = np.flatnonzero(made.guest)
    two = made.at(rows)
    ids, first, second = (
        credits_of(shard, two),
        model.artist_names(shard, two.artist),
        model.artist_names(shard, two.guest),
    )
    name = pc.binary_join_element_wise(first, second, " feat. ")
    out["artist_credit"].append(copy_rows(ids, name, "2", "1", STAMPS[2], "0", shard.dice.uuids("credit", ids)))
    out["artist_credit_name"] += [
        copy_rows(ids, "0", two.artist, first, " feat. "),
        copy_rows(ids, "1", two.guest, second, ""),
    ]
