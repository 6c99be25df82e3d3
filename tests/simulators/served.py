"""A publication served by the real site on loopback, in a thread."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator
from pathlib import Path

from fonoteca.core.clock import FixedClock
from fonoteca.core.layout import PublicationLayout
from fonoteca.site.app import create_app
from fonoteca.site.headers import LOOPBACK
from fonoteca.site.server import running
from fonoteca.site.shelf import SiteData


@contextlib.contextmanager
def served(publication: PublicationLayout, search: Path, at: datetime.datetime) -> Iterator[str]:
    """Gives the site's URL, with a slash at its end."""
    data = SiteData(publication, search, FixedClock(at), "test archive", LOOPBACK)
    with running(create_app(data)) as url:
        yield url
