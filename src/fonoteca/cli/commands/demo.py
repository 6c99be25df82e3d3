"""``fonoteca demo``: the built-in sample archive, end to end."""

from __future__ import annotations

import argparse

from fonoteca.cli.context import Context
from fonoteca.core.errors import ExitCode, Usage

HELP = "build the built-in CC0 sample archive end to end, mirror it over BitTorrent, verify it and serve it"
EXAMPLES = ("fonoteca demo", "fonoteca demo /tmp/demo --no-serve --json")
SETTINGS = {"port": "serve.port"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of ``demo``."""
    parser.add_argument("folder", metavar="DIR", nargs="?", default="fonoteca-demo",
                        help="where to build it (default: fonoteca-demo)")  # fmt: skip
    parser.add_argument("--no-serve", action="store_true", help="end with a summary instead of the site")
    parser.add_argument("--port", type=int, help="port of the site")


def run(context: Context, args: argparse.Namespace) -> ExitCode:
    """Run the whole way; without a terminal as with ``--no-serve``."""
    from fonoteca.cli.demo.show import show

    port = context.settings.number("serve.port")
    if port > 65_535:
        raise Usage("bad-port", "The demo was not built", f"there is no port {port}",
                    "choose one from 1024 to 65535 with --port", str(port))  # fmt: skip
    stay = context.env.terminal and not args.no_serve and not context.json
    return show(context, context.path(args.folder), stay=stay)
