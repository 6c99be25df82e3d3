"""Decodes one whole file and counts what comes out. Runs only inside the confined child (worker)."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import av
from av.error import FFmpegError
from av.stream import Disposition

from fonoteca.audio import chunks, mpeg, ogg
from fonoteca.audio.containers import DECODERS, Container, skip_id3
from fonoteca.audio.facts import AudioRefused, Limits

_BUFFER = 1 << 17
_OPEN = {
    # The demuxer is pinned by format=, bytes come from the Python file: nothing else may be opened or decoded.
    "codec_whitelist": ",".join(DECODERS),
    "protocol_whitelist": "none",
    "enable_drefs": "0",
    "use_absolute_path": "0",
}
_DECODE = {"err_detect": "crccheck+bitstream+buffer+explode", "threads": "1"}
_SLACK_S = 0.1


@dataclass
class Sound:
    """What decoding gave. ``metadata``: the container's tags as the demuxer names them."""

    codec: str
    sample_rate: int
    channels: int
    samples: int
    end: int
    """Where the last frame ends, in the stream's time base (samples, in FLAC)."""
    metadata: dict[str, str]


def check_structure(data: mmap.mmap, container: Container, start: int) -> int | None:
    """The container's own lengths, counts and checksums. Returns the samples that it promises, where it does.

    Raises:
        AudioRefused: truncated or damaged.
    """
    match container.name:
        case "flac":
            return chunks.flac_samples(data, start) or None
        case "ogg":
            ogg.check(data)
        case "mp3":
            mpeg.check(data, start)
        case "mp4":
            chunks.check_mp4(data)
        case "wav":
            chunks.check_iff(data, b"data", "little")
        case "aiff":
            chunks.check_iff(data, b"SSND", "big")
    return None


def _pick(opened: Any, container: Container) -> Any:
    """The only audio stream. Cover pictures and chapter texts may stand beside it."""
    for other in opened.streams:
        if other.type == "video" and not other.disposition & Disposition.attached_pic:
            raise AudioRefused("unsupported-codec", "it is a video")
    streams = opened.streams.audio
    if not streams:
        raise AudioRefused("no-audio-stream", "it holds no audio stream")
    if len(streams) > 1:
        raise AudioRefused("unsupported-codec", f"it holds {len(streams)} audio streams")
    context = streams[0].codec_context
    if context is None or context.name not in container.codecs:
        name = context.name if context is not None else "unknown to the decoder"
        raise AudioRefused("unsupported-codec", f"its codec is {name}")
    return streams[0]


def _check_shape(sample_rate: int, channels: int, limits: Limits) -> None:
    if not 1 <= sample_rate <= limits.max_sample_rate_hz:
        raise AudioRefused("decode-error", f"the sample rate {sample_rate} Hz is impossible")
    if not 1 <= channels <= limits.max_channels:
        raise AudioRefused("decode-error", f"{channels} channels are impossible")


def _frames(opened: Any, stream: Any) -> Iterator[Any]:
    """All frames. A packet that does not decode is a cut where it is the last one, damage where others follow."""
    broken: FFmpegError | None = None
    for packet in opened.demux(stream):
        if broken is not None and packet.size:
            raise AudioRefused("decode-error", f"a packet does not decode: {_reason(broken)}") from broken
        if packet.is_corrupt:
            raise AudioRefused("decode-error", "a packet is damaged")
        try:
            yield from packet.decode()
        except FFmpegError as error:
            if isinstance(error, MemoryError):
                raise
            broken = error
    if broken is not None:
        raise AudioRefused("truncated-audio", f"the last packet does not decode: {_reason(broken)}") from broken


def _reason(error: FFmpegError) -> str:
    return str(error.strerror or error)


def _count(opened: Any, stream: Any, limits: Limits) -> Sound:
    context = stream.codec_context
    context.options = _DECODE
    samples, end = 0, 0
    shape: tuple[int, int] | None = None
    for frame in _frames(opened, stream):
        now = (frame.sample_rate, frame.layout.nb_channels)
        if shape is None:
            shape = now
            _check_shape(*shape, limits)
        elif now != shape:
            raise AudioRefused("unsupported-codec", "sample rate or channels change on the way")
        samples += frame.samples
        end = (frame.pts or 0) + frame.samples
        if samples > limits.max_audio_seconds * shape[0]:
            raise AudioRefused("too-large", f"it plays longer than {limits.max_audio_seconds} s")
    if shape is None:
        raise AudioRefused("no-audio-stream", "it holds no samples")
    return Sound(context.name, *shape, samples, end, dict(opened.metadata) | dict(stream.metadata))


def _check_length(sound: Sound, promised: int | None, stream: Any, container: Container) -> None:
    if promised is not None and sound.samples != promised:
        code = "truncated-audio" if sound.samples < promised and sound.end < promised else "decode-error"
        raise AudioRefused(code, f"{sound.samples} samples of the {promised} that its header promises")
    if container.name in {"mp4", "wav", "aiff"} and stream.duration:
        seconds = float(stream.duration * stream.time_base)
        if sound.samples / sound.sample_rate < seconds - _SLACK_S:
            raise AudioRefused("truncated-audio", f"{sound.samples / sound.sample_rate:.2f} s of the {seconds:.2f} s "
                                                  "that its header promises")  # fmt: skip


def decode(stream: IO[bytes], size: int, container: Container, limits: Limits) -> Sound:
    """Check the structure, then decode every packet.

    Raises:
        AudioRefused: with what is wrong. MemoryError where the memory limit is met.
    """
    start = skip_id3(stream)
    with mmap.mmap(stream.fileno(), size, access=mmap.ACCESS_READ) as data:
        promised = check_structure(data, container, start)
    stream.seek(0)
    try:
        with av.open(stream, format=container.demuxer, options=_OPEN, buffer_size=_BUFFER,
                     metadata_errors="replace") as opened:  # fmt: skip
            audio = _pick(opened, container)
            sound = _count(opened, audio, limits)
            _check_length(sound, promised, audio, container)
            return sound
    except FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
        raise AudioRefused("decode-error", f"the decoder stopped: {_reason(error)}") from error
