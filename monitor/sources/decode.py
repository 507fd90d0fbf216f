"""Decodes recordings with PyAV: float32 pieces, exact sample counts, and how far the file could be read.

Headers are read for what PyAV does not report: the length that a header states, so that a truncated file can
be distinguished from a short one.
"""

import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from monitor.errors import BadInput
from monitor.sources.channels import HIGHEST_RATE, LOWEST_RATE

_UNKNOWN_SIZES = (0, 0xFFFFFFFF, 0x7FFFFFFF)
"""Values that writers put where a size will be known later, and leave when they are killed."""
_GUESSED = {"aac", "ac3", "eac3", "mpegts", "mpeg", "amr", "gsm"}
"""FFmpeg's names of formats without a length: it estimates one from the bit rate."""
_MP3_COUNTS = (b"Xing", b"Info", b"VBRI")
"""Marks of an MP3 header that counts the frames."""
_EXTENSIBLE = 0xFFFE
_LONGEST_NAME = 200


def promised_seconds(path: Path) -> float | None:
    """The duration in seconds in a RIFF WAV header, if the file is too short for it; else None."""
    with path.open("rb") as file:
        bytes_per_second = 0
        for name, size in _chunks(file):
            if name == b"data":
                short = size not in _UNKNOWN_SIZES and file.tell() + size > path.stat().st_size
                return size / bytes_per_second if short and bytes_per_second else None
            body = file.read(min(size, 12))
            if name == b"fmt " and len(body) == 12:
                bytes_per_second = struct.unpack("<I", body[8:12])[0]
    return None


def big_endian(path: Path) -> bool:
    """Whether this is a RIFX file: WAV in reverse byte order, which FFmpeg reads as noise."""
    with path.open("rb") as file:
        return file.read(4) == b"RIFX"


