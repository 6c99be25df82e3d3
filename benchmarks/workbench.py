"""What every benchmark is given, and the synthetic data that several of them share."""

from __future__ import annotations

import json
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fonoteca.core.fixity import measure

PYTHON = sys.executable
ROOT = Path(__file__).resolve().parent.parent
_RATE, _CHANNELS = 44_100, 2


@dataclass(frozen=True)
class Setup:
    """One run of the benchmarks.

    Attributes:
        folder: for data and what is made of it; emptied at the end.
        megabytes: of synthetic data.
        repeats: rounds of each side.
        seed: of data and order.
        told: hears how it goes.
        peers: a Python that has torf, if there is one.
        audio: folder of real audio files, if there is one.
        base: an archive that an ingest is measured beside, instead of an empty one; nothing in it is written to.
        beside: what is said of it.
        only: promises; empty: all that the benchmark is for.
    """

    folder: Path
    megabytes: int
    repeats: int
    seed: int
    told: Callable[[str], None]
    peers: str | None = None
    audio: Path | None = None
    base: Path | None = None
    beside: str = ""
    only: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Of synthetic data."""
        return self.megabytes * 1_000_000

    def empty(self, name: str) -> Path:
        """A folder that is there and empty."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path


def side(module: str, *words: str | Path | int) -> tuple[str, ...]:
    """The words of one of our side programs."""
    return (PYTHON, "-m", f"benchmarks.sides.{module}", *map(str, words))


def fonoteca(*words: str | Path) -> str:
    """Run a command that prepares something; what it prints. Raises RuntimeError."""
    ran = subprocess.run([PYTHON, "-m", "fonoteca", *map(str, words)], check=False, capture_output=True, text=True)
    if ran.returncode:
        raise RuntimeError(f"fonoteca {' '.join(map(str, words))} exited {ran.returncode}: {ran.stderr[-2000:]}")
    return ran.stdout


def halves(paths: Sequence[Path]) -> list[list[Path]]:
    """The files in two portions of about the same bytes, largest first."""
    portions: list[list[Path]] = [[], []]
    sizes = [0, 0]
    for path in sorted(paths, key=lambda p: (-p.stat().st_size, p.name)):
        least = sizes.index(min(sizes))
        portions[least].append(path)
        sizes[least] += path.stat().st_size
    return [portion for portion in portions if portion]


def make_blobs(setup: Setup) -> Path:
    """Random files of 3–8 MB (less in small runs) named by their SHA-256, and ``blobs.json``: their fixity."""
    folder, dice = setup.empty("blobs"), random.Random(setup.seed)
    left, rows = setup.bytes, []
    largest = min(8_000_000, setup.bytes // 16)
    while left > 0:
        data = dice.randbytes(dice.randrange(largest * 3 // 8, largest))
        fixity = measure([data])
        (folder / fixity.sha256).write_bytes(data)
        rows.append({"sha256": fixity.sha256, "bytes": fixity.bytes, "blake3": fixity.blake3})
        left -= len(data)
    (folder / "blobs.json").write_text(json.dumps(rows))
    return folder


def make_music(folder: Path, count: int, length: int, seed: int) -> None:
    """WAV files of noise, of ``length`` bytes of samples each."""
    dice = random.Random(seed)
    width = 2 * _CHANNELS
    length -= length % width
    for number in range(count):
        head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + length, b"WAVE", b"fmt ", 16, 1, _CHANNELS, _RATE,
                           _RATE * width, width, 16, b"data", length)  # fmt: skip
        (folder / f"{number:04d}.wav").write_bytes(head + dice.randbytes(length))


def make_archive(setup: Setup, *, publish: bool) -> Path:
    """An archive that has taken in noise under CC0; published on request."""
    music, root = setup.empty("music"), setup.folder / "archive"
    shutil.rmtree(root, ignore_errors=True)
    count = 64
    make_music(music, count, setup.bytes // count, setup.seed)
    fonoteca("init", root)
    large = setup.megabytes >= 100
    settings = {"pack_size": setup.bytes // 16, "piece_length": (4 << 20) if large else 16_384}
    lines = [f"publish.{name} = {value}" for name, value in settings.items()]
    (root / "fonoteca.toml").write_text("\n".join(lines) + "\n")
    fonoteca("--archive", root, "--quiet", "intake", music, "--licence", "CC0-1.0", "--evidence", "made by a seed")
    shutil.rmtree(music)
    if publish:
        fonoteca("--archive", root, "--quiet", "publish")
    return root
