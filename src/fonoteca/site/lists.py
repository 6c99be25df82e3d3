"""The pages about the edition as a whole: torrents and the planner, the edition, credits, what is withheld."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from fonoteca.site import closed, credit_lines, paging, statement, torrents
from fonoteca.site.errors import Refused
from fonoteca.site.render import Pages, wants_json, wants_page
from fonoteca.site.shelf import Shelf

_MOST_PLACES = 100_000


class Lists:
    """Answers over one shelf."""

    def __init__(self, shelf: Shelf, pages: Pages) -> None:
        self._shelf = shelf
        self._pages = pages

    def torrents(self, request: Request) -> Response:
        """All torrents; with ``disk`` also what so much disk would hold."""
        asked = request.query_params
        edition = self._shelf.current().edition
        after = paging.count(asked.get("after"), 0, 0, _MOST_PLACES, "after")
        value = torrents.page(edition, asked.get("sort") or "listed", after)
        disk, unit = asked.get("disk", ""), asked.get("unit", "")
        wrong = None
        try:
            value["plan"] = self._plan(request, disk, unit) if disk else None
        except Refused as refused:
            if not wants_page(request):
                raise
            wrong, value["plan"] = refused, None
        shown = (disk, unit or "TB") if disk else torrents.suggested(value["totals"]["bytes"])
        return self._pages.answer(
            request, "torrents.html", value, 400 if wrong else 200, q="", units=torrents.UNITS, shown=shown,
            orders=torrents.ORDERS, base=_base(request), keep={"disk": disk, "unit": unit},
            wrong=wrong.error if wrong else None,
        )  # fmt: skip

    def _plan(self, request: Request, disk: str, unit: str) -> dict[str, object]:
        budget = torrents.asked_disk(disk, unit)
        planned = torrents.plan(self._shelf.current().edition, budget)
        return planned | {"command": torrents.mirror_command(_base(request), budget)}

    def plan_json(self, request: Request) -> Response:
        """The planner's answer for ``disk``."""
        asked = request.query_params
        value = self._plan(request, asked.get("disk", ""), asked.get("unit", ""))
        return self._pages.json(value)

    def plan_text(self, request: Request) -> Response:
        """Its magnets, one a line."""
        asked = request.query_params
        edition = self._shelf.current().edition
        value = torrents.plan(edition, torrents.asked_disk(asked.get("disk", ""), asked.get("unit", "")))
        return Response(torrents.as_text(value["magnets"]), 200, {"cache-control": "no-cache"},
                        "text/plain; charset=utf-8")  # fmt: skip

    def edition(self, request: Request) -> Response:
        """What is published, by digest, and how to check it by hand."""
        value = statement.page(self._shelf.current().edition)
        return self._pages.answer(request, "edition.html", value, q="", base=_base(request))

    def credits(self, request: Request) -> Response:
        """Credit lines by recording."""
        licence = request.query_params.get("licence", "")[:200]
        start = paging.key(request.query_params.get("after"))
        opened = self._shelf.current()
        value = credit_lines.page(opened.edition, self._shelf.withdrawals(), licence, start)
        return self._paged(request, "credits.html", value, "/credits", {"licence": licence})

    def withheld(self, request: Request) -> Response:
        """What is described and not shared, and why."""
        chosen = request.query_params.get("reason", "")[:100] or closed.CLOSED
        start = paging.key(request.query_params.get("after"))
        opened = self._shelf.current()
        value = closed.page(opened.edition, self._shelf.withdrawals(), chosen, start)
        kept = {"reason": chosen if chosen != closed.CLOSED else ""}
        return self._paged(request, "withheld.html", value, "/withheld", kept)

    def _paged(
        self, request: Request, template: str, value: dict[str, object], path: str, kept: dict[str, str]
    ) -> Response:
        """``next`` becomes an address, of the kind that was asked for."""
        at = f"{path}.json" if wants_json(request) else path
        if value["next"]:
            value["next"] = paging.address(at, kept | {"after": str(value["next"])})
        twin = paging.address(f"{path}.json", kept | {"after": request.query_params.get("after", "")[:300]})
        return self._pages.answer(request, template, value, q="", twin=twin)


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")
