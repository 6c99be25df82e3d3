"""Reads tags with limits, under one set of names: those of Vorbis comments in lower case.

Runs only inside the confined child. Nothing in a tag can refuse a file: what cannot be read gives a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, Any

import mutagen.aiff
import mutagen.apev2
import mutagen.flac
import mutagen.id3
import mutagen.mp3
import mutagen.mp4
import mutagen.oggflac
import mutagen.oggopus
import mutagen.oggvorbis
import mutagen.wave

from fonoteca.audio.facts import Limits
from fonoteca.audio.text import clean_text

_READERS: dict[tuple[str, str], Any] = {
    ("flac", "flac"): mutagen.flac.FLAC,
    ("ogg", "vorbis"): mutagen.oggvorbis.OggVorbis,
    ("ogg", "opus"): mutagen.oggopus.OggOpus,
    ("ogg", "flac"): mutagen.oggflac.OggFLAC,
    ("mp3", "mp3"): mutagen.mp3.MP3,
    ("mp4", "aac"): mutagen.mp4.MP4,
    ("mp4", "alac"): mutagen.mp4.MP4,
    ("wav", "pcm"): mutagen.wave.WAVE,
    ("aiff", "pcm"): mutagen.aiff.AIFF,
}
_ID3 = {
    "TIT2": "title", "TPE1": "artist", "TPE2": "albumartist", "TALB": "album", "TRCK": "tracknumber",
    "TPOS": "discnumber", "TDRC": "date", "TDRL": "date", "TYER": "date", "TCON": "genre", "TCOP": "copyright",
    "WCOP": "license", "USER": "license", "COMM": "comment", "TSRC": "isrc", "TCOM": "composer", "TLAN": "language",
    "WOAF": "url", "WOAS": "url", "WOAR": "contact",
}  # fmt: skip
_MP4 = {
    "©nam": "title", "©ART": "artist", "aART": "albumartist", "©alb": "album", "trkn": "tracknumber",
    "disk": "discnumber", "©day": "date", "©gen": "genre", "cprt": "copyright", "©cmt": "comment",
    "©wrt": "composer",
}  # fmt: skip
_ALIASES = {"year": "date", "track": "tracknumber", "disc": "discnumber", "album_artist": "albumartist",
            "tsrc": "isrc", "licence": "license", "author": "artist"}  # fmt: skip
_SKIPPED = {"metadata_block_picture", "coverart", "encoder", "major_brand", "minor_version", "compatible_brands"}
_MUSICBRAINZ = "http://musicbrainz.org"


def _values(value: Any) -> list[str]:
    if isinstance(value, list | tuple) and value and all(isinstance(v, int) for v in value):
        return [str(value[0])]
    items = value if isinstance(value, list | tuple) else [value]
    found = []
    for item in items:
        if isinstance(item, tuple):  # MP4: (number, total)
            found += [str(item[0])] if item and item[0] else []
        elif isinstance(item, bytes):
            found.append(item.decode("utf-8", "replace"))
        else:
            found.append(str(item))
    return found


def _id3_pairs(frames: Iterable[Any]) -> Iterator[tuple[str, list[str]]]:
    for frame in frames:
        name = frame.FrameID
        if name == "TXXX":
            yield str(frame.desc).lower(), [str(t) for t in frame.text]
        elif name == "WXXX":
            yield str(frame.desc).lower() or "url", [str(frame.url)]
        elif name == "UFID" and frame.owner == _MUSICBRAINZ:
            yield "musicbrainz_recordingid", [frame.data.decode("ascii", "replace")]
        elif name == "TCON":
            yield "genre", [str(g) for g in frame.genres]
        elif name in _ID3:
            text = getattr(frame, "text", None)
            text = getattr(frame, "url", "") if text is None else text
            yield _ID3[name], _values(text)


def _pairs(opened: Any) -> Iterator[tuple[str, list[str]]]:
    tags: Any = opened.tags
    if tags is None:
        return
    if isinstance(opened.tags, mutagen.id3.ID3):
        yield from _id3_pairs(tags.values())
    elif isinstance(opened.tags, mutagen.mp4.MP4Tags):
        for name, value in tags.items():
            if name.startswith("----:"):
                yield name.rpartition(":")[2].lower(), _values(value)
            elif name in _MP4:
                yield _MP4[name], _values(value)
    else:
        for name, value in tags:
            yield str(name).lower(), [str(value)]


def _bound(pairs: Iterable[tuple[str, list[str]]], limits: Limits) -> tuple[dict[str, list[str]], set[str]]:
    tags: dict[str, list[str]] = {}
    notes: set[str] = set()
    count = 0
    for raw, values in pairs:
        name, _ = clean_text(raw, 64)
        name = _ALIASES.get(name.lower(), name.lower())
        if not name or name in _SKIPPED:
            continue
        for value in values:
            if count >= limits.max_tags:
                notes.add("tags-cut")
                return tags, notes
            text, changed = clean_text(value, limits.max_tag_chars)
            if changed:
                notes.add("cleaned-text")
            if text and text not in tags.setdefault(name, []):
                tags[name].append(text)
                count += 1
    return {name: values for name, values in tags.items() if values}, notes


def read_tags(
    stream: IO[bytes], container: str, codec: str, fallback: dict[str, str], limits: Limits
) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """Tags and notes. ``fallback``: what the demuxer found, for the formats that mutagen reads in part."""
    notes: set[str] = set()
    tags: dict[str, list[str]] = {}
    try:
        stream.seek(0)
        tags, notes = _bound(_pairs(_READERS[container, codec](stream)), limits)
    except Exception:  # the library raises nearly anything for broken tags: they are lost, the audio is not
        notes.add("bad-tags")
    if not tags and fallback:
        tags, more = _bound(((k.lower(), [v]) for k, v in fallback.items()), limits)
        notes |= more
    return dict(sorted(tags.items())), tuple(sorted(notes))
