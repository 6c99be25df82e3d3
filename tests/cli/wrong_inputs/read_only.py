"""Run by unshared.py, inside a mount name space: commands in a folder that nobody can write to."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from harness import fonoteca


def main(home: Path) -> None:
    """Mount, run, tell."""
    subprocess.run(["mount", "--bind", home, home], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", home], check=True)
    told = {}
    for name, archive, words in json.load(sys.stdin):
        ran = fonoteca("--archive", archive, *name.split(), *words, "--json", cwd=home)
        told[name] = (ran.code, ran.stdout, ran.stderr)
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
