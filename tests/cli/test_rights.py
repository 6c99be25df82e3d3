"""rights: explain, withdraw, restore, report, on an archive with real (tiny) audio."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path

import pytest

from fonoteca.core import durable
from fonoteca.core.ids import Kind, make_id, show_id
from harness import fonoteca, ok

pytestmark = pytest.mark.core

FILES = {
    "free.wav": ("Free song", "CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"),
    "nc.wav": ("NC song", "CC BY-NC-ND 3.0", ""),
    "gift.wav": ("Gift song", "Giftware", ""),
    "limited.wav": ("Limited song", "FMA-Limited: Download Only", "http://freemusicarchive.org/FMA_License"),
    "silent.wav": ("Nobody's song", "", ""),
}


def tone(path: Path, pitch: int) -> None:
    samples = (int(8000 * math.sin(2 * math.pi * pitch * n / 8000)) for n in range(1600))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(b"".join(struct.pack("<h", s) for s in samples))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read-only for the tests; those that write take :func:`copy`."""
    root = tmp_path_factory.mktemp("rights")
    music = root / "music"
    music.mkdir()
    rows = ["file,recording,title,artist,release,licence,licence_url,evidence"]
    for number, (name, (title, licence, url)) in enumerate(FILES.items()):
        tone(music / name, 300 + 50 * number)
        rows.append(f"{name},song{number},{title},Ann,One album,{licence},{url},README")
    (music / "claims.csv").write_text("\n".join(rows) + "\n")
    ok("init", "a", cwd=root)
    ok("--archive", "a", "intake", "music", "--claims", "music/claims.csv", cwd=root)
    return root / "a"


@pytest.fixture
def copy(archive: Path, tmp_path: Path) -> Path:
    import shutil

    shutil.copytree(archive, tmp_path / "a")
    return tmp_path / "a"


def ids(archive: Path) -> dict[str, str]:
    from fonoteca.archive.holdings import Holdings
    from fonoteca.core.layout import ArchiveLayout

    held = Holdings.open(ArchiveLayout(archive)).holdings()
    return {h.title: show_id(Kind.RECORDING, h.recording) for h in held}


@pytest.mark.parametrize(
    ("title", "state", "code", "redistribute"),
    [
        ("Free song", "cleared", "licensed", True),
        ("NC song", "cleared", "licensed", True),
        ("Gift song", "withheld", "unknown-licence", False),
        ("Limited song", "withheld", "no-redistribution", False),
        ("Nobody's song", "withheld", "no-claim", False),
    ],
)
def test_explain_says_state_reasons_and_permits(
    archive: Path, title: str, state: str, code: str, redistribute: bool
) -> None:
    found = ok("rights", "explain", ids(archive)[title], "--json", cwd=archive).json
    assert (found["id"], found["state"]) == (ids(archive)[title], state)
    assert found["reasons"][0]["code"] == code
    assert set(found["reasons"][0]) == {"code", "text", "evidence"}
    assert set(found["permits"]) == {"hold", "stream", "redistribute", "derive", "commercial"}
    assert found["permits"]["redistribute"] is redistribute
    assert found["title"] == title


def test_explain_for_people(archive: Path) -> None:
    shown = ok("rights", "explain", ids(archive)["Gift song"], cwd=archive).stdout
    assert "“Gift song” by Ann: withheld" in shown
    assert "unknown-licence" in shown
    assert "Giftware" in shown


def test_explain_by_digest_of_the_file(archive: Path) -> None:
    import hashlib

    sha256 = hashlib.sha256((archive.parent / "music" / "free.wav").read_bytes()).hexdigest()
    assert ok("rights", "explain", f"sha256:{sha256}", "--json", cwd=archive).json["id"] == ids(archive)["Free song"]


def test_the_policy_free_withholds_nc(archive: Path) -> None:
    variables = {"FONOTECA_POLICY_PUBLISH": "free"}
    found = ok("rights", "explain", ids(archive)["NC song"], "--json", cwd=archive, variables=variables).json
    assert (found["state"], found["reasons"][0]["code"]) == ("withheld", "policy-free-only")


