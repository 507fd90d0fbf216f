"""The format of rule files: keys, types, units and descriptions.

The keys are fixed, and there are no expressions. A rule has one condition:

- a ``measure`` against a threshold, alone or several under ``all:`` or ``any:`` (one level);
- a ``measure`` of phrases with ``not_said_by``: the words were not said in time;
- ``after`` CUE ``expect`` RESPONSE ``within`` a time, ``unless`` EXEMPTION: an expectation was not met;

and it defines the alert: level, message, audience and frequency. ``KEYS`` describes every key once; the
JSON Schema and the tables of ``docs/rules.md`` are generated from it (``monitor rules docs``).
"""

import re
from typing import Annotated, Any, Literal

from msgspec import Meta, field

from monitor.config import Settings
from monitor.events import Audience, Level
from monitor.timeline import CALL, ms

_TIME = r"^(\d+(\.\d+)?(ms|s|min)|call)$"
_VALUE = r"^\d+(\.\d+)?(ms|s|min|%)$"

Duration = (
    Annotated[float, Meta(ge=0, description="seconds")]
    | Annotated[str, Meta(pattern=_TIME, description="a time such as 20s, 500ms or 2min")]
)  # fmt: skip
"""Seconds, or a duration with its unit. A window may also be ``call``, the whole call so far."""

Number = (
    float | Annotated[str, Meta(pattern=_VALUE, description="a number with a unit: 8s, 2min, 65%")]
)  # fmt: skip
"""A plain number, or one with a unit."""

Names = str | list[str]

MESSAGE_MOST = 60
"""Characters that an agent can read at a glance."""

TITLE_MOST = 40
"""Characters of a rule's title, which must fit a chip on the supervisor page."""

_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "%": 0.01}
_NUMBER = re.compile(r"([\d.]+)(\D+)")


def number(value: float | str) -> float:
    """Converts a ``Number`` or ``Duration`` to a plain number: seconds, or a share of 1.

    Raises:
        ValueError: The text is not a number with a known unit (``call`` is not one).
    """
    if not isinstance(value, str):
        return float(value)
    found = _NUMBER.fullmatch(value)
    if not found:
        raise ValueError(f"not a number with a unit: {value!r}")
    return round(float(found[1]) * _UNITS[found[2]], 6)


def milliseconds(value: float | str) -> int:
    """Converts a ``Duration`` to integer ms; ``call`` becomes ``CALL``."""
    return CALL if value == "call" else ms(number(value))


def names(value: Names | None) -> tuple[str, ...]:
    """Converts one name, several or none to a tuple."""
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


class Threshold(Settings, frozen=True, kw_only=True):
    """A comparison with a limit; exactly one key is given."""

    at_least: Number | None = None
    at_most: Number | None = None
    more_than: Number | None = None
    less_than: Number | None = None


class Condition(Threshold, frozen=True, kw_only=True):
    """A measure against a threshold, as an item of ``all:`` or ``any:``."""

    measure: dict[str, dict[str, Any] | None]


class Cue(Settings, frozen=True, kw_only=True):
    """A cue: phrases of the agent, phrases of the caller, or a moment.

    Several names mean any of them, or with ``every`` all of them.
    """

    agent: Names | None = None
    caller: Names | None = None
    moment: Names | None = None
    longer_than: Duration | None = None
    within: Duration | None = None
    every: bool = False


class During(Settings, frozen=True, kw_only=True):
    """The part of the call in which the rule may open an alert."""

    first: Duration | None = None
    last: Duration | None = None
    after: Duration | None = None
    after_opening: bool = False
    before_closing: bool = False


class Scope(Settings, frozen=True, kw_only=True):
    """The calls that the rule applies to, by their metadata. An absent key matches all calls."""

    direction: Literal["in", "out"] | None = None
    queue: Names | None = None
    team: Names | None = None
    profile: Names | None = None
    meta: dict[str, Any] = field(default_factory=dict)


