"""What a figure was measured on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import ssl
import subprocess
from pathlib import Path

LIBRARIES = ("fonoteca", "libtorrent", "blake3", "av", "mutagen", "duckdb", "pyarrow", "uvicorn", "urllib3")
PROGRAMS = {"mktorrent": "-h", "aria2c": "--version", "curl": "--version", "openssl": "version"}


def facts() -> list[str]:
    """Machine, versions and load, one line each."""
    return [
        f"{_cpu()}, {os.cpu_count()} cores, {_memory():.0f} GiB of memory, Linux {platform.release()}",
        f"Python {platform.python_version()}, {ssl.OPENSSL_VERSION}, {', '.join(_libraries())}",
        "; ".join(_programs()),
        f"load average at the start {load()}",
    ]


def load() -> str:
    """Of the last minute, five, fifteen."""
    return ", ".join(f"{value:.2f}" for value in os.getloadavg())


def _cpu() -> str:
    text = Path("/proc/cpuinfo").read_text()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "").split()
    return (names or [platform.machine()])[0] + "".join(f", {f}" for f in ("sha_ni", "avx2", "avx512f") if f in flags)


def _memory() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30


def _libraries() -> list[str]:
    found = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _programs() -> list[str]:
    found = []
    for name, flag in PROGRAMS.items():
        path = shutil.which(name)
        if path is None:
            found.append(f"{name} is not there")
            continue
        ran = subprocess.run([path, flag], check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        said = (ran.stdout + ran.stderr).strip().splitlines()
        found.append(next((line.strip() for line in said if any(c.isdigit() for c in line)), name)[:60])
    return found
