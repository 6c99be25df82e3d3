"""Settings: the nearest layer decides, its origin is kept, and a wrong value names where it stands."""

from __future__ import annotations

from typing import Any

import pytest

from fonoteca.core.errors import Usage
from fonoteca.core.settings import BY_NAME, TABLE, Layer, resolve

pytestmark = pytest.mark.core


def test_defaults_have_the_type_that_the_table_says() -> None:
    settings = resolve([])
    types = {"text": str, "size": int, "number": int, "flag": bool, "list": list}
    for setting in TABLE:
        assert isinstance(setting.default, types[setting.kind])
        assert settings.origin(setting.name).origin == "default"
    assert len(BY_NAME) == len(TABLE)


def test_every_setting_says_what_it_does_and_has_a_variable() -> None:
    for setting in TABLE:
        assert setting.help
        assert setting.variable == "FONOTECA_" + setting.name.replace(".", "_").upper()


def test_the_nearest_layer_decides() -> None:
    near, far = Layer("flag", {"serve.port": 1}), Layer("file", {"serve.port": 2, "serve.host": "::1"})
    settings = resolve([near, far])
    assert (settings.number("serve.port"), settings.text("serve.host")) == (1, "::1")
    assert settings.origin("serve.port").origin == "flag"
    assert settings.origin("serve.host").origin == "file"


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("publish.pack_size", "256MiB", 256 << 20),
        ("publish.pack_size", 1000, 1000),
        ("publish.pack_size", 1e9, 10**9),
        ("serve.port", "80", 80),
        ("publish.nc_snapshot", "yes", True),
        ("publish.nc_snapshot", "0", False),
        ("publish.nc_snapshot", True, True),
        ("publish.trackers", "http://a, http://b,", ["http://a", "http://b"]),
        ("publish.trackers", ["x", ""], ["x"]),
        ("publish.trackers", "", []),
        ("publish.name", "", ""),
    ],
)
def test_values_are_converted(name: str, raw: Any, value: Any) -> None:
    assert resolve([Layer("here", {name: raw})]).origin(name).value == value


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("publish.pack_size", "much"), ("publish.pack_size", -1), ("publish.pack_size", float("inf")),
        ("publish.pack_size", 1.5), ("serve.port", "eighty"), ("serve.port", True), ("serve.port", None),
        ("serve.port", float("nan")), ("publish.nc_snapshot", "maybe"), ("publish.nc_snapshot", 2),
        ("publish.trackers", 7), ("publish.trackers", [7]), ("publish.name", 7),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_with_its_origin(name: str, raw: Any) -> None:
    with pytest.raises(Usage) as caught:
        resolve([Layer("the-file.toml", {name: raw})])
    assert (caught.value.code, caught.value.subject) == ("bad-setting", name)
    assert "the-file.toml" in caught.value.why


def test_an_unknown_name_is_told_with_the_nearest_one() -> None:
    with pytest.raises(Usage) as caught:
        resolve([Layer("here", {"publish.pack_sise": 1})])
    assert caught.value.code == "unknown-setting"
    assert "publish.pack_size" in caught.value.remedy


def test_replaced_takes_names_of_the_table_only() -> None:
    settings = resolve([]).replaced(publish__piece_length=16_384)
    assert settings.number("publish.piece_length") == 16_384
    assert settings.origin("publish.piece_length").origin == "program"
    with pytest.raises(KeyError):
        settings.replaced(publish__nothing=1)
    with pytest.raises(KeyError):
        settings.text("no.such")
