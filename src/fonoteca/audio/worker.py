"""The decoder child: takes files as open descriptors, one after the other, and answers with facts or a refusal.

Started by :mod:`fonoteca.audio.pool` as ``python -m fonoteca.audio.worker FD LIMITS``. A request is a JSON line
(bytes of the file) followed by a descriptor; the answer is one JSON object. Nothing is pickled either way.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from typing import IO, Any

from fonoteca.audio import sandbox
from fonoteca.audio.facts import AudioFacts, AudioRefused, Limits

# Codecs that text decoding loads on first use: they must be here before the file system goes away.
_TEXT_CODECS = ("ascii", "latin-1", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "cp1252", "idna")

Examine = Callable[[IO[bytes], int, Limits], dict[str, Any]]


def examine(stream: IO[bytes], size: int, limits: Limits) -> dict[str, Any]:
    """One file: sniff, decode whole, read tags. The answer's ``facts`` or ``refused``."""
    from fonoteca.audio.containers import sniff
    from fonoteca.audio.decode import decode
    from fonoteca.audio.tags import read_tags

    try:
        container = sniff(stream)
        if container is None:
            raise AudioRefused("not-audio", "its content is none of FLAC, Ogg, MP3, MP4, WAV, AIFF")
        sound = decode(stream, size, container, limits)
        codec, mime, extension = container.codecs[sound.codec]
        tags, notes = read_tags(stream, container.name, codec, sound.metadata, limits)
        seconds = sound.samples / sound.sample_rate
        facts = AudioFacts(container.name, codec, mime, extension, round(size * 8 / seconds), sound.sample_rate,
                           sound.channels, round(seconds * 1000), sound.samples, tags, notes)  # fmt: skip
        return {"facts": facts.as_json()}
    except AudioRefused as error:
        return {"refused": [error.code, error.reason]}
    except MemoryError:
        return {"refused": ["decode-memory", f"it needs more than {limits.decode_memory_bytes} bytes of memory"]}


def _load() -> None:
    """Everything that is imported or looked up late, now."""
    import av
    import av.audio.stream
    import av.subtitles.stream
    import av.video.stream

    import fonoteca.audio.containers
    import fonoteca.audio.decode
    import fonoteca.audio.tags  # noqa: F401

    av.logging.set_level(None)
    for name in _TEXT_CODECS:
        "a".encode(name)
        b"".decode(name)


def _answer(connection: Connection, size: int, mapped: int, limits: Limits, examined: Examine) -> None:
    if sys.platform != "win32":
        sandbox.limit_file(limits, mapped, size)
    with os.fdopen(recv_handle(connection), "rb", buffering=0) as stream:
        answer = examined(stream, size, limits)
    connection.send_bytes(json.dumps(answer).encode("utf-8"))


def serve(connection: Connection, limits: Limits, examined: Examine = examine) -> None:
    """Confine this process, say what could not be enforced, then answer until the other end closes."""
    _load()
    mapped = sandbox.mapped_bytes()
    connection.send_bytes(json.dumps({"missing": sandbox.confine(limits, mapped)}).encode("utf-8"))
    while True:
        try:
            request = connection.recv_bytes(64)
        except EOFError:
            return
        _answer(connection, int(request), mapped, limits, examined)


def main() -> None:
    """The child's whole life."""
    serve(Connection(int(sys.argv[1])), Limits(**json.loads(sys.argv[2])))


if __name__ == "__main__":
    main()
