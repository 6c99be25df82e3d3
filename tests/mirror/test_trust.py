"""The ten attacks that TUF names, each by a scripted bad repository: each fails with its own code, and what was
verified before is kept and still served (promise T8)."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tuf.api.metadata import Metadata, Snapshot, TargetFile, Targets, Timestamp

from fonoteca.cli.env import SystemClock
from fonoteca.core.clock import FixedClock
from fonoteca.core.errors import ExitCode, Failed, NetworkFailed, TrustFailed
from fonoteca.core.fetch import Fetcher, Limits
from fonoteca.core.fixity import measure
from fonoteca.core.layout import MirrorLayout
from fonoteca.core.progress import SILENT
from fonoteca.formats.manifest import FileRef
from fonoteca.formats.withdrawals import Withdrawal, WithdrawalList
from fonoteca.mirror.courier import Options
from fonoteca.mirror.run import Mirror
from fonoteca.mirror.trust import Trust
from fonoteca.publish import keys as signing
from fonoteca.publish import tuf
from mirror.world import mirror, served, tree
from simulators.edition_server import EditionServer, Fault
from simulators.tiny_publication import NOW, TinyPublisher

pytestmark = pytest.mark.core
DAY = datetime.timedelta(days=1)


class Attack:
    """A mirror that has seen edition 1, and a publisher that can be made to misbehave."""

    def __init__(self, tmp_path: Path, publisher: TinyPublisher, server: EditionServer) -> None:
        self.tmp_path = tmp_path
        self.publisher = publisher
        self.server = server
        self.root = publisher.root_json
        self.folder = tmp_path / "mirror"

    @property
    def metadata(self) -> Path:
        return self.publisher.layout.metadata

    def run(self, now: datetime.datetime = NOW) -> None:
        mirror(self.folder, self.server.url, self.root, now=now, options=Options(transport="http"),
               metadata_limits=Limits(total_seconds=1, window_seconds=0.3, slowest_rate=10_000)).run()  # fmt: skip

    def refused(self, now: datetime.datetime = NOW) -> str:
        """Run the mirror; it must refuse, and keep serving byte for byte what it had."""
        before = tree(self.folder / "publication")
        assert before
        with pytest.raises(TrustFailed) as caught:
            self.run(now)
        assert tree(self.folder / "publication") == before
        assert caught.value.exit is ExitCode.TRUST
        assert caught.value.remedy
        return caught.value.code

    def edit(self, name: str, change: Callable[[dict], None]) -> None:  # type: ignore[type-arg]
        """Change a metadata file without its key."""
        path = self.metadata / name
        value = json.loads(path.read_bytes())
        change(value)
        path.write_bytes(json.dumps(value).encode())

    def resign(self, role: str, change: Callable[[Metadata], None]) -> None:  # type: ignore[type-arg]
        """Change a role's newest metadata with its own key, as its thief would."""
        path = self.newest(role)
        metadata = Metadata.from_bytes(path.read_bytes())
        change(metadata)
        metadata.sign(self.publisher.keys.signer(role))
        name = "timestamp.json" if role == "timestamp" else f"{metadata.signed.version}.{role}.json"
        (self.metadata / name).write_bytes(metadata.to_bytes())

    def newest(self, role: str) -> Path:
        if role == "timestamp":
            return self.metadata / "timestamp.json"
        return max(self.metadata.glob(f"*.{role}.json"), key=lambda p: int(p.name.split(".")[0]))


@pytest.fixture
def attack(tmp_path: Path) -> Iterator[Attack]:
    with served(tmp_path) as (publisher, server):
        publisher.add(20_000)
        publisher.publish()
        found = Attack(tmp_path, publisher, server)
        found.run()
        yield found


# The ten attacks


def test_arbitrary_file(attack: Attack) -> None:
    attack.publisher.add(1000)
    attack.publisher.publish()
    path = attack.publisher.layout.edition(2) / "edition.json"
    path.write_bytes(path.read_bytes().replace(b'"number":2', b'"number":3'))
    assert attack.refused() == "trust-arbitrary-file"