class EscalationStep(Threshold, frozen=True, kw_only=True):
    """An escalation step: its threshold, and what changes from this step on."""

    window: Duration | None = None
    during: During | None = None
    level: Level | None = None
    message: str | None = None
    to: tuple[Audience, ...] | None = None


class Expected(Settings, frozen=True, kw_only=True):
    """An alert that a test expects to open."""

    at: Duration
    level: Level | None = None
    tolerance: float = 0.5
    card: bool | None = None
    to: tuple[Audience, ...] | None = None


class Example(Settings, frozen=True, kw_only=True):
    """A test inside a rule: a short script of a call, and when the rule's alert must open."""

    call: list[str]
    alerts: list[float | Expected]
    about: str | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    notes: list[str] | None = None
    words: bool = True


class Rule(Threshold, frozen=True, kw_only=True, rename={"for_": "for"}):
    """One rule. ``rule`` is its id; ``rationale`` is the advice behind it, in one sentence."""

    rule: str
    title: str = ""
    rationale: str
    row: int | list[int] | None = None
    level: Level = "info"
    message: str = ""
    to: tuple[Audience, ...] = ("agent",)
    measure: dict[str, dict[str, Any] | None] | None = None
    all: list[Condition] | None = None
    any: list[Condition] | None = None
    not_said_by: Duration | None = None
    after: Cue | None = None
    expect: Cue | None = None
    within: Duration | None = None
    turns: int | None = None
    lookback: Duration | None = None
    window: Duration | None = None
    unless: Cue | None = None
    during: During | None = None
    scope: Scope | None = None
    escalation: list[EscalationStep] | None = None
    for_: Duration = 0.0
    clear: Number | None = None
    cooldown: Duration = 30.0
    budget: int | None = None
    expires: Duration | None = None
    escalate_after: Duration | None = None
    inhibits: Names | None = None
    inhibits_for: Duration = 120.0
    at_pause: Duration | None = None
    priority: int = 0
    card: Literal["auto", "never"] = "auto"
    praise: bool = False
    private: bool = False
    note: str | None = None
    score: str | None = None
    off: bool = False
    tests: tuple[Example, ...] = ()

    @property
    def name(self) -> str:
        """The rule's title, or its id in words."""
        return self.title or spelled(self.rule).capitalize()

    @property
    def rows(self) -> tuple[int, ...]:
        """The rulebook rows that the rule implements."""
        return () if self.row is None else (self.row,) if isinstance(self.row, int) else tuple(self.row)


def spelled(name: str) -> str:
    """An id in words: ``interrupt.agent`` becomes "interrupt agent"."""
    return name.replace(".", " ").replace("_", " ")


THRESHOLD_KEYS = {
    "at_least": "met from this value on",
    "at_most": "met up to this value",
    "more_than": "met above this value",
    "less_than": "met below this value",
}

LIKE = (
    "the id of a rule whose keys this one takes over, unless it has them itself (not `title`, `row`, `tests`)"
)
OVERRIDE = "instead of `rule`: the id of a rule in an earlier file, of which the other keys given here change"
"""The two keys of entries in a file that a loaded rule no longer has."""

