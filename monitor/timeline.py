"""The call's memory, bounded; the only thing rules may ask.

It takes facts in the order in which they became known and answers questions about the last
``HORIZON`` seconds (sums and counts over the whole call live as plain numbers). It judges nothing.

``take`` says which topics a fact touched, so that only the rules which depend on them are looked at.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from monitor.events import (
    CHANNELS,
    Channel,
    Cited,
    Event,
    Floor,
    Interruption,
    Overlap,
    Prosody,
    Quality,
    SpeechEnded,
    SpeechStarted,
    TalkOver,
    Utterance,
    Word,
    other,
)
from monitor.voice import Held, Voice

HORIZON = 600.0
"""Seconds that are remembered in detail; no rule's window may be longer."""

SENTENCE_GAP = 1.5
"""A pause of so many seconds ends a sentence that has no full stop."""

SENTENCE_WORDS = 20

REVISED = 4
"""Only the last utterances of a side are still revised."""

HEARD_LAG = 0.5
"""A silent side counts as heard up to this long ago, in seconds: speech is noticed with a delay."""

WORDS_PATIENCE = 3.0
"""Longest wait for the recogniser, in seconds, before "not said" is believed."""

HOLD_SAID = 15.0
"""Words that announce a hold make a silence one that begins so many seconds later at most."""

HOLD_SILENCE = 3.0
"""A silence after such words is a hold from this length on, in seconds."""

RAISED = 1.0
"""The effort score of a raised voice (reads as z >= 2)."""

ECHOED = 0.75
"""The effort score at which a voice is said to follow the other's (z >= 1.5)."""

MIRROR = 5.0
"""Seconds within which it follows."""


