"""The demo's script: real commands, run one after the other in this process, on music rendered here."""

from __future__ import annotations

import io
import json
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fonoteca.cli.context import Context
from fonoteca.cli.demo.collection import claims_csv, listens_csv, pieces, write_audio
from fonoteca.core import durable
from fonoteca.core.errors import ExitCode, Failed, Usage
from fonoteca.core.layout import ARCHIVE_FILE, ArchiveLayout
from fonoteca.core.progress import Unit
from fonoteca.core.sizes import show_size

_SETTINGS = b"""# The demo's own settings: small packs and pieces for a small collection.
[publish]
name = "fonoteca demo"
piece_length = "64KiB"
pack_size = "8MiB"
"""
_MAPPING = b"""# How to read listens.csv: each row is a count for a recording that the source "folder" describes.
about = "signals"
dataset = "demo-listens"
licence = "CC0-1.0"
source = "folder"
signal_licence = "CC0-1.0"
synthetic = true

[columns]
recording = "recording"

[signals]
listens = "listens"
"""

_VERIFIED = ("verify", "verify-mirror")


@dataclass
class _Story:
    """What the demo has done so far, for its summary."""

    context: Context
    root: Path
    results: dict[str, dict[str, Any]] = field(default_factory=dict)

    def command(self, name: str, *words: str | Path, archive: Path | None = None) -> dict[str, Any]:
        """Run one command with ``--json`` and keep its result; anything but success ends the demo."""
        from fonoteca.cli.main import run

        typed = ["--archive", str(archive or self.root), *map(str, words)]
        self.say(f"$ fonoteca {' '.join(map(str, words))}")
        out = io.StringIO()
        env = replace(self.context.env, stdout=out, stderr=io.StringIO(), terminal=False)
        code = run([*typed, "--json"], env)
        lines = [json.loads(line) for line in out.getvalue().splitlines()]
        last: dict[str, Any] = lines[-1] if lines else {}
        if code != ExitCode.DONE:
            why = f"'{words[0]}' ended with {code}: {last.get('why', last)}"
            raise Failed("demo-failed", "The demo stopped", why,
                         "remove the folder and try again; if it fails again, report it", str(self.root))  # fmt: skip
        self.results[name] = last
        return last

    def say(self, line: str) -> None:
        """A line for a person."""
        if not (self.context.json or self.context.quiet):
            self.context.env.stderr.write(line + "\n")
            self.context.env.stderr.flush()


def show(context: Context, root: Path, *, stay: bool) -> ExitCode:
    """From nothing to a served, mirrored and verified archive.

    Args:
        root: the demo's folder; it becomes an archive, with ``music/`` and ``mirror/`` inside.
        stay: end on the open site instead of with a summary.
    """
    started = context.clock.monotonic()
    story = _Story(context, root)
    _make_archive(story)
    _make_music(story)
    _fill(story)
    story.command("publish", "publish")
    story.command("coverage", "coverage")
    with ExitStack() as serving:
        url = serving.enter_context(_site(story, stay=stay))
        _mirror(story, url)
        story.command("verify", "verify")
        story.command("verify-mirror", "verify", archive=root / "mirror")
        seconds = round(context.clock.monotonic() - started, 1)
        context.summary(_summary(story, url, seconds), _told(story, url, seconds, stay=stay))
        if stay:
            _stay(story, url)
    return ExitCode.DONE


def _make_archive(story: _Story) -> None:
    layout = ArchiveLayout(story.root)
    if layout.settings.is_file() and (story.root / "music").is_dir():
        return
    if story.root.is_dir() and any(story.root.iterdir()):
        raise Usage("demo-folder", "The demo was not built", f"{story.root} is not empty and holds no demo",
                    "name a new folder: fonoteca demo DIR", str(story.root))  # fmt: skip
    story.command("init", "init", story.root)
    durable.write_bytes(story.root / ARCHIVE_FILE, _SETTINGS)


