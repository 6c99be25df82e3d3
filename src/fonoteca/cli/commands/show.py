"""``fonoteca show``: one entity with the source of each field."""

from __future__ import annotations

import argparse
from typing import Any

from fonoteca.cli.context import Context
from fonoteca.core.errors import ExitCode

HELP = "show one recording, release or artist, with the source of each field"
EXAMPLES = (
    "fonoteca show isrc:USS1Z9900001",
    "fonoteca --json show fma:141",
    "fonoteca show fma:141 --raw raw_tracks.csv",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The words of ``show``."""
    parser.add_argument("id", metavar="ID", help="an id, or isrc:…, mbid:…, upc:…, sha256:…, SOURCE:KEY")
    parser.add_argument("--raw", metavar="PATH", nargs="+", default=[],
                        help="dump files as ingested: show the records that the values were read from")  # fmt: skip
    from fonoteca.cli.joined import edition_argument

    edition_argument(parser)


def run(context: Context, args: argparse.Namespace) -> ExitCode:
    """Print the entity; the first one where the identifier names several, and the ids of the others."""
    from fonoteca.cli.joined import reading

    with reading(context, args.edition) as joined:
        value = joined.named(args.id)
        if args.raw:
            from fonoteca.catalogue import raw

            found = raw.find(value, joined.catalogue.partitions, [context.path(path) for path in args.raw])
            value["raw"] = [one.as_json() for one in found]
    context.result(value, _lines(value))
    return ExitCode.DONE


def _lines(value: dict[str, Any]) -> list[str]:
    lines = [f"{value['kind']} {value['id']}"]
    lines += [line for name, field in value["fields"].items() for line in _field_lines(name, field)]
    lines += [f"  credit: {c['name']} ({c['role']})  {c['artist_id']}{_from(c)}" for c in value["credits"]]
    old = set(value["redirects"])
    lines += [f"  {i['scheme']}: {i['value']}{_merged(i, old)}{_from(i)}" for i in value["identifiers"]]
    lines += [f"  claim: {(c['licence'] + ' ' + c['url']).strip()}{_from(c)}" for c in value["claims"]]
    if value["verdict"]:
        reasons = ", ".join(r["code"] for r in value["verdict"]["reasons"] if r["code"])
        lines.append(f"  verdict: {value['verdict']['state']}" + (f" ({reasons})" if reasons else ""))
    lines += [f"  held: {h['blob']}  {h['bytes']:,} bytes  {h['mime']}" for h in value["holdings"] or []]
    lines += [f"  published: {p['pack']}  offset {p['offset']:,}  {p['bytes']:,} bytes" for p in value["locator"] or []]
    if value["others"]:
        lines.append(f"  also: {' '.join(value['others'])}")
    lines += [line for one in value.get("raw", []) for line in _raw_lines(one)]
    return lines


def _merged(identifier: dict[str, Any], old: set[str]) -> str:
    return " (merged into this one)" if identifier["scheme"] == "mbid" and identifier["value"] in old else ""


def _raw_lines(raw: dict[str, Any]) -> list[str]:
    lines = [f"  raw {raw['source']} {raw['dump']} {raw['position']}:"]
    if raw["text"] is None:
        return [f"{lines[0]} not read again: {raw['why']}"]
    return lines + [f"    {line}" for line in raw["text"].splitlines()]


def _field_lines(name: str, field: dict[str, Any]) -> list[str]:
    if field["value"] in (None, []):
        return []
    lines = [f"  {name}: {field['value']}{_from(field['sources'][0]) if field['sources'] else ''}"]
    others = [s for s in field["sources"][1:] if "value" in s and s["value"] != field["value"]]
    return lines + [f"    otherwise: {s['value']}{_from(s)}" for s in others]


def _from(source: dict[str, Any]) -> str:
    return f"  [{source['source']} {source['dump']} {source['position']}]"
