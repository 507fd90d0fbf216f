"""A look at both sides before the first call: are they there, are they loud, are they who they should be?"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitor.audio.frames import Framer
from monitor.audio.quality import QualityMonitor
from monitor.audio.vad import VoiceActivityDetector
from monitor.config import CallSettings
from monitor.events import CHANNELS, FRAME_SECONDS, Block, Channel

SECONDS = 5.0
SILENT_DBFS = -65.0
"""A side whose loudest frame stays below this gave nothing but the noise of its line."""
QUIET_DBFS = -38.0
"""Speech below this level (RMS of its loudest tenth) is too quiet to judge well."""
FULL = 0.985
CLIPPED = 0.0005
"""Share of samples at full scale from which a side is clipped."""
ALIKE = 0.95
ECHO = 0.3
"""Seconds of one side's speech that are only the other's."""
SPEECH = 0.4
"""Seconds of speech from which somebody spoke."""

WHO: dict[Channel, str] = {"agent": "The microphone (agent)", "caller": "The loopback (caller)"}


@dataclass
class ChannelCheck:
    """What has been heard of one side so far."""

    level_dbfs: float = -120.0
    """The last block's level (RMS)."""
    loudest: list[float] = field(default_factory=list)
    """The level of each 20 ms frame, dBFS."""
    clipped: int = 0
    samples: int = 0
    spoken: int = 0
    crosstalk: int = 0

    @property
    def peak_dbfs(self) -> float:
        """The loudest frame."""
        return max(self.loudest, default=-120.0)


class SoundCheck:
    """Hears some seconds of both sides at ``rate`` Hz, and says what is wrong with them."""

    def __init__(self, rate: int) -> None:
        settings = CallSettings()
        self.sides: dict[Channel, ChannelCheck] = {channel: ChannelCheck() for channel in CHANNELS}
        self.heard = 0.0
        self._rate = rate
        self._framer = Framer(rate)
        self._vad = VoiceActivityDetector(rate, settings.vad)
        self._quality = QualityMonitor(rate, settings.quality)
        self._products = np.zeros(3)

    def feed(self, block: Block) -> None:
        """The next block."""
        self.heard += block.pcm.shape[1] / self._rate
        frames = self._framer.feed(block)
        active = self._vad.feed(frames).active
        own = self._quality.feed(frames, active).active
        for row, side in enumerate(self.sides.values()):
            levels = _levels(frames.pcm[row], frames.samples_per_frame)
            side.loudest += levels.tolist()
            side.level_dbfs = float(levels.max()) if levels.size else side.level_dbfs
            side.clipped += int(np.count_nonzero(np.abs(block.pcm[row]) >= FULL))
            side.samples += block.pcm.shape[1]
            side.spoken += int(active[row].sum())
            side.crosstalk += int((active[row] & ~own[row]).sum())
        agent, caller = block.pcm.astype(np.float64)
        self._products += (agent @ caller, agent @ agent, caller @ caller)

    def findings(self) -> list[str]:
        """What is wrong, a sentence each with what to do; none when both sides are as they should be."""
        said = [sentence for channel in CHANNELS if (sentence := self._wrong_with(channel))]
        agent, caller = self.sides["agent"], self.sides["caller"]
        if self._alike():
            return [*said, "Both devices hear the same sound: choose a loopback for --speaker and a "
                           "microphone for --mic."]  # fmt: skip
        said += [
            f"{WHO[channel]} hears an echo of the other side: use a headset, not loudspeakers."
            for channel in CHANNELS
            if self.sides[channel].crosstalk * FRAME_SECONDS >= ECHO
        ]
        enough = SPEECH / FRAME_SECONDS
        if agent.spoken < enough <= caller.spoken and agent.peak_dbfs < QUIET_DBFS:
            said.append("If it was you who spoke, the sides are swapped: exchange --mic and --speaker.")
        return said

    def _wrong_with(self, channel: Channel) -> str | None:
        side, who = self.sides[channel], WHO[channel]
        if side.peak_dbfs < SILENT_DBFS:
            what = (
                "muted or the wrong device" if channel == "agent" else "the wrong device, or nothing played"
            )
            return f"{who} is silent ({side.peak_dbfs:.0f} dBFS at most): it is {what}."
        if side.samples and side.clipped / side.samples > CLIPPED:
            return f"{who} is clipped: turn it down."
        if side.spoken * FRAME_SECONDS >= SPEECH and _loud(side.loudest) < QUIET_DBFS:
            return f"{who} is very quiet ({_loud(side.loudest):.0f} dBFS): turn it up."
        if side.spoken * FRAME_SECONDS < SPEECH and side.peak_dbfs < QUIET_DBFS:
            what = "you did not speak, or" if channel == "agent" else "nothing was played, or"
            return (
                f"{who} gave only noise ({side.peak_dbfs:.0f} dBFS at most): {what} it is the wrong device."
            )
        return None

    def _alike(self) -> bool:
        both, agent, caller = self._products
        audible = min(side.peak_dbfs for side in self.sides.values()) >= SILENT_DBFS
        return audible and bool(both > ALIKE * np.sqrt(agent * caller))


def _levels(pcm: NDArray[np.float32], frame: int) -> NDArray[np.float64]:
    """The level of each frame, in dBFS (RMS)."""
    power = np.mean(np.square(pcm.reshape(-1, frame).astype(np.float64)), axis=1)
    levels: NDArray[np.float64] = 10 * np.log10(np.maximum(power, 1e-12))
    return levels


def _loud(levels: list[float]) -> float:
    """The level that a tenth of the frames reach."""
    return float(np.quantile(levels, 0.9)) if levels else -120.0
