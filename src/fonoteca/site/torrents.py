"""The torrents page: every torrent of the edition, and what a given amount of disk would best hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from fonoteca.core.sizes import parse_size, show_size
from fonoteca.formats import plan as planner
from fonoteca.formats.plan import PackOffer
from fonoteca.formats.torrents import TorrentInfo
from fonoteca.site.edition import Edition, Row
from fonoteca.site.errors import bad_request

UNITS = ("MB", "GB", "TB", "PB")
"""Units that the form offers; the address takes any that the command line takes."""
PAGE = 500
"""Rows of a table on one page."""
MOST_MAGNETS = 2000
"""Torrents that one answer of the planner lists; what is beyond is counted."""
_LARGEST = 10**18
_ORDERS: dict[str, Callable[[TorrentInfo], Any]] = {
    "listed": lambda _: 0, "coverage": lambda t: -t.coverage, "size": lambda t: -t.bytes,
    "smallest": lambda t: t.bytes, "name": lambda t: t.name, "newest": lambda t: -t.added,
}  # fmt: skip
ORDERS = tuple(_ORDERS)


def value(torrent: TorrentInfo) -> Row:
    """A torrent as pages and JSON show it. A magnet that is none is left out."""
    v1 = torrent.v1_magnet if torrent.v1_magnet and torrent.v1_magnet.startswith("magnet:?") else None
    return {
        "name": torrent.name, "kind": torrent.kind, "tier": torrent.tier, "class": torrent.permit_class,
        "bytes": torrent.bytes, "files": torrent.files, "packs": len(torrent.packs), "coverage": torrent.coverage,
        "licences": list(torrent.licences), "added": torrent.added, "superseded_by": torrent.superseded_by,
        "file": f"/{torrent.path}", "magnet": magnet(torrent),
        "infohash_v1": torrent.infohash_v1, "infohash_v2": torrent.infohash_v2,
        "v1_file": f"/{torrent.v1_path}" if torrent.v1_path else None, "v1_magnet": v1,
    }  # fmt: skip


def magnet(torrent: TorrentInfo) -> str | None:
    """The magnet link, or None where the edition has written something else there."""
    return torrent.magnet if torrent.magnet.startswith("magnet:?") else None


def page(edition: Edition, sort: str, after: int) -> Row:
    """The table's rows from place ``after`` on, totals, and the superseded ones apart.

    Raises:
        Refused: for an order that there is none of.
    """
    if sort not in _ORDERS:
        raise bad_request("bad-request", f"there is no order {sort[:50]!r}", f"sort by {', '.join(ORDERS)}", "sort")
    current = [t for t in edition.torrents if t.current]
    shown = sorted(current, key=_ORDERS[sort])
    old = [t for t in edition.torrents if not t.current]
    return {
        "edition": edition.number, "sort": sort, "after": after, "totals": totals(current),
        "torrents": [value(t) for t in shown[after : after + PAGE]],
        "next": after + PAGE if after + PAGE < len(shown) else None,
        "previous": max(after - PAGE, 0) if after else None,
        "superseded": [value(t) for t in old[:PAGE]], "superseded_total": len(old),
    }  # fmt: skip


def totals(torrents: Sequence[TorrentInfo]) -> Row:
    """Sums over some torrents."""
    return {
        "torrents": len(torrents), "bytes": sum(t.bytes for t in torrents),
        "packs": sum(len(t.packs) for t in torrents), "coverage": min(1.0, sum(t.coverage for t in torrents)),
        "metadata_bytes": sum(t.bytes for t in torrents if t.kind != "volume"),
    }  # fmt: skip


def asked_disk(disk: str, unit: str) -> int:
    """Bytes from the form's two fields, or from one such as ``2TB``.

    Raises:
        Refused: ``bad-size``.
    """
    try:
        if unit and not disk.strip()[-1:].isdigit():
            raise ValueError("the number has a unit of its own, or is none")
        count = parse_size(f"{disk}{unit}"[:100])
        if not 0 < count <= _LARGEST:
            raise ValueError("it is not between one byte and 1000 PB")
    except ValueError as error:
        raise bad_request("bad-size", f"“{disk[:40]} {unit[:10]}”".replace(" ”", "”") + " is no amount of disk",
                          "give a number and a unit, such as 2TB or 500GB", "disk") from error  # fmt: skip
    return count


def plan(edition: Edition, budget: int) -> Row:
    """Whole torrents for so many bytes: metadata first, then most coverage for each byte.

    A torrent client takes whole torrents, so this plans in torrents; ``fonoteca mirror`` plans in packs and fits more.
    """
    by_name = {t.name: t for t in edition.torrents if t.current}
    offers = [PackOffer(t.name, t.bytes, t.coverage, None, int(t.kind != "volume")) for t in by_name.values()]
    found = planner.plan(offers, (), budget, 0)
    chosen = [by_name[name] for name in found.wanted()]
    listed = chosen[:MOST_MAGNETS]
    return {
        "edition": edition.number, "disk": disk_text(budget), "budget": budget, "bytes": found.bytes,
        "coverage": found.coverage, "heard": any(t.coverage for t in by_name.values()),
        "torrents": [value(t) for t in listed], "chosen": len(chosen),
        "left_out": len(by_name) - len(chosen), "magnets": [m for t in listed if (m := magnet(t))],
        "more": len(chosen) > len(listed),
    }  # fmt: skip


def mirror_command(base: str, budget: int) -> str:
    """What keeps such a copy true."""
    return (f"fonoteca --archive my-mirror mirror add {base} --root root.json\n"
            f"fonoteca --archive my-mirror mirror run --disk {disk_text(budget)}")  # fmt: skip


def disk_text(count: int) -> str:
    """A size as a flag takes it: exact, in the largest decimal unit that is whole to three places."""
    for power, unit in ((15, "PB"), (12, "TB"), (9, "GB"), (6, "MB")):
        if count >= 10**power and count % 10 ** (power - 3) == 0:
            return f"{count / 10**power:g}{unit}"
    return str(count)


def suggested(total: int) -> tuple[str, str]:
    """Number and unit that the empty form shows: about half of everything, in a round number."""
    number, _, unit = show_size(max(total // 2, 10**6)).partition(" ")
    figure = float(number)
    return (f"{round(figure) if figure >= 1 else 1}", unit if unit in UNITS else "MB")


def as_text(lines: Iterable[str]) -> str:
    """One magnet a line, as clients take them."""
    return "".join(f"{line}\n" for line in lines)
