"""``folder``: a folder of audio files, as their tags describe them. A recording's key is the blob's SHA-256."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from fonoteca.audio.facts import AudioFacts, AudioRefused
from fonoteca.core import canonical
from fonoteca.core.errors import Usage
from fonoteca.core.fixity import chunks
from fonoteca.sources import values
from fonoteca.sources.records import (
    ClaimText,
    Credit,
    Dump,
    Duplicate,
    FieldLicence,
    Record,
    RecordingRecord,
    ReleaseRecord,
    Source,
    SourceInfo,
    TrackRecord,
)
from fonoteca.sources.rows import refused

Probe = Callable[[Path], AudioFacts]
INFO = SourceInfo(
    name="folder",
    kind="files",
    title="A folder of audio files, by their tags",
    licences=(FieldLicence("*", "CC0-1.0", ""),),
    where="your disk; 'fonoteca intake' takes the audio itself",
    size="any; every file is decoded whole, which takes time",
    files="FLAC, Ogg Vorbis, Opus, MP3, M4A, WAV, AIFF, known by content",
)
COMPANIONS = frozenset(
    {".jpg", ".jpeg", ".png", ".gif", ".webp", ".svg", ".txt", ".md", ".nfo", ".cue", ".log", ".m3u", ".m3u8", ".pls",
     ".xspf", ".csv", ".json", ".xml", ".pdf", ".html", ".sfv", ".md5", ".sha256", ".ffp", ".lrc", ".ini", ".db"}
)  # fmt: skip
"""Endings of files that stand beside audio and are passed over, with a warning that counts them."""


class Folder(Source):
    """Reads audio files through a probe; without one, each is decoded in a confined child process."""

    def __init__(self, probe: Probe | None = None) -> None:
        self._probe = probe

    @property
    def info(self) -> SourceInfo:
        """Tags are facts about your own files: CC0."""
        return INFO

    def check(self, dump: Dump) -> None:
        """Raises Usage: nothing there, or no file that could be audio."""
        if not self.resolve(dump).paths:
            where = ", ".join(map(str, dump.paths)) or "no folder was named"
            raise Usage("not-a-dump", "There is no audio here", f"{where}: no file that could be audio",
                        "name a folder of audio files", str(dump.paths[0]) if dump.paths else None)  # fmt: skip

    def resolve(self, dump: Dump) -> Dump:
        """Folders become their files, in the order of their names; links are not followed."""
        return replace(dump, paths=tuple(p for p in _walk(dump.paths) if not _is_companion(p)))

    def warnings(self, dump: Dump) -> Sequence[str]:
        """How many files are passed over."""
        count = sum(_is_companion(p) for p in _walk(dump.paths))
        return [f"{count} files that are no audio by their names were passed over"] if count else []

    def records(self, dump: Dump) -> Iterator[Record]:
        """A recording, its release and its track a file; byte-identical files once."""
        paths = self.resolve(dump).paths
        root = _root(paths)
        first: set[str] = set()
        releases: set[str] = set()
        with ExitStack() as stack:
            probe = self._probe or _confined(stack)
            for path in paths:
                yield from _file(path, path.relative_to(root).as_posix(), probe, first, releases)


def _confined(stack: ExitStack) -> Probe:
    from fonoteca.audio.probe import Limits, Pool

    return stack.enter_context(Pool(Limits(), workers=1)).probe


def _is_companion(path: Path) -> bool:
    return path.name.startswith(".") or path.suffix.lower() in COMPANIONS


def _walk(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise Usage("unreadable-dump", f"{path.name} could not be read", "there is no such file or folder",
                        "check the path", str(path))  # fmt: skip
        if path.is_file():
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders.sort()
            found = (Path(folder) / name for name in sorted(names))
            yield from (p for p in found if p.is_file() and not p.is_symlink())


def _root(paths: Sequence[Path]) -> Path:
    """The folder from which positions are counted: the deepest that holds all files."""
    return Path(os.path.commonpath([p.parent for p in paths])) if paths else Path()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for data in chunks(stream):
            digest.update(data)
    return digest.hexdigest()


def _file(path: Path, position: str, probe: Probe, first: set[str], releases: set[str]) -> Iterator[Record]:
    try:
        sha256 = _sha256(path)
        if sha256 in first:
            yield Duplicate(position, sha256)
            return
        facts = probe(path)
    except AudioRefused as error:
        yield refused(position, error.code, error.reason, path.name)
        return
    except OSError as error:
        yield refused(position, "unreadable-file", error.strerror or str(error), path.name)
        return
    first.add(sha256)
    for record in from_tags(sha256, position, facts):
        if isinstance(record, ReleaseRecord):
            if record.key in releases:
                continue
            releases.add(record.key)
        yield record


def from_tags(key: str, position: str, facts: AudioFacts) -> list[Record]:
    """A recording as its tags describe it, its release and its track where they name one.

    Also what intake uses for files that it has taken in.
    """
    tags = facts.tags
    flags: set[str] = set()

    def one(name: str) -> str | None:
        return values.text(next(iter(tags.get(name, ())), None), flags)

    credited = tuple(_credits(tags.get("artist", []), flags))
    composers = tuple(Credit(name, None, "composer") for name in values.items(tags.get("composer", []), "", flags))
    recording = RecordingRecord(
        key, position, one("title"), facts.duration_ms,
        year=values.year(one("date"), flags),
        language=one("language"),
        credits=credited + composers,
        identifiers=tuple(_identifiers(tags, flags)),
        genres=tuple(values.items(tags.get("genre", []), "", flags)),
        claims=tuple(_claims(tags, flags)),
    )  # fmt: skip
    placed = _placed(key, position, one, credited, tags, flags)
    return [replace(recording, flags=tuple(sorted(flags))), *placed]


def _credits(names: Sequence[str], flags: set[str]) -> Iterator[Credit]:
    found = values.items(list(names), "", flags)
    for number, name in enumerate(found):
        yield Credit(name, joined_by=", " if number < len(found) - 1 else "")


def _identifiers(tags: dict[str, list[str]], flags: set[str]) -> Iterator[tuple[str, str]]:
    for scheme, name, read in (
        ("isrc", "isrc", values.isrc), ("mbid", "musicbrainz_recordingid", values.mbid),
        ("mbid", "musicbrainz_trackid", values.mbid), ("url", "url", values.text),
    ):  # fmt: skip
        for written in tags.get(name, ()):
            value = read(written, flags)
            if value:
                yield scheme, value


def _claims(tags: dict[str, list[str]], flags: set[str]) -> Iterator[ClaimText]:
    """A licence tag as it stands; a copyright line only where it names a Creative Commons address."""
    for written in values.items(tags.get("license", []), "", flags):
        is_url = written.startswith(("http://", "https://"))
        yield ClaimText("" if is_url else written, written if is_url else "", "tag license in the file")
    for name in ("copyright", "copyright message", "comment", "comments"):
        for line in values.items(tags.get(name, []), "", flags):
            address = values.licence_address(line)
            if address:
                yield ClaimText("", address, f"tag {name} in the file: {line[:200]}")


def _placed(
    key: str, position: str, one: Callable[[str], str | None], credited: tuple[Credit, ...],
    tags: dict[str, list[str]], flags: set[str],
) -> list[Record]:  # fmt: skip
    title = one("album")
    if title is None:
        return []
    by = tuple(_credits(tags.get("albumartist", []), flags)) or credited
    release = canonical.digest([title, [c.name for c in by]])
    barcode = values.upc(one("barcode"), flags)
    date = values.date(one("date"), set())
    disc, number = values.count(one("discnumber"), flags), values.count(one("tracknumber"), flags)
    return [
        ReleaseRecord(release, position, title, int(date[:4]) if date else None, date, label=one("label"), credits=by,
                      identifiers=(("upc", barcode),) if barcode else ()),
        TrackRecord(release, key, position, disc, number),
    ]  # fmt: skip
