"""What the engine says when it cannot go on, as errors that say what to do."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from fonoteca.core.errors import Damaged, Failed, FonotecaError, NoSpace

_OURS = re.compile(r"[^\s\"']*/catalogue/files/[0-9a-f]{64}\.\w+")
"""The engine names the file that it could not read, and the files of a catalogue are named so."""
_FULL = ("No space left", "Disk quota", "File too large")


def damaged(error: BaseException) -> Damaged | None:
    """The error for a file of the catalogue that is missing or cannot be read; None where it is not about one."""
    found = _OURS.search(str(error))
    if found is None:
        return None
    return Damaged("catalogue-damaged", "The catalogue could not be read", _first_line(error),
                   "'fonoteca verify' lists what is damaged, and how to mend it; where many files are gone, "
                   "delete the folder catalogue/ and ingest all dumps again: they give the same catalogue",
                   found[0])  # fmt: skip


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Questions to a catalogue.

    Raises:
        Damaged: ``catalogue-damaged``: a file is missing, or is not what it was.
        Failed: ``too-little-memory``.
    """
    import duckdb

    try:
        yield
    except (MemoryError, duckdb.OutOfMemoryException) as error:
        raise _out_of_room("the question", error, "ask for less at a time, or raise catalogue.memory") from error
    except duckdb.Error as error:
        found = damaged(error)
        if found is None:
            raise
        raise found from error


@contextlib.contextmanager
def ingesting(names: str) -> Iterator[None]:
    """The work on a dump.

    Args:
        names: the dump's files, for the sentence.

    Raises:
        NoSpace, Failed, Damaged: what was finished is kept, and the same command goes on.
    """
    import duckdb

    try:
        yield
    except (MemoryError, duckdb.OutOfMemoryException) as error:
        remedy = "raise catalogue.memory, then run the same command again: it goes on where it was"
        raise _out_of_room(names, error, remedy) from error
    except RuntimeError as error:
        if "start new thread" not in str(error):  # there is no memory for its stack
            raise
        remedy = "give it more memory, or lower catalogue.threads; then run the same command again"
        raise _out_of_room(names, error, remedy) from error
    except duckdb.Error as error:
        told = _of_files(names, error)
        if told is None:
            raise
        raise told from error


def _of_files(names: str, error: Exception) -> FonotecaError | None:
    import duckdb

    why = f"{names}: {_first_line(error)}"
    if any(words in why for words in _FULL):
        return _full(why, names)
    found = damaged(error)
    if found is None and isinstance(error, duckdb.IOException):
        return Failed("io-error", "The dump could not be read", why,
                      "check the disk; then run the same command again", names)  # fmt: skip
    return found


def _out_of_room(names: str, error: BaseException, remedy: str) -> FonotecaError:
    why = f"{names}: {_first_line(error)}"
    if "temp_directory" in why or "temp directory" in why.lower() or "disk" in why.lower():
        return _full(why, names)
    return Failed("too-little-memory", "There was too little memory", why, remedy, names)


def _full(why: str, names: str) -> NoSpace:
    return NoSpace("no-space", "The catalogue could not be written", why,
                   "free some space, then run the same command again: it goes on where it was", names)  # fmt: skip


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", maxsplit=1)[0] or type(error).__name__
