"""Finds and hears music in a real browser, by mouse and by keyboard alone."""

from __future__ import annotations

from typing import Any

import pytest

from browser.visit import PHONE, Visits, paused, playing, ready, wait_until_played
from browser.world import ALOUETTE, FRERE, SEIKILOS, VOUS, World

pytestmark = pytest.mark.tools


def test_results_come_as_one_types_and_follow_each_letter(visits: Visits) -> None:
    page = visits.open("/")
    field = page.get_by_role("searchbox", name="Search")
    results = page.get_by_role("list", name="Results")
    field.press_sequentially("frere jac", delay=25)
    titled(results, "Frère Jacques").wait_for()
    assert "q=frere+jac" in page.url
    assert page.get_by_role("heading", name="Most heard").is_hidden()
    field.fill("seikilos")
    titled(results, "Επιτάφιος του Σεικίλου").wait_for()
    assert titled(results, "Frère Jacques").count() == 0
    field.fill("zzzzqqqq")
    page.get_by_text("Every word must occur", exact=False).wait_for()
    field.fill("")
    page.get_by_role("heading", name="Most heard").wait_for()


def test_by_mouse_one_finds_opens_plays_and_seeks(visits: Visits, world: World) -> None:
    page = visits.open("/")
    page.get_by_role("searchbox", name="Search").fill("alouette")
    page.get_by_role("button", name="Search", exact=True).click()
    titled(page.get_by_role("list", name="Results"), "Alouette").click()
    page.wait_for_url("**/recording/*")
    page.get_by_role("heading", name="Alouette", level=1).wait_for()
    page.get_by_role("main").get_by_role("button", name="Play").click()
    wait_until_played(page, 0.3)
    bar = page.get_by_role("slider", name="Position")
    box = bar.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2)
    wait_until_played(page, 10)
    assert playing(page) < 16
    page.get_by_role("region", name="Player").get_by_role("button", name="Pause").click()
    assert paused(page)
    stopped = playing(page)
    page.wait_for_timeout(200)
    assert playing(page) == stopped
    assert world.log.ranges(audio_of(page, world, ALOUETTE))


def test_by_keyboard_alone_one_finds_opens_plays_and_seeks(visits: Visits) -> None:
    page = visits.open("/edition")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("jesus bleibet")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=jesus*")
    tab_to(page, "a.hit-title")
    page.keyboard.press("Enter")
    page.wait_for_url("**/recording/*")
    ready(page)
    tab_to(page, "main .player-start [data-play]")
    page.keyboard.press("Enter")
    wait_until_played(page, 0.2)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("ArrowRight")
    wait_until_played(page, 5)
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => document.querySelector('#player audio').currentTime < 5")
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('#player audio').paused")
    tab_to(page, '#player [data-do="seek"]')
    at = playing(page)
    page.keyboard.press("ArrowRight")
    assert playing(page) == pytest.approx(at + 5, abs=0.2)
    assert page.get_by_role("slider", name="Position").get_attribute("aria-valuetext").startswith("0:0")


def test_keys_can_be_switched_off_and_never_act_in_a_field(visits: Visits, world: World) -> None:
    page = visits.open(world.recording(FRERE))
    page.keyboard.press("Space")
    wait_until_played(page, 0.1)
    page.keyboard.press("/")
    page.keyboard.type("a b/n")
    assert page.get_by_role("searchbox", name="Search").input_value() == "a b/n"
    assert not paused(page)
    switch = page.get_by_role("checkbox", name="Keys")
    switch.click()
    switch.evaluate("box => box.blur()")
    page.keyboard.press("Space")
    page.keyboard.press("/")
    assert not paused(page)
    assert page.evaluate("document.activeElement.id") != "q"


def test_a_queue_goes_on_by_itself_and_over_pages(visits: Visits, world: World) -> None:
    page = visits.open("/")
    hear = page.get_by_role("list", name="Most heard")
    hear.get_by_role("button", name="Play Frère Jacques").click()
    wait_until_played(page, 0.1)
    player = page.get_by_role("region", name="Player")
    player.get_by_role("button", name="Next").click()
    player.get_by_role("link", name="Ah ! vous dirai-je, maman").wait_for()
    wait_until_played(page, 0.1)
    page.keyboard.press("p")
    player.get_by_role("link", name="Frère Jacques").wait_for()
    wait_until_played(page, 0)
    page.evaluate("(() => { const a = document.querySelector('#player audio'); a.currentTime = a.duration - 0.4; })()")
    player.get_by_role("link", name="Ah ! vous dirai-je, maman").wait_for()
    wait_until_played(page, 0.1)
    page.get_by_role("link", name="Torrents", exact=True).click()
    page.get_by_role("heading", name="Torrents", level=1).wait_for()
    at = playing(page)
    wait_until_played(page, at + 0.1)
    page.go_back()
    page.get_by_role("heading", name="Most heard").wait_for()
    assert not paused(page)


def test_the_queue_is_shown_chosen_from_and_emptied(visits: Visits, world: World) -> None:
    page = visits.open("/search?q=playable:yes")
    rows = page.get_by_role("list", name="Results")
    rows.get_by_role("button", name="Add Frère Jacques to the queue").click()
    rows.get_by_role("button", name="Add Alouette (The Lark) to the queue").click()
    wait_until_played(page, 0.1)
    page.get_by_role("button", name="Queue", exact=True).click()
    queue = page.get_by_role("list", name="Queue")
    assert queue.get_by_role("listitem").count() == 2
    queue.get_by_role("button", name="Alouette (The Lark)", exact=False).first.click()
    page.get_by_role("region", name="Player").get_by_role("link", name="Alouette (The Lark)").wait_for()
    wait_until_played(page, 0.1)
    queue.get_by_role("button", name="Remove Alouette (The Lark)").click()
    page.get_by_role("region", name="Player").get_by_role("link", name="Frère Jacques").wait_for()
    page.get_by_role("button", name="Clear").click()
    assert page.locator("#player").is_hidden()


