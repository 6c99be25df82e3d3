"""What ``show``, ``sql``, ``export`` and the Python API read: an archive's generation joined with holdings and
verdicts, or an edition.

The catalogue knows nothing of holdings, and the gate's rules nothing of the catalogue: here they meet.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from fonoteca.archive.holdings import Holdings
from fonoteca.archive.records import Holding, Place
from fonoteca.catalogue.engine import DEFAULT, Engine
from fonoteca.catalogue.query import Catalogue
from fonoteca.catalogue.rows import Rows
from fonoteca.core.errors import Failed
from fonoteca.core.ids import Kind, make_id, show_id
from fonoteca.core.layout import ArchiveLayout, PublicationLayout
from fonoteca.rights.of_archive import Rights
from fonoteca.rights.policy import Verdict
from fonoteca.rights.withdrawals import WithdrawalLog

_I64, _STR = pa.int64(), pa.string()
HOLDINGS = pa.schema([
    ("recording", _I64), ("blob", _STR), ("bytes", _I64), ("mime", _STR), ("codec", _STR), ("container", _STR),
    ("bit_rate", _I64), ("sample_rate", _I64), ("channels", _I64), ("duration_ms", _I64), ("title", _STR),
    ("artist", _STR), ("release", _STR), ("path", _STR), ("origin", _STR), ("recipe", _STR),
])  # fmt: skip
VERDICTS = pa.schema([
    ("recording", _I64), ("blob", _STR), ("state", _STR), ("reason", _STR), ("class", _STR),
])  # fmt: skip
_GIVEN = "verdicts"
_MERGES = "musicbrainz"
"""The source that gives up identifiers when it merges what they name, and remembers them."""


class Joined:
    """A catalogue, and what the archive holds, claims and says of its recordings; all empty for an edition."""

    def __init__(self, catalogue: Catalogue, rights: Rights | None = None) -> None:
        self.catalogue = catalogue
        self._rights = rights
        self._judged = rights is None
        if rights is not None:
            catalogue.give("holdings", _table([h.as_json() for h in self.holdings], HOLDINGS))
            catalogue.give(_GIVEN, VERDICTS.empty_table())

    @functools.cached_property
    def holdings(self) -> Sequence[Holding]:
        """What the archive holds."""
        return self._rights.holdings.holdings() if self._rights else ()

    @functools.cached_property
    def verdicts(self) -> Sequence[Verdict]:
        """The gate's verdict on every holding: a look at the claims of all of them."""
        return self._rights.gate().verdicts() if self._rights and self.holdings else ()

    def sql(self, query: str) -> Rows:
        """As :meth:`Catalogue.sql`; the gate is asked first where the query names its verdicts."""
        if not self._judged and _GIVEN in query.lower():
            self.catalogue.give(_GIVEN, _table([_verdict_row(v) for v in self.verdicts], VERDICTS))
            self._judged = True
        return self.catalogue.sql(query)

    def named(self, words: str) -> dict[str, Any]:
        """The object of ``show`` for the first entity that the words name; ``others`` has the ids of the rest.

        Raises:
            Failed: ``unknown-id``: there is none.
            Usage: ``bad-id``: no form of identifier.
        """
        found = self.catalogue.resolve(words)
        if not found:
            raise Failed("unknown-id", "There is nothing to show", f"nothing here is called {words}",
                         f"'fonoteca search {words.partition(':')[2] or words}' may find it", words)  # fmt: skip
        value = self.show(*found[0])
        value["others"] = [show_id(kind, entity) for kind, entity in found[1:]]
        return value

    def show(self, kind: Kind, entity: int) -> dict[str, Any]:
        """The object of ``show``."""
        found = self.catalogue.show(kind, entity)
        found["redirects"] = _redirects(kind, entity, found["identifiers"])
        if self._rights is None or found["kind"] != "recording":
            return found
        held = [h for h in self.holdings if h.recording == entity]
        places, blobs = self._places(), {h.blob for h in held}
        found["holdings"] = [h.as_json() for h in held]
        found["claims"] += [c.as_json() for c in self._rights.holdings.claims() if c.subject in blobs]
        found["locator"] = [_place(places[h.blob], h) for h in held if h.blob in places]
        verdicts = [v.as_json() for v in self._rights.gate([entity]).verdicts()] if held else []
        if verdicts:
            found["verdict"] = next((v for v in verdicts if v["state"] == "cleared"), verdicts[0])
        return found

    def _places(self) -> Mapping[str, Place]:
        return self._rights.holdings.places() if self._rights else {}


def _redirects(kind: Kind, entity: int, identifiers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Old MBIDs that lead here: those that MusicBrainz gives this entity, and that are not its own."""
    told = {i["value"] for i in identifiers if i["scheme"] == "mbid" and i["source"] == _MERGES}
    return sorted(mbid for mbid in told if make_id(kind, _MERGES, mbid) != entity)


@contextlib.contextmanager
def open_joined(
    layout: ArchiveLayout | PublicationLayout, policy: str, edition: int | None = None, engine: Engine = DEFAULT
) -> Iterator[Joined]:
    """An archive as it is now, or an edition: of a publication, or where a number is given.

    Args:
        layout: of the archive, or of the publication.
        policy: ``all`` or ``free``, for the verdicts of an archive.
        edition: its number; the newest of a publication where None.
        engine: limits of memory and threads.

    Raises:
        NoArchive: ``no-catalogue``, ``no-edition``.
        Damaged: the manifest, the ledger of holdings or the log of withdrawals is.
    """
    publication = layout if isinstance(layout, PublicationLayout) else layout.publication
    if edition is not None or not isinstance(layout, ArchiveLayout):
        with Catalogue.open_edition(publication, edition, engine=engine) as catalogue:
            yield Joined(catalogue)
        return
    with Catalogue.open(layout, engine=engine) as catalogue:
        yield Joined(catalogue, Rights(Holdings.open(layout), catalogue, WithdrawalLog(layout), policy))


def _place(place: Place, holding: Holding) -> dict[str, Any]:
    """Where the archive keeps a published blob: the fields of an edition's locator, as far as the ledger has them."""
    return {
        "recording_id": holding.recording, "blob_sha256": place.blob, "pack": place.pack, "revision": place.revision,
        "volume": place.volume, "offset": place.offset, "bytes": holding.bytes, "mime": holding.mime,
        "codec": holding.codec, "bit_rate": holding.bit_rate, "recipe": holding.recipe,
    }  # fmt: skip


def _verdict_row(verdict: Verdict) -> dict[str, Any]:
    return {
        "recording": verdict.recording, "blob": verdict.blob, "state": verdict.state,
        "reason": verdict.reasons[0].code if verdict.reasons else None, "class": verdict.permit_class or None,
    }  # fmt: skip


def _table(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([{name: row[name] for name in schema.names} for row in rows], schema=schema)
