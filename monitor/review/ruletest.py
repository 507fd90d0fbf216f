"""Judges one recorded call with a set of rules and compares the alerts with the expected ones."""

from collections.abc import Iterable, Sequence
from statistics import median

import msgspec

from monitor.call import rejudge
from monitor.events import AlertEvent, AlertOpened, CallStarted, Event, Level, severity
from monitor.judge.binding import bind
from monitor.review.collection import Recorded
from monitor.rules.rule_set import RuleSet


class Raised(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that opened: when, its highest level, and what happened in one sentence."""

    rule: str
    at: float
    level: Level
    summary: str
    matched: bool | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one call under one set of rules.

    ``delays`` are seconds from the beginning of an expected alert's window. ``wrong`` are false alerts,
    ``missed`` expected ones that did not open; both are empty without ground truth.
    """

    raised: tuple[Raised, ...]
    found: dict[str, tuple[float, ...]] = {}
    missed: dict[str, int] = {}
    wrong: dict[str, int] = {}


def alerts_of(events: Iterable[Event]) -> list[Raised]:
    """The alerts among ``events``, each with the highest level that it reached."""
    levels: dict[str, Level] = {}
    opened: list[AlertOpened] = []
    for event in events:
        if isinstance(event, AlertEvent):
            levels[event.alert] = max(levels.get(event.alert, "info"), event.level, key=severity)
        if isinstance(event, AlertOpened):
            opened.append(event)
    return [Raised(rule=one.rule, at=one.at, level=levels[one.alert], summary=one.summary) for one in opened]


def judge(
    facts: Sequence[Event], book: RuleSet, call: Recorded, judged: Sequence[str] | None = None
) -> Outcome:
    """Judges these facts with ``book`` and compares the alerts with the ground truth of the call.

    ``judged`` restricts the comparison to the rules that the ground truth covers, since it cannot cover
    rules that were added later.
    """
    raised = alerts_of(event for events in rejudge(facts, book) for event in events)
    heard = any(isinstance(event, CallStarted) and event.model != "none" for event in facts)
    needs_words = word_rules(book)
    unknown = {one.rule for one in raised} - set(judged) if judged is not None else set()
    call = msgspec.structs.replace(call, allowed=(*call.allowed, *sorted(unknown)))
    return compare(raised, call, needs_words, heard=heard)


def compare(raised: list[Raised], call: Recorded, needs_words: frozenset[str], *, heard: bool) -> Outcome:
    """Compares alerts with the ground truth: one in an expected window is right; a window counts once."""
    if call.wanted is None:
        return Outcome(raised=tuple(raised))
    due = [one for one in call.wanted if not (one.wordless if heard else one.words)]
    right: set[int] = set()
    found: dict[str, tuple[float, ...]] = {}
    missed: dict[str, int] = {}
    for one in due:
        inside = [
            place
            for place, alert in enumerate(raised)
            if alert.rule == one.rule and one.begin <= alert.at <= one.end
        ]
        if inside:
            delay = round(raised[inside[0]].at - one.begin, 2)
            found[one.rule] = (*found.get(one.rule, ()), delay)
        elif not one.may:
            missed[one.rule] = missed.get(one.rule, 0) + 1
        right |= set(inside)
    wrong: dict[str, int] = {}
    told = []
    for place, alert in enumerate(raised):
        matched = True if place in right else (None if _forgiven(alert, call, needs_words) else False)
        told.append(msgspec.structs.replace(alert, matched=matched))
        if matched is False:
            wrong[alert.rule] = wrong.get(alert.rule, 0) + 1
    return Outcome(raised=tuple(told), found=found, missed=missed, wrong=wrong)


def _forgiven(alert: Raised, call: Recorded, needs_words: frozenset[str]) -> bool:
    """Whether the ground truth cannot decide if this alert is false."""
    if alert.rule in call.allowed:
        return True
    return alert.rule not in needs_words if call.whole else alert.level == "info"


def word_rules(book: RuleSet) -> frozenset[str]:
    """The rules that need a recogniser."""
    return frozenset(rule.rule for rule in book.rules if bind(rule, 0).trigger.words)


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one rule (or of all) over all calls. Quotients with divisor 0 are null."""

    alerts: int
    per_hour: float | None
    found: int
    missed: int
    wrong: int
    precision: float | None
    recall: float | None
    f1: float | None
    delay: float | None


def figures(outcomes: Sequence[Outcome], hours: float, rule: str | None = None) -> Figures:
    """Sums up ``outcomes`` for one rule or for all; ``hours`` is the length of all calls."""
    alerts = sum(rule in (None, one.rule) for outcome in outcomes for one in outcome.raised)
    delays = [
        delay
        for outcome in outcomes
        for name, values in outcome.found.items()
        if rule in (None, name)
        for delay in values
    ]
    missed = _count((outcome.missed for outcome in outcomes), rule)
    wrong = _count((outcome.wrong for outcome in outcomes), rule)
    found = len(delays)
    return Figures(
        alerts=alerts,
        per_hour=round(alerts / hours, 2) if hours else None,
        found=found,
        missed=missed,
        wrong=wrong,
        precision=_share(found, found + wrong),
        recall=_share(found, found + missed),
        f1=_share(2 * found, 2 * found + missed + wrong),
        delay=round(median(delays), 2) if delays else None,
    )


def _count(counts: Iterable[dict[str, int]], rule: str | None) -> int:
    return sum(count for one in counts for name, count in one.items() if rule in (None, name))


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None
