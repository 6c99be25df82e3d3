"""``fonoteca doctor``: what this machine or this archive lacks, each with the exact fix."""

from __future__ import annotations

import argparse

from fonoteca.cli.context import Context
from fonoteca.core.errors import ExitCode

HELP = "find what this machine and this archive lack, and name the exact fix"
EXAMPLES = ("fonoteca doctor", "fonoteca --json doctor")


def arguments(parser: argparse.ArgumentParser) -> None:
    """``doctor`` takes no arguments of its own."""


def run(context: Context, _args: argparse.Namespace) -> ExitCode:
    """Run all checks; exit 1 where one failed."""
    from fonoteca.cli.diagnosis import diagnose

    checks = diagnose(context.root, context.clock, context.settings)
    lines = [
        f"{'ok  ' if c.ok else 'FIX ' if c.needed else 'note'} {c.name}: {c.found}"
        + ("" if c.ok else f"\n       {c.fix}")
        for c in checks
    ]
    failed = any(c.needed and not c.ok for c in checks)
    context.result({"ok": not failed, "checks": [c.as_json() for c in checks]}, "\n".join(lines).splitlines())
    return ExitCode.FAILED if failed else ExitCode.DONE
