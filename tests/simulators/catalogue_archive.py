"""An archive with the catalogue of tests/simulators/tiny_catalogue.py, and a small table to ingest."""

from __future__ import annotations

from pathlib import Path

from simulators.tiny_catalogue import filled

SONGS = "id,title,artist,isrc,plays\n1,One,Ana,PTAAA0900009,7\n2,Two,Bó,,\n"


def made(folder: Path) -> Path:
    """An archive folder with three sources."""
    return filled(folder).root


def songs(folder: Path, text: str = SONGS) -> Path:
    """A CSV table."""
    path = folder / "songs.csv"
    path.write_text(text, encoding="utf-8")
    return path
