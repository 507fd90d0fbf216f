"""Who speaks, whose turn it is, how long nobody has spoken, and who is on hold."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from monitor.events import CHANNELS, Channel, Floor, Gap, SpeechEnded, SpeechStarted, other
from monitor.timeline.marks import HORIZON, Clock, Mark, Marks

HOLD_SAID = 15.0
"""Words that announce a hold make a silence one that begins so many seconds later at most."""

HOLD_SILENCE = 3.0
"""A silence after such words is a hold from this length on, in seconds."""

NOTICED = 0.5
"""Speech is noticed with a delay of up to so many seconds."""

LOST = 0.5
"""Sound that never arrived for so many seconds may have been speech: it tells no silence."""


@dataclass(slots=True)
class Stretch:
    """A stretch of speech, a turn or a hold; ``end`` is null while it goes on."""

    channel: Channel
    start: float
    end: float | None = None

    def until(self, now: float) -> float:
        """Its end, or ``now`` while it goes on."""
        return now if self.end is None else self.end


class Talk:
    """Both sides' speech, turns and holds."""

    def __init__(self, clock: Clock, marks: Marks) -> None:
        self._clock = clock
        self._marks = marks
        self._speech: dict[Channel, deque[Stretch]] = {channel: deque() for channel in CHANNELS}
        self._covered = 0.0
        self._unheard_until = 0.0
        self.turns: deque[Stretch] = deque()
        self.holds: deque[Stretch] = deque()
        self.talked: dict[Channel, float] = dict.fromkeys(CHANNELS, 0.0)

    # --- facts ---

    def started(self, event: SpeechStarted) -> tuple[str, ...]:
        """A side begins to speak; the topics touched."""
        topics: tuple[str, ...] = ("speech", f"speech:{event.channel}")
        hold = self.holding()
        if hold and (not self.holds or self.holds[-1] is not hold):
            self.resume(event.at)
            topics = ("hold", *topics)
        self._speech[event.channel].append(Stretch(event.channel, event.at))
        self._marks.first.setdefault(("speech", event.channel), event.at)
        return topics

    def stopped(self, event: SpeechEnded) -> tuple[str, ...]:
        """A side's stretch of speech is over; the topics touched."""
        mine = self._speech[event.channel]
        if mine and mine[-1].end is None:
            mine[-1].start, mine[-1].end = event.start, event.end
        else:
            mine.append(Stretch(event.channel, event.start, event.end))
        self.talked[event.channel] += event.end - event.start
        # What the other side's finished stretches cover already is not counted twice.
        both = sum(
            min(end, event.end) - start
            for start, end in self._finished(other(event.channel), event.start)
            if start < event.end
        )
        self._covered += event.end - event.start - both
        self._forget(mine)
        return ("speech", f"speech:{event.channel}")

    def passed(self, event: Floor) -> tuple[str, ...]:
        """The floor passed; the topics touched."""
        last = self.turns[-1] if self.turns else None
        if last and last.end is None:
            last.end = self._spoke_before(last.channel, event.at, last.start)
            self._marks.add(Mark("turn", last.channel, last.start, last.end))
        if event.holder:
            self.turns.append(Stretch(event.holder, self._took_floor(event.holder, event.at)))
        self._forget(self.turns)
        return ("floor", *(f"floor:{side}" for side in (event.previous, event.holder) if side))

    def lost(self, event: Gap) -> tuple[str, ...]:
        """A side's sound did not arrive; the topics touched."""
        if event.seconds < LOST:
            return ()
        self._unheard_until = max(self._unheard_until, event.at + event.seconds)
        return ("speech",)

    def hold(self, at: float) -> None:
        """The caller is put on hold by the softphone."""
        if not self.holds or self.holds[-1].end is not None:
            self.holds.append(Stretch("caller", at))

    def resume(self, at: float) -> None:
        """The hold is over."""
        hold = self.holding()
        if not hold:
            return
        if not self.holds or self.holds[-1] is not hold:
            self.holds.append(hold)
        hold.end = max(at, hold.start)
        self._marks.add(Mark("held", None, hold.start, hold.end))

    # --- questions ---

    def speaking(self, channel: Channel) -> bool:
        """Whether this side speaks just now."""
        segments = self._speech[channel]
        return bool(segments) and segments[-1].end is None

    def spoken_until(self, channel: Channel) -> float:
        """When this side last spoke (now, while it does; 0 if it never did)."""
        segments = self._speech[channel]
        return segments[-1].until(self._clock.now) if segments else 0.0

    def segments(self, channel: Channel, since: float) -> Iterator[tuple[float, float]]:
        """This side's stretches of speech after ``since``, the latest first, cut to it and to now."""
        for segment in reversed(self._speech[channel]):
            end = segment.until(self._clock.now)
            if end <= since:
                return
            yield max(segment.start, since), end

    def seconds(self, channel: Channel, since: float) -> float:
        """Seconds that this side spoke after ``since``."""
        return sum(end - start for start, end in self.segments(channel, since))

    def turn(self, channel: Channel) -> Stretch | None:
        """The turn that this side has now, if it has it."""
        last = self.turns[-1] if self.turns else None
        return last if last and last.channel == channel and last.end is None else None

    def turns_of(self, channel: Channel, since: float) -> list[Stretch]:
        """This side's turns that began after ``since``, by time."""
        found = []
        for turn in reversed(self.turns):
            if turn.start < since:
                break
            if turn.channel == channel:
                found.append(turn)
        return found[::-1]

    def silent_since(self) -> float | None:
        """Since when both sides have been silent (or the last hold ended); null while one speaks.

        While a device is lost nobody knows who speaks, so a silence begins anew when sound comes again.
        """
        if any(self.speaking(channel) for channel in CHANNELS):
            return None
        held = self.holds[-1].end or 0.0 if self.holds else 0.0
        return max(held, self._unheard_until, *(self.spoken_until(channel) for channel in CHANNELS))

    def silence(self, seconds: float) -> float:
        """Seconds up to ``seconds`` in which nobody spoke."""
        return max(0.0, seconds - self._covered)

    def holding(self) -> Stretch | None:
        """The hold that the caller is in now: by the softphone, or by the agent's words and a silence."""
        if self.holds and self.holds[-1].end is None:
            return self.holds[-1]
        since = self.silent_since()
        said = self._marks.latest(("hold",), "agent") if since is not None else None
        if said is None or since is None or not since - HOLD_SAID <= said.end <= since + NOTICED:
            return None
        return Stretch("caller", since) if self._clock.now - since >= HOLD_SILENCE else None

    # --- inside ---

    def _finished(self, channel: Channel, since: float) -> Iterator[tuple[float, float]]:
        for segment in reversed(self._speech[channel]):
            if segment.end is None:
                continue
            if segment.end <= since:
                return
            yield max(segment.start, since), segment.end

    def _forget(self, stretches: deque[Stretch]) -> None:
        while stretches and stretches[0].end is not None and stretches[0].end < self._clock.now - HORIZON:
            stretches.popleft()

    def _spoke_before(self, channel: Channel, at: float, start: float) -> float:
        """When the holder's last stretch of speech that began before ``at`` ended."""
        for begin, end in self.segments(channel, start):
            if begin < at:
                return min(end, at)
        return at

    def _took_floor(self, channel: Channel, at: float) -> float:
        """The start of the speech with which the floor was taken."""
        segments = self._speech[channel]
        start = segments[-1].start if segments and segments[-1].start <= at else at
        before = self.turns[-1] if self.turns else None
        if before and before.channel == channel and before.end is not None:
            return max(start, before.end)
        return start
