"""The nouns: everything that moves through a call, with the units of each field. Read this first.

Times are seconds of the call. ``at``, ``start`` and ``end`` say when something was true of the sound;
``detected_at`` says when the core could first tell (the end of the last 20 ms frame it needed). The
difference is the detector's delay. Nothing here knows a wall clock.

Each event has the name it bears on the wire (``monitor.`` goes before it there).
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

# Named again here, so that there is one place to import from.
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
    """A run of audio of both sides, aligned, at the call's rate.

    ``pcm`` is float32 [2, n] in the order of ``CHANNELS``, full scale 1.0; ``start`` is the sample
    number of its first column. ``gaps`` are stretches that never arrived and were filled with zeros;
    ``notices`` say in a sentence each what happened to the source meanwhile.
    """

    start: int
    pcm: NDArray[np.float32]
    gaps: tuple["Gap", ...] = ()
    notices: tuple[str, ...] = ()


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Anything the monitor says. ``detected_at`` is when it could first be said, in call seconds."""

    name: ClassVar[str] = ""
    detected_at: float = 0.0


class CallStarted(Event, frozen=True, kw_only=True):
    """The first event of a call. ``rules_hash`` names the rules in force, ``meta`` what the dialler knew."""

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
    """A side began to speak at ``at``."""

    name: ClassVar[str] = "speech.started"
    channel: Channel
    at: float


class SpeechEnded(Event, frozen=True, kw_only=True):
    """A side's stretch of speech is over (gaps below 0.3 s are bridged)."""

    name: ClassVar[str] = "speech.ended"
    channel: Channel
    start: float
    end: float


class Prosody(Event, frozen=True, kw_only=True):
    """How a side sounds just now, ten times a second while it speaks.

    ``effort`` is the speaker-relative score of ``audio/prosody.py`` (about 0 is this speaker's normal,
    1.0 and more is raised); null until the baseline is warm. ``voiced`` is the share (0 to 1) of the
    last 0.1 s that was voiced. ``pitch_st``, ``level_db`` and ``tilt_db`` are shifts against the
    speaker's own running baseline (semitones, dB, dB). ``rate_sps`` is syllables per second over the
    last seconds of speech.
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
    """The floor passed: who may be said to have the turn (null: nobody, after 3 s of mutual silence)."""

    name: ClassVar[str] = "floor"
    at: float
    holder: Channel | None
    previous: Channel | None


class Silence(Event, frozen=True, kw_only=True):
    """Nobody spoke from ``start`` to ``end``, for 3 s and longer; told when somebody speaks again.

    It happens between words: not before the first of a call, nor after the last. The ``floor`` is nobody's
    3 s after ``start``; whether it was too long is for the rules to say.
    """

    name: ClassVar[str] = "silence"
    start: float
    end: float


class OverlapStarted(Event, frozen=True, kw_only=True):
    """A hint for the screen: both sides have spoken at once for 0.2 s."""

    name: ClassVar[str] = "overlap.started"
    start: float
    at: float
    by: Channel


class Overlap(Event, frozen=True, kw_only=True):
    """An overlap that closed, with what it was; ``by`` is who came second.

    ``seconds`` is how long both really spoke at once between ``start`` and ``end``.
    """

    name: ClassVar[str] = "overlap"
    start: float
    end: float
    by: Channel
    kind: OverlapKind
    seconds: float = 0.0


class Interruption(Event, frozen=True, kw_only=True):
    """``by`` took the floor from ``of`` who was speaking; said as soon as it is sure."""

    name: ClassVar[str] = "interruption"
    start: float
    at: float
    by: Channel
    of: Channel


class TalkOver(Event, frozen=True, kw_only=True):
    """``by`` keeps talking over ``of``, who does not yield; said as soon as it is sure."""

    name: ClassVar[str] = "talk_over"
    start: float
    at: float
    by: Channel
    of: Channel


class Utterance(Event, frozen=True, kw_only=True):
    """What a side said, as far as it is known; a later ``revision`` replaces an earlier one."""

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
    """A side said a phrase of class ``of`` (of the lexicon, or of ``dialogue.tracker.KINDS``).

    ``certain`` is false where it was perhaps said. ``text`` are its words, null where several utterances
    together tell it. Where a revision of ``utterance`` shows that it was not said after all, the same event
    comes again with ``withdrawn``.
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
    """A side's voice is raised from ``start`` on; said again with ``end`` when it has come down.

    Raised is an effort score (``audio/prosody.py``) of 1.0 and more, held for 0.8 s of voiced speech.
    """

    name: ClassVar[str] = "raised_voice"
    channel: Channel
    start: float
    end: float | None = None


class Hold(Event, frozen=True, kw_only=True):
    """The caller is on hold from ``start`` on; said again with ``end`` when somebody speaks to them again.

    The softphone says so, or the agent's words and the silence that follows them.
    """

    name: ClassVar[str] = "hold"
    channel: Channel = "caller"
    start: float
    end: float | None = None


class DeadAir(Event, frozen=True, kw_only=True):
    """Nobody has spoken for 8 s, since ``start``, and it is no hold; said again with ``end`` when over."""

    name: ClassVar[str] = "dead_air"
    channel: Channel | None = None
    start: float
    end: float | None = None


