from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from fonoteca.archive import leaves
from fonoteca.core.errors import Damaged
from fonoteca.core.fixity import measure
from fonoteca.formats import pack
from fonoteca.publish.cut import NewPack, seal_plan
from fonoteca.publish.inputs import PublishedPack
from fonoteca.publish.seal import Bench, measured
from fonoteca.publish.volumes import Redaction
from publish.planning import candidate

pytestmark = pytest.mark.core

PIECE = 16_384
BLOBS = {hashlib.sha256(data).hexdigest(): data for data in (bytes([n]) * (9_000 + n) for n in range(1, 4))}


def _new() -> NewPack:
    members = [candidate(n, blob=sha, size=len(data)) for n, (sha, data) in enumerate(sorted(BLOBS.items()))]
    return seal_plan("head", "free", members, PIECE, ())


def _open(sha256: str) -> BinaryIO:
    return io.BytesIO(BLOBS[sha256])


def _never(_: str) -> BinaryIO:
    raise AssertionError("a blob was opened")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "packs", tmp_path / "leaves", PIECE)


def _path(bench: Bench, name: str = "") -> Path:
    return bench.packs / "v" / (name or pack.file_name(_new().id, 0))


def test_what_is_sealed_is_what_was_planned(bench: Bench) -> None:
    new = _new()
    sealed = bench.seal(new, "v", _open)
    data = _path(bench).read_bytes()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (new.bytes, sealed.fixity.sha256)
    assert measured(_path(bench), PIECE)[0] == sealed.fixity
    assert sealed.entry.length == new.bytes
    for place, member in zip(new.layout.places, new.members, strict=True):
        assert data[place.data_offset : place.data_offset + member.bytes] == BLOBS[member.blob]
    kept = leaves.load(bench.leaves, leaves.pack_name(new.id, 0), sealed.fixity.merkle_root)
    assert kept is not None
    assert len(kept) == new.bytes // 16_384


def test_a_pack_of_an_interrupted_run_is_taken_over_unread_blobs(bench: Bench) -> None:
    sealed = bench.seal(_new(), "v", _open)
    assert bench.seal(_new(), "v", _never) == sealed


@pytest.mark.parametrize("spoil", ["flipped", "truncated", "leaves_missing"])
def test_a_pack_that_is_not_what_was_read_back_is_sealed_again(bench: Bench, spoil: str) -> None:
    sealed = bench.seal(_new(), "v", _open)
    data = _path(bench).read_bytes()
    if spoil == "flipped":
        _path(bench).write_bytes(data[:3_000] + bytes([data[3_000] ^ 1]) + data[3_001:])
    elif spoil == "truncated":
        _path(bench).write_bytes(data[:-1])
    else:
        (bench.leaves / leaves.pack_name(_new().id, 0)).unlink()
    assert bench.seal(_new(), "v", _open) == sealed
    assert _path(bench).read_bytes() == data


@pytest.mark.parametrize("wrong", [lambda d: d[:-1], lambda d: d + b"x", lambda d: b"\0" + d[1:]])
def test_a_blob_that_differs_leaves_no_pack(bench: Bench, wrong: Callable[[bytes], bytes]) -> None:
    with pytest.raises(Damaged) as refused:
        bench.seal(_new(), "v", lambda sha: io.BytesIO(wrong(BLOBS[sha])))
    assert refused.value.code == "blob-differs"
    assert list(bench.packs.rglob("*.*")) == []


@pytest.mark.parametrize("wrong", [lambda d: d[:-1], lambda d: d + b"x", lambda d: b"\0" + d[1:]])
def test_a_blob_that_differs_is_seen_by_the_digest_that_the_ledger_keeps(
    bench: Bench, wrong: Callable[[bytes], bytes]
) -> None:
    knowing = replace(bench, blake3_of={sha: measure([data]).blake3 for sha, data in BLOBS.items()})
    with pytest.raises(Damaged, match="BLAKE3") as refused:
        knowing.seal(_new(), "v", lambda sha: io.BytesIO(wrong(BLOBS[sha])))
    assert refused.value.code == "blob-differs"
    assert list(bench.packs.rglob("*.*")) == []


def test_the_pack_is_the_same_whichever_digest_its_blobs_are_checked_by(bench: Bench) -> None:
    sealed = bench.seal(_new(), "v", _open)
    knowing = replace(bench, blake3_of={sha: measure([data]).blake3 for sha, data in BLOBS.items()})
    assert knowing.seal(_new(), "w", _open) == sealed


def test_a_disk_that_gives_other_bytes_back_is_caught(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.open

    def lies(self: Path, mode: str = "r", *args: object, **named: object) -> object:
        stream = real(self, mode, *args, **named)  # type: ignore[call-overload]
        if mode == "rb" and self.name.endswith(".partial"):
            data = stream.read()
            stream.close()
            spoiled = self.with_suffix(".lie")
            spoiled.write_bytes(data[:-1] + b"\1")
            return real(spoiled, "rb")
        return stream

    monkeypatch.setattr(Path, "open", lies)
    with pytest.raises(Damaged) as refused:
        bench.seal(_new(), "v", _open)
    assert refused.value.code == "read-back-differs"
    assert not _path(bench).exists()


def _redaction(bench: Bench, blobs: tuple[str, ...]) -> Redaction:
    fixity = bench.seal(_new(), "v", _open).fixity
    old = PublishedPack(_new().id, 0, "head", "free", "v", fixity.bytes, fixity.sha256, fixity.merkle_root, 3)
    return Redaction(old, blobs, "w")


def test_a_redaction_blanks_one_entry_and_moves_nothing(bench: Bench) -> None:
    new = _new()
    gone = new.members[1].blob
    redaction = _redaction(bench, (gone,))
    sealed = bench.redact(redaction)
    before = _path(bench).read_bytes()
    after = (bench.packs / "w" / pack.file_name(new.id, 1)).read_bytes()
    assert len(after) == len(before)
    assert BLOBS[gone] not in after
    for place, member in zip(new.layout.places, new.members, strict=True):
        region = after[place.data_offset : place.data_offset + member.bytes]
        assert region == (bytes(member.bytes) if member.blob == gone else BLOBS[member.blob])
    assert hashlib.sha256(after).hexdigest() == sealed.fixity.sha256


def test_a_redaction_of_what_is_not_there_is_damage(bench: Bench) -> None:
    with pytest.raises(Damaged) as refused:
        bench.redact(replace(_redaction(bench, ()), blobs=("f" * 64,)))
    assert refused.value.code == "read-back-differs"


def test_damage_of_the_old_revision_is_not_signed_as_the_new_truth(bench: Bench) -> None:
    redaction = _redaction(bench, (_new().members[1].blob,))
    data = bytearray(_path(bench).read_bytes())
    data[3_000] ^= 1
    _path(bench).write_bytes(data)
    with pytest.raises(Damaged) as refused:
        bench.redact(redaction)
    assert refused.value.code == "read-back-differs"
    assert "--refresh" in refused.value.remedy
    assert not (bench.packs / "w").exists()
