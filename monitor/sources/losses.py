"""What a live call has lost, told in as few words as possible: one ``Gap`` a stretch, or one a second."""

from dataclasses import dataclass

from monitor.events import CHANNELS, Channel, Gap

LONGEST = 1.0
"""Seconds of a stretch that are told in one; a side that stays away is told again and again."""
JOINED = 0.005
"""Seconds between two losses that make one of them; a loss shorter than this is rounding, and not told."""


@dataclass(slots=True)
class _Stretch:
    start: float
    end: float


class Losses:
    """Joins the small pieces in which silence was filled in. ``rate`` is that of the blocks, in Hz."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._open: dict[Channel, _Stretch] = {}
        self._told: list[Gap] = []

    def note(self, channel: Channel, at: float, seconds: float) -> None:
        """So many seconds of that side never arrived."""
        stretch = self._open.get(channel)
        if stretch and at - stretch.end <= JOINED and stretch.end - stretch.start < LONGEST:
            stretch.end = at + seconds
            return
        self._close(channel)
        self._open[channel] = _Stretch(at, at + seconds)

    def due(self, upto: int) -> tuple[Gap, ...]:
        """The gaps that are to be told with the block that ends with sample ``upto``."""
        now = upto / self._rate
        for channel in CHANNELS:
            stretch = self._open.get(channel)
            if stretch and (stretch.end + JOINED < now or stretch.end - stretch.start >= LONGEST):
                self._close(channel)
        due = tuple(gap for gap in self._told if gap.known <= now)
        self._told = [gap for gap in self._told if gap.known > now]
        return due

    def _close(self, channel: Channel) -> None:
        stretch = self._open.pop(channel, None)
        if stretch and stretch.end - stretch.start > JOINED:
            start, end = round(stretch.start, 3), round(stretch.end, 3)
            self._told.append(Gap(channel=channel, at=start, seconds=round(end - start, 3), known=end))
