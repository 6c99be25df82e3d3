"""``fonoteca init``: a new archive: folders, commented settings, signing keys."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from fonoteca.cli.context import Context
from fonoteca.core.errors import ExitCode, Usage
from fonoteca.core.sizes import show_size

HELP = "create an archive: folders, settings, signing keys"
EXAMPLES = ("fonoteca init archive", "fonoteca init /srv/fonoteca --json")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    parser.add_argument("folder", metavar="DIR", help="a folder that is empty or not there yet")


def run(context: Context, args: argparse.Namespace) -> ExitCode:
    """Check the place, make everything, say what comes next."""
    from fonoteca.core import durable
    from fonoteca.core.layout import ArchiveLayout
    from fonoteca.core.lock import one_writer

    root = context.path(args.folder).absolute()
    layout = ArchiveLayout(root)
    _check_place(root)
    durable.make_folder(root)
    with one_writer(layout.lock, "fonoteca init"):
        for folder in (layout.dumps, layout.catalogue, layout.blobs, layout.holdings, layout.publication.root):
            durable.make_folder(folder)
        keys = _make_keys(layout.keys)
        # The settings come last: they make the folder an archive, and a run that was cut short can be repeated.
        durable.write_bytes(layout.settings, settings_text().encode("utf-8"))
    free = shutil.disk_usage(root).free
    policy = context.settings.text("policy.publish")
    value = {"archive": str(root), "free_bytes": free, "policy": policy, "keys": keys}
    context.result(value, _lines(root, free, policy))
    return ExitCode.DONE


def _check_place(root: Path) -> None:
    """A folder that is not there, is empty, or holds what an init that was cut short left."""
    from fonoteca.core.layout import ARCHIVE_FILE, MIRROR_FILE

    if not root.exists():
        return
    if not root.is_dir():
        raise Usage("folder-not-empty", "No archive was made", f"{root} is a file", "name a new folder", str(root))
    names = {p.name for p in root.iterdir()}
    if names & {ARCHIVE_FILE, MIRROR_FILE}:
        raise Usage("already-an-archive", "No archive was made", f"{root} is an archive or a mirror already",
                    f"use it with --archive {root}, or name a new folder", str(root))  # fmt: skip
    if names - {".lock", "dumps", "catalogue", "blobs", "holdings", "publication", "keys"}:
        raise Usage("folder-not-empty", "No archive was made", f"{root} holds {min(names)!r} and is not empty",
                    "name a new or empty folder", str(root))  # fmt: skip


def _make_keys(folder: Path) -> list[str]:
    from fonoteca.publish import keys

    keys.create(folder)
    return sorted(p.name for p in folder.iterdir())


def settings_text() -> str:
    """All settings with their defaults, commented out: what is written here changes only when somebody wants it."""
    from fonoteca.core.settings import TABLE

    lines = ["# Settings of this archive. A line that begins with # is the default.", ""]
    table = ""
    for setting in sorted(TABLE, key=lambda s: s.name.partition(".")[0]):
        group, _, name = setting.name.partition(".")
        if group == "mirror":
            continue
        if group != table:
            lines += [f"[{group}]"] if not table else ["", f"[{group}]"]
            table = group
        lines += [f"# {setting.help}", f"# {name} = {_toml(setting.default)}"]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return str(value)


def _lines(root: Path, free: int, policy: str) -> list[str]:
    words = {"all": "whatever permits redistribution, NC and ND in volumes of their own", "free": "no NC, no ND"}
    return [
        f"The archive is in {root}; its settings are in fonoteca.toml.",
        f"The disk has {show_size(free)} free.",
        f'It publishes {words.get(policy, policy)} (policy.publish = "{policy}").',
        "Its signing keys are in keys/: back them up now, and move keys/root.pem to a place that is offline.",
        f"Next: fonoteca --archive {root} intake FOLDER --claims CLAIMS.csv",
    ]
