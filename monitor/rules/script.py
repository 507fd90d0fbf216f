"""Compiles a short text script of a call to facts, so that rules can be tested without audio.

    caller 0-6 it broke on monday         words, spread evenly over the time
    agent 4-9 raised 1.3 have you tried   the same with an effort score (1.0 and more is raised)
    agent 4-9 pace 6.5 have you tried     the same with a syllable rate
    agent 4-9 flat have you tried         the same with no melody
    agent 12-12.4 mm-hm                   a backchannel
    hold 20-80                            the softphone puts the caller on hold
    interruption agent 5.2                the agent took the floor at 5.2 s, whatever the times say
    trouble crosstalk agent 3-40          a problem of the audio quality
    event laughter caller 7-8.5           a detector's event: any class with a channel, a start and an end
    acknowledge 30 RULE                   a person acknowledges the newest alert of RULE (or: snooze 30 120s)
    end 90                                the call ends here (by default 5 s after the last line)

Turns, overlaps and interruptions follow from the times, by the same stage as in real calls.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from operator import attrgetter

import msgspec
import numpy as np
from numpy.typing import NDArray

from monitor.audio.overlap import OverlapTracker
from monitor.config import OverlapSettings
from monitor.errors import BadInput
from monitor.events import (
    CHANNELS,
    DERIVED,
    EVENTS,
    FRAME_SECONDS,
    Channel,
    Command,
    Event,
    Interruption,
    Prosody,
    Quality,
    SpeechEnded,
    SpeechStarted,
    Utterance,
    Word,
    is_stretch,
    other,
)
from monitor.rules.rule import number
from monitor.timeline import ms, seconds

TAIL = 5_000
"""Ms of call after the last line, unless the script says ``end``."""

STARTS_LATE, ENDS_LATE = 120, 300
"""Detection delay in ms of the start and the end of speech; shorter gaps are bridged."""

WORDS_LATE = 600
"""Recognition delay: ms from the end of a line until its words are known."""

SOUND_LATE = 60
"""Detection delay of a prosody event in ms."""

QUIET = 4_000
"""Ms of silence after which the floor is certainly free."""

STEP = 100
"""Ms between two prosody events."""

FRAME = ms(FRAME_SECONDS)
PACE = 4.0
"""Default speech rate of a line in syllables per second (too low for any rule)."""

_TIME = r"(\d+(?:\.\d+)?)"
_LINE = re.compile(
    rf"(agent|caller) {_TIME}-{_TIME}((?: (?:raised|pace|calm) -?\d+(?:\.\d+)?| flat)*)(?: (.*))?"
)
_HOLD = re.compile(rf"hold {_TIME}-{_TIME}")
_INTERRUPTION = re.compile(rf"interruption (agent|caller) {_TIME}")
_TROUBLE = re.compile(
    rf"trouble (crosstalk|same_audio|swapped|clipping|dead_channel) (agent|caller) {_TIME}-{_TIME}"
)
_EVENT = re.compile(rf"event ([a-z_.]+) (agent|caller) {_TIME}(?:-{_TIME})?")
_ORDER = re.compile(rf"(acknowledge|wrong|snooze) {_TIME} (\S+)")
_END = re.compile(rf"end {_TIME}")


@dataclass(frozen=True, slots=True)
class ScriptTalk:
    """One line of talk; ``start`` and ``end`` are ms of the call."""

    channel: Channel
    start: int
    end: int
    words: tuple[str, ...]
    effort: float = 0.0
    pace: float = PACE
    flat: bool = False


@dataclass(frozen=True, slots=True)
class ScriptCommand:
    """A command at a time (s of the call, as ``Judge.order`` takes it).

    ``rule`` names the alert (the newest of that rule) or the length of a snooze.
    """

    at: float
    kind: str
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class CompiledScript:
    """A compiled call: facts by detection time, orders by time, and the end of the call."""

    facts: tuple[Event, ...]
    orders: tuple[ScriptCommand, ...]
    end: float


@dataclass(slots=True)
class _Lines:
    talk: list[ScriptTalk] = field(default_factory=list)
    facts: list[Event] = field(default_factory=list)
    orders: list[ScriptCommand] = field(default_factory=list)
    last: int = 0
    end: int | None = None


@lru_cache(maxsize=512)
def compile_script(lines: tuple[str, ...], *, words: bool = True) -> CompiledScript:
    """Compiles the lines of a script.

    Raises:
        BadInput: A line cannot be read.
    """
    read = _Lines()
    for line in lines:
        _read(line, read)
    last = max([talk.end for talk in read.talk] + [ms(order.at) for order in read.orders] + [read.last])
    end = read.end if read.end is not None else last + TAIL
    facts = [*read.facts]
    for channel in CHANNELS:
        facts += _speech([talk for talk in read.talk if talk.channel == channel], end)
    facts += _floor(read.talk, end)
    for place, talk in enumerate(sorted(read.talk, key=attrgetter("start"))):
        facts += _sound(talk)
        if words and talk.words:
            facts.append(_utterance(place, talk, end))
    facts.sort(key=attrgetter("detected_at"))
    return CompiledScript(tuple(facts), tuple(sorted(read.orders, key=attrgetter("at"))), seconds(end))


def _read(line: str, read: _Lines) -> None:
    if found := _LINE.fullmatch(line.strip()):
        read.talk.append(_talk(found, line))
    elif found := _HOLD.fullmatch(line):
        read.orders += [ScriptCommand(float(found[1]), "hold"), ScriptCommand(float(found[2]), "resume")]
    elif found := _INTERRUPTION.fullmatch(line):
        at, by = float(found[2]), _side(found[1])
        read.facts.append(Interruption(detected_at=at, start=round(at - 1.0, 3), at=at, by=by, of=other(by)))
    elif found := _TROUBLE.fullmatch(line):
        kind, channel, start, end = found[1], _side(found[2]), float(found[3]), float(found[4])
        read.facts.append(Quality.of(kind, channel, start, detected_at=start))  # type: ignore[arg-type]
        read.facts.append(Quality.of(kind, channel, start, end=end, detected_at=end))  # type: ignore[arg-type]
    elif found := _EVENT.fullmatch(line):
        read.facts.append(_event(found, line))
        read.last = max(read.last, ms(read.facts[-1].detected_at))
    elif found := _ORDER.fullmatch(line):
        read.orders.append(ScriptCommand(float(found[2]), found[1], found[3]))
    elif found := _END.fullmatch(line):
        read.end = ms(float(found[1]))
    else:
        raise BadInput(
            f"This line of a test cannot be read: {line!r}; a line is such as `caller 0-6 it broke`."
        )


def _event(found: re.Match[str], line: str) -> Event:
    """The detector's event of an ``event`` line, detected at its end."""
    kind, start = EVENTS.get(found[1]), float(found[3])
    end = float(found[4] or found[3])
    if end < start:
        raise BadInput(f"This line of a test ends before it begins: {line!r}.")
    if kind is None or not is_stretch(kind) or issubclass(kind, DERIVED):
        raise BadInput(
            f"This line of a test names no event of a detector with a side, a start and an end: {line!r}."
        )
    try:
        return msgspec.convert({"detected_at": end, "channel": found[2], "start": start, "end": end}, kind)
    except msgspec.ValidationError:
        raise BadInput(
            f"This line of a test names an event that has more than a side and times: {line!r}."
        ) from None


