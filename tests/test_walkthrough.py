"""One recording's whole way, from a dump to a stranger's mirror and to a page. Read this first.

Each step names the command that a person types and looks at what it leaves behind. The commands run in this
process (tests/harness.py); the parts are real: DuckDB, PyAV, libtorrent's metainfo, python-tuf, the site.
"""

from __future__ import annotations

import json
import tarfile
import urllib.request
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fonoteca.audio.encode import FLAC, encode
from fonoteca.cli.demo.notation import parse
from fonoteca.cli.demo.synthesis import RATE, render
from fonoteca.core.layout import ArchiveLayout
from harness import START, ok
from simulators.served import served

pytestmark = pytest.mark.core

TUNE = """X:1
T:Frère Jacques
C:Traditional
O:France
G:nursery rhyme
I:timbre box
Y:1780
L:1/4
Q:240
K:G
G A B G|G A B G|
"""
CATALOGUE = """id,title,artist,year,isrc,listens
fj-1,Frère Jacques,Trad. France,1780,FR-AB1-23-45678,900
xx-2,A song without audio,Nobody,1999,,100
"""
MAPPING = """dataset = "label"
licence = "CC0-1.0"
key = ["id"]
signal_licence = "CC0-1.0"
[columns]
title = "title"
artist = "artist"
year = "year"
isrc = "isrc"
[signals]
listens = "listens"
"""
CLAIMS = """file,recording,licence,licence_url,evidence
frere.flac,table:fj-1,CC0-1.0,https://creativecommons.org/publicdomain/zero/1.0/,rendered for this test
"""


def test_one_recording_from_dump_to_page(tmp_path: Path) -> None:
    # A label has a catalogue of two songs, and the audio of one of them.
    (tmp_path / "label.csv").write_text(CATALOGUE, "utf-8")
    (tmp_path / "label.toml").write_text(MAPPING, "utf-8")
    music = tmp_path / "music"
    music.mkdir()
    audio = encode(render(parse(TUNE)[0]), RATE, FLAC, {"title": "Frère Jacques"})
    (music / "frere.flac").write_bytes(audio)
    (music / "claims.csv").write_text(CLAIMS, "utf-8")

    # fonoteca init: an archive is a folder with settings and signing keys.
    archive = tmp_path / "archive"
    ok("init", archive, cwd=tmp_path)
    (archive / "fonoteca.toml").write_text('publish.piece_length = "16KiB"\n')

    # fonoteca ingest: rows become records, records become a generation of Parquet tables.
    ingested = ok("ingest", "table", "../label.csv", "--mapping", "../label.toml", "--json", cwd=archive).json
    assert (ingested["records"] > 0, ingested["refused"], ingested["generation"]) == (True, 0, 1)

    # fonoteca intake: the file is decoded whole, kept by content, and its claim is written down.
    taken = ok("intake", music, "--claims", music / "claims.csv", "--json", cwd=archive).json
    assert (taken["accepted"], taken["refused"]) == (1, 0)

    # fonoteca show: every field says which source it comes from; the gate says what may be done, and why.
    shown = ok("show", "isrc:FRAB12345678", "--json", cwd=archive).json
    recording, [holding] = shown["id"], shown["holdings"]
    assert shown["fields"]["title"]["value"] == "Frère Jacques"
    assert shown["fields"]["title"]["sources"][0]["position"].startswith("label.csv:2")
    assert shown["verdict"]["state"] == "cleared"

    # fonoteca coverage: the archive holds 900 of the 1,000 listens that are known.
    assert ok("coverage", "--json", cwd=archive).json["share"]["held"]["value"] == pytest.approx(0.9)

    # fonoteca publish: a sealed pack, a torrent, a snapshot, a ledger, signatures.
    published = ok("publish", "--json", cwd=archive).json
    assert (published["edition"], published["recordings"], published["packs"]["added"]) == (1, 1, 1)
    publication = ArchiveLayout(archive).publication
    [locator] = pq.read_table(publication.edition(1) / "locator.parquet").to_pylist()
    [pack] = publication.packs.glob("*/*.tar")
    data = pack.read_bytes()
    assert data[locator["offset"] : locator["offset"] + locator["bytes"]] == audio
    with tarfile.open(pack) as tar:
        assert [member.name for member in tar] == [locator["path"]]
    reasons = {
        row["status"]: row["reason"] for row in pq.read_table(publication.edition(1) / "ledger.parquet").to_pylist()
    }
    assert set(reasons) == {"published", "not-held"}

    with served(publication, archive / "search", START) as url:
        # A listener finds the recording, opens its page, and hears it out of the pack.
        found = json.load(urllib.request.urlopen(f"{url}search.json?q=frere+jacques"))
        assert found["hits"][0]["id"] == recording
        page = urllib.request.urlopen(f"{url}recording/{recording}").read().decode()
        assert "Frère Jacques" in page
        assert "<audio" in page
        assert holding["blob"] in page
        part = urllib.request.Request(f"{url}audio/{holding['blob']}", headers={"Range": "bytes=0-3"})
        assert urllib.request.urlopen(part).read() == b"fLaC"

        # A stranger mirrors it, with nothing but the address and the root key, within a budget.
        mirror = tmp_path / "mirror"
        mirror.mkdir()
        ok("mirror", "add", url, "--root", publication.metadata / "1.root.json", cwd=mirror)
        words = ("mirror", "run", "--once", "--disk", "50MB", "--transport", "http", "--json")
        mirrored = ok(*words, cwd=mirror).json
        assert (mirrored["packs"], mirrored["coverage"]) == (1, pytest.approx(0.9))
    assert (mirror / "publication" / pack.relative_to(publication.root)).read_bytes() == data

    # fonoteca verify: both copies are what was promised.
    assert ok("verify", "--json", cwd=archive).json["damaged"] == 0
    assert ok("verify", "--json", cwd=mirror).json["damaged"] == 0

    # The rights holder takes it back: the next edition has its pack with zeros in its place.
    ok("rights", "withdraw", recording, "--reason", "at the rights holder's request", cwd=archive)
    second = ok("publish", "--json", cwd=archive).json
    assert (second["edition"], second["recordings"], second["packs"]["superseded"]) == (2, 0, 1)
    published_bytes = b"".join(p.read_bytes() for p in publication.root.rglob("*") if p.is_file())
    assert audio[len(audio) // 2 :][:64] not in published_bytes
    assert ok("verify", "--json", cwd=archive).json["damaged"] == 0
