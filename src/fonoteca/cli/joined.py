"""What ``show``, ``sql`` and ``export`` read: an archive's generation joined with holdings and verdicts, or an edition.

The catalogue knows nothing of holdings, and the rights gate nothing of the catalogue: here they meet.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fonoteca.cli.context import Context
from fonoteca.cli.policy import publication_policy
from fonoteca.core.layout import ArchiveLayout

if TYPE_CHECKING:
    import pyarrow as pa

    from fonoteca.archive.records import Holding, Place
    from fonoteca.catalogue.query import Catalogue
    from fonoteca.formats.claim import Claim
    from fonoteca.rights.policy import Verdict

_HOLDING_COLUMNS = (
    ("recording", "int64"), ("blob", "string"), ("bytes", "int64"), ("mime", "string"), ("codec", "string"),
    ("container", "string"), ("bit_rate", "int64"), ("sample_rate", "int64"), ("channels", "int64"),
    ("duration_ms", "int64"), ("title", "string"), ("artist", "string"), ("release", "string"), ("path", "string"),
    ("origin", "string"), ("recipe", "string"),
)  # fmt: skip
_VERDICT_COLUMNS = (
    ("recording", "int64"), ("blob", "string"), ("state", "string"), ("reason", "string"), ("class", "string"),
)  # fmt: skip


@dataclass(frozen=True)
class Joined:
    """A catalogue, and what the archive holds, claims and says of its recordings; all empty for an edition."""

    catalogue: Catalogue
    holdings: Sequence[Holding] = ()
    verdicts: Sequence[Verdict] = ()
    claims: Sequence[Claim] = ()
    places: Mapping[str, Place] = field(default_factory=dict)

    def show(self, kind: Any, entity: int) -> dict[str, Any]:
        """The object of ``show``."""
        found = self.catalogue.show(kind, entity)
        if self.catalogue.is_edition or found["kind"] != "recording":
            return found
        held = [h for h in self.holdings if h.recording == entity]
        blobs = {h.blob for h in held}
        found["holdings"] = [h.as_json() for h in held]
        found["claims"] += [c.as_json() for c in self.claims if c.subject in blobs]
        found["locator"] = [_place(self.places[h.blob], h) for h in held if h.blob in self.places]
        verdicts = [v.as_json() for v in self.verdicts if v.recording == entity]
        if verdicts:
            best = next((v for v in verdicts if v["state"] == "cleared"), verdicts[0])
            found["verdict"] = best
        return found


def edition_argument(parser: argparse.ArgumentParser) -> None:
    """The flag that chooses an edition instead of the generation that counts."""
    parser.add_argument("--edition", metavar="N", type=int, help="read this edition's snapshot")


@contextlib.contextmanager
def reading(context: Context, edition: int | None) -> Iterator[Joined]:
    """What the command reads: in a mirror, or with a number, an edition; else the archive as it is now.

    Raises:
        NoArchive: no archive, no catalogue or no such edition.
    """
    from fonoteca.archive.holdings import Holdings
    from fonoteca.catalogue.engine import Engine
    from fonoteca.catalogue.query import Catalogue
    from fonoteca.rights.of_archive import Rights
    from fonoteca.rights.withdrawals import WithdrawalLog

    layout = context.archive_or_mirror()
    engine = Engine.of(context.settings)
    if edition is not None or not isinstance(layout, ArchiveLayout):
        with Catalogue.open_edition(layout.publication, edition, engine=engine) as catalogue:
            yield Joined(catalogue)
        return
    with Catalogue.open(layout, engine=engine) as catalogue:
        rights = Rights(Holdings.open(layout), catalogue, WithdrawalLog(layout), publication_policy(context))
        holdings, verdicts = rights.holdings.holdings(), rights.gate().verdicts()
        catalogue.give("holdings", _table([h.as_json() for h in holdings], _HOLDING_COLUMNS))
        catalogue.give("verdicts", _table([_verdict_row(v) for v in verdicts], _VERDICT_COLUMNS))
        yield Joined(catalogue, holdings, verdicts, rights.holdings.claims(), rights.holdings.places())


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


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[tuple[str, str]]) -> pa.Table:
    import pyarrow as pa

    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in columns])
    return pa.Table.from_pylist([{name: row[name] for name, _ in columns} for row in rows], schema=schema)