@pytest.mark.parametrize("pattern", ["metadata/timestamp.json", "metadata/*.root.json", "editions/0002/edition.json"])
def test_endless_data(attack: Attack, pattern: str) -> None:
    attack.publisher.add(1000)
    attack.publisher.publish()
    newest = tuf.newest_root(attack.publisher.layout)
    assert newest is not None
    tuf.next_root(attack.publisher.layout, newest, attack.publisher.keys, NOW)
    attack.server.faults = [Fault(pattern, endless=True)]
    assert attack.refused() == "trust-endless-data"
    assert attack.server.sent(pattern) < 32 << 20


def test_rollback(attack: Attack) -> None:
    old = attack.metadata.joinpath("timestamp.json").read_bytes()
    attack.publisher.add(1000)
    attack.publisher.publish()
    attack.run()
    attack.metadata.joinpath("timestamp.json").write_bytes(old)
    assert attack.refused() == "trust-rollback"


def test_freeze(attack: Attack) -> None:
    assert attack.refused(NOW + 8 * DAY) == "trust-freeze"


def test_mix_and_match(attack: Attack) -> None:
    """Snapshot of today with targets of yesterday, under today's name."""
    old = attack.newest("targets").read_bytes()
    attack.publisher.add(1000)
    attack.publisher.publish()
    attack.newest("targets").write_bytes(old)
    assert attack.refused() == "trust-mix-and-match"


def test_mix_and_match_of_the_snapshot(attack: Attack) -> None:
    old = attack.newest("snapshot").read_bytes()
    attack.publisher.add(1000)
    attack.publisher.publish()
    attack.newest("snapshot").write_bytes(old)
    assert attack.refused() == "trust-mix-and-match"


def test_fast_forward(attack: Attack) -> None:
    attack.resign("timestamp", lambda m: setattr(m.signed, "version", 2**62))
    assert attack.refused() == "trust-fast-forward"


def test_a_mirror_recovers_from_a_smaller_fast_forward_by_key_rotation(attack: Attack) -> None:
    attack.resign("timestamp", lambda m: setattr(m.signed, "version", 900_000))
    attack.run()
    # The publisher revokes the stolen key; its new timestamp starts low again and is accepted.
    fresh = attack.publisher
    new_keys = signing.create(attack.tmp_path / "new-keys")
    newest = tuf.newest_root(fresh.layout)
    assert newest is not None
    tuf.next_root(fresh.layout, newest, fresh.keys, NOW, {"timestamp": new_keys})
    timestamp = Metadata[Timestamp].from_bytes((attack.metadata / "timestamp.json").read_bytes())
    timestamp.signed.version = 3
    timestamp.sign(new_keys.signer("timestamp"))
    (attack.metadata / "timestamp.json").write_bytes(timestamp.to_bytes())
    attack.run()


def test_key_theft(attack: Attack) -> None:
    """A stolen online key signs no targets."""
    thief = signing.create(attack.tmp_path / "thief")
    targets = Metadata[Targets].from_bytes(attack.newest("targets").read_bytes())
    targets.signed.version += 1
    targets.sign(thief.signer("targets"))
    (attack.metadata / f"{targets.signed.version}.targets.json").write_bytes(targets.to_bytes())

    def point(metadata: Metadata[Snapshot]) -> None:
        metadata.signed.version += 1
        meta = metadata.signed.meta["targets.json"]
        meta.version, meta.length, meta.hashes = targets.signed.version, None, None

    def follow(metadata: Metadata[Timestamp]) -> None:
        metadata.signed.version += 1
        meta = metadata.signed.snapshot_meta
        meta.version, meta.length, meta.hashes = meta.version + 1, None, None

    attack.resign("snapshot", point)
    attack.resign("timestamp", follow)
    assert attack.refused() == "trust-signature"


