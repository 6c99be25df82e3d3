from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fonoteca.site.ranges import Unsatisfiable, parse
from simulators.browser import ask
from simulators.tiny_edition import Published
from simulators.tiny_site import ELISE

pytestmark = pytest.mark.core


@pytest.mark.parametrize(("header", "span"), [
    (None, None), ("bytes=0-0", (0, 0)), ("bytes=0-99", (0, 99)), ("bytes=0-1000", (0, 99)), ("bytes=99-", (99, 99)),
    ("bytes=-1", (99, 99)), ("bytes=-1000", (0, 99)), ("BYTES=5-6", (5, 6)), ("items=0-1", None), ("bytes=x", None),
    ("bytes=5-4", None), ("bytes=", None), ("bytes=--1", None), ("bytes=1-2-3", None),
])  # fmt: skip
def test_one_range_or_the_whole(header: str | None, span: tuple[int, int] | None) -> None:
    assert parse(header, 100) == span


@pytest.mark.parametrize("header", [
    "bytes=100-", "bytes=100-200", "bytes=-0", "bytes=0-1,3-4", "bytes=0-0," * 10_000, "bytes=" + "0" * 300 + "-",
])  # fmt: skip
def test_ranges_that_nobody_gets(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        parse(header, 100)


@given(st.text(max_size=50), st.integers(0, 1000))
def test_a_span_lies_inside(header: str, length: int) -> None:
    try:
        span = parse("bytes=" + header, length)
    except Unsatisfiable:
        return
    assert span is None or 0 <= span[0] <= span[1] < length


def test_ten_thousand_ranges_are_refused_within_50_ms(app: Any, published: Published) -> None:
    address = f"/audio/{published.sha256(ELISE)}"
    ask(app, address)
    start = time.process_time()
    answer = ask(app, address, {"range": "bytes=" + ",".join(f"{i}-{i + 1}" for i in range(10_000))})
    assert time.process_time() - start < 0.05
    assert (answer.status, answer.body) == (416, b"")


def test_audio_comes_out_of_the_pack_byte_for_byte(app: Any, published: Published) -> None:
    for piece in published.pieces:
        if piece.id in published.blobs:
            answer = ask(app, f"/audio/{published.sha256(piece)}")
            assert answer.body == published.blobs[piece.id]
            assert answer.headers["content-type"] == "audio/wav"
            assert answer.headers["accept-ranges"] == "bytes"
            assert answer.headers["cache-control"] == "no-cache"
            assert answer.headers["content-disposition"].startswith("inline; filename*=UTF-8''")


@pytest.mark.parametrize("header", ["bytes=0-0", "bytes=100-4999", "bytes=-7", "bytes=16000-"])
def test_a_player_seeks(app: Any, published: Published, header: str) -> None:
    data = published.blobs[ELISE.id]
    answer = ask(app, f"/audio/{published.sha256(ELISE)}", {"range": header})
    span = parse(header, len(data))
    assert span is not None
    assert answer.status == 206
    assert answer.body == data[span[0] : span[1] + 1]
    assert answer.headers["content-range"] == f"bytes {span[0]}-{span[1]}/{len(data)}"
    assert answer.headers["content-length"] == str(len(answer.body))


def test_conditions(app: Any, published: Published) -> None:
    address = f"/audio/{published.sha256(ELISE)}"
    etag = ask(app, address).headers["etag"]
    assert etag == f'"{published.sha256(ELISE)}"'
    assert ask(app, address, {"range": "bytes=0-1", "if-range": etag}).status == 206
    assert ask(app, address, {"range": "bytes=0-1", "if-range": '"other"'}).status == 200
    assert ask(app, address, {"range": "bytes=0-1", "if-range": "Tue, 24 Nov 2026 12:00:00 GMT"}).status == 200
    unchanged = ask(app, address, {"if-none-match": f'"x", {etag}'})
    assert (unchanged.status, unchanged.body) == (304, b"")
    assert "content-length" not in unchanged.headers
    outside = ask(app, address, {"range": "bytes=99999999-"})
    assert outside.status == 416
    assert outside.headers["content-range"] == f"bytes */{len(published.blobs[ELISE.id])}"
