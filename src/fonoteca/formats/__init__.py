"""Bytes to values and back: metainfo, packs, manifests, tables. No database, no network, no policy."""
