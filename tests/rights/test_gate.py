from __future__ import annotations

import ast
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import pytest

from fonoteca.core.errors import Damaged, ExitCode, RightsRefused
from fonoteca.core.ids import Kind, make_id, show_id
from fonoteca.core.layout import ArchiveLayout
from fonoteca.rights.claims import ClaimIndex
from fonoteca.rights.gate import Cleared, Gate
from fonoteca.rights.withdrawals import WithdrawalLog
from rights.making import BLOB, SHOWN, SONG, claim

pytestmark = pytest.mark.core

SRC = Path(__file__).resolve().parent.parent.parent / "src" / "fonoteca"
DATE = "2026-11-24T12:00:00Z"
SECRET = make_id(Kind.RECORDING, "table", "secret")
SECRET_BLOB = "cd" * 32


@dataclass(frozen=True)
class Held:
    recording: int
    blob: str


class Archive:
    """A small archive: one cleared song, one recording that nobody licensed."""

    def __init__(self, root: Path) -> None:
        self.log = WithdrawalLog(ArchiveLayout(root))
        self.opened: list[str] = []
        self.claims = [claim("CC BY 3.0")]

    def open_blob(self, sha256: str) -> BinaryIO:
        self.opened.append(sha256)
        return io.BytesIO(b"bytes")

    def gate(self, policy: str = "all") -> Gate:
        held = [Held(SECRET, SECRET_BLOB), Held(SONG, BLOB), Held(SONG, BLOB)]
        return Gate(held, ClaimIndex(self.claims, {}), self.log, policy, self.open_blob)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


def refusal(gate: Gate, cleared: Cleared) -> RightsRefused:
    with pytest.raises(RightsRefused) as caught:
        gate.open(cleared)
    return caught.value


def test_the_way_through(archive: Archive) -> None:
    gate = archive.gate()
    verdicts = {v.recording: v for v in gate.verdicts()}
    assert len(verdicts) == 2
    cleared = gate.clear(verdicts[SONG])
    assert (cleared.recording, cleared.blob, cleared.withdrawals_version) == (SONG, BLOB, 0)
    with gate.open(cleared) as stream:
        assert stream.read() == b"bytes"
    assert archive.opened == [BLOB]


def test_default_deny_a_holding_without_a_claim_is_not_cleared(archive: Archive) -> None:
    gate = archive.gate()
    (verdict,) = gate.explain(SECRET)
    assert verdict.reasons[0].code == "no-claim"
    with pytest.raises(RightsRefused) as caught:
        gate.clear(verdict)
    assert (caught.value.code, caught.value.exit) == ("no-claim", ExitCode.RIGHTS)


def test_a_withdrawal_between_clearing_and_opening_stops_it(archive: Archive) -> None:
    gate = archive.gate()
    cleared = gate.clear(gate.explain(SONG)[0])
    archive.log.withdraw(SHOWN, [BLOB], "asked", DATE)
    assert refusal(gate, cleared).code == "withdrawals-changed"
    assert archive.opened == []


def test_a_withdrawal_of_another_recording_stops_it_too(archive: Archive) -> None:
    gate = archive.gate()
    cleared = gate.clear(gate.explain(SONG)[0])
    archive.log.withdraw(show_id(Kind.RECORDING, SECRET), [], "asked", DATE)
    assert refusal(gate, cleared).code == "withdrawals-changed"


def test_withdrawn_and_restored(archive: Archive) -> None:
    gate = archive.gate()
    archive.log.withdraw(SHOWN, [BLOB], "asked", DATE)
    (verdict,) = gate.explain(SONG)
    assert (verdict.state, verdict.reasons[0].code) == ("withheld", "withdrawn")
    archive.log.restore(SHOWN, [BLOB], "mistake", DATE)
    with gate.open(gate.clear(gate.explain(SONG)[0])):
        pass


def test_a_blob_withdrawn_under_one_recording_is_withheld_under_every_other(archive: Archive) -> None:
    archive.log.withdraw(show_id(Kind.RECORDING, SECRET), [BLOB], "asked", DATE)
    assert archive.gate().explain(SONG)[0].reasons[0].code == "withdrawn"


