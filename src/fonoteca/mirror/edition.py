"""An edition's own files: fetched, checked by digest, and put where the next mirror finds them.

The order is such that what is served is whole at any moment: tables and torrents first, then ``edition.json``,
then the list of withdrawals, then the signed metadata with ``timestamp.json`` last. Older editions go at the end.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from fonoteca.core import durable
from fonoteca.core.errors import FonotecaError, NetworkFailed, TrustFailed
from fonoteca.core.fetch import Fetcher
from fonoteca.core.layout import PublicationLayout
from fonoteca.core.progress import Progress, Unit
from fonoteca.formats import manifest, metainfo
from fonoteca.formats.manifest import Edition, FileRef
from fonoteca.formats.metainfo import MetainfoError
from fonoteca.formats.plan import BLOCK, allocation
from fonoteca.mirror.budget import Budget, allocated, file_blocks
from fonoteca.mirror.packs import PACKS_TABLE
from fonoteca.mirror.trust import Release

TWINS = "v1"
"""The folder in ``torrents/`` of the v1-only twins."""


def wanted_files(edition: Edition) -> list[tuple[str, FileRef]]:
    """Every file of an edition but ``edition.json``: path below the publication, and what it must be."""
    folder = f"editions/{edition.number:04d}"
    return [(f"{folder}/{ref.path}", ref) for ref in edition.files] + [(ref.path, ref) for ref in edition.torrents]


def missing_files(publication: PublicationLayout, edition: Edition) -> list[tuple[str, FileRef]]:
    """Those that are not there, or not as long as they must be."""
    return [(path, ref) for path, ref in wanted_files(edition) if _length(publication.root / path) != ref.bytes]


def _length(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def is_complete(publication: PublicationLayout, release: Release) -> bool:
    """Whether the edition is here as signed; its ``edition.json`` is written when all else of it is checked."""
    path = publication.edition(release.edition.number) / "edition.json"
    if not path.is_file() or path.read_bytes() != release.edition_json:
        return False
    return not missing_files(publication, release.edition)


def bytes_missing(publication: PublicationLayout, release: Release) -> int:
    """Bytes that will be allocated for files and folders that are not there yet."""
    folders = {path.rpartition("/")[0] for path, _ in wanted_files(release.edition)}
    files = [ref.bytes for _, ref in missing_files(publication, release.edition)]
    files += [len(release.edition_json), len(release.withdrawals), *map(len, release.metadata.values())]
    return sum(map(allocation, files)) + (len(folders) + 4) * BLOCK


def bytes_going(publication: PublicationLayout, release: Release) -> int:
    """Bytes that :func:`remove_older` will free, and what a link will save: a file with the same bytes is not freed,
    and :func:`bytes_missing` counts it."""
    folders = [publication.edition(n) for n in publication.edition_numbers() if n < release.edition.number]
    return sum(map(allocated, folders)) + sum(map(file_blocks, _outdated(publication, release)))


def fetch_file(publication: PublicationLayout, url: str, path: str, ref: FileRef, fetcher: Fetcher,
               budget: Budget) -> None:  # fmt: skip
    """One file of an edition, checked before it has its name; nothing happens where it is there already.

    Raises:
        NetworkFailed: unreachable, or other bytes than those that were signed for (``wrong-bytes``).
    """
    target = publication.root / path
    if _length(target) == ref.bytes and _sha256(target) == ref.sha256:
        return
    address = f"{url}/{quote(path)}"
    durable.clear_unfinished(target)
    budget.reserve(ref.bytes, folders=0 if target.parent.is_dir() else 2)
    digest, length = hashlib.sha256(), 0
    with fetcher.open(address, max_bytes=ref.bytes) as download, durable.writing(target) as stream:
        for data in download:
            digest.update(data)
            length += len(data)
            stream.write(data)
        if (length, digest.hexdigest()) != (ref.bytes, ref.sha256):
            raise NetworkFailed("wrong-bytes", "A file of the edition was refused", f"{address} is not the file that "
                                f"the edition names: {length} bytes instead of {ref.bytes}, or other content",
                                "run the same command again; if it lasts, the server holds damaged files",
                                address)  # fmt: skip


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fetch_files(publication: PublicationLayout, url: str, edition: Edition, fetcher: Fetcher, budget: Budget,
                progress: Progress) -> None:  # fmt: skip
    """All files of an edition but ``edition.json``. What an older edition has in the same bytes is linked.

    Small files come first: should old tables have to make room, that is as late as can be. First of all comes the
    table of packs: it says which packs may go.
    """
    files = sorted(wanted_files(edition), key=lambda f: (not f[0].endswith(f"/{PACKS_TABLE}"), f[1].bytes, f[0]))
    older = _older_files(publication, edition.number)
    progress.stage("edition", sum(ref.bytes for _, ref in files), Unit.BYTES)
    for path, ref in files:
        if not _linked(publication.root / path, ref, older.get(ref.sha256), budget):
            fetch_file(publication, url, path, ref, fetcher, budget)
        progress.advance(ref.bytes)


def older_editions(publication: PublicationLayout, number: int) -> Iterator[Edition]:
    """What the ``edition.json`` of each older edition on the disk says; one that cannot be read says nothing."""
    for older in publication.edition_numbers():
        if older < number:
            with contextlib.suppress(FonotecaError, OSError):
                yield manifest.parse((publication.edition(older) / "edition.json").read_bytes())


def _older_files(publication: PublicationLayout, number: int) -> dict[str, Path]:
    """Digest → file of an older edition. Nothing is believed of them: they are hashed."""
    return {
        ref.sha256: publication.edition(edition.number) / ref.path
        for edition in older_editions(publication, number)
        for ref in edition.files
    }


def _linked(target: Path, ref: FileRef, source: Path | None, budget: Budget) -> bool:
    """Give an unchanged file of an older edition its new name; no byte comes for it, and it takes no room twice."""
    if source is None or target.exists() or _length(source) != ref.bytes or _sha256(source) != ref.sha256:
        return False
    budget.reserve_blocks(0 if target.parent.is_dir() else 2 * BLOCK)
    return durable.try_link(source, target)


def check_twins(publication: PublicationLayout, edition: Edition, url: str) -> None:
    """Hold the v1-only twin of every torrent that was fetched against its hybrid (docs/decisions/0014-v1-twins.md).

    Raises:
        TrustFailed: ``trust-twin``: a twin that is another torrent, or the twin of none.
    """
    hybrids = {Path(ref.path).name for ref in edition.torrents if Path(ref.path).parent.name != TWINS}
    for ref in edition.torrents:
        twin = publication.root / ref.path
        if twin.parent.name != TWINS:
            continue
        try:
            if twin.name not in hybrids:
                raise MetainfoError("torrent-twin", "there is no torrent of which it is the twin")
            metainfo.check_twin(metainfo.parse((publication.torrents / twin.name).read_bytes()), twin.read_bytes())
        except MetainfoError as error:
            raise TrustFailed("trust-twin", "The publication was not accepted", f"{ref.path} of edition "
                              f"{edition.number}: {error.reason}", "nothing was changed in what is served; ask the "
                              "publisher", url) from error  # fmt: skip


def install(publication: PublicationLayout, release: Release, budget: Budget) -> None:
    """Make a fetched edition the one that is served: ``edition.json``, withdrawals, metadata; timestamp last."""
    _put(publication.edition(release.edition.number) / "edition.json", release.edition_json, budget)
    _put(publication.withdrawals, release.withdrawals, budget)
    last = "timestamp.json"
    for name in [*sorted(release.metadata.keys() - {last}), last]:
        _put(publication.metadata / name, release.metadata[name], budget)


def _put(path: Path, data: bytes, budget: Budget) -> None:
    if path.is_file() and path.read_bytes() == data:
        return
    budget.reserve(len(data), folders=0 if path.parent.is_dir() else 2)
    durable.write_bytes(path, data)


def remove_older(publication: PublicationLayout, release: Release) -> None:
    """Drop what no current metadata names: older editions, metadata and torrents."""
    number = release.edition.number
    for folder in publication.editions.iterdir():
        if folder.name.isdigit() and int(folder.name) < number:
            durable.remove(folder / "edition.json")  # From here on the edition is not whole.
            durable.remove_tree(folder)
    for path in _outdated(publication, release):
        durable.remove(path)


def _outdated(publication: PublicationLayout, release: Release) -> Iterator[Path]:
    """Torrents and metadata that no current metadata names."""
    torrents = {publication.root / ref.path for ref in release.edition.torrents}
    for folder in (publication.torrents, publication.torrents / TWINS):
        yield from _others(folder, [path.name for path in torrents if path.parent == folder])
    yield from _others(publication.metadata, release.metadata.keys())


def _others(folder: Path, keep: Iterable[str]) -> list[Path]:
    kept = set(keep)
    return [p for p in sorted(folder.iterdir()) if p.name not in kept and p.is_file()] if folder.is_dir() else []
