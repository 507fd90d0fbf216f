"""Prosody: level, pitch, spectral balance, syllable rate and vocal effort, ten times a second.

Syllables: loudness peaks of the vowel band, each with a dip before and after it, in voiced sound.

After N. H. de Jong & T. Wempe, "Praat script to detect syllable nuclei and measure speech rate
automatically", Behavior Research Methods 41 (2009): a nucleus is an intensity peak with dips of at
least 2 dB on both sides, near the side's usual loudness, and voiced. Here it is causal: a nucleus is
counted once the dip after it has been heard.

How each side sounds, ten times a second: level, pitch, balance, syllable rate, vocal effort.

Everything is measured on frames that hold speech, on the call's own grid of 0.1 s, and known 60 ms
after the end of each step, whatever the block size.
"""

import math
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor import events
from monitor.audio.effort import EffortInput, Speaker
from monitor.audio.features import AHEAD, STEP, VoiceAnalyser, VoiceFeatures
from monitor.audio.frames import Run, seconds
from monitor.audio.pitch import Floats
from monitor.config import ProsodySettings
from monitor.errors import BadInput
from monitor.events import CHANNELS, FRAME_SECONDS, Channel

DIP_DB = 2.0
RANGE_DB = 25.0
"""A nucleus is no further than this below the loudest recent one."""
_FADING = 0.02
"""dB a frame by which the memory of the loudest nucleus fades."""


class SyllableNuclei:
    """Finds one side's syllable nuclei, frame by frame of 20 ms."""

    def __init__(self) -> None:
        self._loudest = -math.inf
        self._rising = True
        self._peak = self._dip = -math.inf
        self._voiced = False

    def hear(self, level: float, *, voiced: bool) -> bool:
        """Whether this frame completes a nucleus; ``level`` in dB of the vowel band."""
        self._loudest -= _FADING
        if not self._rising:
            if level < self._dip:
                self._dip = level
            elif level >= self._dip + DIP_DB:
                self._rising, self._peak, self._voiced = True, level, voiced
            return False
        if level > self._peak:
            self._peak = level
            self._voiced = voiced
            return False
        if level > self._peak - DIP_DB:
            self._voiced |= voiced
            return False
        self._rising, self._dip = False, level
        return self._counts()

    def pause(self) -> bool:
        """The side fell silent: whether that completes a nucleus."""
        completed = self._rising and self._counts()
        self._rising, self._peak, self._dip, self._voiced = True, -math.inf, -math.inf, False
        return completed

    def _counts(self) -> bool:
        self._loudest = max(self._loudest, self._peak)
        return self._voiced and self._peak >= self._loudest - RANGE_DB


_RATE_STEPS = 50
"""The syllable rate looks back on 5 s of the call,"""
_RATE_LEAST = 50
"""and wants so many frames of speech in them (1 s)."""
LOWEST_HZ, HIGHEST_HZ = 63, 1000
"""What the transform has room for, and what the lags resolve."""
_OCTAVE_OF_100_HZ = np.float32(math.log2(100))


def _check(settings: ProsodySettings) -> None:
    """Raises ``BadInput`` where the analysis cannot do what the settings ask."""
    if not LOWEST_HZ <= settings.f0_min < settings.f0_max <= HIGHEST_HZ:
        raise BadInput(
            f"prosody.f0_min {settings.f0_min:g} and f0_max {settings.f0_max:g} are not a range within "
            f"{LOWEST_HZ} to {HIGHEST_HZ} Hz; give a lower and a higher pitch within it."
        )
    if not 0.2 <= settings.window <= 10 or not 0 < settings.window_voiced <= settings.window:
        raise BadInput(
            f"prosody.window {settings.window:g} must be 0.2 to 10 s, and prosody.window_voiced "
            f"{settings.window_voiced:g} more than 0 and at most that."
        )
    if settings.half_life <= 0:
        raise BadInput(f"prosody.half_life {settings.half_life:g} must be more than 0 s.")


class ProsodyAnalyser:
    """The stage: runs and who speaks in them go in, ``events.Prosody`` come out."""

    def __init__(self, rate: int, settings: ProsodySettings) -> None:
        _check(settings)
        self._voice = VoiceAnalyser(rate, settings.f0_min, settings.f0_max)
        self._sides = [_Side(channel, settings) for channel in CHANNELS]
        self._heard = 0

    def feed(self, run: Run, active: NDArray[np.bool_]) -> list[events.Prosody]:
        """The events that ``run`` completes; ``active`` [2, run.frames] says who speaks in which frame."""
        self._heard += run.frames
        return self._tell(self._voice.feed(run, active))

    def finish(self) -> list[events.Prosody]:
        """The events of the last whole steps of 0.1 s."""
        return self._tell(self._voice.finish())

    def _tell(self, portions: Iterable[VoiceFeatures]) -> list[events.Prosody]:
        told: list[events.Prosody] = []
        for voices in portions:
            together = voices.active[0] & voices.active[1]
            alone = (~together).reshape(-1, STEP).all(axis=1).tolist()
            ends = [voices.first + (step + 1) * STEP for step in range(len(alone))]
            times = [(seconds(end), seconds(min(end + AHEAD, self._heard))) for end in ends]
            for row, side in enumerate(self._sides):
                told += side.hear(voices, row, alone, times)
        # A portion may hold many steps: step by step, as if each had come by itself.
        return sorted(told, key=_when) if len(told) > 1 else told


def _when(event: events.Prosody) -> float:
    return event.at


