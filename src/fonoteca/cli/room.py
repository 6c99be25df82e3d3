"""The room that a search index may take: in a mirror, what its disk budget leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fonoteca.cli.context import Context
from fonoteca.cli.words import next_command
from fonoteca.core.errors import NoSpace
from fonoteca.core.layout import ArchiveLayout

if TYPE_CHECKING:
    from fonoteca.search.index import Room


def index_room(context: Context) -> Room:
    """An archive has no budget. A mirror that was never planned has none yet; it keeps one index all the same."""
    from fonoteca.mirror import state
    from fonoteca.search.index import Room

    layout = context.archive_or_mirror()
    if isinstance(layout, ArchiveLayout):
        return Room()
    disk = context.settings.number("mirror.disk") or int(state.status(layout).get("disk", 0))
    if not disk:
        return Room(kept=1)

    def allow(amount: int) -> None:
        from fonoteca.mirror.budget import allocated

        built = sum(allocated(path) for path in layout.search.glob(".building-*"))
        used = allocated(layout.root) - built
        if used + amount > disk:
            raise _refused(context, used, amount, disk)

    return Room(allow, kept=1)


def _refused(context: Context, used: int, amount: int, disk: int) -> NoSpace:
    plan = next_command(context, f"mirror plan --disk {used + amount}")
    return NoSpace("over-budget", "The search index does not fit into the budget of the mirror",
                   f"{used} bytes are in use and the index needs {amount} more; the budget is {disk}",
                   f"allow more: {plan}; then {next_command(context, 'index')}, before packs take the room",
                   str(context.archive_or_mirror().search))  # fmt: skip