@dataclass(slots=True)
class Stretch:
    """A stretch of speech, or a turn, of one side; ``end`` is null while it goes on."""

    channel: Channel
    start: float
    end: float | None = None

    def until(self, now: float) -> float:
        """Its end, or ``now`` while it goes on."""
        return now if self.end is None else self.end


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened: a phrase, an interruption, a hold that ended. ``kind`` names it.

    ``text`` are the words, ``detail`` what else people should be told about it.
    """

    kind: str
    channel: Channel | None
    start: float
    end: float
    text: str | None = None
    utterance: int | None = None
    detail: str | None = None

    def cited(self) -> Cited:
        """The mark as a piece of evidence."""
        kind = None if self.text is not None else self.kind
        return Cited(start=self.start, end=self.end, channel=self.channel, text=self.text, kind=kind)


@dataclass(frozen=True, slots=True)
class Said:
    """What one side said in one utterance, as it is known now."""

    channel: Channel
    utterance: int
    start: float
    end: float
    words: tuple[Word, ...]
    final: bool


class Timeline:
    """What happened on the call so far. All times are seconds of the call."""

    def __init__(self, *, words: bool = True, meta: dict[str, Any] | None = None) -> None:
        self.has_words = words
        self.meta = dict(meta or {})
        self.now = 0.0
        self.speech: dict[Channel, deque[Stretch]] = {channel: deque() for channel in CHANNELS}
        self.said: dict[Channel, deque[Said]] = {channel: deque() for channel in CHANNELS}
        self.turns: deque[Stretch] = deque()
        self.holder: Channel | None = None
        self.voice: dict[Channel, Voice] = {channel: Voice() for channel in CHANNELS}
        self.holds: deque[Stretch] = deque()
        self.trouble: dict[tuple[str, Channel | None], float] = {}
        self.talked: dict[Channel, float] = dict.fromkeys(CHANNELS, 0.0)
        self.overlapped = 0.0
        self.counts: Counter[tuple[str, Channel | None]] = Counter()
        self.first: dict[tuple[str, Channel | None], float] = {}
        self.ended: float | None = None
        self.hardest = 0.0
        self.difficulty: tuple[float, float] = (0.0, 0.0)
        self._covered = 0.0
        self._covered_to = 0.0
        self._marks: dict[tuple[str, Channel | None], deque[Mark]] = {}
        self._last_words: dict[Channel, float] = dict.fromkeys(CHANNELS, 0.0)
        self._takers: dict[type[Event], Callable[[Any], tuple[str, ...]]] = {
            SpeechStarted: self._speech_started,
            SpeechEnded: self._speech_ended,
            Prosody: self._prosody,
            Floor: self._floor,
            Overlap: self._overlap,
            Interruption: self._interruption,
            TalkOver: self._talk_over,
            Quality: self._quality,
            Utterance: self._utterance,
        }

    # --- facts come in ---

    def take(self, event: Event) -> tuple[str, ...]:
        """Remembers a fact; the topics that it touched."""
        taker = self._takers.get(type(event))
        return taker(event) if taker else ()

    def advance(self, now: float) -> None:
        """The call went on to ``now``."""
        self.now = max(self.now, now)

    def mark(self, mark: Mark) -> None:
        """Remembers something that happened, for windows and for the whole call."""
        key = mark.kind, mark.channel
        marks = self._marks.get(key)
        if marks is None:
            marks = self._marks[key] = deque()
        marks.append(mark)
        while marks[0].end < self.now - HORIZON:
            marks.popleft()
        self.counts[key] += 1
        self.first.setdefault(key, mark.start)

    def unmark(self, channel: Channel, utterance: int) -> list[str]:
        """Forgets the marks of one utterance, because its words were heard anew; the topics touched."""
        topics = []
        for (kind, of), marks in self._marks.items():
            if of != channel or not marks or marks[-1].utterance is None:
                continue
            kept = [mark for mark in marks if mark.utterance != utterance]
            if len(kept) != len(marks):
                self.counts[kind, of] -= len(marks) - len(kept)
                self._marks[kind, of] = deque(kept)
                topics.append(f"say:{kind}")
        return topics

    def set_difficulty(self, score: float) -> None:
        """The running difficulty, and since when it is what it is."""
        if score != self.difficulty[0]:
            self.difficulty = (score, self.now)
            self.hardest = max(self.hardest, score)

    # --- questions: what happened ---

    def marks(self, kinds: Iterable[str], channel: Channel | None = None, since: float = 0.0) -> list[Mark]:
        """The marks of these kinds that ended after ``since``, by time; of both sides without ``channel``."""
        found: list[Mark] = []
        for kind in kinds:
            for side in (channel,) if channel else (*CHANNELS, None):
                for mark in reversed(self._marks.get((kind, side), ())):
                    if mark.end <= since:
                        break
                    found.append(mark)
        found.sort(key=lambda mark: (mark.end, mark.start))
        return found

    def latest(self, kinds: Iterable[str], channel: Channel | None = None) -> Mark | None:
        """The mark of these kinds that ended last."""
        sides = (channel,) if channel else (*CHANNELS, None)
        ends = [marks[-1] for kind in kinds for side in sides if (marks := self._marks.get((kind, side)))]
        return max(ends, key=lambda mark: mark.end, default=None)

    def words(self, channel: Channel, since: float) -> list[Word]:
        """This side's words that ended after ``since``, by time."""
        found: list[Word] = []
        for said in reversed(self.said[channel]):
            if said.end <= since:
                break
            found[:0] = [word for word in said.words if word.end > since]
        return found

    def sentence(self, mark: Mark) -> Mark:
        """The mark with the whole sentence that it begins, as far as it is known."""
        if mark.channel is None:
            return mark
        words: list[Word] = []
        for word in self.words(mark.channel, mark.start):
            if word.start < mark.start or (words and word.start - words[-1].end > SENTENCE_GAP):
                continue
            words.append(word)
            if word.text.rstrip().endswith((".", "?", "!")):
                break
        if not words:
            return mark
        text = " ".join(word.text.strip() for word in words[:SENTENCE_WORDS])
        return replace(mark, end=words[-1].end, text=text)

    # --- questions: who speaks ---

    def speaking(self, channel: Channel) -> bool:
        """Whether this side speaks just now."""
        segments = self.speech[channel]
        return bool(segments) and segments[-1].end is None

    def spoken_until(self, channel: Channel) -> float:
        """When this side last spoke (now, while it does; 0 if it never did)."""
        segments = self.speech[channel]
        return segments[-1].until(self.now) if segments else 0.0

    def segments(self, channel: Channel, since: float) -> Iterator[tuple[float, float]]:
        """This side's stretches of speech after ``since``, the latest first, cut to it and to now."""
        for segment in reversed(self.speech[channel]):
            end = segment.until(self.now)
            if end <= since:
                return
            yield max(segment.start, since), end

    def talk(self, channel: Channel, since: float) -> float:
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
        """Since when both sides have been silent (or the last hold ended); null while one speaks."""
        if any(self.speaking(channel) for channel in CHANNELS):
            return None
        held = self.holds[-1].end or 0.0 if self.holds else 0.0
        return max(held, *(self.spoken_until(channel) for channel in CHANNELS))

    def holding(self) -> Stretch | None:
        """The hold that the caller is in now: by the softphone, or by the agent's words and a silence."""
        if self.holds and self.holds[-1].end is None:
            return self.holds[-1]
        since = self.silent_since()
        said = self.latest(("hold",), "agent") if since is not None else None
        if said is None or since is None or not since - HOLD_SAID <= said.end <= since + HEARD_LAG:
            return None
        return Stretch("caller", since) if self.now - since >= HOLD_SILENCE else None

    def silence(self, seconds: float) -> float:
        """Seconds up to ``seconds`` in which nobody spoke."""
        return max(0.0, seconds - self._covered)

    def heard_until(self, channel: Channel) -> float:
        """Up to when it is known what this side said; never more than ``WORDS_PATIENCE`` ago."""
        patience = self.now - WORDS_PATIENCE
        if not self.has_words:
            return self.now
        settled = self.now - HEARD_LAG
        segments = self.speech[channel]
        if segments and segments[-1].until(self.now) > self._last_words[channel] + HEARD_LAG:
            settled = min(settled, self._last_words[channel])
        return max(settled, patience)

    def opened(self) -> bool:
        """Whether the opening is over: each side has had a turn."""
        return all(("turn", channel) in self.first for channel in CHANNELS)

    def closing(self) -> bool:
        """Whether the agent has begun to say goodbye."""
        return ("closing", "agent") in self.first

    def troubled(self, kinds: Iterable[str], channel: Channel | None) -> str | None:
        """Which of these quality problems holds now for this side (for either without ``channel``)."""
        for kind, of in self.trouble:
            if kind in kinds and (channel is None or of is None or of == channel):
                return kind
        return None

    # --- holds: from a softphone, or from the agent's words ---

    def hold(self, at: float) -> None:
        """The caller is put on hold."""
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
        self.mark(Mark("held", None, hold.start, hold.end))

    # --- inside ---

    def _speech_started(self, event: SpeechStarted) -> tuple[str, ...]:
        topics: tuple[str, ...] = ("speech", f"speech:{event.channel}")
        hold = self.holding()
        if hold and (not self.holds or self.holds[-1] is not hold):
            self.resume(event.at)
            topics = ("hold", *topics)
        self.speech[event.channel].append(Stretch(event.channel, event.at))
        self.first.setdefault(("speech", event.channel), event.at)
        return topics

    def _speech_ended(self, event: SpeechEnded) -> tuple[str, ...]:
        segments = self.speech[event.channel]
        if segments and segments[-1].end is None:
            segments[-1].start, segments[-1].end = event.start, event.end
        else:
            segments.append(Stretch(event.channel, event.start, event.end))
        self.talked[event.channel] += event.end - event.start
        self._cover(event.start, event.end)
        self._forget(segments)
        return ("speech", f"speech:{event.channel}")

    def _cover(self, start: float, end: float) -> None:
        """Adds what this stretch covers and no earlier one did (stretches end in order of time)."""
        begin = max(start, self._covered_to)
        if end <= self._covered_to:
            return
        if start < self._covered_to:
            self._covered += end - self._covered_to
        else:
            self._covered += end - begin
        self._covered_to = end

    def _forget(self, stretches: deque[Stretch]) -> None:
        while stretches and stretches[0].end is not None and stretches[0].end < self.now - HORIZON:
            stretches.popleft()

    def _prosody(self, event: Prosody) -> tuple[str, ...]:
        turned = self.voice[event.channel].take(event)
        return self._turned(event.channel, turned) if turned else ()

    def _turned(self, channel: Channel, turned: list[Held]) -> tuple[str, ...]:
        """Marks a voice that was raised, or came down again."""
        topics = ["voice", f"voice:{channel}"]
        for held in turned:
            if held.raised:
                if held.on == RAISED:
                    self.mark(Mark("raised", channel, held.since, self.now))
                    topics += ["raised", f"raised:{channel}"]
                if held.on == ECHOED and self._follows(channel, held):
                    self.mark(Mark("mirrored", channel, held.since, self.now))
                    topics.append(f"mirrored:{channel}")
            elif held.on == RAISED:
                self.mark(Mark("calmed", channel, held.since, self.now))
                topics.append(f"calmed:{channel}")
        return tuple(topics)

    def _follows(self, channel: Channel, held: Held) -> bool:
        """Whether this voice went up within ``MIRROR`` seconds of the other being raised."""
        theirs = self.voice[other(channel)].held[RAISED]
        return theirs.raised_until > 0 and theirs.since < held.since <= theirs.raised_until + MIRROR

    def _floor(self, event: Floor) -> tuple[str, ...]:
        self.holder = event.holder
        last = self.turns[-1] if self.turns else None
        if last and last.end is None:
            last.end = self._spoke_before(last.channel, event.at, last.start)
            self.mark(Mark("turn", last.channel, last.start, last.end))
        if event.holder:
            self.turns.append(Stretch(event.holder, self._took_floor(event)))
        self._forget(self.turns)
        return ("floor", *(f"floor:{side}" for side in (event.previous, event.holder) if side))

    def _spoke_before(self, channel: Channel, at: float, start: float) -> float:
        for begin, end in self.segments(channel, start):
            if begin < at:
                return min(end, at)
        return at

    def _took_floor(self, event: Floor) -> float:
        """The start of the speech with which the floor was taken."""
        segments = self.speech[event.holder or "agent"]
        floor = segments[-1].start if segments and segments[-1].start <= event.at else event.at
        before = self.turns[-1] if self.turns else None
        if before and before.channel == event.holder and before.end is not None:
            return max(floor, before.end)
        return floor

    def _overlap(self, event: Overlap) -> tuple[str, ...]:
        self.overlapped += event.seconds
        self.mark(Mark(f"overlap:{event.kind}", event.by, event.start, event.end))
        return ("overlap", f"overlap:{event.kind}")

    def _interruption(self, event: Interruption) -> tuple[str, ...]:
        self.mark(Mark("interruption", event.by, event.start, event.at))
        return ("interruption", f"interruption:{event.by}")

    def _talk_over(self, event: TalkOver) -> tuple[str, ...]:
        self.mark(Mark("talk_over", event.by, event.start, event.at))
        return ("talk_over", f"talk_over:{event.by}")

    def _quality(self, event: Quality) -> tuple[str, ...]:
        key = event.kind, event.channel
        if event.end is None:
            self.trouble[key] = event.start
        else:
            self.trouble.pop(key, None)
        return ("quality",)

    def _utterance(self, event: Utterance) -> tuple[str, ...]:
        known = event.end if event.final else max((w.end for w in event.words if w.committed), default=0.0)
        self._last_words[event.channel] = max(self._last_words[event.channel], known)
        said = self.said[event.channel]
        words = event.words if event.final else tuple(word for word in event.words if word.committed)
        one = Said(event.channel, event.utterance, event.start, event.end, words, event.final)
        for place in range(len(said) - 1, max(-1, len(said) - 1 - REVISED), -1):
            if said[place].utterance == event.utterance:
                said[place] = one
                break
        else:
            said.append(one)
        while said[0].end < self.now - HORIZON:
            said.popleft()
        return ("utterance", f"utterance:{event.channel}")
