"""A recorded call: one stereo file, or one file for each side, decoded piece by piece.

Channel 0 (left) is the caller and channel 1 (right) the agent by default; of two mono files the caller's
comes first. Memory does not grow with the length of the recording.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monitor.errors import BadInput
from monitor.events import CHANNELS, Band, Block, Channel
from monitor.sources.channels import ChannelAligner, call_rate
from monitor.sources.decode import AudioFile, DecodedAudio, printable


@dataclass(frozen=True, slots=True)
class RecordingPiece:
    """Audio of one side, float32 [n] at that side's source rate; ``lost`` samples are missing before it.

    ``last`` says that this side has ended (the piece itself is then empty).
    """

    channel: Channel
    pcm: NDArray[np.float32]
    lost: int = 0
    last: bool = False


class Recording:
    """A recorded call. Use ``open_recording``.

    ``sides`` holds each side's file and its channel in that file; a side without one is silent. ``rates`` are
    the sources' rates and ``rate`` that of the call, in Hz.
    """

    def __init__(self, sides: dict[Channel, tuple[AudioFile, int]]) -> None:
        self._sides = sides
        self._files = tuple(dict.fromkeys(file for file, _ in sides.values()))
        self._cleaned = 0
        only = self._files[0].rate
        self.rates = tuple(sides[side][0].rate if side in sides else only for side in CHANNELS)
        self.rate = call_rate((self.rates[0], self.rates[1]))
        self.band: Band = ChannelAligner((self.rates[0], self.rates[1])).band
        self.sources = tuple(str(file.path) for file in self._files)
        self.call = call_id([file.path for file in self._files])

    @property
    def missing_channel(self) -> Channel | None:
        """The side that was not recorded, if there is one."""
        return next((side for side in CHANNELS if side not in self._sides), None)

    @property
    def seconds(self) -> float | None:
        """The duration of the call by its headers, for a progress bar; None where no header states it."""
        known = [file.seconds for file in self._files if file.seconds is not None]
        return max(known) if len(known) == len(self._files) else None

    @property
    def heard_to(self) -> float:
        """Seconds decoded so far."""
        return max(file.heard_to for file in self._files)

    @property
    def notice(self) -> str | None:
        """What a user should know about the recording, once it has been decoded; None if all is well."""
        notices = [file.notice for file in self._files if file.notice]
        if self._cleaned:
            notices.append(
                f"{self._cleaned} samples were not finite or far beyond full scale; "
                "they were replaced or clipped."
            )
        if not all(file.finished for file in self._files):
            whole = f" of {self.seconds:.1f} s" if self.seconds else ""
            return " ".join([*notices, f"It was stopped before the end{whole}."])
        ends = sorted((file.heard_to, printable(file.path.name)) for file in self._files)
        if len(ends) > 1 and ends[1][0] - ends[0][0] >= 1.0:
            notices.append(f"{ends[0][1]} ends at {ends[0][0]:.1f} s, {ends[1][1]} at {ends[1][0]:.1f} s; "
                           "the shorter side was taken as silent from there.")  # fmt: skip
        return " ".join(notices) or None

    def pieces(self) -> Iterator[RecordingPiece]:
        """Yields the audio of both sides as it is decoded; two files take turns, so neither gets ahead."""
        for side in CHANNELS:
            if side not in self._sides:
                yield RecordingPiece(side, np.zeros(0, np.float32), last=True)
        playing = {file: file.sounds() for file in self._files}
        while playing:
            file = min(playing, key=lambda file: file.decoded / file.rate)
            sound = next(playing[file], None)
            if sound is None:
                del playing[file]
            yield from self._sides_of(file, sound)

    def blocks(self, seconds: float = 0.1) -> Iterator[Block]:
        """Yields the call in blocks of ``seconds`` (the last may be shorter), at the call's rate."""
        channels = ChannelAligner((self.rates[0], self.rates[1]))
        size = max(1, round(seconds * channels.rate))
        for piece in self.pieces():
            if piece.lost:
                channels.add_loss(piece.channel, piece.lost)
            if piece.last:
                channels.end(piece.channel)
            else:
                channels.push(piece.channel, piece.pcm)
            while channels.ready >= size:
                yield channels.take(size)
        self._cleaned = sum(channels.cleaned.values())
        if channels.ready:
            yield channels.take()

    def _sides_of(self, file: AudioFile, sound: DecodedAudio | None) -> Iterator[RecordingPiece]:
        for side, (its_file, row) in self._sides.items():
            if its_file is file:
                if sound is None:
                    yield RecordingPiece(side, np.zeros(0, np.float32), last=True)
                else:
                    yield RecordingPiece(side, sound.pcm[row], sound.lost)


def open_recording(
    paths: Sequence[Path], *, agent_channel: int = 1, mono: Channel | None = None
) -> Recording:
    """Opens the recording in one stereo file or two mono files. Raises ``BadInput`` saying what is wrong.

    ``agent_channel`` is the channel (0 is the left one) or the position of the file that holds the agent.
    ``mono`` says whose voice a single one-channel file holds; the other side is then silent.
    """
    if agent_channel not in (0, 1):
        raise BadInput(
            f"There is no channel {agent_channel}; the agent's is 0 (left, first) or 1 (right, second)."
        )
    if not 1 <= len(paths) <= 2:
        raise BadInput(f"{len(paths)} files were given; a call is one stereo file, or one for each side.")
    places: tuple[Channel, Channel] = ("caller", "agent") if agent_channel else ("agent", "caller")
    if len(paths) == 2:
        return Recording(_pair(paths, places, mono))
    file = AudioFile(paths[0])
    if file.channels == 2:
        if mono:
            raise BadInput(f"{printable(file.path)} has two channels, but --mono is for one; leave it out.")
        return Recording({side: (file, row) for row, side in enumerate(places)})
    if mono is None and file.tracks > 1:
        raise BadInput(
            f"{printable(file.path)} holds {file.tracks} sound tracks of which the first has one channel; "
            "save the caller's track and the agent's as two files, and give both."
        )
    if mono is None:
        raise BadInput(
            f"{printable(file.path)} has one channel, but overlaps can only be found between two sides; "
            "give the caller's file and the agent's, or say --mono agent or --mono caller."
        )
    return Recording({mono: (file, 0)})


def _pair(
    paths: Sequence[Path], places: tuple[Channel, Channel], mono: Channel | None
) -> dict[Channel, tuple[AudioFile, int]]:
    if mono:
        raise BadInput("--mono is for one file that holds one voice, but two files were given; leave it out.")
    files = [AudioFile(path) for path in paths]
    if paths[0].samefile(paths[1]):
        raise BadInput(f"{printable(paths[0])} was given twice; give the caller's file and the agent's.")
    for file in files:
        if file.channels != 1:
            raise BadInput(
                f"{printable(file.path)} has two channels, but of two files each holds one side; "
                "give it alone."
            )
    return {side: (file, 0) for side, file in zip(places, files, strict=True)}


def call_id(paths: Sequence[Path]) -> str:
    """A reproducible id for the call: the first file's name and 8 digits of the SHA-256 of all files."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while part := file.read(1 << 20):
                digest.update(part)
    slug = re.sub(r"[^a-z0-9]+", "-", paths[0].stem.lower()).strip("-")[:40] or "call"
    return f"{slug}-{digest.hexdigest()[:8]}"
