"""P8: sealing packs and torrents, beside the limit of SHA-1 and SHA-256 on two cores, libtorrent, mktorrent, torf."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.figure import Figure, Target
from benchmarks.harness import Job, Result, Side, compare, disk
from benchmarks.sides.sealing import PIECE, VOLUMES, volume_of
from benchmarks.workbench import Setup, make_blobs, side

OWN, SHA1, SHA256 = "fonoteca", "SHA-1 limit", "SHA-256 limit"


def measure(setup: Setup) -> list[Figure]:
    """Seal random blobs from memory into new packs; peers make torrents of packs that are there."""
    blobs, kept = make_blobs(setup), setup.empty("kept")
    prepared = Side("prepare", (_own(setup, blobs, kept),))
    compare([prepared], 1, setup.seed, lambda _: None)
    packs = sorted((kept / "packs").glob("*/*.tar"))
    total = sum(path.stat().st_size for path in packs)
    sides = [_sealing(setup, blobs, len(packs)), *_limits(total), *_peers(setup, kept)]
    results = compare(sides, setup.repeats, setup.seed, setup.told)
    left = disk(setup.folder / "sealed")
    shutil.rmtree(blobs)
    return _figures(results, total, left)


def _own(setup: Setup, blobs: Path, home: Path) -> Job:
    return Job(side("sealing", blobs, home, setup.bytes // 16), speaks=True)


def _sealing(setup: Setup, blobs: Path, count: int) -> Side:
    home = setup.folder / "sealed"

    def whole() -> None:
        if len(list((home / "packs").glob("*/*.tar"))) != count:
            raise RuntimeError("not all packs were sealed")

    return Side(OWN, (_own(setup, blobs, home),), lambda: shutil.rmtree(home, ignore_errors=True), whole)


def _limits(total: int) -> list[Side]:
    """Both cores hash all bytes once by one function; the limit is the sum of the times of both functions."""
    hashes = ((SHA1, "sha1"), (SHA256, "sha256"))
    return [
        Side(name, (Job(side("hashing", algorithm, total // 2), speaks=True),) * 2) for name, algorithm in hashes
    ]  # fmt: skip


def _peers(setup: Setup, kept: Path) -> list[Side]:
    out = setup.empty("torrents")
    volumes = [folder for n in range(VOLUMES) if (folder := kept / "packs" / volume_of(n)).is_dir()]
    jobs = tuple(Job(side("libtorrent_make", v, PIECE, out / f"{v.name}.torrent"), speaks=True) for v in volumes)
    sides = [Side("libtorrent hybrid, 2 processes", jobs)]
    if found := shutil.which("mktorrent"):
        made = out / "mktorrent.torrent"
        words = (found, "-l", str(PIECE.bit_length() - 1), "-t", "2", "-a", "http://127.0.0.1/", "-o", str(made))
        sides.append(Side("mktorrent v1, 2 threads", (Job((*words, str(kept / "packs"))),),
                          lambda: made.unlink(missing_ok=True)))  # fmt: skip
    if setup.peers:
        script = Path(__file__).parent / "sides" / "torf_make.py"
        job = Job((setup.peers, str(script), str(kept / "packs"), str(PIECE), str(out / "torf.torrent")), speaks=True)
        sides.append(Side("torf v1, 2 threads", (job,)))
    return sides


def _figures(results: dict[str, Result], total: int, left: int) -> list[Figure]:
    own = results.pop(OWN)
    sha1, sha256 = results.pop(SHA1), results.pop(SHA256)

    def figure(beside: str, seconds: float, cpu: float, memory: int, target: Target | None) -> Figure:
        return Figure("P8", "sealing", beside, own.seconds, seconds, target, total, own.cpu, cpu, own.memory, memory,
                      left, own.spread)  # fmt: skip

    limit = figure("limit: SHA-1 and SHA-256, 2 cores", sha1.seconds + sha256.seconds, sha1.cpu + sha256.cpu, 0,
                   Target(0.8))  # fmt: skip
    targets = {"libtorrent hybrid, 2 processes": Target(1.0)}
    return [limit] + [figure(n, r.seconds, r.cpu, r.memory, targets.get(n)) for n, r in results.items()]
