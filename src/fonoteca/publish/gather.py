"""The state of an archive, gathered as values for planning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fonoteca.archive.holdings import Holdings
from fonoteca.catalogue import coverage, generation
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.query import Catalogue
from fonoteca.core.errors import NoArchive
from fonoteca.core.layout import ArchiveLayout
from fonoteca.core.settings import Settings
from fonoteca.formats.claim import SubjectKind
from fonoteca.formats.withdrawals import WithdrawalList
from fonoteca.publish.inputs import Limits
from fonoteca.publish.torrents import Addresses
from fonoteca.publish.workshop import Covers
from fonoteca.publish.world import Options, World
from fonoteca.rights.gate import Gate


def world(
    layout: ArchiveLayout, holdings: Holdings, catalogue: Catalogue, gate: Gate, withdrawals: WithdrawalList
) -> World:
    """All that an edition follows from. The caller holds the archive's writer lock, so that nothing moves."""
    return World(
        tuple(holdings.holdings()), tuple(gate.verdicts()), listens(catalogue), addresses(catalogue),
        generation.load(Places.of(layout)), withdrawals,
        tuple(sorted({c for c in holdings.claims() if c.kind == SubjectKind.BLOB.value})),
    )  # fmt: skip


def required(catalogue: Catalogue | None, layout: ArchiveLayout) -> Catalogue:
    """The catalogue, if there is one.

    Raises:
        NoArchive: ``no-catalogue``: nothing was ingested or taken in yet.
    """
    if catalogue is None:
        raise NoArchive("no-catalogue", "There is nothing to publish yet", f"{layout.catalogue} has no generation",
                        "take in audio first: fonoteca intake FOLDER --claims CLAIMS.csv",
                        str(layout.catalogue))  # fmt: skip
    return catalogue


def listens(catalogue: Catalogue) -> dict[int, int | None]:
    """Listens of every recording; None where no source knows them."""
    found: dict[int, int | None] = dict.fromkeys(catalogue.recording_ids().to_pylist())
    table = catalogue.table("popularity").select(["recording_id", "listens"])
    found.update(zip(table["recording_id"].to_pylist(), table["listens"].to_pylist(), strict=True))
    return found


def addresses(catalogue: Catalogue) -> dict[int, str]:
    """Recording → its first address on the web by text order, where a source gives one."""
    rows = catalogue.select(
        "SELECT entity_id, min(value) AS address FROM identifiers WHERE scheme = 'url' AND kind = 'recording' "
        "AND starts_with(value, 'http') GROUP BY entity_id"
    )
    return {row["entity_id"]: row["address"] for row in rows}


def covers(catalogue: Catalogue) -> Covers:
    """Coverage of an edition, by the catalogue's own reckoning."""

    def reckon(held: frozenset[int], published: frozenset[int]) -> Mapping[str, Any]:
        return coverage.coverage(catalogue, held, published).as_json()

    return reckon


def options(settings: Settings) -> Options:
    """The settings that decide what an edition is. Raises ValueError for a piece length that BEP 52 forbids."""
    limits = Limits(settings.number("publish.pack_size"), settings.number("publish.volume_size"),
                    settings.number("publish.piece_length"))  # fmt: skip
    at = Addresses(settings.text("publish.base_url"), settings.list("publish.trackers"))
    return Options(limits, at, settings.text("publish.name"), settings.flag("publish.nc_snapshot"))
