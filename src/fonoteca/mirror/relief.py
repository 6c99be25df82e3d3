"""What makes room when an edition does not fit: first what is going anyway, and packs only when nothing else is left.

A held pack is traffic that somebody paid for; a table of the edition that is about to be replaced is not. So the
order is: half-finished files, tables of older editions, packs that the new edition no longer offers, and then the
packs that cover least.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fonoteca.core import durable
from fonoteca.core.layout import MirrorLayout
from fonoteca.mirror.budget import file_blocks
from fonoteca.mirror.edition import older_editions
from fonoteca.mirror.held import clear_partial, drop
from fonoteca.mirror.packs import PACKS_TABLE, Found, found_packs, read_packs
from fonoteca.mirror.trust import Release

KEPT_TO_THE_END = frozenset({PACKS_TABLE, "locator.parquet", "torrents.json"})
"""Files without which the edition that is still served could not be seeded."""


class Relief:
    """Frees space under a mirror, a little at a time.

    Attributes:
        release: the edition that is being fetched, once its signatures were accepted. Before that nothing of the
            edition that is served may go: nobody has proved that there is a newer one.
    """

    def __init__(self, layout: MirrorLayout) -> None:
        self.release: Release | None = None
        self._layout = layout

    def __call__(self, amount: int) -> bool:
        """Free so many bytes, or as many as one kind of thing gives. False: nothing is left."""
        return self._partial() or self._old_tables(amount) or self._packs(amount)

    def _partial(self) -> bool:
        if not self._layout.partial.is_dir():
            return False
        clear_partial(self._layout, {})
        durable.remove_tree(self._layout.partial)
        return True

    def _old_tables(self, amount: int) -> bool:
        freed = 0
        for path in self._going():
            if freed >= amount:
                break
            freed += file_blocks(path)
            durable.remove(path)
        return freed > 0

    def _going(self) -> list[Path]:
        """Tables of older editions that take room of their own: the ledger first, which nobody serves, then the rest,
        the largest first."""
        if self.release is None:
            return []
        publication = self._layout.publication
        paths = [
            publication.edition(edition.number) / ref.path
            for edition in older_editions(publication, self.release.edition.number)
            for ref in edition.files
            if ref.path not in KEPT_TO_THE_END
        ]
        alone = [path for path in paths if path.is_file() and path.stat().st_nlink == 1]
        return sorted(alone, key=lambda p: (p.name != "ledger.parquet", -p.stat().st_size, p))

    def _packs(self, amount: int) -> bool:
        freed = 0
        for found in self._least_wanted():
            if freed >= amount:
                break
            freed += found.length
            drop(self._layout, [found.name])
        return freed > 0

    def _least_wanted(self) -> list[Found]:
        """All packs here: those that are not offered any more, then those that cover least for each byte."""
        table = next(self._tables(), None)
        density = {p.id: p.coverage / p.length for p in read_packs(table)} if table else {}
        return sorted(found_packs(self._layout.publication), key=lambda f: (density.get(f.id, -1.0), f.name))

    def _tables(self) -> Iterator[Path]:
        """Tables of packs that are here, that of the new edition first."""
        publication = self._layout.publication
        numbers = [self.release.edition.number] if self.release else []
        for number in [*numbers, *reversed(publication.edition_numbers())]:
            path = publication.edition(number) / PACKS_TABLE
            if path.is_file():
                yield path
