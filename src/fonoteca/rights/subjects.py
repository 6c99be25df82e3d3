"""Which recordings a person means: an id of ours, ``isrc:…``, ``mbid:…``, ``sha256:…``, ``fma:…``, or a release."""

from __future__ import annotations

from fonoteca.core.errors import Failed, Usage
from fonoteca.core.ids import Kind, parse_id, show_id
from fonoteca.rights.of_archive import Rights


def recordings_of(rights: Rights, words: str) -> list[int]:
    """Ids of the recordings that the words name, ascending; a release stands for all its recordings.

    Raises:
        Failed: nothing of that name is here (``unknown-id``).
        Usage: an artist (``not-a-recording``), or no form of an id (``bad-id``).
    """
    found = _blob(rights, words) or _named(rights, words) or _withdrawn(rights, words)
    if not found:
        raise Failed("unknown-id", "Nothing was found", f"no recording here is named {words!r}",
                     "'fonoteca search' finds ids; isrc:…, mbid:…, sha256:… and SOURCE:KEY are understood too",
                     words)  # fmt: skip
    return sorted(found)


def _blob(rights: Rights, words: str) -> set[int]:
    scheme, _, value = words.strip().partition(":")
    if scheme.lower() != "sha256":
        return set()
    return {h.recording for h in rights.holdings.holdings() if h.blob == value.strip().lower()}


def _named(rights: Rights, words: str) -> set[int]:
    if rights.catalogue is None:
        return set()
    found: set[int] = set()
    for kind, value in rights.catalogue.resolve(words):
        if kind is Kind.ARTIST:
            raise Usage("not-a-recording", "Nothing was done", f"{words} is an artist",
                        "name recordings or releases: 'fonoteca show' lists them", words)  # fmt: skip
        found |= {value} if kind is Kind.RECORDING else _on_release(rights, value)
    return found


def _on_release(rights: Rights, release: int) -> set[int]:
    assert rights.catalogue is not None
    rows = rights.catalogue.select("SELECT DISTINCT recording_id FROM tracks WHERE release_id = ?", [release])
    return {row["recording_id"] for row in rows}


def _withdrawn(rights: Rights, words: str) -> set[int]:
    """A recording that left the catalogue can still be restored, or explained, by its id."""
    try:
        kind, value = parse_id(words)
    except ValueError:
        return set()
    known = rights.log.current().in_force()
    return {value} if kind is Kind.RECORDING and show_id(kind, value) in known else set()
