"""Parquet and Arrow from a stranger: footers that lie, code in values, bombs: refused, or read in bounds."""

from __future__ import annotations

import json
import pickle
import random
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fonoteca.core.errors import Usage
from fonoteca.sources.limits import LIMITS
from fonoteca.sources.records import Dump
from fonoteca.sources.registry import SOURCES
from fonoteca.sources.rows import describe
from sources.confined import Confined, confined

pytestmark = pytest.mark.core
ROWS = 1_500
CRAFTED = 240


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    path = tmp_path / "t.parquet"
    table = pa.table({"id": [f"k{n:06d}" for n in range(ROWS)], "title": [f"title {n:06d}" for n in range(ROWS)]})
    pq.write_table(table, path, row_group_size=300, compression="none", use_dictionary=False)
    return path


@pytest.fixture(name="reader", scope="module")
def _reader() -> Iterator[Confined]:
    with confined() as reader:
        yield reader


def footer_of(data: bytes) -> tuple[int, int]:
    """Where the footer begins and ends."""
    (length,) = struct.unpack("<I", data[-8:-4])
    return len(data) - 8 - length, len(data) - 8


def varint(number: int) -> bytes:
    """A number as Thrift's compact protocol has it: zigzag, seven bits a byte."""
    number, out = number << 1, bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def lied(path: Path, true: int, false: int) -> None:
    """Let the footer say ``false`` wherever it says ``true``; both take as many bytes."""
    data = path.read_bytes()
    start, end = footer_of(data)
    old, new = varint(true), varint(false)
    assert len(old) == len(new)
    assert old in data[start:end]
    path.write_bytes(data[:start] + data[start:end].replace(old, new) + data[end:])


def first_chunk(path: Path) -> Any:
    return pq.read_metadata(path).row_group(0).column(1)


def test_an_offset_beyond_the_end_is_refused(path: Path, reader: Confined) -> None:
    chunk = pq.read_metadata(path).row_group(4).column(1)
    lied(path, chunk.data_page_offset, 1_000_000)
    assert path.stat().st_size < 1_000_000
    told = reader.survive("table", path)
    assert told.get("refused") == "not-a-dump" or told["codes"] == ["damaged-parquet"]


def test_an_offset_into_another_page_is_one_refusal_at_most(path: Path, reader: Confined) -> None:
    chunk = first_chunk(path)
    lied(path, chunk.data_page_offset, chunk.data_page_offset + 9)
    told = reader.survive("table", path)
    assert told.get("refused") == "not-a-dump" or told["codes"] in ([], ["damaged-parquet"])


def test_an_offset_before_the_start_is_refused(path: Path, reader: Confined) -> None:
    data = path.read_bytes()
    start, end = footer_of(data)
    at = varint(first_chunk(path).data_page_offset)
    # An odd number is negative in zigzag.
    path.write_bytes(data[:start] + data[start:end].replace(at, bytes([at[0] | 1]) + at[1:]) + data[end:])
    told = reader.survive("table", path)
    assert told.get("refused") == "not-a-dump" or told["codes"] == ["damaged-parquet"]


def test_a_number_of_rows_that_lies_is_refused(path: Path, reader: Confined) -> None:
    lied(path, ROWS, 8_000)
    assert reader.survive("table", path)["refused"] == "not-a-dump"


def test_row_groups_that_claim_more_rows_than_they_have_end_in_one_refusal(path: Path, reader: Confined) -> None:
    lied(path, 300, 8_000)
    told = reader.survive("table", path)
    assert told.get("refused") == "not-a-dump" or told["codes"] == ["damaged-parquet"]


def test_a_length_that_lies_is_refused_or_does_no_harm(path: Path, reader: Confined) -> None:
    length = first_chunk(path).total_compressed_size
    lied(path, length, 1_000_000 if length >= 8_192 else 8_191)
    told = reader.survive("table", path)
    assert told.get("refused") == "not-a-dump" or told["codes"] in ([], ["damaged-parquet"])


