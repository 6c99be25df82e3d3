"""``fonoteca keys``: the signing keys: list, hand the public root to mirrors, replace one."""

from __future__ import annotations

import argparse
from typing import Any

from fonoteca.cli.context import Context
from fonoteca.core.errors import ExitCode

HELP = "list the signing keys, export the public root for mirrors, give a role a new key"
EXAMPLES = (
    "fonoteca keys list",
    "fonoteca keys export -o root.json",
    "fonoteca keys rotate timestamp",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="list roles, key ids, where they are, when their metadata expires",
                       description="List roles, key ids, where they are, when their metadata expires.")  # fmt: skip
    export = actions.add_parser("export", help="write the public root.json that mirrors start from",
                                description="Write the public root.json that mirrors start from.")  # fmt: skip
    export.add_argument("-o", "--output", metavar="FILE", default="root.json", help="where to (root.json)")
    rotate = actions.add_parser("rotate", help="give a role a new key", description="Give a role a new key.")
    rotate.add_argument("role", metavar="ROLE", help="root, targets, snapshot, timestamp or withdrawals")


def run(context: Context, args: argparse.Namespace) -> ExitCode:
    """One of the three actions."""
    {"list": _list, "export": _export, "rotate": _rotate}[args.action](context, args)
    return ExitCode.DONE


def _list(context: Context, args: argparse.Namespace) -> None:
    from fonoteca.core.clock import rfc3339
    from fonoteca.publish import keys, tuf

    del args
    layout = context.archive()
    expires = {role: rfc3339(moment) for role, moment in tuf.expiries(layout.publication).items()}
    found = [i.as_json() | {"expires": expires.get(i.role)} for i in keys.info(keys.load(layout.keys))]
    context.result({"keys": found}, [_line(key) for key in found])


def _line(key: dict[str, Any]) -> str:
    where = key["key_id"][:16] if key["key_id"] else "not here (offline?)"
    notes = [f"metadata until {key['expires']}" if key["expires"] else "nothing published"]
    if key["exposed"]:
        notes.append(f"OTHERS CAN READ IT: chmod 600 {key['path']}")
    if key["should_be_offline"]:
        notes.append("keep it offline")
    return f"{key['role']:<12} {where:<20} {'; '.join(notes)}"


def _export(context: Context, args: argparse.Namespace) -> None:
    from fonoteca.core import durable
    from fonoteca.publish import keys, tuf

    layout = context.archive()
    if tuf.newest_root(layout.publication) is None:
        with context.writer():
            tuf.ensure_root(layout.publication, keys.load(layout.keys), context.clock.now())
    data = tuf.root_bytes(layout.publication)
    path = context.path(args.output)
    durable.write_bytes(path, data)
    import hashlib

    digest = hashlib.sha256(data).hexdigest()
    newest = tuf.newest_root(layout.publication)
    version = newest.signed.version if newest else 0
    context.result(
        {"path": str(path), "sha256": digest, "version": version},
        [f"{path}: version {version} of the public root, SHA-256 {digest}",
         "Give it to mirrors by another way than the publication's own address."],
    )  # fmt: skip


def _rotate(context: Context, args: argparse.Namespace) -> None:
    from fonoteca.publish import keys
    from fonoteca.publish.rotation import rotate

    layout = context.archive()
    keys.check_role(args.role)
    with context.writer():
        done = rotate(layout.publication, keys.load(layout.keys), args.role, context.clock.now())
    told = f"{done.old_key_id[:16]} is replaced by {done.new_key_id[:16]}; root is at version {done.root_version}"
    context.result(done.as_json(), [f"{done.role}: {told}", "Back up keys/ now. The old key is in keys/retired/."])
