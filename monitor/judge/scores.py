"""Scores of a call for the scorecard: shares of met expectations, and measures at the end of the call."""

from collections.abc import Iterable

from monitor.judge.engine import RuleInstance
from monitor.judge.outcomes import ExpectationLog
from monitor.rules.expectation import ExpectationTrigger
from monitor.rules.triggers import NOT_MET, MeasureTrigger
from monitor.timeline import Timeline, TimelineView


def scores_of(
    watches: Iterable[RuleInstance], line: Timeline, difficulty: float, outcomes: ExpectationLog
) -> dict[str, float]:
    """All scores that have a value on this call, by name."""
    scores = {"difficulty": difficulty}
    view = TimelineView(line)
    for watch in watches:
        name, trigger = watch.rule.score, watch.trigger
        if name is None:
            continue
        value: float | None = None
        if isinstance(trigger, ExpectationTrigger):
            kept, broken = outcomes.kept[watch.rule.rule], outcomes.broken[watch.rule.rule]
            value = kept / (kept + broken) if kept + broken else None
        elif isinstance(trigger, MeasureTrigger):
            value = trigger.assess(view, NOT_MET).reading.value
        if value is not None:
            scores[name] = round(value, 3)
    return scores
