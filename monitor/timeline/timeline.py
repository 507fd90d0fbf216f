"""The timeline: facts come in, questions are answered. It judges nothing.

It takes facts in the order in which they became known and answers questions about the last
``HORIZON`` seconds (sums and counts over the whole call live as plain numbers). ``take`` says which
topics a fact touched, so that only the rules which depend on them are looked at.
"""

from collections.abc import Callable, Iterable
from typing import Any

from monitor.events import (
    CHANNELS,
    Channel,
    Event,
    Floor,
    Gap,
    Interruption,
    Overlap,
    Prosody,
    Quality,
    QualityKind,
    SpeechEnded,
    SpeechStarted,
    TalkOver,
    Utterance,
    other,
)
from monitor.timeline.marks import Clock, Mark, Marks
from monitor.timeline.talk import Talk
from monitor.timeline.voice import EffortLevel, RisingTogether, VoiceHistory
from monitor.timeline.words import Words

RAISED = 1.0
"""The effort score of a raised voice (reads as z >= 2)."""

ECHOED = 0.75
"""The effort score at which a voice is said to follow the other's (z >= 1.5)."""

MIRROR = 5.0
"""Seconds within which it follows."""

MINUTE = 60.0
"""Seconds over which voices climb together."""

Topics = tuple[str, ...]


class Timeline:
    """What happened on the call so far. All times are seconds of the call."""

    def __init__(self, *, words: bool = True, meta: dict[str, Any] | None = None) -> None:
        self._clock = Clock()
        self.has_words = words
        self.meta = dict(meta or {})
        self.marks = Marks(self._clock)
        self.talk = Talk(self._clock, self.marks)
        self.words = Words(self._clock, self.talk, heard=words)
        self.voice: dict[Channel, VoiceHistory] = {channel: VoiceHistory() for channel in CHANNELS}
        self._together = RisingTogether()
        self.overlapped = 0.0
        self.ended: float | None = None
        self.difficulty: tuple[float, float] = (0.0, 0.0)
        self.hardest = 0.0
        self._trouble: set[tuple[QualityKind, Channel | None]] = set()
        self._takers: dict[type[Event], Callable[[Any], Topics]] = {
            SpeechStarted: self.talk.started,
            SpeechEnded: self.talk.stopped,
            Prosody: self._prosody,
            Floor: self.talk.passed,
            Gap: self.talk.lost,
            Overlap: self._overlap,
            Interruption: self._interruption,
            TalkOver: self._talk_over,
            Quality: self._quality,
            Utterance: self.words.take,
        }

    @property
    def now(self) -> float:
        """Seconds of the call so far."""
        return self._clock.now

    def take(self, event: Event) -> Topics:
        """Remembers a fact; the topics that it touched."""
        taker = self._takers.get(type(event))
        return taker(event) if taker else ()

    def advance(self, now: float) -> None:
        """The call went on to ``now``."""
        if now > self._clock.now:
            self._clock.now = now

    def set_difficulty(self, score: float) -> None:
        """The running difficulty, and since when it is what it is."""
        if score != self.difficulty[0]:
            self.difficulty = (score, self.now)
            self.hardest = max(self.hardest, score)

    def opened(self) -> bool:
        """Whether the opening is over: each side has had a turn."""
        return all(("turn", channel) in self.marks.first for channel in CHANNELS)

    def closing(self) -> bool:
        """Whether either side has begun to say goodbye."""
        return any(("closing", channel) in self.marks.first for channel in CHANNELS)

    def troubled(self, kinds: Iterable[str], channel: Channel | None) -> QualityKind | None:
        """Which of these quality problems holds now for this side (for either without ``channel``)."""
        for kind, of in sorted(self._trouble, key=str):
            if kind in kinds and (channel is None or of is None or of == channel):
                return kind
        return None

    # --- facts ---

    def _prosody(self, event: Prosody) -> Topics:
        turned = self.voice[event.channel].take(event)
        topics = self._turned(event.channel, turned) if turned else ()
        if event.effort is not None and event.voiced and self._climbs(event):
            topics += ("climbing",)
        return topics

    def _climbs(self, event: Prosody) -> bool:
        """Whether it shows with this sound that both voices have climbed together for a minute."""
        likeness = self._together.take(event.channel, event.at, event.effort or 0.0)
        if likeness is None:
            return False
        detail = f"both voices rise together, correlation {likeness:.2f}"
        self.marks.add(Mark("climbing", None, max(0.0, self.now - MINUTE), self.now, detail=detail))
        return True

    def _turned(self, channel: Channel, turned: list[EffortLevel]) -> Topics:
        """Marks a voice that was raised, or came down again."""
        topics = [f"voice:{channel}"]
        for held in turned:
            if held.raised and held.on == RAISED:
                self.marks.add(Mark("raised", channel, held.since, self.now))
                topics.append(f"raised:{channel}")
            elif held.raised and held.on == ECHOED and self._follows(channel, held):
                self.marks.add(Mark("mirrored", channel, held.since, self.now))
                topics.append(f"mirrored:{channel}")
            elif not held.raised and held.on == RAISED:
                self.marks.add(Mark("calmed", channel, held.since, self.now))
                topics.append(f"calmed:{channel}")
        return tuple(topics)

    def _follows(self, channel: Channel, held: EffortLevel) -> bool:
        """Whether this voice went up within ``MIRROR`` seconds of the other being raised."""
        theirs = self.voice[other(channel)].held[RAISED]
        return theirs.raised_until > 0 and theirs.since < held.since <= theirs.raised_until + MIRROR

    def _overlap(self, event: Overlap) -> Topics:
        self.overlapped += event.seconds
        self.marks.add(Mark(f"overlap:{event.kind}", event.by, event.start, event.end))
        return ("overlap", f"overlap:{event.kind}")

    def _interruption(self, event: Interruption) -> Topics:
        self.marks.add(Mark("interruption", event.by, event.start, event.at))
        return ("interruption", f"interruption:{event.by}")

    def _talk_over(self, event: TalkOver) -> Topics:
        self.marks.add(Mark("talk_over", event.by, event.start, event.at))
        return ("talk_over", f"talk_over:{event.by}")

    def _quality(self, event: Quality) -> Topics:
        key = event.kind, event.channel
        if event.end is None:
            self._trouble.add(key)
        else:
            self._trouble.discard(key)
        return ("quality",)