def _side(name: str) -> Channel:
    return "agent" if name == "agent" else "caller"


def _talk(found: re.Match[str], line: str) -> ScriptTalk:
    start, end = ms(float(found[2])), ms(float(found[3]))
    if end <= start:
        raise BadInput(f"This line of a test ends before it begins: {line!r}.")
    given = found[4].split()
    numbers = {
        key: float(value) for key, value in pairwise(given) if key not in ("flat",) and _is_number(value)
    }
    effort = numbers.get("raised", numbers.get("calm", 0.0))
    words = tuple((found[5] or "").split())
    return ScriptTalk(_side(found[1]), start, end, words, effort, numbers.get("pace", PACE), "flat" in given)


def _is_number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit()


def _speech(talks: Sequence[ScriptTalk], end: int) -> list[Event]:
    """Speech segments with short gaps bridged and the delay of voice activity detection."""
    facts: list[Event] = []
    stretches: list[tuple[int, int]] = []
    for talk in sorted(talks, key=attrgetter("start")):
        if stretches and talk.start - stretches[-1][1] < ENDS_LATE:
            stretches[-1] = (stretches[-1][0], max(stretches[-1][1], talk.end))
        else:
            stretches.append((talk.start, talk.end))
    for begin, stop in stretches:
        channel = talks[0].channel
        known, ended = seconds(min(end, begin + STARTS_LATE)), seconds(min(end, stop + ENDS_LATE))
        facts.append(SpeechStarted(detected_at=known, channel=channel, at=seconds(begin)))
        facts.append(SpeechEnded(detected_at=ended, channel=channel, start=seconds(begin), end=seconds(stop)))
    return facts


