"""The site on a real socket of this machine."""

from __future__ import annotations

import json
import socket
import urllib.request

import pytest

from fonoteca.core.errors import Failed, Usage
from fonoteca.site import server
from fonoteca.site.app import SiteData, create_app
from simulators.tiny_edition import Published
from simulators.tiny_site import ELISE

pytestmark = pytest.mark.core


def test_it_answers_over_http(data: SiteData, published: Published) -> None:
    with server.running(create_app(data)) as url:
        with urllib.request.urlopen(url + "search.json?q=elise", timeout=10) as answer:
            assert json.load(answer)["hits"][0]["id"] == ELISE.id
        request = urllib.request.Request(url + f"audio/{published.sha256(ELISE)}", headers={"Range": "bytes=4-11"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert (answer.status, answer.read()) == (206, published.blobs[ELISE.id][4:12])


def test_a_port_in_use() -> None:
    with server.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Failed) as told:
            server.listen("127.0.0.1", port)
    assert told.value.code == "port-in-use"
    assert "--port" in told.value.remedy


@pytest.mark.parametrize("host", ["no such host", "192.0.2.1", "a" * 300, "x\u0000y"])
def test_an_address_that_is_not_ours(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda h, *a, **k: real(h, *a, **(k | {"flags": socket.AI_NUMERICHOST})))
    with pytest.raises(Usage) as told:
        server.listen(host, 0)
    assert told.value.code == "bad-host"


def test_urls() -> None:
    for host, shown in (("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1")):
        with server.listen(host, 0) as listening:
            assert server.url_of(listening).startswith(f"http://{shown}:")
