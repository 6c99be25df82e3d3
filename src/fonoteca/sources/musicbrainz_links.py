"""Addresses that MusicBrainz relates to recordings, releases and artists: those that name a key of another source.

What an address names is told by :mod:`fonoteca.sources.links`, here in SQL for the way by columns and in Python for
the way row by row. Its own pages are left out: what MusicBrainz says of its MBIDs stands in its redirects.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fonoteca.core.ids import Kind
from fonoteca.sources import links

if TYPE_CHECKING:
    from fonoteca.sources.musicbrainz_memory import Tables

KINDS = (Kind.RECORDING, Kind.RELEASE, Kind.ARTIST)
_OWN = "mbid"


def table(kind: Kind) -> str:
    """The table that relates the entities of a kind (``entity0``) to addresses (``entity1``)."""
    return f"l_{kind.word}_url"


def staged(kind: Kind) -> str:
    """The name under which :func:`query` is staged."""
    return f"mb_{kind.word}_links"


def query(kind: Kind) -> str:
    """Rows entity, scheme, value: each related address that names a key, in the order of the table's lines."""
    return f"""
        SELECT entity, named.scheme AS scheme, named.value AS value
        FROM (SELECT l.entity0 AS entity, l.line, {links.identifier_sql(kind.word, "u.url")} AS named
            FROM mb_{table(kind)} l JOIN mb_url u ON u.id = l.entity1)
        WHERE named.scheme <> '{_OWN}' ORDER BY line"""


def identifiers(tables: Tables, kind: Kind) -> Iterator[tuple[int, str, str | None]]:
    """The same of tables in memory."""
    addresses = {row["id"]: row["url"] for row in tables.rows("url")}
    for row in tables.rows(table(kind)):
        named = links.identifier(kind, addresses.get(row["entity1"], ""))
        if named is not None and named[0] != _OWN:
            yield row["entity0"], *named
