"""Records of large XML files, each parsed alone: a broken one is refused, and the next one is read.

The bytes are cut where a record begins, found by a pattern, and each piece goes to expat by itself. So memory is
that of one record whatever the file's size, and a document type declaration never reaches the parser: an entity
of one's own is an undefined entity, and none can grow or name a file. XML 1.0 (fifth edition).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from fonoteca.sources.limits import LIMITS, Limits
from fonoteca.sources.records import Refused
from fonoteca.sources.rows import SAMPLE, refused
from fonoteca.sources.stream import Torn, open_bytes, torn

_READ = 1 << 20
_OVERLAP = 2048
"""Bytes that the beginning of a record may take, as patterns see it."""
_CONTROLS = bytes({*range(0x20)} - {0x09, 0x0A, 0x0D})
_REFERENCE = re.compile(rb"&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,8}));")
# What stands before the root is taken once, not in every way in which it can be: that took hours for 40 comments.
_HEAD = re.compile(rb"(?:\xef\xbb\xbf)?\s*+(?:<\?xml\s[^>]*\?>)?(?>\s++|<!--.*?-->|<\?[^>]*\?>)*+(<([A-Za-z_][\w.:-]*)"
                   rb"(?:\s[^<>]*)?>)", re.DOTALL)  # fmt: skip
_READ_AS = {b"utf-8", b"utf8", b"us-ascii"}
_DECLARED = 4_096
"""Bytes at the head of a file in which it says how it is written."""
_ENCODING = re.compile(rb"<\?xml\s[^>]*encoding\s*=\s*[\"']([\w.-]+)")


@dataclass(frozen=True)
class Shape:
    """How the records of a kind of file look.

    Attributes:
        root: name of the file's root element, as written.
        start: how a record begins; it must not match inside one.
        end: the end tag of a record.
        wrapped: parse each record inside the root's own start tag, for the names of namespaces that it declares.
        kind: what a refused record would have been.
    """

    root: bytes
    start: re.Pattern[bytes]
    end: bytes
    wrapped: bool = False
    kind: str = "recording"


@dataclass(frozen=True, slots=True)
class Fragment:
    """One record: where it stood, the element, the bytes as they were, and flags for what had to be mended."""

    position: str
    element: ElementTree.Element
    raw: bytes
    flags: frozenset[str]

    def refuse(self, code: str, reason: str, kind: str = "recording") -> Refused:
        """This record, refused."""
        return refused(self.position, code, reason, _shown(self.raw, LIMITS), LIMITS, kind)


def root_of(path: Path, limits: Limits = LIMITS) -> tuple[bytes, bytes] | None:
    """Name and start tag of a file's root element; None where it does not begin as XML in UTF-8 or ASCII.

    A document type declaration is none of what the dumps have, and is not read: None. OSError as usual.
    """
    with open_bytes(path, limits) as stream:
        sample = stream.read(SAMPLE)
    head = _HEAD.match(sample)
    encoding = _ENCODING.search(sample[: head.start(1)]) if head else None
    if head is None or (encoding and encoding[1].lower() not in _READ_AS):
        return None
    return head[2], head[1]


def why_not(path: Path, limits: Limits = LIMITS) -> str:
    """What keeps a file of XML from being read, in words; empty where it is something else. OSError as usual."""
    with open_bytes(path, limits) as stream:
        sample = stream.read(SAMPLE)
    if sample.startswith((b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")):
        return "its text is in UTF-16: convert it to UTF-8"
    if b"<!DOCTYPE" in sample[:_DECLARED]:
        return "it has a document type declaration, which no dump has and which is not read"
    encoding = _ENCODING.search(sample[:_DECLARED])
    if encoding and encoding[1].lower() not in _READ_AS:
        return f"its text is in {encoding[1].decode('ascii', 'replace')}: convert it to UTF-8"
    return ""


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a file that begins where a record does and holds whole records, to be parsed by anybody.

    Attributes:
        first: number of its first piece; piece 0 is what stands before the first record.
        data: its bytes.
        over: its first piece is longer than a record may be, and only that piece's beginning and end are there.
        last: it is the file's last one.
        damage: of the last one, why the file could not be read to its end.
    """

    first: int
    data: bytes
    over: bool = False
    last: bool = False
    damage: Torn | None = None


