"""Checks both sides before the first call: is there a signal, is it loud enough, is it the right device?"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitor.audio.frames import Framer
from monitor.audio.quality import QualityMonitor
from monitor.audio.vad import VoiceActivityDetector
from monitor.config import CallSettings
from monitor.events import CHANNELS, FRAME_SECONDS, Block, Channel

CHECK_SECONDS = 5.0
"""Duration of the check."""
SILENT_DBFS = -65.0
"""A side whose loudest frame stays below this level carried only line noise."""
QUIET_DBFS = -38.0
"""Speech below this level (RMS of its loudest tenth) is too quiet to analyse well."""
FULL_SCALE = 0.985
"""Samples from this on count as clipped."""
MAX_CLIPPED = 0.0005
"""Share of clipped samples from which a side is clipped."""
SAME_AUDIO = 0.95
"""Correlation from which both devices record the same audio."""
MIN_ECHO = 0.3
"""Seconds of crosstalk in one side's speech that are reported."""
MIN_SPEECH = 0.4
"""Seconds of speech from which somebody spoke."""

WHO: dict[Channel, str] = {"agent": "The microphone (agent)", "caller": "The loopback (caller)"}


@dataclass
class ChannelCheck:
    """What was measured of one side so far; ``spoken`` and ``crosstalk`` count frames."""

    level_dbfs: float = -120.0
    """The last block's level (RMS)."""
    levels: list[float] = field(default_factory=list)
    """The level of each 20 ms frame in dBFS."""
    clipped: int = 0
    samples: int = 0
    spoken: int = 0
    crosstalk: int = 0

    @property
    def peak_dbfs(self) -> float:
        """The level of the loudest frame."""
        return max(self.levels, default=-120.0)


class SoundCheck:
    """Analyses some seconds of both sides at ``rate`` Hz, and says what is wrong with them."""

    def __init__(self, rate: int) -> None:
        settings = CallSettings()
        self.sides: dict[Channel, ChannelCheck] = {channel: ChannelCheck() for channel in CHANNELS}
        self.seconds = 0.0
        self._rate = rate
        self._framer = Framer(rate)
        self._vad = VoiceActivityDetector(rate, settings.vad)
        self._quality = QualityMonitor(rate, settings.quality)
        self._products = np.zeros(3)

    def feed(self, block: Block) -> None:
        """Takes the next block."""
        self.seconds += block.pcm.shape[1] / self._rate
        frames = self._framer.feed(block)
        active = self._vad.feed(frames).active
        own = self._quality.feed(frames, active).active
        for row, side in enumerate(self.sides.values()):
            levels = _levels(frames.pcm[row], frames.samples_per_frame)
            side.levels += levels.tolist()
            side.level_dbfs = float(levels.max()) if levels.size else side.level_dbfs
            side.clipped += int(np.count_nonzero(np.abs(block.pcm[row]) >= FULL_SCALE))
            side.samples += block.pcm.shape[1]
            side.spoken += int(active[row].sum())
            side.crosstalk += int((active[row] & ~own[row]).sum())
        agent, caller = block.pcm.astype(np.float64)
        self._products += (agent @ caller, agent @ agent, caller @ caller)

    def findings(self) -> list[str]:
        """What is wrong, a sentence each with what to do; none when both sides are as they should be."""
        said = [sentence for channel in CHANNELS if (sentence := self._finding(channel))]
        agent, caller = self.sides["agent"], self.sides["caller"]
        if self._same_audio():
            return [*said, "Both devices record the same audio: choose a loopback for --speaker and a "
                           "microphone for --mic."]  # fmt: skip
        said += [
            f"{WHO[channel]} picks up an echo of the other side: use a headset, not loudspeakers."
            for channel in CHANNELS
            if self.sides[channel].crosstalk * FRAME_SECONDS >= MIN_ECHO
        ]
        enough = MIN_SPEECH / FRAME_SECONDS
        if agent.spoken < enough <= caller.spoken and agent.peak_dbfs < QUIET_DBFS:
            said.append("If it was you who spoke, the sides are swapped: exchange --mic and --speaker.")
        return said

    def _finding(self, channel: Channel) -> str | None:
        side, who = self.sides[channel], WHO[channel]
        if side.peak_dbfs < SILENT_DBFS:
            what = (
                "muted or the wrong device" if channel == "agent" else "the wrong device, or nothing played"
            )
            return f"{who} is silent ({side.peak_dbfs:.0f} dBFS at most): it is {what}."
        if side.samples and side.clipped / side.samples > MAX_CLIPPED:
            return f"{who} is clipped: turn it down."
        if side.spoken * FRAME_SECONDS >= MIN_SPEECH and _loud(side.levels) < QUIET_DBFS:
            return f"{who} is very quiet ({_loud(side.levels):.0f} dBFS): turn it up."
        if side.spoken * FRAME_SECONDS < MIN_SPEECH and side.peak_dbfs < QUIET_DBFS:
            what = "you did not speak, or" if channel == "agent" else "nothing was played, or"
            return (
                f"{who} gave only noise ({side.peak_dbfs:.0f} dBFS at most): {what} it is the wrong device."
            )
        return None

    def _same_audio(self) -> bool:
        both, agent, caller = self._products
        audible = min(side.peak_dbfs for side in self.sides.values()) >= SILENT_DBFS
        return audible and bool(both > SAME_AUDIO * np.sqrt(agent * caller))


def _levels(pcm: NDArray[np.float32], frame: int) -> NDArray[np.float64]:
    """The level of each frame, in dBFS (RMS)."""
    power = np.mean(np.square(pcm.reshape(-1, frame).astype(np.float64)), axis=1)
    levels: NDArray[np.float64] = 10 * np.log10(np.maximum(power, 1e-12))
    return levels


def _loud(levels: list[float]) -> float:
    """The level that a tenth of the frames reach."""
    return float(np.quantile(levels, 0.9)) if levels else -120.0
