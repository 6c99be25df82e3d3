"""``fonoteca serve``: the site and its JSON, over the newest edition of an archive or mirror."""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING

from fonoteca.cli.context import Context
from fonoteca.core.errors import ExitCode

if TYPE_CHECKING:
    from fonoteca.site.shelf import SiteData

HELP = "serves the site, its JSON and the publication's files"
EXAMPLES = ("fonoteca serve", "fonoteca --archive my-mirror serve --host 0.0.0.0 --port 8080")
SETTINGS = {"host": "serve.host", "port": "serve.port"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of ``serve``."""
    parser.add_argument("--host", metavar="H", help="address to listen on (127.0.0.1: this machine only)")
    parser.add_argument("--port", metavar="N", type=int, help="port to listen on (8765); 0: any free one")


def run(context: Context, args: argparse.Namespace) -> ExitCode:
    """Listen until Ctrl-C."""
    del args
    from fonoteca.search.inputs import edition_number
    from fonoteca.site import server
    from fonoteca.site.app import create_app
    from fonoteca.site.shelf import Shelf

    data = site_data(context)
    number = edition_number(data.publication)
    with contextlib.closing(server.listen(context.settings.text("serve.host"),
                                          context.settings.number("serve.port"))) as listening:  # fmt: skip
        shelf = Shelf(data, context.progress)
        shelf.current()
        if hasattr(context.progress, "close"):
            context.progress.close()
        url = server.url_of(listening)

        def ready() -> None:
            told = {"message_type": "status", "url": url, "edition": number, "publication": str(data.publication.root)}
            context.result(told, [f"{data.name}, edition {number}: {url}", "Ctrl-C ends it."])

        with contextlib.suppress(KeyboardInterrupt):
            server.run(create_app(data, shelf), listening, ready)
    return ExitCode.DONE


def site_data(context: Context) -> SiteData:
    """What the site is a function of, from the settings."""
    from fonoteca.site.headers import LOOPBACK
    from fonoteca.site.shelf import SiteData

    layout = context.archive_or_mirror()
    host = context.settings.text("serve.host")
    named = frozenset(name.lower() for name in context.settings.list("serve.hosts"))
    here = host in {"localhost", "::1"} or host.startswith("127.")
    hosts = named | LOOPBACK | {host} if here else named
    return SiteData(layout.publication, layout.search, context.clock, context.settings.text("publish.name"), hosts)
