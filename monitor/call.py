"""The core of one call: audio blocks and recognition results in, events out. Read this second.

It performs no I/O and knows no clock, thread, socket, file or microphone. "Now" is the end of the last whole
20 ms frame. The audio and speech rooms turn audio into facts, and the judge turns facts into alerts:

    framer -> voice activity -> quality -> overlap -> prosody -> transcriber   facts
                                                           judge              alerts

Each fact carries ``detected_at``, the time at which it could first be known. The facts of a long block are
judged in that order, so that cutting the audio differently changes nothing. Feed a call like this:

    events = call.process(block)                      # for each block of audio
    for request in call.requests():                   # what the recogniser should decode now
        events += call.add_result(recognise(request))
    events += call.finish()                           # at the end of the call; then requests() once more
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import msgspec

from monitor.audio.frames import FrameBlock, Framer, seconds
from monitor.audio.overlap import OverlapTracker, SilenceDetector
from monitor.audio.prosody import ProsodyAnalyser
from monitor.audio.quality import QualityMonitor
from monitor.audio.vad import VoiceActivityDetector
from monitor.config import CallSettings
from monitor.dialogue.roles import SideExchangeDetector
from monitor.events import (
    DERIVED,
    Block,
    CallEnded,
    CallStarted,
    Channel,
    Command,
    CommandApplied,
    Event,
    Gap,
    Prosody,
    RecognitionRequest,
    RecognitionResult,
    Utterance,
)
from monitor.judge.binding import META_ALIASES
from monitor.judge.judge import NEEDS_WORDS, Judge
from monitor.rules.rule_set import RuleSet
from monitor.speech.transcriber import Transcriber

_detected_at = attrgetter("detected_at")


@dataclass(frozen=True, slots=True)
class CallInfo:
    """What is known of a call before it starts; it becomes ``call.started``.

    ``call`` is the call's id, ``sources`` name its recordings or devices, ``rate`` is 8000 or 16000 Hz,
    ``band`` is "narrow" (telephone) or "wide", ``model`` is the recogniser's name, or "none".
    """

    call: str
    sources: tuple[str, ...]
    rate: int
    band: str
    model: str
    agent: str | None = None
    team: str | None = None
    notice: str | None = None
    meta: dict[str, Any] | None = None
    missing_channel: Channel | None = None
    """The side that this recording does not contain."""


class Call:
    """One call in progress.

    ``info`` describes it, ``rules`` judge it. Raises ``BadInput`` where the settings cannot be used.
    """

    def __init__(self, info: CallInfo, rules: RuleSet, settings: CallSettings | None = None) -> None:
        settings = settings or CallSettings()
        words = info.model != "none"
        self.info = info
        self._rules = rules
        self._framer = Framer(info.rate)
        self._vad = VoiceActivityDetector(info.rate, settings.vad)
        self._quality = QualityMonitor(info.rate, settings.quality)
        self._sides = SideExchangeDetector(outgoing=(info.meta or {}).get("direction") in META_ALIASES["out"])
        self._overlap = OverlapTracker(settings.overlap)
        self._silences = SilenceDetector(settings.overlap)
        self._prosody = ProsodyAnalyser(info.rate, settings.prosody)
        self._transcriber = Transcriber(info.rate, settings.speech, words=words)
        self._judge = Judge(rules, settings.rules, meta=info.meta, words=words)
        self._frames = 0
        self._started = self._finished = self._ended = False

    @property
    def now(self) -> float:
        """Seconds of the call that have been processed."""
        return seconds(self._frames)

    @property
    def ended(self) -> bool:
        """Whether ``call.ended`` has been returned."""
        return self._ended

    def process(self, block: Block) -> list[Event]:
        """Processes the next block of both sides, of any length; returns the events that are known now."""
        frames = self._framer.feed(block)
        out = self._start()
        facts: list[Event] = [self._with_detection_time(gap) for gap in block.gaps]
        facts += self._analyse(frames)
        facts += [self._transcriber.status(self.now, notice) for notice in block.notices]
        return out + self._judge_facts(facts)

    def requests(self) -> list[RecognitionRequest]:
        """Returns what the recogniser should decode next; each request is returned once."""
        return self._transcriber.requests()

    def add_result(self, result: RecognitionResult) -> list[Event]:
        """Takes a result of the recogniser and returns the events that it causes.

        A result whose request is unknown, or was answered already, is ignored.
        """
        facts = self._transcriber.add_result(result, self.now)
        said = [fact for fact in facts if isinstance(fact, Utterance)]
        facts += [trouble for one in said for trouble in self._sides.hear(one)]
        return self._judge_facts(facts) + self._end_if_done()

    def apply(self, command: Command) -> list[Event]:
        """Applies a person's command (acknowledge, snooze, message, ...); returns the events of it."""
        return self._judge.order(command, self.now)

    def finish(self) -> list[Event]:
        """Ends the audio of the call: every stage processes what it still holds.

        ``call.ended`` is the last event. It comes from this method, or with the last result of the recogniser
        where requests are still open (``requests`` may return new ones now). Further calls of this method
        return nothing.
        """
        if self._finished:
            return []
        self._finished = True
        out = self._start()
        facts = self._analyse(self._framer.finish())
        facts += self._vad.finish()
        facts += self._quality.finish()
        facts += self._sides.finish(self.now)
        facts += self._overlap.finish(self._frames)
        facts += self._prosody.finish()
        facts += self._transcriber.finish()
        return out + self._judge_facts(facts) + self._end_if_done()

    def abort(self) -> list[Event]:
        """Ends the call at once, without the results that are still missing."""
        out = self.finish()
        return out if self._ended else out + self._end()

    def _start(self) -> list[Event]:
        if self._started:
            return []
        self._started = True
        info = self.info
        started = CallStarted(
            call=info.call,
            sources=info.sources,
            rate=info.rate,
            band="narrow" if info.band == "narrow" else "wide",
            model=info.model,
            rules_hash=self._rules.hash,
            profile=self._rules.profile,
            agent=info.agent,
            team=info.team,
            notice=" ".join(filter(None, (info.notice, self._rules_off()))) or None,
            meta=dict(info.meta or {}),
        )
        facts: list[Event] = [started]
        if info.notice:
            facts.append(self._transcriber.status(0.0, info.notice))
        if info.missing_channel:
            facts.append(self._quality.report_missing(info.missing_channel))
        return [event for fact in facts for event in (fact, *self._judge.take(fact))]

    def _analyse(self, block: FrameBlock) -> list[Event]:
        """Passes one block of frames through the audio and speech stages, in order."""
        if not block.frames:
            return []
        self._frames = block.first + block.frames
        activity = self._vad.feed(block)
        cleaned = self._quality.feed(block, activity.active)
        return [
            *activity.events,
            *cleaned.events,
            *(self._sides.narrow(*cleaned.telephone_side) if cleaned.telephone_side else ()),
            *self._overlap.feed(block.first, cleaned.active, cleaned.suppressed),
            *self._silences.feed(block.first, cleaned.active),
            *self._prosody.feed(block, cleaned.active),
            *self._transcriber.feed(block, cleaned.active),
        ]

    def _judge_facts(self, facts: Iterable[Event]) -> list[Event]:
        out: list[Event] = []
        for fact in sorted(facts, key=_detected_at):
            out += self._judge.advance(fact.detected_at)
            out.append(self._published(fact))
            out += self._judge.take(fact)
        return out + self._judge.advance(self.now)

    def _published(self, fact: Event) -> Event:
        """What others get of a fact: some profiles show the effort of the agent's voice to the judge only."""
        if self._rules.hide_agent_effort and isinstance(fact, Prosody) and fact.channel == "agent":
            return msgspec.structs.replace(fact, effort=None, pitch_st=None, level_db=None, tilt_db=None)
        return fact

    def _rules_off(self) -> str | None:
        """The part of the first event's notice about rules that cannot work in this call."""
        off = sum(one.reason == NEEDS_WORDS for one in self._judge.off)
        return f"{off} rules that need words are disabled: there is no speech recognition." if off else None

    def _with_detection_time(self, gap: Gap) -> Gap:
        """A gap is known once its last sample has passed."""
        return msgspec.structs.replace(
            gap, detected_at=min(round(gap.at + gap.seconds, 3), self._received_seconds)
        )

    @property
    def _received_seconds(self) -> float:
        return round(self._framer.received / self._framer.rate, 3)

    def _end_if_done(self) -> list[Event]:
        return self._end() if self._finished and not self._ended and not self._transcriber.waiting else []

    def _end(self) -> list[Event]:
        self._ended = True
        out = self._judge.hang_up(self.now)
        totals = self._judge.totals
        return [*out, CallEnded(detected_at=self.now, seconds=self._received_seconds, **totals)]


