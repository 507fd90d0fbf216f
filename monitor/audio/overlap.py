"""The floor, overlap episodes and silences: who took the floor from whom, and what was only a backchannel.

Who has the turn. The floor passes by silence and speech, never by overlap alone.

    state      what is heard                                                   next state
    free       one side has talked for 0.5 s since the other was last heard    that side holds
    X holds    X silent for 0.4 s, and Y has talked for 0.35 s since X stopped Y holds
    X holds    both silent for 3 s                                             free

This is the floor-state rule that replaced a threshold on overlap: in 97 h of meetings (AMI, word
aligned) 61 % of all overlaps end with the newcomer silent again, and no length of overlap tells those
from the ones that take the floor with more than 41 % precision; that the holder falls silent while the
other goes on does.

One stretch of talk over talk, from its first common frame until it is clear what it was.

Only a *bid* can become an interruption or a talk-over: the newcomer begins while the other side has the
floor and is speaking (or was 0.2 s before). Everything else that sounds at once is named, not judged.

    kind           what it was
    interruption   a bid; the holder fell silent, and the newcomer went on
    talk_over      a bid; both went on at once for more than a second, and the holder kept the floor
    backchannel    a bid; the newcomer fell silent and the holder went on ("mm-hm", "right", a laugh)
    terminal       a bid that only touches the end of the holder's turn
    simultaneous   both began within 0.2 s of each other
    other          nobody had the floor, or its holder came back after a pause, or over a "mm-hm"

Silence: stretches in which neither side speaks, long enough to be felt as dead air.

The frames are those of the talk-over rule, without echoes: a line that returns a voice is no voice. What
comes before the first word of a call and after the last is no silence of the conversation.

Talk-over: who took the floor from whom, who talked over whom, and what was only a "mm-hm".

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

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.audio.frames import seconds
from monitor.config import OverlapSettings
from monitor.events import (
    CHANNELS,
    FRAME_SECONDS,
    Channel,
    Event,
    Floor,
    Interruption,
    OverlapKind,
    OverlapStarted,
    Silence,
    TalkOver,
)
from monitor.events import Overlap as OverlapClosed

LONG_AGO = 1_000_000
"""Frames of silence of a side that has not been heard yet."""

_BRIDGE = 0.3  # a side's pauses below this many seconds lie between words, not between utterances


def frames_in(seconds: float) -> int:
    """So many seconds in whole frames."""
    return round(seconds / FRAME_SECONDS)


@dataclass(slots=True)
class ChannelActivity:
    """One side's clock, in frames."""

    active: bool = False
    off: int = LONG_AGO
    """Since it was last heard; 0 while it talks."""
    start: int = 0
    """When its utterance began (pauses between words bridged)."""
    entered: int = LONG_AGO
    """How long the other side had been silent when this utterance began; 0: it was talking."""
    alone: int = 0
    """How much it has talked since the other side was last heard."""


class FloorTracker:
    """Follows both sides frame by frame, and says whose turn it is."""

    def __init__(self, settings: OverlapSettings) -> None:
        self.sides = (ChannelActivity(), ChannelActivity())
        self.holder: int | None = None
        self.turn = 0
        """How many frames the holder has talked since it has the floor (and while it took it)."""
        self._bridge = frames_in(_BRIDGE)
        self._take = frames_in(settings.take_floor)
        self._silent = frames_in(settings.holder_silent)
        self._talks = frames_in(settings.taker_talks)
        self._release = frames_in(settings.release)

    def step(self, frame: int, first: bool, second: bool) -> bool:
        """Hears one frame of both sides; True when the floor passed."""
        one, two = self.sides
        was = one.off, two.off
        self._listen(one, frame, first, 0 if second else was[1] + 1, was[0])
        self._listen(two, frame, second, 0 if first else was[0] + 1, was[1])
        if first:
            two.alone = 0
        if second:
            one.alone = 0
        holder = self._next()
        if holder != self.holder:
            self.holder = holder
            self.turn = 0 if holder is None else self.sides[holder].alone
            return True
        if holder is not None and self.sides[holder].active:
            self.turn += 1
        return False

    def _listen(self, side: ChannelActivity, frame: int, active: bool, other_off: int, was_off: int) -> None:
        side.active = active
        if not active:
            side.off = was_off + 1
            return
        if was_off > self._bridge:
            side.start = frame
            side.entered = other_off
        side.off = 0
        side.alone += 1

    def _next(self) -> int | None:
        one, two = self.sides
        if self.holder is None:
            if one.alone >= self._take:
                return 0
            return 1 if two.alone >= self._take else None
        holder, taker = self.sides[self.holder], self.sides[1 - self.holder]
        if holder.off >= self._silent and taker.alone >= self._talks:
            return 1 - self.holder
        if holder.off >= self._release and taker.off >= self._release:
            one.alone = two.alone = 0
            return None
        return self.holder


