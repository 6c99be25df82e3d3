"""The settings in the file of an archive or mirror, as a layer of :mod:`fonoteca.core.settings`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fonoteca.core.errors import Usage
from fonoteca.core.layout import ARCHIVE_FILE, MIRROR_FILE
from fonoteca.core.settings import Layer


def read_file(path: Path) -> dict[str, Any]:
    """The settings in one TOML file, with dotted names. A missing file sets nothing.

    Raises:
        Usage: not TOML, or not readable.
    """
    try:
        with path.open("rb") as stream:
            return _flatten(tomllib.load(stream))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, OSError) as error:
        raise Usage("bad-settings-file", "The settings could not be read", f"{path}: {error}",
                    "mend the file, or move it aside", str(path)) from error  # fmt: skip


def layers(root: Path) -> list[Layer]:
    """What the files of a folder set: it is an archive, a mirror or neither."""
    found = []
    for name in (ARCHIVE_FILE, MIRROR_FILE):
        values = read_file(root / name)
        if name == MIRROR_FILE:
            # mirror.toml also says which publications are mirrored (table "publisher"): not a setting.
            values = {k: v for k, v in values.items() if not k.startswith("publisher.")}
        found.append(Layer(str(root / name), values))
    return found


def _flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            flat |= _flatten(value, f"{name}.")
        else:
            flat[name] = value
    return flat