def _make_music(story: _Story) -> None:
    music, collection = story.root / "music", pieces()
    story.say(f"rendering {len(collection)} public-domain tunes")
    story.context.progress.stage("rendering", len(collection), Unit.FILES)
    write_audio(music, collection, story.context.progress.advance)
    durable.write_bytes(music / "claims.csv", claims_csv(music, collection))
    durable.write_bytes(story.root / "listens.csv", listens_csv(collection))
    durable.write_bytes(story.root / "listens.toml", _MAPPING)


def _fill(story: _Story) -> None:
    music = story.root / "music"
    story.command("intake", "intake", music, "--claims", music / "claims.csv")
    story.command("ingest", "ingest", "table", story.root / "listens.csv", "--mapping", story.root / "listens.toml")
    story.command("rank", "rank")


@contextmanager
def _site(story: _Story, *, stay: bool) -> Iterator[str]:
    """The archive's site on loopback: what a mirror reads from, and what the visitor sees at the end."""
    from fonoteca.site.app import create_app
    from fonoteca.site.headers import LOOPBACK
    from fonoteca.site.server import running
    from fonoteca.site.shelf import SiteData

    story.command("index", "index")
    port = story.context.settings.number("serve.port") if stay else 0
    layout = ArchiveLayout(story.root)
    data = SiteData(layout.publication, layout.search, story.context.clock, "fonoteca demo", LOOPBACK)
    with running(create_app(data), "127.0.0.1", port) as url:
        yield url


def _mirror(story: _Story, url: str) -> None:
    from fonoteca.mirror.seed import Seeder

    mirror = story.root / "mirror"
    durable.make_folder(mirror)
    root = ArchiveLayout(story.root).publication.metadata / "1.root.json"
    story.command("mirror-add", "mirror", "add", url, "--root", root, archive=mirror)
    with Seeder(ArchiveLayout(story.root).publication, listen="127.0.0.1:0") as seeder:
        peer = f"127.0.0.1:{seeder.port}"
        words: Sequence[str] = ("mirror", "run", "--once", "--disk", "1GB", "--transport", "torrent", "--peer", peer)
        story.command("mirror", *words, archive=mirror)


def _summary(story: _Story, url: str, seconds: float) -> dict[str, Any]:
    done = story.results
    return {
        "archive": str(story.root), "mirror": str(story.root / "mirror"), "url": url, "seconds": seconds,
        "recordings": done["publish"]["recordings"], "bytes": done["publish"]["bytes"],
        "packs": done["publish"]["packs"], "torrents": done["publish"]["torrents"],
        "coverage": done["coverage"]["share"], "synthetic_listens": True,
        "mirrored": {"packs": done["mirror"]["packs"], "bytes": done["mirror"]["bytes"],
                     "verified": done["mirror"]["verified"], "over": "BitTorrent"},
        "verified": {"archive": done["verify"], "mirror": done["verify-mirror"]},
    }  # fmt: skip


def _told(story: _Story, url: str, seconds: float, *, stay: bool) -> list[str]:
    done = story.results
    audio = show_size(done["publish"]["bytes"]["audio"])
    checked = [f"{done[name]['checked']} objects, {done[name]['damaged']} damaged" for name in _VERIFIED]
    lines = [
        "",
        f"  {done['publish']['recordings']} recordings published in {seconds} s: {audio} of audio, signed",
        f"  mirrored over BitTorrent: {show_size(done['mirror']['bytes']['fetched'])} fetched, all re-hashed",
        f"  verified: {checked[0]}; in the mirror {checked[1]}",
        f"  archive: {story.root}",
        f"  mirror:  {story.root / 'mirror'}",
        "  (the listens are made up by a seed, and marked so)",
        "",
    ]
    return [*lines, f"  the site is open: {url}   (Ctrl-C ends it)" if stay else
            f"  see it: fonoteca --archive {story.root} serve"]  # fmt: skip


def _stay(story: _Story, url: str) -> None:
    webbrowser.open(url)
    try:
        while True:
            story.context.clock.sleep(1)
    except KeyboardInterrupt:
        story.say("the site is closed; the archive stays")