class Expectation(Event, frozen=True, kw_only=True):
    """A contract of ``rule`` was judged: something happened after which something was to be said in time.

    ``of`` is the class of the phrase (or the kind of moment) that called for it, from ``start`` to ``end``;
    ``text`` are its words. ``expected`` are the classes of phrases that would do, ``answers`` those that
    came by ``deadline``. ``broken``: none came; ``unheard``: the channel on which they were to come was
    dead; ``open``: the call ended before the deadline. ``score`` names the score to which it counts.
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
    """The sound itself is not to be trusted from ``start`` on; said again with ``end`` when it is over.

    ``say`` tells people what is wrong. Where it rests on several observations, ``evidence`` names them, and
    ``say`` gives the reasons and what to do.
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
        """The event with the usual sentence for its kind."""
        text = quality_text(kind, channel, over=end is not None)
        say = f"{text[0].upper()}{text[1:]}."
        return cls(kind=kind, channel=channel, start=start, end=end, detected_at=detected_at, say=say)


class Gap(Event, frozen=True, kw_only=True):
    """Sound that never arrived; zeros stand in its place."""

    name: ClassVar[str] = "gap"
    channel: Channel
    at: float
    seconds: float


class Status(Event, frozen=True, kw_only=True):
    """How the machine keeps up. ``mode`` is the recogniser's step, ``full`` to ``finals_only`` or ``off``."""

    name: ClassVar[str] = "status"
    at: float
    lag_s: float
    mode: str
    dropped: int = 0
    cpu: float | None = None
    notice: str | None = None


class CommandApplied(Event, frozen=True, kw_only=True):
    """A person's order reached the core (acknowledge, snooze, wrong, message, hold, resume)."""

    name: ClassVar[str] = "told"
    at: float
    kind: str
    alert: str | None = None
    seconds: float | None = None
    text: str | None = None
    by: str | None = None


class AlertEvent(Event, frozen=True, kw_only=True):
    """An alert, explained: what the three events in its life share.

    For people: ``title`` is the rule's name, ``message`` the text to the agent, ``summary`` one sentence on
    what happened, ``rationale`` the advice behind it, ``clears_when`` a clause on what ends the alert;
    ``praise`` tells that something went well.

    What was measured: ``measured`` is the value of ``measure`` (``expectation`` or ``absence`` for words that
    did not come), ``threshold`` and ``comparison`` the condition that it met, ``baseline`` the speaker's own
    normal where the measure has one, all in ``unit``. ``evidence`` are the words (``text``) and the other
    things that happened (``kind``), by time.

    ``alert`` is its id in the call. ``to`` lists who may see it; ``card`` tells whether it is to be shown to
    the agent as a card now (fatigue control may hold a card back; ``withheld`` then says why). ``private``
    alerts are never stored and never leave the agent's machine but for the agent.
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
    """The same alert with a new value, level or card."""

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
    """Something worth writing down (a date, an amount, a promise): the side panel's line, never an alert."""

    name: ClassVar[str] = "note"
    at: float
    channel: Channel
    kind: str
    text: str


class CallEnded(Event, frozen=True, kw_only=True):
    """The last event of a call, with the sums; ``talk``, ``overlap`` and ``silence`` in seconds."""

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
    """A call that goes on, as a listener finds it: who, since when, how difficult, which alerts are open.

    ``talk`` is how long each side has spoken so far, in seconds. ``messages`` are the last words of
    supervisors to the agent, which a listener may have missed.
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
    """The first thing a listener gets: the calls that are open. What follows comes after ``sequence``.

    ``log`` names the hub's log, in which alone a sequence means something. ``notice`` tells a listener that
    wanted to go on from a sequence why it cannot.
    """

    name: ClassVar[str] = "snapshot"
    sequence: int
    log: str = ""
    calls: tuple[OpenCall, ...]
    notice: str | None = None


class Dropped(Event, frozen=True, kw_only=True):
    """So many lines that are only looked at were left out, since the listener could not keep up."""

    name: ClassVar[str] = "dropped"
    lines: int


class Refused(Event, frozen=True, kw_only=True):
    """What a client sent was not accepted; one sentence says why."""

    name: ClassVar[str] = "refused"
    reason: str


class CallControlReply(Event, frozen=True, kw_only=True):
    """What the agent's monitor answered the softphone that this is sent to."""

    name: ClassVar[str] = "hooked"
    done: bool
    say: str
    call: str | None = None


DERIVED = (AlertEvent, Difficulty, Note, Phrase, RaisedVoice, Hold, DeadAir, Expectation)
"""What the judge makes of the facts of a call. Judging a journal again leaves it out and makes it anew."""


def is_stretch(kind: type[Event]) -> bool:
    """Whether events of this kind say what one side, or both, did from a ``start`` to an ``end``."""
    return {"channel", "start", "end"} <= set(kind.__struct_fields__)


def _named(kind: type[Event]) -> dict[str, type[Event]]:
    """The kinds of event below ``kind`` that have a name of their own, in the order of this file."""
    found = {kind.name: kind} if kind.name else {}
    for one in kind.__subclasses__():
        found |= _named(one)
    return found


EVENTS: dict[str, type[Event]] = _named(Event)
"""Every kind of event by its name on the wire. A new class of event needs no entry of its own."""
