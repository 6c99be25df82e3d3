"""A small archive of real audio files, made by the commands themselves; copied, so that each test has its own."""

from __future__ import annotations

import array
import atexit
import functools
import hashlib
import math
import random
import shutil
import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path

from fonoteca.core.clock import Clock
from harness import ok

SETTINGS = """[publish]
pack_size = "40kB"
volume_size = "400kB"
piece_length = 16384
base_url = "http://127.0.0.1:8000"
trackers = ["http://127.0.0.1:8001/announce"]
[intake]
workers = 1
"""
LICENCES = ("CC0-1.0", "CC-BY-4.0", "CC-BY-NC-4.0", "CC0-1.0")
COUNT = 12


def write_tone(path: Path, seed: int, samples: int = 3_000) -> None:
    """A short WAV file that is like no other: noise under a tone, so that no 64 bytes of it occur elsewhere."""
    dice = random.Random(seed)
    tone = 200 + 37 * seed
    values = [
        int(9_000 * math.sin(tone * i / 8_000) + dice.randrange(-6_000, 6_000)) for i in range(samples + 400 * seed)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(array.array("h", values).tobytes())


def write_music(folder: Path, numbers: Sequence[int] = range(COUNT)) -> None:
    """Files and their claims.csv. Number n has the licence n modulo the licences; titles in several scripts."""
    titles = ("Dawn", "Рассвет", "夜明け", "الفجر", "Aube: première", "../étude?")
    rows = ["file,title,artist,release,track,licence,licence_url,evidence,source"]
    for n in numbers:
        write_tone(folder / f"{n:02d}.wav", n)
        rows.append(f"{n:02d}.wav,{titles[n % 6]} {n},Artist {n % 3},Album {n % 2},{n + 1},{LICENCES[n % 4]},,"
                    f"stated in the file list,example/music")  # fmt: skip
    (folder / "claims.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def write_listens(folder: Path, numbers: Sequence[int] = range(COUNT)) -> None:
    """A table of listens for two of three recordings, by the blobs' digests, which are their keys."""
    rows = ["key,listens"]
    for n in numbers:
        if n % 3:
            digest = hashlib.sha256((folder / f"{n:02d}.wav").read_bytes()).hexdigest()
            rows.append(f"{digest},{(n * n * 10) % 97 + 1}")
    (folder / "listens.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "listens.toml").write_text(
        'dataset = "listens"\nabout = "signals"\nsource = "folder"\nlicence = "CC0-1.0"\nsignal_licence = "CC0-1.0"\n'
        'synthetic = true\n[columns]\nrecording = "key"\n[signals]\nlistens = "listens"\n',
        encoding="utf-8",
    )  # fmt: skip


@functools.cache
def template() -> Path:
    """An archive with music and listens taken in, nothing published yet. Lives as long as the test process."""
    home = Path(tempfile.mkdtemp(prefix="fonoteca-test-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    write_music(home / "music")
    write_listens(home / "music")
    new_archive(home / "archive", home)
    take_in(home / "archive", home / "music")
    return home


def new_archive(root: Path, cwd: Path) -> None:
    """An empty archive with small packs."""
    ok("init", root, cwd=cwd)
    (root / "fonoteca.toml").write_text(SETTINGS, encoding="utf-8")


def take_in(root: Path, music: Path, clock: Clock | None = None) -> None:
    """Intake and listens."""
    files = sorted(music.glob("*.wav"))
    ok("--archive", root, "intake", *files, "--claims", music / "claims.csv", cwd=music, clock=clock)
    if (music / "listens.csv").exists():
        ok("--archive", root, "ingest", "table", music / "listens.csv", "--mapping", music / "listens.toml", cwd=music)
        ok("--archive", root, "rank", cwd=music)


def fresh(folder: Path) -> Path:
    """A copy of the template: (folder)/archive, with (folder)/music beside it."""
    shutil.copytree(template(), folder, dirs_exist_ok=True)
    return folder / "archive"


def tree(*folders: Path) -> dict[str, str]:
    """Path → SHA-256 of every file below the folders, names relative to each folder's parent."""
    return {
        p.relative_to(folder.parent).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for folder in folders
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }
