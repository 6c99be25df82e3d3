"""P9: a mirror's run over loopback, re-verified, beside bare libtorrent, aria2 and curl."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.figure import Figure, Target
from benchmarks.harness import Job, Result, Side, compare, disk
from benchmarks.workbench import ROOT, Setup, fonoteca, make_archive, side

_LOADED = "pyarrow.compute,pyarrow.parquet,tuf.api.metadata,fonoteca.cli.commands.mirror,fonoteca.mirror.run"
LIBTORRENT, ARIA2, CURL = "libtorrent, tuned", "aria2, v1", "curl, 2 at once"
CHECKED = "curl, then openssl SHA-256, 2 at once"


def measure(setup: Setup) -> list[Figure]:
    """Mirror a publication of noise, whole, into an empty folder, each time."""
    publication = make_archive(setup, publish=True) / "publication"
    packs = sorted((publication / "packs").glob("*/*.tar"))
    total = sum(path.stat().st_size for path in packs)
    home = setup.folder / "mirrored"
    with ExitStack() as stack:
        [web] = stack.enter_context(_serving(side("server", publication, 0)))
        peer, tracker = stack.enter_context(_serving(side("seeder", publication)))
        url = f"http://127.0.0.1:{web}/"
        names = [path.name for path in packs]
        own = [
            _mirror(home, url, publication, names, "http"),
            _mirror(home, url, publication, names, "torrent", "--peer", f"127.0.0.1:{peer}"),
        ]
        peers = [_libtorrent(home, publication, names, peer), *_aria2(home, publication, names, tracker),
                 *_curl(home, url, publication, packs)]  # fmt: skip
        results = compare([*own, *peers], setup.repeats, setup.seed, setup.told)
    return _figures(results, total, disk(home))


@contextmanager
def _serving(argv: tuple[str, ...]) -> Iterator[list[int]]:
    """A server process; gives the ports that it tells."""
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield [int(port) for port in process.stdout.readline().split()]
        finally:
            process.terminate()


def _all_there(home: Path, names: list[str]) -> Callable[[], None]:
    def check() -> None:
        missing = set(names) - {path.name for path in home.rglob("*.tar")}
        if missing:
            raise RuntimeError(f"{len(missing)} packs did not come: {min(missing)}")

    return check


def _clear(home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)


def _mirror(home: Path, url: str, publication: Path, names: list[str], way: str, *more: str) -> Side:
    words = ("--archive", home, "--quiet", "mirror", "run", "--once", "--disk", "1TB", "--transport", way, *more)

    def before() -> None:
        _clear(home)
        fonoteca("--archive", home, "mirror", "add", url, "--root", publication / "metadata" / "1.root.json")

    job = Job(side("command", _LOADED, "0", *words), speaks=True)
    return Side(f"mirror run, {way}", (job,), before, _all_there(home, names))


def _libtorrent(home: Path, publication: Path, names: list[str], peer: int) -> Side:
    volumes = sorted(path.name for path in (publication / "packs").iterdir())
    torrents = [publication / "torrents" / f"{name}.torrent" for name in volumes]
    job = Job(side("leecher", home, peer, *torrents), speaks=True)
    return Side(LIBTORRENT, (job,), lambda: _clear(home), _all_there(home, names))


def _aria2(home: Path, publication: Path, names: list[str], tracker: int) -> list[Side]:
    found = shutil.which("aria2c")
    twins = [publication / "torrents" / "v1" / f"{path.name}.torrent" for path in (publication / "packs").iterdir()]
    if found is None:
        return []
    words = (
        found, "--quiet", "--no-conf", f"--dir={home}", "--seed-time=0", "--file-allocation=none", "--enable-dht=false",
        "--bt-enable-lpd=false", "--enable-peer-exchange=false", f"--bt-tracker=http://127.0.0.1:{tracker}/announce",
        "--bt-max-peers=8", "--disable-ipv6", *map(str, twins),
    )  # fmt: skip
    return [Side(ARIA2, (Job(words),), lambda: _clear(home), _all_there(home, names))]


def _curl(home: Path, url: str, publication: Path, packs: list[Path]) -> list[Side]:
    found = shutil.which("curl")
    if found is None:
        return []
    words = [found, "--silent", "--fail", "--parallel", "--parallel-max", "2"]
    for pack in packs:
        words += ["-o", str(home / pack.name), url + pack.relative_to(publication).as_posix()]
    check = _all_there(home, [pack.name for pack in packs])
    sides = [Side(CURL, (Job(tuple(words)),), lambda: _clear(home), check)]
    if shutil.which("openssl"):
        digest = f"printf '%s\\0' {shlex.quote(str(home))}/*.tar | xargs -0 -P 2 -n 4 openssl dgst -sha256 >/dev/null"
        job = Job(("sh", "-c", f"{shlex.join(words)} && {digest}"))
        sides.append(Side(CHECKED, (job,), lambda: _clear(home), check))
    return sides


def _figures(results: dict[str, Result], total: int, left: int) -> list[Figure]:
    pairs: list[tuple[str, str, Target | None]] = [
        ("torrent", LIBTORRENT, Target(0.9)), ("torrent", ARIA2, Target(0.9)), ("http", CURL, Target(0.8)),
        ("http", CHECKED, None),
    ]  # fmt: skip
    figures = []
    for way, peer, target in pairs:
        if peer in results:
            own, other = results[f"mirror run, {way}"], results[peer]
            figures.append(Figure("P9", f"mirror, {way}", peer, own.seconds, other.seconds, target, total, own.cpu,
                                  other.cpu, own.memory, other.memory, left, own.spread))  # fmt: skip
    return figures
