"""The types of all events of a call, with the units of each field. Read this module first.

Times are seconds from the beginning of the call; no field holds a wall-clock time. ``at``, ``start`` and
``end`` say when something happened in the audio; ``detected_at`` is the earliest time at which the core
could detect it (the end of the last 20 ms frame it needed). The difference is the detection delay.

``name`` is the event's type on the wire, without the prefix ``monitor.``.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

# Re-exported, so that there is one module to import from.
# isort: off
from monitor.inputs import CHANNELS as CHANNELS, FRAME_SECONDS as FRAME_SECONDS, Channel as Channel
from monitor.inputs import Command as Command, Word as Word, other as other
from monitor.inputs import CallControl as CallControl, CallControlAnswer as CallControlAnswer
from monitor.inputs import RecognitionRequest as RecognitionRequest, RecognitionResult as RecognitionResult
from monitor.inputs import Audience as Audience, Band as Band, Comparison as Comparison, Level as Level
from monitor.inputs import LEVELS as LEVELS, OverlapKind as OverlapKind, QualityKind as QualityKind
from monitor.inputs import EvidenceItem as EvidenceItem, quality_text as quality_text, severity as severity
# isort: on


@dataclass(frozen=True, slots=True)
class Block:
    """Time-aligned audio samples of both channels, at the call's sample rate.

    ``pcm`` is float32 [2, n] in the order of ``CHANNELS``, full scale 1.0; ``start`` is the index of its
    first sample in the call. ``gaps`` are stretches that were lost and filled with zeros; ``notices`` are
    sentences about problems of the source during this block.
    """

    start: int
    pcm: NDArray[np.float32]
    gaps: tuple["Gap", ...] = ()
    notices: tuple[str, ...] = ()


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all events. ``detected_at`` is the earliest time of detection, in call seconds."""

    name: ClassVar[str] = ""
    detected_at: float = 0.0


class CallStarted(Event, frozen=True, kw_only=True):
    """The first event of a call. ``rate`` in Hz; ``rules_hash`` identifies the active rules."""

    name: ClassVar[str] = "call.started"
    call: str
    sources: tuple[str, ...]
    rate: int
    band: Band
    model: str
    rules_hash: str
    profile: str
    agent: str | None = None
    team: str | None = None
    notice: str | None = None
    meta: dict[str, Any] = {}


class SpeechStarted(Event, frozen=True, kw_only=True):
    """A speech segment of one channel began at ``at``."""

    name: ClassVar[str] = "speech.started"
    channel: Channel
    at: float


class SpeechEnded(Event, frozen=True, kw_only=True):
    """A speech segment of one channel ended (gaps below 0.3 s are bridged)."""

    name: ClassVar[str] = "speech.ended"
    channel: Channel
    start: float
    end: float


class Prosody(Event, frozen=True, kw_only=True):
    """Prosody of one channel, ten times a second while it speaks.

    ``effort`` is the speaker-relative vocal effort score of ``audio/prosody.py`` (about 0 is normal for
    this speaker, 1.0 and more is raised); null until the baseline is established. ``voiced`` is the share
    (0 to 1) of the last 0.1 s that was voiced. ``pitch_st``, ``level_db`` and ``tilt_db`` are differences
    from the speaker's running baseline (semitones, dB, dB). ``alpha_db`` is the alpha ratio, ``rate_sps``
    the speech rate in syllables per second over the last seconds of speech.
    """

    name: ClassVar[str] = "prosody"
    channel: Channel
    at: float
    level_dbfs: float
    f0_hz: float | None = None
    alpha_db: float | None = None
    effort: float | None = None
    rate_sps: float | None = None
    voiced: float = 0.0
    pitch_st: float | None = None
    level_db: float | None = None
    tilt_db: float | None = None


class Floor(Event, frozen=True, kw_only=True):
    """The floor changed. ``holder`` is null when nobody has it, after 3 s of mutual silence."""

    name: ClassVar[str] = "floor"
    at: float
    holder: Channel | None
    previous: Channel | None