def _floor(talks: Sequence[ScriptTalk], end: int) -> list[Event]:
    frames = round(end / FRAME)
    active = np.zeros((2, frames), bool)
    for talk in talks:
        row = CHANNELS.index(talk.channel)
        active[row, round(talk.start / FRAME) : round(talk.end / FRAME)] = True
    stage = OverlapTracker(OverlapSettings())
    facts: list[Event] = []
    for first, last in _lively(active):
        facts += stage.feed(first, active[:, first:last], np.zeros(last - first, bool))
    return [*facts, *stage.finish(frames)]


def _lively(active: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Runs of frames to process; skips the inside of long silences, in which the floor cannot change."""
    spoken = np.flatnonzero(active.any(axis=0))
    quiet = QUIET // FRAME
    first = 0
    for place in np.flatnonzero(np.diff(spoken) > quiet):
        yield first, int(spoken[place]) + quiet
        first = int(spoken[place + 1])
    if len(spoken):
        yield first, min(active.shape[1], int(spoken[-1]) + quiet)


def _sound(talk: ScriptTalk) -> list[Event]:
    facts: list[Event] = []
    first, last = round(talk.start / STEP) + 1, round(talk.end / STEP)
    for step in range(first, last + 1):
        at = step * STEP
        melody = 0.0 if talk.flat else (step % 7 - 3) * 0.8
        pitch = round(melody + 4.0 * talk.effort, 2)
        facts.append(
            Prosody(
                detected_at=seconds(at + SOUND_LATE), channel=talk.channel, at=seconds(at),
                level_dbfs=-24.0, f0_hz=150.0, effort=talk.effort, rate_sps=talk.pace, voiced=0.7,
                pitch_st=pitch,
            )
        )  # fmt: skip
    return facts


def _utterance(place: int, talk: ScriptTalk, end: int) -> Utterance:
    length, count = talk.end - talk.start, len(talk.words)
    edges = [seconds(talk.start + round(length * at / count)) for at in range(count + 1)]
    said = zip(talk.words, pairwise(edges), strict=True)
    words = tuple(Word(text, first, last) for text, (first, last) in said)
    return Utterance(
        detected_at=seconds(min(end, talk.end + WORDS_LATE)),
        channel=talk.channel,
        utterance=place + 1,
        revision=1,
        start=seconds(talk.start),
        end=seconds(talk.end),
        text=" ".join(talk.words),
        words=words,
        final=True,
    )


def order_of(asked: ScriptCommand, alert: str | None) -> Command:
    """The order for the judge; ``alert`` is the id of the newest alert of its rule."""
    if asked.kind == "snooze":
        return Command(kind="snooze", seconds=number(asked.rule or "60s"))
    return Command(kind=asked.kind, alert=alert)  # type: ignore[arg-type]  # the patterns admit the kinds only
