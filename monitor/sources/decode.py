"""One file's sound, as PyAV decodes it: float32 pieces, exact counts, and how far it could be heard."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.audio.channels import HIGHEST_RATE, LOWEST_RATE
from monitor.errors import BadInput
from monitor.sources.header import big_endian, mended, promised_seconds, shown, tells_length

Samples = NDArray[np.float32]
PIECE = 0.25
"""Seconds gathered before they are handed on (a codec's frames are far shorter, and each costs)."""
HOLE = 0.1
"""Seconds that time stamps must jump ahead before it counts as a hole (containers round their stamps)."""
SHORT = 0.1
"""Seconds that may miss at the end before a file counts as cut short (codecs pad their last packet)."""


_OPTIONS = {"max_size": "65536"}
"""FFmpeg's: bytes in a packet of PCM (its own 4096 would mean sixteen packets a second)."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A run of samples, float32 [channels, n]; ``lost`` samples are missing before it."""

    pcm: Samples
    lost: int = 0


class SoundFile:
    """A sound file of 8 to 192 kHz.

    Opening it decodes its first sound, so a file that cannot be heard is refused before a call begins.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = False
        self.changed = False
        self.heard = 0
        self.over = False
        """Whether it was heard to its end, wherever that was."""
        self._first_stamp = 0
        _check_file(path)
        with closing(_open(path)) as container:
            stream = _audio_stream(container, path)
            self.tracks = len(container.streams.audio)
            self.seconds = promised_seconds(path) or _duration(container, stream)
            self._length_known = tells_length(path, container.format.name)
            frame = self._first_sound(container, stream)
        self.rate: int = frame.sample_rate
        self.channels: int = frame.layout.nb_channels
        self._check_form()

    def sounds(self) -> Iterator[Sound]:
        """All its sound from the beginning, as far as it goes; ``notice`` then says how far that was."""
        self.heard, self.over, self.damaged, self.changed = 0, False, False, False
        parts: list[Samples] = []
        size = 0
        for frame in self._alike():
            pcm, hole = samples(frame), self._hole(frame, self.heard + size)
            if parts and (hole or size >= PIECE * self.rate):
                yield self._gathered(parts, 0)
                parts, size = [], 0
            if hole:
                self.damaged = True
                yield self._gathered([pcm], hole)
            else:
                parts.append(pcm)
                size += pcm.shape[1]
        self.over = True
        if parts:
            yield self._gathered(parts, 0)

    @property
    def heard_to(self) -> float:
        """Seconds heard so far."""
        return round(self.heard / self.rate, 3)

    @property
    def notice(self) -> str | None:
        """What a listener should know about the file, once it has been heard."""
        name, to = shown(self.path.name), f"{self.heard_to:.1f} s"
        if self.changed:
            return f"{name} changes its rate or channels at {to}; it was heard to there."
        short = self.seconds is not None and self.heard_to < self.seconds - SHORT
        if self.over and self._length_known and short:
            return f"{name} is cut short or damaged: {self.seconds:.1f} s were promised, {to} were heard."
        if self.damaged:
            return f"{name} is damaged in places; what could be decoded was heard, to {to}."
        return None

    def _gathered(self, parts: list[Samples], lost: int) -> Sound:
        pcm = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        self.heard += lost + pcm.shape[1]
        return Sound(pcm, lost)

    def _alike(self) -> Iterator[Any]:
        """The frames that have the form of the first; one of another form ends them."""
        with closing(_open(self.path)) as container:
            for frame in self._frames(container, _audio_stream(container, self.path)):
                if (frame.sample_rate, frame.layout.nb_channels) != (self.rate, self.channels):
                    self.changed = True
                    return
                if frame.samples:
                    yield frame

    def _first_sound(self, container: Any, stream: Any) -> Any:
        """The first frame that holds a finite sample (most often simply the first)."""
        silent = None
        for frame in self._frames(container, stream):
            silent = frame
            if frame.samples and np.isfinite(samples(frame)).any():
                return frame
        if silent is None or not silent.samples:
            raise BadInput(f"{shown(self.path)} holds no sound; record it again or choose another file.")
        raise BadInput(f"{shown(self.path)} holds only samples that are no numbers; export it again.")

    def _frames(self, container: Any, stream: Any) -> Iterator[Any]:
        """Every frame that decodes; a packet that does not is passed over."""
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

    def _hole(self, frame: Any, heard: int) -> int:
        """Samples that are missing before this frame by its time stamp, the first frame's being 0."""
        if frame.pts is None:
            return 0
        stamp = round(float(frame.pts * frame.time_base) * self.rate)
        if not heard:
            self._first_stamp = stamp
        ahead = stamp - self._first_stamp - heard
        fits = self.seconds is not None and heard + ahead <= (self.seconds + HOLE) * self.rate
        return ahead if fits and ahead > HOLE * self.rate else 0

    def _check_form(self) -> None:
        if not LOWEST_RATE <= self.rate <= HIGHEST_RATE:
            raise BadInput(
                f"{shown(self.path)} has {self.rate} samples a second; "
                f"a call needs {LOWEST_RATE} to {HIGHEST_RATE}, so convert it first."
            )
        if self.channels > 2:
            raise BadInput(
                f"{shown(self.path)} has {self.channels} channels; "
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
    """Says in plain words why a path is no file that can be read."""
    try:
        if path.is_dir():
            raise BadInput(f"{shown(path)} is a folder; name a sound file.")
        if not path.exists():
            raise BadInput(f"{shown(path)} does not exist; check the path.")
        if not path.is_file():
            raise BadInput(f"{shown(path)} is a pipe, a socket or a device; name a sound file.")
        with path.open("rb") as file:
            if not file.read(1):
                raise BadInput(f"{shown(path)} is empty; record it again or choose another file.")
        if big_endian(path):
            raise BadInput(
                f"{shown(path)} is a WAV file in reverse byte order; save it as plain WAV or FLAC."
            )
    except (OSError, ValueError) as wrong:
        reason = (getattr(wrong, "strerror", None) or "the name is not valid").lower()
        raise BadInput(f"{shown(path)} cannot be read ({reason}); check who may read it.") from None


def _open(path: Path) -> Any:
    import av  # here, not above: it loads FFmpeg

    try:
        source = mended(path) or f"file:{path.absolute()}"
        return av.open(source, metadata_errors="ignore", options=_OPTIONS)
    except (av.FFmpegError, OSError, ValueError):
        raise BadInput(
            f"{shown(path)} is no recording that can be decoded (or its header is damaged); "
            "give a WAV, FLAC, MP3, OGG, Opus or M4A file."
        ) from None


def _audio_stream(container: Any, path: Path) -> Any:
    if not container.streams.audio:
        raise BadInput(
            f"{shown(path)} holds no sound track (or was cut short before its index); "
            "name a file with the call's sound in it."
        )
    return container.streams.audio[0]


def _duration(container: Any, stream: Any) -> float | None:
    """Seconds as the container tells them, or None."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / 1e6 if container.duration else None
