"""Torrents: values, making and strict reading, under one name (normative: docs/formats/torrent.md)."""

from __future__ import annotations

from fonoteca.formats.metainfo_check import parse
from fonoteca.formats.metainfo_fields import Limits
from fonoteca.formats.metainfo_make import hybrid
from fonoteca.formats.metainfo_twin import check_twin, twin_infohash, twin_magnet, v1_twin
from fonoteca.formats.metainfo_values import FileEntry, Metainfo, MetainfoError, file_entry

__all__ = [
    "FileEntry", "Limits", "Metainfo", "MetainfoError", "check_twin", "file_entry", "hybrid", "parse", "twin_infohash",
    "twin_magnet", "v1_twin",
]  # fmt: skip
