"""Discogs: the dump of releases, XML, one release a line but for line breaks in notes, about 3.4 KB each."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.generate import mbdump, model
from benchmarks.generate.lines import chosen, flat, grouped, joined
from benchmarks.generate.mix import Index
from benchmarks.generate.model import Recordings, Releases, Shard

FILE = "discogs_20260901_releases.xml.gz"
NAMESAKE = 20
"""One artist in so many has a name that another had before: Discogs writes a number after it."""
_IMAGE = '<image type="secondary" uri="" uri150="" width="600" height="597"/>'
_FORMAT = ('<formats><format name="CD" qty="1" text=""><descriptions><description>Album</description>'
           "</descriptions></format></formats>")  # fmt: skip
_STYLES = ("Techno", "House", "Ambient", "Alternative Rock", "Punk", "Synth-pop", "Soul", "Drum n Bass", "Dub", "Disco")
_GENRES = ("Electronic", "Rock", "Pop", "Folk, World, &amp; Country", "Jazz", "Funk / Soul", "Hip Hop", "Classical")
_NOTES = ("", "Comes in a jewel case with an eight-page booklet.",
          "Recorded and mixed in the same week.\n\nThanks to all who came &amp; stayed.\n\nNo times are given.",
          "", "Some copies came with a poster.\nSome did not.")  # fmt: skip
_COMPANIES = (
    "<companies><company><id>271046</id><name>The Tiled Room</name><catno/><entity_type>23</entity_type>"
    "<entity_type_name>Recorded At</entity_type_name><resource_url>https://api.discogs.com/labels/271046</resource_url></company><company>"
    "<id>56025</id><name>Press &amp; Sons</name><catno/><entity_type>17</entity_type><entity_type_name>Pressed By"
    "</entity_type_name><resource_url>https://api.discogs.com/labels/56025</resource_url></company></companies></release>\n"
)


def releases(shard: Shard, blocks: Index) -> dict[str, list[memoryview]]:
    """Some releases; the last one without recordings' ISRCs: Discogs has next to none."""
    here, tracks = model.releases(shard, blocks), model.listing(shard, blocks)
    return {FILE: [flat(_rows(shard, here, tracks))]}


def escaped(texts: pa.Array) -> pa.Array:
    """As character data and in attributes; two letters as references to them, as all were in older dumps."""
    for letter, reference in (("&", "&amp;"), ('"', "&quot;"), ("ö", "&#246;"), ("é", "&#233;")):
        texts = pc.replace_substring(texts, letter, reference)
    return texts


def _artists(shard: Shard, artist: Index) -> pa.Array:
    ids, row = np.unique(artist, return_inverse=True)
    name = escaped(model.artist_names(shard, ids))
    number = pc.if_else(pa.array((ids % NAMESAKE == 3) & (ids != model.VARIOUS_ARTISTS)), " (2)", "")
    shown = np.where(ids == model.VARIOUS_ARTISTS, 194, ids + 1_000)  # 194 is Various
    name = pc.if_else(pa.array(ids == model.VARIOUS_ARTISTS), "Various", name)
    one = joined(["<artist><id>", shown, "</id><name>", name, number, "</name><anv/><join/><role/><tracks/></artist>"])
    return one.take(row)