def test_slow_retrieval(attack: Attack) -> None:
    """A bad server that never ends keeps a mirror from asking a good one; it is given up."""
    attack.publisher.refresh(NOW + DAY)
    attack.server.faults = [Fault("metadata/timestamp.json", drip=0.2)]
    with pytest.raises(TrustFailed) as caught:
        clocked(attack.folder, attack.server.url, attack.root).refresh()
    assert caught.value.code == "trust-slow-retrieval"


def test_wrong_file(attack: Attack) -> None:
    """A valid file under another name: the first edition as the second."""
    edition = attack.publisher.publish()
    attack.publisher.sign(replace(edition, number=7), path="editions/0008/edition.json")
    assert attack.refused() == "trust-wrong-file"


@pytest.mark.parametrize(
    ("path", "code"), [("metadata/timestamp.json", "trust-extra-file"), ("../../evil.torrent", "trust-bad-edition")]
)
def test_extra_dependency(attack: Attack, path: str, code: str) -> None:
    """An edition that asks for files that are none of its own."""
    edition = attack.publisher.publish()
    extra = FileRef(path, 3, "0" * 64, "0" * 64)
    attack.publisher.sign(replace(edition, number=3, previous="0" * 64, torrents=(*edition.torrents, extra)))
    assert attack.refused() == code
    assert not list(attack.tmp_path.glob("evil*"))


@pytest.mark.parametrize("change", ["other", "orphan"])
def test_a_twin_that_leads_to_other_content(attack: Attack, change: str) -> None:
    """A signed v1-only torrent that is not its hybrid's: the edition is not taken up, and the old one stays."""
    edition = attack.publisher.publish()
    torrents = attack.publisher.layout.torrents
    twin, other = (torrents / "v1" / f"{name}.torrent" for name in ("head-free-0001-01", "unknown"))
    path = twin if change == "other" else other
    path.write_bytes(twin.read_bytes().replace(b"6:pieces", b"6:pieceS"))
    name = path.relative_to(attack.publisher.layout.root).as_posix()
    refs = [ref for ref in edition.torrents if ref.path != name] + [FileRef.of(name, measure([path.read_bytes()]))]
    shutil.copytree(attack.publisher.layout.edition(2), attack.publisher.layout.edition(3))
    attack.publisher.sign(replace(edition, number=3, previous="0" * 64, torrents=tuple(refs)))
    served = attack.folder / "publication"
    before = tree(served)
    with pytest.raises(TrustFailed) as caught:
        attack.run()
    assert caught.value.code == "trust-twin"
    kept = {name: data for name, data in before.items() if not name.startswith("torrents/")}
    assert kept.items() <= tree(served).items()
    assert not (served / "editions" / "0003" / "edition.json").exists()


# What the project adds


def test_a_forged_timestamp(attack: Attack) -> None:
    attack.edit("timestamp.json", lambda v: v["signed"].update(version=5))
    assert attack.refused() == "trust-signature"


@pytest.mark.parametrize("junk", [b"", b"{", b"[]", b"\xff\xfe", b'{"signed": {"version": 1}}', b"[" * 10_000])
def test_garbled_metadata(attack: Attack, junk: bytes) -> None:
    (attack.metadata / "timestamp.json").write_bytes(junk)
    assert attack.refused() == "trust-garbled"


def test_the_newest_edition_is_withdrawn_from_the_targets(attack: Attack) -> None:
    attack.publisher.publish()
    attack.run()

    def forget(metadata: Metadata[Targets]) -> None:
        metadata.signed.version += 1
        del metadata.signed.targets["editions/0002/edition.json"]

    sign_targets(attack, forget)
    assert attack.refused() == "trust-edition-rollback"


def test_an_edition_changes(attack: Attack) -> None:
    path = attack.publisher.layout.edition(1) / "edition.json"
    data = path.read_bytes().replace(b'"packs":1', b'"packs":2')
    path.write_bytes(data)

    def swap(metadata: Metadata[Targets]) -> None:
        metadata.signed.version += 1
        metadata.signed.targets["editions/0001/edition.json"] = TargetFile.from_data("editions/0001/edition.json", data)

    sign_targets(attack, swap)
    assert attack.refused() == "trust-edition-changed"


