"""Gathers the layers of settings: flags, environment, archive file, user file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fonoteca.cli.env import Env
from fonoteca.core.errors import Usage
from fonoteca.core.layout import ARCHIVE_FILE, MIRROR_FILE
from fonoteca.core.settings import TABLE, Layer, Settings, resolve

# These are read by the command line itself and are no settings.
_OWN_VARIABLES = {"FONOTECA_ARCHIVE"}


def user_file(env: Env) -> Path:
    """The user's own settings, in the XDG configuration folder."""
    base = env.variables.get("XDG_CONFIG_HOME")
    return (Path(base) if base else env.home / ".config") / "fonoteca" / "fonoteca.toml"


def _flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            flat |= _flatten(value, f"{name}.")
        else:
            flat[name] = value
    return flat


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


def _environment(env: Env) -> list[Layer]:
    by_variable = {s.variable: s.name for s in TABLE}
    return [
        Layer(variable, {by_variable[variable]: value})
        for variable, value in sorted(env.variables.items())
        if variable in by_variable and variable not in _OWN_VARIABLES
    ]


def gather(env: Env, root: Path, flags: Mapping[str, Any]) -> Settings:
    """All layers, nearest first."""
    here = {ARCHIVE_FILE: root / ARCHIVE_FILE, MIRROR_FILE: root / MIRROR_FILE}
    files = []
    for name, path in here.items():
        values = read_file(path)
        if name == MIRROR_FILE:
            # mirror.toml also says which publications are mirrored (table "publisher"): not a setting.
            values = {k: v for k, v in values.items() if not k.startswith("publisher.")}
        files.append(Layer(str(path), values))
    layers = [Layer("flag", {k: v for k, v in flags.items() if v is not None})]
    layers += _environment(env)
    layers += files
    layers.append(Layer(str(user_file(env)), read_file(user_file(env))))
    return resolve(layers)