def test_a_forged_pass_does_not_open(archive: Archive) -> None:
    gate = archive.gate()
    good = gate.clear(gate.explain(SONG)[0])
    forged = [
        replace(good, blob=SECRET_BLOB), replace(good, recording=SECRET, blob=SECRET_BLOB),
        replace(good, verdict_digest=gate.explain(SECRET)[0].digest, recording=SECRET, blob=SECRET_BLOB),
        replace(good, verdict_digest="00" * 32), replace(good, withdrawals_version=1), replace(good, blob=""),
    ]  # fmt: skip
    assert [refusal(gate, f).code for f in forged] == [
        "not-held", "no-claim", "no-claim", "verdict-changed", "withdrawals-changed", "not-held",
    ]  # fmt: skip
    assert archive.opened == []


def test_a_pass_of_another_policy_does_not_open(archive: Archive) -> None:
    gate = archive.gate()
    cleared = gate.clear(gate.explain(SONG)[0])
    assert refusal(archive.gate("free"), cleared).code == "verdict-changed"


def test_a_pass_upon_older_claims_does_not_open(archive: Archive) -> None:
    gate = archive.gate()
    cleared = gate.clear(gate.explain(SONG)[0])
    archive.claims.append(claim("CC BY-NC 3.0", source="later"))
    assert refusal(archive.gate(), cleared).code == "conflicting-claims"


def test_a_damaged_log_clears_nothing(archive: Archive, tmp_path: Path) -> None:
    gate = archive.gate()
    cleared = gate.clear(gate.explain(SONG)[0])
    (tmp_path / "holdings").mkdir()
    (tmp_path / "holdings" / "withdrawals.jsonl").write_bytes(b"garbage\n")
    for ask in (gate.verdicts, lambda: gate.open(cleared), lambda: gate.explain(SONG)):
        with pytest.raises(Damaged):
            ask()


def test_a_recording_of_which_nothing_is_held_is_explained_and_never_opened(archive: Archive) -> None:
    gate = Gate([], ClaimIndex(archive.claims, {}), archive.log, "all", archive.open_blob)
    (verdict,) = gate.explain(SONG)
    assert (verdict.state, verdict.blob) == ("cleared", "")
    with pytest.raises(RightsRefused) as caught:
        gate.clear(verdict)
    assert caught.value.code == "not-held"


def _constructions(tree: ast.AST) -> list[str]:
    """Where a tree makes a ``Cleared``, or takes the name elsewhere so that it could be made unseen."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name | ast.Attribute):
                name = called.id if isinstance(called, ast.Name) else called.attr
                found += [name] if name == "Cleared" else []
                found += [name] if name == "replace" and "cleared" in ast.unparse(node).lower() else []
        elif isinstance(node, ast.ImportFrom):
            found += [f"as {a.asname}" for a in node.names if a.name == "Cleared" and a.asname]
        elif isinstance(node, ast.Assign) and "Cleared" in ast.unparse(node.value).split("."):
            found.append(ast.unparse(node))
        elif isinstance(node, ast.ClassDef):
            found += [node.name for base in node.bases if ast.unparse(base).endswith("Cleared")]
    return found


def test_cleared_is_made_in_the_gate_and_nowhere_else() -> None:
    made = {
        str(path.relative_to(SRC)): found
        for path in sorted(SRC.rglob("*.py"))
        if (found := _constructions(ast.parse(path.read_text("utf-8"))))
    }
    assert made == {"rights/gate.py": ["Cleared"]}


@pytest.mark.parametrize(
    "source",
    [
        "Cleared(1, 'x', 'y', 0)",
        "gate.Cleared(1, 'x', 'y', 0)",
        "from fonoteca.rights.gate import Cleared as Pass",
        "make = gate.Cleared",
        "make = Cleared",
        "class Mine(Cleared): pass",
        "dataclasses.replace(cleared, blob='x')",
    ],
)
def test_the_search_for_constructions_finds(source: str) -> None:
    assert _constructions(ast.parse(source))
