"""One root for all errors, and the exit code that each kind of trouble gives.

Three kinds of trouble stay apart: a caller's mistake is a built-in error (``ValueError``, ``TypeError``),
bad data and failed transport are a :class:`FonotecaError`. An error says what happened, why, and what to
do next; ``codes.toml`` holds the list of codes, and a test fails on a code that is not in it.
"""

from __future__ import annotations

import enum
from typing import ClassVar


class ExitCode(enum.IntEnum):
    """The process exit codes of the command contract (docs/reference/exit-codes.md)."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED_RECORDS = 3
    DAMAGE = 4
    RIGHTS = 5
    NO_ARCHIVE = 10
    LOCKED = 11
    TRUST = 12
    SPACE = 13
    NETWORK = 14
    INTERRUPTED = 130


class FonotecaError(Exception):
    """Something that a user can understand and act on. Never shown as a traceback.

    Attributes:
        code: stable, kebab-case, listed in ``codes.toml``.
        what: one sentence: what did not happen.
        why: one sentence: the cause, with the offending values.
        remedy: one sentence: what to do next, a command where there is one.
        subject: the path, id, URL or field that it is about (or None).
    """

    exit: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(self, code: str, what: str, why: str, remedy: str, subject: str | None = None) -> None:
        super().__init__(f"{what}: {why}. {remedy}")
        self.code = code
        self.what = what
        self.why = why
        self.remedy = remedy
        self.subject = subject

    def as_json(self) -> dict[str, object]:
        """The one error shape of the command line and of the site."""
        return {
            "message_type": "error",
            "code": self.code,
            "exit": int(self.exit),
            "what": self.what,
            "why": self.why,
            "remedy": self.remedy,
            "subject": self.subject,
        }


class Failed(FonotecaError):
    """The work could not be done (exit 1)."""


class Usage(FonotecaError):
    """A wrong argument, setting or input file named on the command line (exit 2)."""

    exit = ExitCode.USAGE


class Damaged(FonotecaError):
    """Stored bytes are not what was promised, and the work cannot go on without them (exit 4)."""

    exit = ExitCode.DAMAGE


class RightsRefused(FonotecaError):
    """The rights gate said no (exit 5)."""

    exit = ExitCode.RIGHTS


class NoArchive(FonotecaError):
    """There is no archive, publication or mirror here (exit 10)."""

    exit = ExitCode.NO_ARCHIVE


class Locked(FonotecaError):
    """Another process is writing (exit 11)."""

    exit = ExitCode.LOCKED


class TrustFailed(FonotecaError):
    """A signature, rollback, freeze or other failed check of signed metadata (exit 12)."""

    exit = ExitCode.TRUST


class NoSpace(FonotecaError):
    """No space on the disk, or more than the budget (exit 13)."""

    exit = ExitCode.SPACE


class NetworkFailed(FonotecaError):
    """The other end could not be reached or did not keep to the protocol (exit 14)."""

    exit = ExitCode.NETWORK
