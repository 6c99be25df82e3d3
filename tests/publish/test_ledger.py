from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from fonoteca.archive.records import Holding
from fonoteca.catalogue.generation import Generation
from fonoteca.core.ids import Kind, show_id
from fonoteca.formats.claim import Claim
from fonoteca.formats.tables import PUBLISHED_SORT
from fonoteca.formats.withdrawals import EMPTY, WITHDRAW, Withdrawal, WithdrawalList
from fonoteca.publish import ledger
from fonoteca.publish.inputs import Inputs
from fonoteca.publish.plan import PublicationPlan, plan
from fonoteca.publish.world import World
from fonoteca.rights.policy import decide
from publish import golden_tables
from publish.planning import LIMITS

pytestmark = pytest.mark.core


def holding(recording: int, blob: str, **more: str) -> Holding:
    values = {"title": f"T{recording}", "artist": "A", "release": "R", "path": f"{recording}.flac"} | more
    return Holding(recording, f"folder:{recording}", blob * 64, 100, "audio/flac", "flac", "flac", 1, 2, 1, 3, "flac",
                   values["title"], values["artist"], values["release"], 1, 1, 2000, values["path"])  # fmt: skip


def world(
    holdings: Sequence[Holding], licences: dict[str, str], withdrawals: WithdrawalList = EMPTY,
    listens: dict[int, int | None] | None = None,
) -> World:  # fmt: skip
    """A world in which blobs have these licences (by their letter; none for '')."""
    claims = tuple(
        Claim("blob", letter * 64, licence, source="a catalogue") for letter, licence in licences.items() if licence
    )
    verdicts = [
        decide(h.recording, h.blob, [c for c in claims if c.subject == h.blob],
               withdrawals.applying(show_id(Kind.RECORDING, h.recording), h.blob))
        for h in holdings
    ]  # fmt: skip
    known = listens if listens is not None else {h.recording: None for h in holdings}
    return World(tuple(holdings), tuple(verdicts), known, {}, Generation(0), withdrawals, claims)


def planned(of: World) -> PublicationPlan:
    return plan(Inputs(1, of.candidates, of.listens, LIMITS))


def test_one_row_for_each_recording_with_its_reason() -> None:
    gone = Withdrawal(1, WITHDRAW, show_id(Kind.RECORDING, 4), (), "asked for", "2026-01-01T00:00:00Z")
    lost = Withdrawal(2, WITHDRAW, show_id(Kind.RECORDING, 6), (), "asked for", "2026-01-01T00:00:00Z")
    of = world(
        [holding(1, "a"), holding(2, "b"), holding(3, "c"), holding(4, "d")],
        {"a": "CC0-1.0", "b": "", "c": "all rights reserved", "d": "CC0-1.0"},
        WithdrawalList((gone, lost)), dict.fromkeys(range(1, 7)),
    )  # fmt: skip
    table = ledger.ledger_table(planned(of), of)
    found = {row["recording_id"]: (row["status"], row["reason"]) for row in table.to_pylist()}
    assert found == {
        1: ("published", "licensed"), 2: ("withheld", "no-claim"), 3: ("withheld", found[3][1]),
        4: ("withdrawn", "withdrawn"), 5: ("not-held", "not-held"), 6: ("withdrawn", "withdrawn"),
    }  # fmt: skip
    assert found[3][1] in {"unknown-licence", "no-redistribution"}
    assert ledger.statuses(table) == {"published": 1, "withheld": 2, "withdrawn": 2, "not-held": 1}
    assert all(row["bytes"] == 100 for row in table.to_pylist()[:4])


def test_a_blob_that_is_withheld_for_one_recording_is_withheld_for_all() -> None:
    gone = Withdrawal(1, WITHDRAW, show_id(Kind.RECORDING, 1), (), "asked for", "2026-01-01T00:00:00Z")
    of = world([holding(1, "a"), holding(2, "a")], {"a": "CC0-1.0"}, WithdrawalList((gone,)))
    assert of.candidates == ()
    rows = {row["recording_id"]: row for row in ledger.ledger_table(planned(of), of).to_pylist()}
    assert rows[1]["status"] == "withdrawn"
    assert (rows[2]["status"], rows[2]["reason"]) in {
        ("withheld", "shared-blob-withheld"), ("withdrawn", "withdrawn"),
    }  # fmt: skip


def test_credits_name_the_source_and_leave_out_what_is_withheld() -> None:
    of = world([holding(1, "a"), holding(2, "b")], {"a": "CC-BY-4.0", "b": ""})
    rows = ledger.credits_table(planned(of), of).to_pylist()
    assert [row["recording_id"] for row in rows] == [1]
    assert rows[0]["source"] == "a catalogue"
    text = ledger.credits_text(planned(of), of, "An <archive>", [("fma", "CC-BY-4.0", "FMA dataset")]).decode()
    assert "T1" in text
    assert "T2" not in text
    assert "fma: CC-BY-4.0, FMA dataset" in text
    assert "<archive>" not in text


def test_the_world_s_digest_ignores_order_and_sees_every_change() -> None:
    from fonoteca.publish.torrents import Addresses
    from fonoteca.publish.world import Options

    options = Options(LIMITS, Addresses())
    two = [holding(1, "a"), holding(2, "b")]
    licences = {"a": "CC0-1.0", "b": "CC0-1.0"}
    digest = world(two, licences).digest(options)
    assert world(two[::-1], licences).digest(options) == digest
    others = {
        world(two, licences | {"b": "CC-BY-4.0"}).digest(options),
        world([two[0], holding(2, "b", title="other")], licences).digest(options),
        world(two, licences).digest(Options(LIMITS, Addresses("http://x"))),
        world(two, licences).digest(Options(LIMITS, Addresses(), nc_snapshot=True)),
    }
    assert digest not in others
    assert len(others) == 4


def test_of_two_holdings_of_one_blob_the_same_is_taken_in_any_order() -> None:
    twins = [holding(1, "a", path="b.flac"), holding(1, "a", path="a.flac")]
    assert world(twins, {"a": "CC0-1.0"}).candidates == world(twins[::-1], {"a": "CC0-1.0"}).candidates


def test_golden_ledger(golden: Callable[[str, bytes], None], tmp_path: Path) -> None:
    gone = Withdrawal(1, WITHDRAW, show_id(Kind.RECORDING, 4), (), "asked for", "2026-01-01T00:00:00Z")
    holdings = [holding(1, "a"), holding(2, "b"), holding(3, "c"), holding(4, "d")]
    licences = {"a": "CC-BY-SA-4.0", "b": "", "c": "CC0-1.0", "d": "CC0-1.0"}
    of = world(holdings, licences, WithdrawalList((gone,)), dict.fromkeys(range(1, 6)))
    table = ledger.ledger_table(planned(of), of)
    golden_tables.compare(golden, "ledger/ledger.parquet", table, PUBLISHED_SORT["ledger"], tmp_path)
