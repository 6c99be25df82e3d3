"""Every page type: no stranger is asked, nothing is complained of, axe finds nothing serious, nothing hangs out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from browser.visit import DESK, PHONE, Visits, ready, wait_until_played
from browser.world import ALOUETTE, DISPUTED, FRERE, JESUS, MARKUP, WITHDRAWN, World, nothing_yet, poor_mirror

pytestmark = pytest.mark.tools

PAGES = (
    "front", "search", "search-many", "search-none", "search-start", "recording", "recording-nc", "recording-long",
    "recording-withheld", "recording-withdrawn", "recording-described", "release", "artist", "torrents",
    "torrents-wrong", "edition", "credits", "withheld", "withheld-reason", "missing", "queue", "typing",
)  # fmt: skip
ERRORS = {"missing": "404", "torrents-wrong": "400", "recording-withdrawn": "451"}
WIDTHS = (320, 390, 820, 1280)
"""320 is what WCAG 1.4.10 asks for; it is also a window of 1280 at a zoom of four."""


def address(name: str, page: Any, world: World) -> str:
    """Where a page type is to be seen."""
    fixed = {
        "front": "/",
        "typing": "/",
        "search": "/search?q=alouette",
        "search-many": "/search?q=lost",
        "search-none": "/search?q=zzzzqq",
        "search-start": "/search",
        "queue": "/search?q=playable:yes",
        "torrents": "/torrents",
        "torrents-wrong": "/torrents?disk=heaps&unit=TB",
        "edition": "/edition",
        "credits": "/credits",
        "withheld": "/withheld",
        "missing": "/recording/r0",
        "recording": world.recording(ALOUETTE),
        "recording-nc": world.recording(JESUS),
        "recording-long": world.recording(MARKUP),
        "recording-withheld": world.recording(DISPUTED),
        "recording-withdrawn": world.recording(WITHDRAWN),
    }
    if name in fixed:
        return fixed[name]
    if name == "recording-described":
        return f"/recording/{page.request.get('/search.json?q=lost').json()['hits'][0]['id']}"
    if name == "withheld-reason":
        return f"/withheld?reason={page.request.get('/withheld.json').json()['counts'][0]['code']}"
    value = page.request.get(f"{world.recording(FRERE)}.json").json()
    return f"/release/{value['release']['id']}" if name == "release" else f"/artist/{value['artists'][0]['id']}"


def prepare(name: str, page: Any) -> None:
    """Bring a page into the state that is looked at."""
    if name == "queue":
        page.get_by_role("button", name="Play Frère Jacques").click()
        wait_until_played(page, 0.05)
        page.get_by_role("region", name="Player").get_by_role("button", name="Pause").click()
        page.get_by_role("button", name="Queue", exact=True).click()
        page.get_by_role("list", name="Queue").wait_for()
    elif name == "typing":
        page.get_by_role("searchbox", name="Search").press_sequentially("machine")
        page.get_by_role("list", name="Results").wait_for()
    elif name.startswith("torrents") and name != "torrents-wrong":
        page.get_by_text("left out").wait_for()


@pytest.mark.parametrize("name", PAGES)
def test_page(name: str, visits: Visits, world: World, axe: str, shots: Path | None) -> None:
    page = visits.visit(PHONE)
    page.goto(address(name, page, world))
    ready(page)
    page.evaluate(axe)
    prepare(name, page)
    look(name, page, shots)
    visits.forgive(ERRORS.get(name, "nothing"))


def look(name: str, page: Any, shots: Path | None) -> None:
    """Ask axe in both colours at two widths, and see whether all widths hold the page; take pictures."""
    for size in (PHONE, DESK):
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            # The other colours change nothing but contrasts.
            assert serious(page, only="color-contrast" if scheme == "dark" else "") == [], (size, scheme)
            if shots:
                shot = shots / f"{name}-{size['width']}-{scheme}.png"
                page.screenshot(path=shot, full_page=name != "queue")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert hanging_out(page) == [], width


# axe waits for ever where scripts are off; what it looks at is the same markup as above.
@pytest.mark.parametrize("name", ["recording", "search", "torrents"])
def test_page_without_script(name: str, visits: Visits, world: World, shots: Path | None) -> None:
    page = visits.visit(PHONE, script=False)
    page.goto(address(name, page, world))
    assert hanging_out(page) == []
    if shots:
        page.screenshot(path=shots / f"{name}-plain.png", full_page=True)


def test_a_mirror_without_the_audio_says_so(
    visits: Visits, world: World, axe: str, shots: Path | None, tmp_path: Path
) -> None:
    with poor_mirror(tmp_path, world.publication) as url:
        visits.welcome(url)
        page = visits.visit(PHONE)
        page.goto(f"{url}recording/{world.ids[FRERE.key]}")
        page.get_by_text("This mirror does not hold the audio.").wait_for()
        page.get_by_text("This mirror last heard of withdrawals before 2026-11-20").wait_for()
        assert page.get_by_role("link", name="magnet", exact=True).get_attribute("href").startswith("magnet:?xt=")
        page.evaluate(axe)
        look("mirror-recording", page, shots)
        page.goto(url)
        page.evaluate(axe)
        look("mirror-front", page, shots)


def test_an_archive_without_an_edition_says_so(visits: Visits, axe: str, shots: Path | None, tmp_path: Path) -> None:
    with nothing_yet(tmp_path) as url:
        visits.welcome(url)
        page = visits.visit(PHONE)
        answer = page.goto(url)
        assert answer.status == 503
        page.evaluate(axe)
        look("no-edition", page, shots)
        visits.forgive("503")


def serious(page: Any, only: str = "") -> list[str]:
    """What axe finds serious or critical, with the places."""
    options = {"resultTypes": ["violations"]} | ({"runOnly": [only]} if only else {})
    found = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{rule['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
        for rule in found["violations"] if rule["impact"] in {"serious", "critical"} for node in rule["nodes"]
    ]  # fmt: skip


def hanging_out(page: Any) -> list[str]:
    """What makes the page wider than its window."""
    return list(page.evaluate(
        """() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
        [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > window.innerWidth + 1)
        .map(e => e.outerHTML.slice(0, 100))"""
    ))  # fmt: skip


def test_a_hostile_title_is_only_text(visits: Visits, world: World) -> None:
    page = visits.visit()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto("/")
    page.get_by_role("searchbox", name="Search").fill("unbreakable*")
    page.get_by_role("list", name="Results").wait_for()
    page.goto(world.recording(MARKUP))
    page.get_by_role("button", name="Play").first.click()
    wait_until_played(page, 0.1)
    assert dialogs == []
    assert page.get_by_role("heading", level=1).inner_text().startswith("<script>")
