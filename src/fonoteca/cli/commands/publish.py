"""``fonoteca publish``: a new, signed edition of what the gate clears; or fresh signatures over the last one."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fonoteca.cli.context import Context
from fonoteca.cli.policy import publication_policy
from fonoteca.cli.words import counted, next_command
from fonoteca.core.errors import ExitCode, FonotecaError, Usage
from fonoteca.core.sizes import show_size

if TYPE_CHECKING:
    from fonoteca.publish.prepare import Prepared
    from fonoteca.publish.workshop import Workshop

HELP = "make a new, signed edition of everything that may be published"
EXAMPLES = (
    "fonoteca publish --plan",
    "fonoteca publish --base-url https://archive.example.org",
    "fonoteca publish --refresh",
)
SETTINGS = {"base_url": "publish.base_url"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    parser.add_argument("--plan", action="store_true", help="say what would be published, and change nothing")
    parser.add_argument("--refresh", action="store_true",
                        help="re-sign the last edition and the list of withdrawals, without a new edition")  # fmt: skip
    parser.add_argument("--base-url", metavar="URL", help="where the publication is served (publish.base_url)")


def run(context: Context, args: argparse.Namespace) -> ExitCode:
    """Plan; then execute, unless only the plan was asked for."""
    if args.plan and args.refresh:
        raise Usage("bad-arguments", "The command was not understood", "--plan and --refresh exclude each other",
                    "give one of them", "--plan")  # fmt: skip
    context.archive()
    if args.plan:
        with _prepared(context) as (prepared, _):
            context.plan(prepared.as_json(), _plan_lines(prepared))
        return ExitCode.DONE
    with context.writer():
        if args.refresh:
            _refresh(context)
        else:
            _publish(context)
    return ExitCode.DONE


@contextmanager
def _prepared(context: Context) -> Iterator[tuple[Prepared, Workshop]]:
    from fonoteca.catalogue.engine import Engine
    from fonoteca.publish import gather, keys
    from fonoteca.publish.prepare import prepare
    from fonoteca.publish.workshop import Workshop
    from fonoteca.rights.of_archive import open_rights

    layout, settings, engine = context.archive(), context.settings, Engine.of(context.settings)
    _check_settings(context)
    with open_rights(layout, settings.text("policy.publish"), engine) as rights:
        catalogue = gather.required(rights.catalogue, layout)
        gate = rights.gate()
        world = gather.world(layout, rights.holdings, catalogue, gate, rights.log.current())
        prepared = prepare(layout.publication, world, gather.options(settings))
        yield prepared, Workshop(
            layout, gate, rights.holdings, keys.load(layout.keys), gather.covers(catalogue), engine,
            context.progress, settings.number("publish.workers"),
        )  # fmt: skip


def _check_settings(context: Context) -> None:
    from fonoteca.core.merkle import check_piece_length

    settings = context.settings
    publication_policy(context)
    try:
        check_piece_length(settings.number("publish.piece_length"))
    except ValueError:
        raise _bad_setting(context, "publish.piece_length", "no power of two of at least 16 KiB",
                           "write for example publish.piece_length = '4MiB'") from None  # fmt: skip
    _check_base_url(context)
    for name in ("publish.pack_size", "publish.volume_size"):
        if settings.number(name) == 0:
            raise _bad_setting(context, name, "no size above 0", f"write for example {name} = '256MiB'")


def _check_base_url(context: Context) -> None:
    from fonoteca.mirror.publisher import check_url

    url = context.settings.text("publish.base_url")
    try:
        if url:
            check_url(url)
    except Usage:
        raise _bad_setting(context, "publish.base_url", "no http or https address",
                           "write for example publish.base_url = 'https://archive.example.org'") from None  # fmt: skip


def _bad_setting(context: Context, name: str, why: str, remedy: str) -> Usage:
    value = context.settings.origin(name)
    return Usage("bad-setting", f"The setting {name} could not be read",
                 f"{value.value!r} (from {value.origin}) is {why}", remedy, name)  # fmt: skip


def _publish(context: Context) -> None:
    from fonoteca.core.clock import parse_rfc3339, rfc3339
    from fonoteca.core.joblog import JobLog
    from fonoteca.publish import settle
    from fonoteca.publish.execute import execute

    log = JobLog(context.archive().jobs)
    job = log.unfinished("publish")
    with _prepared(context) as (prepared, shop):
        context.plan(prepared.as_json())
        if job is None and prepared.unchanged and settle.settled(prepared, shop):
            _warn_of_age(context)
            _summary(context, prepared.as_json())
            return
        now = _epoch(context) or (parse_rfc3339(job.at) if job else context.clock.now())
        job = job or log.start("publish", rfc3339(now))
        try:
            summary = execute(prepared, shop, now)
        except FonotecaError as error:
            # Only what was cut short is continued with its start time; what failed begins anew.
            log.end(job, rfc3339(context.clock.now()), {"failed": error.code})
            raise
        log.end(job, rfc3339(now), {"edition": summary["edition"]})
        _renew(context, shop, now)
        _summary(context, summary)


def _renew(context: Context, shop: Workshop, now: datetime.datetime) -> None:
    """A run that was taken up days after its start has signatures that are days old: renew those of seven days."""
    from fonoteca.publish import tuf

    late = context.clock.now() - now > tuf.SHORT / 2
    if late and _epoch(context) is None:
        withdrawals = shop.publication.withdrawals.read_bytes()
        tuf.refresh(shop.publication, shop.keys, withdrawals, context.clock.now())


def _expires(context: Context) -> datetime.datetime:
    """When the first of the signatures runs out."""
    from fonoteca.publish import tuf

    return min(tuf.expiries(context.archive().publication).values())


def _warn_of_age(context: Context) -> None:
    """A publisher who finds nothing new may still have to sign: mirrors take no signature that has run out."""
    from fonoteca.core.clock import rfc3339
    from fonoteca.publish import tuf

    expires, now = _expires(context), context.clock.now()
    if expires - now <= tuf.SHORT / 2:
        how = "ran out" if expires <= now else "run out"
        context.progress.warn(f"the signatures {how} at {rfc3339(expires)}: renew them with "
                              f"'{next_command(context, 'publish --refresh')}'")  # fmt: skip


def _epoch(context: Context) -> datetime.datetime | None:
    """SOURCE_DATE_EPOCH, if it is set: seconds since 1970."""
    text = context.env.variables.get("SOURCE_DATE_EPOCH", "").strip()
    if not text:
        return None
    try:
        return datetime.datetime.fromtimestamp(int(text), datetime.UTC)
    except (ValueError, OverflowError, OSError):
        raise Usage("bad-setting", "The time of the edition could not be read",
                    f"SOURCE_DATE_EPOCH is {text!r}, which is no number of seconds",
                    "set it to whole seconds since 1970, or unset it", "SOURCE_DATE_EPOCH") from None  # fmt: skip


def _refresh(context: Context) -> None:
    from fonoteca.core.clock import rfc3339
    from fonoteca.publish import keys, tuf
    from fonoteca.rights.withdrawals import WithdrawalLog

    layout = context.archive()
    withdrawals = WithdrawalLog(layout).current()
    now = _epoch(context) or context.clock.now()
    versions = tuf.refresh(layout.publication, keys.load(layout.keys), withdrawals.encode(), now)
    numbers = layout.publication.edition_numbers()
    value = {
        "edition": numbers[-1] if numbers else None, "refreshed": True, "timestamp": versions.timestamp,
        "snapshot": versions.snapshot, "withdrawals": versions.withdrawals, "expires": rfc3339(versions.expires),
        "withdrawals_version": withdrawals.version,
    }  # fmt: skip
    context.summary(value, [f"signed anew, good until {rfc3339(versions.expires)}"])


def _summary(context: Context, value: dict[str, Any]) -> None:
    from fonoteca.core.clock import rfc3339

    shown = {k: v for k, v in value.items() if k not in {"add", "redact", "volumes"}}
    context.summary(shown | {"expires": rfc3339(_expires(context))}, _summary_lines(context, value))


def _summary_lines(context: Context, value: dict[str, Any]) -> list[str]:
    if not value["changed"]:
        return [f"nothing new: edition {value['edition']} stands as it is"]
    published = counted(value["recordings"], "recording")
    return [
        f"edition {value['edition']}: {published} published, {value['withheld']} withheld",
        _packs_line(value),
        f"It is in {context.archive().publication.edition(value['edition'])}; {counted(value['torrents'], 'torrent')}.",
        f"Next: {next_command(context, 'serve')}",
    ]


def _packs_line(value: dict[str, Any]) -> str:
    packs, sizes = value["packs"], value["bytes"]
    return (f"{counted(packs['kept'], 'pack')} kept, {packs['added']} added, {packs['superseded']} superseded; "
            f"{show_size(sizes['audio'])} of audio, {show_size(sizes['padding'])} around it, "
            f"{show_size(sizes['new'])} new")  # fmt: skip


def _plan_lines(prepared: Prepared) -> list[str]:
    value = prepared.as_json()
    if not value["changed"]:
        return [f"nothing new: edition {value['edition']} would stand as it is"]
    published = counted(value["recordings"], "recording")
    lines = [
        f"edition {value['edition']} would publish {published} and withhold {value['withheld']}",
        _packs_line(value),
    ]
    for volume in value["volumes"]:
        instead = f", in place of {volume['replaces']}" if volume["replaces"] else ""
        lines.append(
            f"  volume {volume['name']}: {counted(len(volume['packs']), 'pack')}, {show_size(volume['bytes'])}{instead}"
        )
    lines += [
        f"  pack {r['pack']} would be redacted: {counted(len(r['blobs']), 'entry', 'entries')} blanked"
        for r in value["redact"]
    ]
    return lines
