"""``edition.json``: the one file that an edition's signature covers; all else hangs on it by digest.

Normative text: docs/formats/edition.md. Read strictly: a duplicate key, a path that leaves its folder or a
newer format number is refused; fields that this version does not know survive reading and writing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fonoteca.core import canonical
from fonoteca.core.errors import Damaged, Failed
from fonoteca.core.fixity import Fixity

FORMAT = 1
"""The newest format of ``edition.json`` that this version reads, and the one that it writes."""
MAX_BYTES = 32 << 20
"""The largest ``edition.json`` that is read."""
MAX_FILES = 100_000
_HEX = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[^/\\\x00-\x1f:]{1,255}")
_MAX_COUNT = (1 << 63) - 1


@dataclass(frozen=True, order=True)
class FileRef:
    """One file by digest. ``path`` is relative, with ``/``; digests are lower-case hex."""

    path: str
    bytes: int
    sha256: str
    merkle_root: str

    @classmethod
    def of(cls, path: str, fixity: Fixity) -> FileRef:
        """A file whose bytes were just measured."""
        return cls(path, fixity.bytes, fixity.sha256, fixity.merkle_root)

    def as_json(self) -> dict[str, Any]:
        """The fields by name."""
        return {"path": self.path, "bytes": self.bytes, "sha256": self.sha256, "merkle_root": self.merkle_root}


@dataclass(frozen=True)
class Edition:
    """What ``edition.json`` says.

    Attributes:
        number: from 1, without gaps.
        created: RFC 3339, UTC.
        previous: hex SHA-256 of the previous edition's ``edition.json``, or None for the first.
        inputs: digest of everything that the edition is a function of, but number, previous and time: equal
            inputs give no new edition.
        totals: counts (``recordings``, ``published``, ``withheld``, ``packs``, ``bytes``, ...).
        coverage: shares of known listens with intervals, as ``fonoteca coverage`` gives them.
        files: the files of the edition's own folder, paths relative to it, ``edition.json`` left out.
        torrents: the current torrent files, paths relative to the publication's root.
        extra: fields that this version does not know.
    """

    number: int
    created: str
    previous: str | None
    inputs: str
    totals: Mapping[str, int]
    coverage: Mapping[str, Any]
    files: tuple[FileRef, ...]
    torrents: tuple[FileRef, ...]
    format: int = FORMAT
    extra: Mapping[str, Any] = field(default_factory=dict)

    def file(self, path: str) -> FileRef:
        """One file of the edition's folder. Raises KeyError."""
        for ref in self.files:
            if ref.path == path:
                return ref
        raise KeyError(path)

    def encode(self) -> bytes:
        """Canonical JSON; :func:`parse` gives the same value back."""
        return canonical.encode(dict(self.extra) | {
            "format": self.format, "number": self.number, "created": self.created, "previous": self.previous,
            "inputs": self.inputs, "totals": dict(self.totals), "coverage": dict(self.coverage),
            "files": [ref.as_json() for ref in sorted(self.files)],
            "torrents": [ref.as_json() for ref in sorted(self.torrents)],
        })  # fmt: skip


_KNOWN = {"format", "number", "created", "previous", "inputs", "totals", "coverage", "files", "torrents"}
_REQUIRED_FILES = ("packs.parquet", "torrents.json", "locator.parquet", "ledger.parquet")


def check_path(path: object) -> str:
    """A relative path that stays in its folder, with ``/`` between plain names.

    Raises:
        ValueError: with the reason.
    """
    if not isinstance(path, str) or not path or len(path) > 1024:
        raise ValueError(f"{path!r} is no path")
    for part in path.split("/"):
        if part in {"", ".", ".."} or not _NAME.fullmatch(part):
            raise ValueError(f"the path {path!r} is not a plain path inside its folder")
    return path


def check_count(value: object, name: str) -> int:
    """A whole number from 0 to 2^63-1. Raises ValueError."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MAX_COUNT:
        raise ValueError(f"{name} {value!r} is not a whole number from 0")
    return value


def check_digest(value: object, name: str) -> str:
    """64 lower-case hex characters. Raises ValueError."""
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise ValueError(f"{name} {value!r} is not a hex SHA-256")
    return value


def parse(data: bytes) -> Edition:
    """Read ``edition.json``.

    Raises:
        Damaged: ``bad-edition``, with the reason.
        Failed: ``newer-format``: written by a newer version.
    """
    try:
        if len(data) > MAX_BYTES:
            raise ValueError(f"{len(data)} bytes are more than the {MAX_BYTES} that are accepted")
        value = canonical.decode(data)
        if not isinstance(value, dict):
            raise ValueError("it is not a JSON object")
        number = check_count(value.get("format"), "format")
        if number > FORMAT:
            raise _newer(number)
        return _edition(value)
    except ValueError as error:
        raise Damaged("bad-edition", "The edition could not be read", f"edition.json: {error}",
                      "fetch it again from its publisher, or build the edition again",
                      "edition.json") from error  # fmt: skip


def _edition(value: dict[str, Any]) -> Edition:
    created, totals, coverage = value.get("created"), value.get("totals"), value.get("coverage")
    if not isinstance(created, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", created):
        raise ValueError(f"created {created!r} is not an RFC 3339 time in UTC")
    if not isinstance(totals, dict) or not isinstance(coverage, dict):
        raise ValueError("totals and coverage are JSON objects")
    number = check_count(value.get("number"), "number")
    previous = value.get("previous")
    if number < 1 or (number == 1) != (previous is None):
        raise ValueError(f"edition {number} with previous {previous!r}: only edition 1 has none before it")
    files = _refs(value.get("files"), "files")
    names = {ref.path for ref in files}
    for required in _REQUIRED_FILES:
        if required not in names:
            raise ValueError(f"files has no {required}")
    if "edition.json" in names:
        raise ValueError("files lists edition.json itself")
    return Edition(
        number, created, None if previous is None else check_digest(previous, "previous"),
        check_digest(value.get("inputs"), "inputs"), {k: check_count(v, f"totals.{k}") for k, v in totals.items()},
        coverage, files, _refs(value.get("torrents"), "torrents"), value["format"],
        {k: v for k, v in value.items() if k not in _KNOWN},
    )  # fmt: skip


def _refs(value: object, name: str) -> tuple[FileRef, ...]:
    if not isinstance(value, list) or len(value) > MAX_FILES:
        raise ValueError(f"{name} is not a list of at most {MAX_FILES} files")
    found: dict[str, FileRef] = {}
    for item in value:
        if not isinstance(item, dict):
            raise ValueError(f"{name} holds {item!r}, which is no file")
        path = check_path(item.get("path"))
        if path.casefold() in found:
            raise ValueError(f"{name} has the path {path!r} twice")
        found[path.casefold()] = FileRef(path, check_count(item.get("bytes"), "bytes"),
                                         check_digest(item.get("sha256"), "sha256"),
                                         check_digest(item.get("merkle_root"), "merkle_root"))  # fmt: skip
    return tuple(sorted(found.values()))


def _newer(number: int) -> Failed:
    return Failed("newer-format", "The edition could not be read",
                  f"edition.json has format {number}, and this version reads up to {FORMAT}",
                  "install a newer version of fonoteca", "edition.json")  # fmt: skip
