"""The pages about the edition: torrents and the planner, edition, credits, what is withheld."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from fonoteca.core import durable
from fonoteca.formats import torrents as torrent_list
from fonoteca.site.app import SiteData, create_app
from fonoteca.site.headers import ALWAYS
from simulators.browser import PAGE, ask
from simulators.tiny_edition import Piece, Published, publish, withdraw
from simulators.tiny_site import ELISE, KNOWN, MOON, PIECES, SECRET

pytestmark = pytest.mark.core
ADDRESSES = ["/torrents", "/torrents?disk=2&unit=TB", "/edition", "/credits", "/withheld", "/withheld?reason=no-claim"]


def torrent(name: str, size: int, coverage: float, kind: str = "volume", **more: Any) -> torrent_list.TorrentInfo:
    v1, v2 = hashlib.sha1(name.encode()).hexdigest(), hashlib.sha256(name.encode()).hexdigest()
    return torrent_list.TorrentInfo(
        name=name, path=f"torrents/{name}.torrent", content=f"packs/{name}", kind=kind, infohash_v1=v1, infohash_v2=v2,
        magnet=more.pop("magnet", f"magnet:?xt=urn:btih:{v1}&dn={name}"), bytes=size, files=1,
        tier="head" if kind == "volume" else "metadata", permit_class="free", coverage=coverage,
        licences=("CC-BY-4.0",), **more,
    )  # fmt: skip


def listing(published: Published, *found: torrent_list.TorrentInfo) -> None:
    durable.write_bytes(published.layout.edition(1) / "torrents.json", torrent_list.encode(found, 1))


@pytest.fixture
def many(published: Published) -> Published:
    listing(
        published, torrent("t-recordings.parquet", 1_000_000, 0, "snapshot"),
        torrent("head-1", 50_000_000, 0.5, v1_path="torrents/v1/head-1.torrent", v1_infohash="0" * 40,
                v1_magnet="magnet:?xt=urn:btih:" + "0" * 40),
        torrent("big-1", 900_000_000, 0.3), torrent("small-1", 20_000_000, 0.1),
        torrent("old-1", 5, 0.9, superseded_by="head-1"), torrent("odd-1", 700_000_000, 0.1, magnet="javascript:x"),
    )  # fmt: skip
    return published


@pytest.mark.parametrize("address", ADDRESSES)
def test_page_and_twin_are_one_value(app: Any, address: str) -> None:
    path, _, query = address.partition("?")
    page, twin = ask(app, address, PAGE), ask(app, f"{path}.json?{query}")
    assert (page.status, twin.status) == (200, 200)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert twin.json.keys() == ask(app, address, {"accept": "application/json"}).json.keys()
    assert 'rel="alternate" type="application/json"' in page.text
    for name, value in ALWAYS.items():
        assert page.headers[name] == value
    assert not re.search(r"<script(?![^>]*src=\"/static/)|<style|\sstyle=|\son[a-z]+=\"", page.text)
    assert f'<a href="{path}" aria-current="page">' in page.text


def test_the_table_has_what_a_seeder_needs(app: Any, many: Published) -> None:
    html = ask(app, "/torrents", PAGE).text
    for part in (
        "head-1", "50 MB", "50 %", "CC BY 4.0", 'href="magnet:?xt=urn:btih:', 'href="/torrents/head-1.torrent"',
        'href="/torrents/v1/head-1.torrent"', "Superseded", "old-1", "5 torrents", "1.67 GB",
    ):  # fmt: skip
        assert part in html, part
    assert "javascript:" not in html
    value = ask(app, "/torrents.json").json
    assert [t["name"] for t in value["superseded"]] == ["old-1"]
    assert value["totals"]["torrents"] == len(value["torrents"]) == 5
    assert value["torrents"][-1]["magnet"] is None


@pytest.mark.parametrize(("sort", "first"), [
    ("listed", "t-recordings.parquet"), ("coverage", "head-1"), ("size", "big-1"), ("smallest", "t-recordings.parquet"),
    ("name", "big-1"),
])  # fmt: skip
def test_it_is_sorted_by_links(app: Any, many: Published, sort: str, first: str) -> None:
    assert ask(app, f"/torrents.json?sort={sort}").json["torrents"][0]["name"] == first
    assert f"/torrents?sort={sort}#all" in ask(app, "/torrents", PAGE).text or sort == "listed"


@pytest.mark.parametrize(("disk", "names", "coverage"), [
    ("60MB", ["t-recordings.parquet", "head-1"], 0.5), ("80MB", ["t-recordings.parquet", "head-1", "small-1"], 0.6),
    ("1GB", ["t-recordings.parquet", "head-1", "small-1", "big-1"], 0.9),
    ("2TB", ["t-recordings.parquet", "head-1", "small-1", "big-1", "odd-1"], 1.0), ("10", [], 0),
])  # fmt: skip
def test_so_much_disk_holds_most_coverage_and_never_more(
    app: Any, many: Published, disk: str, names: list[str], coverage: float
) -> None:
    value = ask(app, f"/torrents/plan.json?disk={disk}").json
    assert [t["name"] for t in value["torrents"]] == names
    assert value["coverage"] == pytest.approx(coverage)
    assert value["bytes"] <= value["budget"]
    assert value["left_out"] == 5 - len(names)
    assert value["command"].endswith(f"--disk {value['disk']}")
    magnets = ask(app, f"/torrents/plan.txt?disk={disk}")
    assert magnets.headers["content-type"] == "text/plain; charset=utf-8"
    assert magnets.text.split() == value["magnets"] and all(m.startswith("magnet:?") for m in value["magnets"])


def test_the_form_works_without_a_script(app: Any, many: Published) -> None:
    html = ask(app, "/torrents?disk=0.06&unit=GB", PAGE).text
    assert "50 %</strong> of all known listens" in html
    assert 'action="/torrents#plan"' in html and "mirror run --disk 60MB" in html
    assert html.count("magnet:?xt=urn:btih:") > 5
    assert ask(app, "/torrents.json?disk=60MB").json["plan"]["coverage"] == 0.5


@pytest.mark.parametrize("query", [
    "disk=", "disk=x", "disk=-2TB", "disk=0", "disk=2TBTB", "disk=1e9", "disk=" + "9" * 60, "disk=2&unit=furlong",
    "disk=&unit=TB", "disk=2TB&unit=TB", "disk=%00", "disk=\u0662TB",
])  # fmt: skip
def test_what_is_no_amount_of_disk(app: Any, query: str) -> None:
    answer = ask(app, f"/torrents/plan.json?{query}")
    assert (answer.status, answer.json["code"]) == (400, "bad-size")
    assert ask(app, f"/torrents/plan.txt?{query}").status == 400


def test_a_slip_in_the_form_is_told_beside_it(app: Any) -> None:
    answer = ask(app, "/torrents?disk=plenty&unit=TB", PAGE)
    assert answer.status == 400
    assert 'role="alert"' in answer.text and 'value="plenty"' in answer.text and "such as 2TB" in answer.text
    assert ask(app, "/torrents.json?disk=plenty").json["code"] == "bad-size"


@pytest.mark.parametrize("query", ["sort=bogus", "after=-1", "after=x"])
def test_tables_that_make_no_sense(app: Any, query: str) -> None:
    assert ask(app, f"/torrents?{query}").status == 400


def test_the_edition_can_be_checked_by_hand(app: Any, published: Published) -> None:
    root = {"signed": {"roles": {"root": {"keyids": ["ab" * 32], "threshold": 1}}}}
    durable.write_bytes(published.layout.metadata / "1.root.json", json.dumps(root).encode())
    value = ask(app, "/edition.json").json
    folder = published.layout.edition(1)
    assert value["sha256"] == hashlib.sha256((folder / "edition.json").read_bytes()).hexdigest()
    told = hashlib.sha256((published.layout.metadata / "1.root.json").read_bytes()).hexdigest()
    assert value["root"] == {"address": "/metadata/1.root.json", "sha256": told, "keys": ["ab" * 32], "threshold": 1}
    for file in value["files"]:
        assert hashlib.sha256(ask(app, file["address"]).body).hexdigest() == file["sha256"]
    assert value["packs"][0]["recordings"] == 3 and value["previous"] is None
    html = ask(app, "/edition", PAGE).text
    assert "sha256sum edition.json" in html and "tar --list" in html and "mirror run --disk" in html
    assert told in html.replace("<wbr>", "") and value["sha256"] in html


@pytest.mark.parametrize("root", [b"", b"{", b"[]", b'{"signed": {"roles": {"root": {"keyids": 5}}}}'])
def test_a_root_that_cannot_be_read_is_left_out(app: Any, published: Published, root: bytes) -> None:
    durable.write_bytes(published.layout.metadata / "1.root.json", root)
    assert ask(app, "/edition.json").json["root"] is None
    assert ask(app, "/edition", PAGE).status == 200


def test_credits_name_everybody_and_filter_by_licence(app: Any) -> None:
    value = ask(app, "/credits.json").json
    assert {c["id"] for c in value["credits"]} >= {ELISE.id, MOON.id}
    assert SECRET.id not in {c["id"] for c in value["credits"]}
    nc = ask(app, "/credits.json?licence=CC-BY-NC-ND-4.0").json
    assert [c["id"] for c in nc["credits"]] == [MOON.id]
    assert sum(c["lines"] for c in value["licences"]) == 3
    assert ask(app, "/credits.json?licence=None").json["credits"] == []
    html = ask(app, "/credits?licence=CC-BY-NC-ND-4.0", PAGE).text
    assert "CC BY-NC-ND 4.0" in html and "data-copy" in html


def test_withdrawn_credits_go_at_once(app: Any, published: Published) -> None:
    assert ELISE.id in ask(app, "/credits.json").text
    withdraw(published, ELISE)
    assert ELISE.id not in ask(app, "/credits.json").text and MOON.id in ask(app, "/credits.json").text


def test_what_is_withheld_is_counted_listed_and_told_in_plain_words(app: Any, published: Published) -> None:
    value = ask(app, "/withheld.json").json
    assert {(c["status"], c["code"], c["recordings"]) for c in value["counts"]} == {
        ("withheld", "conflicting-claims", 1), ("withheld", "no-claim", 1),
    }  # fmt: skip
    assert {r["id"] for r in value["recordings"]} == {SECRET.id, KNOWN.id}
    one = ask(app, "/withheld.json?reason=no-claim").json
    assert [r["id"] for r in one["recordings"]] == [KNOWN.id] and one["recordings"][0]["who"]
    withdraw(published, ELISE)
    after = ask(app, "/withheld.json").json
    assert after["counts"][0]["code"] == "withdrawn" and after["total"] == 3
    gone = next(r for r in after["recordings"] if r["id"] == ELISE.id)
    assert (gone["status"], gone["detail"], gone["date"]) == ("withdrawn", "the artist asked", "2026-11-24T13:00:00Z")
    html = ask(app, "/withheld", PAGE).text
    assert (
        "Who can change it" in html and "the artist asked" in html and "magnet:" not in html and "/audio/" not in html
    )


def test_nothing_is_withheld(tmp_path: Path, data: SiteData) -> None:
    made = publish(tmp_path / "open", [ELISE])
    app = create_app(SiteData(made.layout, tmp_path / "search", data.clock))
    assert ask(app, "/withheld.json").json["counts"] == []
    assert "Everything that is described here is also shared" in ask(app, "/withheld", PAGE).text
    assert ask(app, "/withheld.json?reason=bogus").json["recordings"] == []


def test_long_lists_are_paged_by_key_without_gaps_or_repeats(tmp_path: Path, data: SiteData) -> None:
    free = [Piece(f"Open {i}", "Many", key=f"o{i}") for i in range(3)]
    free += [Piece(f"More {i}", "Many", licence="CC0-1.0", key=f"m{i}") for i in range(60)]
    shut = [Piece(f"Shut {i}", "Many", licence="", key=f"s{i}") for i in range(120)]
    made = publish(tmp_path / "long", [*PIECES, *free, *shut])
    app = create_app(SiteData(made.layout, tmp_path / "search", data.clock))
    for start, rows, wanted in (
        ("/withheld.json", "recordings", 121), ("/credits.json", "credits", 67),
        ("/credits.json?licence=CC0-1.0", "credits", 60), ("/withheld.json?reason=no-claim", "recordings", 121),
    ):  # fmt: skip
        seen: list[str] = []
        address: str | None = start
        while address:
            assert address.startswith(start.partition("?")[0])
            value = ask(app, address).json
            seen += [row["id"] for row in value[rows]]
            address = value["next"]
        assert len(seen) == len(set(seen)) == wanted
    assert 'rel="next" href="/withheld?after=r' in ask(app, "/withheld", PAGE).text


@pytest.mark.parametrize("after", ["x", "l0000000000000", "r", "r1.2.3", "%00", "r\u0660", "-1", "r" + "z" * 5000])
def test_forged_places(app: Any, after: str) -> None:
    for path in ("/credits", "/withheld"):
        assert (ask(app, f"{path}?after={after}").status, ask(app, f"{path}?after={after}").json["code"]) == (
            400, "bad-offset",
        )  # fmt: skip


@pytest.mark.parametrize("told", ["%27%20OR%201=1--", "%00", "%ff", "a" * 5000])
def test_filters_are_values_never_queries(app: Any, told: str) -> None:
    assert ask(app, f"/credits?licence={told}", PAGE).status == 200
    assert ask(app, f"/withheld?reason={told}", PAGE).status == 200
