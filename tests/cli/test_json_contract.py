"""The fields of docs/reference/json-output.md, on a real archive and its mirror: scripts rely on them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from fonoteca.core.ids import Kind, show_id
from fonoteca.core.layout import ArchiveLayout
from harness import START, fonoteca, ok
from simulators.served import served
from simulators.small_archive import fresh

pytestmark = pytest.mark.core

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "json-output.md"
ERROR = {"message_type", "code", "exit", "what", "why", "remedy", "subject"}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fresh(tmp_path_factory.mktemp("contract"))


def has(value: dict[str, Any], *fields: str) -> None:
    """Dotted names lead into objects; ``[]`` into the first of a list."""
    for field in fields:
        found: Any = value
        for part in field.split("."):
            name = part.removesuffix("[]")
            assert name in found, f"{field} is missing in {sorted(found)}"
            found = found[name]
            if part.endswith("[]"):
                assert found, f"{field}: the list is empty"
                found = found[0]


def test_the_page_names_the_command_of_each_row() -> None:
    rows = re.findall(r"^\| `?([a-z ]+)", PAGE.read_text("utf-8"), re.MULTILINE)
    assert {"ingest", "intake", "coverage", "verify", "mirror plan", "mirror run", "search", "show"} <= set(rows)


def test_every_command_gives_the_fields_that_scripts_rely_on(archive: Path, tmp_path: Path) -> None:
    music = archive.parent / "music"
    taken = fonoteca("intake", music, "--claims", music / "claims.csv", "--json", cwd=archive)
    has(taken.json, "files", "accepted", "duplicates", "refused", "bytes")
    (tmp_path / "noise.flac").write_bytes(b"no audio at all")
    refused = fonoteca("intake", tmp_path / "noise.flac", "--json", cwd=archive)
    assert refused.code == 3
    assert all({"path", "code", "reason"} <= set(item) for item in refused.items())
    assert refused.items()
    words = ("ingest", "table", music / "listens.csv", "--mapping", music / "listens.toml", "--json")
    has(ok(*words, cwd=archive).json, "source", "records", "refused", "quarantine", "generation", "seconds")

    published = ok("publish", "--json", cwd=archive).json
    has(published, "edition", "recordings", "withheld", "packs.kept", "packs.added", "packs.superseded", "bytes.audio",
        "bytes.padding", "bytes.new", "torrents")  # fmt: skip
    shares = [f"share.{which}.{part}" for which in ("held", "published") for part in ("value", "low", "high")]
    groups = [f"by[].{name}" for name in ("key", "recordings", "held", "share")]
    covered = ok("coverage", "--by", "tier", "--json", cwd=archive).json
    has(covered, "listens.known", "listens.held", "listens.published", *shares, *groups)

    [row, *_] = ok("sql", "SELECT recording FROM holdings ORDER BY path", "--json", cwd=archive).json["rows"]
    recording = show_id(Kind.RECORDING, row["recording"])
    shown = ok("show", recording, "--json", cwd=archive).json
    has(shown, "id", "kind", "fields.title.value", "fields.title.sources[].source", "fields.title.sources[].dump",
        "fields.title.sources[].position", "identifiers", "credits[].role", "claims[]", "verdict.state",
        "verdict.reasons", "holdings[]", "locator")  # fmt: skip
    explained = ok("rights", "explain", recording, "--json", cwd=archive).json
    permits = [f"permits.{name}" for name in ("hold", "stream", "redistribute", "derive", "commercial")]
    has(explained, "id", "state", "reasons[].code", "reasons[].text", "reasons[].evidence", *permits)
    hits = [f"hits[].{name}" for name in ("id", "title", "artist", "release", "year", "isrc", "licence", "playable",
                                          "popularity", "score")]  # fmt: skip
    has(ok("search", "dawn", "--json", cwd=archive).json, *hits, "total", "total_is_exact", "seconds")
    _mirror(archive, tmp_path)
    _damage(archive)


def _mirror(archive: Path, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    publication = ArchiveLayout(archive).publication
    with served(publication, archive / "search", START) as url:
        ok("mirror", "add", url, "--root", publication.metadata / "1.root.json", cwd=mirror)
        plan = ok("mirror", "plan", "--disk", "20MB", "--json", cwd=mirror).json
        packs = [f"packs[].{name}" for name in ("pack", "bytes", "coverage", "copies", "action")]
        has(plan, "edition", "budget", "bytes", "coverage", *packs)
        ran = ok("mirror", "run", "--once", "--disk", "20MB", "--transport", "http", "--json", cwd=mirror)
        has(ran.json, "edition", "packs", "bytes.held", "bytes.fetched", "bytes.reused", "coverage", "verified")


def _damage(archive: Path) -> None:
    pack = next(ArchiveLayout(archive).publication.packs.glob("*/*.tar"))
    data = bytearray(pack.read_bytes())
    data[20_000] ^= 1
    pack.write_bytes(data)
    ran = fonoteca("verify", "--json", cwd=archive)
    assert ran.code == 4
    has(ran.json, "checked", "bytes", "damaged")
    [finding] = [item for item in ran.items() if item["path"].endswith(pack.name)]
    assert {"code", "path", "block", "repair"} <= set(finding)
    assert finding["block"] == [1, 1]


def test_errors_have_one_shape(tmp_path: Path) -> None:
    for words in (("verify",), ("publish",), ("mirror", "plan", "--disk", "1GB"), ("show", "x"), ("serve",)):
        ran = fonoteca(*words, "--json", cwd=tmp_path)
        assert ran.code == 10, words
        assert set(ran.json) == ERROR
