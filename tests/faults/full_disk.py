"""Run by test_full_disk, inside a mount name space: one command on a small file system, at several fill levels."""

from __future__ import annotations

import faulthandler
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from cli.wrong_inputs.world import tree
from fonoteca.catalogue import room
from harness import fonoteca


def mount(place: Path, size: int) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)], check=True)


def used(place: Path) -> int:
    found = os.statvfs(place)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


def main(start: Path, place: Path, levels: int) -> None:
    """Tell, for each level: exit code, output, the tree after it, and that after the rerun with room."""
    words: list[str] = json.load(sys.stdin)
    plenty = 1 << 28

    def run() -> tuple[int, str, str]:
        ran = fonoteca("--archive", place / "work", *words, "--json", cwd=place)
        return ran.code, ran.stdout, ran.stderr

    told: list[dict[str, Any]] = []
    mount(place, plenty)
    shutil.copytree(start, place / "work")
    before, at_first = tree(place / "work"), used(place)
    assert run()[0] in {0, 3}
    clean, growth = tree(place / "work"), used(place) - at_first
    subprocess.run(["umount", str(place)], check=True)
    for level in range(levels):
        mount(place, plenty)
        shutil.copytree(start, place / "work")
        given = used(place) + growth * level // levels
        subprocess.run(["mount", "-o", f"remount,size={max(given, 4096)}", str(place)], check=True)
        first, left = run(), tree(place / "work")
        subprocess.run(["mount", "-o", f"remount,size={plenty}", str(place)], check=True)
        told.append(
            {
                "first": first,
                "left": left,
                "again": first if first[0] in {0, 3} else run(),
                "after": tree(place / "work"),
            }
        )
        subprocess.run(["umount", str(place)], check=True)
    print(json.dumps({"before": before, "clean": clean, "growth": growth, "levels": told}))


if __name__ == "__main__":
    # A command that hangs says where, instead of only running out of time.
    faulthandler.dump_traceback_later(300, exit=True)
    if sys.argv[4:] == ["unasked"]:
        # As where somebody else fills the disk once the space was asked for.
        room.ask = lambda *_: None  # type: ignore[assignment]
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
