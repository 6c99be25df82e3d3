"""The leaves that an archive keeps in ``holdings/leaves/``: names, writing and reading are those of the format."""

from __future__ import annotations

from fonoteca.formats.leaves import Kept, blob_name, edition_name, kept, load, pack_name, parse, remember, store

__all__ = ["Kept", "blob_name", "edition_name", "kept", "load", "pack_name", "parse", "remember", "store"]
