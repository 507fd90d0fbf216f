"""Collects findings from a call's events for the report: phrases, expectations and marks.

Nothing is judged again: a report shows the results of the rules of that call.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from monitor.events import (
    EVENTS,
    Channel,
    Event,
    EvidenceItem,
    Expectation,
    Phrase,
    Quality,
    SpeechEnded,
    Utterance,
    is_stretch,
)

SENTENCE_WORDS = 16
"""Greatest number of words of a quoted sentence."""

ONE_BREATH = 0.5
"""Longest time in seconds between two parts of a date, such as "tomorrow" and "at noon"."""

EMPATHY_SCORE, MATTERS_SCORE = "empathy_rate", "matters_answered"
"""The scores of the rules whose expectations are the caller's feelings, and the caller's further matters."""

SHOWN_ELSEWHERE = (SpeechEnded, Utterance, Phrase, Expectation, Quality)
"""Events with a side and a stretch of time that a report shows in a place of their own."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Words of one side with their place in the call, in seconds."""

    start: float
    end: float
    channel: Channel
    text: str


class Feeling(msgspec.Struct, frozen=True, kw_only=True):
    """A sign of the caller's distress or anger (``kind``), and the agent's empathic response, if any."""

    kind: str
    said: Moment
    answer: Moment | None = None


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent promised, and the date or time that was given with it, if one was."""

    said: Moment
    when: str | None = None


class FoundMark(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the call that an event named: a raised voice, a hold, or any fact a detector found.

    ``end`` is null if it lasted to the end of the call; ``channel`` is null if it concerns both sides.
    """

    name: str
    channel: Channel | None
    start: float
    end: float | None


def standing_phrases(events: Iterable[Event]) -> list[Phrase]:
    """The certain phrases that were not withdrawn, by time."""
    standing: dict[tuple[str, Channel, int | None, float, float, bool], Phrase] = {}
    for event in events:
        if isinstance(event, Phrase):
            key = event.of, event.channel, event.utterance, event.start, event.end, event.certain
            if event.withdrawn:
                standing.pop(key, None)
            else:
                standing[key] = event
    return sorted((one for one in standing.values() if one.certain), key=lambda one: (one.start, one.end))


def final_utterances(events: Iterable[Event]) -> list[Utterance]:
    """The last revision of each utterance that has words, by time."""
    final = {
        (event.channel, event.utterance): event
        for event in events
        if isinstance(event, Utterance) and event.final
    }
    said = (one for one in final.values() if one.text.strip())
    return sorted(said, key=lambda one: (one.start, one.channel))


def found_marks(events: Iterable[Event]) -> list[FoundMark]:
    """Every stretch that an event names and that has no place of its own in a report, by time.

    Any class of event with ``channel``, ``start`` and ``end`` is included, even if it is unknown here. An
    event that is sent again with its end is the same interval.
    """
    found: dict[tuple[str, Channel | None, float], FoundMark] = {}
    kinds = tuple(
        kind for kind in EVENTS.values() if is_stretch(kind) and not issubclass(kind, SHOWN_ELSEWHERE)
    )
    for event in events:
        if isinstance(event, kinds):
            name, channel, start, end = event.name, event.channel, event.start, event.end  # type: ignore[attr-defined]  # checked by `is_stretch`
            found[name, channel, start] = FoundMark(name=name, channel=channel, start=start, end=end)
    return sorted(found.values(), key=lambda mark: (mark.start, mark.name))


# --- expectations ---


def feelings(events: Iterable[Event], said: Sequence[Utterance]) -> Iterator[Feeling]:
    """The caller's signs of distress or anger, as judged by the rule of the empathy score.

    Outcomes ``open`` and ``unheard`` are left out.
    """
    for one in _expectations(events, lambda event: event.score == EMPATHY_SCORE):
        if one.outcome in ("kept", "broken") and one.channel is not None:
            first = min(one.answers, key=lambda answer: answer.start, default=None)
            cue = Moment(start=one.start, end=one.end, channel=one.channel, text=one.text or "")
            answer = sentence(said, first) if one.outcome == "kept" and first else None
            yield Feeling(kind=one.of, said=cue, answer=answer)


def promises(events: Sequence[Event], said: Sequence[Utterance]) -> Iterator[Promise]:
    """The agent's promises, each with the date that the rules found for it."""
    dated = {
        (one.start, one.end): one
        for one in _expectations(events, lambda event: "time_expression" in event.expected)
    }
    for phrase in standing_phrases(events):
        if phrase.of == "promise" and phrase.channel == "agent":
            judged = dated.get((phrase.start, phrase.end))
            when = _when(phrase, judged.answers) if judged and judged.outcome == "kept" else None
            yield Promise(said=sentence(said, phrase), when=when)


def open_matters(events: Iterable[Event], said: Sequence[Utterance]) -> Iterator[Moment]:
    """Further matters of the caller that the agent had not answered when the call ended."""
    for one in _expectations(events, lambda event: event.score == MATTERS_SCORE):
        if one.outcome in ("broken", "open"):
            yield sentence(said, one)


def _expectations(events: Iterable[Event], wanted: Callable[[Expectation], bool]) -> list[Expectation]:
    found = [event for event in events if isinstance(event, Expectation) and wanted(event)]
    return sorted(found, key=lambda one: (one.start, one.end))


def _when(promise: Phrase, dates: Sequence[EvidenceItem]) -> str | None:
    """The date that belongs to a promise: the one after it, or one before it if none follows."""
    near = sorted((date for date in dates if date.text), key=lambda date: date.start)
    if not near:
        return None
    found = min(near, key=lambda date: (date.start < promise.start, abs(date.start - promise.end)))
    text, end = found.text or "", found.end
    for date in near:
        if 0 <= date.start - end <= ONE_BREATH:
            text, end = f"{text} {date.text}", date.end
    return text.strip(" .,")


def sentence(said: Iterable[Utterance], found: Phrase | Expectation | EvidenceItem) -> Moment:
    """The sentence that begins with the finding, as a quotation."""
    channel: Channel = found.channel or "agent"
    end, words = found.end, list[str]()
    utterance = next((one for one in said if one.channel == channel and one.end > found.start), None)
    for word in utterance.words if utterance else ():
        if word.start < found.start:
            continue
        words.append(word.text.strip())
        end = max(end, word.end)
        stops = word.text.rstrip().endswith((".", "?", "!"))
        if word.end >= found.end and (len(words) >= SENTENCE_WORDS or stops):
            break
    return Moment(start=found.start, end=end, channel=channel, text=" ".join(words) or found.text or "")
