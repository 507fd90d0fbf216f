"""When the recogniser is asked, and what is made of its answers. Pure: no model, clock or thread here.

Each side's speech is cut into utterances. A growing utterance is decoded about twice a second from its
beginning (its committed words are forced, so only the rest is searched), and once more when it ends.
Each side has at most one question under way; ends of utterances come first.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitor.audio.frames import Run, seconds
from monitor.config import SpeechSettings
from monitor.events import CHANNELS, Channel, Event, Heard, Job, Status, Utterance, Word
from monitor.speech import guards
from monitor.speech.agreement import Agreement
from monitor.speech.load import Load
from monitor.speech.segmenter import Segment, Segmenter, frames_of

LEAST_SPEECH = 0.1
"""Seconds of activity below which there is no word in it."""

BACKLOG = 600.0
"""Seconds of speech of one side that may wait; beyond it the oldest is given up, and counted."""

LATE_BLOCK = 0.3
"""Seconds by which a block may overshoot a due moment without changing what is asked."""

LEVELS_KEPT = 3000
"""Frames of both sides' levels that are remembered (a minute)."""

LAG_STEPS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds of lag that are worth saying when they are crossed."""

_QUIET = 1e-6


@dataclass
class _Utterance:
    """One utterance and its words so far."""

    segment: Segment
    agreement: Agreement
    context: tuple[str, ...]
    revision: int = 0
    heard_to: float = 0.0


@dataclass
class _Side:
    """One side of the call."""

    channel: Channel
    segmenter: Segmenter
    now: _Utterance | None = None
    waiting: deque[_Utterance] = field(default_factory=deque)
    asked: int | None = None
    context: deque[str] = field(default_factory=deque)
    recent: deque[Word] = field(default_factory=lambda: deque(maxlen=40))
    last_end: float = 0.0


@dataclass(frozen=True, slots=True)
class _Flight:
    """A question under way: whose, about which utterance, and its sound's end."""

    side: _Side
    utterance: _Utterance
    job: Job