def test_a_shorter_list_of_withdrawals(attack: Attack) -> None:
    entry = Withdrawal(1, "withdraw", None, ("a" * 64,), "asked for", "2026-11-24T12:00:00Z")
    old = attack.publisher.layout.withdrawals.read_bytes()
    attack.publisher.withdrawals = WithdrawalList((entry,))
    attack.publisher.refresh(NOW)
    attack.run()
    assert json.loads((attack.folder / "publication/withdrawals/withdrawals.json").read_bytes())["version"] == 1
    sign_list(attack, old)
    assert attack.refused() == "trust-withdrawals-rollback"


def test_a_rewritten_list_of_withdrawals(attack: Attack) -> None:
    entry = Withdrawal(1, "withdraw", None, ("a" * 64,), "asked for", "2026-11-24T12:00:00Z")
    attack.publisher.withdrawals = WithdrawalList((entry,))
    attack.publisher.refresh(NOW)
    attack.run()
    sign_list(attack, WithdrawalList((replace(entry, reason="another"),)).encode())
    assert attack.refused() == "trust-withdrawals-rewritten"


def test_a_wrong_root(attack: Attack, tmp_path: Path) -> None:
    other = TinyPublisher(tmp_path / "other", tmp_path / "other-keys")
    other.publish()
    with pytest.raises(TrustFailed) as caught:
        mirror(tmp_path / "new", attack.server.url, other.root_json).run()
    assert caught.value.code == "trust-signature"


def test_a_root_that_was_swapped_on_the_disk(attack: Attack) -> None:
    (attack.folder / "trust/here/root.json").write_bytes(b"{}")
    with pytest.raises(TrustFailed) as caught:
        Mirror(MirrorLayout(attack.folder), 1 << 34, FixedClock(NOW), SILENT).run()
    assert caught.value.code == "trust-root"


def test_a_network_failure_is_no_attack(attack: Attack) -> None:
    attack.server.faults = [Fault("metadata/timestamp.json", status=503)]
    with pytest.raises(NetworkFailed):
        attack.run()


def test_a_publisher_without_an_edition(tmp_path: Path) -> None:
    with served(tmp_path) as (publisher, server):
        tuf.sign(publisher.layout, publisher.keys, {}, publisher.withdrawals.encode(), NOW)
        with pytest.raises(Failed) as caught:
            mirror(tmp_path / "mirror", server.url, publisher.root_json).run()
        assert caught.value.code == "nothing-published"


def test_rotated_roots_are_walked_and_served_on(attack: Attack, tmp_path: Path) -> None:
    publisher = attack.publisher
    newest = tuf.newest_root(publisher.layout)
    assert newest is not None
    tuf.next_root(publisher.layout, newest, publisher.keys, NOW)
    second = (attack.metadata / "2.root.json").read_bytes()
    attack.run()
    assert (attack.folder / "publication/metadata/2.root.json").read_bytes() == second
    # A mirror that begins with the second root serves the first one on too.
    late = mirror(tmp_path / "late", attack.server.url, second, options=Options(transport="http"))
    late.run()
    assert (tmp_path / "late/publication/metadata/1.root.json").read_bytes() == attack.root
    with EditionServer(tmp_path / "late/publication") as again:
        mirror(tmp_path / "third", again.url, attack.root, options=Options(transport="http")).run()


def test_refreshed_signatures_are_taken_over(attack: Attack) -> None:
    attack.publisher.refresh(NOW + 5 * DAY)
    attack.run(NOW + 9 * DAY)
    served_now = (attack.folder / "publication/metadata/timestamp.json").read_bytes()
    assert served_now == (attack.metadata / "timestamp.json").read_bytes()
    assert len(list((attack.folder / "publication/metadata").glob("*.snapshot.json"))) == 1


