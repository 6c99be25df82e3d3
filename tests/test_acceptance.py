"""The archive that the project is accepted by: 92 real files and a real catalogue, read by everybody else's tools."""

from __future__ import annotations

import csv
import html
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from fonoteca.core.layout import ArchiveLayout, PublicationLayout
from fonoteca.formats import bencode, torrents
from fonoteca.formats.torrents import TorrentInfo
from fonoteca.mirror.seed import Seeder
from harness import START, fonoteca, ok
from simulators.clients import QBittorrent, aria2
from simulators.served import served
from simulators.tracker import tracker

pytestmark = pytest.mark.shared_data

MAPPING = """[columns]
file = "file"
title = "title"
artist = "artist"
release = "album_or_source"
licence = "licence_spdx"
licence_url = "licence_url"
evidence = "licence_evidence"
source = "source_repository"
"""


@dataclass(frozen=True)
class Accepted:
    """The archive, and what its commands said."""

    root: Path
    intake: dict[str, object]
    fma: dict[str, object]
    publish: dict[str, object]

    @property
    def publication(self) -> PublicationLayout:
        return ArchiveLayout(self.root).publication


@pytest.fixture(scope="module")
def accepted(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Accepted:
    """init, intake of the 92 files, ingest of the FMA excerpt, publish."""
    folder = tmp_path_factory.mktemp("acceptance")
    root = folder / "archive"
    (folder / "index.toml").write_text(MAPPING)
    ok("init", root, cwd=folder)
    (root / "fonoteca.toml").write_text('publish.piece_length = "256KiB"\npublish.pack_size = "32MiB"\n')
    audio = shared_data / "audio"
    words = ("intake", audio, "--claims", audio / "INDEX.csv", "--mapping", folder / "index.toml", "--json")
    taken = fonoteca(*words, cwd=root)
    assert taken.code == 3, "README.md in the folder is no audio, and is refused with its reason"
    assert [item["path"] for item in taken.items()] == ["README.md"]
    excerpt = shared_data / "catalogues" / "fma-excerpt"
    fma = ok("ingest", "fma", excerpt / "raw_tracks_excerpt.csv.gz", excerpt / "raw_albums_excerpt.csv.gz", "--json",
             cwd=root)  # fmt: skip
    return Accepted(root, taken.json, fma.json, ok("publish", "--json", cwd=root).json)


def index(shared_data: Path) -> list[dict[str, str]]:
    with (shared_data / "audio" / "INDEX.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_all_92_files_are_taken_in_and_published(accepted: Accepted, shared_data: Path) -> None:
    assert (accepted.intake["accepted"], accepted.intake["duplicates"]) == (92, 0)
    assert accepted.publish["recordings"] == 92
    locator = pq.read_table(accepted.publication.edition(1) / "locator.parquet")
    assert set(locator["blob_sha256"].to_pylist()) == {row["sha256"] for row in index(shared_data)}


def test_every_published_recording_is_credited(accepted: Accepted, shared_data: Path) -> None:
    folder = accepted.publication.edition(1)
    credited = pq.read_table(folder / "credits.parquet").to_pylist()
    published = set(pq.read_table(folder / "locator.parquet")["recording_id"].to_pylist())
    assert {row["recording_id"] for row in credited} == published
    text = (folder / "CREDITS.md").read_text("utf-8")
    artists = {row["artist"] for row in index(shared_data) if row["artist"]}
    plain = re.sub(r"\\(.)", r"\1", html.unescape(text))
    assert not [artist for artist in artists if artist not in plain]


def test_the_fma_excerpt_reconciles(accepted: Accepted) -> None:
    counts = accepted.fma["counts"]
    assert isinstance(counts, dict)
    assert counts["rows"] == 1436
    assert counts["rows"] == counts["recordings"] + counts["duplicates"] + counts["refused"]


def test_no_non_free_row_of_the_catalogue_has_audio(accepted: Accepted) -> None:
    ledger = pq.read_table(accepted.publication.edition(1) / "ledger.parquet").to_pylist()
    assert len(ledger) == 92 + 1436
    assert {(row["status"], row["reason"]) for row in ledger if row["status"] != "published"} == {
        ("not-held", "not-held")
    }


def test_verify_is_clean(accepted: Accepted) -> None:
    assert ok("verify", "--full", "--json", cwd=accepted.root).json["damaged"] == 0


def test_gnu_tar_lists_and_extracts_every_pack_silently(
    accepted: Accepted, tmp_path: Path, need_tool: Callable[[str], str]
) -> None:
    tar = need_tool("tar")
    packs = sorted(accepted.publication.packs.glob("*/*.tar"))
    assert packs
    for pack in packs:
        listed = subprocess.run([tar, "-tf", pack], capture_output=True, text=True)
        assert (listed.returncode, listed.stderr) == (0, "")
        out = subprocess.run([tar, "-xf", pack, "-C", tmp_path], capture_output=True, text=True)
        assert (out.returncode, out.stdout, out.stderr) == (0, "", "")
    assert sum(1 for p in tmp_path.rglob("*") if p.is_file()) == 92


def parquet_files(root: Path) -> Iterator[Path]:
    yield from sorted(root.rglob("*.parquet"))


def test_duckdb_polars_and_pandas_read_every_parquet_file(accepted: Accepted) -> None:
    files = list(parquet_files(accepted.root))
    assert len(files) > 20
    for path in files:
        rows = pq.read_metadata(path).num_rows
        [(counted,)] = duckdb.sql(f"SELECT count(*) FROM read_parquet('{path}')").fetchall()
        assert counted == len(pl.read_parquet(path)) == len(pd.read_parquet(path)) == rows


# -- clients ----------------------------------------------------------------------------------------------------

Fetch = Callable[[Path, Sequence[Path | str]], None]
"""Fetches torrents, or magnets, into a folder, or fails."""


@pytest.fixture
def fetch(request: pytest.FixtureRequest, need_tool: Callable[[str], str], tmp_path: Path) -> Iterator[Fetch]:
    """How the client that is the test's parameter fetches."""
    if request.param == "aria2":
        yield partial(aria2, need_tool("aria2c"))
        return
    with QBittorrent(need_tool("qbittorrent-nox"), tmp_path / "profile") as running:
        yield running.fetch


def listed(publication: PublicationLayout) -> list[TorrentInfo]:
    return torrents.parse((publication.edition(1) / "torrents.json").read_bytes())


def addressed(publication: PublicationLayout, info: TorrentInfo, form: str, folder: Path, **fields: object) -> Path:
    """A copy of a torrent with the addresses of this test: they stand outside of the info dictionary."""
    path = publication.root / str(info.path if form == "hybrid" else info.v1_path)
    top = bencode.decode(path.read_bytes())
    assert isinstance(top, dict)
    assert not {b"announce", b"announce-list", b"url-list"} & top.keys()
    copy = folder / f"{form}-{path.name}"
    copy.write_bytes(bencode.encode(top | {key.replace("_", "-").encode(): value for key, value in fields.items()}))
    return copy


def check_files(publication: PublicationLayout, out: Path, infos: Sequence[TorrentInfo]) -> None:
    """All content of the torrents, byte for byte, and nothing else."""
    wanted: dict[str, Path] = {}
    for info in infos:
        content = publication.root / info.content
        files = {f"{info.name}/{p.name}": p for p in content.iterdir()} if content.is_dir() else {info.name: content}
        wanted |= files
    found = {p.relative_to(out).as_posix(): p for p in out.rglob("*") if p.is_file()}
    assert found.keys() == wanted.keys()
    for name, path in wanted.items():
        assert found[name].read_bytes() == path.read_bytes(), name


BOTH = [("aria2", "hybrid"), ("aria2", "v1"), ("qbittorrent", "hybrid"), ("qbittorrent", "v1")]


@pytest.mark.tools
@pytest.mark.parametrize(("fetch", "form"), BOTH, indirect=["fetch"])
def test_a_client_finishes_every_torrent_from_the_web_seed_alone(
    accepted: Accepted, tmp_path: Path, fetch: Fetch, form: str
) -> None:
    publication = accepted.publication
    with served(publication, accepted.root / "search", START) as url:
        copies: list[Path | str] = []
        for info in listed(publication):
            seed = f"{url}packs/" if info.kind == "volume" else f"{url}{info.content}"
            copies.append(addressed(publication, info, form, tmp_path, url_list=[seed]))
        fetch(tmp_path / "out", copies)
        check_files(publication, tmp_path / "out", listed(publication))


@pytest.mark.tools
@pytest.mark.parametrize(("fetch", "form"), BOTH[1:], indirect=["fetch"])
def test_a_client_finishes_every_torrent_from_a_peer_alone(
    accepted: Accepted, tmp_path: Path, fetch: Fetch, form: str
) -> None:
    """aria2 1.36 finds no swarm of a hybrid, as it takes a wrong info-hash: for it there are the twins
    (docs/decisions/0014-v1-twins.md)."""
    publication = accepted.publication
    with Seeder(publication, listen="127.0.0.1:0") as seeder, tracker(seeder.port) as announce:
        fetch(tmp_path / "out", [addressed(publication, info, form, tmp_path, announce=announce)
                                 for info in listed(publication)])  # fmt: skip
        check_files(publication, tmp_path / "out", listed(publication))


@pytest.mark.tools
@pytest.mark.parametrize(("fetch", "form"), [BOTH[1], BOTH[2]], indirect=["fetch"])
def test_a_client_finishes_magnets_from_a_peer(accepted: Accepted, tmp_path: Path, fetch: Fetch, form: str) -> None:
    """A table and a volume, of which the client knows nothing but the magnet."""
    publication = accepted.publication
    some = [next(info for info in listed(publication) if info.kind == kind) for kind in ("snapshot", "volume")]
    with Seeder(publication, listen="127.0.0.1:0") as seeder, tracker(seeder.port) as announce:
        magnets = [info.magnet if form == "hybrid" else str(info.v1_magnet) for info in some]
        fetch(tmp_path / "out", [f"{magnet}&tr={quote(announce, safe='')}" for magnet in magnets])
        check_files(publication, tmp_path / "out", some)