class Transcriber:
    """Both sides of one call: ``feed`` it, pass its ``jobs`` on, bring back what was ``heard``."""

    def __init__(self, rate: int, settings: SpeechSettings, words: bool = True) -> None:
        self._rate = rate
        self._settings = settings
        self._words = words
        self._utterances = self._jobs = self._dropped = 0
        self._sides = [_Side(c, Segmenter(rate, settings, self._next_utterance)) for c in CHANNELS]
        self._flying: dict[int, _Flight] = {}
        self._load = Load(settings)
        self._levels: NDArray[np.float32] = np.full((2, LEVELS_KEPT), -120.0, np.float32)
        self._frames = 0
        self._said_lag = 0.0

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come, or a question still to be asked, for an ended utterance."""
        return bool(self._flying) or any(side.waiting for side in self._sides)

    @property
    def caught_up(self) -> float:
        """Call time up to which everything that was said has been recognised."""
        times = [seconds(self._frames)]
        for side in self._sides:
            times += [max(u.segment.start, u.heard_to) for u in side.waiting]
            if side.now:
                times.append(max(side.now.segment.start, side.now.heard_to))
        return round(min(times), 3)

    def feed(self, run: Run, active: NDArray[np.bool_]) -> list[Event]:
        """Both sides went on by ``run``; ``active`` [2, frames] says where they spoke."""
        self._frames = run.first + run.frames
        if not self._words:
            return []
        power = np.square(run.pcm.reshape(2, run.frames, run.frame)).mean(axis=2)
        levels = (10.0 * np.log10(power + _QUIET**2)).astype(np.float32)
        self._levels[:, np.arange(run.first, self._frames)[-LEVELS_KEPT:] % LEVELS_KEPT] = levels[
            :, -LEVELS_KEPT:
        ]
        for row, side in enumerate(self._sides):
            self._segment(side, side.segmenter.feed(run.first, run.pcm[row], active[row], levels[row]))
        return self._status(seconds(self._frames)) if self._frames // 50 > run.first // 50 else []

    def jobs(self) -> list[Job]:
        """The questions to ask now, ends of utterances first; each is handed out once."""
        jobs = [job for side in self._sides if side.asked is None and (job := self._job(side))]
        return sorted(jobs, key=lambda job: not job.final)

    def heard(self, heard: Heard, known: float) -> list[Event]:
        """The answer to a job came back when ``known`` seconds of the call had been heard."""
        flight = self._flying.pop(heard.job, None)
        if flight is None:
            return []
        side, utterance, job = flight.side, flight.utterance, flight.job
        side.asked = None
        utterance.heard_to = job.end
        self._load.answered(heard.cost, known)
        changed = self._take(flight, heard)
        events: list[Event] = []
        if changed or (job.final and utterance.revision):
            events.append(self._say(side, utterance, final=job.final, known=known))
        if job.final:
            self._finish(side, utterance)
        return events + self._status(known)

    def finish(self) -> list[Event]:
        """The call is over: what was being said is asked about once more (see ``jobs``)."""
        for side in self._sides:
            self._segment(side, side.segmenter.finish())
        return []

    # --- cutting ---

    def _next_utterance(self) -> int:
        self._utterances += 1
        return self._utterances

    def _segment(self, side: _Side, closed: list[Segment]) -> None:
        """Follows what the segmenter did: utterances that ended wait for their last question."""
        for segment in closed:
            utterance = side.now if side.now and side.now.segment is segment else self._opened(side, segment)
            side.now = None
            if segment.speech_seconds >= LEAST_SPEECH or utterance.revision or self._in_flight(utterance):
                side.waiting.append(utterance)
        opened = side.segmenter.open
        if opened and not (side.now and side.now.segment is opened):
            side.now = self._opened(side, opened)
        self._bound(side)

    def _opened(self, side: _Side, segment: Segment) -> _Utterance:
        return _Utterance(segment, Agreement(self._settings), (), heard_to=segment.start)

    def _in_flight(self, utterance: _Utterance) -> bool:
        return any(flight.utterance is utterance for flight in self._flying.values())

    def _bound(self, side: _Side) -> None:
        """Keeps the waiting sound within ``BACKLOG``; what is given up is counted."""
        while len(side.waiting) > 2 and sum(u.segment.speech_seconds for u in side.waiting) > BACKLOG:
            del side.waiting[1]  # the first may be under way
            self._dropped += 1

    # --- asking ---

    def _job(self, side: _Side) -> Job | None:
        if side.waiting:
            utterance = side.waiting[0]
            return self._ask(side, utterance, utterance.segment.end, final=True)
        if side.now and self._load.partials and (end := self._due(side.now)):
            return self._ask(side, side.now, end, final=False)
        return None

    def _due(self, utterance: _Utterance) -> int | None:
        """Up to which frame a growing utterance is to be looked at now, if at all.

        That is the frame at which it became due, however long the block was that brought it; a side
        that had to wait much longer for the recogniser is looked at up to now.
        """
        segment = utterance.segment
        interval = frames_of(self._load.interval(sum(side.now is not None for side in self._sides)))
        due = max(segment.asked, segment.first_active) + interval
        if due > self._frames:
            return None
        if self._frames - due > frames_of(LATE_BLOCK):
            due = self._frames
        news = segment.active(segment.asked, due) >= frames_of(LEAST_SPEECH) or utterance.agreement.pending
        return due if news else None

    def _ask(self, side: _Side, utterance: _Utterance, end: int, *, final: bool) -> Job:
        segment = utterance.segment
        if segment.asked == segment.first:
            utterance.context = self._context(side, segment)
        segment.asked = end
        self._jobs += 1
        job = Job(
            job=self._jobs,
            channel=side.channel,
            utterance=segment.number,
            start=segment.start,
            end=seconds(end),
            rate=self._rate,
            audio=segment.audio(end),
            context=utterance.context,
            prefix=tuple(utterance.agreement.committed),
            final=final,
            better=self._load.better_finals,
            align=final or self._load.align,
        )
        side.asked = self._frames
        self._flying[job.job] = _Flight(side, utterance, job)
        return job

    def _context(self, side: _Side, segment: Segment) -> tuple[str, ...]:
        if segment.start - side.last_end >= self._settings.forget_context:
            side.context.clear()
        return tuple(side.context)

    # --- answers ---

    def _take(self, flight: _Flight, heard: Heard) -> bool:
        """Lets the believable words of an answer in; True if the utterance's words changed."""
        side, utterance, job = flight.side, flight.utterance, flight.job
        words = self._screened(side, utterance, job, heard)
        if job.final:
            return utterance.agreement.close(words)
        until = min((self._settled(side, word) for word in words), default=job.end)
        changed = utterance.agreement.take(words, job.end, aligned=job.align, until=until)
        if utterance.agreement.committed:
            utterance.segment.settled = frames_of(utterance.agreement.committed[-1].end)
        return changed

    def _screened(self, side: _Side, utterance: _Utterance, job: Job, heard: Heard) -> tuple[Word, ...]:
        segment = utterance.segment
        words = guards.without_loop([*job.prefix[-4:], *heard.words])[len(job.prefix[-4:]) :]
        words = guards.where_spoken(words, segment.spoken)
        if segment.closed:  # a long utterance that was cut meanwhile: the rest belongs to the next one
            cut = seconds(segment.end)
            words = tuple(word for word in words if word.start + word.end < 2 * cut)
        if not guards.believable(heard, words, segment.speech_seconds):
            side.context.clear()
            utterance.context = ()
            return ()
        return guards.without_echo(words, self._said_by_other(side), self._louder(side))

    def _said_by_other(self, side: _Side) -> list[Word]:
        other = self._sides[1 - CHANNELS.index(side.channel)]
        words = list(other.recent)
        for utterance in (*other.waiting, *((other.now,) if other.now else ())):
            words += utterance.agreement.words
        return words

    def _louder(self, side: _Side) -> Callable[[float, float], float]:
        """By how many dB the other side is louder than ``side`` between two call times."""
        row = CHANNELS.index(side.channel)

        def louder_by(start: float, end: float) -> float:
            frames = np.arange(frames_of(start), max(frames_of(end), frames_of(start) + 1)) % LEVELS_KEPT
            return float(self._levels[1 - row, frames].mean() - self._levels[row, frames].mean())

        return louder_by

    def _settled(self, side: _Side, word: Word) -> float:
        """Until when words may be committed: not past one that the other side says louder, unheard yet."""
        other = self._sides[1 - CHANNELS.index(side.channel)]
        unheard = (
            other.now is not None and other.now.segment.start <= word.end and other.now.heard_to < word.end
        )
        if unheard and self._louder(side)(word.start, word.end) >= guards.ECHO_DB:
            return word.start
        return float("inf")

    def _say(self, side: _Side, utterance: _Utterance, *, final: bool, known: float) -> Utterance:
        utterance.revision += 1
        words = utterance.agreement.words
        return Utterance(
            known=known,
            channel=side.channel,
            utterance=utterance.segment.number,
            revision=utterance.revision,
            start=words[0].start if words else utterance.segment.start,
            end=words[-1].end if words else utterance.segment.speech_end,
            text=" ".join(word.text for word in words),
            words=words,
            final=final,
        )

    def _finish(self, side: _Side, utterance: _Utterance) -> None:
        """An utterance is done: its words become the context of the next."""
        side.waiting.remove(utterance)
        words = utterance.agreement.committed
        side.recent.extend(words)
        side.context.extend(word.text for word in words)
        while len(side.context) > self._settings.context_words:
            side.context.popleft()
        side.last_end = utterance.segment.speech_end

    # --- keeping up ---

    def _lag(self) -> float:
        """Seconds for which the longest-waiting question has been unanswered."""
        waits = [self._frames - side.asked for side in self._sides if side.asked is not None]
        waits += [self._frames - side.waiting[0].segment.end for side in self._sides if side.waiting]
        return seconds(max([0, *waits]))

    def _status(self, known: float) -> list[Event]:
        """Says how the recogniser keeps up, when that changed."""
        lag = self._lag()
        talking = sum(side.now is not None or bool(side.waiting) for side in self._sides)
        changed = self._load.adapt(known, lag, talking)
        passed = max([0.0, *(step for step in LAG_STEPS if lag >= step)])
        if not changed and passed == self._said_lag:
            return []
        self._said_lag = passed
        return [
            Status(
                known=known,
                at=known,
                lag_s=round(lag, 1),
                mode=self._load.mode,
                dropped=self._dropped,
                cpu=self._load.share(known),
            )
        ]
