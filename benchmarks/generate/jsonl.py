"""MusicBrainz' JSON dumps: one document a line, about 1 KB for a recording; releases with media, tracks and events."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.generate import mbdump, model
from benchmarks.generate.lines import chosen, flat, grouped, joined
from benchmarks.generate.mix import Index
from benchmarks.generate.model import Recordings, Releases, Shard
from benchmarks.generate.pattern import BLOCK

RECORDINGS, RELEASES = "mbdump/recording", "mbdump/release"
_PERSON = '"type":"Person","type-id":"b6e035f4-3ce9-331c-97df-83397230b0df"'
_RELATION = (
    '"relations":[{"attribute-ids":{},"attribute-values":{},"attributes":[],"begin":null,"direction":"forward","end":null,'
    '"ended":false,"source-credit":"","target-credit":"","target-type":"work","type":"performance",'
    '"type-id":"a3005666-a872-32c3-ad06-98af558e99b0","work":{"attributes":[],"disambiguation":"","id":"'
)
_WORK = '","iswcs":[],"language":"eng","languages":["eng"],"title":'
_WORK_END = ',"type":"Song","type-id":"f061270a-2fd6-32f1-a641-f0f8676d14e6"}}]'


def constant() -> Mapping[str, bytes]:
    """As in every JSON dump."""
    return {
        "TIMESTAMP": b"2026-09-02 00:20:13.371462+00\n",
        "SCHEMA_SEQUENCE": b"31\n",
        "JSON_DUMPS_SCHEMA_NUMBER": b"1\n",
    }


def lines(shard: Shard, blocks: Index) -> dict[str, list[memoryview]]:
    """Some recordings and the releases of the same blocks, compilations too."""
    tracks, here = model.listing(shard, blocks), model.releases(shard, blocks)
    dates = _dates(here)
    return {RECORDINGS: [_own(shard, tracks, here, dates)], RELEASES: [flat(_releases(shard, here, tracks, dates))]}


def recordings(shard: Shard, blocks: Index) -> dict[str, list[memoryview]]:
    """The recordings alone, where the releases would only take twice the disk."""
    here = model.releases(shard, blocks)
    return {RECORDINGS: [_own(shard, model.listing(shard, blocks), here, _dates(here))]}


def _own(shard: Shard, tracks: Recordings, here: Releases, dates: pa.Array) -> memoryview:
    """Recordings as on their own releases."""
    own = np.flatnonzero(tracks.release % model.RELEASE_IDS < model.RELEASE_IDS - model.COMPILATIONS)
    mine = tracks.at(own)
    row = np.searchsorted(here.number, mine.release)
    return flat(_recordings(shard, mine, dates.take(row)))


def quoted(texts: pa.Array) -> pa.Array:
    """As JSON strings: of what needs an escape, our words have the quotation mark alone."""
    return joined(['"', pc.replace_substring(texts, '"', '\\"'), '"'])


def _dates(of: Releases) -> pa.Array:
    """``2004-01-15``, as far as it is known; empty where nothing is."""
    month = chosen(of.month, [f"-{n:02d}" for n in range(13)], of.month > 0)
    day = chosen(of.day, [f"-{n:02d}" for n in range(32)], of.day > 0)
    return joined([pa.array(of.year, mask=of.year == 0), month, day])


def _credit(shard: Shard, artist: Index, guest: Index) -> pa.Array:
    """The documents of credits."""
    ids, row = np.unique(np.concatenate([artist, guest[guest > 0]]), return_inverse=True)
    gid = pc.if_else(pa.array(ids == model.VARIOUS_ARTISTS), mbdump.VARIOUS_GID, shard.dice.uuids("artist", ids))
    name = quoted(model.artist_names(shard, ids))
    sort = pc.replace_substring_regex(name, r'^"The (.*)"$', r'"\1, The"')
    entry = joined(['{"artist":{"aliases":[],"country":null,"disambiguation":"","genres":[],"id":"', gid,
    '","name":', name,
                    ',"sort-name":', sort, f',"tags":[],{_PERSON}}},"name":', name])  # fmt: skip
    second = np.zeros(len(artist), np.int64)
    second[guest > 0] = row[len(artist) :]
    other = joined([',"joinphrase":" feat. "},', entry])
    other = other.take(pa.array(second, mask=guest == 0))
    return joined(["[", entry.take(row[: len(artist)]), other, ',"joinphrase":""}]'])


def _recordings(shard: Shard, mine: Recordings, dates: pa.Array) -> pa.Array:
    title = quoted(model.recording_titles(shard, mine))
    return joined([
        '{"aliases":[],"annotation":null,"artist-credit":', _credit(shard, mine.artist, mine.guest),
        ',"disambiguation":"","first-release-date":"', dates, '","genres":[],"id":"',
        shard.dice.uuids("recording", mine.number), '","isrcs":["', model.isrcs(mine), '"],"length":',
        pc.fill_null(pc.cast(model.lengths(shard, mine), pa.string()), "null"),
        f',"rating":{{"value":null,"votes-count":0}},{_RELATION}', shard.dice.uuids("work", mine.origin), _WORK, title,
        f'{_WORK_END},"tags":[],"title":', title, ',"video":false}\n',
    ])  # fmt: skip


def _tracks(shard: Shard, tracks: Recordings) -> pa.Array:
    """The documents of tracks, with what opens and ends a medium before and behind them."""
    title, place = quoted(model.recording_titles(shard, tracks)), tracks.offset % model.DISC
    credit = _credit(shard, tracks.artist, tracks.guest)
    length = pc.fill_null(pc.cast(model.lengths(shard, tracks), pa.string()), "null")
    last = np.append(tracks.release[1:] != tracks.release[:-1], True)
    full = (place == model.DISC - 1) | last
    disc = tracks.offset // model.DISC
    opening = joined(['{"format":"CD","position":', disc + 1, ',"title":"","track-offset":0,"tracks":['])
    opening = pc.if_else(pa.array(place == 0), opening, ",")
    ending = joined(['],"track-count":', place + 1, pc.if_else(pa.array(last), "}", "},")])
    ending = pc.if_else(pa.array(full), ending, "")
    return joined([
        opening, '{"artist-credit":', credit, ',"id":"', shard.dice.uuids("track", _track_number(tracks)),
        '","length":',
        length, ',"number":"', place + 1, '","position":', place + 1, ',"recording":{"artist-credit":', credit,
        ',"disambiguation":"","id":"', shard.dice.uuids("recording", tracks.number), '","isrcs":["',
        model.isrcs(tracks),
        '"],"length":', length, ',"title":', title, ',"video":false},"title":', title, "}", ending,
    ])  # fmt: skip


def _track_number(tracks: Recordings) -> Index:
    block, slot = tracks.release // model.RELEASE_IDS, tracks.release % model.RELEASE_IDS
    beside = slot - (model.RELEASE_IDS - model.COMPILATIONS)
    place = np.where(beside < 0, tracks.number % BLOCK, BLOCK + beside * model.COMPILED + tracks.offset)
    return block * model.TRACK_IDS + place


def _releases(shard: Shard, here: Releases, tracks: Recordings, dates: pa.Array) -> pa.Array:
    media = grouped(_tracks(shard, tracks), here.size)
    country = mbdump.countries(shard, here.number)
    code = chosen(np.maximum(country, 0), [f'"{c}"' for _, c, _ in mbdump.COUNTRIES], (country >= 0) & (here.year > 0))
    event = joined(['[{"area":{"iso-3166-1-codes":[', code, ']},"date":"', dates, '"}]'])
    events = pc.if_else(pa.array(here.year > 0), event, "[]")
    label, number = mbdump.labels(shard, here.number)
    named = np.maximum(label, 0)
    info = joined(['[{"catalog-number":"', number, '","label":{"id":"', shard.dice.uuids("label", named), '","name":',
                   quoted(mbdump.label_names(shard, named)), "}}]"])  # fmt: skip
    barcode = model.barcodes(shard, here)
    return joined([
        '{"aliases":[],"annotation":null,"artist-credit":', _credit(shard, here.artist, np.zeros_like(here.artist)),
        ',"asin":null,"barcode":', pc.fill_null(joined_or_null(barcode), "null"), ',"country":', pc.fill_null(code,
        "null"),
        ',"date":"', dates, '","disambiguation":"","genres":[],"id":"', shard.dice.uuids("release", here.number),
        '","label-info":', pc.if_else(pa.array(label >= 0), info, "[]"), ',"media":[', media,
        '],"packaging":null,"quality":"normal","release-events":', events,
        ',"status":"Official","tags":[],"text-representation":{"language":null,"script":"Latn"},"title":',
        quoted(model.release_titles(shard, here)), "}\n",
    ])  # fmt: skip


def joined_or_null(texts: pa.Array) -> pa.Array:
    """As JSON strings, null where there is none."""
    return pc.binary_join_element_wise('"', texts, '"', "", null_handling="emit_null")
