"""Reading an archive, a mirror or a publication from Python (docs/reference/python-api.md).

    import fonoteca

    with fonoteca.open("my-archive") as archive:
        frame = polars.DataFrame(archive.sql("SELECT year, count(*) FROM recordings GROUP BY year"))
        for recording in archive.recordings(year=range(1920, 1930)):
            print(recording.shown, recording.title)

A composition root as the command line is, and below it: it may import everything that reads, so that whatever the
shell shows is a function here. Unlike the command line it reads no environment, no clock and no user's settings.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from fonoteca.catalogue import chosen, operations, typed
from fonoteca.catalogue.engine import Engine
from fonoteca.catalogue.export import export, writer_for
from fonoteca.catalogue.query import VIEWS, Catalogue
from fonoteca.catalogue.rows import Rows
from fonoteca.catalogue.typed import (
    Artist,
    Credit,
    Filter,
    Genre,
    Identifier,
    Popularity,
    Recording,
    Release,
    Signal,
    Track,
)
from fonoteca.core.errors import Failed, NoArchive
from fonoteca.core.ids import show_id
from fonoteca.core.layout import ARCHIVE_FILE, MIRROR_FILE, ArchiveLayout, MirrorLayout, PublicationLayout
from fonoteca.core.settings import Settings, resolve
from fonoteca.core.settings_file import layers
from fonoteca.core.sizes import parse_size
from fonoteca.formats.claim import Claim
from fonoteca.rights.joined import Joined, open_joined
from fonoteca.rights.of_archive import publication_policy

if TYPE_CHECKING:
    import pyarrow as pa

    from fonoteca.catalogue.coverage import Coverage

__all__ = [
    "Archive", "Artist", "Claim", "Credit", "Filter", "Genre", "Identifier", "Popularity", "Recording", "Release",
    "Rows", "Signal", "Track",
]  # fmt: skip
T = TypeVar("T")


class Archive:
    """One state of an archive, or one edition: what is ingested or published meanwhile does not change it.

    Made by :func:`fonoteca.open`; close it, or use it in a ``with``. Rows and iterators end with it, and
    asking it then is a ValueError. One thread at a time may ask it.

    Attributes:
        path: of the folder.
        number: of the generation or edition.
        is_edition: which of the two.
    """

    def __init__(self, path: Path, joined: Joined, stack: contextlib.ExitStack, settings: Settings) -> None:
        self.path = path
        self._settings = settings
        self.number = joined.catalogue.number
        self.is_edition = joined.catalogue.is_edition
        self._world: Joined | None = joined
        self._stack = stack

    @classmethod
    def open(
        cls, path: str | Path | None = None, *, edition: int | None = None, memory: int | str | None = None
    ) -> Self:
        """See :func:`fonoteca.open`."""
        root = Path(path if path is not None else ".").expanduser().absolute()
        _need_engine()
        settings = resolve(layers(root))
        engine = Engine.of(settings)
        if memory is not None:
            engine = Engine(parse_size(memory) if isinstance(memory, str) else memory, engine.threads)
        with contextlib.ExitStack() as stack:
            joined = stack.enter_context(open_joined(_layout(root), publication_policy(settings), edition, engine))
            return cls(root, joined, stack.pop_all(), settings)

    def close(self) -> None:
        """Let go of the files; a second time nothing happens."""
        self._world = None
        self._stack.close()

    @property
    def _joined(self) -> Joined:
        if self._world is None:
            raise ValueError(f"the archive {self.path} was closed")
        return self._world

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def sql(self, query: str) -> Rows:
        """The rows of one SELECT over the tables of docs/reference/database-schema.md, as a stream of Arrow batches.

        ``polars.DataFrame(rows)``, ``pandas.DataFrame.from_arrow(rows)``, ``pyarrow.table(rows)`` and DuckDB read it
        as it is (``__arrow_c_stream__``); ``rows.dicts()`` and ``rows.batches()`` go through it in bounded memory.

        Raises:
            Usage: ``sql-refused`` for what is no query of these tables, ``sql-wrong`` for an error in it.
        """
        return self._joined.sql(query)

    def export(self, query: str, path: str | Path) -> int:
        """Write the rows of a query to a file whose ending names the format; returns their number.

        Raises:
            Usage: as :meth:`sql`, and ``unknown-export``.
            NoSpace, Failed: of the disk; the file appears only when it is whole.
        """
        target = Path(path).expanduser().absolute()
        writer_for(target)
        return export(self.sql(query), target)

    def recordings(self, **filters: Filter) -> Iterator[Recording]:
        """All recordings that pass the filters (column = value, None, values or range), in bounded memory."""
        return self._rows("recordings", Recording, filters)

    def releases(self, **filters: Filter) -> Iterator[Release]:
        """As :meth:`recordings`, for album issues."""
        return self._rows("releases", Release, filters)

    def tracks(self, **filters: Filter) -> Iterator[Track]:
        """As :meth:`recordings`, for places of recordings on releases."""
        return self._rows("tracks", Track, filters)

    def artists(self, **filters: Filter) -> Iterator[Artist]:
        """As :meth:`recordings`, for persons and groups."""
        return self._rows("artists", Artist, filters)

    def credits(self, **filters: Filter) -> Iterator[Credit]:
        """As :meth:`recordings`, for the names that recordings and releases credit."""
        return self._rows("credits", Credit, filters)

    def identifiers(self, **filters: Filter) -> Iterator[Identifier]:
        """As :meth:`recordings`, for names in other systems."""
        return self._rows("identifiers", Identifier, filters)

    def genres(self, **filters: Filter) -> Iterator[Genre]:
        """As :meth:`recordings`, for genres."""
        return self._rows("genres", Genre, filters)

    def signals(self, **filters: Filter) -> Iterator[Signal]:
        """As :meth:`recordings`, for counts and ratings; none in an edition."""
        return self._rows("signals", Signal, filters)

    def popularity(self, **filters: Filter) -> Iterator[Popularity]:
        """As :meth:`recordings`, for listens, score and rank of each."""
        return self._rows("popularity", Popularity, filters)

    def claims(self, **filters: Filter) -> Iterator[Claim]:
        """As :meth:`recordings`, for what sources say of licences; what is not known is an empty text."""
        query = typed.select("claims", VIEWS["claims"], filters)
        return typed.stream(self.sql(query), typed.claim)

    def _rows(self, table: str, kind: type[T], filters: Mapping[str, Filter]) -> Iterator[T]:
        return typed.stream(self.sql(typed.select(table, VIEWS[table], filters)), kind)

    def resolve(self, words: str) -> list[str]:
        """Ids of what ``isrc:…``, ``mbid:…``, ``upc:…``, ``sha256:…``, ``SOURCE:KEY`` or an id names; may be none.

        Raises:
            Usage: ``bad-id``: no such form.
        """
        return [show_id(kind, entity) for kind, entity in self._joined.catalogue.resolve(words)]

    def show(self, words: str) -> dict[str, Any]:
        """One recording, release or artist with the source of each field: the object of ``fonoteca show --json``.

        Raises:
            Failed: ``unknown-id``: nothing here is called so.
            Usage: ``bad-id``.
        """
        return self._joined.named(words)

    def isrc_groups(self) -> pa.Table:
        """One recording of each ISRC, the most heard, by ISRC: what stands for all that share the ISRC.

        Counted by the engine that the folder's setting ``catalogue.engine`` chooses.

        Returns:
            Columns isrc, recording_id, editions (recordings with the ISRC), listens (of the chosen one; null: unknown).

        Raises:
            Failed: ``missing-extra``, ``spark-failed``, ``too-little-memory``.
        """
        grouped = operations.isrc_groups(f"({operations.editions('identifiers', 'heard')}) AS e")
        with chosen.counting(chosen.cluster(self._settings), self._joined.catalogue) as relations:
            return relations.sql(f"SELECT * FROM ({grouped}) AS g ORDER BY isrc").table()

    def coverage(self, by: str | None = None, keys: pa.Table | None = None) -> Coverage:
        """The share of all known listens that is held and published; in an edition both are what it publishes.

        Args:
            by: ``country``, ``decade`` or ``genre``; or ``tier`` or ``licence``, with keys.
            keys: columns ``recording_id``, ``key``: the groups of a breakdown that the catalogue does not know.

        Raises:
            ValueError: ``by`` is none of these.
            Failed: ``missing-extra``, ``spark-failed``, where ``catalogue.engine`` chooses Spark.
        """
        from fonoteca.catalogue.coverage import coverage

        published = self._published()
        held = published if self.is_edition else {h.recording for h in self._joined.holdings}
        with chosen.counting(chosen.cluster(self._settings), self._joined.catalogue) as relations:
            return coverage(relations, held, published, by, keys)

    def _published(self) -> set[int]:
        query = "SELECT DISTINCT recording_id AS id FROM locator"
        if self.is_edition:
            return {row["id"] for row in self._joined.catalogue.select(query)}
        publication = ArchiveLayout(self.path).publication
        if not publication.edition_numbers():
            return set()
        with Catalogue.open_edition(publication) as edition:
            return {row["id"] for row in edition.select(query)}


def _layout(root: Path) -> ArchiveLayout | PublicationLayout:
    """What the folder is: an archive, a mirror (its copy of the publication counts), or a publication."""
    if (root / ARCHIVE_FILE).is_file():
        return ArchiveLayout(root)
    if (root / MIRROR_FILE).is_file():
        return MirrorLayout(root).publication
    publication = PublicationLayout(root)
    if publication.editions.is_dir():
        return publication
    raise NoArchive("no-archive", "There is nothing here to open",
                    f"{root} has no {ARCHIVE_FILE} (an archive), no {MIRROR_FILE} (a mirror) and no editions/ "
                    "(a publication)", "name the folder of one of them", str(root))  # fmt: skip


def _need_engine() -> None:
    """A mirror's small install has no engine for queries."""
    try:
        import duckdb  # noqa: F401
    except ModuleNotFoundError as error:
        raise Failed("missing-extra", "A part of fonoteca is not installed", "the library 'duckdb' is missing",
                     "install it with: pip install 'fonoteca[all]'", "duckdb") from error  # fmt: skip