KEYS: dict[type[Settings], dict[str, str]] = {
    Rule: {
        "rule": "the id, unique among all files",
        "title": f"a short name for people, at most {TITLE_MOST} characters; without one the id in words",
        "rationale": "the advice behind the rule, in one sentence",
        "row": "the row of the rulebook that the rule implements, or a list of rows",
        "level": "how serious an alert is: `info`, `warn` or `critical`",
        "message": f"the text to the agent: at most {MESSAGE_MOST} characters, kind, the next step first; "
        "`{detail}` is replaced by what was found",
        "to": "who sees the alert: `[agent]`, `[agent, supervisor]` or `[supervisor]`",
        "measure": "the condition: one measure with its parameters",
        "all": "the condition: several measures, all of which must be met",
        "any": "the condition: several measures, one of which must be met",
        **THRESHOLD_KEYS,
        "not_said_by": "with a measure of phrases: met when none was said by this time",
        "after": "the condition: a cue that must be followed by something",
        "expect": "with `after`: the cue that must follow",
        "within": "with `after`: how soon it must follow",
        "turns": "with `after`: the deadline is also the end of this many turns of the answering side",
        "lookback": "with `after`: a response up to this long before the cue counts, too",
        "window": "with `after`: for how long an unmet expectation counts (default 30 s); "
        "the window of a measure is one of its parameters",
        "unless": "no alert if this cue came before the deadline of `after`, or in the last 20 s before "
        "a measure is met",
        "during": "the part of the call in which an alert may open",
        "scope": "the calls that the rule applies to, by their metadata",
        "escalation": "steps, each with a threshold and with what changes from there on",
        "for": "how long the condition must hold before an alert opens",
        "clear": "an open alert closes only when the value has passed this one (hysteresis)",
        "cooldown": "the minimum time between two alerts of the rule, and between their cards",
        "budget": "the maximum number of alerts in a call",
        "expires": "an alert closes after this time, whatever the value",
        "escalate_after": "an alert that stays open this long goes to supervisors, too",
        "inhibits": "rules (or `all`) whose cards are held back because this alert matters more",
        "inhibits_for": "for how long they are held back; `0` is as long as the alert is open",
        "at_pause": "the card waits until both sides have been silent for this long",
        "priority": "which card comes first among cards of one level: the higher number",
        "card": "`auto`: the alert may become a card on the agent's screen; `never`: it does not",
        "praise": "`true`: the alert says that something went well",
        "private": "`true`: for the agent alone, never stored",
        "note": "what was found is noted under this name; with the measure `worth_noting` there is no alert",
        "score": "the value goes to the scorecard under this name, and there is no alert",
        "off": "`true` switches the rule off",
        "tests": "short scripts of calls, with the times at which the alert must open",
    },
    Condition: {"measure": "one measure with its parameters", **THRESHOLD_KEYS},
    Cue: {
        "agent": "classes of phrases, said by the agent",
        "caller": "classes of phrases, said by the caller",
        "moment": "something that happened, see below",
        "longer_than": "the moment must have lasted longer than this",
        "within": "how long ago it may have come, or after an `after` cue how much later",
        "every": "`true`: all of the names are needed; `false`: one of them is enough",
    },
    During: {
        "first": "only in this much time from the beginning",
        "last": "only in this much time before the end; evaluated when the call ends",
        "after": "only after this much time",
        "after_opening": "`true`: only after each side has had a turn",
        "before_closing": "`true`: only before either side begins to say goodbye",
    },
    Scope: {
        "direction": "`in` or `out`",
        "queue": "one queue, or a list",
        "team": "one team, or a list",
        "profile": "one profile, or a list",
        "meta": "metadata fields and the values that they must have",
    },
    EscalationStep: {
        **THRESHOLD_KEYS,
        "window": "another window for the measure",
        "during": "another part of the call",
        "level": "another level",
        "message": "another text to the agent",
        "to": "another audience",
    },
    Example: {
        "call": "the lines of the script",
        "alerts": "when alerts of this rule open, in call seconds: numbers, or keys as below",
        "about": "what the test shows",
        "meta": "metadata of the call",
        "notes": "the texts of the expected notes",
        "words": "`false`: without a recogniser",
    },
    Expected: {
        "at": "when it opens, in call seconds",
        "level": "the highest level that it reaches",
        "tolerance": "how many seconds it may be away from `at`",
        "card": "whether it is a card when it opens",
        "to": "everybody who sees it while it is open",
    },
}
"""The description of each key, by type. The JSON Schema and the manual are generated from this."""


QUESTIONS = ("measure", "all", "any", "after")
"""The conditions; a rule has exactly one of them."""
