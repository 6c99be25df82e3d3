"""``expat FILE.xml.gz``: releases of Discogs by expat's handlers into Python objects, one process; nothing is kept."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import Any
from xml.parsers import expat

from benchmarks.sides.protocol import serve

_PORTION = 1 << 20


class Handlers:
    """Collects of each release its texts by path: title, tracks, artists, labels, identifiers, dates."""

    def __init__(self) -> None:
        self.releases = 0
        self._path: list[str] = []
        self._text: list[str] = []
        self._found: dict[str, list[Any]] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        self._text.clear()
        if attributes:
            self._found.setdefault("/".join(self._path), []).append(attributes)

    def text(self, data: str) -> None:
        self._text.append(data)

    def end(self, name: str) -> None:
        if self._text:
            self._found.setdefault("/".join(self._path), []).append("".join(self._text))
            self._text.clear()
        self._path.pop()
        if name == "release":
            self.releases += 1
            self._found = {}


def main(path: Path) -> None:
    def work() -> None:
        handlers, parser = Handlers(), expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = handlers.start
        parser.EndElementHandler = handlers.end
        parser.CharacterDataHandler = handlers.text
        with gzip.open(path) as stream:
            while data := stream.read(_PORTION):
                parser.Parse(data)
        parser.Parse(b"", True)
        assert handlers.releases

    serve(work)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
