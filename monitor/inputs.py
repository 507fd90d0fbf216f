"""Basic types of events, and the inputs of the core other than audio: recognition results and commands.

``monitor.events`` re-exports all of them; import from there.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Channel = Literal["agent", "caller"]
CHANNELS: tuple[Channel, Channel] = ("agent", "caller")
"""The order of the channels in every array with a row per channel."""

FRAME_SECONDS = 0.02
"""Length of a frame, the core's time grid."""

Level = Literal["info", "warn", "critical"]
LEVELS: tuple[Level, ...] = ("info", "warn", "critical")
"""The levels of alerts, by increasing severity."""

Comparison = Literal["at_least", "at_most", "more_than", "less_than"]
Band = Literal["narrow", "wide"]
Audience = Literal["agent", "supervisor"]
OverlapKind = Literal["interruption", "talk_over", "backchannel", "terminal", "simultaneous", "other"]
QualityKind = Literal["crosstalk", "same_audio", "swapped", "clipping", "dead_channel"]


def severity(level: Level) -> int:
    """The index of a level in ``LEVELS``; more serious levels have greater values."""
    return LEVELS.index(level)


def other(channel: Channel) -> Channel:
    """The other side of the call."""
    return "caller" if channel == "agent" else "agent"


class Word(msgspec.Struct, frozen=True):
    """One recognised word; times in call seconds, ``confidence`` is the recogniser's probability, 0 to 1.

    ``committed`` words are not changed by later revisions.
    """

    text: str
    start: float
    end: float
    confidence: float = 1.0
    committed: bool = True


@dataclass(frozen=True, slots=True)
class RecognitionRequest:
    """A request to recognise the words in one window of one channel.

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
    """A person's order during the call; an input of the core, so that replays include it.

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
    """A softphone's signal. ``call`` is the call's id, ``meta`` the dialler's metadata."""

    kind: Literal["start", "end", "hold", "resume", "status"]
    call: Annotated[str, msgspec.Meta(pattern=r"^[\w.@+-]{1,100}$")] | None = None
    meta: dict[str, Any] | None = None


class CallControlAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The monitor's answer to a ``CallControl``: whether it was done, and one sentence."""

    done: bool
    say: str
    call: str | None = None


class EvidenceItem(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of evidence: words (``text``) or an event (``kind``), with its time in call seconds."""

    start: float
    end: float
    channel: Channel | None = None
    text: str | None = None
    kind: str | None = None


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
    """A clause that names an audio problem (or, with ``over``, says that it has ended)."""
    where = f"the {channel}'s channel" if channel else "a channel"
    return _QUALITY[kind][over].format(channel=where)
