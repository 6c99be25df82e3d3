"""The mapping file of ``table``: which column is which field (docs/formats/mapping.md), or a guess from the names."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fonoteca.core.errors import Usage
from fonoteca.sources.rows import Reading

FIELDS = (
    "title", "artist", "artist_key", "artist_role", "duration", "year", "language", "genres",
    "release", "release_key", "release_artist", "release_date", "release_kind", "label", "country",
    "disc", "track", "isrc", "upc", "mbid", "url", "licence", "licence_url", "evidence",
    "recording", "source", "file",
)  # fmt: skip
"""What a column can be. ``recording``, ``source``: the recording of another source that the row is about."""
SIGNALS = ("listens", "downloads", "rating", "favourites", "interest")
UNITS = ("s", "ms", "min")
ABOUT = ("recordings", "signals", "claims")
TOP = {
    "dataset": str, "licence": str, "credit": str, "about": str, "source": str, "list_separator": str,
    "artist_separator": str, "duration_unit": str, "key": list, "columns": dict, "constants": dict,
    "signals": dict, "signal_licence": str, "synthetic": bool, "format": str, "delimiter": str,
    "encoding": str, "quoting": bool,
}  # fmt: skip
_ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "cp1251",
              "shift_jis", "euc_jp", "gb18030", "big5", "koi8-r", "ascii")  # fmt: skip
_MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class Mapping:
    """One table's meaning. ``columns``: field → column; ``signals``: kind → column; ``key``: columns."""

    dataset: str = ""
    licence: str = ""
    credit: str = ""
    about: str = "recordings"
    source: str = ""
    list_separator: str = ";"
    artist_separator: str = ""
    duration_unit: str = "s"
    key: Sequence[str] = ()
    columns: MappingOf[str, str] = field(default_factory=dict)
    constants: MappingOf[str, str] = field(default_factory=dict)
    signals: MappingOf[str, str] = field(default_factory=dict)
    signal_licence: str = ""
    synthetic: bool = False
    reading: Reading = field(default_factory=Reading)

    @property
    def needed(self) -> list[str]:
        """The columns that a file must have, in order."""
        return list(dict.fromkeys([*self.key, *self.columns.values(), *self.signals.values()]))


def _bad(why: str, subject: str) -> Usage:
    return Usage("bad-mapping", "The mapping could not be used", why,
                 "docs/formats/mapping.md has an example of every key", subject)  # fmt: skip


def load(path: Path) -> dict[str, Any]:
    """A mapping file's values, checked, as ``Dump.options["mapping"]`` takes them.

    Raises:
        Usage: no file, no TOML, a key that is none, a value of the wrong type.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise _bad(f"{path.name} is larger than {_MAX_BYTES} bytes", str(path))
        values = tomllib.loads(data.decode("utf-8-sig"))
    except OSError as error:
        raise Usage("bad-mapping", "The mapping could not be read", error.strerror or str(error),
                    "check the path after --mapping", str(path)) from error  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise _bad(f"{path.name} is not TOML: {error}", str(path)) from error
    parse(values, path.name)
    return values


def parse(values: MappingOf[str, Any], name: str = "the mapping") -> Mapping:
    """The mapping in these values.

    Raises:
        Usage: ``bad-mapping``, naming the key.
    """
    for key, value in values.items():
        _check_name(key, TOP, name)
        if not isinstance(value, TOP[key]):
            raise _bad(f"{key} in {name} is {value!r}, not a {TOP[key].__name__}", key)
    found = Mapping(
        **{k: v for k, v in values.items() if k in Mapping.__dataclass_fields__ and k not in _READING},
        reading=Reading(**{k: values[k] for k in _READING if k in values}),
    )
    _check(found, name)
    return found


_READING = ("format", "delimiter", "encoding", "quoting")


def _check_name(key: str, known: Sequence[str] | MappingOf[str, Any], where: str) -> None:
    if key in known:
        return
    near = difflib.get_close_matches(key, list(known), 1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; it can be {', '.join(known)}"
    raise _bad(f"{key!r} in {where} is not known{hint}", key)


def _check(found: Mapping, name: str) -> None:
    for key in found.columns:
        _check_name(key, FIELDS, f"[columns] of {name}")
    for key in found.constants:
        _check_name(key, FIELDS, f"[constants] of {name}")
    for key in found.signals:
        _check_name(key, SIGNALS, f"[signals] of {name}")
    texts = [*found.key, *found.columns.values(), *found.constants.values(), *found.signals.values()]
    for value in texts:
        if not isinstance(value, str):
            raise _bad(f"{value!r} in {name} must be a text", str(value))
    _choice("about", found.about, ABOUT)
    _choice("duration_unit", found.duration_unit, UNITS)
    _choice("format", found.reading.format, ("csv", "jsonl", "parquet"))
    _choice("encoding", found.reading.encoding, _ENCODINGS)
    if found.reading.delimiter is not None and (
        len(found.reading.delimiter) != 1 or found.reading.delimiter in '"\r\n'
    ):
        raise _bad(f"delimiter is {found.reading.delimiter!r}, not one character", "delimiter")
    check_dataset(found.dataset)
    _check_about(found)


def _choice(key: str, value: str | None, allowed: Sequence[str]) -> None:
    if value is not None and value not in allowed:
        raise _bad(f"{key} is {value!r}; it can be {', '.join(allowed)}", key)


def check_dataset(name: str) -> None:
    """Raises Usage for a name that is none; an empty one is."""
    if name and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        raise _bad(f"dataset is {name!r}; it takes letters, digits, '.', '_' and '-', at most 64", "dataset")


def _check_about(found: Mapping) -> None:
    """A table about another source's recordings says which: by key and source, or not at all."""
    if found.about == "recordings":
        return
    if not (found.source or "source" in found.columns or "source" in found.constants):
        raise _bad(f'about is "{found.about}", so it needs source (the source whose recordings these are)', "source")
    if not (found.key or "recording" in found.columns):
        raise _bad(f'about is "{found.about}", so it needs key (the column with that source\'s key)', "key")
    if found.about == "signals" and not found.signals:
        raise _bad('about is "signals", so it needs [signals]', "signals")


