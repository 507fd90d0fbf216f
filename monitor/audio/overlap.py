"""Talk-over: who took the floor from whom, who talked over whom, and what was only a "mm-hm".

The rule counts what happens to the floor, not how long both sides speak at once (see ``floor`` and
``bid``). Each frame, while an overlap is open:

    what is heard                                                            what is said
    both have spoken at once for 0.2 s                                       OverlapStarted, a hint
    a bid; 1.4 s spoken at once in one go                                    TalkOver
    a bid; the holder silent for 0.4 s, the newcomer has gone on for 0.35 s
        and talked for 0.8 s in all, 0.24 s of it over the holder            Interruption; it closes
    a bid; the newcomer silent for 0.8 s, or the floor passed to it          it closes
    no bid; one of the two silent for 0.8 s                                  it closes
    it closes                                                                Overlap, with its kind

While frames are ``hushed`` nothing is decided; what still holds afterwards is said then. The words of a
bid are not known here: whoever has them may still find that it was a "right, okay".
"""

import numpy as np
from numpy.typing import NDArray

from monitor.audio.bid import Bid, open_bid
from monitor.audio.floor import FloorState, frames_in
from monitor.audio.frames import seconds
from monitor.config import OverlapSettings
from monitor.events import (
    CHANNELS,
    Channel,
    Event,
    Floor,
    Interruption,
    OverlapKind,
    OverlapStarted,
    TalkOver,
)
from monitor.events import Overlap as OverlapClosed


class Overlap:
    """Follows the floor of one call. Feed it every frame once, in order."""

    def __init__(self, settings: OverlapSettings) -> None:
        self._settings = settings
        self._floor = FloorState(settings)
        self._bid: Bid | None = None
        self._hint = frames_in(settings.hint)
        self._talk_over = frames_in(settings.talk_over)
        self._gap = frames_in(settings.bid_gap)
        self._silent = frames_in(settings.holder_silent)
        self._goes_on = frames_in(settings.taker_talks)
        self._least_overlap = frames_in(settings.interruption_overlap)
        self._least_talk = frames_in(settings.interruption_bid)

    def feed(self, first: int, active: NDArray[np.bool_], hushed: NDArray[np.bool_]) -> list[Event]:
        """Hears the frames from ``first`` on; ``active`` is [2, T] in the order of ``CHANNELS``."""
        events: list[Event] = []
        columns = zip(active[0].tolist(), active[1].tolist(), hushed.tolist(), strict=True)
        for frame, (one, two, hush) in enumerate(columns, first):
            self._step(frame, one, two, hush, events)
        return events

    def finish(self, frames: int) -> list[Event]:
        """Closes what is open at the end of a call of so many frames."""
        events: list[Event] = []
        if self._bid is not None:
            self._close(self._bid, self._bid.kind, seconds(frames), events)
        return events

    def _step(self, frame: int, one: bool, two: bool, hush: bool, events: list[Event]) -> None:
        floor, now = self._floor, seconds(frame + 1)
        previous = floor.holder
        if floor.step(frame, one, two):
            holder = floor.holder
            events.append(Floor(at=now, holder=_name(holder), previous=_name(previous), known=now))
        if one and two and self._bid is None:
            self._bid = open_bid(floor, frame, self._settings)
        if self._bid is None:
            return
        self._bid.hear(floor, frame)
        if not hush:
            self._tell(self._bid, now, events)
        self._end(self._bid, now, hush, events)

    def _tell(self, bid: Bid, now: float, events: list[Event]) -> None:
        """Says what has become sure about an open overlap."""
        start, by, of = seconds(bid.start), CHANNELS[bid.by], CHANNELS[1 - bid.by]
        if not bid.hinted and bid.overlap >= self._hint and bid.run:
            bid.hinted = True
            events.append(OverlapStarted(start=start, at=now, by=by, known=now))
        if bid.kind == "backchannel" and bid.run >= self._talk_over:
            bid.kind = "talk_over"
            events.append(TalkOver(start=start, at=now, by=by, of=of, known=now))

    def _end(self, bid: Bid, now: float, hush: bool, events: list[Event]) -> None:
        """Closes the overlap when it is over."""
        by, of = self._floor.sides[bid.by], self._floor.sides[1 - bid.by]
        if not bid.competes:
            if max(by.off, of.off) >= self._gap:
                self._close(bid, bid.kind, now, events)
            return
        took = of.off >= self._silent and by.alone >= self._goes_on
        if took and bid.overlap < self._least_overlap:
            self._close(bid, "terminal", now, events)
        elif took and bid.talk >= self._least_talk and not hush:
            start, taker, loser = seconds(bid.start), CHANNELS[bid.by], CHANNELS[1 - bid.by]
            events.append(Interruption(start=start, at=now, by=taker, of=loser, known=now))
            self._close(bid, "interruption", now, events)
        elif by.off >= self._gap or (of.active and self._floor.holder == bid.by):
            self._close(bid, bid.kind, now, events)

    def _close(self, bid: Bid, kind: OverlapKind, now: float, events: list[Event]) -> None:
        self._bid = None
        end, both, by = seconds(bid.end), seconds(bid.overlap), CHANNELS[bid.by]
        start = seconds(bid.start)
        events.append(OverlapClosed(start=start, end=end, by=by, kind=kind, seconds=both, known=now))


def _name(row: int | None) -> Channel | None:
    return None if row is None else CHANNELS[row]
