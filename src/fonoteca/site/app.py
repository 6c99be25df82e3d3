"""The site as an ASGI application over one publication."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fonoteca.core.errors import FonotecaError
from fonoteca.site import errors
from fonoteca.site.errors import Refused
from fonoteca.site.handlers import Handlers
from fonoteca.site.headers import ALWAYS, Guard
from fonoteca.site.lists import Lists
from fonoteca.site.render import Pages
from fonoteca.site.shelf import Shelf, SiteData

__all__ = ["Shelf", "SiteData", "create_app", "routes"]


def routes(handlers: Handlers, lists: Lists) -> list[Route]:
    """Every address of the site; docs/reference/http-api.md names each, and a test compares."""
    return [
        Route("/", handlers.front),
        Route("/index.json", handlers.front),
        Route("/search", handlers.search),
        Route("/search.json", handlers.search),
        Route("/recording/{id}.json", handlers.recording),
        Route("/recording/{id}", handlers.recording),
        Route("/release/{id}.json", handlers.release),
        Route("/release/{id}", handlers.release),
        Route("/artist/{id}.json", handlers.artist),
        Route("/artist/{id}", handlers.artist),
        Route("/torrents", lists.torrents),
        Route("/torrents.json", lists.torrents),
        Route("/torrents/plan.json", lists.plan_json),
        Route("/torrents/plan.txt", lists.plan_text),
        Route("/edition", lists.edition),
        Route("/edition.json", lists.edition),
        Route("/credits", lists.credits),
        Route("/credits.json", lists.credits),
        Route("/withheld", lists.withheld),
        Route("/withheld.json", lists.withheld),
        Route("/audio/{sha256}", handlers.audio),
        Route("/metadata/{path:path}", handlers.file),
        Route("/withdrawals/{path:path}", handlers.file),
        Route("/live/{path:path}", handlers.file),
        Route("/editions/{path:path}", handlers.file),
        Route("/torrents/{path:path}", handlers.file),
        Route("/packs/{path:path}", handlers.file),
        Route("/static/{name}", handlers.static),
        Route("/robots.txt", handlers.robots),
    ]


def create_app(data: SiteData, shelf: Shelf | None = None) -> Starlette:
    """The application. ``shelf`` may be given already opened, so that the first visitor does not wait."""
    pages = Pages(data.name, lambda: data.standing().stale_since)
    shelf = shelf or Shelf(data)
    handlers, lists = Handlers(shelf, pages), Lists(shelf, pages)

    async def refused(request: Request, error: Exception) -> Response:
        response = pages.error(request, _as_refused(error))
        response.headers.update(ALWAYS)  # the framework answers a crash outside all middleware
        return response

    app = Starlette(
        routes=routes(handlers, lists),
        middleware=[Middleware(Guard, hosts=data.hosts)],
        exception_handlers={Refused: refused, FonotecaError: refused, HTTPException: refused, Exception: refused},
    )
    app.router.redirect_slashes = False
    return app


def _as_refused(error: Exception) -> Refused:
    if isinstance(error, Refused):
        return error
    if isinstance(error, FonotecaError):
        return errors.of(error)
    if isinstance(error, HTTPException):
        found = errors.plain(error.status_code)
        found.headers.update(error.headers or {})
        return found
    return errors.plain(500, "the cause is in the site's log")
