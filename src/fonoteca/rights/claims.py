"""All claims, ready to be pooled for one holding: its recording's, its releases' and its blob's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from fonoteca.core.ids import Kind, show_id
from fonoteca.formats.claim import Claim, SubjectKind


class ClaimIndex:
    """Claims by subject, and the releases of each recording.

    Args:
        claims: of recordings, releases and blobs, from the catalogue and from the ledger of holdings.
        releases: recording id → ids of the releases on which it stands.
    """

    def __init__(self, claims: Iterable[Claim], releases: Mapping[int, Sequence[int]]) -> None:
        self._by_subject: dict[tuple[str, str], list[Claim]] = defaultdict(list)
        self._releases = releases
        for claim in claims:
            self._by_subject[claim.kind, claim.subject].append(claim)

    def of(self, recording: int, blob: str = "") -> list[Claim]:
        """The claims that count for one holding, sorted, each once."""
        found = set(self._get(SubjectKind.RECORDING, show_id(Kind.RECORDING, recording)))
        for release in self._releases.get(recording, ()):
            found.update(self._get(SubjectKind.RELEASE, show_id(Kind.RELEASE, release)))
        if blob:
            found.update(self._get(SubjectKind.BLOB, blob))
        return sorted(found)

    def _get(self, kind: SubjectKind, subject: str) -> list[Claim]:
        return self._by_subject.get((kind.value, subject), [])
