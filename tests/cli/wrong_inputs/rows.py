"""One row for every command: the words with which it does its work in the scene. The rest follows from the parsers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """How a command is called rightly.

    Attributes:
        words: behind the command's own; places in braces are filled by the scene.
        where: the folder it works in: ``archive``, ``mirror`` or ``none``.
        writes: takes the one-writer lock.
        stays: does not end by itself.
        slow: is run rightly elsewhere, not in the matrix.
        also: the other kind of folder that it works in too.
    """

    words: tuple[str, ...] = ()
    where: str = "archive"
    writes: bool = False
    stays: bool = False
    slow: bool = False
    also: str = ""


ROWS: dict[str, Row] = {
    "demo": Row(("{home}/new-demo", "--no-serve"), "none", slow=True),
    "init": Row(("{home}/new-archive",), "none"),
    "sources": Row(("table",), "none"),
    "ingest": Row(("table", "{home}/songs.csv"), writes=True),
    "intake": Row(("{more}", "--claims", "{more}/claims.csv"), writes=True),
    "rank": Row(("--licences", "CC0-1.0,CC-BY-4.0"), writes=True),
    "coverage": Row(("--by", "tier")),
    "rights explain": Row(("{id}",)),
    "rights withdraw": Row(("{id}", "--reason", "asked for"), writes=True),
    "rights restore": Row(("{withdrawn}", "--reason", "settled"), writes=True),
    "rights report": Row(),
    "publish": Row(writes=True),
    "keys list": Row(),
    "keys export": Row(
        (
            "-o",
            "{out}.json",
        )
    ),
    "keys rotate": Row(("timestamp",), writes=True),
    "verify": Row(also="mirror"),
    "repair": Row(("--from", "{url}"), writes=True, also="mirror"),
    "mirror add": Row(("{url}", "--root", "{root}"), "mirror", writes=True),
    "mirror plan": Row(("--disk", "40MB"), "mirror", writes=True),
    "mirror run": Row(("--once", "--disk", "30MB"), "mirror", writes=True),
    "mirror status": Row(where="mirror"),
    "index": Row(also="mirror"),
    "search": Row(("dawn", "--limit", "3"), also="mirror"),
    "show": Row(("{id}",), also="mirror"),
    "sql": Row(("SELECT count(*) AS n FROM recordings",), also="mirror"),
    "export": Row(("FROM recordings", "-o", "{out}.csv"), also="mirror"),
    "serve": Row(("--port", "0"), stays=True, also="mirror"),
    "config": Row(where="none"),
    "doctor": Row(where="none"),
}
