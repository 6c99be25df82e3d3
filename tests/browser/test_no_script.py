"""Everything that matters works where scripts are off."""

from __future__ import annotations

import re
from typing import Any

import pytest

from browser.visit import PHONE, Visits
from browser.world import ALOUETTE, World

pytestmark = pytest.mark.tools


def test_one_searches_opens_and_gets_a_player_whose_source_serves_ranges(visits: Visits, world: World) -> None:
    page = visits.open("/", script=False)
    page.get_by_role("searchbox", name="Search").fill("alouette")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=alouette")
    page.get_by_role("list", name="Results").get_by_role("link", name="Alouette (The Lark)", exact=True).click()
    page.wait_for_url("**/recording/*")
    audio = page.locator("audio[controls]")
    assert audio.is_visible()
    assert (audio.bounding_box() or {})["height"] >= 30
    source = audio.get_attribute("src")
    answer = page.request.get(source, headers={"range": "bytes=4-19"})
    whole = page.request.get(source).body()
    assert (answer.status, answer.body()) == (206, whole[4:20])
    assert answer.headers["content-range"] == f"bytes 4-19/{len(whole)}"
    assert page.get_by_role("link", name="Save the file").get_attribute("href") == source


def test_the_sign_in_a_list_leads_to_the_player(visits: Visits, world: World) -> None:
    page = visits.open("/", PHONE, script=False)
    page.get_by_role("link", name="Play Alouette (The Lark)").click()
    page.wait_for_url(f"{world.recording(ALOUETTE)}#play")
    assert page.locator("audio[controls]").is_visible()


def test_the_browsers_own_player_asks_for_the_audio(visits: Visits, world: World) -> None:
    page = visits.open(world.recording(ALOUETTE), script=False)
    source = page.locator("audio").get_attribute("src")
    page.wait_for_load_state("networkidle")
    assert world.log.ranges(source)


def test_nothing_is_shown_that_needs_a_script(visits: Visits, world: World) -> None:
    page = visits.visit(script=False)
    for address in ("/", "/search?q=playable:yes", world.recording(ALOUETTE), "/torrents", "/edition", "/credits"):
        page.goto(address)
        assert page.locator("main button:visible:not(form button), #player:visible, .keys-on:visible").count() == 0, (
            address
        )


def test_the_plan_is_made_by_the_form(visits: Visits, world: World) -> None:
    page = visits.open("/torrents", script=False)
    page.get_by_label("I have").fill("1")
    page.get_by_role("combobox", name="Unit").select_option("GB")
    page.get_by_role("button", name="Make a list").click()
    page.wait_for_url("**/torrents?disk=1&unit=GB*")
    magnets = page.get_by_role("textbox", name="Magnet links").input_value().split()
    listed = page.request.get("/torrents.json").json()
    assert sorted(magnets) == sorted(t["magnet"] for t in listed["torrents"])
    text = page.request.get(page.get_by_role("link", name="As a text file").get_attribute("href"))
    assert text.text().split() == magnets


def test_a_plan_for_nonsense_says_what_is_wrong(visits: Visits) -> None:
    page = visits.open("/torrents", script=False)
    page.get_by_label("I have").fill("a lot")
    page.get_by_role("button", name="Make a list").click()
    page.get_by_role("alert").wait_for()
    assert page.get_by_label("I have").get_attribute("aria-invalid") == "true"
    visits.forgive("400")


@pytest.mark.parametrize("path", ["/torrents", "/edition", "/credits", "/withheld"])
def test_every_link_and_every_twin_leads_somewhere(visits: Visits, path: str) -> None:
    page = visits.open(path, script=False)
    links = page.locator("a[href]").evaluate_all("links => links.map(a => a.href)")
    here = {re.sub(r"#.*", "", link) for link in links if link.startswith("http")}
    own = sorted(link for link in here if link.startswith(page.url.split(path)[0]))
    assert own
    wrong = {link: answer for link in own if (answer := _status(page, link)) != 200}
    assert wrong == {}


def _status(page: Any, link: str) -> int:
    return int(page.request.head(link).status)
