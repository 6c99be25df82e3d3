"""Settings: each layer wins over the next, and says where a value came from."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import fonoteca, ok

pytestmark = pytest.mark.core


def origin(name: str, cwd: Path, variables: dict[str, str] | None = None) -> tuple[object, str]:
    found = ok("config", "--origin", "--json", cwd=cwd, variables=variables).json["settings"][name]
    return found["value"], found["origin"]


def test_environment_wins_over_archive_file_over_user_file_over_default(tmp_path: Path) -> None:
    archive, user = tmp_path / "archive", tmp_path / "xdg"
    archive.mkdir()
    (user / "fonoteca").mkdir(parents=True)
    variables = {"XDG_CONFIG_HOME": str(user)}
    assert origin("serve.port", archive, variables) == (8765, "default")
    (user / "fonoteca" / "fonoteca.toml").write_text("serve.port = 1001\n")
    assert origin("serve.port", archive, variables) == (1001, str(user / "fonoteca" / "fonoteca.toml"))
    (archive / "fonoteca.toml").write_text("[serve]\nport = 1002\n")
    assert origin("serve.port", archive, variables) == (1002, str(archive / "fonoteca.toml"))
    assert origin("serve.port", archive, variables | {"FONOTECA_SERVE_PORT": "1003"}) == (1003, "FONOTECA_SERVE_PORT")


def test_sizes_are_written_as_people_write_them(tmp_path: Path) -> None:
    assert origin("publish.pack_size", tmp_path, {"FONOTECA_PUBLISH_PACK_SIZE": "64MiB"})[0] == 64 << 20


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("serve.prt = 1\n", "unknown-setting"),
        ("serve.port = 'many'\n", "bad-setting"),
        ("serve.port = -1\n", "bad-setting"),
        ("publish.trackers = 3\n", "bad-setting"),
        ("= broken\n", "bad-settings-file"),
        ("a" * 10 + "[" * 5000, "bad-settings-file"),
    ],
)
def test_a_wrong_setting_names_itself_and_the_remedy(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "fonoteca.toml").write_text(text)
    ran = fonoteca("config", "--json", cwd=tmp_path)
    assert ran.code == 2
    assert ran.json["code"] == code
    assert ran.json["remedy"]


def test_a_near_miss_is_named(tmp_path: Path) -> None:
    (tmp_path / "fonoteca.toml").write_text("serve.prt = 1\n")
    assert "serve.port" in fonoteca("config", "--json", cwd=tmp_path).json["remedy"]
