"""Addresses that name a source's own thing, in Python and in SQL."""

from __future__ import annotations

from urllib.parse import quote

import duckdb
import pytest

from fonoteca.core.ids import Kind
from fonoteca.sources.links import LONGEST, identifier, identifier_sql
from fonoteca.sources.seen import joined_key

pytestmark = pytest.mark.core
R, L, A = Kind.RECORDING, Kind.RELEASE, Kind.ARTIST
MBID = "8f3471b5-7e6a-48da-86a9-c1c07a0f47ae"

NAMED = [
    (L, "https://www.discogs.com/release/249504", ("discogs", "249504")),
    (L, "http://www.discogs.com/release/249504", ("discogs", "249504")),
    (L, "https://discogs.com/release/249504/", ("discogs", "249504")),
    (L, "https://m.discogs.com/release/249504", ("discogs", "249504")),
    (L, "HTTPS://WWW.Discogs.COM/release/249504", ("discogs", "249504")),
    (L, "https://www.discogs.com/de/release/249504-Rick-Astley-Never-Gonna-Give-You-Up", ("discogs", "249504")),
    (L, "https://www.discogs.com/pt_BR/release/249504-Ação", ("discogs", "249504")),
    (L, "https://www.discogs.com/Rick-Astley-Never-Gonna-Give-You-Up/release/249504", ("discogs", "249504")),
    (L, "https://www.discogs.com/ja/Rick-Astley/release/249504", ("discogs", "249504")),
    (L, "https://www.discogs.com/release/249504?ev=rr", ("discogs", "249504")),
    (L, "https://www.discogs.com/release/249504#images", ("discogs", "249504")),
    (L, "https://www.discogs.com/release/000249504", ("discogs", "249504")),
    (L, "https://www.discogs.com/master/96559", ("discogs_master", "96559")),
    (L, "https://www.discogs.com/master/96559-Rick-Astley-Never", ("discogs_master", "96559")),
    (A, "https://www.discogs.com/artist/72872-Rick-Astley", ("discogs", "72872")),
    (A, "https://www.discogs.com/fr/artist/72872", ("discogs", "72872")),
    (R, "https://archive.org/details/gd77.shure57.st", ("internet_archive", "gd77.shure57.st")),
    (L, "https://archive.org/details/gd1977-05-08/", ("internet_archive", "gd1977-05-08")),
    (L, "http://www.archive.org/download/gd1977-05-08", ("internet_archive", "gd1977-05-08")),
    (R, "https://archive.org/download/item/01.flac", ("internet_archive", "item/01.flac")),
    (R, "https://archive.org/download/it/1%20%C3%A9%E2%82%AC%F0%9F%8E%B5.ogg", ("internet_archive", "it/1 é€🎵.ogg")),
    (R, "https://archive.org/download/item/disc1/01+a.flac", ("internet_archive", "item/disc1%2F01+a.flac")),
    (R, "https://archive.org/download/item/100%25.flac?x#y", ("internet_archive", "item/100%25.flac")),
    (R, "https://archive.org/download/item/né.flac", ("internet_archive", "item/né.flac")),
    (R, "https://www.jamendo.com/track/214/some-title", ("jamendo", "214")),
    (R, "https://www.jamendo.com/en/track/214", ("jamendo", "214")),
    (L, "https://www.jamendo.com/album/33/", ("jamendo", "33")),
    (L, "https://www.jamendo.com/list/a33/les-amis", ("jamendo", "33")),
    (A, "https://www.jamendo.com/artist/7/tryad", ("jamendo", "7")),
    (R, f"https://acoustid.org/track/{MBID.upper()}", ("acoustid", MBID)),
    (R, f"http://acoustid.org/track/{MBID}/", ("acoustid", MBID)),
    (R, f"https://musicbrainz.org/recording/{MBID}", ("mbid", MBID)),
    (L, f"https://musicbrainz.org/release/{MBID}?tport=8000", ("mbid", MBID)),
    (A, f"http://musicbrainz.org/artist/{MBID}", ("mbid", MBID)),
]  # fmt: skip
NOT_NAMED = [
    (R, "https://www.discogs.com/release/249504"),
    (A, "https://www.discogs.com/release/249504"),
    (L, "https://www.discogs.com/artist/72872"),
    (L, "https://www.discogs.com/label/1"),
    (A, "https://www.discogs.com/label/1"),
    (A, "https://www.discogs.com/artist/50+Cent"),
    (A, "https://www.discogs.com/artist/0"),
    (A, "https://www.discogs.com/some/artist/72872"),
    (L, "https://www.discogs.com/release/"),
    (L, "https://www.discogs.com/release/0"),
    (L, "https://www.discogs.com/release/-1"),
    (L, "https://www.discogs.com/release/٢٤٩"),
    (L, "https://www.discogs.com/release/" + "9" * 19),
    (L, "https://www.discogs.com/release/" + "9" * 5000),
    (L, "https://www.discogs.com/release/" + "0" * 1000 + "1"),
    (L, "https://www.discogs.com/release/1?" + "a" * LONGEST),
    (L, "https://www.discogs.com/a/b/c/release/1"),
    (L, "https://discogs.com.evil.example/release/1"),
    (L, "https://evil.example/discogs.com/release/1"),
    (L, "https://evil.example/?https://discogs.com/release/1"),
    (L, "https://notdiscogs.com/release/1"),
    (L, "https://discogs.com@evil.example/release/1"),
    (L, "https://evil@discogs.com/release/1"),
    (L, "https://discogs.com:8080/release/1"),
    (L, "https://discogs.com\\@evil.example/release/1"),
    (L, "ftp://discogs.com/release/1"),
    (L, "discogs.com/release/1"),
    (L, "//discogs.com/release/1"),
    (L, "javascript:https://discogs.com/release/1"),
    (L, " https://discogs.com/release/1"),
    (L, "https://discogs.com/release/1\n"),
    (L, "https://discogs.com/release/1\x00"),
    (L, "https://discogs.com/release/1?\x85"),
    (L, "https://discogs.com/release/1\x7f-a"),
    (L, "https://dıscogs.com/release/1"),
    (L, "httpſ://discogs.com/release/1"),
    (L, "https://DİSCOGS.com/release/1"),
    (L, "https://discogs.com/../release/1/../2\t"),
    (A, "https://archive.org/details/GratefulDead"),
    (R, "https://archive.org/details/@someone"),
    (R, "https://archive.org/details/" + "a" * 101),
    (R, "https://archive.org/details/item/page/n5"),
    (L, "https://archive.org/download/item/01.flac"),
    (R, "https://web.archive.org/web/2020/https://archive.org/details/x"),
    (R, "https://archive.org/download/item/a%00b"),
    (R, "https://archive.org/download/item/a%FFb"),
    (R, "https://archive.org/download/item/a%C3b"),
    (R, "https://archive.org/download/item/a%ED%A0%80b"),
    (R, "https://archive.org/download/item/a%C2%85b"),
    (R, "https://archive.org/download/item/a%C0%AFb"),
    (R, "https://archive.org/download/item/a%zz"),
    (R, "https://archive.org/download/item/a%"),
    (R, "https://archive.org/download/item//a"),
    (R, "https://www.jamendo.com/album/33"),
    (L, "https://www.jamendo.com/track/33"),
    (L, "https://www.jamendo.com/list/p33"),
    (L, "https://www.jamendo.com/list/33"),
    (R, "https://acoustid.org/fingerprint/10374377"),
    (L, f"https://acoustid.org/track/{MBID}"),
    (R, f"https://acoustid.org/track/{MBID}x"),
    (R, f"https://musicbrainz.org/release/{MBID}"),
    (L, f"https://musicbrainz.org/release-group/{MBID}"),
    (R, "https://freemusicarchive.org/music/Artist/Album/Track"),
    (R, ""),
    (R, "http"),
]