class Silence(Event, frozen=True, kw_only=True):
    """Both sides were silent from ``start`` to ``end`` (at least 3 s); sent when one of them speaks again.

    Silence before the first or after the last speech of a call is not reported. The rules decide whether
    a silence was too long.
    """

    name: ClassVar[str] = "silence"
    start: float
    end: float


class OverlapStarted(Event, frozen=True, kw_only=True):
    """Both sides have spoken at once for 0.2 s; an early hint for displays, sent before the kind is known."""

    name: ClassVar[str] = "overlap.started"
    start: float
    at: float
    by: Channel


class Overlap(Event, frozen=True, kw_only=True):
    """A finished overlap episode and its kind; ``by`` is the side that began to speak second.

    ``seconds`` is how long both sides were speaking at once between ``start`` and ``end``.
    """

    name: ClassVar[str] = "overlap"
    start: float
    end: float
    by: Channel
    kind: OverlapKind
    seconds: float = 0.0


class Interruption(Event, frozen=True, kw_only=True):
    """``by`` took the floor from ``of``, who was speaking; sent as soon as it is certain."""

    name: ClassVar[str] = "interruption"
    start: float
    at: float
    by: Channel
    of: Channel


class TalkOver(Event, frozen=True, kw_only=True):
    """``by`` keeps talking over ``of``, who does not yield; sent as soon as it is certain."""

    name: ClassVar[str] = "talk_over"
    start: float
    at: float
    by: Channel
    of: Channel


class Utterance(Event, frozen=True, kw_only=True):
    """The recognised words of one utterance; a later ``revision`` replaces an earlier one."""

    name: ClassVar[str] = "utterance"
    channel: Channel
    utterance: int
    revision: int
    start: float
    end: float
    text: str
    words: tuple[Word, ...]
    final: bool


class Phrase(Event, frozen=True, kw_only=True):
    """A phrase of class ``of`` was found (a class of the lexicon, or one of ``dialogue.tracker.KINDS``).

    ``certain`` is false for an approximate match. ``text`` are its words, null if it was inferred from
    several utterances. If a revision of ``utterance`` no longer contains it, the same event is sent again
    with ``withdrawn``.
    """

    name: ClassVar[str] = "phrase"
    channel: Channel
    start: float
    end: float
    of: str
    text: str | None = None
    utterance: int | None = None
    certain: bool = True
    withdrawn: bool = False


class RaisedVoice(Event, frozen=True, kw_only=True):
    """A voice is raised from ``start`` on; sent again with ``end`` when it is no longer raised.

    Raised means an effort score (``audio/prosody.py``) of at least 1.0 for 0.8 s of voiced speech.
    """

    name: ClassVar[str] = "raised_voice"
    channel: Channel
    start: float
    end: float | None = None


class Hold(Event, frozen=True, kw_only=True):
    """The caller is on hold from ``start`` on; sent again with ``end`` when the hold is over.

    Detected from the softphone's signal, or from the agent's announcement and the silence after it.
    """

    name: ClassVar[str] = "hold"
    channel: Channel = "caller"
    start: float
    end: float | None = None


class DeadAir(Event, frozen=True, kw_only=True):
    """Nobody has spoken for 8 s outside a hold; ``start`` is when speech stopped. Sent again with ``end``."""

    name: ClassVar[str] = "dead_air"
    channel: Channel | None = None
    start: float
    end: float | None = None


class Expectation(Event, frozen=True, kw_only=True):
    """The outcome of an expectation of ``rule``: after a cue, a response was due by ``deadline``.

    ``of`` is the phrase class (or kind of moment) of the cue, from ``start`` to ``end``; ``text`` are its
    words. ``expected`` are the accepted classes of responses, ``answers`` the responses found before the
    deadline. ``broken``: there was none; ``unheard``: the channel on which it was due carried no signal;
    ``open``: the call ended before the deadline. ``score`` names the score that the outcome counts towards.
    """

    name: ClassVar[str] = "expectation"
    rule: str
    outcome: Literal["kept", "broken", "unheard", "open"]
    channel: Channel | None
    start: float
    end: float
    of: str
    text: str | None = None
    deadline: float
    expected: tuple[str, ...] = ()
    answers: tuple[EvidenceItem, ...] = ()
    score: str | None = None


