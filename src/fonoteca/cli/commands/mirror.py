"""``fonoteca mirror``: a partial, always verified copy of a publication, under a disk budget."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fonoteca.cli.context import Context
from fonoteca.cli.words import counted, next_command
from fonoteca.core.errors import ExitCode, Usage
from fonoteca.core.sizes import show_size

if TYPE_CHECKING:
    from fonoteca.mirror.courier import Options
    from fonoteca.mirror.run import Mirror, Summary
    from fonoteca.mirror.shortfall import Shortfall

HELP = "keep a verified, possibly partial copy of a publication under a disk budget"
EXAMPLES = (
    "fonoteca --archive ~/mirror mirror add https://archive.example/publication --root root.json",
    "fonoteca --archive ~/mirror mirror run --disk 2TB --once",
)
SETTINGS = {"disk": "mirror.disk", "transport": "mirror.transport", "listen": "mirror.listen"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The words of the command."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = _action(actions, "add", "make the folder a mirror of a publication")
    add.add_argument("url", metavar="URL", help="address of the publication")
    add.add_argument("--root", metavar="FILE", required=True, help="the publisher's root.json, got by another way")
    add.add_argument("--name", help="name of the publisher's folder under trust/ (default: from the address)")
    plan = _action(actions, "plan", "show what would be held under a budget")
    plan.add_argument("--disk", metavar="SIZE", help="disk budget, for example 2TB")
    run_ = _action(actions, "run", "fetch what is planned, then seed it and keep it up to date")
    run_.add_argument("--once", action="store_true", help="end when the plan is fulfilled")
    run_.add_argument("--disk", metavar="SIZE", help="disk budget (default: as planned last)")
    run_.add_argument("--transport", metavar="WAY", help="auto, torrent or http")
    run_.add_argument("--peer", metavar="HOST:PORT", action="append", default=[],
                      help="a peer to ask; may be given several times")  # fmt: skip
    run_.add_argument("--listen", metavar="HOST:PORT", help="address to seed on")
    _action(actions, "status", "show what is held, and how fresh its signatures are")


def _action(actions: argparse._SubParsersAction[Any], name: str, what: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
    return parser


def run(context: Context, args: argparse.Namespace) -> ExitCode:
    """Do one of add, plan, run and status."""
    if args.action == "add":
        return _add(context, args)
    if args.action == "run":
        return _run(context, args)
    return _plan(context) if args.action == "plan" else _status(context)


def _add(context: Context, args: argparse.Namespace) -> ExitCode:
    from fonoteca.core import durable
    from fonoteca.core.layout import MirrorLayout
    from fonoteca.core.lock import one_writer
    from fonoteca.mirror import publisher as publishers
    from fonoteca.mirror.run import Mirror

    path = context.path(args.root)
    try:
        root = path.read_bytes()
    except OSError as error:
        raise Usage("bad-root", "The publication was not added", f"{path}: {error.strerror}",
                    "name the publisher's root.json with --root", str(path)) from error  # fmt: skip
    layout = MirrorLayout(context.root)
    publishers.check_root(root, str(path))
    publishers.check_url(args.url)
    durable.make_folder(layout.root)
    with one_writer(layout.lock, "fonoteca mirror add"):
        publisher = publishers.prepare(layout, args.url, root, args.name)
        release = Mirror(layout, _UNLIMITED, context.clock, context.progress, publisher=publisher).refresh()
        moved_from = publishers.save(layout, publisher)
    edition = release.edition
    moved = [f"the publisher has moved: its address was {moved_from}; nothing else was changed"] if moved_from else []
    context.result(
        {"publisher": publisher.name, "url": publisher.url, "edition": edition.number, "moved_from": moved_from,
         "expires": release.expires.isoformat(), "totals": dict(edition.totals)},
        [f"{layout.root} mirrors {publisher.url}, edition {edition.number}", *moved,
         f"Next: {next_command(context, 'mirror plan --disk SIZE')}, then {next_command(context, 'mirror run')}"],
    )  # fmt: skip
    return ExitCode.DONE


_UNLIMITED = 1 << 62


def _mirror(context: Context, options: Options | None = None) -> Mirror:
    from fonoteca.mirror import state
    from fonoteca.mirror.run import Mirror

    layout = context.mirror()
    disk = context.settings.number("mirror.disk") or int(state.status(layout).get("disk", 0))
    if not disk:
        raise Usage("no-budget", "The mirror was not planned", "no disk budget is known",
                    "say how much space it may take, for example --disk 500GB", "mirror.disk")  # fmt: skip
    return Mirror(layout, disk, context.clock, context.progress, options)


def _lacks(context: Context, action: str, lacks: Shortfall) -> str:
    command = next_command(context, f"mirror {action} --disk {lacks.disk}")
    return (f"no pack fits: {counted(lacks.packs, 'pack is', 'packs are')} left out, the smallest has "
            f"{show_size(lacks.smallest)}; for that one: {command}")  # fmt: skip


def _plan(context: Context) -> ExitCode:
    from fonoteca.mirror import shortfall

    context.mirror()
    with context.writer():
        number, plan = _mirror(context).plan()
    space = f"{show_size(plan.bytes)} of {show_size(plan.budget)}"
    lines = [f"edition {number}: {space}, {_share(plan.coverage)}"]
    counts: dict[str, list[int]] = {}
    for pack in plan.packs:
        counts.setdefault(str(pack.action), []).append(pack.bytes)
    lines += [f"  {action}: {counted(len(sizes), 'pack')}, {show_size(sum(sizes))}" for action, sizes in counts.items()]
    lacks = shortfall.of_plan(plan)
    lines += [_lacks(context, "plan", lacks)] if lacks else []
    left_out = {"left_out": lacks.as_json()} if lacks else {}
    context.result({"edition": number} | plan.as_json() | left_out, lines)
    return ExitCode.DONE


def _run(context: Context, args: argparse.Namespace) -> ExitCode:
    context.mirror()
    mirror = _mirror(context, _options(context, args))
    with context.writer():
        if args.once:
            _tell(context, mirror.run())
        else:
            grace = timedelta(days=context.settings.number("mirror.grace_days"))
            mirror.keep_true(context.settings.text("mirror.listen"), grace, lambda done: _tell(context, done))
    return ExitCode.DONE


def _tell(context: Context, done: Summary) -> None:
    from fonoteca.mirror import shortfall

    held = f"{counted(done.packs, 'pack')} held and verified, {show_size(done.held)}, {_share(done.coverage)}"
    moved = f"fetched {show_size(done.fetched)}, kept {show_size(done.reused)}"
    lacks = shortfall.of_run(context.mirror(), done.edition) if not done.packs else None
    if lacks:
        context.progress.warn(_lacks(context, "run", lacks))
    left_out = {"left_out": lacks.as_json()} if lacks else {}
    context.summary(done.as_json() | left_out, [f"edition {done.edition}: {held}", moved])


def _share(coverage: float) -> str:
    return f"{coverage:.1%} of known listens" if coverage else "no known listens"


def _options(context: Context, args: argparse.Namespace) -> Options:
    from fonoteca.mirror.courier import TRANSPORTS, Options

    transport = context.settings.text("mirror.transport")
    if transport not in TRANSPORTS:
        raise Usage("bad-setting", "The mirror was not run", f"{transport!r} is no transport",
                    f"choose one of {', '.join(TRANSPORTS)}", "mirror.transport")  # fmt: skip
    _peer(context.settings.text("mirror.listen"), "--listen", lowest=0)
    return Options(transport=transport, peers=tuple(_peer(text) for text in args.peer))


def _peer(text: str, flag: str = "--peer", lowest: int = 1) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else -1
    if not host or not lowest <= number < 65536:
        raise Usage("bad-arguments", "The mirror was not run", f"{text!r} is no HOST:PORT",
                    f"write for example {flag} 127.0.0.1:6881", text)  # fmt: skip
    return host.strip("[]"), number


def _status(context: Context) -> ExitCode:
    from fonoteca.mirror.report import status

    grace = timedelta(days=context.settings.number("mirror.grace_days"))
    found = status(context.mirror(), context.clock.now(), grace)
    lines = [f"mirror of {found.url}"]
    if found.edition is None:
        lines.append(f"nothing is held yet: {next_command(context, 'mirror run --disk SIZE')}")
    else:
        lines.append(
            f"edition {found.edition}: {found.packs} of {counted(found.offered, 'pack')}, {_share(found.coverage)}"
        )
        lines.append(f"disk: {show_size(found.allocated)} of {show_size(found.budget)}")
    if found.stale_since:
        lines.append(f"stale since {found.stale_since}: the publisher's signatures have run out")
    if found.failure:
        lines.append(f"the last refresh failed: {found.failure}")
    context.result(found.as_json(), lines)
    return ExitCode.DONE
