"""Blobs by content, holdings, intake, fixity."""
