"""``fonoteca rights``: the gate's verdict and its evidence, withdrawals and their reversal, what is withheld."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fonoteca.cli.context import Context
from fonoteca.cli.policy import publication_policy
from fonoteca.cli.words import counted
from fonoteca.core.errors import ExitCode

if TYPE_CHECKING:
    from fonoteca.formats.withdrawals import Withdrawal
    from fonoteca.rights.of_archive import Rights
    from fonoteca.rights.policy import Verdict

HELP = "explain verdicts with their evidence, withdraw and restore recordings, report what is withheld and why"
EXAMPLES = (
    "fonoteca rights explain isrc:ITJ040100240",
    'fonoteca rights withdraw fma:141 --reason "asked for by the rights holder"',
    'fonoteca rights restore fma:141 --reason "the request was withdrawn"',
    "fonoteca rights report --json",
)
_ID = "ours, or isrc:…, mbid:…, sha256:…, SOURCE:KEY; a release stands for all its recordings"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    explain = actions.add_parser(
        "explain",
        help="say whether it may be published, and why",
        description="Say whether it may be published, and why.",
    )
    explain.add_argument("id", metavar="ID", help=_ID)
    for name, what in (("withdraw", "withhold from the next publication on"), ("restore", "take a withdrawal back")):
        action = actions.add_parser(name, help=what, description=what.capitalize() + ".")
        action.add_argument("id", metavar="ID", help=_ID)
        action.add_argument("--reason", required=True, metavar="TEXT",
                            help="published for everybody to read: name no persons")  # fmt: skip
    actions.add_parser("report", help="list what is withheld and why", description="List what is withheld and why.")


def run(context: Context, args: argparse.Namespace) -> ExitCode:
    """One of the four actions."""
    actions: dict[str, Callable[[Context, argparse.Namespace], None]] = {
        "explain": _explain, "withdraw": _withdraw, "restore": _restore, "report": _report,
    }  # fmt: skip
    actions[args.action](context, args)
    return ExitCode.DONE


@contextmanager
def _opened(context: Context) -> Iterator[Rights]:
    from fonoteca.catalogue.engine import Engine
    from fonoteca.rights.of_archive import open_rights

    policy = publication_policy(context)
    with open_rights(context.archive(), policy, Engine.of(context.settings)) as rights:
        yield rights


def _explain(context: Context, args: argparse.Namespace) -> None:
    from fonoteca.rights.subjects import recordings_of

    with _opened(context) as rights:
        found = recordings_of(rights, args.id)
        gate = rights.gate(found)
        index = rights.claims(found)
        values = []
        for recording in found:
            verdicts = gate.explain(recording)
            claims = {c for v in verdicts for c in index.of(recording, v.blob)}
            about = {"claims": [c.as_json() for c in sorted(claims)], **_named(rights, recording)}
            values.append(_explained(verdicts) | about)
    version = rights.log.current().version
    value = values[0] | {"withdrawals_version": version}
    if len(values) > 1:
        value |= {"others": values[1:]}
    context.result(value, [line for v in values for line in _explained_lines(v)])


def _named(rights: Rights, recording: int) -> dict[str, str | None]:
    """Title and artist, from the catalogue, else from the holding."""
    if rights.catalogue is not None:
        rows = rights.catalogue.select("SELECT title, artist FROM recordings WHERE id = ?", [recording])
        if rows:
            return {"title": rows[0]["title"], "artist": rows[0]["artist"]}
    held = [h for h in rights.holdings.holdings() if h.recording == recording]
    return {"title": held[0].title or None, "artist": held[0].artist or None} if held else {}


def _explained(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The verdict on the holding that would be published first, and all others beside it."""
    first = next((v for v in verdicts if v.cleared), verdicts[0])
    return first.as_json() | {"held": bool(first.blob), "verdicts": [v.as_json() for v in verdicts]}


def _explained_lines(value: dict[str, Any]) -> list[str]:
    name = f"“{value.get('title') or 'untitled'}” by {value.get('artist') or 'unknown artist'}"
    lines = [f"{value['id']}  {name}: {value['state']}"]
    for reason in value["reasons"]:
        lines.append(f"  {reason['code']}: {reason['text']}")
        lines += [f"    {line}" for line in reason["evidence"]]
    permits = ", ".join(f"{name} {'yes' if yes else 'no'}" for name, yes in value["permits"].items())
    lines.append(f"  permits: {permits}")
    if not value["held"]:
        lines.append("  nothing is held of it, so there is nothing to publish")
    return lines