def repaired_header(path: Path) -> BinaryIO | None:
    """The file with its header as FFmpeg understands it; None where that is the file as it is.

    A WAVE_FORMAT_EXTENSIBLE header holds how many bits a sample takes and how many of them are used, such as
    24 of 32. FFmpeg takes the latter for the former and reads noise, so all bits are declared as used.
    """
    with path.open("rb") as file:
        for name, _ in _chunks(file):
            place = file.tell()
            body = file.read(20)
            if name == b"data" or (name == b"fmt " and len(body) < 20):
                return None
            if name == b"fmt ":
                kind, channels, _, _, align, _, _, used = struct.unpack("<HHIIHHHH", body)
                bits = align * 8 // channels if channels else 0
                odd = kind == _EXTENSIBLE and used not in (0, bits)
                return _Overlaid(path, place + 18, struct.pack("<H", bits & 0xFFFF)) if odd else None
    return None


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """The name and size of each chunk of a RIFF WAV file, the file positioned at its first byte."""
    if file.read(4) != b"RIFF" or len(file.read(4)) != 4 or file.read(4) != b"WAVE":
        return
    while len(head := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", head)
        begin = file.tell()
        yield name, size
        file.seek(begin + size + size % 2)


class _Overlaid(FileIO):
    """A file for reading in which ``patch`` replaces the bytes at ``place``."""

    def __init__(self, path: Path, place: int, patch: bytes) -> None:
        super().__init__(path, "rb")
        self._place, self._patch = place, patch

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes."""
        begin = self.tell()
        content = bytearray(super().read(-1 if size is None else size))
        for at, byte in enumerate(self._patch, self._place - begin):
            if 0 <= at < len(content):
                content[at] = byte
        return bytes(content)


def has_exact_length(path: Path, form: str) -> bool:
    """Whether the length of a file of FFmpeg's ``form`` is stored in the file, and not estimated by
    FFmpeg.
    """
    if form != "mp3":
        return form not in _GUESSED
    with path.open("rb") as file:
        start = file.read(1 << 18)
    return any(mark in start for mark in _MP3_COUNTS)


def printable(path: Path | str) -> str:
    """A path as it may appear in a sentence: on one line, and of limited length."""
    text = "".join(letter if letter.isprintable() else "?" for letter in str(path))
    return (
        text
        if len(text) <= _LONGEST_NAME
        else text[: _LONGEST_NAME // 2] + "..." + text[-_LONGEST_NAME // 2 :]
    )


Samples = NDArray[np.float32]
PIECE = 0.25
"""Seconds that are collected before they are passed on (a codec's frames are far shorter, and each costs)."""
HOLE = 0.1
"""Seconds that time stamps must jump ahead before it counts as a loss (containers round their stamps)."""
SHORT = 0.1
"""Seconds that may be missing at the end before a file counts as truncated (codecs pad their last packet)."""


_OPTIONS = {"max_size": "65536"}
"""FFmpeg's option for the bytes in a packet of PCM (its default of 4096 would mean sixteen packets a
second).
"""


@dataclass(frozen=True, slots=True)
class DecodedAudio:
    """A run of samples, float32 [channels, n]; ``lost`` samples are missing before it."""

    pcm: Samples
    lost: int = 0


class AudioFile:
    """An audio file of 8 to 192 kHz with one or two channels.

    Opening it decodes its first frame, so a file that cannot be decoded is refused before a call starts.
    ``decoded`` counts the samples decoded so far. Raises ``BadInput`` saying what is wrong with the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = False
        self.changed = False
        self.decoded = 0
        self.finished = False
        """Whether it was decoded to its end, wherever that was."""
        self._first_stamp = 0
        _check_file(path)
        with closing(_open(path)) as container:
            stream = _audio_stream(container, path)
            self.tracks = len(container.streams.audio)
            self.seconds = promised_seconds(path) or _duration(container, stream)
            self._length_known = has_exact_length(path, container.format.name)
            frame = self._first_sound(container, stream)
        self.rate: int = frame.sample_rate
        self.channels: int = frame.layout.nb_channels
        self._check_form()

    def sounds(self) -> Iterator[DecodedAudio]:
        """Yields all its audio from the start, as far as possible; ``notice`` then says how far that was."""
        self.decoded, self.finished, self.damaged, self.changed = 0, False, False, False
        parts: list[Samples] = []
        size = 0
        for frame in self._uniform_frames():
            pcm, hole = samples(frame), self._hole(frame, self.decoded + size)
            if parts and (hole or size >= PIECE * self.rate):
                yield self._joined(parts, 0)
                parts, size = [], 0
            if hole:
                self.damaged = True
                yield self._joined([pcm], hole)
            else:
                parts.append(pcm)
                size += pcm.shape[1]
        self.finished = True
        if parts:
            yield self._joined(parts, 0)

    @property
    def heard_to(self) -> float:
        """Seconds decoded so far."""
        return round(self.decoded / self.rate, 3)

    @property
    def notice(self) -> str | None:
        """What a user should know about the file, once it has been decoded; None if all is well."""
        name, to = printable(self.path.name), f"{self.heard_to:.1f} s"
        if self.changed:
            return f"{name} changes its sampling rate or channels at {to}; it was decoded up to there."
        short = self.seconds is not None and self.heard_to < self.seconds - SHORT
        if self.finished and self._length_known and short:
            return (
                f"{name} is cut short or damaged: its header states {self.seconds:.1f} s, "
                f"but only {to} could be decoded."
            )
        if self.damaged:
            return f"{name} is damaged in places; what could be decoded was used, up to {to}."
        return None

    def _joined(self, parts: list[Samples], lost: int) -> DecodedAudio:
        pcm = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        self.decoded += lost + pcm.shape[1]
        return DecodedAudio(pcm, lost)

    def _uniform_frames(self) -> Iterator[Any]:
        """The frames with the format of the first; a frame of another format ends them."""
        with closing(_open(self.path)) as container:
            for frame in self._frames(container, _audio_stream(container, self.path)):
                if (frame.sample_rate, frame.layout.nb_channels) != (self.rate, self.channels):
                    self.changed = True
                    return
                if frame.samples:
                    yield frame

    def _first_sound(self, container: Any, stream: Any) -> Any:
        """The first frame that holds a finite sample (usually simply the first)."""
        silent = None
        for frame in self._frames(container, stream):
            silent = frame
            if frame.samples and np.isfinite(samples(frame)).any():
                return frame
        if silent is None or not silent.samples:
            raise BadInput(f"{printable(self.path)} holds no sound; record it again or choose another file.")
        raise BadInput(f"{printable(self.path)} holds no finite samples; export it again.")

    def _frames(self, container: Any, stream: Any) -> Iterator[Any]:
        """Every frame that decodes; a packet that does not is skipped."""
        import av  # here, not above: it loads FFmpeg

        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.FFmpegError, OSError):
                self.damaged = True
                return
            try:
                yield from packet.decode()
            except (av.FFmpegError, OSError, ValueError):
                self.damaged = True

    def _hole(self, frame: Any, decoded: int) -> int:
        """Samples that are missing before this frame by its time stamp, the first frame's being 0."""
        if frame.pts is None:
            return 0
        stamp = round(float(frame.pts * frame.time_base) * self.rate)
        if not decoded:
            self._first_stamp = stamp
        ahead = stamp - self._first_stamp - decoded
        fits = self.seconds is not None and decoded + ahead <= (self.seconds + HOLE) * self.rate
        return ahead if fits and ahead > HOLE * self.rate else 0

    def _check_form(self) -> None:
        if not LOWEST_RATE <= self.rate <= HIGHEST_RATE:
            raise BadInput(
                f"{printable(self.path)} has {self.rate} samples a second; "
                f"a call needs {LOWEST_RATE} to {HIGHEST_RATE}, so convert it first."
            )
        if self.channels > 2:
            raise BadInput(
                f"{printable(self.path)} has {self.channels} channels; "
                "a call has two, so export the caller and the agent only."
            )


def samples(frame: Any) -> Samples:
    """A decoded frame as float32 [channels, n], full scale 1.0."""
    kind, channels = frame.format.name.removesuffix("p"), frame.layout.nb_channels
    raw = frame.to_ndarray()
    pcm = raw if frame.format.is_planar else raw.reshape(-1, channels).T
    if kind in ("flt", "dbl"):
        return np.ascontiguousarray(pcm, np.float32)
    offset, full = (128, 128) if kind == "u8" else (0, 2 ** (pcm.itemsize * 8 - 1))
    scaled: Samples = (pcm.astype(np.float32) - np.float32(offset)) / np.float32(full)
    return scaled


def _check_file(path: Path) -> None:
    """Raises ``BadInput`` where the path is not a file that can be read."""
    try:
        if path.is_dir():
            raise BadInput(f"{printable(path)} is a folder; name a sound file.")
        if not path.exists():
            raise BadInput(f"{printable(path)} does not exist; check the path.")
        if not path.is_file():
            raise BadInput(f"{printable(path)} is a pipe, a socket or a device; name a sound file.")
        with path.open("rb") as file:
            if not file.read(1):
                raise BadInput(f"{printable(path)} is empty; record it again or choose another file.")
        if big_endian(path):
            raise BadInput(
                f"{printable(path)} is a WAV file in reverse byte order; save it as plain WAV or FLAC."
            )
    except (OSError, ValueError) as wrong:
        reason = (getattr(wrong, "strerror", None) or "the name is not valid").lower()
        raise BadInput(f"{printable(path)} cannot be read ({reason}); check who may read it.") from None


def _open(path: Path) -> Any:
    import av  # here, not above: it loads FFmpeg

    try:
        source = repaired_header(path) or f"file:{path.absolute()}"
        return av.open(source, metadata_errors="ignore", options=_OPTIONS)
    except (av.FFmpegError, OSError, ValueError):
        raise BadInput(
            f"{printable(path)} is no recording that can be decoded (or its header is damaged); "
            "give a WAV, FLAC, MP3, OGG, Opus or M4A file."
        ) from None


def _audio_stream(container: Any, path: Path) -> Any:
    if not container.streams.audio:
        raise BadInput(
            f"{printable(path)} holds no sound track (or was cut short before its index); "
            "name a file with the call's sound in it."
        )
    return container.streams.audio[0]


def _duration(container: Any, stream: Any) -> float | None:
    """The duration in seconds as the container states it, or None."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / 1e6 if container.duration else None