_NAMES: dict[str, tuple[str, ...]] = {
    "title": ("title", "track_title", "track_name", "song", "song_title", "recording", "recording_name", "name"),
    "artist": ("artist", "artist_name", "artists", "performer", "artist_credit_name", "track_artist"),
    "release": ("release", "album", "release_name", "album_title", "album_name", "release_title"),
    "release_artist": ("release_artist", "album_artist", "albumartist"),
    "duration": ("duration", "length", "duration_s", "seconds", "duration_ms", "length_ms", "track_duration"),
    "year": ("year", "date", "release_year", "release_date"),
    "language": ("language", "language_code", "lang"),
    "genres": ("genres", "genre", "tags"),
    "disc": ("disc", "disc_number", "disk", "discnumber"),
    "track": ("track", "track_number", "number", "tracknumber", "position"),
    "isrc": ("isrc", "isrcs"),
    "upc": ("upc", "ean", "barcode"),
    "mbid": ("mbid", "recording_mbid", "musicbrainz_id", "musicbrainz_recording_id"),
    "url": ("url", "track_url", "link"),
    "licence": ("licence", "license", "licence_spdx", "license_spdx", "license_title", "licencetype", "licensetype"),
    "licence_url": ("licence_url", "license_url", "licenseurl", "licenceurl"),
    "evidence": ("evidence", "licence_evidence", "license_evidence"),
}
_SIGNAL_NAMES: dict[str, tuple[str, ...]] = {
    "listens": ("listens", "plays", "play_count", "listen_count", "total_listen_count"),
    "downloads": ("downloads", "download_count"),
    "rating": ("rating",),
    "favourites": ("favourites", "favorites", "likes"),
}
_KEY_NAMES = ("key", "id", "track_id", "recording_id")


def guess(columns: Sequence[str]) -> Mapping:
    """A mapping for columns with ordinary names; those that say nothing to us are left out.

    Raises:
        Usage: ``no-mapping``: neither a title nor an identifier nor a key among the columns.
    """
    by_name = {re.sub(r"[^a-z0-9]+", "_", c.lower()).strip("_"): c for c in reversed(columns)}

    def pick(names: Sequence[str]) -> str | None:
        return next((by_name[n] for n in names if n in by_name), None)

    fields = {f: c for f, names in _NAMES.items() if (c := pick(names)) is not None}
    signals = {k: c for k, names in _SIGNAL_NAMES.items() if (c := pick(names)) is not None}
    key = pick(_KEY_NAMES)
    if not fields.keys() & {"title", "isrc", "mbid"}:
        raise Usage("no-mapping", "The table could not be understood by itself",
                    f"none of its columns is a title or an identifier: {', '.join(columns[:12])}",
                    "write a mapping file (docs/formats/mapping.md) and give it with --mapping",
                    "--mapping")  # fmt: skip
    unit = "ms" if fields.get("duration", "").lower().endswith("ms") else "s"
    return Mapping(columns=fields, signals=signals, key=(key,) if key else (), duration_unit=unit)