def test_a_wrong_policy_is_refused_and_withholds_everything(archive: Path) -> None:
    ran = fonoteca("rights", "report", "--json", cwd=archive, variables={"FONOTECA_POLICY_PUBLISH": "most"})
    assert (ran.code, ran.json["code"]) == (2, "bad-setting")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (show_id(Kind.RECORDING, make_id(Kind.RECORDING, "x", "y")), "unknown-id"),
        ("isrc:ITJ040100240", "unknown-id"),
        ("sha256:" + "0" * 64, "unknown-id"),
        ("fma:999", "unknown-id"),
        ("no id at all", "bad-id"),
    ],
)
@pytest.mark.parametrize("action", ["explain", "withdraw", "restore"])
def test_an_unknown_id_is_a_mistake_with_a_remedy(archive: Path, action: str, words: str, code: str) -> None:
    reason = [] if action == "explain" else ["--reason", "asked"]
    ran = fonoteca("rights", action, words, *reason, "--json", cwd=archive)
    assert (ran.code, ran.json["code"]) == (2 if code == "bad-id" else 1, code)
    assert ran.json["remedy"]


def test_report_counts_by_reason_and_lists_the_withheld(archive: Path) -> None:
    found = ok("rights", "report", "--json", cwd=archive).json
    assert (found["holdings"], found["cleared"], found["withheld"]) == (5, 2, 3)
    assert found["reasons"] == {"no-claim": 1, "no-redistribution": 1, "unknown-licence": 1}
    assert found["licences"] == {"CC-BY-4.0": 1, "CC-BY-NC-ND-3.0": 1}
    assert {i["title"] for i in found["items"]} == {"Gift song", "Limited song", "Nobody's song"}
    assert "5 holdings: 2 cleared, 3 withheld" in ok("rights", "report", cwd=archive).stdout


def test_withdraw_and_restore(copy: Path) -> None:
    song = ids(copy)["Free song"]
    done = ok("rights", "withdraw", song, "--reason", "asked for", "--json", cwd=copy).json
    assert done["version"] == 1
    assert done["entries"][0]["recording"] == song
    assert len(done["entries"][0]["blobs"]) == 1
    found = ok("rights", "explain", song, "--json", cwd=copy).json
    assert (found["state"], found["reasons"][0]["code"]) == ("withheld", "withdrawn")
    report = ok("rights", "report", "--json", cwd=copy)
    assert report.json["withdrawals"][0]["reason"] == "asked for"
    assert ok("rights", "restore", song, "--reason", "withdrew", "--json", cwd=copy).json["version"] == 2
    assert ok("rights", "explain", song, "--json", cwd=copy).json["state"] == "cleared"


def test_what_is_not_withdrawn_cannot_be_restored(archive: Path) -> None:
    ran = fonoteca("rights", "restore", ids(archive)["Free song"], "--reason", "x", "--json", cwd=archive)
    assert (ran.code, ran.json["code"]) == (2, "not-withdrawn")


def test_a_withdrawal_needs_a_reason(archive: Path) -> None:
    song = ids(archive)["Free song"]
    assert fonoteca("rights", "withdraw", song, cwd=archive).code == 2
    ran = fonoteca("rights", "withdraw", song, "--reason", " ", "--json", cwd=archive)
    assert (ran.code, ran.json["code"]) == (2, "bad-withdrawal")


def test_a_recording_that_left_the_catalogue_can_be_restored(copy: Path) -> None:
    from fonoteca.core.layout import ArchiveLayout
    from fonoteca.rights.withdrawals import WithdrawalLog

    lost = show_id(Kind.RECORDING, 12345)
    WithdrawalLog(ArchiveLayout(copy)).withdraw(lost, [], "asked", "2026-11-24T12:00:00Z")
    assert ok("rights", "explain", lost, "--json", cwd=copy).json["state"] == "withheld"
    ok("rights", "restore", lost, "--reason", "mistake", cwd=copy)


def test_an_empty_archive_has_an_empty_report(tmp_path: Path) -> None:
    ok("init", "a", cwd=tmp_path)
    assert ok("rights", "report", "--json", cwd=tmp_path / "a").json["holdings"] == 0
    ran = fonoteca("rights", "explain", "fma:1", "--json", cwd=tmp_path / "a")
    assert (ran.code, ran.json["code"]) == (1, "unknown-id")


def test_no_archive(tmp_path: Path) -> None:
    for words in (["report"], ["explain", "x"], ["withdraw", "x", "--reason", "y"]):
        assert fonoteca("rights", *words, cwd=tmp_path).code == 10


def test_a_damaged_log_is_damage(copy: Path) -> None:
    durable.write_bytes(copy / "holdings" / "withdrawals.jsonl", b"garbage\n")
    ran = fonoteca("rights", "report", "--json", cwd=copy)
    assert (ran.code, ran.json["code"]) == (4, "withdrawal-log-damaged")
