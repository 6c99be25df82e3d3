"""The way in: reads the words, finds the command, gives errors their one shape and their exit code."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from fonoteca import __version__
from fonoteca.cli.context import Context, clean, typed_path
from fonoteca.cli.env import Env
from fonoteca.core.errors import ExitCode, Failed, FonotecaError, Usage

COMMANDS: tuple[str, ...] = (
    "demo", "init", "sources", "ingest", "intake", "rank", "coverage", "rights", "publish", "keys",
    "verify", "repair", "mirror", "index", "search", "show", "sql", "export", "serve", "config", "doctor",
)  # fmt: skip
"""Each is a module of ``fonoteca.cli.commands`` with ``HELP``, ``EXAMPLES``, ``arguments`` and ``run``."""
_PLAIN = {"--json", "--quiet", "--verbose", "--version"}


class _Parser(argparse.ArgumentParser):
    """argparse, with its complaints as a :class:`Usage` error."""

    def error(self, message: str) -> NoReturn:
        raise Usage("bad-arguments", "The command was not understood", message,
                    f"'{self.prog} --help' shows what it takes", self.prog)  # fmt: skip


def _common(*, top: bool) -> _Parser:
    """The flags that stand before or behind the command's name."""
    default: Any = None if top else argparse.SUPPRESS
    off: Any = False if top else argparse.SUPPRESS
    common = _Parser(add_help=False)
    common.add_argument("--archive", metavar="DIR", default=default,
                        help="the archive or mirror folder (FONOTECA_ARCHIVE; else the current folder)")  # fmt: skip
    common.add_argument("--json", action="store_true", default=off, help="results as JSON on stdout")
    common.add_argument("--quiet", action="store_true", default=off, help="no progress and no messages")
    common.add_argument("--verbose", action="store_true", default=off, help="say more")
    return common


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"fonoteca.cli.commands.{name}")


def build_parser(listed: Collection[str] = COMMANDS, whole: Collection[str] = COMMANDS) -> argparse.ArgumentParser:
    """The whole grammar. Also read by the docs generator and by the tests that walk all commands.

    Args:
        listed: commands that there are.
        whole: those of them whose own words are needed: each costs time at the start.
    """
    parser = _Parser(prog="fonoteca", parents=[_common(top=True)],
                     description="A fully open preservation archive for music that anyone can mirror.")  # fmt: skip
    parser.add_argument("--version", action="version", version=f"fonoteca {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    below = _common(top=False)
    for name in listed:
        module = _module(name)
        if name not in whole:
            commands.add_parser(name, help=module.HELP, add_help=False)
            continue
        examples = "\n".join(f"  {line}" for line in module.EXAMPLES)
        sub = commands.add_parser(name, help=module.HELP, description=module.HELP, parents=[below],
                                  epilog=f"examples:\n{examples}",
                                  formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
        module.arguments(sub)
        for group in _groups(sub):
            _add_common(group)
    return parser


def parser_for(argv: Sequence[str]) -> argparse.ArgumentParser:
    """As much of the grammar as these words need."""
    words = iter(argv)
    for word in words:
        if word == "--archive":
            next(words, None)
        elif word in {"-h", "--help"}:
            return build_parser(whole=())
        elif word in COMMANDS:
            return build_parser([word], [word])
        elif word not in _PLAIN and not word.startswith("--archive="):
            return build_parser()  # perhaps an abbreviation, perhaps a mistake, which shows what there is
    return build_parser((), ())


def _groups(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    found: list[argparse.ArgumentParser] = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found += list(action.choices.values())
    return found


def _add_common(parser: argparse.ArgumentParser) -> None:
    for action in _common(top=False)._actions:
        parser._add_action(action)


def _context(env: Env, args: argparse.Namespace) -> Context:
    from fonoteca.cli.progress import face
    from fonoteca.cli.settings import gather

    named = args.archive or env.variables.get("FONOTECA_ARCHIVE") or "."
    root = typed_path(env.cwd, named)
    flags = getattr(_module(args.command), "SETTINGS", {})
    settings = gather(env, root, {name: getattr(args, flag, None) for flag, name in flags.items()})
    progress = face(env.stdout, env.stderr, env.clock, as_json=args.json, quiet=args.quiet, terminal=env.terminal)
    return Context(env, root, settings, progress, args.command, args.json, args.quiet, args.verbose)


def _check_words(argv: Sequence[str]) -> None:
    """No system hands over such words, but a program that calls us may: they name no file and are in no table."""
    for word in argv:
        try:
            good = "\0" not in word and bool(word.encode("utf-8", "surrogateescape") or True)
        except UnicodeEncodeError:
            good = False
        if not good:
            raise Usage("bad-arguments", "The command was not understood", f"{word!r} is no text",
                        "leave out the NUL, or half a surrogate pair, that is in it", repr(word))  # fmt: skip


def _tell(env: Env, error: FonotecaError, as_json: bool) -> int:
    if as_json:
        import json

        env.stdout.write(json.dumps(error.as_json(), ensure_ascii=False) + "\n")
        env.stdout.flush()
    env.stderr.write(clean(f"error: {error.what}: {error.why}") + "\n" + clean(f"  {error.remedy}") + "\n")
    return int(error.exit)


def run(argv: Sequence[str], env: Env) -> int:
    """One command, from its words to its exit code. Nothing that a user can cause leaves as a traceback."""
    as_json = "--json" in argv
    try:
        _check_words(argv)
        args = parser_for(argv).parse_args(argv)
        as_json = args.json
        context = _context(env, args)
        try:
            return int(_module(args.command).run(context, args))
        finally:
            if hasattr(context.progress, "close"):
                context.progress.close()
    except FonotecaError as error:
        return _tell(env, error, as_json)
    except KeyboardInterrupt:
        stopped = Failed("interrupted", "Stopped", "the run was interrupted; what was finished is kept",
                         f"continue with: fonoteca {' '.join(argv)}")  # fmt: skip
        _tell(env, stopped, as_json)
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        return int(ExitCode.FAILED)
    except ModuleNotFoundError as error:
        return _tell(env, _missing_extra(error), as_json)
    except MemoryError:
        return _tell(env, _no_memory(), as_json)
    except OSError as error:
        from fonoteca.core.durable import translate_os_error

        where = Path(error.filename) if isinstance(error.filename, str) else env.cwd
        return _tell(env, translate_os_error(error, where, "The command could not go on"), as_json)


def _no_memory() -> FonotecaError:
    return Failed("too-little-memory", "The command could not go on", "the system gave it no more memory",
                  "give it more, or lower catalogue.memory and the number of threads or workers")  # fmt: skip


def _missing_extra(error: ModuleNotFoundError) -> FonotecaError:
    name = (error.name or "").partition(".")[0]
    if name == "fonoteca":
        raise error
    return Failed("missing-extra", "A part of fonoteca is not installed", f"the library {name!r} is missing",
                  "install it with: pip install 'fonoteca[all]'", name)  # fmt: skip


def entry() -> NoReturn:
    """The ``fonoteca`` program."""
    env = Env.of_process()
    try:
        code = run(sys.argv[1:], env)
    except SystemExit as leaving:  # --help and --version
        code = int(leaving.code or 0)
    sys.exit(code)