def test_media_keys_and_what_the_system_shows(visits: Visits, world: World) -> None:
    page = visits.visit()
    page.add_init_script(
        """window.acts = {};
        const set = MediaSession.prototype.setActionHandler;
        MediaSession.prototype.setActionHandler = function (name, act) { acts[name] = act; set.call(this, name, act); };
        """
    )
    page.goto("/")
    page.get_by_role("button", name="Play Frère Jacques").click()
    wait_until_played(page, 0.1)
    shown = "(({title, artist, album}) => [title, artist, album])(navigator.mediaSession.metadata)"
    assert page.evaluate(shown) == ["Frère Jacques", "Traditional (France)", "Machine Nursery"]
    assert page.evaluate("navigator.mediaSession.playbackState") == "playing"
    page.evaluate("acts.nexttrack()")
    page.wait_for_function("() => navigator.mediaSession.metadata.title.startsWith('Ah !')")
    page.evaluate("acts.previoustrack()")
    page.wait_for_function("() => navigator.mediaSession.metadata.title === 'Frère Jacques'")
    wait_until_played(page, 0)
    page.evaluate("acts.seekto({seekTime: 9})")
    wait_until_played(page, 9)
    page.evaluate("acts.pause()")
    page.wait_for_function("() => navigator.mediaSession.playbackState === 'paused'")


def test_a_link_to_a_moment_starts_there(visits: Visits, world: World) -> None:
    page = visits.open(f"{world.recording(VOUS)}#t=0:12")
    page.get_by_text("starts at 0:12").wait_for()
    page.get_by_role("main").get_by_role("button", name="Play").click()
    wait_until_played(page, 12)
    assert playing(page) < 18


@pytest.mark.parametrize("told", [FRERE, VOUS, ALOUETTE, SEIKILOS], ids=lambda t: t.recipe)
def test_every_form_plays_and_jumps_to_its_end(visits: Visits, world: World, told: Any) -> None:
    page = visits.open(world.recording(told), PHONE)
    page.get_by_role("main").get_by_role("button", name="Play").click()
    wait_until_played(page, 0.1)
    page.evaluate("(() => { const a = document.querySelector('#player audio'); a.currentTime = a.duration - 3; })()")
    wait_until_played(page, 8)


def test_a_page_that_comes_while_music_plays_has_the_focus_and_its_title(visits: Visits, world: World) -> None:
    page = visits.open(world.recording(FRERE))
    page.keyboard.press("Space")
    wait_until_played(page, 0.05)
    page.get_by_role("link", name="Machine Nursery").click()
    page.wait_for_url("**/release/*")
    page.get_by_role("heading", name="Machine Nursery", level=1).wait_for()
    assert page.title().startswith("Machine Nursery")
    assert page.evaluate("document.activeElement.tagName") == "MAIN"
    assert not paused(page)


def test_what_was_heard_is_found_again_after_a_reload(visits: Visits, world: World) -> None:
    page = visits.open(f"{world.recording(VOUS)}#t=7")
    page.get_by_role("main").get_by_role("button", name="Play").click()
    wait_until_played(page, 7.1)
    page.keyboard.press("Space")
    page.goto("/credits")
    page.get_by_role("region", name="Player").get_by_role("link", name="Ah ! vous dirai-je, maman").wait_for()
    page.wait_for_function("() => document.querySelector('#player audio').currentTime > 7")
    assert paused(page)


def test_audio_that_is_refused_is_said_so(visits: Visits, world: World) -> None:
    page = visits.visit()
    page.route("**/audio/*", lambda route: route.fulfill(status=451))
    page.goto(world.recording(FRERE))
    page.get_by_role("main").get_by_role("button", name="Play").click()
    page.get_by_role("region", name="Player").get_by_text("This cannot be played here.", exact=True).wait_for()
    visits.forgive("451")


def test_a_site_that_no_longer_answers_is_said_so(visits: Visits) -> None:
    page = visits.open("/search")
    page.route("**/search.json*", lambda route: route.abort())
    page.get_by_role("searchbox", name="Search").fill("alouette")
    page.get_by_text("The archive does not answer").wait_for()
    visits.forgive("ERR_FAILED")


def test_the_last_question_wins_when_answers_overtake_each_other(visits: Visits) -> None:
    page = visits.open("/search")
    held: list[Any] = []
    page.route("**/search.json?q=alouette", lambda route: held.append(route))
    field = page.get_by_role("searchbox", name="Search")
    field.fill("alouette")
    page.wait_for_timeout(250)
    field.fill("jesus")
    results = page.get_by_role("list", name="Results")
    titled(results, "Jesus bleibet").wait_for()
    assert len(held) == 1
    assert titled(results, "Alouette").count() == 0


def audio_of(page: Any, world: World, told: Any) -> str:
    """The path of a recording's audio."""
    value = page.request.get(f"{world.recording(told)}.json").json()
    return str(value["files"][0]["audio"])


def titled(rows: Any, title: str) -> Any:
    """The link with a title in a list of recordings, not the sign beside it that plays."""
    return rows.locator("a.hit-title", has_text=title)


def tab_to(page: Any, selector: str, most: int = 60) -> None:
    """Press Tab until the focus is on what the selector names, and check that one can see it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            ring = "(({outlineStyle, outlineWidth}) => outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2)"
            assert page.evaluate(f"{ring}(getComputedStyle(document.activeElement))"), "the focus is not to be seen"
            return
    raise AssertionError(f"Tab does not lead to {selector}")
