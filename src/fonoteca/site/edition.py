"""One edition, opened for reading: typed look-ups over its Parquet files, by DuckDB, from any thread."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fonoteca.core.errors import Damaged
from fonoteca.core.layout import PublicationLayout
from fonoteca.formats import manifest, pack, parquet, tables, torrents
from fonoteca.formats.torrents import TorrentInfo
from fonoteca.search.inputs import snapshot_files

MOST_ROWS = 500
"""Rows of any list on a page."""
_MIME = re.compile(r"audio/[A-Za-z0-9.+-]{1,60}")
Row = dict[str, Any]


@dataclass(frozen=True)
class StoredPack:
    """A pack of the edition and where it is, relative to the publication's root."""

    id: str
    file: str
    volume: str
    sha256: str
    bytes: int

    @property
    def address(self) -> str:
        """``packs/<volume>/<file>``."""
        return f"packs/{self.volume}/{self.file}"


class Edition:
    """The read side of one edition. Everything it knows is in the edition's own files."""

    def __init__(self, publication: PublicationLayout, number: int) -> None:
        import duckdb

        self.publication = publication
        self.number = number
        self.folder = publication.edition(number)
        data = (self.folder / "edition.json").read_bytes()
        self.manifest = manifest.parse(data)
        self.digest = hashlib.sha256(data).hexdigest()
        self.kept: dict[str, Any] = {}
        """What a page has counted and need not count again: an edition does not change."""
        self.torrents = torrents.parse((self.folder / "torrents.json").read_bytes())
        self._database = duckdb.connect(":memory:", config={
            "memory_limit": "512MiB", "threads": 2, "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false", "python_enable_replacements": "false", "temp_directory": "",
        })  # fmt: skip
        try:
            self._make_views()
        except duckdb.Error as error:
            self._database.close()
            raise Damaged("bad-table", "A table of the edition could not be read", str(error),
                          "check with 'fonoteca verify'", str(self.folder)) from error  # fmt: skip

    def _make_views(self) -> None:
        for name, schema in tables.SNAPSHOT.items():
            self._view(name, schema, snapshot_files(self.folder, name))
        for name, schema in tables.PUBLISHED.items():
            path = self.folder / f"{name}.parquet"
            self._view("credit_lines" if name == "credits" else name, schema, [path] if path.is_file() else [])
        self._database.execute(f"SET allowed_directories = [{_literal(self.folder)}]")
        self._database.execute("SET enable_external_access = false")

    def _view(self, name: str, schema: Any, paths: list[Path]) -> None:
        if paths:
            listed = ", ".join(map(_literal, paths))
            self._database.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet([{listed}])")
        else:
            self._database.register("given", schema.empty_table())
            self._database.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
            self._database.unregister("given")

    def close(self) -> None:
        """Give the database back."""
        self._database.close()

    def rows(self, query: str, *values: Any) -> list[Row]:
        """The rows of a query of ours; values are bound, never written into it."""
        with self._database.cursor() as cursor:
            cursor.execute(query, list(values))
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def row(self, query: str, *values: Any) -> Row | None:
        """The first row, or None."""
        found = self.rows(query, *values)
        return found[0] if found else None

    @cached_property
    def packs(self) -> dict[str, StoredPack]:
        """The packs that this edition has, by id."""
        query = (
            "SELECT id, revision, volume, sha256, bytes FROM packs WHERE state <> 'superseded' ORDER BY id, revision"
        )
        return {
            r["id"]: StoredPack(r["id"], pack.file_name(r["id"], r["revision"]), r["volume"], r["sha256"], r["bytes"])
            for r in self.rows(query)
        }  # fmt: skip

    @cached_property
    def pack_files(self) -> dict[str, tuple[Path, str]]:
        """Address → file and digest, for the packs that this edition has."""
        return {
            p.address: (self.publication.packs / p.volume / p.file, p.sha256)
            for p in self.packs.values()
            if all(manifest.check_path(part) == part and "/" not in part for part in (p.volume, p.file))
        }

    def pack_path(self, stored: StoredPack) -> Path | None:
        """The pack's file, if this copy of the archive holds it."""
        known = self.pack_files.get(stored.address)
        return known[0] if known and known[0].is_file() else None

    @cached_property
    def torrent_of_volume(self) -> dict[str, TorrentInfo]:
        """Current torrents of volumes, by name."""
        return {t.name: t for t in self.torrents if t.current and t.kind == "volume"}

    @cached_property
    def source_licences(self) -> dict[str, list[str]]:
        """Source → licences of its metadata, as the tables' own notes say.

        A note names the sources and licences of a column together: what all notes with a source share is its own.
        """
        found: dict[str, set[str]] = {}
        for name in tables.SNAPSHOT:
            for path in snapshot_files(self.folder, name):
                for note in parquet.column_notes(path).values():
                    told = set(note.licences)
                    for source in note.sources:
                        found[source] = (found.get(source, told) & told) or found.get(source, told)
        return {source: sorted(licences) for source, licences in found.items()}

    @property
    def synthetic(self) -> bool:
        """True where the listen counts are made up, as the edition itself says."""
        return self.manifest.coverage.get("synthetic") is True

    @cached_property
    def totals(self) -> Row:
        """Counts for the front page."""
        counted = self.row(
            "SELECT (SELECT count(*) FROM recordings) AS recordings, count(*) AS published, "
            "coalesce(sum(bytes), 0)::BIGINT AS bytes FROM (SELECT DISTINCT blob_sha256, bytes FROM locator)"
        )
        assert counted is not None
        playing = self.row(
            "SELECT count(*) AS playable, coalesce(sum(duration_ms), 0)::BIGINT AS duration_ms, "
            "count(DISTINCT artist) AS artists FROM recordings "
            "WHERE id IN (SELECT recording_id FROM locator)"
        )
        assert playing is not None
        return counted | playing

    def located(self, sha256: str) -> Row | None:
        """The locator's row for a blob."""
        return self.row("SELECT * FROM locator WHERE blob_sha256 = ? ORDER BY recording_id LIMIT 1", sha256)

    def packs_with(self, blobs: Iterable[str]) -> set[str]:
        """Ids of the packs that hold any of the blobs."""
        wanted = sorted(blobs)
        if not wanted:
            return set()
        return {r["pack"] for r in self.rows("SELECT DISTINCT pack FROM locator WHERE blob_sha256 IN "
                                             "(SELECT unnest(?::VARCHAR[]))", wanted)}  # fmt: skip


def safe_mime(told: str | None) -> str:
    """The locator's content type, if it is one of audio: another publisher may write anything there."""
    return told if told and _MIME.fullmatch(told) else "application/octet-stream"


def _literal(path: Path) -> str:
    """A path as SQL text."""
    return "'" + str(path).replace("'", "''") + "'"
