"""How each side sounds, ten times a second: level, pitch, balance, syllable rate, vocal effort.

Everything is measured on frames that hold speech, on the call's own grid of 0.1 s, and known 60 ms
after the end of each step, whatever the block size.
"""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor import events
from monitor.audio.acoustics import Floats
from monitor.audio.effort import Shift, Sound, Speaker, semitones
from monitor.audio.frames import Run, seconds
from monitor.audio.syllables import Nuclei
from monitor.audio.voice import AHEAD, STEP, Voice, Voices
from monitor.config import ProsodySettings
from monitor.events import CHANNELS, FRAME_SECONDS, Channel

_RATE_STEPS = 50
"""The syllable rate looks back on 5 s of the call,"""
_RATE_LEAST = 50
"""and wants so many frames of speech in them (1 s)."""


@dataclass(frozen=True, slots=True)
class _Step:
    """0.1 s of one side: the levels of its frames of speech and the sounds of its voiced ones.

    ``recent`` are the medians of the last second's voiced frames. ``alone``: the other side was silent.
    """

    levels: list[float]
    nuclei: int
    sounds: list[Sound]
    recent: Sound | None
    alone: bool


class Prosody:
    """The stage: runs and who speaks in them go in, ``events.Prosody`` come out."""

    def __init__(self, rate: int, settings: ProsodySettings) -> None:
        self._voice = Voice(rate, settings.f0_min, settings.f0_max)
        self._sides = [_Side(channel, settings) for channel in CHANNELS]
        self._window = round(settings.window / FRAME_SECONDS)
        self._fewest = round(settings.window_voiced / FRAME_SECONDS)
        self._recent = np.full((3, 2, self._window - STEP), np.float32(np.nan))
        self._heard = 0

    def feed(self, run: Run, active: NDArray[np.bool_]) -> list[events.Prosody]:
        """The events that ``run`` completes; ``active`` [2, run.frames] says who speaks in which frame."""
        self._heard += run.frames
        return self._tell(self._voice.feed(run, active))

    def finish(self) -> list[events.Prosody]:
        """The events of the last whole steps of 0.1 s."""
        return self._tell(self._voice.finish())

    def _tell(self, portions: Iterable[Voices]) -> list[events.Prosody]:
        told: list[events.Prosody] = []
        for voices in portions:
            sounds = np.stack([semitones(voices.octave), voices.alpha, voices.level])
            sounds[:, np.isnan(voices.octave)] = np.nan
            recent = self._medians(sounds)
            alone = (voices.active.sum(axis=0) < 2).reshape(-1, STEP).all(axis=1).tolist()
            both = [self._steps(row, voices, sounds[:, row].T, recent[row], alone) for row in (0, 1)]
            for number, steps in enumerate(zip(*both, strict=True)):
                end = voices.first + (number + 1) * STEP
                known = seconds(min(end + AHEAD, self._heard))
                for side, step in zip(self._sides, steps, strict=True):
                    told += side.hear(step, seconds(end), known)
        return told

    def _steps(self, row: int, voices: Voices, sounds: Floats, recent: list[Sound | None],
               alone: list[bool]) -> list[_Step]:  # fmt: skip
        """One side's steps as plain numbers."""
        nuclei = self._sides[row].nuclei
        active, level, sonorant = (
            part[row].tolist() for part in (voices.active, voices.level, voices.sonorant)
        )
        made = [Sound(*sound) for sound in sounds.tolist()]
        steps = []
        for number, median in enumerate(recent):
            frames = range(number * STEP, (number + 1) * STEP)
            voiced = {k for k in frames if made[k].pitch == made[k].pitch}
            found = sum(
                nuclei.hear(sonorant[k], voiced=k in voiced) if active[k] else nuclei.pause() for k in frames
            )
            levels = [level[k] for k in frames if active[k]]
            steps.append(
                _Step(levels, found, [made[k] for k in frames if k in voiced], median, alone[number])
            )
        return steps

    def _medians(self, sounds: Floats) -> list[list[Sound | None]]:
        """The medians of the last second's voiced frames at the end of each step: [side][step]."""
        known = np.concatenate([self._recent, sounds], axis=-1)
        self._recent = known[..., STEP - self._window :].copy()
        windows = np.lib.stride_tricks.sliding_window_view(known, self._window, axis=-1)[..., ::STEP, :]
        ordered = np.sort(windows, axis=-1)  # what is not voiced is NaN, and goes last
        voiced = self._window - np.isnan(ordered[0]).sum(axis=-1)
        middle = np.stack(
            [np.maximum(voiced - 1, 0) // 2, np.minimum(voiced // 2, self._window - 1)], axis=-1
        )
        pairs = np.take_along_axis(ordered, np.broadcast_to(middle, (3, *middle.shape)), axis=-1)
        medians = ((pairs[..., 0] + pairs[..., 1]) / 2).transpose(1, 2, 0).tolist()
        enough = (voiced >= self._fewest).tolist()
        return [
            [Sound(*three) if told else None for three, told in zip(steps, ready, strict=True)]
            for steps, ready in zip(medians, enough, strict=True)
        ]


class _Side:
    """What is remembered of one side."""

    def __init__(self, channel: Channel, settings: ProsodySettings) -> None:
        self.nuclei = Nuclei()
        self._channel: Channel = channel
        self._speaker = Speaker(settings)
        self._syllables: deque[tuple[int, int]] = deque(maxlen=_RATE_STEPS)

    def hear(self, step: _Step, at: float, known: float) -> list[events.Prosody]:
        """The event of a step that ends at ``at``; none when the side was silent."""
        self._syllables.append((step.nuclei, len(step.levels)))
        if not step.levels:
            return []
        shift = self._speaker.compare(step.recent)
        self._speaker.learn(step.sounds, shift, alone=step.alone)
        return [self._event(step, shift, at, known)]

    def _event(self, step: _Step, shift: Shift | None, at: float, known: float) -> events.Prosody:
        pitch, tilt = _middle([s.pitch for s in step.sounds]), _middle([s.tilt for s in step.sounds])
        power = sum(10 ** (level / 10) for level in step.levels) / len(step.levels)
        return events.Prosody(
            known=known,
            channel=self._channel,
            at=at,
            level_dbfs=round(10 * math.log10(power), 2),
            f0_hz=None if pitch is None else round(100 * 2 ** (pitch / 12), 2),
            alpha_db=None if tilt is None else round(tilt, 2),
            voiced=round(len(step.sounds) * FRAME_SECONDS, 2),
            rate_sps=self._rate(),
            effort=None if shift is None else round(shift.effort, 2),
            pitch_st=None if shift is None else round(shift.pitch, 2),
            level_db=None if shift is None else round(shift.level, 2),
            tilt_db=None if shift is None else round(shift.tilt, 2),
        )

    def _rate(self) -> float | None:
        """Syllables per second of speech, over the last seconds of the call."""
        frames = sum(frames for _, frames in self._syllables)
        if frames < _RATE_LEAST:
            return None
        return round(sum(nuclei for nuclei, _ in self._syllables) / (frames * FRAME_SECONDS), 2)


def _middle(values: list[float]) -> float | None:
    return sorted(values)[len(values) // 2] if values else None
