"""The tones by which a telephone line says that the other side has hung up.

Busy, congestion and reorder tones are one or two steady sines in an even cadence: 425 Hz in most of
Europe, 480 + 620 Hz in North America, 400 Hz in Britain and Japan, on for 0.2 to 0.75 s and off for as
long (ITU-T E.180, Supplement 2). A ringing tone is on for 0.4 to 2 s and off for longer, and not meant.
"""

import numpy as np
from numpy.typing import NDArray

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


class HangUpTone:
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
