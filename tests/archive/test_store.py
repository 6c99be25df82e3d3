"""The blob store, loose and packed."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from contracts.store_contract import BLOBS, StoreContract, sha
from fonoteca.archive.store import BlobStore, Region, loose_path
from fonoteca.core.errors import Damaged, Failed
from fonoteca.core.fixity import measure

pytestmark = pytest.mark.core


def packed(folder: Path) -> BlobStore:
    """All blobs inside one file, one after the other."""
    folder.mkdir(parents=True, exist_ok=True)
    regions, data = {}, b"head"
    for blob in BLOBS:
        regions[sha(blob)] = Region(folder / "pack.tar", len(data), len(blob))
        data += blob + bytes(7)
    (folder / "pack.tar").write_bytes(data)
    return BlobStore(folder / "blobs", lambda: regions)


class TestLoose(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> BlobStore:
        store = BlobStore(tmp_path / "blobs")
        for data in BLOBS:
            store.put(io.BytesIO(data))
        return store


class TestPacked(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> BlobStore:
        return packed(tmp_path)


def test_a_loose_blob_has_its_digest_for_a_name_and_is_read_only(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    fixity = store.put(io.BytesIO(b"music"))
    path = tmp_path / fixity.sha256[:2] / fixity.sha256[2:4] / fixity.sha256
    assert path == loose_path(tmp_path, fixity.sha256)
    assert path.read_bytes() == b"music"
    assert path.stat().st_mode & 0o777 == 0o444


def test_putting_replaces_a_damaged_copy_by_the_checked_bytes(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    path = loose_path(tmp_path, store.put(io.BytesIO(b"music")).sha256)
    path.chmod(0o644)
    path.write_bytes(b"musik")
    source = tmp_path / "source"
    source.write_bytes(b"music")
    assert store.put(source) == measure([b"music"])
    assert path.read_bytes() == b"music"


def test_a_loose_copy_is_dropped_only_if_the_pack_has_the_same_bytes(tmp_path: Path) -> None:
    store = packed(tmp_path)
    data = BLOBS[-1]
    assert not store.drop_loose(sha(data))
    store.copy_back(sha(data))
    pack = tmp_path / "pack.tar"
    whole = pack.read_bytes()
    pack.write_bytes(whole.replace(data, data[:-1] + b"!"))
    with pytest.raises(Damaged) as error:
        store.drop_loose(sha(data))
    assert error.value.code == "blob-differs"
    assert store.is_loose(sha(data))
    pack.write_bytes(whole)
    assert store.drop_loose(sha(data))
    assert not store.is_loose(sha(data))
    assert store.digest(sha(data)) == sha(data)


def test_copying_back_mends_a_damaged_loose_copy_out_of_the_pack(tmp_path: Path) -> None:
    store = packed(tmp_path)
    name = sha(BLOBS[-1])
    store.copy_back(name)
    path = loose_path(tmp_path / "blobs", name)
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    store.copy_back(name)
    assert path.read_bytes() == BLOBS[-1]


def test_a_damaged_pack_is_not_copied_back(tmp_path: Path) -> None:
    store = packed(tmp_path)
    (tmp_path / "pack.tar").write_bytes(bytes(200_000))
    with pytest.raises(Damaged) as error:
        store.copy_back(sha(BLOBS[-1]))
    assert error.value.code == "blob-differs"
    assert not store.is_loose(sha(BLOBS[-1]))
    assert not list(store.incoming.glob("*"))


def test_a_blob_that_is_only_loose_is_never_dropped(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    name = store.put(io.BytesIO(b"only copy")).sha256
    with pytest.raises(Damaged):
        store.drop_loose(name)
    assert store.is_loose(name)


def test_what_a_crash_left_is_cleared_and_a_discarded_copy_leaves_nothing(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    staged = store.stage(io.BytesIO(b"x"))
    assert staged.path.is_file()
    store.discard(staged)
    assert not staged.path.exists()
    store.stage(io.BytesIO(b"y"))
    store.clear_incoming()
    assert not store.incoming.exists()
    assert store.list() == []


def test_a_folder_that_cannot_be_written_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_bytes(b"a file is in the way")
    with pytest.raises(Failed) as error:
        BlobStore(tmp_path / "blobs").put(io.BytesIO(b"x"))
    assert error.value.code == "unwritable"
