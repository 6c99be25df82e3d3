from __future__ import annotations

from pathlib import Path

import pytest

from fonoteca.core.errors import Damaged
from fonoteca.core.layout import PublicationLayout
from fonoteca.publish import previous
from harness import ok
from simulators.small_archive import fresh

pytestmark = pytest.mark.core


def _publication(tmp_path: Path) -> PublicationLayout:
    archive = fresh(tmp_path)
    ok("--archive", archive, "publish", cwd=tmp_path)
    return PublicationLayout(archive / "publication")


def test_before_the_first_edition_there_is_none(tmp_path: Path) -> None:
    assert previous.load(PublicationLayout(tmp_path)) is None


def test_an_unfinished_folder_is_no_edition(tmp_path: Path) -> None:
    publication = _publication(tmp_path)
    (publication.editions / "0002").mkdir()
    (publication.editions / ".0002.partial").mkdir()
    found = previous.load(publication)
    assert found is not None
    assert found.edition.number == 1
    assert len(found.located) == 12
    assert {p.volume for p in found.packs} == {t.name for t in found.torrents if t.kind == "volume"}


@pytest.mark.parametrize("name", ["packs.parquet", "locator.parquet", "torrents.json"])
@pytest.mark.parametrize("how", ["flipped", "missing"])
def test_a_file_that_is_not_as_promised_stops_everything(tmp_path: Path, name: str, how: str) -> None:
    publication = _publication(tmp_path)
    path = publication.edition(1) / name
    data = path.read_bytes()
    path.unlink()
    if how == "flipped":
        path.write_bytes(data[:50] + bytes([data[50] ^ 1]) + data[51:])
    with pytest.raises(Damaged) as refused:
        previous.load(publication)
    assert refused.value.code == "edition-damaged"
    assert name in refused.value.why
