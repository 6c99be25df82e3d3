"""Words that several commands say: counts with their noun, and the next command to type."""

from __future__ import annotations

import shlex

from fonoteca.cli.context import Context


def counted(count: int, one: str, many: str = "") -> str:
    """``1 pack``, ``2 packs``, ``1,000 entries``: ``many`` is given where it is not just an s more."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def next_command(context: Context, words: str) -> str:
    """A command as it is to be typed in this folder for the archive or mirror of this run."""
    where = "" if context.root == context.env.cwd else f"--archive {shlex.quote(str(context.root))} "
    return f"fonoteca {where}{words}"
