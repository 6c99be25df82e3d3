"""The metadata as python-tuf's own client sees it, and as it stands on the disk."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest
from tuf.api.exceptions import (
    DownloadHTTPError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.api.metadata import Metadata

from fonoteca.core import durable
from fonoteca.core.errors import Damaged, Failed
from fonoteca.formats.withdrawals import EMPTY, WithdrawalList, parse
from fonoteca.publish import keys, tuf
from publish.publishing import DAY, NOW, Client, Publisher

pytestmark = pytest.mark.core

EDITION_1, EDITION_2 = "editions/0001/edition.json", "editions/0002/edition.json"
LIST = "withdrawals/withdrawals.json"


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    made = Publisher(tmp_path / "archive")
    made.publish()
    return made


@pytest.fixture
def client(publisher: Publisher, tmp_path: Path) -> Client:
    return Client(tmp_path / "client", tuf.root_bytes(publisher.publication))


def test_the_client_walks_the_chain_and_downloads(publisher: Publisher, client: Client) -> None:
    edition, withdrawals = client.get(publisher.publication, EDITION_1, LIST)
    assert edition == b'{"edition":1}\n'
    assert parse(withdrawals) == EMPTY


def test_a_second_edition_keeps_the_first(publisher: Publisher, client: Client) -> None:
    client.get(publisher.publication, EDITION_1)
    publisher.withdraw()
    publisher.publish(NOW + datetime.timedelta(hours=1))
    first, second, withdrawals = client.get(publisher.publication, EDITION_1, EDITION_2, LIST)
    assert (first, second) == (b'{"edition":1}\n', b'{"edition":2}\n')
    assert parse(withdrawals).version == 1


def test_a_target_that_nobody_signed_is_unknown(publisher: Publisher, client: Client) -> None:
    durable.write_bytes(publisher.publication.edition(9) / "edition.json", b"{}")
    with pytest.raises(AssertionError):
        client.get(publisher.publication, "editions/0009/edition.json")


def test_files_and_versions_of_two_editions(publisher: Publisher) -> None:
    first = publisher.metadata()
    assert set(first) == {
        "1.root.json", "1.targets.json", "1.snapshot.json", "1.withdrawals.json", "timestamp.json",
    }  # fmt: skip
    versions = publisher.publish(NOW + DAY)
    assert (versions.root, versions.targets, versions.snapshot, versions.withdrawals, versions.timestamp) == (
        1, 2, 2, 2, 2,
    )  # fmt: skip
    second = publisher.metadata()
    assert {n: second[n] for n in first if n != "timestamp.json"} == {
        n: data for n, data in first.items() if n != "timestamp.json"
    }


def test_signing_twice_changes_nothing(publisher: Publisher) -> None:
    before = publisher.metadata()
    assert publisher.sign().timestamp == 1
    assert publisher.metadata() == before


def test_the_same_inputs_give_the_same_bytes_in_another_folder(publisher: Publisher, tmp_path: Path) -> None:
    import shutil

    other = Publisher.__new__(Publisher)
    shutil.copytree(publisher.root / "keys", tmp_path / "other" / "keys")
    other.__init__(tmp_path / "other")  # type: ignore[misc]
    other.publish()
    assert other.metadata() == publisher.metadata()
    for one in (publisher, other):
        one.withdraw()
        one.publish(NOW + DAY)
    assert other.metadata() == publisher.metadata()


def test_expiries(publisher: Publisher) -> None:
    days = {role: (moment - NOW).days for role, moment in tuf.expiries(publisher.publication).items()}
    assert days == {"root": 365, "targets": 365, "snapshot": 7, "timestamp": 7, "withdrawals": 7}


def test_consistent_snapshots_and_the_delegation(publisher: Publisher) -> None:
    files = {name: json.loads(data)["signed"] for name, data in publisher.metadata().items()}
    assert files["1.root.json"]["consistent_snapshot"] is True
    (role,) = files["1.targets.json"]["delegations"]["roles"]
    assert (role["name"], role["paths"], role["terminating"]) == ("withdrawals", ["withdrawals/*"], True)
    assert set(files["1.targets.json"]["targets"]) == {EDITION_1}
    assert set(files["1.withdrawals.json"]["targets"]) == {LIST}


def test_a_refresh_re_signs_the_daily_roles_only(publisher: Publisher, client: Client) -> None:
    client.get(publisher.publication)
    before = publisher.metadata()
    publisher.withdraw()
    versions = publisher.refresh(NOW + DAY)
    assert (versions.root, versions.targets, versions.snapshot, versions.withdrawals, versions.timestamp) == (
        1, 1, 2, 2, 2,
    )  # fmt: skip
    assert set(publisher.metadata()) - set(before) == {"2.snapshot.json", "2.withdrawals.json"}
    edition, withdrawals = client.get(publisher.publication, EDITION_1, LIST)
    assert parse(withdrawals).version == 1
    assert edition


def test_a_refresh_needs_neither_root_nor_targets_key(publisher: Publisher, client: Client) -> None:
    for role in ("root", "targets"):
        keys.path_of(publisher.keys.folder, role).unlink()
    publisher.keys = keys.load(publisher.keys.folder)
    publisher.refresh(NOW + DAY)
    client.get(publisher.publication, EDITION_1, LIST)


def test_a_refresh_renews_targets_and_root_in_the_second_half_of_their_time(publisher: Publisher) -> None:
    assert publisher.refresh(NOW + 182 * DAY).targets == 1
    versions = publisher.refresh(NOW + 184 * DAY)
    assert (versions.root, versions.targets) == (2, 2)
    assert (tuf.expiries(publisher.publication)["root"] - NOW).days == 184 + 365


def test_a_refresh_before_the_first_publication(tmp_path: Path) -> None:
    with pytest.raises(Failed) as caught:
        Publisher(tmp_path).refresh()
    assert caught.value.code == "nothing-published"
    assert tuf.expiries(Publisher(tmp_path).publication) == {}


def test_a_run_cut_short_before_the_timestamp_leaves_the_old_state(publisher: Publisher, client: Client) -> None:
    old = publisher.metadata()["timestamp.json"]
    publisher.withdraw()
    publisher.publish(NOW + DAY)
    whole = publisher.metadata()
    durable.write_bytes(publisher.publication.metadata / "timestamp.json", old)
    assert client.get(publisher.publication, EDITION_1) == [b'{"edition":1}\n']
    publisher.sign(NOW + DAY)
    assert publisher.metadata() == whole


def test_files_of_another_run_that_was_cut_short_are_overwritten(publisher: Publisher, client: Client) -> None:
    for name in ("2.targets.json", "2.snapshot.json", "2.withdrawals.json"):
        durable.write_bytes(publisher.publication.metadata / name, b"left by a crash")
    publisher.publish(NOW)
    client.get(publisher.publication, EDITION_2)


def test_an_edition_never_changes(publisher: Publisher) -> None:
    before = publisher.metadata()
    publisher.editions[EDITION_1] = tuf.Target(1, "00" * 32)
    with pytest.raises(Failed) as caught:
        publisher.sign(NOW + DAY)
    assert caught.value.code == "edition-changed"
    assert publisher.metadata() == before


def test_the_list_of_withdrawals_never_shrinks(publisher: Publisher) -> None:
    publisher.withdraw()
    publisher.refresh()
    publisher.withdrawals = WithdrawalList()
    for act in (publisher.refresh, publisher.sign):
        with pytest.raises(Damaged) as caught:
            act()
        assert caught.value.code == "withdrawals-shrunk"


def test_keys_that_the_root_does_not_name_sign_nothing(publisher: Publisher, tmp_path: Path) -> None:
    before = publisher.metadata()
    publisher.keys = keys.create(tmp_path / "foreign")
    for act in (publisher.sign, publisher.refresh):
        with pytest.raises(Failed) as caught:
            act(NOW + DAY)
        assert caught.value.code == "wrong-key"
    assert publisher.metadata()["timestamp.json"] == before["timestamp.json"]


@pytest.mark.parametrize("name", ["timestamp.json", "1.snapshot.json", "1.targets.json", "1.root.json"])
@pytest.mark.parametrize("content", [b"", b"garbage", b"{}", None])
def test_unreadable_metadata_is_damage(publisher: Publisher, name: str, content: bytes | None) -> None:
    path = publisher.publication.metadata / name
    if content is None:
        other = "1.root.json" if name != "1.root.json" else "timestamp.json"
        content = (publisher.publication.metadata / other).read_bytes()
    path.write_bytes(content)
    with pytest.raises(Damaged) as caught:
        publisher.sign()
    assert caught.value.code == "bad-metadata"


# What a client does with a publication that somebody meddled with.


def tampered(publisher: Publisher, name: str) -> None:
    path = publisher.publication.metadata / name
    value = json.loads(path.read_bytes())
    value["signed"]["expires"] = "2099-01-01T00:00:00Z"
    path.write_text(json.dumps(value))


@pytest.mark.parametrize("name", ["timestamp.json", "1.snapshot.json", "1.targets.json"])
def test_attack_changed_metadata(publisher: Publisher, client: Client, name: str) -> None:
    tampered(publisher, name)
    with pytest.raises(RepositoryError):
        client.get(publisher.publication, EDITION_1)


@pytest.mark.parametrize("path", [EDITION_1, LIST])
def test_attack_arbitrary_file(publisher: Publisher, client: Client, path: str) -> None:
    (publisher.publication.root / path).write_bytes(b'{"edition":7}\n')
    with pytest.raises((LengthOrHashMismatchError, RepositoryError)):
        client.get(publisher.publication, path)


def test_attack_rollback_of_the_timestamp(publisher: Publisher, client: Client) -> None:
    old = publisher.metadata()["timestamp.json"]
    publisher.publish(NOW + DAY)
    client.get(publisher.publication)
    durable.write_bytes(publisher.publication.metadata / "timestamp.json", old)
    with pytest.raises(RepositoryError):
        client.get(publisher.publication)


def test_attack_freeze_past_the_expiry(tmp_path: Path) -> None:
    publisher = Publisher(tmp_path / "archive")
    publisher.publish(NOW - 8 * DAY)
    client = Client(tmp_path / "client", tuf.root_bytes(publisher.publication))
    with pytest.raises(ExpiredMetadataError):
        client.get(publisher.publication)
    publisher.refresh()
    client.get(publisher.publication, EDITION_1)


def test_attack_mix_and_match(publisher: Publisher, client: Client) -> None:
    old = publisher.metadata()["1.targets.json"]
    publisher.publish(NOW + DAY)
    durable.write_bytes(publisher.publication.metadata / "2.targets.json", old)
    with pytest.raises(RepositoryError):
        client.get(publisher.publication, EDITION_1)


def test_attack_withdrawals_signed_by_another_role(publisher: Publisher, client: Client) -> None:
    path = publisher.publication.metadata / "1.withdrawals.json"
    forged = Metadata.from_bytes(path.read_bytes())
    forged.sign(publisher.keys.signer("timestamp"))
    durable.write_bytes(path, forged.to_bytes())
    with pytest.raises(RepositoryError):
        client.get(publisher.publication, LIST)


def test_attack_a_root_that_the_old_key_did_not_sign(publisher: Publisher, client: Client, tmp_path: Path) -> None:
    foreign = Publisher(tmp_path / "foreign")
    foreign.publish()
    newest = tuf.newest_root(foreign.publication)
    assert newest is not None
    tuf.next_root(foreign.publication, newest, foreign.keys, NOW)
    data = (foreign.publication.metadata / "2.root.json").read_bytes()
    durable.write_bytes(publisher.publication.metadata / "2.root.json", data)
    with pytest.raises(UnsignedMetadataError):
        client.get(publisher.publication)


def test_attack_a_missing_role(publisher: Publisher, client: Client) -> None:
    durable.remove(publisher.publication.metadata / "1.withdrawals.json")
    with pytest.raises(DownloadHTTPError):
        client.get(publisher.publication, LIST)
