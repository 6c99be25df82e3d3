"""The tables of a MusicBrainz dump that are read: their columns as published (schema 31), and what is kept of them.

Columns stand in the order of the files. Where a table had other columns in an earlier schema, both lists are here,
and the number of columns of the file's own lines says which one holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SCHEMA = 31
"""The SCHEMA_SEQUENCE that these columns are of."""
KNOWN_SCHEMAS = range(28, SCHEMA + 1)
"""Schemas whose tables have these columns, or others of this module."""
FOLDER = "mbdump"

_LINKED = "id link entity0 entity1 edits_pending last_updated link_order entity0_credit entity1_credit"
_REDIRECT = "gid new_id created"
_DATES = ("date_year", "date_month", "date_day")


@dataclass(frozen=True)
class Table:
    """One file of the dump.

    Attributes:
        forms: lists of all columns, the published one first.
        kept: columns that are read → their type in SQL (``BIGINT``, ``UUID``, ``VARCHAR``).
        needed: those of them without which a line says nothing; they are never null.
        unique: keys, each of one or more of them, that no two rows share; none where a repeated row does no harm.
        says: columns without which a line says nothing, so that it is passed over in silence: unrated, not voted for.
        lack: what does not come where the dump has no such table.
    """

    name: str
    forms: tuple[tuple[str, ...], ...]
    kept: Mapping[str, str]
    needed: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...] = ()
    lack: str = ""
    says: tuple[str, ...] = ()

    @property
    def member(self) -> str:
        """The file's name in positions: ``mbdump/recording``."""
        return f"{FOLDER}/{self.name}"

    def form(self, widths: Mapping[int, int]) -> tuple[str, ...] | None:
        """The list with as many columns as the first lines have.

        A few odd lines among them do no harm. Where most lines have one number of columns that is in no list, the
        table is another one, whatever the others have.

        Args:
            widths: number of columns → how many lines have it.
        """
        usual = max(widths, key=lambda width: (widths[width], -width), default=0)
        known = {len(form): form for form in reversed(self.forms)}
        if usual not in known and widths.get(usual, 0) * 2 > sum(widths.values()):
            return None
        return known.get(max(known, key=lambda width: widths.get(width, 0))) if widths.keys() & known else None


def _table(
    name: str, columns: str | Sequence[str], kept: str, needed: str, *, unique: str = "", lack: str = "", says: str = ""
) -> Table:
    """``kept``: ``id gid:UUID name:VARCHAR``; without a type it is BIGINT."""
    forms = (columns,) if isinstance(columns, str) else columns
    types = (part.partition(":") for part in kept.split())
    return Table(name, tuple(tuple(form.split()) for form in forms),
                 {column: kind or "BIGINT" for column, _, kind in types}, tuple(needed.split()),
                 tuple(tuple(key.split("+")) for key in unique.split()), lack, tuple(says.split()))  # fmt: skip


_PERSON_DATES = " ".join(f"{end}_date_{part}" for end in ("begin", "end") for part in ("year", "month", "day"))
_ISRC = "id recording isrc {}edits_pending created"
_ISWC = "id work iswc {}edits_pending created"
_MEDIUM = "id release position format name edits_pending last_updated track_count"
_EVENT = " ".join(_DATES)
_NO_PAGES = "nothing names pages of other sources"

