"""Dumps whose files are recognised by what they hold (a root element, a shape of JSON), never by their names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fonoteca.core.errors import Usage
from fonoteca.sources.records import Dump, Source

_NO_TEXT = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Document:
    """A file and what kind of file of its source it is."""

    path: Path
    kind: str


KindOf = Callable[[Path], str | None]
"""What kind of file it is; None for a stranger. Usage for a file that is known and cannot be read. OSError as usual."""


def recognise(
    dump: Dump, source: str, kinds: Sequence[str], kind_of: KindOf, *, deep: bool = False,
    why_not: Callable[[Path], str] = lambda _: "",
) -> list[Document]:  # fmt: skip
    """The files of a dump in the order of ``kinds``, then of the dump; a folder stands for its files of these kinds.

    Args:
        deep: also look into the folders of a folder.
        why_not: more about a file of none of the kinds, such as what it is written in.

    Raises:
        Usage: ``not-a-dump`` for a file of none of the kinds, or where there is none; ``unreadable-dump``.
    """
    found: list[Document] = []
    for path in dump.paths:
        inside = _inside(path, kind_of, deep=deep) if path.is_dir() else [_named(path, source, kinds, kind_of, why_not)]
        found.extend(inside)
    if not found:
        where = ", ".join(str(p) for p in dump.paths) or "no file was named"
        raise Usage("not-a-dump", f"There is no dump of {source} here", f"{where}: none of {', '.join(kinds)} is there",
                    f"'fonoteca sources {source}' says which files it reads and where they come from",
                    str(dump.paths[0]) if dump.paths else None)  # fmt: skip
    return sorted(found, key=lambda document: kinds.index(document.kind))


def _inside(folder: Path, kind_of: KindOf, *, deep: bool) -> Iterator[Document]:
    for path in sorted(folder.iterdir()):
        if deep and path.is_dir() and not path.is_symlink():
            yield from _inside(path, kind_of, deep=deep)
        kind = _kind(path, kind_of) if path.is_file() else None
        if kind is not None:
            yield Document(path, kind)


def _named(
    path: Path, source: str, kinds: Sequence[str], kind_of: KindOf, why_not: Callable[[Path], str]
) -> Document:  # fmt: skip
    kind = _kind(path, kind_of) if path.is_file() or not path.exists() else None
    if kind is None:
        why = "; ".join(filter(None, [f"it is none of {', '.join(kinds)}", why_not(path) if path.is_file() else ""]))
        raise Usage("not-a-dump", f"{path.name} is no file of {source}", why,
                    f"'fonoteca sources {source}' says which files it reads; 'table' reads any table",
                    str(path))  # fmt: skip
    return Document(path, kind)


def _kind(path: Path, kind_of: KindOf) -> str | None:
    try:
        return kind_of(path)
    except OSError as error:
        raise Usage("unreadable-dump", f"{path.name} could not be read", error.strerror or str(error),
                    "check the path and its permissions", str(path)) from error  # fmt: skip


def names(paths: Sequence[Path]) -> dict[Path, str]:
    """How positions name each file: by its name, with as many folders before it as tell it from the others."""
    found: dict[Path, str] = {}
    for path in paths:
        parts = 1
        while parts < len(path.parts) and any(o != path and o.parts[-parts:] == path.parts[-parts:] for o in paths):
            parts += 1
        found[path] = _NO_TEXT.sub("\ufffd", "/".join(path.parts[-parts:]))
    return found


def shown_name(path: Path) -> str:
    """The name of a file as positions and manifests have it: bytes that are no text become U+FFFD."""
    return _NO_TEXT.sub("\ufffd", path.name)


class DocumentSource(Source):
    """A source whose files are recognised by what they hold: the checks that all such sources make."""

    def documents(self, dump: Dump) -> list[Document]:
        """The files of a dump with their kinds. Raises Usage."""
        raise NotImplementedError

    def check(self, dump: Dump) -> None:
        """Raises Usage for files that are none of this source, or where there is none."""
        self.documents(dump)

    def resolve(self, dump: Dump) -> Dump:
        """Folders become the files in them that are of this source."""
        return replace(dump, paths=tuple(document.path for document in self.documents(dump)))
