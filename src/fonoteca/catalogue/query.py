"""The read side: one generation, or one edition's snapshot, behind a connection that can read nothing else.

    with Catalogue.open(layout) as catalogue:
        frame = polars.DataFrame(catalogue.sql("SELECT year, count(*) FROM recordings GROUP BY year"))

Both give the same views: ``recordings releases tracks artists credits identifiers genres popularity claims
signals``; an edition also ``locator ledger packs credit_lines``, an archive also ``holdings verdicts`` where the
caller hands them in. Reference: docs/reference/database-schema.md.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from fonoteca.catalogue import engine as engines
from fonoteca.catalogue import failures, lookup, quick, reading, retention, show, tail, tally, views
from fonoteca.catalogue.engine import Engine, connect, footers_kept, parquet, text
from fonoteca.catalogue.generation import Generation, PartitionEntry
from fonoteca.catalogue.places import Places
from fonoteca.catalogue.quick import Quick
from fonoteca.catalogue.rows import Rows, run
from fonoteca.catalogue.tables import MERGED, POPULARITY
from fonoteca.catalogue.tombstones import TOMBSTONES
from fonoteca.catalogue.wide import shown
from fonoteca.core.errors import NoArchive
from fonoteca.core.ids import Kind, show_id
from fonoteca.core.layout import ArchiveLayout, PublicationLayout
from fonoteca.formats.claim import FIELDS, Claim
from fonoteca.formats.tables import PUBLISHED, SORT_KEYS

if TYPE_CHECKING:
    import duckdb

VIEWS = {**MERGED, "popularity": POPULARITY}
"""Views that every catalogue has, with their columns."""
PUBLISHED_VIEWS = {("credit_lines" if name == "credits" else name): schema for name, schema in PUBLISHED.items()}
"""Views that only an edition fills: its file ``credits.parquet`` is called ``credit_lines`` here."""


class Catalogue:
    """One state of the catalogue. Made by :meth:`open` and :meth:`open_edition`.

    Attributes:
        number: of the generation or of the edition.
        is_edition: which of the two.
        partitions: what the generation was made of; empty for an edition.
        synthetic: True where popularity rests on made-up listens.
        licences: of the listens that popularity counts.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, generation: Generation, *, is_edition: bool,
        found: Quick | None = None, places: Places | None = None,
    ) -> None:  # fmt: skip
        self._connection = connection
        self._quick = found
        self._places = places
        self._generation = generation
        self.number = generation.number
        self.is_edition = is_edition
        self.partitions: Sequence[PartitionEntry] = generation.partitions
        self.synthetic = bool(generation.popularity and generation.popularity.synthetic)
        self.licences = generation.popularity.licences if generation.popularity else ()

    @classmethod
    @contextlib.contextmanager
    def open(
        cls, layout: ArchiveLayout, *, engine: Engine = engines.DEFAULT, values: Mapping[str, pa.Table] | None = None,
        only: Collection[str] | None = None, spill: Path | None = None,
    ) -> Iterator[Catalogue]:  # fmt: skip
        """The generation that counts now; an ingest that runs meanwhile does not disturb it.

        Args:
            layout: of the archive.
            engine: limits of memory and threads.
            values: further tables by name (``holdings``, ``verdicts``), joined by the caller's queries.
            only: views that will be asked for, besides ``heard`` and those that are small; None: all. To name one, the
                footer of a file of each partition has to be read.
            spill: folder for what a large question does not keep in memory; None: it fails.

        Raises:
            NoArchive: ``no-catalogue``: nothing was ingested yet.
            Damaged: the manifest is, or a file; the latter may show only while a query runs.
        """
        places = Places.of(layout)
        with (
            retention.reading(places) as generation, failures.reading(), connect(engine, spill) as connection,
            quick.opened(places, generation, engine) as found,
        ):  # fmt: skip
            with footers_kept(connection):
                if only is None or any(name.startswith("facts_") for name in only):
                    views.name_facts(connection, places, generation, generation.remaps)
                reading.name_tables(connection, places, generation, only)
                connection.execute(f"CREATE VIEW heard_counts AS {tally.query(places, generation)}")
            _name_views(connection, PUBLISHED_VIEWS, {})
            _give(connection, values or {})
            _close_doors(connection, places.paths(generation.files()))
            yield cls(connection, generation, is_edition=False, found=found, places=places)

    @classmethod
    @contextlib.contextmanager
    def open_edition(
        cls, publication: PublicationLayout, number: int | None = None, *, engine: Engine = engines.DEFAULT
    ) -> Iterator[Catalogue]:
        """One edition of a publication or mirror; the newest where no number is given.

        Raises:
            NoArchive: ``no-edition``.
        """
        folder = publication.edition(_edition_number(publication, number))
        paths = {name: _present(folder / part / f"{name}.parquet" for part in ("snapshot", "snapshot-nc"))
                 for name in VIEWS}  # fmt: skip
        published = {("credit_lines" if name == "credits" else name): _present([folder / f"{name}.parquet"])
                     for name in PUBLISHED}  # fmt: skip
        with connect(engine) as connection:
            _name_views(connection, VIEWS, paths)
            connection.execute(f"CREATE VIEW heard AS {reading.HEARD}")
            connection.execute(f"CREATE VIEW heard_counts AS {tally.COUNTED}")
            views.name_table(connection, "tombstones", TOMBSTONES.empty_table())
            _name_views(connection, PUBLISHED_VIEWS, published)
            _close_doors(connection, [p for found in [*paths.values(), *published.values()] for p in found])
            yield cls(connection, Generation(int(folder.name)), is_edition=True)

    def sql(self, query: str) -> Rows:
        """The rows of one SELECT by whoever asks; nothing but the views can be read.

        Raises:
            Usage: ``sql-refused`` for anything else, ``sql-wrong`` for an error in the query.
        """
        return run(self._connection, query)

    def select(self, query: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The rows of a query of our own, with bound parameters, as dictionaries."""
        cursor = self._connection.cursor()
        try:
            cursor.execute(query, list(parameters))
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        finally:
            cursor.close()

    def with_values(self, query: str, values: Mapping[str, pa.Table]) -> list[dict[str, Any]]:
        """As :meth:`select`, for a query that joins tables of values that the caller hands in by name."""
        cursor = self._connection.cursor()
        try:
            for name, table in values.items():
                cursor.register(name, table)
            cursor.execute(query)
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        finally:
            for name in values:
                cursor.unregister(name)
            cursor.close()

    def unheard(self, most: int) -> list[dict[str, Any]]:
        """The first ``most`` recordings whose listens nobody knows, with what hints at their being heard.

        The rows of :func:`fonoteca.catalogue.tail.query`; of a generation in memory that does not grow with it.
        """
        if self._places is None:
            return self.select(tail.query(most))
        return tail.first(self._connection, self._places, self._generation, most)

    def give(self, name: str, table: pa.Table) -> None:
        """Add a table of values (``holdings``, ``verdicts``) that queries can join."""
        views.name_table(self._connection, name, table)

    def claims_of(self, recordings: Collection[int]) -> tuple[list[Claim], dict[int, list[int]]]:
        """The claims on these recordings and on their releases, and recording → its releases."""
        ids = {"wanted": pa.table({"id": pa.array(sorted(set(recordings)), pa.int64())})}
        places = self.with_values(
            "SELECT DISTINCT recording_id, release_id FROM tracks WHERE recording_id IN (SELECT id FROM wanted) "
            "ORDER BY ALL",
            ids,
        )
        releases: dict[int, list[int]] = {}
        for row in places:
            releases.setdefault(row["recording_id"], []).append(row["release_id"])
        subjects = [show_id(Kind.RECORDING, r) for r in recordings]
        subjects += [show_id(Kind.RELEASE, row["release_id"]) for row in places]
        rows = self.with_values(
            f"SELECT {', '.join(FIELDS)} FROM claims WHERE subject IN (SELECT id FROM wanted) ORDER BY ALL",
            {"wanted": pa.table({"id": pa.array(subjects, pa.string())})},
        )
        return [Claim.from_json(row) for row in rows], releases

    def claimed_licences(self) -> pa.Table:
        """(recording_id, licence, url) of every claim on a recording or on one of its releases, each once."""
        recording, release = shown("'recording'", "r.id"), shown("'release'", "t.release_id")
        query = f"""
            SELECT r.id AS recording_id, c.licence, c.url FROM recordings r
            JOIN claims c ON c.kind = 'recording' AND c.subject = {recording}
            UNION
            SELECT t.recording_id, c.licence, c.url FROM tracks t
            JOIN claims c ON c.kind = 'release' AND c.subject = {release}"""
        return self.sql(f"SELECT * FROM ({query}) ORDER BY ALL").table()

    def table(self, name: str) -> pa.Table:
        """A whole view, in its order, with the columns of its schema. KeyError for a name that is none."""
        schema = (VIEWS | PUBLISHED_VIEWS)[name]
        columns = _quoted(schema.names)
        # An edition's file has its order; in a generation several files make one view.
        first = [] if self.is_edition else SORT_KEYS.get(name, ())
        ordered = f" ORDER BY {', '.join([*_quoted(first), *columns])}" if first else ""
        return self.sql(f"SELECT {', '.join(columns)} FROM {name}{ordered}").table().cast(schema)

    def recording_ids(self) -> pa.Array:
        """All recordings, ascending: 64-bit integers."""
        return self.sql("SELECT id FROM recordings ORDER BY id").table().column("id").combine_chunks()

    def resolve(self, words: str) -> list[tuple[Kind, int]]:
        """What ``isrc:…``, ``mbid:…``, ``upc:…``, ``sha256:…``, ``SOURCE:KEY`` or an id of ours names; may be nothing.

        Raises:
            Usage: ``bad-id``: no such form.
        """
        answers = self._quick.answers if self._quick else None
        return lookup.resolve(self.select, words, lookup.given_ids(self._generation), answers)

    def show(self, kind: Kind, entity: int) -> dict[str, Any]:
        """One entity with the source of each field (the contract of ``show``); KeyError where there is none.

        ``verdict``, ``holdings`` and ``locator`` come from the edition; in an archive they are None, for the caller.
        """
        found = self._quick.show(kind, entity) if self._quick else None
        return found or show.show(self.select, kind, entity, is_edition=self.is_edition)

    def claims_for(self, recording: int) -> list[Claim]:
        """The claims on a recording and on its releases, in their order. Claims on blobs are with the holdings."""
        releases = self.select("SELECT DISTINCT release_id FROM tracks WHERE recording_id = ?", [recording])
        subjects = [show_id(Kind.RELEASE, r["release_id"]) for r in releases] + [show_id(Kind.RECORDING, recording)]
        rows = self.select(
            f"SELECT {', '.join(FIELDS)} FROM claims WHERE list_contains(?, subject) ORDER BY ALL", [subjects]
        )
        return [Claim.from_json(row) for row in rows]


def _quoted(names: Sequence[str]) -> list[str]:
    return [f'"{name}"' for name in names]


def _present(paths: Any) -> list[Path]:
    return [p for p in paths if p.is_file()]


def _edition_number(publication: PublicationLayout, number: int | None) -> int:
    numbers = publication.edition_numbers()
    if (number is None and not numbers) or (number is not None and number not in numbers):
        have = f"there are {numbers[0]} to {numbers[-1]}" if numbers else "nothing was published yet"
        raise NoArchive("no-edition", "The edition could not be opened",
                        f"{publication.editions} has no edition {number or ''}: {have}",
                        "name one that is there with --edition N, or make one with 'fonoteca publish'",
                        str(publication.editions))  # fmt: skip
    return numbers[-1] if number is None else number


def _name_views(
    connection: duckdb.DuckDBPyConnection, schemas: Mapping[str, pa.Schema], paths: Mapping[str, Sequence[Path]]
) -> None:
    for name, schema in schemas.items():
        if paths.get(name):
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {parquet(paths[name])}")
        else:
            views.name_table(connection, name, schema.empty_table())


def _give(connection: duckdb.DuckDBPyConnection, values: Mapping[str, pa.Table]) -> None:
    for name, table in values.items():
        views.name_table(connection, name, table)


def _close_doors(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> None:
    """From here on, no file but these can be read, none written, and no setting changed."""
    listed = ", ".join(text(str(p)) for p in sorted(set(paths)))
    connection.execute(f"SET allowed_paths = [{listed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