def records(path: Path, shape: Shape, limits: Limits = LIMITS, name: str = "") -> Iterator[Fragment | Refused]:
    """The records in order, numbered from 1; what is broken, and the torn or missing end of a file, is refused."""
    wrap = root_wrap(path, shape, limits)
    for block in blocks(path, shape, limits):
        yield from records_of(block, shape, name or path.name, wrap, limits)


def records_of(
    block: Block, shape: Shape, name: str, wrap: tuple[bytes, bytes] = (b"", b""), limits: Limits = LIMITS,
    only: Sequence[int] | None = None, starts: list[int] | None = None,
) -> Iterator[Fragment | Refused]:  # fmt: skip
    """The records of one block, or only of those of its pieces, from 0.

    ``name`` is the file's, for positions; ``wrap`` what :func:`root_wrap` gave, ``starts`` :func:`starts_of`.
    """
    starts = starts or starts_of(block.data, shape)
    ends = [*starts[1:], len(block.data)]
    cutter = _Records(name, shape, limits, wrap)
    for at in range(len(starts)) if only is None else only:
        piece = block.data[starts[at] : ends[at]]
        cutter.number = block.first + at
        over = len(piece) > limits.xml_record or (block.over and at == 0)
        if block.last and at == len(starts) - 1:
            yield from cutter.final(piece, block.damage, over=over)
        elif cutter.number:
            yield from cutter.inner(piece, over=over)


def starts_of(data: bytes, shape: Shape) -> list[int]:
    """Where the pieces of a block begin."""
    return [0, *[found.start() for found in shape.start.finditer(data, 1)]]


def root_wrap(path: Path, shape: Shape, limits: Limits = LIMITS) -> tuple[bytes, bytes]:
    """The root's own tags, where records are parsed inside them."""
    found = root_of(path, limits) if shape.wrapped else None
    return (found[1], b"</" + found[0] + b">") if found else (b"", b"")


def blocks(path: Path, shape: Shape, limits: Limits = LIMITS, size: int = _READ) -> Iterator[Block]:
    """A file cut where records begin, about every ``size`` bytes. In memory are two of them and the longest record."""
    with open_bytes(path, limits) as stream:
        held, first, over = bytearray(), 0, False
        while data := stream.read(size):
            known = len(held)
            held += data
            at = _last_start(held, shape, max(known - _OVERLAP, 1))
            if at:
                with memoryview(held) as view:
                    block = Block(first, bytes(view[:at]), over)
                yield block
                first += len(starts_of(block.data, shape))
                over = False
                del held[:at]
            if len(held) > limits.xml_record:
                over = True
                del held[limits.raw : -_OVERLAP]
        yield Block(first, bytes(held), over, last=True, damage=torn(stream))


def _last_start(held: bytearray, shape: Shape, least: int) -> int:
    """Where the last record begins, not before ``least``; 0 where none does."""
    at = len(held)
    while (at := held.rfind(b"<", least, at)) > 0:
        if shape.start.match(held, at):
            return at
    return 0


