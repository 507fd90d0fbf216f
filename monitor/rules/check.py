"""Checks rules beyond the types of their keys: known names, possible times, text lengths, combinations."""

from collections.abc import Iterable, Mapping

from monitor.rules.measures import MEASURES
from monitor.rules.measures.facts import fact_names
from monitor.rules.measures.registry import Facts
from monitor.rules.reading import COMPARISONS, Bar
from monitor.rules.rule import MESSAGE_MOST, QUESTIONS, TITLE_MOST, Rule, milliseconds, names, number
from monitor.rules.triggers import MOMENTS
from monitor.timeline import CALL, HORIZON, seconds
from monitor.yaml_source import YamlPosition, meant

RENAMED = {
    "hold": "for",
    "ladder": "escalation",
    "looking_back": "lookback",
    "mutes": "inhibits",
    "mutes_for": "inhibits_for",
    "only": "scope",
    "say": "message",
    "why": "rationale",
}
"""Former names of rule keys, and the current ones."""

COUNTED = {
    "interruptions": "interruption",
    "talk_overs": "talk_over",
    "raises": "raised_voice",
    "holds": "hold",
}
"""Former measures, and what `count` takes in their place."""


def refuse_renamed(place: YamlPosition) -> None:
    """Rejects former names of keys in the rule (or override) at ``place``.

    Raises:
        BadInput: A key has been renamed; the message gives the current name.
    """
    _refuse(place, RENAMED)
    if isinstance(place.plain.get("card"), bool):
        former, now = ("true", "auto") if place.plain["card"] else ("false", "never")
        raise place.part("card").wrong(f"`card` is `auto` or `never`; write `{now}` for `{former}`.")
    for key, renamed in (("escalation", RENAMED), ("tests", {"why": "about"})):
        parts = place.plain.get(key)
        for at in range(len(parts) if isinstance(parts, list) else 0):
            _refuse(place.part(key, at), renamed)


def _refuse(place: YamlPosition, renamed: Mapping[str, str]) -> None:
    for key in place.plain if isinstance(place.plain, dict) else ():
        if key in renamed:
            raise place.part(key).wrong(f"`{key}` is now `{renamed[key]}`.")


def check(place: YamlPosition, classes: frozenset[str]) -> Rule:
    """Reads and checks the rule at ``place``; ``classes`` are the known phrase classes.

    Raises:
        BadInput: The rule is invalid; the message says where, and what was expected.
    """
    rule = place.typed(Rule)
    asked = [key for key in QUESTIONS if getattr(rule, key) is not None]
    if len(asked) != 1:
        told = f"it has {' and '.join(asked)}" if asked else "it has none"
        raise place.wrong(f"a rule needs exactly one of {', '.join(QUESTIONS)}; {told}.")
    _check_texts(place, rule)
    _check_question(place, rule, classes)
    _check_cues(place, classes)
    _check_times(place, rule)
    _check_escalation(place, rule)
    return rule


def _check_texts(place: YamlPosition, rule: Rule) -> None:
    said: list[tuple[tuple[str | int, ...], str]] = [(("message",), rule.message)]
    said += [
        (("escalation", at, "message"), step.message or "") for at, step in enumerate(rule.escalation or ())
    ]
    if len(rule.title) > TITLE_MOST:
        raise place.part("title").wrong(
            f"a title has at most {TITLE_MOST} characters; this one has {len(rule.title)}."
        )
    for keys, text in said:
        if len(text) > MESSAGE_MOST:
            raise place.part(*keys).wrong(
                f"a text to the agent has at most {MESSAGE_MOST} characters; this one has {len(text)}."
            )
    if (
        "agent" in rule.to
        and rule.card == "auto"
        and not rule.message
        and rule.score is None
        and rule.note is None
    ):
        raise place.part("message").wrong("an alert to the agent needs a text that says what to do next.")


def _check_question(place: YamlPosition, rule: Rule, classes: frozenset[str]) -> None:
    if rule.measure is not None:
        _check_measure(place.part("measure"), rule.measure, classes)
    for key in ("all", "any"):
        for at, condition in enumerate(getattr(rule, key) or ()):
            _check_measure(place.part(key, at, "measure"), condition.measure, classes)
            _check_bar(place.part(key, at), condition, needed=True)
    bars = rule.measure is not None and not rule.escalation and rule.not_said_by is None and rule.note is None
    _check_bar(place, rule, needed=bars and rule.score is None)
    if rule.not_said_by is not None and "phrases" not in (rule.measure or {}):
        raise place.part("not_said_by").wrong(
            "it goes with a measure of phrases: `measure: {phrases: {of: ..., by: ...}}`."
        )
    if rule.after is not None and (rule.expect is None or rule.within is None):
        raise place.part("after").wrong(
            "`after` needs `expect` (what ought to follow) and `within` (how soon)."
        )
    if rule.after is None and (
        rule.expect is not None or rule.turns is not None or rule.lookback is not None
    ):
        raise place.part("expect").wrong("`expect`, `turns` and `lookback` go with `after`.")


