"""Items and files of the Internet Archive as records. Any field may be missing, a value, or a list of values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from fonoteca.sources import values
from fonoteca.sources.records import (
    ClaimText,
    Credit,
    Duplicate,
    Record,
    RecordingRecord,
    Refused,
    ReleaseRecord,
    Signal,
    TrackRecord,
)
from fonoteca.sources.rows import Row, refused
from fonoteca.sources.seen import joined_key

NAME = "internet_archive"
LICENCE = "facts, CC0-1.0"
SIGNAL_LICENCE = "CC0-1.0"
_AUDIO = re.compile(
    r"(?:\d{2,4}kbps |vbr |24bit )?(?:mp3|flac|ogg vorbis|wave?|aiff?|shorten|apple lossless audio|m4a|aac|opus|"
    r"advanced audio coding|mpeg-4 audio|monkey's audio|wavpack)",
    re.IGNORECASE,
)
_MB = "urn:mb_recording_id:"
_ISRC = "urn:isrc:"


def one(value: Any) -> Any:
    """A value, or the first of a list."""
    return (value[0] if value else None) if isinstance(value, list) else value


def every(value: Any, flags: set[str]) -> list[str]:
    """The texts of a value or a list."""
    return values.items(value, "", flags)


def is_audio(file: Any) -> bool:
    """Whether a file's format is one of sound: not a playlist, a fingerprint or a picture of sound."""
    return isinstance(file, dict) and _AUDIO.fullmatch(str(one(file.get("format")) or "").strip()) is not None


def recordings(row: Row, item: str) -> Iterator[Record]:
    """The audio files of an item with their places.

    What the archive made of an audio file of the item (``source: derivative``) is that recording once more: left out.
    """
    files = row.values.get("files")
    audio = [(n, f) for n, f in enumerate(files if isinstance(files, list) else (), 1) if is_audio(f)]
    present = {str(file.get("name")) for _, file in audio}
    seen: dict[str, dict[str, Any]] = {}
    for number, file in audio:
        if one(file.get("source")) == "derivative" and str(one(file.get("original"))) in present:
            continue
        where = f"{row.position}#{number}"
        name = values.key(one(file.get("name")))
        refusal = _refusal(where, name, file, seen)
        if refusal is not None:
            yield refusal
            continue
        seen[name] = file
        yield from _file(row, item, name, file, where)


def _refusal(
    where: str, name: str, file: dict[str, Any], seen: dict[str, dict[str, Any]]
) -> Refused | Duplicate | None:
    if not name:
        return refused(where, "no-key", "the file has no name", str(file))
    if name in seen:
        if seen[name] == file:
            return Duplicate(where, name)
        return refused(where, "key-conflict", f"the file {name!r} comes twice, with other content", str(file))
    return None


def _file(row: Row, item: str, name: str, file: dict[str, Any], where: str) -> Iterator[Record]:
    flags: set[str] = set()
    key = joined_key([item, name])
    single = sum(map(is_audio, row.values["files"])) == 1
    names = every(file.get("artist") or file.get("creator") or row.values.get("metadata.creator"), flags)
    yield RecordingRecord(
        key, where, values.text(one(file.get("title")), flags), values.duration(one(file.get("length")), flags),
        _year(row, "metadata.", flags),
        values.text(one(row.values.get("metadata.language")), flags),
        _credits(names),
        (("url", f"https://archive.org/download/{quote(item)}/{quote(name)}"), *_identifiers(file, flags)),
        tuple(dict.fromkeys(every(file.get("genre"), flags))),
        downloads(row.values.get("metadata.downloads"), flags) if single else (),
        flags=tuple(sorted(flags)),
    )  # fmt: skip
    disc, number = (values.count(one(file.get(part)), set()) for part in ("disc", "track"))
    yield TrackRecord(item, key, where, disc, number)


def _credits(found: list[str]) -> tuple[Credit, ...]:
    return tuple(Credit(name, joined_by=", " if n < len(found) else "") for n, name in enumerate(found, 1))


def _identifiers(file: dict[str, Any], flags: set[str]) -> Iterator[tuple[str, str]]:
    for written in dict.fromkeys(every(file.get("external-identifier"), flags)):
        if written.startswith(_MB):
            found = "mbid", values.mbid(written.removeprefix(_MB), flags)
        elif written.startswith(_ISRC):
            found = "isrc", values.isrc(written.removeprefix(_ISRC), flags)
        else:
            continue
        if found[1]:
            yield found[0], found[1]


def release(row: Row, item: str) -> ReleaseRecord:
    """The item. Its licence holds for its files."""
    flags: set[str] = set()
    get = row.values.get
    date = values.date(one(get("metadata.date")), flags) or values.date(one(get("metadata.year")), flags)
    return ReleaseRecord(
        item, row.position, values.text(one(get("metadata.title")), flags), int(date[:4]) if date else None, date,
        label=values.text(one(get("metadata.publisher")), flags),
        credits=_credits(every(get("metadata.creator"), flags)),
        identifiers=(("url", f"https://archive.org/details/{quote(item)}"),),
        genres=_subjects(get("metadata.subject"), flags),
        claims=_claims(row, "metadata.", flags),
        flags=tuple(sorted(flags)),
    )  # fmt: skip


def result(row: Row, item: str) -> RecordingRecord:
    """A search result as one recording: the item as a whole."""
    flags: set[str] = set()
    get = row.values.get
    return RecordingRecord(
        item, row.position, values.text(one(get("title")), flags), None, _year(row, "", flags),
        values.text(one(get("language")), flags), _credits(every(get("creator"), flags)),
        (("url", f"https://archive.org/details/{quote(item)}"),), _subjects(get("subject"), flags),
        downloads(get("downloads"), flags), _claims(row, "", flags), tuple(sorted(flags)),
    )  # fmt: skip


def downloads(value: Any, flags: set[str]) -> tuple[Signal, ...]:
    """The number of downloads, if it is one; 0 is a number too."""
    found = values.number(one(value), flags, "bad-downloads")
    return (Signal("downloads", found, SIGNAL_LICENCE),) if found is not None else ()


def _subjects(value: Any, flags: set[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for text in every(value, flags) for part in values.items(text, ";", flags)))


def _year(row: Row, prefix: str, flags: set[str]) -> int | None:
    written = (one(row.values.get(prefix + name)) for name in ("date", "year"))
    return next((year for value in written if (year := values.year(value, flags)) is not None), None)


def _claims(row: Row, prefix: str, flags: set[str]) -> tuple[ClaimText, ...]:
    """licenseurl, and what else uploaders write of rights."""
    found = [ClaimText("", url, "licenseurl at the Internet Archive")
             for url in every(row.values.get(prefix + "licenseurl"), flags)]  # fmt: skip
    for name in ("rights", "possible-copyright-status"):
        found += [ClaimText(text[:4000], values.licence_address(text), f"{name} at the Internet Archive")
                  for text in every(row.values.get(prefix + name), flags)]  # fmt: skip
    return tuple(found)
