"""Detects the start and the end of calls on a line that is open all day.

``CallDetector`` waits for speech on the caller's side and keeps just enough audio not to miss the start of
the call. Audio between calls is dropped after the pre-roll; none of it is transcribed, published or
written.

``HangUpToneDetector`` finds the tones by which a telephone line says that the other side has hung up. Busy,
congestion and reorder tones are one or two steady sines in an even cadence: 425 Hz in most of Europe, 480 +
620 Hz in North America, 400 Hz in Britain and Japan, on for 0.2 to 0.75 s and off for as long (ITU-T E.180,
Supplement 2). A ringing tone is on for 0.4 to 2 s and off for longer, and does not count.
"""

from collections import deque

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from monitor.audio.frames import Framer
from monitor.audio.vad import VoiceActivityDetector
from monitor.config import VadSettings
from monitor.events import CHANNELS, FRAME_SECONDS, Block

Samples = NDArray[np.float32]

STEP_SECONDS = 0.05
"""Seconds of audio that are analysed at once."""
TONES = ((425.0,), (400.0,), (480.0, 620.0), (450.0,))
"""Frequencies in Hz that sound together."""
PURITY = 0.85
"""Share of a step's energy that must lie in the tone."""
MIN_POWER = 10 ** (-50 / 10)
"""Mean square of the quietest tone that counts (full scale 1.0)."""
MIN_TONE, MAX_TONE = 0.15, 0.8
"""Shortest and longest tone or pause in seconds."""
MAX_JITTER = 0.11
"""Seconds by which tones and pauses may differ from each other (two steps of rounding)."""
MIN_TONES = 4
"""Tones in an even cadence that make a hang-up tone."""


class HangUpToneDetector:
    """Detects a hang-up tone on one side; ``rate`` is in Hz."""

    def __init__(self, rate: int) -> None:
        self._step = round(STEP_SECONDS * rate)
        self._rest = np.zeros(0, np.float32)
        times = np.arange(self._step) / rate
        window = np.hanning(self._step + 2)[1:-1]
        self._window = window.astype(np.float32)
        self._scale = 2.0 / float(window.sum()) ** 2
        self._waves = {
            hertz: (window * np.exp(-2j * np.pi * hertz * times)).astype(np.complex64)
            for tone in TONES
            for hertz in tone
        }
        self._runs: list[tuple[bool, int]] = []

    def feed(self, pcm: Samples) -> bool:
        """Takes the next samples, float32 [n]; True once an even cadence of tones is complete."""
        self._rest = np.concatenate([self._rest, pcm])
        found = False
        while self._rest.size >= self._step:
            step, self._rest = self._rest[: self._step], self._rest[self._step :]
            found |= self._note(self._is_tone(step))
        return found

    def _is_tone(self, step: Samples) -> bool:
        power = float(np.mean(np.square(step)))
        if power < MIN_POWER:
            return False
        powers = {hertz: self._scale * abs(np.dot(wave, step)) ** 2 for hertz, wave in self._waves.items()}
        best = max(sum(powers[hertz] for hertz in tone) for tone in TONES)
        inside = float(np.sum(np.square(self._window * step)) / np.sum(np.square(self._window)))
        return bool(best > PURITY * max(inside, 1e-12))

    def _note(self, tone: bool) -> bool:
        if self._runs and self._runs[-1][0] == tone:
            self._runs[-1] = (tone, self._runs[-1][1] + 1)
            return False
        self._runs.append((tone, 1))
        self._runs = self._runs[-2 * MIN_TONES - 1 :]
        return tone and self._is_even()

    def _is_even(self) -> bool:
        """Whether the runs before the present one are tones and pauses of even length."""
        runs = [length * STEP_SECONDS for _, length in self._runs[:-1][-2 * MIN_TONES :]]
        if len(runs) < 2 * MIN_TONES:
            return False
        tones, pauses = runs[0::2], runs[1::2]
        if not all(MIN_TONE <= run <= MAX_TONE for run in runs):
            return False
        return max(tones) - min(tones) <= MAX_JITTER and max(pauses) - min(pauses) <= MAX_JITTER


_CALLER = CHANNELS.index("caller")
_WINDOW = 50
"""Frames within which the caller's speech is counted (1 s)."""


class CallDetector:
    """Detects the start of a call by the caller's speech.

    A call starts when the caller has spoken for ``min_speech`` seconds within one second; ``preroll`` seconds
    before that belong to the call, too.
    """

    def __init__(
        self, rate: int, settings: VadSettings, *, min_speech: float = 0.4, preroll: float = 4.0
    ) -> None:
        self._rate = rate
        self._preroll = preroll
        self._min_frames = round(min_speech / FRAME_SECONDS)
        self._framer = Framer(rate)
        self._vad = VoiceActivityDetector(rate, settings)
        self._active: deque[bool] = deque(maxlen=_WINDOW)
        self._recent: deque[Block] = deque()

    def feed(self, block: Block) -> bool:
        """Takes the next block; True when a call has started."""
        self._recent.append(block)
        size = sum(kept.pcm.shape[1] for kept in self._recent)
        while size - self._recent[0].pcm.shape[1] >= self._preroll * self._rate and len(self._recent) > 1:
            size -= self._recent.popleft().pcm.shape[1]
        active = self._vad.feed(self._framer.feed(block)).active
        self._active.extend(bool(flag) for flag in active[_CALLER])
        return sum(self._active) >= self._min_frames

    def recent_blocks(self) -> list[Block]:
        """Returns, and forgets, the blocks since the pre-roll: the start of the call."""
        kept, self._recent = list(self._recent), deque()
        return kept


def warm_up(rate: int, settings: VadSettings) -> None:
    """Loads the voice activity detector, so that no audio has to wait for it."""
    second = Block(0, np.full((len(CHANNELS), rate), 1e-3, np.float32))
    VoiceActivityDetector(rate, settings).feed(Framer(rate).feed(second))


def rebase(block: Block, first: int, rate: int) -> Block:
    """Returns ``block`` in the time of a call that started at sample ``first`` of the stream; ``rate`` is
    in Hz.
    """
    at = first / rate
    gaps = []
    for gap in block.gaps:
        begin, end = max(0.0, gap.at - at), gap.at + gap.seconds - at
        if end > 0:
            gaps.append(
                replace(
                    gap,
                    at=round(begin, 3),
                    seconds=round(end - begin, 3),
                    detected_at=max(0.0, round(gap.detected_at - at, 3)),
                )
            )
    return Block(block.start - first, np.ascontiguousarray(block.pcm), tuple(gaps), block.notices)
