"""The nouns: everything that moves through a call, with the units of each field. Read this first.

Times are seconds of the call. ``at``, ``start`` and ``end`` say when something was true of the sound;
``detected_at`` says when the core could first tell (the end of the last 20 ms frame it needed). The
difference is the detector's delay. Nothing here knows a wall clock.

Each event has the name it bears on the wire (``monitor.`` goes before it there).
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Channel = Literal["agent", "caller"]
CHANNELS: tuple[Channel, Channel] = ("agent", "caller")
"""The order of the rows in every array that holds both sides."""

FRAME_SECONDS = 0.02
"""The core's grid: it thinks in frames of 20 ms."""

Level = Literal["info", "warn", "critical"]
LEVELS: tuple[Level, ...] = ("info", "warn", "critical")
"""The levels of alerts, from a hint to what cannot wait."""

Comparison = Literal["at_least", "at_most", "more_than", "less_than"]
Band = Literal["narrow", "wide"]
Audience = Literal["agent", "supervisor"]
OverlapKind = Literal["interruption", "talk_over", "backchannel", "terminal", "simultaneous", "other"]
QualityKind = Literal["crosstalk", "same_audio", "swapped", "clipping", "dead_channel"]


def other(channel: Channel) -> Channel:
    """The other side of the call."""
    return "caller" if channel == "agent" else "agent"


def severity(level: Level) -> int:
    """The place of a level in ``LEVELS``: what is more serious is greater."""
    return LEVELS.index(level)


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


class Word(msgspec.Struct, frozen=True):
    """One recognised word; ``confidence`` is the recogniser's probability, 0 to 1."""

    text: str
    start: float
    end: float
    confidence: float = 1.0
    committed: bool = True


@dataclass(frozen=True, slots=True)
class RecognitionRequest:
    """A request to recognise the words in one window of one side.

    ``id`` numbers the requests of a call. ``audio`` is float32 [samples], mono at ``rate`` Hz, from ``start``
    to ``end`` seconds of the call. ``context`` are committed words before the window; ``prefix`` are the
    committed words inside it, which the result continues and does not repeat. ``final`` says that the
    utterance is over, ``better`` allows a wider search for it, ``align`` asks for word times by alignment.
    """

    id: int
    channel: Channel
    utterance: int
    start: float
    end: float
    rate: int
    audio: NDArray[np.float32]
    context: tuple[str, ...] = ()
    prefix: tuple[Word, ...] = ()
    final: bool = False
    better: bool = True
    align: bool = True


class RecognitionResult(msgspec.Struct, frozen=True):
    """The recogniser's result for the request with the id ``request_id``; ``Call.add_result`` takes it.

    ``avg_logprob`` is the mean log-probability of the tokens, ``no_speech`` a probability, ``cost`` the
    inference time in seconds (this is how the core, which has no clock, learns that the machine is slow).
    """

    request_id: int
    words: tuple[Word, ...] = ()
    avg_logprob: float = 0.0
    no_speech: float = 0.0
    cost: float = 0.0


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Something a person asked for during the call; an input of the core, so that it replays too.

    ``snooze`` holds back cards for ``seconds``; ``acknowledge`` and ``wrong`` name an ``alert``;
    ``message`` carries a supervisor's short ``text`` to the agent; ``hold`` and ``resume`` come from a
    softphone.
    """

    kind: Literal["acknowledge", "snooze", "wrong", "message", "hold", "resume"]
    alert: str | None = None
    seconds: float | None = None
    text: str | None = None
    by: str | None = None


class CallControl(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a softphone says. ``call`` names the call, ``meta`` is what the dialler knows of it."""

    kind: Literal["start", "end", "hold", "resume", "status"]
    call: Annotated[str, msgspec.Meta(pattern=r"^[\w.@+-]{1,100}$")] | None = None
    meta: dict[str, Any] | None = None


class CallControlAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the monitor answers: one sentence, and whether it did what was asked."""

    done: bool
    say: str
    call: str | None = None


# --- what comes out ------------------------------------------------------------------------------


class EvidenceItem(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of evidence: words, or something that happened, with its place in the call."""

    start: float
    end: float
    channel: Channel | None = None
    text: str | None = None
    kind: str | None = None


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


_QUALITY: dict[QualityKind, tuple[str, str]] = {
    "crosstalk": (
        "{channel} also carries the other side's voice",
        "{channel} no longer carries the other side's voice",
    ),
    "same_audio": ("both channels carry the same sound", "the channels carry different sounds again"),
    "swapped": ("the sides seem to be exchanged", "the sides no longer seem to be exchanged"),
    "clipping": ("{channel} is clipped (the input is too loud)", "{channel} is no longer clipped"),
    "dead_channel": ("{channel} is silent (no signal)", "{channel} has a signal again"),
}


def quality_text(kind: QualityKind, channel: Channel | None = None, *, over: bool = False) -> str:
    """What is wrong with the sound, as a clause (or, with ``over``, that it no longer is)."""
    where = f"the {channel}'s channel" if channel else "a channel"
    return _QUALITY[kind][over].format(channel=where)


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


EVENTS: dict[str, type[Event]] = {
    kind.name: kind
    for kind in (CallStarted, SpeechStarted, SpeechEnded, Prosody, Floor, Silence, OverlapStarted, Overlap,
                 Interruption, TalkOver, Utterance, Quality, Gap, Status, CommandApplied, AlertOpened,
                 AlertUpdated, AlertClosed, Difficulty, Note, CallEnded, Snapshot, Dropped, Refused,
                 CallControlReply)
}  # fmt: skip
"""Every kind of event by its name on the wire."""
