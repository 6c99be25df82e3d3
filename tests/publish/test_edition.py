from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from fonoteca.core.errors import Failed
from fonoteca.core.layout import PublicationLayout
from fonoteca.formats import manifest
from fonoteca.formats.manifest import Edition
from fonoteca.formats.tables import PUBLISHED
from fonoteca.publish.edition import Draft, own_notes

pytestmark = pytest.mark.core


def _filled(publication: PublicationLayout) -> Draft:
    draft = Draft.begin(publication, 1)
    for name, schema in PUBLISHED.items():
        draft.table(name, schema.empty_table(), own_notes(schema.names, ["us"], ["CC0-1.0"]))
    draft.torrents([], 1)
    return draft


def test_nothing_is_there_until_everything_is(tmp_path: Path) -> None:
    publication = PublicationLayout(tmp_path)
    draft = _filled(publication)
    assert publication.edition_numbers() == []
    made = Edition(1, "2026-11-24T12:00:00Z", None, "0" * 64, {}, {}, draft.files(), ())
    folder = draft.publish(publication, made)
    assert publication.edition_numbers() == [1]
    assert sorted(p.name for p in publication.editions.iterdir()) == ["0001"]
    again = manifest.parse((folder / "edition.json").read_bytes())
    assert again == made
    for ref in again.files:
        assert hashlib.sha256((folder / ref.path).read_bytes()).hexdigest() == ref.sha256


def test_a_draft_that_was_left_is_begun_anew(tmp_path: Path) -> None:
    publication = PublicationLayout(tmp_path)
    (_filled(publication).folder / "stray").write_bytes(b"x")
    assert Draft.begin(publication, 1).files() == ()


def test_an_edition_is_never_replaced(tmp_path: Path) -> None:
    publication = PublicationLayout(tmp_path)
    made = Edition(1, "2026-11-24T12:00:00Z", None, "0" * 64, {}, {}, _filled(publication).files(), ())
    _filled(publication).publish(publication, made)
    with pytest.raises(Failed):
        _filled(publication).publish(publication, made)
