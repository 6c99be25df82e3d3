"""``fonoteca config``: every setting, its value, and where the value came from."""

from __future__ import annotations

import argparse

from fonoteca.cli.context import Context
from fonoteca.core.errors import ExitCode
from fonoteca.core.settings import TABLE

HELP = "show every setting with its value, with --origin also where each value came from"
EXAMPLES = ("fonoteca config --origin", "fonoteca --json config")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of ``config``."""
    parser.add_argument("--origin", action="store_true", help="say where each value came from")


def run(context: Context, args: argparse.Namespace) -> ExitCode:
    """Print all settings."""
    values = {setting.name: context.settings.origin(setting.name) for setting in TABLE}
    found = {
        name: {"value": value.value} | ({"origin": value.origin} if args.origin else {})
        for name, value in values.items()
    }
    lines = [
        f"{setting.name} = {values[setting.name].value!r}"
        + (f"  # {values[setting.name].origin}" if args.origin else f"  # {setting.help}")
        for setting in TABLE
    ]
    context.result({"settings": found}, lines)
    return ExitCode.DONE
