"""The core: one call, wired. Blocks and answers go in, events come out. Read this second.

No clock, thread, socket, file or microphone is known here. "Now" is the end of the last whole 20 ms
frame. The audio and speech rooms turn sound into facts; the judge turns facts into alerts:

    framer -> gate -> quality -> overlap -> prosody -> transcriber   facts
                                                       judge         alerts

Each fact carries ``known``, the moment it could first be said. A long block is judged in the order of
``known``, so cutting the audio differently changes nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import msgspec

from monitor.audio.frames import FrameBlock, Framer, seconds
from monitor.audio.overlap import OverlapTracker, SilenceDetector
from monitor.audio.prosody import ProsodyAnalyser as ProsodyStage
from monitor.audio.quality import QualityMonitor
from monitor.audio.vad import VoiceActivityDetector
from monitor.config import CallSettings
from monitor.dialogue.roles import SideExchangeDetector
from monitor.events import (
    AlertEvent,
    Block,
    CallEnded,
    CallStarted,
    Channel,
    Command,
    CommandApplied,
    Difficulty,
    Event,
    Gap,
    Note,
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
    """What is known of a call before it begins; it becomes ``call.started``."""

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
    """The side that this recording does not hold."""


class Call:
    """One call under way. Feed it, and pass on what it says."""

    def __init__(self, info: CallInfo, book: RuleSet, settings: CallSettings | None = None) -> None:
        settings = settings or CallSettings()
        words = info.model != "none"
        self.info = info
        self._book = book
        self._framer = Framer(info.rate)
        self._vad = VoiceActivityDetector(info.rate, settings.vad)
        self._quality = QualityMonitor(info.rate, settings.quality)
        self._sides = SideExchangeDetector(outgoing=(info.meta or {}).get("direction") in META_ALIASES["out"])
        self._overlap = OverlapTracker(settings.overlap)
        self._silences = SilenceDetector(settings.overlap)
        self._prosody = ProsodyStage(info.rate, settings.prosody)
        self._transcriber = Transcriber(info.rate, settings.speech, words=words)
        self._judge = Judge(book, settings.rules, meta=info.meta, words=words)
        self._frames = 0
        self._begun = self._hung_up = self._ended = False

    @property
    def now(self) -> float:
        """Seconds of the call heard so far."""
        return seconds(self._frames)

    @property
    def ended(self) -> bool:
        """Whether ``call.ended`` has been said."""
        return self._ended

    def process(self, block: Block) -> list[Event]:
        """Both sides went on by ``block``, of any length; what can be said now."""
        frames = self._framer.feed(block)
        out = self._begin()
        facts: list[Event] = [self._placed(gap) for gap in block.gaps]
        facts += self._listen(frames)
        facts += [self._transcriber.standing(self.now, notice) for notice in block.notices]
        return out + self._judged(facts)

    def requests(self) -> list[RecognitionRequest]:
        """What the recogniser is asked next; each request is handed out once."""
        return self._transcriber.requests()

    def add_result(self, result: RecognitionResult) -> list[Event]:
        """An answer of the recogniser."""
        facts = self._transcriber.add_result(result, self.now)
        said = [fact for fact in facts if isinstance(fact, Utterance)]
        facts += [trouble for one in said for trouble in self._sides.hear(one)]
        return self._judged(facts) + self._end_if_done()

    def apply(self, command: Command) -> list[Event]:
        """A person asked for something (acknowledge, snooze, message...)."""
        return self._judge.order(command, self.now)

    def finish(self) -> list[Event]:
        """The call is over: every stage flushes its tail.

        The last event, ``call.ended``, comes here, or with the last answer of the recogniser where
        questions are still open (``requests`` may return new ones now).
        """
        if self._hung_up:
            return []
        self._hung_up = True
        out = self._begin()
        facts = self._listen(self._framer.finish())
        facts += self._vad.finish()
        facts += self._quality.finish()
        facts += self._sides.finish(self.now)
        facts += self._overlap.finish(self._frames)
        facts += self._prosody.finish()
        facts += self._transcriber.finish()
        return out + self._judged(facts) + self._end_if_done()

    def abort(self) -> list[Event]:
        """End now, without the answers that are still missing (the recogniser died, or was too slow)."""
        out = self.finish()
        return out if self._ended else out + self._end()

    # --- inside ---

    def _begin(self) -> list[Event]:
        if self._begun:
            return []
        self._begun = True
        info = self.info
        started = CallStarted(
            call=info.call,
            sources=info.sources,
            rate=info.rate,
            band="narrow" if info.band == "narrow" else "wide",
            model=info.model,
            rules_hash=self._book.hash,
            profile=self._book.profile,
            agent=info.agent,
            team=info.team,
            notice=" ".join(filter(None, (info.notice, self._off()))) or None,
            meta=dict(info.meta or {}),
        )
        facts: list[Event] = [started]
        if info.notice:
            facts.append(self._transcriber.standing(0.0, info.notice))
        if info.missing_channel:
            facts.append(self._quality.report_missing(info.missing_channel))
        return [event for fact in facts for event in (fact, *self._judge.take(fact))]

    def _listen(self, block: FrameBlock) -> list[Event]:
        """One run of frames through the rooms, in order."""
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

    def _judged(self, facts: Iterable[Event]) -> list[Event]:
        out: list[Event] = []
        for fact in sorted(facts, key=_detected_at):
            out += self._judge.advance(fact.detected_at)
            out.append(self._shown(fact))
            out += self._judge.take(fact)
        return out + self._judge.advance(self.now)

    def _shown(self, fact: Event) -> Event:
        """What others get of a fact: some profiles keep the effort of the agent's voice to the judge."""
        if self._book.hide_agent_effort and isinstance(fact, Prosody) and fact.channel == "agent":
            return msgspec.structs.replace(fact, effort=None, pitch_st=None, level_db=None, tilt_db=None)
        return fact

    def _off(self) -> str | None:
        """What the first event says of rules that cannot work in this call."""
        off = sum(one.reason == NEEDS_WORDS for one in self._judge.off)
        return f"{off} rules that need words are off: there is no recogniser." if off else None

    def _placed(self, gap: Gap) -> Gap:
        """A gap is known once its last sample has passed."""
        return msgspec.structs.replace(gap, detected_at=min(round(gap.at + gap.seconds, 3), self._heard_to))

    @property
    def _heard_to(self) -> float:
        return round(self._framer.received / self._framer.rate, 3)

    def _end_if_done(self) -> list[Event]:
        return self._end() if self._hung_up and not self._ended and not self._transcriber.waiting else []

    def _end(self) -> list[Event]:
        self._ended = True
        out = self._judge.hang_up(self.now)
        totals = self._judge.totals
        return [*out, CallEnded(detected_at=self.now, seconds=self._heard_to, **totals)]