class _Records:
    """One pass over one file."""

    def __init__(self, name: str, shape: Shape, limits: Limits, wrap: tuple[bytes, bytes]) -> None:
        self._name, self._shape, self._limits, self._wrap = name, shape, limits, wrap
        self.number = 0

    def _refused(self, code: str, reason: str, raw: bytes, number: int = 0) -> Refused:
        position = f"{self._name}:{number or self.number}"
        return refused(position, code, reason, _shown(raw, self._limits), self._limits, self._shape.kind)

    def inner(self, data: bytes, *, over: bool) -> Iterator[Fragment | Refused]:
        """A record that another one follows; what stands between them is refused."""
        if over:
            yield self._refused("long-row", f"the record is longer than {self._limits.xml_record} bytes", data)
            return
        end = data.rfind(self._shape.end) + len(self._shape.end)
        found = self._parsed(data[:end]) if end >= len(self._shape.end) else None
        if not isinstance(found, Fragment):
            first = data.find(self._shape.end) + len(self._shape.end)
            again = self._parsed(data[:first]) if len(self._shape.end) <= first < end else None
            if isinstance(again, Fragment):
                end, found = first, again
        if found is None:
            yield self._refused("bad-xml", "the record has no end", data)
            return
        yield found
        if data[end:].strip():
            yield self._refused("bad-xml", "something that is no record follows this one", data[end:])

    def final(self, data: bytes, damage: Torn | None, *, over: bool) -> Iterator[Fragment | Refused]:
        """The last record, and whether the file ends as it should."""
        root = b"</" + self._shape.root
        at = data.rfind(root)
        if at >= 0 and damage is None:
            if self.number:
                # What follows the last record inside the root (a resumption token) is no record.
                end = data.rfind(self._shape.end, 0, at)
                tail = at if end < 0 or not self._shape.wrapped else end + len(self._shape.end)
                yield from self.inner(data[:tail], over=over)
            rest = data[at:].partition(b">")[2]
            if rest.strip():
                yield self._refused("bad-xml", "something follows the end of the document", rest, self.number + 1)
            return
        code, reason = ("truncated-file", f"the file ends before {root.decode()}>")
        if damage is not None:
            code, reason = damage.code, damage.reason
        end = data.rfind(self._shape.end) + len(self._shape.end)
        whole = self._parsed(data[:end]) if self.number and not over and end >= len(self._shape.end) else None
        if isinstance(whole, Fragment):
            yield whole
            data = data[end:]
        # The tear has a position of its own behind a whole record, and that of the half one otherwise.
        behind = isinstance(whole, Fragment) or not self.number
        yield self._refused(code, reason, data, self.number + behind)

    def _parsed(self, data: bytes) -> Fragment | Refused:
        limits = self._limits
        if data.count(b"<") > limits.xml_tags:
            return self._refused("bad-xml", f"the record has more than {limits.xml_tags} tags", data)
        mended, flags = _mended(data)
        try:
            element = self._element(mended)
        except ElementTree.ParseError as error:
            bare = _REFERENCE.sub(_allowed, mended)
            if bare == mended:
                return self._refused("bad-xml", f"the record is not well-formed XML: {error}", data)
            try:
                element = self._element(bare)
            except ElementTree.ParseError:
                return self._refused("bad-xml", f"the record is not well-formed XML: {error}", data)
            flags.add("control-characters")
        if element.find("/".join("*" * limits.xml_depth)) is not None:
            return self._refused("bad-xml", f"the record is nested deeper than {limits.xml_depth}", data)
        return Fragment(f"{self._name}:{self.number}", element, data, frozenset(flags))

    def _element(self, data: bytes) -> ElementTree.Element:
        """The record's element. The parser sees UTF-8 alone, and no declaration of types or entities."""
        before, after = self._wrap
        parser = ElementTree.XMLParser(encoding="utf-8")  # noqa: S314 no document type can come before the root
        parser.feed(before + data + after)
        root: ElementTree.Element = parser.close()
        return root[0] if before else root


def _mended(data: bytes) -> tuple[bytes, set[str]]:
    """Without control characters, and with U+FFFD for what is no UTF-8: such records are read, and flagged."""
    flags: set[str] = set()
    bare = data.translate(None, _CONTROLS)
    if len(bare) != len(data):
        data = bare
        flags.add("control-characters")
    if not data.isascii():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            data = data.decode("utf-8", "replace").encode("utf-8")
            flags.add("bad-encoding")
    return data, flags


def _allowed(found: re.Match[bytes]) -> bytes:
    """A reference to a character that XML allows, or nothing."""
    number = int(found[1], 16) if found[1] else int(found[2])
    fits = number in {9, 10, 13} or 0x20 <= number < 0xD800 or 0xE000 <= number < 0xFFFE or 0x10000 <= number < 0x110000
    return found[0] if fits else b""


def _shown(raw: bytes, limits: Limits) -> str:
    return raw[: limits.raw].decode("utf-8", "backslashreplace")