_CORE = (
    _table("recording", "id gid name artist_credit length comment edits_pending last_updated video",
           "id gid:UUID name:VARCHAR artist_credit length video:VARCHAR", "id gid", unique="id gid"),
    _table("track", "id gid recording medium position number name artist_credit length edits_pending last_updated "
           "is_data_track", "recording medium position name:VARCHAR is_data_track:VARCHAR", "recording medium",
           unique="medium+position",
           lack="recordings have no place on a release"),
    _table("medium", (_MEDIUM + " gid", _MEDIUM), "id release position", "id release",
           unique="id release+position",
           lack="recordings have no place on a release"),
    _table("release", "id gid name artist_credit release_group status packaging language script barcode comment "
           "edits_pending quality last_updated",
           "id gid:UUID name:VARCHAR artist_credit release_group status barcode:VARCHAR", "id gid", unique="id gid",
           lack="there are no releases, and recordings have no place on one"),
    _table("artist", f"id gid name sort_name {_PERSON_DATES} type area gender comment edits_pending last_updated ended "
           "begin_area end_area", "id gid:UUID name:VARCHAR sort_name:VARCHAR", "id gid name", unique="id gid",
           lack="artists are known by the names that credits give them, not by an id"),
    _table("artist_credit_name", "artist_credit position artist name join_phrase",
           "artist_credit position artist name:VARCHAR join_phrase:VARCHAR", "artist_credit position artist",
           unique="artist_credit+position", lack="nothing has credits of artists"),
    _table("isrc", (_ISRC.format(""), _ISRC.format("source ")), "recording isrc:VARCHAR", "recording isrc",
           lack="recordings have no ISRCs"),
    _table("release_group", "id gid name artist_credit type comment edits_pending last_updated", "id gid:UUID type",
           "id gid", unique="id", lack="releases have no kind"),
    _table("release_country", f"release country {_EVENT}", f"release country {_EVENT}", "release country",
           lack="releases have no country, and dates only where no country is known"),
    _table("release_unknown_country", f"release {_EVENT}", f"release {_EVENT}", "release",
           lack="releases without a country have no date"),
    _table("iso_3166_1", "area code", "area code:VARCHAR", "area code", lack="releases have no country"),
    _table("release_label", "id release label catalog_number last_updated",
           "id release label catalog_number:VARCHAR", "id release",
           lack="releases have no labels and no catalogue numbers"),
    _table("label", f"id gid name {_PERSON_DATES} label_code type area comment edits_pending last_updated ended",
           "id name:VARCHAR", "id name", unique="id", lack="releases have no labels"),
    _table("artist_isni", "artist isni edits_pending created", "artist isni:VARCHAR", "artist isni",
           lack="artists have no ISNI"),
    _table("artist_ipi", "artist ipi edits_pending created", "artist ipi:VARCHAR", "artist ipi",
           lack="artists have no IPI"),
    _table("work", "id gid name type comment edits_pending last_updated", "id gid:UUID", "id gid", unique="id",
           lack="recordings name no works"),
    _table("l_recording_work", _LINKED, "entity0 entity1", "entity0 entity1", lack="recordings name no works"),
    _table("iswc", (_ISWC.format(""), _ISWC.format("source ")), "work iswc:VARCHAR", "work iswc",
           lack="works have no ISWC"),
    _table("url", "id gid url edits_pending last_updated", "id url:VARCHAR", "id url", unique="id", lack=_NO_PAGES),
    _table("l_recording_url", _LINKED, "entity0 entity1", "entity0 entity1",
           lack="recordings name no pages of other sources"),
    _table("l_release_url", _LINKED, "entity0 entity1", "entity0 entity1",
           lack="releases name no pages of other sources"),
    _table("l_artist_url", _LINKED, "entity0 entity1", "entity0 entity1",
           lack="artists name no pages of other sources"),
    _table("recording_gid_redirect", _REDIRECT, "gid:UUID new_id", "gid new_id", unique="gid",
           lack="old MBIDs of merged recordings lead nowhere"),
    _table("release_gid_redirect", _REDIRECT, "gid:UUID new_id", "gid new_id", unique="gid",
           lack="old MBIDs of merged releases lead nowhere"),
    _table("artist_gid_redirect", _REDIRECT, "gid:UUID new_id", "gid new_id", unique="gid",
           lack="old MBIDs of merged artists lead nowhere"),
)  # fmt: skip
_DERIVED = (
    _table("recording", " ".join(_CORE[0].forms[0]), "id gid:UUID", "id gid", unique="id gid"),
    _table("genre", "id gid name comment edits_pending last_updated", "id name:VARCHAR", "name",
           lack="all tags count as genres"),
    _table("tag", "id name ref_count", "id name:VARCHAR", "id name", unique="id", lack="tags have no names: none come"),
    _table("recording_tag", "recording tag count last_updated", "recording tag count", "recording tag count",
           unique="recording+tag", lack="recordings have no tags"),
    _table("recording_meta", "id rating rating_count", "id rating", "id", unique="id", says="rating",
           lack="recordings have no ratings"),
)  # fmt: skip
CORE: dict[str, Table] = {table.name: table for table in _CORE}
"""Tables of mbdump: CC0."""
DERIVED: dict[str, Table] = {table.name: table for table in _DERIVED}
"""Tables of mbdump-derived (CC BY-NC-SA 3.0), and those of mbdump that say what their numbers mean."""
TABLES = DERIVED | CORE
"""All tables that are read. Of ``recording`` the derived ones need less than this has."""
KINDS = {1: "Album", 2: "Single", 3: "EP", 11: "Other", 12: "Broadcast"}
"""Primary types of release groups: numbers that never change."""
STATUS_FLAGS = {3: "bootleg", 4: "pseudo-release"}
"""Statuses of releases that say: read on with care."""
