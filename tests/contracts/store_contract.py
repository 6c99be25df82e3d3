"""What every blob store keeps to. A test class derives from this and gives a ``store`` that holds BLOBS."""

from __future__ import annotations

import hashlib
import io

import pytest

from fonoteca.archive.store import BlobStore
from fonoteca.core.errors import Damaged
from fonoteca.core.fixity import measure

BLOBS = (b"", b"a", b"b" * 16_384, b"c" * 16_385, bytes(range(256)) * 300)
ABSENT = hashlib.sha256(b"never stored").hexdigest()


def sha(data: bytes) -> str:
    """Hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


class StoreContract:
    """Run by each way of storing."""

    @pytest.fixture
    def store(self) -> BlobStore:
        """A store that holds all of BLOBS."""
        raise NotImplementedError

    def test_lists_what_it_holds_in_order(self, store: BlobStore) -> None:
        assert store.list() == sorted(map(sha, BLOBS))

    def test_gives_back_the_same_bytes(self, store: BlobStore) -> None:
        for data in BLOBS:
            with store.open(sha(data)) as stream:
                assert stream.read() == data
            assert store.stat(sha(data)) == len(data)
            assert store.digest(sha(data)) == sha(data)

    def test_readers_seek_and_never_leave_the_blob(self, store: BlobStore) -> None:
        data = BLOBS[-1]
        with store.open(sha(data)) as stream:
            assert stream.seek(-10, io.SEEK_END) == len(data) - 10
            assert stream.read(100) == data[-10:]
            assert stream.read(1) == b""
            stream.seek(5)
            assert stream.read(3) == data[5:8]
            assert stream.tell() == 8
            stream.seek(0)
            assert stream.read() == data

    def test_putting_what_is_there_changes_nothing(self, store: BlobStore) -> None:
        before = store.list()
        assert store.put(io.BytesIO(BLOBS[1])) == measure([BLOBS[1]])
        assert store.list() == before

    def test_an_absent_blob_is_named(self, store: BlobStore) -> None:
        assert store.stat(ABSENT) is None
        with pytest.raises(Damaged) as error:
            store.open(ABSENT)
        assert (error.value.code, error.value.subject) == ("blob-missing", ABSENT)

    @pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "/", "g" * 64])
    def test_a_name_that_is_no_digest_is_refused(self, store: BlobStore, name: str) -> None:
        with pytest.raises(ValueError, match="SHA-256"):
            store.open(name)

    def test_copying_back_makes_a_loose_copy_that_was_read(self, store: BlobStore) -> None:
        for data in BLOBS:
            assert store.copy_back(sha(data)).sha256 == sha(data)
            assert store.is_loose(sha(data))
        assert not list(store.incoming.glob("*"))
