"""Gathers the layers of settings: flags, environment, archive file, user file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fonoteca.cli.env import Env
from fonoteca.core.settings import TABLE, Layer, Settings, resolve
from fonoteca.core.settings_file import layers, read_file

# These are read by the command line itself and are no settings.
_OWN_VARIABLES = {"FONOTECA_ARCHIVE"}


def user_file(env: Env) -> Path:
    """The user's own settings, in the XDG configuration folder."""
    base = env.variables.get("XDG_CONFIG_HOME")
    return (Path(base) if base else env.home / ".config") / "fonoteca" / "fonoteca.toml"


def _environment(env: Env) -> list[Layer]:
    by_variable = {s.variable: s.name for s in TABLE}
    return [
        Layer(variable, {by_variable[variable]: value})
        for variable, value in sorted(env.variables.items())
        if variable in by_variable and variable not in _OWN_VARIABLES
    ]


def gather(env: Env, root: Path, flags: Mapping[str, Any]) -> Settings:
    """All layers, nearest first."""
    found = [Layer("flag", {k: v for k, v in flags.items() if v is not None})]
    found += _environment(env)
    found += layers(root)
    found.append(Layer(str(user_file(env)), read_file(user_file(env))))
    return resolve(found)