class Quality(Event, frozen=True, kw_only=True):
    """The audio is unreliable from ``start`` on; sent again with ``end`` when the problem is over.

    ``say`` is a sentence for people. If the finding rests on several observations, ``evidence`` lists them,
    and ``say`` gives the reasons and what to do.
    """

    name: ClassVar[str] = "quality"
    kind: QualityKind
    channel: Channel | None
    start: float
    end: float | None = None
    say: str
    evidence: tuple[EvidenceItem, ...] = ()

    @classmethod
    def of(
        cls,
        kind: QualityKind,
        channel: Channel | None,
        start: float,
        *,
        end: float | None = None,
        detected_at: float = 0.0,
    ) -> "Quality":
        """Builds the event with the standard sentence of its kind."""
        text = quality_text(kind, channel, over=end is not None)
        say = f"{text[0].upper()}{text[1:]}."
        return cls(kind=kind, channel=channel, start=start, end=end, detected_at=detected_at, say=say)


class Gap(Event, frozen=True, kw_only=True):
    """Audio that was lost; it is replaced by zeros."""

    name: ClassVar[str] = "gap"
    channel: Channel
    at: float
    seconds: float


class Status(Event, frozen=True, kw_only=True):
    """Processing load. ``mode`` is the recogniser's step, from ``full`` to ``finals_only``, or ``off``."""

    name: ClassVar[str] = "status"
    at: float
    lag_s: float
    mode: str
    dropped: int = 0
    cpu: float | None = None
    notice: str | None = None


class CommandApplied(Event, frozen=True, kw_only=True):
    """The core applied an order of a person (acknowledge, snooze, wrong, message, hold, resume)."""

    name: ClassVar[str] = "told"
    at: float
    kind: str
    alert: str | None = None
    seconds: float | None = None
    text: str | None = None
    by: str | None = None


class AlertEvent(Event, frozen=True, kw_only=True):
    """An alert with its explanation; base of the opened, updated and closed events.

    Text: ``title`` is the rule's name, ``message`` the text to the agent, ``summary`` one sentence on what
    happened, ``rationale`` the advice behind the rule, ``clears_when`` a clause on what ends the alert;
    ``praise`` marks an alert about something that went well.

    Measurement: ``measured`` is the value of ``measure`` (``expectation`` or ``absence`` for words that were
    not said), ``threshold`` and ``comparison`` the condition that it met, ``baseline`` the speaker's normal
    value where the measure has one, all in ``unit``. ``evidence`` lists words (``text``) and other
    observations (``kind``) by time.

    ``alert`` is its id in the call. ``to`` lists who may see it; ``card`` says whether it is to be shown to
    the agent as a card now (if fatigue control holds it back, ``withheld`` gives the reason). ``private``
    alerts are never stored, and are sent to nobody but the agent.
    """

    alert: str
    rule: str
    rule_hash: str
    level: Level
    praise: bool = False
    channel: Channel | None
    start: float
    at: float
    title: str
    message: str
    summary: str
    rationale: str
    clears_when: str
    measure: str
    measured: float | None = None
    threshold: float | None = None
    comparison: Comparison | None = None
    unit: str | None = None
    baseline: float | None = None
    evidence: tuple[EvidenceItem, ...] = ()
    to: tuple[Audience, ...]
    card: bool = True
    withheld: str | None = None
    private: bool = False


class AlertOpened(AlertEvent, frozen=True, kw_only=True):
    """The condition of a rule became true."""

    name: ClassVar[str] = "alert.opened"


