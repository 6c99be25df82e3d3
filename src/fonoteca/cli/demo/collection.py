"""The demo's collection on disk: audio files, their claims, and a made-up table of listens, marked as such."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from fonoteca.cli.demo.notation import Tune, parse
from fonoteca.core import durable

LICENCE = "CC0-1.0"
LICENCE_URL = "https://creativecommons.org/publicdomain/zero/1.0/"
PERFORMER = "The fonoteca machine"
EVIDENCE = "Tune in the public domain; this rendering was made by the fonoteca project and dedicated to it (CC0)."
LISTENS_SEED = 1895
"""The listens are drawn with this seed from a Pareto law: a few tunes are heard much, most little."""
_RELEASES = {
    "classical": "Machine Classics",
    "folk": "Machine Folk",
    "nursery rhyme": "Machine Nursery",
}
_OTHER = "Machine Miscellany"
_RECIPES = ("FLAC", "OPUS", "MP3", "OPUS", "WAV", "OPUS")
# Nobody has listened to these yet: they stay without a count, which is not a count of zero.
_UNHEARD = {29, 30}


@dataclass(frozen=True)
class Piece:
    """One file of the collection."""

    tune: Tune
    release: str
    track: int
    recipe: str

    @property
    def key(self) -> str:
        """Its key in the claims and in the listens."""
        return f"demo-{self.tune.number:02d}"

    @property
    def title(self) -> str:
        """As its people write it, with the English in brackets."""
        return f"{self.tune.title} ({self.tune.english})" if self.tune.english else self.tune.title

    @property
    def artist(self) -> str:
        """Who is credited."""
        return self.tune.composer if self.tune.composer != "Traditional" else f"Traditional ({self.tune.origin})"


def pieces() -> list[Piece]:
    """The whole collection, in the order of the notation file."""
    text = resources.files("fonoteca.cli.demo").joinpath("tunes.abc").read_text("utf-8")
    counted: dict[str, int] = {}
    found = []
    for index, tune in enumerate(parse(text)):
        release = _RELEASES.get(tune.genre, _OTHER)
        counted[release] = counted.get(release, 0) + 1
        found.append(Piece(tune, release, counted[release], _RECIPES[index % len(_RECIPES)]))
    return found


def write_audio(folder: Path, collection: Sequence[Piece], advance: Callable[[int], None], workers: int = 2) -> None:
    """Render and encode what is not there yet; one file a piece."""
    durable.make_folder(folder)
    missing = [p for p in collection if not list(folder.glob(f"{p.key}.*"))]
    with ProcessPoolExecutor(workers) as pool:
        for name, data in pool.map(_rendered, missing):
            durable.write_bytes(folder / name, data)
            advance(1)


def _rendered(piece: Piece) -> tuple[str, bytes]:
    from fonoteca.audio import encode
    from fonoteca.cli.demo.synthesis import RATE, render

    recipe: encode.Recipe = getattr(encode, piece.recipe)
    tags = {
        "title": piece.title,
        "artist": piece.artist,
        "album": piece.release,
        "track": str(piece.track),
        "genre": piece.tune.genre,
        "comment": f"Rendered by {PERFORMER}",
        "copyright": f"CC0: {LICENCE_URL}",
    }
    return f"{piece.key}.{recipe.extension}", encode.encode(render(piece.tune), RATE, recipe, tags)


def claims_csv(folder: Path, collection: Sequence[Piece]) -> bytes:
    """What the project says of each file, in the columns of ``intake --claims``."""
    rows = []
    for piece in collection:
        name = next(folder.glob(f"{piece.key}.*")).name
        rows.append({
            "file": name, "recording": piece.key, "title": piece.title, "artist": piece.artist,
            "release": piece.release, "disc": 1, "track": piece.track, "licence": LICENCE,
            "licence_url": LICENCE_URL, "evidence": EVIDENCE, "source": "fonoteca demo",
        })  # fmt: skip
    return _csv(rows)


def listens(collection: Sequence[Piece]) -> dict[str, int]:
    """Key → listens, synthetic: drawn by seed, the same on every machine."""
    draw = random.Random(LISTENS_SEED)  # noqa: S311 - a sample, not a secret
    counts = {piece.key: int(40 * draw.paretovariate(0.9)) for piece in collection}
    return {piece.key: counts[piece.key] for piece in collection if piece.tune.number not in _UNHEARD}


def listens_csv(collection: Sequence[Piece]) -> bytes:
    """The table of listens."""
    return _csv([{"recording": key, "listens": count} for key, count in listens(collection).items()])


def _csv(rows: Sequence[dict[str, object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")
