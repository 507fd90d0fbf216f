"""A view of the timeline that records what a rule reads, so that the engine knows when to evaluate it again.

Each query through a view records two things: the ``Key`` whose change may change the answer, and the
earliest time at which the answer may change without an event, because something leaves a window or a
duration reaches a limit. Until the first of these, the rule's result stays the same. Every method here must
have this property; a test evaluates every rule at every event and every 0.1 s to verify it.

A ``Quantity`` is a number that changes with time alone, such as the speech of a side in a sliding window.
Compare it with ``reached``, and times with ``passed``: a direct comparison with ``now`` is not recorded.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from monitor.events import CHANNELS, Channel
from monitor.timeline.marks import Key, Mark
from monitor.timeline.milliseconds import CALL
from monitor.timeline.talk import FLOOR, HOLD_SILENCE, HOLDS, NOTICED, SPEECH, Stretch
from monitor.timeline.timeline import DIFFICULTY, EFFORT, META, PACE, VOICE, Timeline
from monitor.timeline.voice import PACE_STALE, STALE, ProsodySample
from monitor.timeline.words import PATIENCE, WORDS, SpokenWord

Read = tuple[str | tuple[str, ...], Channel | None]
"""A key, or several kinds of marks of one channel (null: of both)."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A current value in ms, and the ``rate`` at which it changes per ms until the next event."""

    value: int
    rate: int = 0

    def __add__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.value + other.value, self.rate + other.rate)


