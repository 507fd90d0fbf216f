"""Prosody: level, pitch, spectral balance, syllable rate and vocal effort of each side, ten times a second.

Everything is measured in frames with speech, on the call's own grid of 0.1 s, and is known 60 ms after the
end of each step, whatever the block size.

Syllables are counted after N. H. de Jong & T. Wempe, "Praat script to detect syllable nuclei and measure
speech rate automatically", Behavior Research Methods 41 (2009): a nucleus is an intensity peak of the vowel
band with dips of at least 2 dB on both sides, near the side's usual loudness, and voiced. This version is
causal: a nucleus is counted once the dip after it has passed.
"""

import math
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor import events
from monitor.audio.effort import EffortInput, VocalEffortTracker
from monitor.audio.features import LOOKAHEAD_FRAMES, STEP, VoiceAnalyser, VoiceFeatures
from monitor.audio.frames import FrameBlock, seconds
from monitor.audio.pitch import Floats
from monitor.config import ProsodySettings
from monitor.errors import BadInput
from monitor.events import CHANNELS, FRAME_SECONDS, Channel

DIP_DB = 2.0
"""Depth of the dips around a syllable nucleus."""
RANGE_DB = 25.0
"""A nucleus is at most this far below the loudest recent one."""
_FADING = 0.02
"""dB per frame by which the memory of the loudest nucleus fades."""


class SyllableNucleusDetector:
    """Finds the syllable nuclei of one side, in frames of 20 ms."""

    def __init__(self) -> None:
        self._loudest = -math.inf
        self._rising = True
        self._peak = self._dip = -math.inf
        self._voiced = False

    def feed(self, level: float, *, voiced: bool) -> bool:
        """Takes a frame's level in the vowel band (dB); returns whether it completes a nucleus."""
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
        """The side stopped speaking; returns whether that completes a nucleus."""
        completed = self._rising and self._counts()
        self._rising, self._peak, self._dip, self._voiced = True, -math.inf, -math.inf, False
        return completed

    def _counts(self) -> bool:
        self._loudest = max(self._loudest, self._peak)
        return self._voiced and self._peak >= self._loudest - RANGE_DB


_RATE_STEPS = 50
"""The syllable rate covers the last 5 s of the call,"""
_RATE_LEAST = 50
"""and needs this many frames of speech in them (1 s)."""
LOWEST_HZ, HIGHEST_HZ = 63, 1000
"""Limits of the pitch range: the length of the transform, and the resolution of the lags."""
_OCTAVE_OF_100_HZ = np.float32(math.log2(100))


def _check(settings: ProsodySettings) -> None:
    """Raises ``BadInput`` where the analysis cannot do what the settings ask."""
    if not LOWEST_HZ <= settings.f0_min < settings.f0_max <= HIGHEST_HZ:
        raise BadInput(
            f"prosody.f0_min {settings.f0_min:g} and f0_max {settings.f0_max:g} are not a range within "
            f"{LOWEST_HZ} to {HIGHEST_HZ} Hz; give a lower and a higher pitch within it."
        )
    if not 0.2 <= settings.window <= 10 or not 0 < settings.min_voiced <= settings.window:
        raise BadInput(
            f"prosody.window {settings.window:g} must be 0.2 to 10 s, and prosody.min_voiced "
            f"{settings.min_voiced:g} more than 0 and at most that."
        )
    if settings.baseline_half_life <= 0:
        raise BadInput(f"prosody.baseline_half_life {settings.baseline_half_life:g} must be more than 0 s.")


