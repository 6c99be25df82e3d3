"""The site's own files: what pages and scripts name is there, and is asked for again only when it changed."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import PurePosixPath
from typing import Any

import pytest

from simulators.browser import PAGE, ask

pytestmark = pytest.mark.core
FILES = sorted(f.name for f in (resources.files("fonoteca.site") / "static").iterdir())


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_served_and_revalidated(app: Any, name: str) -> None:
    answer = ask(app, f"/static/{name}")
    assert answer.status == 200
    kinds = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
    assert answer.headers["content-type"].startswith(kinds[PurePosixPath(name).suffix])
    again = ask(app, f"/static/{name}", {"if-none-match": answer.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


def test_what_pages_and_scripts_name_is_there(app: Any) -> None:
    named = set(re.findall(r"/static/([^\"]+)\"", ask(app, "/", PAGE).text))
    for name in FILES:
        if name.endswith(".js"):
            named |= set(re.findall(r"from \"\./([^\"]+)\"", ask(app, f"/static/{name}").text))
    assert named == set(FILES)


def test_scripts_make_no_markup_from_text(app: Any) -> None:
    """Titles come from anybody: scripts set them as text, never as HTML."""
    for name in FILES:
        if name.endswith(".js"):
            text = ask(app, f"/static/{name}").text
            assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|https?://", text), (
                name
            )


def test_every_page_has_what_a_player_and_a_screen_reader_need(app: Any) -> None:
    html = ask(app, "/search?q=elise", PAGE).text
    for part in (
        '<section id="player" class="bar" aria-label="Player" hidden>', '<nav class="places" aria-label="Archive">',
        'role="list" aria-label="Results"', '<label class="unseen" for="q">Search</label>',
        'aria-label="Play Für Elise"',
        'aria-label="Position"', 'aria-live="polite"',
    ):  # fmt: skip
        assert part in html, part


def test_right_to_left_titles_stay_at_the_start_of_the_row(app: Any) -> None:
    for address in ("/", "/search?q=elise"):
        html = ask(app, address, PAGE).text
        assert 'dir="auto"' not in html and "<bdi>Für Elise</bdi>" in html