def _withdraw(context: Context, args: argparse.Namespace) -> None:
    def withdraw(rights: Rights, shown: str, blobs: list[str], date: str) -> Withdrawal:
        return rights.log.withdraw(shown, blobs, args.reason, date)

    entries, version = _write(context, args, withdraw)
    _tell(context, "withdrawn", entries, version)


def _restore(context: Context, args: argparse.Namespace) -> None:
    def restore(rights: Rights, shown: str, blobs: list[str], date: str) -> Withdrawal:
        return rights.log.restore(shown, blobs, args.reason, date)

    entries, version = _write(context, args, restore)
    _tell(context, "restored", entries, version)


def _write(
    context: Context, args: argparse.Namespace, act: Callable[[Rights, str, list[str], str], Withdrawal]
) -> tuple[list[Withdrawal], int]:
    from fonoteca.core.clock import rfc3339
    from fonoteca.core.ids import Kind, show_id
    from fonoteca.rights.subjects import recordings_of

    context.archive()
    with context.writer(), _opened(context) as rights:
        date = rfc3339(context.clock.now())
        found = {show_id(Kind.RECORDING, r): r for r in recordings_of(rights, args.id)}
        if args.action == "restore":
            # Of a release, only what is withdrawn; of a single recording, the refusal says what is wrong.
            force = rights.log.current().in_force()
            found = {shown: r for shown, r in found.items() if shown in force} or found
        held = rights.holdings.holdings()
        entries = [act(rights, shown, [h.blob for h in held if h.recording == r], date) for shown, r in found.items()]
        return entries, rights.log.current().version


def _tell(context: Context, done: str, entries: Sequence[Withdrawal], version: int) -> None:
    value = {"entries": [e.as_json() for e in entries], "version": version}
    lines = [f"{done}: {e.recording}, with {counted(len(e.blobs), 'held file')}" for e in entries]
    lines.append("Mirrors hear of it with the next 'fonoteca publish' or 'fonoteca publish --refresh'.")
    context.result(value, lines)


def _report(context: Context, args: argparse.Namespace) -> None:
    del args
    with _opened(context) as rights:
        verdicts = rights.gate().verdicts()
        current = rights.log.current()
        held = {(h.recording, h.blob): h for h in rights.holdings.holdings()}
        withheld = [
            {"id": v.shown_id, "blob": v.blob, "title": held[v.recording, v.blob].title or None,
             "artist": held[v.recording, v.blob].artist or None, "path": held[v.recording, v.blob].path,
             "reasons": [r.as_json() for r in v.reasons]}
            for v in verdicts if not v.cleared
        ]  # fmt: skip
    value = {
        "holdings": len(verdicts), "cleared": sum(v.cleared for v in verdicts), "withheld": len(withheld),
        "reasons": _counts(v.reasons[0].code for v in verdicts if not v.cleared),
        "licences": _counts(lic.id for v in verdicts if v.cleared for lic in v.licences),
        "items": withheld, "withdrawals": [e.as_json() for e in current.in_force().values()],
        "withdrawals_version": current.version, "policy": context.settings.text("policy.publish"),
    }  # fmt: skip
    context.result(value, _report_lines(value))


def _counts(names: Iterator[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _report_lines(value: dict[str, Any]) -> list[str]:
    lines = [f"{counted(value['holdings'], 'holding')}: {value['cleared']} cleared, {value['withheld']} withheld"]
    lines += [f"  {count:>6}  {code}" for code, count in value["reasons"].items()]
    for item in value["items"]:
        why = "; ".join(f"{r['code']}: {r['text']}" for r in item["reasons"])
        name = f"“{item['title'] or 'untitled'}” by {item['artist'] or 'unknown artist'}"
        lines.append(f"{item['id']}  {name} ({item['path']}): {why}")
    lines += [f"{e['recording'] or ', '.join(e['blobs'])}: {e['reason']} ({e['date']})" for e in value["withdrawals"]]
    return lines