class ProsodyAnalyser:
    """Measures the prosody of both sides. ``rate`` is 8000 or 16000 Hz.

    Raises ``BadInput`` where the settings ask for a pitch range or window that cannot be measured.
    """

    def __init__(self, rate: int, settings: ProsodySettings) -> None:
        _check(settings)
        self._voice = VoiceAnalyser(rate, settings.f0_min, settings.f0_max)
        self._sides = [_Side(channel, settings) for channel in CHANNELS]
        self._heard = 0

    def feed(self, block: FrameBlock, active: NDArray[np.bool_]) -> list[events.Prosody]:
        """Returns the events that ``block`` completes; ``active`` is bool [2, block.frames]."""
        self._heard += block.frames
        return self._events(self._voice.feed(block, active))

    def finish(self) -> list[events.Prosody]:
        """Returns the events of the last whole steps of 0.1 s."""
        return self._events(self._voice.finish())

    def _events(self, portions: Iterable[VoiceFeatures]) -> list[events.Prosody]:
        found: list[events.Prosody] = []
        for voices in portions:
            together = voices.active[0] & voices.active[1]
            alone = (~together).reshape(-1, STEP).all(axis=1).tolist()
            ends = [voices.first + (step + 1) * STEP for step in range(len(alone))]
            times = [(seconds(end), seconds(min(end + LOOKAHEAD_FRAMES, self._heard))) for end in ends]
            for row, side in enumerate(self._sides):
                found += side.feed(voices, row, alone, times)
        # A portion may hold many steps: step by step, as if each had come by itself.
        return sorted(found, key=_when) if len(found) > 1 else found


def _when(event: events.Prosody) -> float:
    return event.at


class _Frame(NamedTuple):
    """A frame as plain numbers; ``pitch`` and ``tilt`` are NaN in unvoiced frames."""

    active: bool
    sonorant: float
    pitch: float
    tilt: float
    level: float


_SOUND = slice(2, 5)


class _Side:
    """The state of one side."""

    def __init__(self, channel: Channel, settings: ProsodySettings) -> None:
        self._channel: Channel = channel
        self._effort = VocalEffortTracker(settings)
        self._nuclei = SyllableNucleusDetector()
        self._steps = deque([(0, 0)] * _RATE_STEPS)
        self._found = self._speech = 0
        self._window = round(settings.window / FRAME_SECONDS)
        self._fewest = round(settings.min_voiced / FRAME_SECONDS)
        self._recent = np.full((3, self._window - STEP), np.float32(np.nan))

    def feed(
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
        found = []
        for step, (at, known) in enumerate(times):
            part = frames[step * STEP : (step + 1) * STEP]
            self._count(part)
            if any(frame.active for frame in part):
                found.append(self._event(part, recent[step], at, known, alone=alone[step]))
        return found

    def _rest(self, steps: int) -> list[events.Prosody]:
        """Accounts for steps without speech."""
        silence = np.full((3, steps * STEP), np.float32(np.nan))
        self._recent = np.concatenate([self._recent, silence], axis=1)[:, STEP - self._window :]
        self._remember(self._nuclei.pause(), 0)
        for _ in range(min(steps - 1, _RATE_STEPS)):
            self._remember(0, 0)
        return []

    def _medians(self, sounds: Floats) -> list[EffortInput | None]:
        """The medians of the voiced frames in the window before the end of each step."""
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
        return [
            EffortInput(*median) if found else None for median, found in zip(medians, enough, strict=True)
        ]

    def _count(self, frames: list[_Frame]) -> None:
        """Counts the syllables of a step."""
        nuclei = self._nuclei
        found = speech = 0
        for frame in frames:
            if frame.active:
                speech += 1
                found += nuclei.feed(frame.sonorant, voiced=not math.isnan(frame.pitch))
            else:
                found += nuclei.pause()
        self._remember(found, speech)

    def _event(
        self, frames: list[_Frame], recent: EffortInput | None, at: float, known: float, *, alone: bool
    ) -> events.Prosody:
        """The event of a step of 0.1 s; the speaker's baseline learns from it."""
        levels = [frame.level for frame in frames if frame.active]
        voiced = [frame[_SOUND] for frame in frames if not math.isnan(frame.pitch)]
        seconds_voiced = len(voiced) * FRAME_SECONDS
        shift = self._effort.compare(recent)
        sound = EffortInput(*map(_median, zip(*voiced, strict=True))) if voiced else None
        if sound:
            self._effort.learn(sound, seconds_voiced, shift, alone=alone)
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
        """Keeps a step's syllables and frames of speech, and drops the step of 5 s ago."""
        self._steps.append((found, speech))
        gone_found, gone_speech = self._steps.popleft()
        self._found += found - gone_found
        self._speech += speech - gone_speech


def _median(values: Iterable[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