@pytest.mark.parametrize(("kind", "url", "expected"), NAMED)
def test_an_address_names_the_key_of_the_source(kind: Kind, url: str, expected: tuple[str, str]) -> None:
    assert identifier(kind, url) == expected


@pytest.mark.parametrize(("kind", "url"), NOT_NAMED)
def test_an_address_of_another_thing_or_host_names_none(kind: Kind, url: str) -> None:
    assert identifier(kind, url) is None


def test_sql_gives_the_same_for_every_kind_and_address() -> None:
    urls = [url for _, url, *_ in NAMED + NOT_NAMED]
    # Variations nobody thought of: each address cut short, and with one character changed.
    urls += [url[:n] for url in urls[:60] for n in range(0, min(len(url), 80), 3)]
    urls += [
        url[:n] + c + url[n + 1 :] for url in urls[:40] for n in range(4, min(len(url), 70), 5) for c in "/%0@é\x01"
    ]
    with duckdb.connect() as db:
        db.execute("CREATE TABLE u (url VARCHAR)")
        db.execute("INSERT INTO u SELECT unnest(?::VARCHAR[])", [urls])
        for kind in Kind:
            rows = db.execute(f"SELECT url, {identifier_sql(kind.word, 'url')} AS told FROM u").fetchall()
            assert len(rows) == len(urls)
            for url, told in rows:
                assert (told and (told["scheme"], told["value"])) == identifier(kind, url), (kind, url)


def test_sql_of_no_address_is_null_and_of_the_type() -> None:
    for kind in Kind:
        told = identifier_sql(kind.word, "NULL::VARCHAR")
        with duckdb.connect() as db:
            found = db.execute(f"SELECT typeof({told}), {told} IS NULL").fetchall()
        assert found == [('STRUCT(scheme VARCHAR, "value" VARCHAR)', True)]


@pytest.mark.parametrize("name", ["01.flac", "a b/c%d.mp3", "é+&;=.ogg", "x%2Fy"])
def test_a_file_of_an_item_has_the_key_that_the_source_makes(name: str) -> None:
    url = f"https://archive.org/download/{quote('an-item')}/{quote(name)}"
    assert identifier(R, url) == ("internet_archive", joined_key(["an-item", name]))
