"""Every address over a whole edition: pages, JSON twins, errors, headers, what changes while the site runs."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fonoteca.core import durable
from fonoteca.core.errors import NoSpace
from fonoteca.core.ids import Kind, show_id
from fonoteca.search.index import Room
from fonoteca.site.app import SiteData, create_app
from fonoteca.site.headers import ALWAYS
from fonoteca.site.shelf import Standing
from simulators.browser import PAGE, Answer, ask
from simulators.tiny_edition import Piece, Published, publish, tone, withdraw
from simulators.tiny_site import ELISE, KNOWN, MARKUP, MOON, PIECES, SECRET

pytestmark = pytest.mark.core
ERROR_KEYS = {"message_type", "code", "exit", "what", "why", "remedy", "subject", "status"}


def is_error(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """The one assertion on errors: status, shape, code."""
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/json"
    value: dict[str, Any] = answer.json
    assert set(value) == ERROR_KEYS
    assert (value["status"], value["code"], value["message_type"]) == (status, code, "error")
    return value


def addresses(published: Published) -> list[str]:
    release, artist = ELISE.release_number, ELISE.artist_number
    assert release is not None and artist is not None
    return [
        "/", "/search?q=elise", f"/recording/{ELISE.id}", f"/recording/{SECRET.id}",
        f"/release/{show_id(Kind.RELEASE, release)}", f"/artist/{show_id(Kind.ARTIST, artist)}",
    ]  # fmt: skip


def test_each_page_has_a_json_twin_at_its_address_and_by_accept(app: Any, published: Published) -> None:
    for address in addresses(published):
        page = ask(app, address, PAGE)
        path, _, query = address.partition("?")
        twin = ask(app, (path if path != "/" else "/index") + ".json" + (f"?{query}" if query else ""))
        accepted = ask(app, address, {"accept": "application/json"})
        assert (page.status, twin.status, accepted.status) == (200, 200, 200), address
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert twin.headers["content-type"] == accepted.headers["content-type"] == "application/json"
        assert twin.json.keys() == accepted.json.keys()


def test_every_answer_carries_the_strict_headers_and_no_page_has_anything_inline(
    app: Any, published: Published
) -> None:
    blob = published.sha256(ELISE)
    others = ["/nowhere", "/static/style.css", f"/audio/{blob}", "/metadata/timestamp.json", "/search?limit=x"]
    for address in addresses(published) + others:
        answer = ask(app, address, PAGE)
        for name, value in ALWAYS.items():
            assert answer.headers[name] == value, address
        if "html" in answer.headers["content-type"]:
            html = answer.text
            assert not re.search(r"<script(?![^>]*src=\"/static/)|<style|\sstyle=|\son[a-z]+=\"", html), address
            loaded = re.findall(r"<(?:script|img|audio|source|iframe)[^>]*\ssrc=\"([^\"]*)\"", html)
            loaded += re.findall(r"<link rel=\"(?:stylesheet|icon)\" href=\"([^\"]*)\"", html)
            assert loaded and all(src.startswith("/") and not src.startswith("//") for src in loaded), address
    policy = ALWAYS["content-security-policy"]
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy


def test_the_recording_page_says_all_that_a_listener_needs(app: Any, published: Published) -> None:
    html = ask(app, f"/recording/{ELISE.id}", PAGE).text
    blob = published.sha256(ELISE)
    for part in (
        "Für Elise", f'src="/audio/{blob}"', "<audio controls", "CC BY 4.0", 'rel="license"',
        "https://creativecommons.org/licenses/by/4.0/", "name the author", "How to credit",
        "“Für Elise” by Ludwig van Beethoven", "magnet:?xt=urn:btih:", f"/torrents/{published.volume}.torrent",
        "pieces.csv", "CC0-1.0", "DEA123456789", "1:01", "1810",
        'itemtype="https://schema.org/MusicRecording"',
        f'href="/artist/{show_id(Kind.ARTIST, ELISE.artist_number or 0)}"',
    ):  # fmt: skip
        assert part in html, part
    assert blob in html.replace("<wbr>", "")


def test_the_recording_json_is_what_the_page_shows(app: Any, published: Published) -> None:
    value = ask(app, f"/recording/{ELISE.id}.json").json
    assert value["id"] == ELISE.id
    assert value["status"] == "published" and value["reason"] is None
    assert value["artists"][0]["name"] == "Ludwig van Beethoven"
    assert value["licences"][0]["kind"] == "free"
    file = value["files"][0]
    assert file["sha256"] == published.sha256(ELISE)
    assert file["held"] and file["torrent"]["name"] == published.volume
    data = published.pack_file.read_bytes()
    assert data[file["offset"] : file["offset"] + file["bytes"]] == published.blobs[ELISE.id]
    title = next(row for row in value["provenance"] if row["field"] == "title")
    assert (title["source"], title["position"], title["licences"]) == ("table", "pieces.csv:1", ["CC0-1.0"])


def test_what_is_withheld_says_why_and_promises_nothing(app: Any) -> None:
    value = ask(app, f"/recording/{SECRET.id}.json").json
    assert (value["status"], value["reason"]["code"]) == ("withheld", "conflicting-claims")
    assert value["files"] == [] and value["licences"] == [] and value["credit"] is None
    html = ask(app, f"/recording/{SECRET.id}", PAGE).text
    assert "Sources name licences that permit different things" in html
    assert "<audio" not in html and "magnet:" not in html
    other = ask(app, f"/recording/{KNOWN.id}", PAGE).text
    assert "No source says under which licence" in other


def test_markup_in_titles_stays_text(app: Any) -> None:
    for address in (f"/recording/{MARKUP.id}", "/search?q=alert", "/search?q=%3Cscript%3Ealert(1)%3C/script%3E", "/"):
        html = ask(app, address, PAGE).text
        assert "<script>alert" not in html and "<img src=x" not in html and ">49<" not in html
        assert "&lt;script&gt;" in html


def test_search_finds_pages_through_and_ends(app: Any) -> None:
    value = ask(app, "/search.json?q=playable:yes&limit=2").json
    assert [h["title"] for h in value["hits"]] == ["Für Elise", "月亮代表我的心"]
    assert (value["total"], value["total_is_exact"]) == (3, True)
    rest = ask(app, value["next"]).json
    assert [h["title"] for h in rest["hits"]] == [MARKUP.title]
    assert rest["next"] is None and rest["previous"] == "/search.json?q=playable%3Ayes&limit=2"


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=-1", "limit=x", "after=-1", "after=1e9", "limit=²"])
def test_pages_that_make_no_sense(app: Any, query: str) -> None:
    code = "bad-offset" if query.startswith("after") else "bad-limit"
    is_error(ask(app, f"/search?q=x&{query}"), 400, code)


@pytest.mark.parametrize(
    "q", ["%00", "%ff%fe", "%F0%9F%A6%84", "a" * 5000, "%22", "-", "%E2%80%AE", "year:..", "%ud800"]
)
def test_any_question_gets_a_page(app: Any, q: str) -> None:
    assert ask(app, f"/search?q={q}", PAGE).status == 200


@pytest.mark.parametrize("address", [
    "/recording/zzz", "/recording/r0000000000000", "/release/r0000000000000", "/artist/l0000000000000",
    "/audio/" + "0" * 64, "/audio/xyz", "/audio/" + "A" * 64, "/nowhere", "/metadata/none.json",
    "/editions/0009/edition.json", "/editions/1/edition.json", "/packs/a/b.tar", "/torrents/none.torrent",
    "/static/none.css",
    "/recording/", "/search/",
])  # fmt: skip
def test_what_is_not_there(app: Any, address: str) -> None:
    is_error(ask(app, address), 404, "not-found")
    page = ask(app, address, PAGE)
    assert page.status == 404
    assert address.endswith(".json") or "To the front page" in page.text


def test_only_reading(app: Any) -> None:
    is_error(ask(app, "/", method="POST"), 405, "method-not-allowed")
    is_error(ask(app, "/metadata/timestamp.json", method="DELETE"), 405, "method-not-allowed")


def test_head_gives_headers_and_no_body(app: Any, published: Published) -> None:
    for address in (f"/audio/{published.sha256(ELISE)}", "/editions/0001/edition.json"):
        whole, head = ask(app, address), ask(app, address, method="HEAD")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == str(len(whole.body))


def test_ids_have_one_address(app: Any) -> None:
    answer = ask(app, f"/recording/{ELISE.id.upper()}", PAGE)
    assert (answer.status, answer.headers["location"]) == (308, f"/recording/{ELISE.id}")


def test_a_foreign_host_name_is_refused(data: SiteData) -> None:
    app = create_app(SiteData(data.publication, data.search, data.clock, hosts=frozenset({"127.0.0.1", "[::1]"})))
    assert ask(app, "/").status == 200
    assert ask(app, "/", host="[::1]:8765").status == 200
    for host in ("evil.example", "127.0.0.1.evil.example", "", "127.0.0.1@evil.example"):
        answer = ask(app, "/", host=host)
        is_error(answer, 421, "wrong-host")
        assert answer.headers["content-security-policy"] == ALWAYS["content-security-policy"]


def test_without_an_edition_there_is_a_page_that_says_so(tmp_path: Path, data: SiteData) -> None:
    from fonoteca.core.layout import PublicationLayout

    empty = create_app(SiteData(PublicationLayout(tmp_path / "none"), tmp_path / "search", data.clock))
    is_error(ask(empty, "/"), 503, "no-edition")
    assert "There is no edition to show yet" in ask(empty, "/", PAGE).text


def test_a_mirror_without_the_pack_says_so_and_names_the_torrent(app: Any, published: Published) -> None:
    published.pack_file.unlink()
    html = ask(app, f"/recording/{ELISE.id}", PAGE).text
    assert "This mirror does not hold the audio" in html and published.volume in html and "<audio" not in html
    value = is_error(ask(app, f"/audio/{published.sha256(ELISE)}"), 404, "pack-not-held")
    assert published.volume in value["remedy"]
    is_error(ask(app, f"/packs/{published.volume}/{published.pack_file.name}"), 404, "pack-not-held")


def test_a_withdrawal_counts_at_the_next_request_on_every_route(app: Any, published: Published) -> None:
    blob = published.sha256(ELISE)
    pack = f"/packs/{published.volume}/{published.pack_file.name}"
    assert ask(app, f"/audio/{blob}").status == ask(app, pack).status == 200
    etag = ask(app, f"/audio/{blob}").headers["etag"]
    withdraw(published, ELISE)
    is_error(ask(app, f"/audio/{blob}"), 451, "withdrawn")
    is_error(ask(app, f"/audio/{blob}", {"range": "bytes=0-9"}), 451, "withdrawn")
    is_error(ask(app, f"/audio/{blob}", {"if-none-match": etag}), 451, "withdrawn")
    is_error(ask(app, pack), 451, "withdrawn")
    page = ask(app, f"/recording/{ELISE.id}", PAGE).text
    assert "<audio" not in page and "the artist asked" in page and "magnet:" not in page
    hits = ask(app, "/search.json?q=elise").json["hits"]
    assert [h["playable"] for h in hits] == [False] and hits[0]["badge"] is None
    for kind, number in (("release", ELISE.release_number), ("artist", ELISE.artist_number)):
        value = ask(app, f"/{kind}/{show_id(Kind[kind.upper()], number or 0)}.json").json
        assert [t["playable"] for t in value.get("tracks", []) + value.get("recordings", [])] == [False]
    assert ask(app, f"/audio/{published.sha256(MOON)}").status == 200


def test_a_list_of_withdrawals_that_cannot_be_read_closes_the_bytes(app: Any, published: Published) -> None:
    durable.write_bytes(published.layout.withdrawals, b"{")
    is_error(ask(app, f"/audio/{published.sha256(ELISE)}"), 500, "site-error")


def test_metadata_may_change_while_the_site_runs(app: Any, published: Published) -> None:
    assert ask(app, "/metadata/timestamp.json").json == {"signed": {"version": 1}}
    durable.write_bytes(published.layout.metadata / "timestamp.json", b'{"signed": {"version": 2}}')
    durable.write_bytes(published.layout.metadata / "2.snapshot.json", b"{}")
    assert ask(app, "/metadata/timestamp.json").json == {"signed": {"version": 2}}
    assert ask(app, "/metadata/2.snapshot.json").status == 200


def test_a_new_edition_is_picked_up(app: Any, published: Published) -> None:
    assert ask(app, "/index.json").json["edition"] == 1
    new = Piece("Brand new", "Somebody", None, 2000)
    publish(published.layout.root, [*PIECES, new], 2)
    assert ask(app, "/index.json").json["edition"] == 2
    assert ask(app, "/search.json?q=brand").json["hits"][0]["id"] == new.id
    assert ask(app, f"/recording/{new.id}").status == 200
    assert ask(app, "/editions/0001/edition.json").status == 200


def test_a_crash_tells_a_stranger_nothing(app: Any, published: Published) -> None:
    ask(app, "/")
    (published.layout.edition(1) / "ledger.parquet").write_bytes(b"damaged")
    answer = ask(app, f"/recording/{ELISE.id}")
    is_error(answer, 500, "site-error")
    assert str(published.layout.root) not in answer.text and "Traceback" not in answer.text
    assert answer.headers["content-security-policy"] == ALWAYS["content-security-policy"]
    assert str(published.layout.root) not in ask(app, f"/recording/{ELISE.id}", PAGE).text


def test_a_hostile_publisher_cannot_choose_mime_or_magnet_or_deed(tmp_path: Path, data: SiteData) -> None:
    from fonoteca.site import licences
    from fonoteca.site.edition import safe_mime

    assert (
        safe_mime("text/html") == safe_mime("audio/x\r\nset-cookie: a") == safe_mime(None) == "application/octet-stream"
    )
    assert safe_mime("audio/ogg") == "audio/ogg"
    told = licences.words("CC-BY-4.0", "javascript:alert(1)")
    assert told is not None and told.url == ""


def test_a_mirror_says_that_it_is_stale_and_stops_when_grace_is_over(data: SiteData, published: Published) -> None:
    standing = [Standing()]
    app = create_app(SiteData(data.publication, data.search, data.clock, standing=lambda: standing[0]))
    assert "last heard of withdrawals" not in ask(app, "/", PAGE).text
    standing[0] = Standing(True, "2026-11-01T00:00:00Z")
    for address in addresses(published):
        assert "last heard of withdrawals before 2026-11-01" in ask(app, address, PAGE).text
    assert ask(app, "/index.json").json["stale_since"] == "2026-11-01T00:00:00Z"
    standing[0] = Standing(False, "2026-11-01T00:00:00Z")
    pack = f"/packs/{published.volume}/{published.pack_file.name}"
    for address in [*addresses(published), pack, f"/audio/{published.sha256(ELISE)}", "/metadata/timestamp.json"]:
        is_error(ask(app, address), 503, "stale-mirror")


WITHHOLDING = (
    "no-claim",
    "unknown-licence",
    "conflicting-claims",
    "no-redistribution",
    "policy-free-only",
    "withdrawn",
    "not-held",
)


@pytest.mark.parametrize("code", WITHHOLDING)
def test_nothing_closed_leaks_on_any_route(code: str, tmp_path: Path, data: SiteData) -> None:
    """PROMISES S9: every route, for every reason why something is closed."""
    closed = Piece("Closed", "Nobody", "Shut", 5000, 2001, isrc="DEX000000001", key=code)
    made = publish(tmp_path / "closed", [ELISE, closed], withheld={"Closed": code})
    bytes_of_it = tone(99)
    blob = hashlib.sha256(bytes_of_it).hexdigest()
    for place in (tmp_path / "blobs" / blob[:2] / blob, made.layout.root / "blobs" / blob[:2] / blob):
        durable.write_bytes(place, bytes_of_it)
    app = create_app(SiteData(made.layout, tmp_path / "search", data.clock))
    release, artist = show_id(Kind.RELEASE, closed.release_number or 0), show_id(Kind.ARTIST, closed.artist_number or 0)
    seen = 0
    for path in (f"/recording/{closed.id}", f"/release/{release}", f"/artist/{artist}", "/search?q=closed", "/"):
        base, _, query = path.partition("?")
        twin = ("/index" if base == "/" else base) + ".json" + (f"?{query}" if query else "")
        for answer in (ask(app, path, PAGE), ask(app, twin)):
            assert answer.status == 200
            assert bytes_of_it not in answer.body and f"/audio/{blob}" not in answer.text
            seen += closed.id in answer.text
            if path == f"/recording/{closed.id}":
                assert "<audio" not in answer.text and "magnet:" not in answer.text and "/packs/" not in answer.text
    assert seen >= 8
    hits = ask(app, "/search.json?q=isrc:DEX000000001").json["hits"]
    assert [(h["playable"], h["badge"]) for h in hits] == [(False, None)]
    for address in (f"/audio/{blob}", f"/blobs/{blob[:2]}/{blob}", f"/packs/blobs/{blob}"):
        assert ask(app, address).status == 404


def test_where_no_index_fits_all_but_the_search_is_served(published: Published, data: SiteData) -> None:
    def refuse(amount: int) -> None:
        raise NoSpace("over-budget", "It does not fit", f"{amount} bytes", "allow more")

    app = create_app(replace(data, room=Room(refuse, kept=1)))
    for address in addresses(published):
        if address.startswith("/search"):
            assert ask(app, address, PAGE).status == 503
        else:
            assert ask(app, address, PAGE).status == 200, address
    is_error(ask(app, "/search.json?q=a"), 503, "no-search")
    assert not list(data.search.glob("*"))
