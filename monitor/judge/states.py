"""Detects states of a call (raised voice, hold, dead air) and reports their beginning and end as events.

They are read from the timeline in the same way as by rules, so events and alerts cannot disagree.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import TypeVar

import msgspec

from monitor.events import CHANNELS, Channel, DeadAir, Event, Hold, RaisedVoice
from monitor.timeline import CALL, Key, Mark, Read, Stretch, Timeline, TimelineView, keys_of, ms, seconds
from monitor.timeline.timeline import RAISED
from monitor.timeline.voice import HOLD_ON

StateT = TypeVar("StateT", RaisedVoice, Hold, DeadAir)

DEAD_AIR = 8_000
"""Ms of mutual silence outside a hold that count as dead air."""


class StateTracker:
    """Detects the states of one call. Each becomes a mark of its name on the timeline when it is reported."""

    def __init__(self, line: Timeline) -> None:
        self._line = line
        self._view = TimelineView(line)
        self._raised: dict[Channel, RaisedVoice] = {}
        self._until: dict[Channel, int] = {}
        self._hold: Hold | None = None
        self._dead: DeadAir | None = None
        self.due = CALL
        """When a state may change without an event, in ms of the call."""

        self._reads: AbstractSet[Read] = frozenset()
        self._keys: frozenset[Key] | None = None

    def concerned(self, keys: Iterable[Key]) -> bool:
        """Whether a change of these keys may begin or end a state."""
        return self._keys is None or not self._keys.isdisjoint(keys)

    def look(self) -> tuple[list[Event], list[Key]]:
        """Events of states that began or ended since the last call, and the timeline keys that changed."""
        self._view.begin()
        hold = self._view.holding()
        holds = list(self._holds(hold))
        found: list[RaisedVoice | DeadAir] = [*self._voices(), *self._dead_air(hold)]
        self.due = self._view.changes_at
        if self._view.reads != self._reads:
            self._reads = self._view.reads
            self._keys = frozenset(key for read in self._reads for key in keys_of(read))
        return [*holds, *found], [self._mark(one) for one in found if one.end is None]

    def finish(self) -> list[Event]:
        """Ends all states at the end of the call."""
        over: list[Event] = [self._ended(one, self._until[side]) for side, one in self._raised.items()]
        if self._hold:
            over.append(self._ended(self._hold, self._line.now))
        if self._dead:
            over.append(self._ended(self._dead, self._line.now))
        return over

    def _mark(self, told: RaisedVoice | DeadAir) -> Key:
        return self._line.marks.add(Mark(told.name, told.channel, ms(told.start), self._line.now))

    def _voices(self) -> Iterator[RaisedVoice]:
        """Raised voices; a stretch ends when the voice comes down, or with a pause."""
        for side in CHANNELS:
            told, stretch = self._raised.get(side), self._view.raised(side, RAISED)
            if told is not None and (stretch is None or seconds(stretch[0]) != told.start):
                yield self._ended(self._raised.pop(side), self._until[side])
                told = None
            if stretch is not None:
                since, self._until[side] = stretch
                if told is None and self._voiced(side, since) >= HOLD_ON:
                    now, start = seconds(self._line.now), seconds(since)
                    self._raised[side] = RaisedVoice(detected_at=now, channel=side, start=start)
                    yield self._raised[side]

    def _voiced(self, side: Channel, since: int) -> int:
        """The ms of voiced speech since ``since`` with the effort of a raised voice."""
        sounds = self._line.voice[side].sounds(since)
        return sum(sound.voiced for sound in sounds if sound.effort >= RAISED)

    def _holds(self, hold: Stretch | None) -> Iterator[Hold]:
        told = self._hold
        if told is not None and (hold is None or seconds(hold.start) != told.start):
            last = self._line.talk.holds[-1] if self._line.talk.holds else None
            known = last is not None and last.end is not None and seconds(last.start) == told.start
            yield self._ended(told, last.end if known and last and last.end else self._line.now)
            self._hold = None
        if hold is not None and self._hold is None:
            self._hold = Hold(detected_at=seconds(self._line.now), start=seconds(hold.start))
            yield self._hold

    def _dead_air(self, hold: Stretch | None) -> Iterator[DeadAir]:
        """Dead air; silence before the first speech of the call does not count."""
        view, told = self._view, self._dead
        since = view.silent_since()
        begun = any(("speech", side) in self._line.marks.first for side in CHANNELS)
        dead = since is not None and begun and hold is None and view.passed(since + DEAD_AIR)
        if told is not None and (not dead or since is None or seconds(since) != told.start):
            yield self._ended(told, self._spoken_from())
            self._dead = None
        if dead and since is not None and self._dead is None:
            self._dead = DeadAir(detected_at=seconds(self._line.now), start=seconds(since))
            yield self._dead

    def _spoken_from(self) -> int:
        """When the current speech began; now if neither side is speaking."""
        talk = self._line.talk
        starts = [next(talk.segments(side, 0))[0] for side in CHANNELS if talk.speaking(side)]
        return min(starts, default=self._line.now)

    def _ended(self, told: StateT, end: int) -> StateT:
        return msgspec.structs.replace(told, detected_at=seconds(self._line.now), end=seconds(end))