def clocked(folder: Path, url: str, root: bytes) -> Trust:
    """Trust by a real stopwatch, at a fixed day."""

    class Clock(FixedClock):
        def monotonic(self) -> float:
            return SystemClock().monotonic()

    clock = Clock(NOW)
    limits = Limits(total_seconds=1, window_seconds=0.5, slowest_rate=10_000)
    return Trust(folder / "trust/here", url, root, Fetcher(clock, limits), clock, lambda _: None)


def sign_targets(attack: Attack, change: Callable[[Metadata[Targets]], None]) -> None:
    """A targets file signed with the true key, and all that follows from it."""
    attack.resign("targets", change)
    follow_on(attack, "targets")


def sign_list(attack: Attack, data: bytes) -> None:
    """Another list of withdrawals, signed with the true key."""
    attack.publisher.layout.withdrawals.write_bytes(data)

    def swap(metadata: Metadata[Targets]) -> None:
        metadata.signed.version += 1
        metadata.signed.targets["withdrawals/withdrawals.json"] = TargetFile.from_data(
            "withdrawals/withdrawals.json", data
        )

    attack.resign("withdrawals", swap)
    follow_on(attack, "withdrawals")


def follow_on(attack: Attack, role: str) -> None:
    version = int(attack.newest(role).name.split(".")[0])

    def snapshot(metadata: Metadata[Snapshot]) -> None:
        metadata.signed.version += 1
        meta = metadata.signed.meta[f"{role}.json"]
        meta.version, meta.length, meta.hashes = version, None, None

    def timestamp(metadata: Metadata[Timestamp]) -> None:
        metadata.signed.version += 1
        meta = metadata.signed.snapshot_meta
        meta.version, meta.length, meta.hashes = meta.version + 1, None, None

    attack.resign("snapshot", snapshot)
    attack.resign("timestamp", timestamp)


@pytest.mark.parametrize("name", ["seen.json", "last-withdrawals.json"])
@pytest.mark.parametrize("junk", [b"", b"{}", b"[1]", b"\xff", b'{"edition":"1","sha256":"x"}'])
def test_a_damaged_memory_of_what_was_accepted_is_no_reason_to_accept_anything(
    attack: Attack, name: str, junk: bytes
) -> None:
    path = next((attack.folder / "trust").glob(f"*/{name}"))
    path.write_bytes(junk)
    assert attack.refused() == "trust-memory"
    assert path.read_bytes() == junk


def _one_more(attack: Attack) -> bytes:
    """The list of withdrawals as it will be signed next: longer than what is signed now."""
    entry = Withdrawal(1, "withdraw", None, ("a" * 64,), "asked for", "2026-11-24T12:00:00Z")
    attack.publisher.withdrawals = WithdrawalList((entry,))
    return attack.publisher.withdrawals.encode()


def _while_publishing(attack: Attack, listing: bytes) -> bytes:
    attack.publisher.publish()
    return listing


def test_a_publisher_that_is_asked_in_the_middle_of_publishing_is_no_attacker(attack: Attack) -> None:
    listing = _one_more(attack)
    attack.server.faults = [Fault("withdrawals/*", times=1, change=lambda _: _while_publishing(attack, listing))]
    attack.run()
    served = attack.folder / "publication"
    assert (served / "withdrawals/withdrawals.json").read_bytes() == listing
    assert (served / "editions/0002").is_dir()


@pytest.mark.parametrize(("change", "code"), [
    (lambda data: data.replace(b"0", b"1"), "trust-arbitrary-file"), (lambda data: data * 2, "trust-endless-data"),
])  # fmt: skip
def test_a_list_that_differs_under_the_same_timestamp_is_an_attack_though_it_comes_once(
    attack: Attack, change: Callable[[bytes], bytes], code: str
) -> None:
    attack.server.faults = [Fault("withdrawals/*", times=1, change=change)]
    assert attack.refused() == code
    assert len(attack.server.asked("withdrawals/*")) == 2  # of the first run, and of this