def rejudge(
    events: Sequence[Event], rules: RuleSet, settings: CallSettings | None = None
) -> Iterator[list[Event]]:
    """Judges the facts of a journal again; yields lists of events.

    The same rules give the same alerts, other rules give theirs. ``events`` start with ``call.started``;
    alerts, notes and totals among them are dropped and made anew. Raises ``TypeError`` where they do not
    start with it.
    """
    settings = settings or CallSettings()
    started = events[0]
    if not isinstance(started, CallStarted):
        raise TypeError("a journal begins with call.started")
    words = started.model != "none"
    started = msgspec.structs.replace(started, rules_hash=rules.hash, profile=rules.profile)
    judge = Judge(rules, settings.rules, meta=started.meta, words=words)
    yield [started, *judge.take(started)]
    ended: CallEnded | None = None
    for event in events[1:]:
        if isinstance(event, CallEnded):
            ended = event
        if isinstance(event, (*DERIVED, CallEnded)):
            continue
        out = judge.advance(event.detected_at)
        if isinstance(event, CommandApplied):
            yield out + judge.order(_as_command(event), event.detected_at)
        else:
            yield [*out, event, *judge.take(event)]
    end = ended.detected_at if ended else max(event.detected_at for event in events)
    out = [*judge.advance(end), *judge.hang_up(end)]
    yield [*out, CallEnded(detected_at=end, seconds=ended.seconds if ended else end, **judge.totals)]


def _as_command(applied: CommandApplied) -> Command:
    fields = {name: getattr(applied, name) for name in Command.__struct_fields__}
    return msgspec.convert(fields, Command)