def rejudge(
    events: Sequence[Event], book: RuleSet, settings: CallSettings | None = None
) -> Iterator[list[Event]]:
    """Judges a journal's facts again: the same rules say the same alerts, other rules say theirs.

    ``events`` begin with ``call.started``; alerts, notes and sums among them are left out and made anew.
    """
    settings = settings or CallSettings()
    started = events[0]
    if not isinstance(started, CallStarted):
        raise TypeError("a journal begins with call.started")
    words = started.model != "none"
    started = msgspec.structs.replace(started, rules_hash=book.hash, profile=book.profile)
    judge = Judge(book, settings.rules, meta=started.meta, words=words)
    yield [started, *judge.take(started)]
    ended: CallEnded | None = None
    for event in events[1:]:
        if isinstance(event, CallEnded):
            ended = event
        if isinstance(event, AlertEvent | Difficulty | Note | CallEnded):
            continue
        out = judge.advance(event.detected_at)
        if isinstance(event, CommandApplied):
            yield out + judge.order(_as_order(event), event.detected_at)
        else:
            yield [*out, event, *judge.take(event)]
    end = ended.detected_at if ended else max(event.detected_at for event in events)
    out = [*judge.advance(end), *judge.hang_up(end)]
    yield [*out, CallEnded(detected_at=end, seconds=ended.seconds if ended else end, **judge.totals)]


def _as_order(told: CommandApplied) -> Command:
    fields = {name: getattr(told, name) for name in Command.__struct_fields__}
    return msgspec.convert(fields, Command)
