"""Speech, turns, silence and holds of a call."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from monitor.events import CHANNELS, Channel, Floor, Gap, SpeechEnded, SpeechStarted, other
from monitor.timeline.marks import HORIZON, Clock, Key, Mark, Marks
from monitor.timeline.milliseconds import ms

HOLD_SAID = 15_000
"""Longest time in ms from the words that announce a hold to the silence that is taken for it."""

HOLD_SILENCE = 3_000
"""Shortest silence in ms after an announcement that counts as a hold."""

NOTICED = 500
"""Longest delay in ms of speech detection."""

LOST = 500
"""Lost audio of at least so many ms may have contained speech, so it ends a measured silence."""

SPEECH: dict[Channel, Key] = {channel: ("@speech", channel) for channel in CHANNELS}
"""The keys of each side's speech segments."""

FLOOR: Key = ("@floor", None)
"""The key of the floor and of all turns."""

HOLDS: Key = ("@holds", None)
"""The key of the holds."""

Keys = tuple[Key, ...]


@dataclass(slots=True)
class Stretch:
    """A speech segment, a turn or a hold, in ms; ``end`` is null while it lasts."""

    channel: Channel
    start: int
    end: int | None = None

    def until(self, now: int) -> int:
        """Its end, or ``now`` while it lasts."""
        return now if self.end is None else self.end


