"""Whether both voices climb together: how their effort goes along with each other over a minute.

Each side's mean effort is taken over cells of 5 s of the call; a side that is silent in a cell keeps its
last value. Pearson's correlation over the last twelve cells tells whether the voices go together; that
both are higher in the second half of the minute than in the first, that they go up.
"""

from collections import deque
from collections.abc import Sequence
from itertools import accumulate
from statistics import StatisticsError, correlation, fmean

from monitor.events import CHANNELS, Channel

CELL = 5.0
CELLS = 12
SPOKEN = 4
"""Cells in which each side must have spoken; less is no minute of conversation."""

TOGETHER = 0.6
RISE = 0.35
"""Effort by which each side's second half minute must lie above its first. Less is how calm voices drift."""


class Together:
    """Follows both sides' effort; bounded to a minute."""

    def __init__(self) -> None:
        self._sums: dict[Channel, tuple[float, int]] = dict.fromkeys(CHANNELS, (0.0, 0))
        self._cells: dict[Channel, deque[float | None]] = {
            channel: deque(maxlen=CELLS) for channel in CHANNELS
        }
        self._cell = 0

    def take(self, channel: Channel, at: float, effort: float) -> float | None:
        """Goes on by 0.1 s of voiced speech; the correlation, when a cell is full and both climb together."""
        found = None
        cell = int(at / CELL)
        if cell > self._cell:
            self._close(cell)
            found = self.climbing()
        total, count = self._sums[channel]
        self._sums[channel] = (total + effort, count + 1)
        return found

    def climbing(self) -> float | None:
        """The correlation over the last minute, where it says that both voices go up together."""
        curves = [_curve(self._cells[channel]) for channel in CHANNELS]
        if any(curve is None or _rise(curve) < RISE for curve in curves):
            return None
        try:
            value = correlation(*(curve for curve in curves if curve is not None))
        except StatisticsError:  # one side did not vary at all
            return None
        return round(value, 2) if value >= TOGETHER else None

    def _close(self, cell: int) -> None:
        """The cells up to ``cell`` are over; nobody spoke in those after the first of them."""
        for channel in CHANNELS:
            total, count = self._sums[channel]
            cells = self._cells[channel]
            cells.append(total / count if count else None)
            cells.extend([None] * min(cell - self._cell - 1, CELLS))
            self._sums[channel] = (0.0, 0)
        self._cell = cell


def _curve(cells: Sequence[float | None]) -> list[float] | None:
    """The cells with silent ones filled in; null where too few are known."""
    known = [value for value in cells if value is not None]
    if len(cells) < CELLS or len(known) < SPOKEN:
        return None
    filled = accumulate(cells, lambda last, value: last if value is None else value, initial=known[0])
    return [value for value in list(filled)[1:] if value is not None]


def _rise(curve: Sequence[float]) -> float:
    half = len(curve) // 2
    return fmean(curve[half:]) - fmean(curve[:half])
