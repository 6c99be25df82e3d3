"""Numbers on the command line that have a range."""

from __future__ import annotations

import argparse

from fonoteca.core.settings import AT_ONCE


def at_once(text: str) -> int:
    """How many threads may work at once, for argparse's ``type``."""
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) in AT_ONCE):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {AT_ONCE.start} to {AT_ONCE.stop - 1}")
    return int(text)


MILLION = 1_000_000


def at_most_a_million(text: str) -> int:
    """How many rows are listed, for argparse's ``type``."""
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 0 < int(text) <= MILLION):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to {MILLION}")
    return int(text)
