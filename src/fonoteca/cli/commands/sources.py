"""``fonoteca sources``: what can be read, and on what terms."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from fonoteca.cli.context import Context
from fonoteca.core.errors import ExitCode

if TYPE_CHECKING:
    from fonoteca.sources.records import SourceInfo

HELP = "list what can be read: name, kind, licence of each field, where dumps come from, size"
EXAMPLES = ("fonoteca sources", "fonoteca sources fma")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The words of ``sources``."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="show this one in detail")


def run(context: Context, args: argparse.Namespace) -> ExitCode:
    """Print all sources, or one."""
    from fonoteca.sources.registry import SOURCES, find

    if args.name is None:
        infos = [SOURCES[name].info for name in sorted(SOURCES)]
        context.result({"sources": [_object(info) for info in infos]}, _list(infos))
    else:
        info = find(args.name).info
        context.result(_object(info), _detail(info))
    return ExitCode.DONE


def _object(info: SourceInfo) -> dict[str, Any]:
    licences = [{"fields": f.fields, "licence": f.licence, "credit": f.credit} for f in info.licences]
    return {
        "name": info.name, "kind": info.kind, "title": info.title, "licences": licences, "where": info.where,
        "size": info.size, "files": info.files,
    }  # fmt: skip


def _list(infos: list[SourceInfo]) -> list[str]:
    lines = [f"{info.name:<10} {info.kind:<10} {_licence(info):<20} {info.title}" for info in infos]
    return [*lines, "", "more about one: fonoteca sources NAME"]


def _licence(info: SourceInfo) -> str:
    return ", ".join(dict.fromkeys(f.licence for f in info.licences))


def _detail(info: SourceInfo) -> list[str]:
    lines = [f"{info.name}: {info.title}", f"  kind      {info.kind}"]
    for licence in info.licences:
        fields = "all fields" if licence.fields == "*" else licence.fields
        credit = f" (credit: {licence.credit})" if licence.credit else ""
        lines.append(f"  licence   {fields}: {licence.licence}{credit}")
    return [*lines, f"  files     {info.files}", f"  from      {info.where}", f"  size      {info.size}"]