def _tracks(shard: Shard, tracks: Recordings, various: Index) -> pa.Array:
    """Half of the durations are not there; one position in forty is not, either."""
    dice, row = shard.dice, tracks.release * 512 + tracks.offset
    seconds = pc.fill_null(model.lengths(shard, tracks), 0).to_numpy() // 1000
    clock = joined([seconds // 60, chosen(seconds % 60, [f":{n:02d}" for n in range(60)])])
    known = (dice.below("clock", row, 2) == 0) & (seconds > 0)
    place = chosen(dice.below("place", row, 40), [""] + ["x"] * 39)
    position = pc.if_else(pc.equal(place, ""), "", pc.cast(pa.array(tracks.offset + 1), pa.string()))
    credit = joined(["<artists>", _artists(shard, tracks.artist), "</artists>"])
    return joined([
        "<track><position>", position, "</position><title>", escaped(model.recording_titles(shard, tracks)),
        "</title><duration>",
        pc.if_else(pa.array(known), clock, ""), "</duration>", pc.if_else(pa.array(various > 0), credit, ""),
        "</track>",
    ])  # fmt: skip


def _rows(shard: Shard, here: Releases, tracks: Recordings) -> pa.Array:
    dice, number = shard.dice, here.number
    row = np.searchsorted(number, tracks.release)
    listed = grouped(_tracks(shard, tracks, here.artist[row] == model.VARIOUS_ARTISTS), here.size)
    country = mbdump.countries(shard, number)
    place = chosen(np.maximum(country, 0), [name for _, _, name in mbdump.COUNTRIES], country >= 0)
    title, artist = escaped(model.release_titles(shard, here)), _artists(shard, here.artist)
    label, code = mbdump.labels(shard, number)
    named = escaped(mbdump.label_names(shard, np.where(label >= 0, label, number // mbdump.LABEL_OF)))
    image = chosen(dice.below("images", number, 4), ["<images>" + _IMAGE * n + "</images>" for n in range(1, 5)])
    genre, style = chosen(dice.below("genre", number, 8), _GENRES), chosen(dice.below("style", number, 10), _STYLES)
    made_by = joined(["<extraartists><artist><id>", number % 9_973 + 7, "</id><name>", named,
                      "</name><anv/><join/><role>Producer</role><tracks/></artist></extraartists>"])  # fmt: skip
    return joined([
        '<release id="', number + 1, '" status="Accepted">', image, "<artists>", artist, "</artists><title>", title,
        '</title><labels><label name="', pc.if_else(pa.array(label >= 0), named, "Not On Label"), '" catno="',
        pc.if_else(pa.array(label >= 0), code, "none"), '" id="', np.maximum(label, 0) + 1, '"/></labels>', made_by,
        _FORMAT,
        "<genres><genre>", genre, "</genre></genres><styles><style>", style, "</style></styles><country>", place,
        "</country>",
        "<released>", _released(here), "</released><notes>", chosen(dice.below("notes", number, 5), _NOTES),
        "</notes><data_quality>Correct</data_quality><tracklist>", listed, "</tracklist>",
        _identifiers(shard, here, tracks), _videos(dice.below("video", number, 3), number, title), _COMPANIES,
    ])  # fmt: skip


def _released(of: Releases) -> pa.Array:
    """``1999-03-00``: what is not known of a date is zeros, or it ends with the year."""
    month = chosen(of.month, [f"-{n:02d}" for n in range(13)], of.month > 0)
    day = chosen(of.day, [f"-{n:02d}" for n in range(32)], of.month > 0)
    return joined([pa.array(of.year, mask=of.year == 0), month, day])


def _identifiers(shard: Shard, here: Releases, tracks: Recordings) -> pa.Array:
    """Barcodes; ISRCs on 7 of 1,000 releases, some with hyphens."""
    code = model.barcodes(shard, here)
    barcode = pc.if_else(code.is_valid(), joined(['<identifier type="Barcode" value="', code, '"/>']), "")
    first = np.cumsum(here.size) - here.size
    isrc = model.isrcs(tracks.at(first))
    hyphened = pc.replace_substring_regex(isrc, r"^(..)(...)(..)(.....)$", r"\1-\2-\3-\4")
    written = pc.if_else(pa.array(here.number % 2 == 0), hyphened, isrc)
    known = pa.array(shard.dice.below("isrc", here.number, 1_000) < 7)
    of_track = pc.if_else(known, joined(['<identifier type="ISRC" value="', written, '"/>']), "")
    matrix = joined(
        ['<identifier type="Matrix / Runout" description="Side A" value="MX ', here.number % 99_991, ' A1"/>']
    )
    return joined(["<identifiers>", barcode, of_track, matrix, "</identifiers>"])


def _videos(count: Index, number: Index, title: pa.Array) -> pa.Array:
    one = joined(['<video src="https://www.youtube.com/watch?v=', number, 'x" duration="296" embed="true"><title>',
    title,
                  "</title><description>", title,
                  "\n\nfrom a collection of records</description></video>"])  # fmt: skip
    two = joined([one, one])
    some = pc.if_else(pa.array(count == 0), "", pc.if_else(pa.array(count == 1), one, two))
    return joined(["<videos>", some, "</videos>"])
