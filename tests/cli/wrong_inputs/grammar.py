"""Every command, sub-command and argument, read from the parsers themselves."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

from fonoteca.cli.main import build_parser

COMMON = {"help", "archive", "json", "quiet", "verbose"}


@dataclass(frozen=True)
class Argument:
    """One argument of a command. ``flag``: None for a word that stands by its place."""

    dest: str
    flag: str | None
    kind: str
    required: bool


@dataclass(frozen=True)
class Leaf:
    """A command, or the sub-command of one."""

    words: tuple[str, ...]
    arguments: tuple[Argument, ...]
    plans: bool

    @property
    def name(self) -> str:
        return " ".join(self.words)


def _argument(action: argparse.Action) -> Argument:
    kind = str(action.metavar or ("CHOICE" if action.choices else "N" if action.type is int else action.dest.upper()))
    flag = action.option_strings[-1] if action.option_strings else None
    return Argument(action.dest, flag, kind, action.required)


def _leaves(parser: argparse.ArgumentParser, words: tuple[str, ...]) -> Iterator[Leaf]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield from _leaves(below, (*words, name))
            return
    own = [a for a in parser._actions if a.dest not in COMMON]
    takes = tuple(_argument(a) for a in own if a.nargs != 0)
    yield Leaf(words, takes, any(a.dest == "plan" and a.nargs == 0 for a in own))


LEAVES = {leaf.name: leaf for leaf in _leaves(build_parser(), ())}