def _check_measure(place: YamlPosition, written: Mapping[str, object], classes: frozenset[str]) -> None:
    if len(written) != 1:
        raise place.wrong("exactly one measure was expected here; several go under `all:` or `any:`.")
    name, params = next(iter(written.items()))
    if name in COUNTED:
        raise place.part(name).wrong(f"`{name}` is now `count: {{of: {COUNTED[name]}}}`.")
    if name not in MEASURES:
        listed = ", ".join(sorted(MEASURES))
        raise place.part(name).wrong(
            f"there is no measure {name}{meant(name, MEASURES)}; the measures are: {listed}."
        )
    inside = place.part(name)
    measure = MEASURES[name]
    (inside if params else inside.replaced({})).typed(measure.params)
    given = measure.read(params)
    for key, value in given.items():
        if isinstance(value, tuple):
            found = measure.kinds[key] is Facts
            _check_classes(inside.part(key), value, classes | fact_names() if found else classes)
        if key == "window" and value != CALL and not 0 < value <= HORIZON:
            longest = f"{seconds(HORIZON):.0f} s"
            raise inside.part(key).wrong(f"a window is above 0 and at most {longest}, or `call`.")


def _check_classes(place: YamlPosition, wanted: Iterable[str], classes: frozenset[str]) -> None:
    for name in wanted:
        if name not in classes:
            listed = ", ".join(sorted(classes))
            raise place.wrong(f"there are no phrases {name}{meant(name, classes)}; there are: {listed}.")


def _check_bar(place: YamlPosition, given: object, *, needed: bool) -> None:
    keys = [key for key in COMPARISONS if getattr(given, key) is not None]
    if len(keys) > 1 or (needed and not keys):
        raise place.wrong(f"exactly one of {', '.join(COMPARISONS)} was expected.")


def _check_cues(place: YamlPosition, classes: frozenset[str]) -> None:
    for key in ("after", "expect", "unless"):
        cue = place.part(key)
        if not isinstance(cue.plain, dict):
            continue
        if not any(cue.plain.get(side) for side in ("agent", "caller", "moment")):
            raise cue.wrong("something said by `agent` or `caller`, or a `moment`, was expected.")
        for side in ("agent", "caller"):
            _check_classes(cue.part(side), names(cue.plain.get(side)), classes)
        for moment in names(cue.plain.get("moment")):
            if moment not in MOMENTS:
                raise cue.part("moment").wrong(
                    f"there is no moment {moment}{meant(moment, MOMENTS)}; there are: {', '.join(MOMENTS)}."
                )


def _check_times(place: YamlPosition, rule: Rule) -> None:
    for key in (
        "for_",
        "cooldown",
        "expires",
        "within",
        "lookback",
        "not_said_by",
        "inhibits_for",
        "at_pause",
    ):
        value = getattr(rule, key)
        if value is not None and milliseconds(value) > HORIZON:
            raise place.part(key.rstrip("_")).wrong(
                f"this time is longer than {seconds(HORIZON):.0f} s, which is all that is remembered."
            )
    if rule.window is not None and rule.after is None:
        raise place.part("window").wrong("a window beside a measure stands inside the measure.")
    if rule.within is not None and rule.lookback is None and milliseconds(rule.within) <= 0:
        raise place.part("within").wrong("nothing can be said within 0 s; a time above 0 was expected.")
    for at, example in enumerate(rule.tests):
        if len(example.alerts) > 1 and rule.budget is not None and rule.budget < len(example.alerts):
            raise place.part("tests", at, "alerts").wrong(
                f"the rule opens at most {rule.budget} alert in a call."
            )
    during = rule.during
    if during and during.first is not None and during.last is not None:
        raise place.part("during").wrong("`first` and `last` cannot both hold; one of them was expected.")
    clear = rule.clear
    bar = Bar.of(rule)
    if clear is not None and bar is not None and bar.rising and number(clear) > bar.limit:
        raise place.part("clear").wrong(
            "an alert clears below the value at which it opens; a smaller number was expected."
        )


def _check_escalation(place: YamlPosition, rule: Rule) -> None:
    if not rule.escalation:
        return
    if rule.all or rule.any or rule.not_said_by is not None:
        raise place.part("escalation").wrong("an escalation goes with one measure, or with `after`.")
    if Bar.of(rule) is not None:
        raise place.part("escalation").wrong(
            "the steps of the escalation have the thresholds; the rule itself has none then."
        )
    for at, step in enumerate(rule.escalation):
        _check_bar(place.part("escalation", at), step, needed=True)