class Talk:
    """Both sides' speech, turns and holds."""

    def __init__(self, clock: Clock, marks: Marks) -> None:
        self._clock = clock
        self._marks = marks
        self._speech: dict[Channel, deque[Stretch]] = {channel: deque() for channel in CHANNELS}
        self._covered = 0
        self._unheard_until = 0
        self.turns: deque[Stretch] = deque()
        self.holds: deque[Stretch] = deque()
        self.talked: dict[Channel, int] = dict.fromkeys(CHANNELS, 0)

    # --- facts ---

    def started(self, event: SpeechStarted) -> Keys:
        """Records that a side begins to speak; returns the keys that changed."""
        channel, at = event.channel, ms(event.at)
        keys: Keys = (SPEECH[channel],)
        hold = self.holding()
        if hold and (not self.holds or self.holds[-1] is not hold):
            keys += self.resume(at)
        self._speech[channel].append(Stretch(channel, at))
        if ("speech", channel) not in self._marks.first:
            self._marks.first["speech", channel] = at
            keys += (("speech", channel),)
        return keys

    def stopped(self, event: SpeechEnded) -> Keys:
        """Records the end of a speech segment; returns the keys that changed."""
        channel, start, end = event.channel, ms(event.start), ms(event.end)
        mine = self._speech[channel]
        if mine and mine[-1].end is None:
            mine[-1].start, mine[-1].end = start, end
        else:
            mine.append(Stretch(channel, start, end))
        self.talked[channel] += end - start
        # Time that the other side's finished segments already cover is not counted twice.
        both = sum(
            min(until, end) - begin for begin, until in self._finished(other(channel), start) if begin < end
        )
        self._covered += end - start - both
        self._forget(mine)
        return (SPEECH[channel],)

    def passed(self, event: Floor) -> Keys:
        """Records a change of the floor; returns the keys that changed."""
        at = ms(event.at)
        keys: Keys = (FLOOR,)
        last = self.turns[-1] if self.turns else None
        if last and last.end is None:
            last.end = self._spoke_before(last.channel, at, last.start)
            keys += (self._marks.add(Mark("turn", last.channel, last.start, last.end)),)
        if event.holder:
            self.turns.append(Stretch(event.holder, self._took_floor(event.holder, at)))
        self._forget(self.turns)
        return keys

    def lost(self, event: Gap) -> Keys:
        """Records lost audio of a side; returns the keys that changed."""
        length = ms(event.seconds)
        if length < LOST:
            return ()
        self._unheard_until = max(self._unheard_until, ms(event.at) + length)
        return tuple(SPEECH.values())

    def hold(self, at: int) -> Keys:
        """Records that the softphone put the caller on hold; returns the keys that changed."""
        if not self.holds or self.holds[-1].end is not None:
            self.holds.append(Stretch("caller", at))
        return (HOLDS,)

    def resume(self, at: int) -> Keys:
        """Records the end of the hold; returns the keys that changed."""
        hold = self.holding()
        if not hold:
            return ()
        if not self.holds or self.holds[-1] is not hold:
            self.holds.append(hold)
        hold.end = max(at, hold.start)
        return (HOLDS, self._marks.add(Mark("held", None, hold.start, hold.end)))

    # --- questions ---

    def speaking(self, channel: Channel) -> bool:
        """Whether this side is speaking now."""
        segments = self._speech[channel]
        return bool(segments) and segments[-1].end is None

    def spoken_until(self, channel: Channel) -> int:
        """When this side last spoke (now, if it is speaking; 0 if it never did)."""
        segments = self._speech[channel]
        return segments[-1].until(self._clock.now) if segments else 0

    def segments(self, channel: Channel, since: int) -> Iterator[tuple[int, int]]:
        """This side's speech segments after ``since``, latest first, clipped to ``since`` and now."""
        for segment in reversed(self._speech[channel]):
            end = segment.until(self._clock.now)
            if end <= since:
                return
            yield max(segment.start, since), end

    def spoken(self, channel: Channel, since: int) -> int:
        """The ms of this side's speech after ``since``."""
        return sum(end - start for start, end in self.segments(channel, since))

    def turn(self, channel: Channel) -> Stretch | None:
        """This side's current turn, if it has the floor."""
        last = self.turns[-1] if self.turns else None
        return last if last and last.channel == channel and last.end is None else None

    def turns_of(self, channel: Channel, since: int) -> list[Stretch]:
        """This side's turns that began after ``since``, by time."""
        found = []
        for turn in reversed(self.turns):
            if turn.start < since:
                break
            if turn.channel == channel:
                found.append(turn)
        return found[::-1]

    def silent_since(self) -> int | None:
        """Since when both sides have been silent (or the last hold ended); null while one speaks.

        While a device is lost, speech cannot be observed, so a silence starts over when audio returns.
        """
        if any(self.speaking(channel) for channel in CHANNELS):
            return None
        held = self.holds[-1].end or 0 if self.holds else 0
        return max(held, self._unheard_until, *(self.spoken_until(channel) for channel in CHANNELS))

    def silence(self, until: int) -> int:
        """The ms of mutual silence up to ``until``."""
        return max(0, until - self._covered)

    def holding(self) -> Stretch | None:
        """The current hold, from the softphone's signal or from an announcement and a silence after it."""
        if self.holds and self.holds[-1].end is None:
            return self.holds[-1]
        since = self.announced()
        return None if since is None or self._clock.now < since + HOLD_SILENCE else Stretch("caller", since)

    def announced(self) -> int | None:
        """The start of a silence that the agent announced; it becomes a hold if it lasts."""
        since = self.silent_since()
        said = self._marks.latest(("hold",), "agent") if since is not None else None
        if said is None or since is None or not since - HOLD_SAID <= said.end <= since + NOTICED:
            return None
        return since

    # --- inside ---

    def _finished(self, channel: Channel, since: int) -> Iterator[tuple[int, int]]:
        for segment in reversed(self._speech[channel]):
            if segment.end is None:
                continue
            if segment.end <= since:
                return
            yield max(segment.start, since), segment.end

    def _forget(self, stretches: deque[Stretch]) -> None:
        while stretches and stretches[0].end is not None and stretches[0].end < self._clock.now - HORIZON:
            stretches.popleft()

    def _spoke_before(self, channel: Channel, at: int, start: int) -> int:
        """The end of the holder's last speech segment that began before ``at``."""
        for begin, end in self.segments(channel, start):
            if begin < at:
                return min(end, at)
        return at

    def _took_floor(self, channel: Channel, at: int) -> int:
        """The start of the speech with which the floor was taken."""
        segments = self._speech[channel]
        start = segments[-1].start if segments and segments[-1].start <= at else at
        before = self.turns[-1] if self.turns else None
        if before and before.channel == channel and before.end is not None:
            return max(start, before.end)
        return start