def test_footers_crafted_at_random_never_crash_the_reader(path: Path, tmp_path: Path, reader: Confined) -> None:
    """Bytes of the footer changed, with the magic and the length as they should be: what a fuzzer would find first."""
    whole, dice, fates = path.read_bytes(), random.Random(11), set()
    start, end = footer_of(whole)
    for number in range(CRAFTED):
        data = bytearray(whole)
        for _ in range(dice.choice([1, 1, 2, 8])):
            data[dice.randrange(start, end)] = dice.choice([0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)])
        crafted = tmp_path / "crafted"
        crafted.write_bytes(data)
        told = reader.survive("table", crafted, number)
        fates.add(told.get("refused") or tuple(told["codes"]))
    assert "not-a-dump" in fates


def test_pages_crafted_at_random_never_crash_the_reader(tmp_path: Path, reader: Confined) -> None:
    table = pa.table({"id": [f"k{n % 700}" for n in range(ROWS)], "list": [["a", None, str(n)] for n in range(ROWS)]})
    dice = random.Random(12)
    for compression in ("snappy", "zstd", "none"):
        pq.write_table(table, tmp_path / "t", compression=compression, data_page_size=2_000)
        whole = (tmp_path / "t").read_bytes()
        for number in range(CRAFTED // 6):
            data = bytearray(whole)
            at = dice.randrange(4, footer_of(whole)[0])
            data[at : at + 4] = dice.randbytes(4)
            (tmp_path / "crafted").write_bytes(data)
            reader.survive("table", tmp_path / "crafted", (compression, number))


class Bomb:
    """Its pickle makes a file when it is loaded."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> Any:
        return Path.touch, (self.canary,)


@pytest.mark.parametrize("name", ["arrow.py_extension_type", "pyarrow.pickle", "pandas", "arrow.json", "x" * 10_000])
def test_extension_types_and_pickled_metadata_run_nothing(path: Path, name: str) -> None:
    """CVE-2023-47248: a type's metadata was unpickled when the file was opened."""
    canary = path.with_name("canary")
    bomb = pickle.dumps(Bomb(canary))
    marks = {b"ARROW:extension:name": name.encode(), b"ARROW:extension:metadata": bomb}
    fields = [pa.field("id", pa.string(), metadata=marks), pa.field("title", pa.string(), metadata=marks)]
    schema = pa.schema(fields, metadata={b"pandas": bomb, b"pickle": bomb, b"ARROW:extension:metadata": bomb})
    pq.write_table(pa.table({"id": ["1"], "title": ["One"]}, schema=schema), path)
    source = SOURCES["table"]
    dump = source.resolve(Dump([path]))
    try:
        list(source.records(dump))
    except Usage as error:
        assert error.code == "not-a-dump"
    assert not canary.exists()
    with canary.open("wb"):  # the bomb itself works
        pass
    canary.unlink()
    pickle.loads(bomb)
    assert canary.exists()


def test_an_address_of_a_key_server_in_the_file_is_never_asked(path: Path, reader: Confined) -> None:
    """CVE-2026-92287: the address came from the file's key material."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/keys"
        named = {"keyMaterialType": "PKMT1", "internalStorage": True, "isFooterKey": True, "kmsInstanceID": "x",
                 "kmsInstanceURL": address, "masterKeyID": "k", "wrappedDEK": "AAAA"}  # fmt: skip
        material = json.dumps(named).encode()
        table = pa.table({"id": ["1"], "title": ["One"]}).replace_schema_metadata({b"parquet.encryption": material})
        pq.write_table(table, path)
        plain = path.read_bytes()
        encrypted = b"PARE" + plain[4:-8] + material + struct.pack("<I", len(material)) + b"PARE"
        for data in (plain, encrypted, plain[:-4] + b"PARE", b"PAR1" + encrypted[4:]):
            path.write_bytes(data)
            told = reader.survive("table", path)
            assert told.get("refused") in {None, "not-a-dump"}
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_file_with_encrypted_columns_is_refused_or_ends_in_one_refusal(path: Path, reader: Confined) -> None:
    """A real one: only somebody with the key can read it, and we have none and ask for none."""
    encryption = pytest.importorskip("pyarrow.parquet.encryption")

    class Keys(encryption.KmsClient):  # type: ignore[misc, name-defined]
        def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> bytes:
            return key_bytes

        def unwrap_key(self, wrapped_key: bytes, master_key_identifier: str) -> bytes:
            return wrapped_key

    config = encryption.EncryptionConfiguration(footer_key="f", column_keys={"c": ["title"]}, plaintext_footer=True)
    for plaintext in (True, False):
        config.plaintext_footer = plaintext
        factory = encryption.CryptoFactory(lambda _: Keys())
        made = factory.file_encryption_properties(encryption.KmsConnectionConfig(), config)
        table = pa.table({"id": ["1"], "title": ["One"]})
        with pq.ParquetWriter(path, table.schema, encryption_properties=made) as writer:
            writer.write_table(table)
        told = reader.survive("table", path)
        assert told.get("refused") == "not-a-dump" or told["codes"] == ["damaged-parquet"]


def test_a_page_bomb_is_refused_by_what_it_says(tmp_path: Path, reader: Confined) -> None:
    """16 million values in one page of a few hundred bytes."""
    zeros = pa.array([0], pa.int64()).take(pa.array([0] * 4096, pa.int32()))
    pq.write_table(pa.table({"title": pa.chunked_array([zeros] * 4096)}), tmp_path / "t", compression="zstd",
                   use_dictionary=False, row_group_size=1 << 25, data_page_size=1 << 30)  # fmt: skip
    assert (tmp_path / "t").stat().st_size < 1 << 20
    assert reader.survive("table", tmp_path / "t")["refused"] == "not-a-dump"


def test_a_page_bomb_that_lies_of_its_size_is_read_in_bounds(tmp_path: Path, reader: Confined) -> None:
    path = tmp_path / "t"
    pq.write_table(pa.table({"title": ["x" * (64 << 20), "y"]}), path, compression="zstd", use_dictionary=False,
                   write_statistics=False, store_schema=False)  # fmt: skip
    data = path.read_bytes()
    start, end = footer_of(data)
    # The longest way to write a small number: seven bits a byte, the upper ones zero.
    old = varint(pq.read_metadata(path).row_group(0).total_byte_size)
    new = bytes([*[0x80 | 0x40] * (len(old) - 1), 0])
    assert old in data[start:end]
    path.write_bytes(data[:start] + data[start:end].replace(old, new) + data[end:])
    told = reader.survive("table", path)
    assert told.get("refused") == "not-a-dump" or told["codes"] in (["damaged-parquet"], ["long-row"])


def test_a_group_that_says_it_unpacks_to_gigabytes_is_refused(tmp_path: Path, reader: Confined) -> None:
    column = pa.chunked_array([pa.array([1], pa.int8()).take(pa.array([0] * 4096, pa.int32()))] * 64)
    path = tmp_path / "t"
    pq.write_table(pa.table({"title": column}), path, compression="zstd", use_dictionary=False)
    with pytest.raises(Usage, match="unpacks to"):
        describe(path, limits=LIMITS.__class__(parquet_group=200_000))


def test_120_000_row_groups_are_refused_at_once(tmp_path: Path, reader: Confined) -> None:
    table = pa.table({"title": pa.array(range(120_000), pa.int32())})
    pq.write_table(table, tmp_path / "t", row_group_size=1, write_statistics=False, compression="none",
                   use_dictionary=False)  # fmt: skip
    assert reader.survive("table", tmp_path / "t")["refused"] == "not-a-dump"


def test_a_footer_with_room_for_millions_of_row_groups_is_not_even_read(tmp_path: Path, reader: Confined) -> None:
    with (tmp_path / "t").open("wb") as stream:
        stream.write(b"PAR1")
        stream.truncate(80 << 20)
        stream.seek(0, 2)
        stream.write(struct.pack("<I", 60 << 20) + b"PAR1")
    assert reader.survive("table", tmp_path / "t")["refused"] == "not-a-dump"
