"""What a dump may cost: every limit a named field with its unit. Foreign bytes are hostile."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Reading stops, with a refusal that says why, where one of these is passed."""

    gzip_ratio: int = 200
    """Bytes out per byte in, beyond ``gzip_floor`` bytes."""
    gzip_floor: int = 16 << 20
    """Bytes out from which the ratio is watched: small files of one repeated row are no bombs."""
    empty_members: int = 100_000
    """Members, streams or frames of a packed file in a row that hold nothing."""
    window: int = 128 << 20
    """Bytes of memory that a packed file may ask for to be unpacked (Zstandard's window, the dictionary of xz)."""
    unpacked: int = 1 << 43
    """Bytes that an archive gives in all."""
    archive_members: int = 1_000_000
    """Entries of an archive, headers about other headers among them."""
    archive_header: int = 1 << 20
    """Bytes of an extended header of an archive (pax, or GNU's long names)."""
    archive_name: int = 4096
    """Characters of the name of an archive's entry."""
    line: int = 4 << 20
    """Characters in one line."""
    row: int = 4 << 20
    """Characters in one row that spans several lines (a quoted line end)."""
    columns: int = 4096
    """Columns of a table."""
    json_depth: int = 32
    """Nesting of a JSON value."""
    json_digits: int = 100
    """Digits of a JSON number."""
    literal: int = 64 << 10
    """Characters of a Python literal (FMA's genre lists)."""
    raw: int = 16 << 10
    """Characters of a refused row that are kept in the quarantine."""
    parquet_footer: int = 24 << 20
    """Bytes of a Parquet footer: its millions of row groups take twenty times as much once they are read."""
    parquet_row_groups: int = 100_000
    """Row groups of a Parquet file."""
    parquet_chunks: int = 1_000_000
    """Row groups of a Parquet file times its columns."""
    parquet_group: int = 2 << 30
    """Bytes that one row group says it unpacks to."""
    parquet_page: int = 96 << 20
    """Bytes of one page of a Parquet file, packed or not."""
    parquet_pages: int = 384 << 20
    """Bytes of the pages of a row group that are held at once: of each column its largest page and its dictionary
    (of texts five times: the library copies them)."""
    parquet_page_header: int = 8 << 20
    """Bytes of the header of a page, in which its least and greatest values may stand."""
    parquet_idle_pages: int = 1000
    """Pages of a column in a row group that hold no values, such as indexes."""
    parquet_in_memory: int = 256 << 20
    """Bytes of a gzipped Parquet file once unpacked (it is read at its end first, so it is held in memory)."""
    batch_rows: int = 4096
    """Rows of Parquet that are held at once."""
    batch_bytes: int = 64 << 20
    """Bytes of the pages that they stand in; fewer rows are held where the rows are that long."""
    batch_text: int = 256 << 20
    """Bytes of text that such a batch may become."""
    xml_record: int = 16 << 20
    """Bytes of one record of an XML dump, hence of any text or attribute in it."""
    xml_tags: int = 400_000
    """Tags of such a record."""
    xml_depth: int = 32
    """Nesting of its elements."""
    document: int = 64 << 20
    """Bytes of a JSON document that is not in lines (it is held in memory)."""
    document_values: int = 3_000_000
    """Commas and opening brackets in it: an empty list is three bytes there, and 64 in memory."""


LIMITS = Limits()
