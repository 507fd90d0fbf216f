"""Finds the beginning and the end of calls on a live line.

The tones by which a telephone line says that the other side has hung up.

Busy, congestion and reorder tones are one or two steady sines in an even cadence: 425 Hz in most of
Europe, 480 + 620 Hz in North America, 400 Hz in Britain and Japan, on for 0.2 to 0.75 s and off for as
long (ITU-T E.180, Supplement 2). A ringing tone is on for 0.4 to 2 s and off for longer, and not meant.

Between calls: waits for the caller's side to come alive, and remembers just enough not to miss it.

What is heard meanwhile is forgotten after the pre-roll; nothing of it is transcribed, told or written.
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

STEP = 0.05
TONES = ((425.0,), (400.0,), (480.0, 620.0), (450.0,))
"""Frequencies in Hz that sound together."""
PURITY = 0.85
"""Share of a step's energy that must lie in the tone."""
QUIETEST = 10 ** (-50 / 10)
"""Mean square of the quietest tone heard (full scale 1.0)."""
SHORTEST, LONGEST = 0.15, 0.8
"""Seconds of each tone and of each pause."""
EVEN = 0.11
"""Seconds by which tones and pauses may differ from each other (two steps of rounding)."""
TIMES = 4
"""Tones in an even row that make a hang-up."""


class HangUpToneDetector:
    """Hears one side at ``rate`` Hz and says when the line gives a hang-up tone."""

    def __init__(self, rate: int) -> None:
        self._step = round(STEP * rate)
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
        """The next samples, float32 mono; True once an even row of tones has been heard."""
        self._rest = np.concatenate([self._rest, pcm])
        heard = False
        while self._rest.size >= self._step:
            step, self._rest = self._rest[: self._step], self._rest[self._step :]
            heard |= self._note(self._is_tone(step))
        return heard

    def _is_tone(self, step: Samples) -> bool:
        power = float(np.mean(np.square(step)))
        if power < QUIETEST:
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
        self._runs = self._runs[-2 * TIMES - 1 :]
        return tone and self._is_even()

    def _is_even(self) -> bool:
        """Whether the runs before the one that just began are tones and pauses of even length."""
        runs = [length * STEP for _, length in self._runs[:-1][-2 * TIMES :]]
        if len(runs) < 2 * TIMES:
            return False
        tones, pauses = runs[0::2], runs[1::2]
        if not all(SHORTEST <= run <= LONGEST for run in runs):
            return False
        return max(tones) - min(tones) <= EVEN and max(pauses) - min(pauses) <= EVEN


_CALLER = CHANNELS.index("caller")
_RECENT = 50
"""Frames that are looked at for speech of the caller (1 s)."""


class CallDetector:
    """Says when a call begins. ``moment``: seconds of the caller's speech that it takes, within one second.

    ``preroll``: seconds before that which belong to the call.
    """

    def __init__(self, rate: int, gate: VadSettings, *, moment: float = 0.4, preroll: float = 4.0) -> None:
        self._rate = rate
        self._preroll = preroll
        self._enough = round(moment / FRAME_SECONDS)
        self._framer = Framer(rate)
        self._vad = VoiceActivityDetector(rate, gate)
        self._spoken: deque[bool] = deque(maxlen=_RECENT)
        self._kept: deque[Block] = deque()

    def feed(self, block: Block) -> bool:
        """Hears a block; True when the caller has been speaking for a moment."""
        self._kept.append(block)
        size = sum(kept.pcm.shape[1] for kept in self._kept)
        while size - self._kept[0].pcm.shape[1] >= self._preroll * self._rate and len(self._kept) > 1:
            size -= self._kept.popleft().pcm.shape[1]
        active = self._vad.feed(self._framer.feed(block)).active
        self._spoken.extend(bool(flag) for flag in active[_CALLER])
        return sum(self._spoken) >= self._enough

    def kept(self) -> list[Block]:
        """The blocks from the pre-roll on, to be heard as the beginning of the call."""
        kept, self._kept = list(self._kept), deque()
        return kept


def warm_up(rate: int, gate: VadSettings) -> None:
    """Loads what decides whether somebody speaks, so that no sound waits for it."""
    second = Block(0, np.full((len(CHANNELS), rate), 1e-3, np.float32))
    VoiceActivityDetector(rate, gate).feed(Framer(rate).feed(second))


def rebased(block: Block, first: int, rate: int) -> Block:
    """The block in the time of a call whose first sample was number ``first`` of the stream."""
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
