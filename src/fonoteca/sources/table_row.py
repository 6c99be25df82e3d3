"""One row of a table → records, as the mapping says."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from fonoteca.core import canonical
from fonoteca.sources import values
from fonoteca.sources.mapping import Mapping
from fonoteca.sources.records import (
    ArtistRecord,
    ClaimRecord,
    ClaimText,
    Credit,
    Record,
    RecordingRecord,
    Ref,
    ReleaseRecord,
    Signal,
    SignalRecord,
    TrackRecord,
)
from fonoteca.sources.rows import Row
from fonoteca.sources.seen import Seen, joined_key


class RowReader:
    """Reads rows of one file. ``seen`` may be shared between the files of a dump."""

    def __init__(self, mapping: Mapping, seen: Seen) -> None:
        self._map = mapping
        self._seen = seen
        self._releases: set[str] = set()
        self._artists: set[str] = set()

    def records(self, row: Row) -> Iterator[Record]:
        """The row's records; one refusal or duplicate where it is not accepted."""
        flags: set[str] = set()
        key = self._key(row)
        if not key:
            yield row.refuse("no-key", f"its key ({', '.join(self._map.key) or 'recording'}) is empty")
            return
        again = self._seen.second(self._identity(row, key), row)
        if again is not None:
            yield again
        elif self._map.about == "recordings":
            yield from self._recording(row, key, flags)
        else:
            yield from self._reference(row, Ref(self._source(row), key), flags)

    def identity(self, row: Row) -> str | None:
        """Whom the row is about: rows of one identity are compared. None where the row does not say."""
        key = self._key(row)
        return self._identity(row, key) if key else None

    def _identity(self, row: Row, key: str) -> str:
        return key if self._map.about == "recordings" else f"{self._source(row)}\0{key}"

    def _get(self, row: Row, name: str) -> Any:
        column = self._map.columns.get(name)
        found = row.values.get(column) if column is not None else None
        return self._map.constants.get(name) if found in (None, "") else found

    def _source(self, row: Row) -> str:
        return str(self._get(row, "source") or self._map.source)

    def _key(self, row: Row) -> str | None:
        if self._map.key:
            parts = [values.key(row.values.get(c)) for c in self._map.key]
            return joined_key(parts) if any(parts) else None
        if self._map.about != "recordings":
            return values.key(self._get(row, "recording"))
        return row.digest()

    def _reference(self, row: Row, ref: Ref, flags: set[str]) -> Iterator[Record]:
        """Signals and claims about a recording of another source. A row that says neither is refused."""
        signals = self._signals(row, flags) if self._map.about == "signals" else []
        claims = self._claims(row, flags)
        if not signals and not claims:
            yield row.refuse("no-content", "the row has neither a count nor a licence that can be read")
            return
        for signal in signals:
            yield SignalRecord(ref, row.position, signal)
        for claim in claims:
            yield ClaimRecord(ref, row.position, claim)

    def _recording(self, row: Row, key: str, flags: set[str]) -> Iterator[Record]:
        credits_ = self._credits(row, "artist", flags)
        recording = RecordingRecord(
            key, row.position,
            title=values.text(self._get(row, "title"), flags),
            duration_ms=values.duration(self._get(row, "duration"), flags, self._map.duration_unit),
            year=values.year(self._get(row, "year"), flags),
            language=values.text(self._get(row, "language"), flags),
            credits=credits_,
            identifiers=self._identifiers(row, flags),
            genres=tuple(values.items(self._get(row, "genres"), self._map.list_separator, flags)),
            signals=tuple(self._signals(row, flags)),
            claims=tuple(self._claims(row, flags)),
        )  # fmt: skip
        track = self._track(row, key, credits_, flags)
        yield RecordingRecord(**{**vars(recording), "flags": tuple(sorted(flags))})
        yield from track
        yield from self._named_artists(row, credits_)

    def _named_artists(self, row: Row, credits_: tuple[Credit, ...]) -> Iterator[Record]:
        for credit in credits_:
            if credit.key and credit.key not in self._artists:
                self._artists.add(credit.key)
                yield ArtistRecord(credit.key, row.position, credit.name)

    def _credits(self, row: Row, field: str, flags: set[str]) -> tuple[Credit, ...]:
        separator = self._map.artist_separator
        names = values.items(self._get(row, field), separator, flags)
        keys = values.items(self._get(row, f"{field}_key"), separator or self._map.list_separator, flags)
        role = values.text(self._get(row, "artist_role"), flags) or "artist"
        pairs = list(zip_longest(names, keys[: len(names)]))
        return tuple(
            Credit(name, key, role, ", " if number < len(pairs) - 1 else "") for number, (name, key) in enumerate(pairs)
        )

    def _identifiers(self, row: Row, flags: set[str]) -> tuple[tuple[str, str], ...]:
        found: list[tuple[str, str]] = []
        readers = {"isrc": values.isrc, "mbid": values.mbid, "url": values.text}
        for scheme, read in readers.items():
            for part in values.items(
                self._get(row, scheme), "" if scheme == "url" else self._map.list_separator, flags
            ):
                value = read(part, flags)
                if value is not None and (scheme, value) not in found:
                    found.append((scheme, value))
        return tuple(found)

    def _signals(self, row: Row, flags: set[str]) -> list[Signal]:
        licence = self._map.signal_licence or self._map.licence
        found = []
        for kind, column in self._map.signals.items():
            value = values.number(row.values.get(column), flags, f"bad-{kind}")
            if value is not None:
                found.append(Signal(kind, value, licence, self._map.synthetic))
        return found

    def _claims(self, row: Row, flags: set[str]) -> list[ClaimText]:
        licence = values.text(self._get(row, "licence"), flags) or ""
        url = values.text(self._get(row, "licence_url"), flags) or ""
        evidence = values.text(self._get(row, "evidence"), flags) or ""
        return [ClaimText(licence, url, evidence)] if licence or url else []

    def _track(self, row: Row, key: str, credits_: tuple[Credit, ...], flags: set[str]) -> list[Record]:
        """The recording's place on its release, and the release where it comes up first."""
        title = values.text(self._get(row, "release"), flags)
        release = values.text(self._get(row, "release_key"), flags)
        if title is None and release is None:
            return []
        credited = self._credits(row, "release_artist", flags) or credits_
        release = release or canonical.digest([title, [c.name for c in credited]])
        found: list[Record] = []
        if release not in self._releases:
            self._releases.add(release)
            found.append(self._release(row, release, title, credited))
        disc, number = (values.count(self._get(row, name), flags) for name in ("disc", "track"))
        found.append(TrackRecord(release, key, row.position, disc, number))
        return found

    def _release(self, row: Row, key: str, title: str | None, credited: tuple[Credit, ...]) -> ReleaseRecord:
        flags: set[str] = set()
        date = values.date(self._get(row, "release_date"), flags)
        barcode = values.upc(self._get(row, "upc"), flags)
        return ReleaseRecord(
            key, row.position, title, int(date[:4]) if date else None, date,
            kind=values.text(self._get(row, "release_kind"), flags),
            label=values.text(self._get(row, "label"), flags),
            country=values.text(self._get(row, "country"), flags),
            credits=credited,
            identifiers=(("upc", barcode),) if barcode else (),
            flags=tuple(sorted(flags)),
        )  # fmt: skip
