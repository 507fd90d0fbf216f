"""What was due on a call and whether it came: understanding for feelings, dates for promises, answers.

The windows are those of the bundled rules that say the same during the call (``score.empathy_rate``,
``expect.no_when``, ``close.open_items``), so that a report does not contradict an alert.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from monitor.phrases.lexicon import Match
from monitor.review.spoken import Moment, SpokenCall

UNDERSTOOD_WITHIN = 30.0
"""Seconds after a sign of distress or anger in which a word of understanding still answers it."""

DATED_BEFORE, DATED_WITHIN = 5.0, 8.0
"""Seconds before and after a promise in which a date belongs to it."""

ONE_BREATH = 0.5
"""Seconds between two parts of a date at most."""

FEELINGS = ("distress", "anger")
ANSWERS = ("solution", "option", "promise", "alternative", "resolution_check", "steps")


class Feeling(msgspec.Struct, frozen=True, kw_only=True):
    """A sign of distress or anger of the caller, and the agent's word of understanding, if one came."""

    kind: Literal["distress", "anger"]
    said: Moment
    answer: Moment | None = None


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent promised, and the date or time that was given with it, if one was."""

    said: Moment
    when: str | None = None


Deaf = Sequence[tuple[float, float]]
"""From when to when nothing came from the agent's channel, so that nobody knows what was said there."""


def _unheard(deaf: Deaf, start: float, end: float) -> bool:
    return any(begin < end and start < over for begin, over in deaf)


def feelings(spoken: SpokenCall, seconds: float, deaf: Deaf = ()) -> Iterator[Feeling]:
    """The caller's signs of distress or anger.

    One whose time was cut off by the end is left out, and one whose answer could not be heard.
    """
    kind: Literal["distress", "anger"]
    for match in spoken.of("caller", *FEELINGS):
        deadline = match.end + UNDERSTOOD_WITHIN
        answer = next(
            (one for one in spoken.of("agent", "empathy") if one.end > match.start and one.start <= deadline),
            None,
        )
        if answer is None and (deadline > seconds or _unheard(deaf, match.start, deadline)):
            continue
        kind = "anger" if match.cls == "anger" else "distress"
        said = Moment(start=match.start, end=match.end, channel="caller", text=match.text)
        yield Feeling(kind=kind, said=said, answer=spoken.sentence("agent", answer) if answer else None)


def promises(spoken: SpokenCall) -> Iterator[Promise]:
    """The agent's promises, each with its date."""
    dates = spoken.of("agent", "time_expression")
    for match in spoken.of("agent", "promise"):
        yield Promise(said=spoken.sentence("agent", match), when=_when(match, dates))


def _when(promise: Match, dates: Sequence[Match]) -> str | None:
    """The date that belongs to a promise; "tomorrow" and "at noon" said in one breath are one."""
    near = [date for date in dates if _belongs(date, promise)]
    if not near:
        return None
    # A date after the promise is its own; one before it ("tomorrow I will...") only where none follows.
    found = min(near, key=lambda date: (date.start < promise.start, abs(date.start - promise.end)))
    text, end = found.text, found.end
    for date in near:
        if 0 <= date.start - end <= ONE_BREATH:
            text, end = f"{text} {date.text}", date.end
    return text.strip(" .,")


def _belongs(date: Match, promise: Match) -> bool:
    return date.end > promise.start - DATED_BEFORE and date.start <= promise.end + DATED_WITHIN


def open_items(spoken: SpokenCall, seconds: float, deaf: Deaf = ()) -> Iterator[Moment]:
    """Further matters of the caller to which the agent gave no answer afterwards."""
    answers = spoken.of("agent", *ANSWERS)
    for match in spoken.of("caller", "concern"):
        answered = any(answer.end > match.end for answer in answers)
        if not answered and not _unheard(deaf, match.end, seconds):
            yield spoken.sentence("caller", match)