class TimelineView:
    """Recording access to the timeline for one evaluation of a rule. Times are ms of the call."""

    __slots__ = ("_line", "_reads", "changes_at", "now")

    def __init__(self, line: Timeline) -> None:
        self._line = line
        self.begin()

    def begin(self) -> None:
        """Starts a new evaluation and discards the recorded reads."""
        self.now = self._line.now
        self.changes_at = CALL
        self._reads: set[Read] = set()

    @property
    def reads(self) -> AbstractSet[Read]:
        """What was read since the evaluation began. Each evaluation has a new set."""
        return self._reads

    # --- time ---

    def change_at(self, moment: int) -> None:
        """Records that an answer may change at ``moment``."""
        if self.now < moment < self.changes_at:
            self.changes_at = moment

    def passed(self, moment: int) -> bool:
        """Whether the call has reached ``moment``."""
        self.change_at(moment)
        return self.now >= moment

    def reached(self, quantity: Quantity, limit: int) -> bool:
        """Whether ``quantity`` is at least ``limit``."""
        value, rate = quantity.value, quantity.rate
        if rate > 0 and value < limit:
            self.change_at(self.now + -((value - limit) // rate))
        elif rate < 0 and value >= limit:
            self.change_at(self.now + (value - limit) // -rate + 1)
        return value >= limit

    @property
    def elapsed(self) -> Quantity:
        """The length of the call so far."""
        return Quantity(self.now, 1)

    @property
    def ended(self) -> int | None:
        """When the call ended, null before; every rule is evaluated then."""
        return self._line.ended

    # --- marks ---

    def marks(
        self,
        kinds: tuple[str, ...],
        channel: Channel | None = None,
        window: int = CALL,
        *,
        certain: bool | None = True,
    ) -> list[Mark]:
        """The marks of these kinds in a window that ends now, by time; ``channel`` null means both.

        ``certain`` as in ``Marks``: false for approximate matches only, null for both.
        """
        self._reads.add((kinds, channel))
        found = self._line.marks.of(kinds, channel, self.now - window, certain=certain)
        if found:
            self.change_at(found[0].end + window)
        return found

    def marks_since(
        self, kinds: tuple[str, ...], channel: Channel | None, since: int, *, certain: bool | None = True
    ) -> list[Mark]:
        """The marks of these kinds that ended after a fixed time."""
        self._reads.add((kinds, channel))
        return self._line.marks.of(kinds, channel, since, certain=certain)

    def latest(self, kinds: tuple[str, ...], channel: Channel | None = None) -> Mark | None:
        """The mark of these kinds that ended last."""
        self._reads.add((kinds, channel))
        return self._line.marks.latest(kinds, channel)

    def count(self, kinds: tuple[str, ...], channel: Channel | None = None, *, perhaps: bool = False) -> int:
        """The number of marks of these kinds in the whole call, including those beyond the horizon.

        ``perhaps`` also counts approximate matches.
        """
        self._reads.add((kinds, channel))
        marks = self._line.marks
        stores = (marks.counts, marks.perhaps_counts) if perhaps else (marks.counts,)
        sides = (channel,) if channel else (*CHANNELS, None)
        return sum(counts[kind, side] for counts in stores for kind in kinds for side in sides)

    def first(self, kinds: tuple[str, ...], channel: Channel, *, perhaps: bool = False) -> int | None:
        """When the first mark of these kinds began; ``speech`` is the side's first speech.

        ``perhaps`` also considers approximate matches.
        """
        self._reads.add((kinds, channel))
        marks = self._line.marks
        stores = (marks.first, marks.perhaps_first) if perhaps else (marks.first,)
        keys = [(kind, channel) for kind in kinds]
        return min((first[key] for first in stores for key in keys if key in first), default=None)

    # --- speech, turns and holds ---

    def speaking(self, channel: Channel) -> bool:
        """Whether this side is speaking now."""
        self._reads.add(SPEECH[channel])
        return self._line.talk.speaking(channel)

    def spoken_until(self, channel: Channel) -> int:
        """When this side, which must be silent now, last spoke (0 if it never did)."""
        self._reads.add(SPEECH[channel])
        return self._line.talk.spoken_until(channel)

    def spoken(self, channel: Channel, window: int) -> Quantity:
        """The speech of this side in a window that ends now."""
        self._reads.add(SPEECH[channel])
        talk, edge = self._line.talk, self.now - window
        value, rate, first = 0, int(talk.speaking(channel)), None
        for start, end in talk.segments(channel, max(0, edge)):
            value += end - start
            first = start, end
        if first is not None:
            start, end = first
            if start <= edge:  # the start of the window moves through this segment
                rate -= 1
                self.change_at(end + window)
            else:
                self.change_at(start + window)
        return Quantity(value, rate)

    def spoken_since(self, channel: Channel, since: int) -> Quantity:
        """The speech of this side after a fixed time."""
        self._reads.add(SPEECH[channel])
        talk = self._line.talk
        return Quantity(talk.spoken(channel, since), int(talk.speaking(channel)))

    def silent_since(self) -> int | None:
        """Since when neither side has spoken; null while one speaks."""
        self._reads.update(SPEECH.values())
        self._reads.add(HOLDS)
        return self._line.talk.silent_since()

    def holding(self) -> Stretch | None:
        """The current hold, from the softphone's signal or from an announcement and a silence after it."""
        self._reads.update(SPEECH.values())
        self._reads.update((HOLDS, ("hold", "agent")))
        hold = self._line.talk.holding()
        if hold is None:
            since = self._line.talk.announced()
            if since is not None:
                self.change_at(since + HOLD_SILENCE)
        return hold

    def holds(self) -> tuple[Stretch, ...]:
        """The holds of the call, by time; the last may still be open."""
        self._reads.add(HOLDS)
        return tuple(self._line.talk.holds)

    def turn(self, channel: Channel) -> Stretch | None:
        """This side's current turn, if it has the floor."""
        self._reads.add(FLOOR)
        return self._line.talk.turn(channel)

    def turns(self) -> tuple[Stretch, ...]:
        """The turns of both sides, by time; the last may still be open."""
        self._reads.add(FLOOR)
        return tuple(self._line.talk.turns)

    def turns_of(self, channel: Channel, since: int) -> list[Stretch]:
        """This side's turns that began at or after a fixed time."""
        self._reads.add(FLOOR)
        return self._line.talk.turns_of(channel, since)

    def first_long_turn(self, channel: Channel, least: int) -> Stretch | None:
        """This side's first turn of at least ``least`` ms; it may still be open."""
        for turn in self.turns():
            if turn.channel == channel:
                length = turn.until(self.now) - turn.start
                if self.reached(Quantity(length, int(turn.end is None)), least):
                    return turn
        return None

    def spoken_run(self, turn: Stretch, pause: int) -> int | None:
        """Since when the holder of ``turn`` has spoken without a pause of ``pause`` ms; null in one."""
        self._reads.add(SPEECH[turn.channel])
        begin: int | None = None
        for start, end in self._line.talk.segments(turn.channel, turn.start):
            if begin is None and not self._line.talk.speaking(turn.channel) and self.passed(end + pause):
                return None
            if begin is not None and begin - end >= pause:
                break
            begin = start
        return begin

    # --- words ---

    @property
    def has_words(self) -> bool:
        """Whether the call has a recogniser; this does not change during a call."""
        return self._line.has_words

    def last_word(self, channel: Channel, patience: int) -> SpokenWord | None:
        """This side's last recognised word, or null if it ended ``patience`` ms ago or earlier."""
        self._reads.add(WORDS[channel])
        last = self._line.words.last(channel)
        return None if last is None or self.passed(last.end + patience) else last

    def words_since(self, channel: Channel, since: int) -> list[SpokenWord]:
        """This side's words that began at or after a fixed time."""
        self._reads.add(WORDS[channel])
        return [word for word in self._line.words.of(channel, since) if word.start >= since]

    def sentence(self, mark: Mark) -> Mark:
        """The mark with the text of the sentence that it begins, as far as it is recognised."""
        if mark.channel is not None:
            self._reads.add(WORDS[mark.channel])
        return self._line.words.sentence(mark)

    def heard(self, channel: Channel, moment: int) -> bool:
        """Whether recognition of this side has covered the call up to ``moment``.

        It has not before ``NOTICED`` ms have passed, and is assumed to have after ``PATIENCE`` ms. In
        between, only recognised words or the end of a speech segment show it.
        """
        if not self.has_words:
            return self.passed(moment)
        if not self.passed(moment + NOTICED):
            return False
        self.change_at(moment + PATIENCE)
        self._reads.update((SPEECH[channel], WORDS[channel]))
        return self._line.words.heard_until(channel) >= moment

    # --- prosody ---

    def raised(self, channel: Channel, score: float) -> tuple[int, int] | None:
        """Start and end of the latest stretch of effort held at ``score``; null if it is too long ago."""
        self._reads.add(EFFORT[channel])
        level = self._line.voice[channel].raised(score)
        stretch = level.stretch(self.now)
        if stretch is not None:
            self.change_at(stretch[1] + STALE + 1)
        return stretch

    def raised_until(self, channel: Channel, score: float) -> int:
        """When this side's effort was last held at ``score``; negative if it never was."""
        self._reads.add(EFFORT[channel])
        return self._line.voice[channel].raised(score).raised_until

    def typical(self, channel: Channel, name: Literal["effort", "pitch", "rate"], since: int) -> float | None:
        """The median of a prosody value of this side after a fixed time."""
        self._reads.add(VOICE[channel])
        return self._line.voice[channel].typical(name, since)

    def sounds(self, channel: Channel, window: int) -> list[ProsodySample]:
        """The prosody samples of this side in a window that ends now (at most a minute)."""
        self._reads.add(VOICE[channel])
        found = self._line.voice[channel].sounds(self.now - window)
        if found:
            self.change_at(found[0].at + window + 1)
        return found

    def sounds_between(self, channel: Channel, start: int, end: int) -> list[ProsodySample]:
        """The prosody samples of this side between two fixed times."""
        self._reads.add(VOICE[channel])
        return self._line.voice[channel].sounds(start, end)

    def mean_pace(self, channel: Channel) -> float:
        """This side's mean speech rate so far (syllables per second); 0 before any was measured."""
        self._reads.add(VOICE[channel])
        return self._line.voice[channel].pace_mean

    def own_pace(self, channel: Channel) -> float | None:
        """This side's mean speech rate (syllables per second); null before 10 s of speech."""
        self._reads.add(VOICE[channel])
        voice = self._line.voice[channel]
        return None if voice.pace_limit is None else voice.pace_mean

    def quick_pace(self, channel: Channel) -> tuple[ProsodySample, float] | None:
        """The current speech rate and this side's mean, if the rate is above the side's own limit."""
        self._reads.add(PACE[channel])
        voice = self._line.voice[channel]
        quick = voice.quick
        if quick is None or self.passed(quick.at + PACE_STALE + 1):
            return None
        return quick, voice.pace_mean

    def mood(self, channel: Channel, share: float) -> tuple[float | None, float | None]:
        """Mean effort of this side in the first and in the last ``share`` (0 to 1) of the call so far."""
        self._reads.add(VOICE[channel])
        mood, now = self._line.voice[channel].mood, self.now
        for part in (share, 1.0 - share, 1.0):  # the boundaries that move through the mood's cells
            if part > 0.0:
                self.change_at(now + max(1, int((mood.cell - now * part % mood.cell) / part)))
        begin, end = int(now * share), int(now * (1.0 - share))
        return mood.mean(0, begin), mood.mean(end, now)

    # --- the call as a whole ---

    def difficulty(self) -> tuple[float, int]:
        """The running difficulty, and since when it has had this value."""
        self._reads.add(DIFFICULTY)
        return self._line.difficulty

    def hardest(self) -> float:
        """The highest difficulty so far."""
        self._reads.add(DIFFICULTY)
        return self._line.hardest

    def known(self, field: str) -> Any:
        """The metadata value of ``field`` (``a.b`` is b in a); null if there is none."""
        self._reads.add(META)
        value: Any = self._line.meta
        for key in field.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def opened(self) -> bool:
        """Whether the opening is over, that is, each side has had a turn."""
        return all(self.first(("turn",), channel) is not None for channel in CHANNELS)

    def closing(self) -> bool:
        """Whether either side has begun to say goodbye."""
        return any(self.first(("closing",), channel) is not None for channel in CHANNELS)


@lru_cache(maxsize=4096)
def keys_of(read: Read) -> tuple[Key, ...]:
    """The keys on which a read depends."""
    kinds, channel = read
    if isinstance(kinds, str):
        return ((kinds, channel),)
    sides: tuple[Channel | None, ...] = (channel,) if channel else (*CHANNELS, None)
    return tuple((kind, side) for kind in kinds for side in sides)