class _Frame(NamedTuple):
    """A frame as plain numbers; ``pitch`` and ``tilt`` are NaN where it is not voiced."""

    active: bool
    sonorant: float
    pitch: float
    tilt: float
    level: float


_SOUND = slice(2, 5)


class _Side:
    """What is remembered of one side of the call."""

    def __init__(self, channel: Channel, settings: ProsodySettings) -> None:
        self._channel: Channel = channel
        self._speaker = Speaker(settings)
        self._nuclei = SyllableNuclei()
        self._steps = deque([(0, 0)] * _RATE_STEPS)
        self._found = self._speech = 0
        self._window = round(settings.window / FRAME_SECONDS)
        self._fewest = round(settings.window_voiced / FRAME_SECONDS)
        self._recent = np.full((3, self._window - STEP), np.float32(np.nan))

    def hear(
        self, voices: VoiceFeatures, row: int, alone: list[bool], times: list[tuple[float, float]]
    ) -> list[events.Prosody]:
        """The events of a portion; ``times`` are the end of each step and when it is known."""
        if not voices.active[row].any():
            return self._rest(len(times))
        voiced = ~np.isnan(voices.octave[row])
        pitch = (voices.octave[row] - _OCTAVE_OF_100_HZ) * np.float32(12)
        sounds = np.where(voiced, [pitch, voices.alpha[row], voices.level[row]], np.float32(np.nan))
        recent = self._medians(sounds)
        columns = (voices.active[row], voices.sonorant[row], *sounds[:2], voices.level[row])
        frames = [_Frame(*frame) for frame in zip(*(column.tolist() for column in columns), strict=True)]
        told = []
        for step, (at, known) in enumerate(times):
            part = frames[step * STEP : (step + 1) * STEP]
            self._count(part)
            if any(frame.active for frame in part):
                told.append(self._event(part, recent[step], at, known, alone=alone[step]))
        return told

    def _rest(self, steps: int) -> list[events.Prosody]:
        """Steps without speech."""
        silence = np.full((3, steps * STEP), np.float32(np.nan))
        self._recent = np.concatenate([self._recent, silence], axis=1)[:, STEP - self._window :]
        self._remember(self._nuclei.pause(), 0)
        for _ in range(min(steps - 1, _RATE_STEPS)):
            self._remember(0, 0)
        return []

    def _medians(self, sounds: Floats) -> list[EffortInput | None]:
        """The medians of the last second's voiced frames at the end of each step."""
        known = np.concatenate([self._recent, sounds], axis=1)
        self._recent = known[:, STEP - self._window :]
        ends = np.arange(STEP, sounds.shape[1] + 1, STEP)
        windows = known[:, (ends - STEP)[:, None] + np.arange(self._window)]
        windows.sort(axis=2)  # what is not voiced is NaN, and goes last
        count = self._window - np.isnan(windows[0]).sum(axis=1)
        steps = np.arange(len(ends))
        low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, self._window - 1)
        medians = ((windows[:, steps, low] + windows[:, steps, high]) / 2).T.tolist()
        enough = (count >= self._fewest).tolist()
        return [EffortInput(*median) if told else None for median, told in zip(medians, enough, strict=True)]

    def _count(self, frames: list[_Frame]) -> None:
        """Counts the syllables of a step."""
        nuclei = self._nuclei
        found = speech = 0
        for frame in frames:
            if frame.active:
                speech += 1
                found += nuclei.hear(frame.sonorant, voiced=not math.isnan(frame.pitch))
            else:
                found += nuclei.pause()
        self._remember(found, speech)

    def _event(
        self, frames: list[_Frame], recent: EffortInput | None, at: float, known: float, *, alone: bool
    ) -> events.Prosody:
        """What a step of 0.1 s sounds like; the speaker's baseline learns from it."""
        levels = [frame.level for frame in frames if frame.active]
        voiced = [frame[_SOUND] for frame in frames if not math.isnan(frame.pitch)]
        seconds_voiced = len(voiced) * FRAME_SECONDS
        shift = self._speaker.compare(recent)
        sound = EffortInput(*map(_median, zip(*voiced, strict=True))) if voiced else None
        if sound:
            self._speaker.learn(sound, seconds_voiced, shift, alone=alone)
        power = sum(10 ** (level / 10) for level in levels) / len(levels)
        return events.Prosody(
            detected_at=known,
            channel=self._channel,
            at=at,
            level_dbfs=round(10 * math.log10(power), 2),
            f0_hz=round(100 * 2 ** (sound.pitch / 12), 2) if sound else None,
            alpha_db=round(sound.tilt, 2) if sound else None,
            voiced=round(len(voiced) / STEP, 2),
            rate_sps=self._rate(),
            effort=round(shift.effort, 2) if shift else None,
            pitch_st=round(shift.pitch, 2) if shift else None,
            level_db=round(shift.level, 2) if shift else None,
            tilt_db=round(shift.tilt, 2) if shift else None,
        )

    def _rate(self) -> float | None:
        """Syllables per second of speech, over the last seconds of the call."""
        if self._speech < _RATE_LEAST:
            return None
        return round(self._found / (self._speech * FRAME_SECONDS), 2)

    def _remember(self, found: int, speech: int) -> None:
        """Keeps a step's syllables and frames of speech, and forgets the step of 5 s ago."""
        self._steps.append((found, speech))
        gone_found, gone_speech = self._steps.popleft()
        self._found += found - gone_found
        self._speech += speech - gone_speech


def _median(values: Iterable[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
