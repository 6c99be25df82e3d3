"""The file-name rule of packs: names for people that every file system takes (docs/formats/pack.md, "Names").

``Artist/Release/NN Title [id8].ext``; at most 120 bytes of UTF-8 in a component, NFC, nothing that a shell, a
terminal, Windows or macOS would read in another way.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fonoteca.core.ids import Kind, show_id

MAX_COMPONENT: Final = 120
"""Bytes of UTF-8 in one component."""
UNKNOWN: Final = "unknown"
"""Stands for a part that nobody told."""
WITHDRAWN: Final = "withdrawn"
"""First component of redacted entries; no artist's folder has this name."""

_FORBIDDEN: Final = frozenset('/\\:*?"<>|')
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINES: Final = frozenset("\u2028\u2029")
_DEVICE: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(?:\..*)?", re.IGNORECASE
)
_EXTENSION: Final = re.compile(r"[a-z0-9]{1,8}")


@dataclass(frozen=True)
class EntryName:
    """What a path is made from. Empty text and number 0 mean: not known.

    Attributes:
        disc, number: place on the release, from 1.
        extension: of the file format, with or without its dot.
        blob: hex SHA-256.
    """

    artist: str
    release: str
    disc: int
    number: int
    title: str
    recording_id: int
    extension: str
    blob: str


def _harmful(char: str) -> bool:
    return char in _FORBIDDEN or char in _BIDI or char in _LINES or unicodedata.category(char) in {"Cc", "Cs"}


def _clean(text: str) -> str:
    """NFC with every harmful character replaced; blanks at both ends and dots at the end are gone."""
    replaced = "".join("_" if _harmful(char) else char for char in unicodedata.normalize("NFC", text))
    return _trimmed(replaced.lstrip())


def _cut(text: str, limit: int) -> str:
    """The longest start of at most ``limit`` bytes that ends with a whole character, without a blank or dot last."""
    if len(text.encode()) <= limit:
        return text
    return _trimmed(text.encode()[:limit].decode("utf-8", "ignore"))


def _trimmed(text: str) -> str:
    while text and (text[-1] == "." or text[-1].isspace()):
        text = text[:-1]
    return text


def component(text: str, limit: int = MAX_COMPONENT) -> str:
    """One component of a path from any text; ``unknown`` where nothing is left of it."""
    name = _cut(_clean(text), limit) or UNKNOWN
    if name[0] in ".-":
        name = "_" + name[1:]
    if _DEVICE.fullmatch(name):
        name = "_" + name
    return _cut(name, limit)


def component_fault(name: str, limit: int = MAX_COMPONENT) -> str | None:
    """Why a component breaks the rule, or None. What :func:`component` gives never breaks it."""
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return "holds half a character"
    checks = (
        (not name, "is empty"),
        (length > limit, f"is longer than {limit} bytes"),
        (any(_harmful(char) for char in name), "holds a character that no name may hold"),
        (name[:1] in {".", "-"}, "begins with a dot or a hyphen"),
        (name != _trimmed(name).lstrip(), "begins or ends with a blank, or ends with a dot"),
        (_DEVICE.fullmatch(name) is not None, "is the name of a device"),
        (unicodedata.normalize("NFC", name) != name, "is not in normal form C"),
    )
    return next((fault for broken, fault in checks if broken), None)


def entry_path(
    artist: str,
    release: str,
    disc: int,
    number: int,
    title: str,
    recording_id: int,
    extension: str,
    blob: str = "",
) -> str:
    """The path of one entry.

    Args:
        disc, number: 0 where not known. From disc 2 on the number has the disc in front: 201 is disc 2, track 1.
        extension: anything but 1 to 8 lower-case letters and digits becomes ``bin``.
        blob: hex SHA-256, whose first 8 characters go into the name. Give it only for names that would
            else be equal; :func:`unique_paths` does so.
    """
    folder = component(artist)
    if folder.casefold() == WITHDRAWN:
        folder = "_" + folder
    mark = show_id(Kind.RECORDING, recording_id)[-8:] + (f" {blob[:8]}" if blob else "")
    ending = extension.lower().lstrip(".")
    tail = f" [{mark}].{ending if _EXTENSION.fullmatch(ending) else 'bin'}"
    head = f"{disc if disc > 1 else ''}{max(number, 0):02d} "
    words = _cut(_clean(title) or UNKNOWN, MAX_COMPONENT - len(head) - len(tail))
    return "/".join((folder, component(release), f"{head}{words or UNKNOWN}{tail}"))


def fold(path: str) -> str:
    """What a file system that ignores case makes of a path: equal for names that it takes as one."""
    return unicodedata.normalize("NFC", path.casefold())


def unique_paths(names: Sequence[EntryName]) -> list[str]:
    """A path for each name, in their order, no two equal after :func:`fold`.

    All the names that clash take their blob's mark, so the result does not depend on their order.

    Raises:
        ValueError: two names with the same recording and the same blob.
    """
    plain = [_path(name, "") for name in names]
    seen = Counter(fold(path) for path in plain)
    paths = [_path(name, name.blob) if seen[fold(path)] > 1 else path for name, path in zip(names, plain, strict=True)]
    if len({fold(path) for path in paths}) != len(paths):
        raise ValueError("the same recording and blob stand twice in one pack")
    return paths


def _path(name: EntryName, blob: str) -> str:
    return entry_path(
        name.artist, name.release, name.disc, name.number, name.title, name.recording_id, name.extension, blob
    )
