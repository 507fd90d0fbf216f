"""Binds rules to a call: resolves their names and makes instances that the engine can evaluate."""

from typing import Any

import msgspec

from monitor.judge.engine import RuleInstance
from monitor.rules.expectation import AbsenceTrigger, ExpectationTrigger
from monitor.rules.reading import Bar
from monitor.rules.rule import Condition, Cue, EscalationStep, Rule, Scope, milliseconds, names, number
from monitor.rules.triggers import BoundCue, BoundMeasure, MeasureTrigger, Step, Trigger

BROKEN_WINDOW = 30_000
"""Ms for which a broken expectation counts if the rule has no window."""

META_ALIASES = {"out": ("out", "outbound"), "in": ("in", "inbound")}


def bind(rule: Rule, place: int, *, words: bool = True) -> RuleInstance:
    """Makes the instance of a rule. Without ``words``, ``any`` conditions that need words are left out."""
    if not words and rule.any is not None:
        heard = [one for one in rule.any if not BoundMeasure.of(one).measure.words]
        rule = msgspec.structs.replace(rule, any=heard or rule.any)
    return RuleInstance(rule, _trigger(rule), place, counts=_counts(rule))


def _counts(rule: Rule) -> bool:
    """Whether the value is a count, so that a higher value is worth an update (a duration always grows)."""
    if rule.after is not None:
        return True
    measured = _conditions(rule)
    return all(BoundMeasure.of(one).measure.unit in ("times", "words") for one in measured)


def _conditions(rule: Rule) -> list[Condition]:
    if rule.measure is not None:
        return [_as_condition(rule)]
    return list(rule.all or rule.any or ())


def _as_condition(rule: Rule) -> Condition:
    bars = {key: getattr(rule, key) for key in ("at_least", "at_most", "more_than", "less_than")}
    return Condition(measure=rule.measure or {}, **bars)


def _trigger(rule: Rule) -> Trigger:
    if rule.after is not None:
        return _contract(rule)
    if rule.not_said_by is not None:
        return _absence(rule)
    unless = None if rule.unless is None else BoundCue.of(rule.unless, doubted=True)
    asked = tuple(BoundMeasure.of(one) for one in _conditions(rule))
    clear: float | None = None
    if rule.clear is not None:
        clear = milliseconds(rule.clear) if asked[0].measure.unit == "s" else number(rule.clear)
    if rule.escalation:
        steps = tuple(
            Step((asked[0].stepped(stage),), during=stage.during or rule.during) for stage in rule.escalation
        )
    else:
        steps = (Step(asked, every=rule.any is None, during=rule.during),)
    return MeasureTrigger(steps, clear, unless, at_end=rule.score is not None)


def _contract(rule: Rule) -> ExpectationTrigger:
    stages = rule.escalation or [EscalationStep(at_least=1, window=rule.window)]
    window = milliseconds(rule.window) if rule.window is not None else BROKEN_WINDOW
    return ExpectationTrigger(
        after=BoundCue.of(rule.after or Cue()),
        expect=BoundCue.of(rule.expect or Cue(), doubted=True),
        within=milliseconds(rule.within or 0),
        steps=tuple(Step((), during=stage.during or rule.during) for stage in stages),
        bars=tuple(Bar.of(stage) or Bar("at_least", 1) for stage in stages),
        windows=tuple(window if stage.window is None else milliseconds(stage.window) for stage in stages),
        lookback=milliseconds(rule.lookback or 0),
        turns=rule.turns,
        unless=None if rule.unless is None else BoundCue.of(rule.unless, doubted=True),
    )


def _absence(rule: Rule) -> AbsenceTrigger:
    params = (rule.measure or {}).get("phrases") or {}
    of = params.get("of")
    cue = Cue(caller=of) if params.get("by") == "caller" else Cue(agent=of)
    said = BoundCue.of(cue, doubted=True)
    return AbsenceTrigger(said, milliseconds(rule.not_said_by or 0), Step((), during=rule.during))


def in_scope(scope: Scope | None, meta: dict[str, Any], profile: str) -> bool:
    """Whether the rule applies to a call with this metadata and profile."""
    if scope is None:
        return True
    if scope.direction and meta.get("direction") not in META_ALIASES[scope.direction]:
        return False
    if scope.profile is not None and profile not in names(scope.profile):
        return False
    for key in ("queue", "team"):
        wanted = names(getattr(scope, key))
        if wanted and meta.get(key) not in wanted:
            return False
    return all(meta.get(key) == value for key, value in scope.meta.items())