_BREATH = frames_in(0.3)  # a pause between two words of the newcomer; a longer one begins a new burst


@dataclass(slots=True)
class OverlapEpisode:
    """What was heard since both sides spoke at once. All numbers are frames; sides are rows."""

    start: int
    by: int
    """Who came second."""
    kind: OverlapKind
    """What it is so far; a bid begins as a backchannel."""
    talk: int = 0
    """How much the newcomer has talked since it began."""
    end: int = 0
    overlap: int = 0
    """How much both have spoken at once."""
    run: int = 0
    """How much of that in the newcomer's present burst: three "mm-hm" in a row are no talk-over."""
    hinted: bool = False

    @property
    def competes(self) -> bool:
        """Whether this is a bid for a floor that the other side has."""
        return self.kind in ("backchannel", "talk_over")

    def hear(self, floor: FloorTracker, frame: int) -> None:
        """Counts one frame."""
        by, of = floor.sides[self.by], floor.sides[1 - self.by]
        if by.off > _BREATH:
            self.run = 0
        if by.active:
            self.talk += 1
            if of.active:
                self.overlap += 1
                self.run += 1
                self.end = frame + 1


def open_episode(floor: FloorTracker, frame: int, settings: OverlapSettings) -> OverlapEpisode:
    """The record of an overlap whose first common frame is ``frame``: who came second, and into what."""
    one, two = floor.sides
    later = 0 if one.start > two.start else 1
    if abs(one.start - two.start) <= frames_in(settings.simultaneous):
        return OverlapEpisode(frame, later, "simultaneous")
    if floor.holder is None:
        return OverlapEpisode(frame, later, "other")
    taker = floor.sides[1 - floor.holder]
    inside = taker.entered <= frames_in(settings.inside)
    if inside and floor.turn >= frames_in(settings.holder_turn):
        return OverlapEpisode(frame, 1 - floor.holder, "backchannel", talk=frame - taker.start)
    return OverlapEpisode(frame, 1 - floor.holder if inside else later, "other")


class SilenceDetector:
    """Follows both sides. Feed it every frame once, in order; ``settings.release`` is the least silence."""

    def __init__(self, settings: OverlapSettings) -> None:
        self._least = frames_in(settings.release)
        self._last: int | None = None
        """The last frame in which somebody spoke."""

    def feed(self, first: int, active: NDArray[np.bool_]) -> list[Silence]:
        """Hears the frames from ``first`` on, ``active`` [2, n]; the silences that end in them."""
        found: list[Silence] = []
        last = self._last
        for frame, spoken in enumerate((active[0] | active[1]).tolist(), first):
            if not spoken:
                continue
            if last is not None and frame - last > self._least:
                found.append(
                    Silence(start=seconds(last + 1), end=seconds(frame), detected_at=seconds(frame + 1))
                )
            last = frame
        self._last = last
        return found


class OverlapTracker:
    """Follows the floor of one call. Feed it every frame once, in order."""

    def __init__(self, settings: OverlapSettings) -> None:
        self._settings = settings
        self._floor = FloorTracker(settings)
        self._bid: OverlapEpisode | None = None
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
            events.append(Floor(at=now, holder=_name(holder), previous=_name(previous), detected_at=now))
        if one and two and self._bid is None:
            self._bid = open_episode(floor, frame, self._settings)
        if self._bid is None:
            return
        self._bid.hear(floor, frame)
        if not hush:
            self._tell(self._bid, now, events)
        self._end(self._bid, now, hush, events)

    def _tell(self, bid: OverlapEpisode, now: float, events: list[Event]) -> None:
        """Says what has become sure about an open overlap."""
        start, by, of = seconds(bid.start), CHANNELS[bid.by], CHANNELS[1 - bid.by]
        if not bid.hinted and bid.overlap >= self._hint and bid.run:
            bid.hinted = True
            events.append(OverlapStarted(start=start, at=now, by=by, detected_at=now))
        if bid.kind == "backchannel" and bid.run >= self._talk_over:
            bid.kind = "talk_over"
            events.append(TalkOver(start=start, at=now, by=by, of=of, detected_at=now))

    def _end(self, bid: OverlapEpisode, now: float, hush: bool, events: list[Event]) -> None:
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
            events.append(Interruption(start=start, at=now, by=taker, of=loser, detected_at=now))
            self._close(bid, "interruption", now, events)
        elif by.off >= self._gap or (of.active and self._floor.holder == bid.by):
            self._close(bid, bid.kind, now, events)

    def _close(self, bid: OverlapEpisode, kind: OverlapKind, now: float, events: list[Event]) -> None:
        self._bid = None
        end, both, by = seconds(bid.end), seconds(bid.overlap), CHANNELS[bid.by]
        start = seconds(bid.start)
        events.append(OverlapClosed(start=start, end=end, by=by, kind=kind, seconds=both, detected_at=now))


def _name(row: int | None) -> Channel | None:
    return None if row is None else CHANNELS[row]
