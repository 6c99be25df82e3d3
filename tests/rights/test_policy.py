from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.formats.claim import Claim
from fonoteca.formats.withdrawals import Withdrawal
from fonoteca.rights.licence import NOTHING, Permits
from fonoteca.rights.policy import CLEARED, WITHHELD, Verdict, decide
from rights.making import BLOB, SHOWN, SONG, claim

pytestmark = pytest.mark.core

GONE = Withdrawal(1, "withdraw", SHOWN, (BLOB,), "the label asked", "2026-11-24T12:00:00Z")
LICENCES = (
    "", "CC BY 3.0", "CC BY 4.0", "CC BY", "CC BY-SA 3.0", "CC BY-SA-3.0-DE", "CC BY-NC 3.0", "CC BY-NC-ND 4.0",
    "CC BY-ND 2.0", "CC0", "FMA-Limited", "Giftware", "all rights reserved", "CC-PDDC",
)  # fmt: skip


def verdict(*licences: str, policy: str = "all", withdrawn: Withdrawal | None = None) -> Verdict:
    claims = [claim(text, source=f"s{number}") for number, text in enumerate(licences)]
    return decide(SONG, BLOB, claims, withdrawn, policy)


def codes(found: Verdict) -> list[str]:
    return [reason.code for reason in found.reasons]


def test_nothing_is_published_without_a_claim() -> None:
    found = verdict()
    assert (found.state, codes(found), found.permits) == (WITHHELD, ["no-claim"], NOTHING)


def test_a_silent_claim_is_no_claim() -> None:
    assert codes(verdict("", "  ")) == ["no-claim"]
    assert verdict("", "CC BY 3.0").cleared


def test_an_unknown_claim_withholds_whatever_the_others_say() -> None:
    found = verdict("CC0", "Giftware")
    assert codes(found) == ["unknown-licence"]
    assert found.permits == NOTHING
    assert "Giftware" in found.reasons[0].evidence[0]


def test_one_licence_clears_with_its_evidence() -> None:
    found = decide(SONG, BLOB, [Claim("recording", SHOWN, "CC BY 3.0", "", "README.txt", "table", "d", "r:7")])
    assert (found.state, codes(found), found.permit_class) == (CLEARED, ["licensed"], "free")
    assert found.permits == Permits(True, True, True, True, True)
    assert found.reasons[0].evidence == (
        f"table d r:7 says of recording {SHOWN}: CC BY 3.0 (evidence: README.txt)",
    )  # fmt: skip


@pytest.mark.parametrize(
    "pair",
    [
        ("CC BY-SA 3.0", "CC BY-NC-ND 3.0"),  # as Jamendo 1551324: its list and its tag
        ("CC BY 4.0", "CC BY-NC 4.0"),
        ("CC0", "FMA-Limited"),
        ("CC BY-NC", "CC BY-ND"),
    ],
)
def test_claims_that_differ_in_a_permit_withhold(pair: tuple[str, str]) -> None:
    found = verdict(*pair)
    assert found.state == WITHHELD
    assert codes(found)[0] == "conflicting-claims"
    assert len(found.reasons[0].evidence) == 2


@pytest.mark.parametrize(
    ("pair", "ids"),
    [
        (("CC BY-SA 3.0", "CC BY-SA 4.0"), ["CC-BY-SA-3.0", "CC-BY-SA-4.0"]),  # as VoxeLibre's two tracks
        (("CC BY-NC 3.0", "CC-BY-NC-3.0-DE"), ["CC-BY-NC-3.0", "CC-BY-NC-3.0-DE"]),
        (("CC BY", "CC BY 3.0"), ["CC-BY", "CC-BY-3.0"]),
        (("CC BY 3.0", "CC BY-SA 3.0"), ["CC-BY-3.0", "CC-BY-SA-3.0"]),
    ],
)
def test_claims_that_permit_the_same_clear_under_each(pair: tuple[str, str], ids: list[str]) -> None:
    found = verdict(*pair)
    assert (found.state, codes(found)) == (CLEARED, ["licensed", "differing-versions"])
    assert [lic.id for lic in found.licences] == ids


def test_a_licence_that_forbids_passing_on_withholds_and_says_what_it_permits() -> None:
    found = verdict("FMA-Limited: Download Only")
    assert codes(found) == ["no-redistribution"]
    assert found.permits == Permits(hold=True)


@pytest.mark.parametrize("licence", ["CC BY-NC 3.0", "CC BY-ND 3.0", "CC BY-NC-ND 3.0"])
def test_the_free_policy_leaves_out_nc_and_nd(licence: str) -> None:
    assert verdict(licence).permit_class == "nc"
    assert codes(verdict(licence, policy="free")) == ["policy-free-only"]
    assert verdict("CC BY-SA 3.0", policy="free").cleared


def test_a_withdrawal_beats_every_licence_and_comes_first() -> None:
    found = verdict("CC0", withdrawn=GONE)
    assert found.permits == Permits(hold=True)
    assert (found.state, codes(found)) == (WITHHELD, ["withdrawn"])
    assert "the label asked" in found.reasons[0].evidence[0]
    assert codes(verdict("Giftware", withdrawn=GONE)) == ["withdrawn", "unknown-licence"]


def test_an_unknown_policy_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="policy"):
        verdict("CC0", policy="everything")


def test_the_digest_covers_every_input() -> None:
    base = verdict("CC BY 3.0")
    others = [
        verdict("CC BY 4.0"), verdict("CC BY 3.0", "CC BY 3.0"), verdict("CC BY 3.0", policy="free"),
        verdict("CC BY 3.0", withdrawn=GONE), decide(SONG, "cd" * 32, [claim("CC BY 3.0", source="s0")]),
        decide(SONG + 1, BLOB, [claim("CC BY 3.0", source="s0")]),
    ]  # fmt: skip
    assert len({base.digest, *(o.digest for o in others)}) == len(others) + 1


def test_as_json_is_the_contract_of_explain() -> None:
    found = verdict("CC BY 3.0").as_json()
    assert found["id"] == SHOWN
    assert set(found["permits"]) == {"hold", "stream", "redistribute", "derive", "commercial"}
    assert set(found["reasons"][0]) == {"code", "text", "evidence"}


licences = st.lists(st.sampled_from(LICENCES), max_size=6)
policies = st.sampled_from(["all", "free"])


@given(licences, st.sampled_from(LICENCES), policies, st.booleans())
def test_adding_a_claim_never_clears_what_was_withheld(have: list[str], more: str, policy: str, gone: bool) -> None:
    withdrawn = GONE if gone else None
    before = verdict(*have, policy=policy, withdrawn=withdrawn)
    after = verdict(*have, more, policy=policy, withdrawn=withdrawn)
    if after.cleared and not before.cleared:
        assert codes(before) == ["no-claim"]
    if "no-claim" not in codes(before):
        assert before.permits.both(after.permits) == after.permits


@given(st.permutations(["CC BY 3.0", "CC BY 4.0", "CC BY-SA", "Giftware"]), policies)
def test_order_and_repetition_do_not_matter(order: list[str], policy: str) -> None:
    claims = [claim(text) for text in order]
    assert decide(SONG, BLOB, claims, None, policy) == decide(SONG, BLOB, sorted(claims) * 2, None, policy)


@given(licences, policies)
def test_cleared_means_that_every_claim_permits_it(have: list[str], policy: str) -> None:
    found = verdict(*have, policy=policy)
    if found.cleared:
        assert found.permits.redistribute
        assert found.permit_class in {"free", "nc"}
        assert len({lic.permits for lic in found.licences}) == 1
    else:
        assert found.reasons
        assert found.permit_class == ""
