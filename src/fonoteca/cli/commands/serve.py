"""``fonoteca serve``: the site and its JSON, over the newest edition of an archive or mirror."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from fonoteca.cli.context import Context
from fonoteca.core.clock import rfc3339
from fonoteca.core.errors import ExitCode
from fonoteca.core.layout import ArchiveLayout, MirrorLayout

if TYPE_CHECKING:
    from fonoteca.site.shelf import SiteData, Standing

HELP = "serve the site, its JSON and the publication's files"
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
    from fonoteca.cli.room import index_room
    from fonoteca.site.headers import LOOPBACK
    from fonoteca.site.shelf import SiteData

    layout = context.archive_or_mirror()
    host = context.settings.text("serve.host")
    named = frozenset(name.lower() for name in context.settings.list("serve.hosts"))
    here = host in {"localhost", "::1"} or host.startswith("127.")
    hosts = named | LOOPBACK | {host} if here else named
    return SiteData(layout.publication, layout.search, context.clock, context.settings.text("publish.name"), hosts,
                    _standing(context, layout), index_room(context))  # fmt: skip


def _standing(context: Context, layout: ArchiveLayout | MirrorLayout) -> Callable[[], Standing]:
    """An archive always serves; a mirror while its signatures, or its time of grace, last."""
    from fonoteca.mirror.run import stale_since, within_grace
    from fonoteca.site.shelf import Standing

    if isinstance(layout, ArchiveLayout):
        return Standing
    grace = timedelta(days=context.settings.number("mirror.grace_days"))

    def standing() -> Standing:
        now, expires = context.clock.now(), stale_since(layout)
        if expires is None or now < expires:
            return Standing()
        return Standing(within_grace(layout, now, grace), rfc3339(expires))

    return standing
