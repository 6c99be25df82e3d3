from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from tuf.api.exceptions import RepositoryError

from fonoteca.core.errors import Failed, Usage
from fonoteca.publish import keys, tuf
from fonoteca.publish.rotation import rotate
from publish.publishing import DAY, NOW, Client, Publisher

pytestmark = pytest.mark.core

EDITION_1, LIST = "editions/0001/edition.json", "withdrawals/withdrawals.json"
LATER = NOW + datetime.timedelta(hours=1)


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    made = Publisher(tmp_path / "archive")
    made.publish()
    return made


@pytest.fixture
def client(publisher: Publisher, tmp_path: Path) -> Client:
    made = Client(tmp_path / "client", tuf.root_bytes(publisher.publication))
    made.get(publisher.publication, EDITION_1, LIST)
    return made


def turn(publisher: Publisher, role: str) -> None:
    rotate(publisher.publication, publisher.keys, role, LATER)
    publisher.keys = keys.load(publisher.keys.folder)


@pytest.mark.parametrize("role", keys.ROLES)
def test_a_client_follows_the_rotation_of_any_key(publisher: Publisher, client: Client, role: str) -> None:
    before = publisher.keys.key_id(role)
    turn(publisher, role)
    assert publisher.keys.key_id(role) != before
    client.get(publisher.publication, EDITION_1, LIST)
    publisher.withdraw()
    publisher.publish(NOW + DAY)
    client.get(publisher.publication, "editions/0002/edition.json", LIST)


def test_a_client_follows_the_rotation_of_all_keys_at_once(publisher: Publisher, client: Client) -> None:
    for role in (*keys.ROLES, *keys.ROLES):
        turn(publisher, role)
    client.get(publisher.publication, EDITION_1, LIST)


def test_a_new_mirror_starts_from_the_newest_root(publisher: Publisher, tmp_path: Path) -> None:
    turn(publisher, "root")
    newest = tuf.root_bytes(publisher.publication)
    assert newest == (publisher.publication.metadata / "2.root.json").read_bytes()
    Client(tmp_path / "new", newest).get(publisher.publication, EDITION_1)


def test_the_old_key_signs_nothing_any_more(publisher: Publisher, client: Client) -> None:
    old = publisher.keys
    turn(publisher, "timestamp")
    with pytest.raises(Failed) as caught:
        tuf.refresh(publisher.publication, old, publisher.withdrawals.encode(), NOW + DAY)
    assert caught.value.code == "wrong-key"
    stolen = tuf.newest_root(publisher.publication)
    assert stolen is not None
    assert old.key_id("timestamp") not in stolen.signed.keys


def test_a_timestamp_of_the_stolen_key_is_refused(publisher: Publisher, client: Client, tmp_path: Path) -> None:
    thief = publisher.publication.metadata / "timestamp.json"
    signed_by_old = thief.read_bytes()
    turn(publisher, "timestamp")
    client.get(publisher.publication)
    thief.write_bytes(signed_by_old)
    with pytest.raises(RepositoryError):
        client.get(publisher.publication)


def test_the_old_key_is_kept_and_others_cannot_read_it(publisher: Publisher) -> None:
    before = publisher.keys.key_id("snapshot")
    turn(publisher, "snapshot")
    (retired,) = (publisher.keys.folder / "retired").iterdir()
    assert retired.name == f"snapshot.{before[:16]}.pem"
    assert keys.read_key(retired).public_key.keyid == before
    assert not keys.next_path(publisher.keys.folder, "snapshot").exists()


@pytest.mark.parametrize("role", keys.ROLES)
def test_a_rotation_cut_short_goes_on_with_the_same_key(
    publisher: Publisher, client: Client, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cut(BaseException):
        pass

    def cut(*args: object) -> None:
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(tuf, "resign", cut)
        with pytest.raises(Cut):
            rotate(publisher.publication, publisher.keys, role, LATER)
    waiting = keys.read_key(keys.next_path(publisher.keys.folder, role)).public_key.keyid
    roots = len(list(publisher.publication.metadata.glob("*.root.json")))
    turn(publisher, role)
    assert publisher.keys.key_id(role) == waiting
    assert len(list(publisher.publication.metadata.glob("*.root.json"))) == roots
    client.get(publisher.publication, EDITION_1, LIST)


@pytest.mark.parametrize(("role", "needed"), [("snapshot", "root"), ("root", "root"), ("withdrawals", "targets")])
def test_the_key_that_must_vouch_for_the_new_one_is_needed(publisher: Publisher, role: str, needed: str) -> None:
    keys.path_of(publisher.keys.folder, needed).unlink()
    publisher.keys = keys.load(publisher.keys.folder)
    before = publisher.metadata()
    with pytest.raises(Failed) as caught:
        turn(publisher, role)
    assert caught.value.code == "key-missing"
    assert publisher.metadata() == before
    assert not keys.next_path(publisher.keys.folder, role).exists()


def test_an_unknown_role(publisher: Publisher) -> None:
    with pytest.raises(Usage):
        turn(publisher, "mirror")
