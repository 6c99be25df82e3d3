"""The signed metadata as it lies on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from fonoteca.archive.signed import check
from simulators.tiny_publication import TinyPublisher

pytestmark = pytest.mark.core


@pytest.fixture
def publisher(tmp_path: Path) -> TinyPublisher:
    """A publication with two editions."""
    made = TinyPublisher(tmp_path / "pub", tmp_path / "keys")
    made.add(1000)
    made.publish()
    made.add(2000)
    made.publish()
    return made


def test_what_was_signed_is_vouched_for(publisher: TinyPublisher) -> None:
    signed = check(publisher.layout, publisher.layout.root)
    assert signed.findings == []
    assert {"editions/0001/edition.json", "editions/0002/edition.json", "withdrawals/withdrawals.json"} <= set(
        signed.targets
    )


def test_another_signature_version_or_text_is_found_and_named(publisher: TinyPublisher) -> None:
    folder = publisher.layout.metadata
    live = ["timestamp.json", *(max(p.name for p in folder.glob(f"*.{role}.json"))
                                for role in ("root", "snapshot", "targets", "withdrawals"))]  # fmt: skip
    for name in live:
        data = (folder / name).read_bytes()
        for old, new in ((b'"version": ', b'"version":  '), (b'"sig": "', b'"sig": "00'), (b"{", b"[")):
            (folder / name).write_bytes(data.replace(old, new, 1))
            found = {f.path for f in check(publisher.layout, publisher.layout.root).findings}
            assert f"metadata/{name}" in found, (name, old)
        (folder / name).unlink()
        assert check(publisher.layout, publisher.layout.root).findings
        (folder / name).write_bytes(data)
    assert check(publisher.layout, publisher.layout.root).findings == []


def test_a_folder_that_was_never_signed_says_nothing(tmp_path: Path) -> None:
    from fonoteca.core.layout import PublicationLayout

    signed = check(PublicationLayout(tmp_path), tmp_path)
    assert (signed.targets, signed.findings) == ({}, [])
