"""Whom a mirror mirrors: ``mirror.toml`` and the root file that trust begins with (docs/formats/mirror.md)."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from fonoteca.core import durable
from fonoteca.core.errors import TrustFailed, Usage
from fonoteca.core.layout import ARCHIVE_FILE, MirrorLayout

ROOT_FILE = "root.json"
MAX_ROOT = 512_000
"""The largest root file, in bytes."""
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_URL_LINE = re.compile(r"""^(\s*url\s*=\s*)(?:"[^"\n]*"|'[^'\n]*')""", re.MULTILINE)


@dataclass(frozen=True)
class Publisher:
    """A publication that is mirrored.

    Attributes:
        url: where it is served, without a slash at the end.
        name: names its folder under ``trust/``.
        root_sha256: hex digest of the root file that was given with it.
    """

    url: str
    name: str
    root_sha256: str


def check_url(url: str) -> str:
    """The address without a slash at its end.

    Raises:
        Usage: no http or https address.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.query and not parts.fragment
        good = good and (parts.port is None or parts.port > 0) and url.isprintable() and " " not in url
    except ValueError:
        good = False
    if not good or '"' in url or "\\" in url:
        raise Usage("bad-url", "The publication was not added", f"{url!r} is no http or https address",
                    "write for example https://archive.example/publication", url)  # fmt: skip
    return url.rstrip("/")


def name_of(url: str) -> str:
    """A folder name for an address: its host and port."""
    name = re.sub(r"[^a-z0-9.-]+", "-", urlsplit(url).netloc.rpartition("@")[2].lower()).strip("-.")
    return name[:64] or "publisher"


def check_root(data: bytes, subject: str) -> bytes:
    """A root file as it was handed over; whether it is the right one only the publication shows.

    Raises:
        Usage: not root metadata at all.
    """
    try:
        value: Any = json.loads(data) if len(data) <= MAX_ROOT else None
        is_root = value["signed"]["_type"] == "root"
    except (ValueError, KeyError, TypeError, RecursionError):
        is_root = False
    if not is_root:
        raise Usage("bad-root", "The publication was not added", f"{subject} is not a root file",
                    "get root.json from the publisher: 'fonoteca keys export' writes it", subject)  # fmt: skip
    return data


def prepare(layout: MirrorLayout, url: str, root: bytes, name: str | None = None) -> Publisher:
    """Write the root file into ``trust/``; :func:`save` makes it a mirror once the publication was accepted.

    A mirror that is given another address with the root file that it was started with keeps its name: the
    publisher has moved.

    Raises:
        Usage: the folder is an archive, or mirrors something else already.
    """
    publisher = Publisher(check_url(url), name or name_of(url), hashlib.sha256(root).hexdigest())
    if not _NAME.fullmatch(publisher.name):
        raise Usage("bad-arguments", "The publication was not added", f"{publisher.name!r} is no name: use a-z, 0-9, "
                    "dots and dashes", "choose another with --name", publisher.name)  # fmt: skip
    if (layout.root / ARCHIVE_FILE).exists():
        raise Usage("is-archive", "The publication was not added", f"{layout.root} is an archive",
                    "mirror into a folder of its own, with --archive DIR", str(layout.root))  # fmt: skip
    if layout.settings.exists():
        publisher = _same(layout, publisher, name)
    path = layout.trust / publisher.name / ROOT_FILE
    if not path.is_file() or path.read_bytes() != root:
        durable.write_bytes(path, root)
    return publisher


def _same(layout: MirrorLayout, publisher: Publisher, name: str | None) -> Publisher:
    """The publisher that is mirrored already, perhaps at another address: its root file says who it is."""
    before = load(layout)
    if before.root_sha256 != publisher.root_sha256 or name not in {None, before.name}:
        raise Usage("other-publisher", "The publication was not added",
                    f"{layout.root} mirrors {before.url} already, under the name {before.name}",
                    "mirror into a folder of its own, with --archive DIR", str(layout.root))  # fmt: skip
    return replace(before, url=publisher.url)


def save(layout: MirrorLayout, publisher: Publisher) -> str | None:
    """Write ``mirror.toml``, by which a folder is a mirror; of one that is there, only the address is changed.

    Returns:
        The address before, if it was another one.

    Raises:
        Usage: the file is written in a way that its address cannot be changed in.
    """
    if not layout.settings.exists():
        lines = ["# A mirror of a fonoteca publication. Settings may be added: see 'fonoteca config'.", "[publisher]",
                 f'url = "{publisher.url}"', f'name = "{publisher.name}"',
                 f'root_sha256 = "{publisher.root_sha256}"', ""]  # fmt: skip
        durable.write_bytes(layout.settings, "\n".join(lines).encode())
        return None
    before = load(layout)
    if before == publisher:
        return None
    durable.write_bytes(layout.settings, _readdressed(layout, before.url, publisher.url).encode())
    return before.url


def _readdressed(layout: MirrorLayout, before: str, url: str) -> str:
    """``mirror.toml`` with another address in the place of the first; what people added to it stays as it is."""
    text = layout.settings.read_bytes().decode("utf-8")
    wanted = tomllib.loads(text)
    wanted["publisher"]["url"] = url
    changed = _URL_LINE.sub(lambda line: f'{line[1]}"{url}"', text, count=1)
    if tomllib.loads(changed) != wanted:
        raise Usage("bad-settings-file", "The address of the publisher was not changed",
                    f"{layout.settings} does not say url = \"{before}\" on a line of its own",
                    f'write url = "{url}" into its table [publisher]', str(layout.settings))  # fmt: skip
    return changed


def load(layout: MirrorLayout) -> Publisher:
    """Read ``mirror.toml``.

    Raises:
        NoArchive: no mirror here.
        Usage: the file is damaged.
    """
    layout.require()
    try:
        value = tomllib.loads(layout.settings.read_text("utf-8")).get("publisher")
        if not isinstance(value, Mapping):
            raise ValueError("it has no table [publisher]")
        url, name, root = value.get("url"), value.get("name"), value.get("root_sha256")
        if not (isinstance(url, str) and isinstance(name, str) and isinstance(root, str)):
            raise ValueError("[publisher] needs the texts url, name and root_sha256")
        if not _NAME.fullmatch(name) or not _SHA256.fullmatch(root):
            raise ValueError("name or root_sha256 of [publisher] is not well-formed")
        return Publisher(check_url(url), name, root)
    except (ValueError, UnicodeDecodeError) as error:
        raise Usage("bad-settings-file", "The mirror could not be opened", f"{layout.settings}: {error}",
                    "mend the file, or add the publication again in a new folder",
                    str(layout.settings)) from error  # fmt: skip


def root_file(layout: MirrorLayout, publisher: Publisher) -> bytes:
    """The root that trust begins with.

    Raises:
        TrustFailed: it is gone, or not the one that was given when the publication was added.
    """
    path = layout.trust / publisher.name / ROOT_FILE
    data = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(data).hexdigest() != publisher.root_sha256:
        raise TrustFailed("trust-root", "The publication was not read", f"{path} is not the root file that this mirror "
                          "was started with", "put the publisher's root file back there", str(path))  # fmt: skip
    return data