class AlertUpdated(AlertEvent, frozen=True, kw_only=True):
    """An open alert has a new value or level, or its card is shown now."""

    name: ClassVar[str] = "alert.updated"


class AlertClosed(AlertEvent, frozen=True, kw_only=True):
    """The alert is over; ``reason``: cleared, expired, acknowledged, wrong or call ended."""

    name: ClassVar[str] = "alert.closed"
    reason: str


class Difficulty(Event, frozen=True, kw_only=True):
    """The running difficulty of the call, 0 to 100, with its parts; ``verdict`` after the first minute."""

    name: ClassVar[str] = "difficulty"
    at: float
    score: float
    parts: dict[str, float]
    verdict: Literal["ordinary", "difficult", "very difficult"] | None = None


class Note(Event, frozen=True, kw_only=True):
    """Something worth noting (a date, an amount, a promise), for the side panel; not an alert."""

    name: ClassVar[str] = "note"
    at: float
    channel: Channel
    kind: str
    text: str


class CallEnded(Event, frozen=True, kw_only=True):
    """The last event of a call, with its totals; ``talk``, ``overlap`` and ``silence`` in seconds."""

    name: ClassVar[str] = "call.ended"
    seconds: float
    talk: dict[str, float]
    overlap: float
    silence: float
    interruptions: dict[str, int]
    alerts: dict[str, int]
    wall_seconds: float | None = None
    heard_to: float | None = None
    notice: str | None = None
    scores: dict[str, float] = {}


class OpenCall(msgspec.Struct, frozen=True, kw_only=True):
    """The current state of one open call, for a listener that has just connected.

    ``seconds`` is the length of the call so far, ``talk`` the speech of each side in seconds. ``messages``
    are the most recent messages of supervisors to the agent, which the listener may have missed.
    """

    call: str
    agent: str | None
    team: str | None
    seconds: float
    started: CallStarted | None = None
    difficulty: Difficulty | None = None
    talk: dict[Channel, float] = {}
    alerts: tuple[AlertOpened, ...] = ()
    messages: tuple[CommandApplied, ...] = ()


class Snapshot(Event, frozen=True, kw_only=True):
    """The first message to a listener: all open calls. The events after ``sequence`` follow.

    ``log`` identifies the hub's log; a sequence is valid in that log only. ``notice`` says why a listener
    that asked to resume from a sequence cannot.
    """

    name: ClassVar[str] = "snapshot"
    sequence: int
    log: str = ""
    calls: tuple[OpenCall, ...]
    notice: str | None = None


class Dropped(Event, frozen=True, kw_only=True):
    """``lines`` ephemeral events were dropped because the listener is too slow."""

    name: ClassVar[str] = "dropped"
    lines: int


class Refused(Event, frozen=True, kw_only=True):
    """The hub rejected a client's message; ``reason`` is one sentence."""

    name: ClassVar[str] = "refused"
    reason: str


class CallControlReply(Event, frozen=True, kw_only=True):
    """The answer of the agent's monitor to a softphone's request."""

    name: ClassVar[str] = "hooked"
    done: bool
    say: str
    call: str | None = None


DERIVED = (AlertEvent, Difficulty, Note, Phrase, RaisedVoice, Hold, DeadAir, Expectation)
"""Events that the judge derives from facts. Rejudging a journal drops them and derives them again."""


def is_stretch(kind: type[Event]) -> bool:
    """Whether events of this class describe a time interval of a channel (or of both)."""
    return {"channel", "start", "end"} <= set(kind.__struct_fields__)


def _named(kind: type[Event]) -> dict[str, type[Event]]:
    """The subclasses of ``kind`` (and itself) that have a ``name``, in the order of this file."""
    found = {kind.name: kind} if kind.name else {}
    for one in kind.__subclasses__():
        found |= _named(one)
    return found


EVENTS: dict[str, type[Event]] = _named(Event)
"""Every event class by its name on the wire; new subclasses are found automatically."""
