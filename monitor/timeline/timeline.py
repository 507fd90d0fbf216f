"""The timeline stores the facts of a call and answers queries about them; it evaluates no rules.

It takes facts in the order in which they became known and keeps the last ``HORIZON`` ms in detail, and
sums and counts of the whole call as plain numbers. ``take`` returns the keys that a fact changed, so that
only the rules that have read one of them are evaluated (see ``TimelineView``).
"""

from collections.abc import Callable, Iterable
from typing import Any

from monitor.events import (
    CHANNELS,
    DERIVED,
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
    is_stretch,
    other,
)
from monitor.timeline.marks import Clock, Key, Mark, Marks
from monitor.timeline.milliseconds import ms
from monitor.timeline.talk import Keys, Talk
from monitor.timeline.voice import EffortLevel, RisingTogether, VoiceHistory
from monitor.timeline.words import Words

RAISED = 1.0
"""The effort score of a raised voice (corresponds to z >= 2)."""

ECHOED = 0.75
"""The effort score from which a voice counts as following the other's (z >= 1.5)."""

MIRROR = 5_000
"""Longest delay in ms at which a voice follows the other's."""

MINUTE = 60_000
"""Ms over which both voices are compared for rising together."""

VOICE: dict[Channel, Key] = {channel: ("@voice", channel) for channel in CHANNELS}
"""The keys of each side's prosody; they change with every prosody event."""

EFFORT: dict[Channel, Key] = {channel: ("@effort", channel) for channel in CHANNELS}
"""The keys of each side's effort levels; they change while the voice is raised, and when it comes down."""

PACE: dict[Channel, Key] = {channel: ("@pace", channel) for channel in CHANNELS}
"""The keys of each side's speech rate above the speaker's own limit."""

SOUND: dict[Channel, Keys] = {channel: (key,) for channel, key in VOICE.items()}
"""The keys that an ordinary prosody event changes; built once, since there are twenty a second."""

META: Key = ("@meta", None)
DIFFICULTY: Key = ("@difficulty", None)


def is_found(kind: type[Event]) -> bool:
    """Whether the events of this class are intervals found by a detector, and not derived by the judge."""
    return is_stretch(kind) and not issubclass(kind, DERIVED)


def _nothing(event: Event) -> Keys:
    return ()


class Timeline:
    """What happened on the call so far. All times are ms of the call."""

    def __init__(self, *, words: bool = True, meta: dict[str, Any] | None = None) -> None:
        self._clock = Clock()
        self.has_words = words
        self.meta = dict(meta or {})
        self.marks = Marks(self._clock)
        self.talk = Talk(self._clock, self.marks)
        self.words = Words(self._clock, self.talk, heard=words)
        self.voice: dict[Channel, VoiceHistory] = {channel: VoiceHistory() for channel in CHANNELS}
        self._together = RisingTogether()
        self.overlapped = 0
        self.ended: int | None = None
        self.difficulty: tuple[float, int] = (0.0, 0)
        """The running score, and since when it has had this value."""

        self.hardest = 0.0
        self._trouble: set[tuple[QualityKind, Channel | None]] = set()
        self._takers: dict[type[Event], Callable[[Any], Keys]] = {
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
    def now(self) -> int:
        """The current call time in ms."""
        return self._clock.now

    def take(self, event: Event) -> Keys:
        """Stores a fact and returns the keys that it changed."""
        taker = self._takers.get(type(event))
        if taker is None:
            taker = self._takers[type(event)] = self._found if is_found(type(event)) else _nothing
        return taker(event)

    def advance(self, now: int) -> None:
        """Advances the call time to ``now``."""
        if now > self._clock.now:
            self._clock.now = now

    def learn(self, meta: dict[str, Any]) -> Keys:
        """Stores the call's metadata and returns the keys that changed."""
        self.meta.update(meta)
        return (META,)

    def set_difficulty(self, score: float) -> Keys:
        """Stores the running difficulty and returns the keys that changed."""
        if score == self.difficulty[0]:
            return ()
        self.difficulty = (score, self.now)
        self.hardest = max(self.hardest, score)
        return (DIFFICULTY,)

    def troubled(self, kinds: Iterable[str], channel: Channel | None) -> QualityKind | None:
        """Which of these quality problems this side has now (``channel`` null: either side)."""
        for kind, of in sorted(self._trouble, key=str):
            if kind in kinds and (channel is None or of is None or of == channel):
                return kind
        return None

    # --- facts ---

    def _found(self, event: Any) -> Keys:
        """Stores a detector's event as a mark of its name, once its end is known."""
        if event.end is None:
            return ()
        mark = Mark(event.name, event.channel, ms(event.start), ms(event.end), getattr(event, "text", None))
        return (self.marks.add(mark),)

    def _prosody(self, event: Prosody) -> Keys:
        channel, voice = event.channel, self.voice[event.channel]
        quick = voice.quick
        turned = voice.take(event)
        keys = SOUND[channel]
        if quick or voice.quick:
            keys += (PACE[channel],)
        if turned or voice.lifted:
            keys += (EFFORT[channel],)
        if turned:
            keys += self._turned(channel, turned)
        if event.effort is not None and event.voiced:
            keys += self._climbed(channel, voice.recent[-1].at, event.effort)
        return keys

    def _climbed(self, channel: Channel, at: int, effort: float) -> Keys:
        """Adds a mark if this sample shows that both voices have risen together for a minute."""
        likeness = self._together.take(channel, at, effort)
        if likeness is None:
            return ()
        detail = f"both voices rise together, correlation {likeness:.2f}"
        return (self.marks.add(Mark("climbing", None, max(0, self.now - MINUTE), self.now, detail=detail)),)

    def _turned(self, channel: Channel, turned: list[EffortLevel]) -> Keys:
        """Adds marks for a voice that was raised or has come down."""
        keys: Keys = ()
        for held in turned:
            if held.raised and held.on == RAISED:
                keys += (self.marks.add(Mark("raised", channel, held.since, self.now)),)
            elif held.raised and held.on == ECHOED and self._follows(channel, held):
                keys += (self.marks.add(Mark("mirrored", channel, held.since, self.now)),)
            elif not held.raised and held.on == RAISED:
                keys += (self.marks.add(Mark("calmed", channel, held.since, self.now)),)
        return keys

    def _follows(self, channel: Channel, held: EffortLevel) -> bool:
        """Whether this voice was raised within ``MIRROR`` ms of the other."""
        theirs = self.voice[other(channel)].held[RAISED]
        return theirs.raised_until > 0 and theirs.since < held.since <= theirs.raised_until + MIRROR

    def _overlap(self, event: Overlap) -> Keys:
        self.overlapped += ms(event.seconds)
        return (self.marks.add(Mark(f"overlap:{event.kind}", event.by, ms(event.start), ms(event.end))),)

    def _interruption(self, event: Interruption) -> Keys:
        return (self.marks.add(Mark("interruption", event.by, ms(event.start), ms(event.at))),)

    def _talk_over(self, event: TalkOver) -> Keys:
        return (self.marks.add(Mark("talk_over", event.by, ms(event.start), ms(event.at))),)

    def _quality(self, event: Quality) -> Keys:
        key = event.kind, event.channel
        if event.end is None:
            self._trouble.add(key)
        else:
            self._trouble.discard(key)
        return ()
