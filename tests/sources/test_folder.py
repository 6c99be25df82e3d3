"""A folder of audio: the contract with a probe that reads facts from the file itself, and tags as they come."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from contracts.source_contract import Case, SourceContract
from fonoteca.audio.facts import AudioFacts, AudioRefused
from fonoteca.sources.folder import Folder, from_tags
from fonoteca.sources.records import Credit, Dump, Record, RecordingRecord, Refused, ReleaseRecord, TrackRecord

pytestmark = pytest.mark.core


def facts(**tags: str | list[str]) -> AudioFacts:
    listed = {k: v if isinstance(v, list) else [v] for k, v in tags.items()}
    return AudioFacts("ogg", "vorbis", "audio/ogg", "ogg", 96_000, 44_100, 2, 30_000, 1_323_000, listed)


def simulated(path: Path) -> AudioFacts:
    """Files hold their tags as JSON; anything else is no audio."""
    try:
        return facts(**json.loads(path.read_bytes()))
    except ValueError:
        raise AudioRefused("not-audio", "it is no audio") from None


def put(folder: Path, name: str, **tags: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tags))
    return hashlib.sha256(path.read_bytes()).hexdigest()


class TestContract(SourceContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        folder = tmp_path / "music"
        one = put(folder, "b/1.ogg", title="One", artist="A", album="X", tracknumber="1/2")
        two = put(folder, "a/2.ogg", title="Two\x00", artist="A", album="X", isrc="nonsense", date="2008-13")
        put(folder, "b/copy of 1.ogg", title="One", artist="A", album="X", tracknumber="1/2")
        (folder / "b" / "3.ogg").write_bytes(b"RIFF?")
        (folder / "b" / "cover.jpg").write_bytes(b"\xff\xd8")
        (folder / ".hidden").write_bytes(b"")
        return Case(Folder(simulated), Dump([folder]), 4, [two, one], 1, ["not-audio"])


def read(folder: Path) -> list[Record]:
    return list(Folder(simulated).records(Dump([folder])))


def test_links_are_not_followed_and_companions_are_counted(tmp_path: Path) -> None:
    put(tmp_path / "music", "1.ogg", title="One")
    outside = tmp_path / "outside"
    put(outside, "2.ogg", title="Two")
    (tmp_path / "music" / "link").symlink_to(outside)
    (tmp_path / "music" / "link.ogg").symlink_to(outside / "2.ogg")
    (tmp_path / "music" / "notes.txt").write_text("x")
    assert [r.title for r in read(tmp_path / "music") if isinstance(r, RecordingRecord)] == ["One"]
    assert Folder().warnings(Dump([tmp_path / "music"])) == [
        "1 files that are no audio by their names were passed over"
    ]


def test_a_file_that_goes_away_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "1.ogg", title="One")

    def gone(path: Path) -> AudioFacts:
        raise FileNotFoundError(2, "No such file or directory", str(path))

    (refusal,) = Folder(gone).records(Dump([tmp_path]))
    assert isinstance(refusal, Refused)
    assert refusal.code == "unreadable-file"


def test_tags_give_recording_release_and_place() -> None:
    recording, release, track = from_tags("k", "p", facts(
        title="T", artist=["A", "B"], composer="C", album="X", albumartist="V", tracknumber="3/12", discnumber="2",
        date="2008-05-01", genre=["g"], isrc="it-j04-01-00240", license="http://creativecommons.org/licenses/by/4.0/",
        copyright="2008 A, https://creativecommons.org/licenses/by-sa/3.0/",
        musicbrainz_recordingid="8f3471b5-7e6a-48da-86a9-c1c07a0f47ae",
    ))  # fmt: skip
    assert isinstance(recording, RecordingRecord)
    assert recording.credits == (Credit("A", joined_by=", "), Credit("B"), Credit("C", None, "composer"))
    assert recording.identifiers == (("isrc", "ITJ040100240"), ("mbid", "8f3471b5-7e6a-48da-86a9-c1c07a0f47ae"))
    assert [c.url for c in recording.claims] == [
        "http://creativecommons.org/licenses/by/4.0/",
        "https://creativecommons.org/licenses/by-sa/3.0/",
    ]
    assert (recording.duration_ms, recording.year, recording.genres) == (30_000, 2008, ("g",))
    assert isinstance(release, ReleaseRecord)
    assert (release.title, release.date, release.credits) == ("X", "2008-05-01", (Credit("V"),))
    assert isinstance(track, TrackRecord)
    assert (track.disc, track.number) == (2, 3)


def test_a_copyright_line_without_an_address_is_no_claim() -> None:
    (recording,) = from_tags("k", "p", facts(title="T", copyright="(c) 2008 someone, all rights reserved"))
    assert isinstance(recording, RecordingRecord)
    assert recording.claims == ()


def test_real_files_through_the_real_probe(shared_data: Path) -> None:
    folder = shared_data / "audio" / "beatgame"
    found = list(Folder().records(Dump([folder])))
    recordings = [r for r in found if isinstance(r, RecordingRecord)]
    assert "The Courtyard" in {r.title for r in recordings}
    assert all(len(r.key) == 64 and r.duration_ms for r in recordings)
