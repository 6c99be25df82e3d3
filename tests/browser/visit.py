"""Opens pages as somebody would, and listens for what nobody should notice: foreign requests, errors, CSP reports."""

from __future__ import annotations

from typing import Any

from browser.world import World

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
_READY = "() => document.documentElement.dataset.ready === 'yes'"


class Visits:
    """Visits to one site. What goes wrong in any of them is gathered.

    Attributes:
        strangers: addresses outside the site that were asked for.
        complaints: messages of the console's level ``error``, scripts that failed, blocked by the content policy too.
    """

    def __init__(self, chromium: Any, world: World) -> None:
        self._chromium = chromium
        self._homes = [world.url]
        self._contexts: list[Any] = []
        self.strangers: list[str] = []
        self.complaints: list[str] = []

    def visit(self, size: dict[str, int] = DESK, *, script: bool = True, dark: bool = False) -> Any:
        """A new page of a new visitor: nothing is remembered from others."""
        context = self._chromium.new_context(
            viewport=size, java_script_enabled=script, color_scheme="dark" if dark else "light",
            reduced_motion="reduce", base_url=self._homes[0], service_workers="block",
        )  # fmt: skip
        context.set_default_timeout(10_000)
        self._contexts.append(context)
        context.on("request", self._asked)
        context.on("console", self._said)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        return context.new_page()

    def open(self, address: str, size: dict[str, int] = DESK, **options: Any) -> Any:
        """A new visitor's page, shown and, with the script on, ready."""
        page = self.visit(size, **options)
        page.goto(address)
        if options.get("script", True):
            ready(page)
        return page

    def welcome(self, url: str) -> None:
        """Another site of the test's own."""
        self._homes.append(url)

    def forgive(self, words: str) -> None:
        """Complaints with these words are what the test was about."""
        self.complaints = [c for c in self.complaints if words not in c]

    def close(self) -> None:
        """End all visits."""
        for context in self._contexts:
            context.close()

    def _asked(self, request: Any) -> None:
        if not request.url.startswith(tuple(self._homes)):
            self.strangers.append(request.url)

    def _said(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type} on {message.page and message.page.url}: {message.text}")


def ready(page: Any) -> None:
    """Wait until the script has taken hold of the page."""
    page.wait_for_function(_READY)


def playing(page: Any) -> float:
    """The place in what the bar plays, in seconds."""
    return float(page.evaluate("document.querySelector('#player audio').currentTime"))


def wait_until_played(page: Any, seconds: float) -> None:
    """Wait until the bar is beyond a place, and goes on."""
    page.wait_for_function(
        "s => { const a = document.querySelector('#player audio'); return a && !a.paused && a.currentTime > s; }",
        arg=seconds,
    )


def paused(page: Any) -> bool:
    """Whether the bar is still."""
    return bool(page.evaluate("document.querySelector('#player audio').paused"))
