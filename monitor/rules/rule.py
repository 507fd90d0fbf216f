"""What may stand in a file of rules: the keys, their types, their units. ``docs/rules.md`` explains them.

Fixed keys, no expressions. A rule asks one of four kinds of question:

- a ``measure`` against a threshold, alone or several under ``all:`` or ``any:`` (one level);
- a ``measure`` of phrases with ``not_said_by``: the words did not come in time;
- ``after`` CUE ``expect`` RESPONSE ``within`` a time, ``unless`` EXEMPTION: a promise was not kept;
- and it says what to do about it: level, text, audience, and how often.
"""

import re
from typing import Annotated, Any, Literal

from msgspec import Meta, field

from monitor.config import Settings
from monitor.events import Audience, Channel, Level

_TIME = r"^(\d+(\.\d+)?(ms|s|min)|call)$"
_VALUE = r"^\d+(\.\d+)?(ms|s|min|%)$"

Duration = (
    Annotated[float, Meta(ge=0, description="seconds")]
    | Annotated[str, Meta(pattern=_TIME, description="a time such as 20s, 500ms or 2min")]
)  # fmt: skip
"""Seconds, or a time with its unit. A window may also be ``call``: everything so far."""

Number = (
    float | Annotated[str, Meta(pattern=_VALUE, description="a number with a unit: 8s, 2min, 65%")]
)  # fmt: skip
"""A plain number, or one with a unit."""

Names = str | list[str]

MESSAGE_MOST = 60
"""Characters that an agent can read at a glance."""

_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "%": 0.01}
_NUMBER = re.compile(r"([\d.]+)(\D+)")


def number(value: float | str) -> float:
    """The plain number of a ``Number`` or ``Duration``: seconds, or a share of 1; ``call`` is endless."""
    if not isinstance(value, str):
        return float(value)
    if value == "call":
        return float("inf")
    found = _NUMBER.fullmatch(value)
    if not found:
        raise ValueError(f"not a number with a unit: {value!r}")
    return round(float(found[1]) * _UNITS[found[2]], 6)


def names(value: Names | None) -> tuple[str, ...]:
    """One name or several, as a tuple."""
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


class Threshold(Settings, frozen=True, kw_only=True):
    """A comparison; exactly one key counts."""

    at_least: Number | None = None
    at_most: Number | None = None
    more_than: Number | None = None
    less_than: Number | None = None


class Condition(Threshold, frozen=True, kw_only=True):
    """A measure against a threshold, as it stands under ``all:`` or ``any:``."""

    measure: dict[str, dict[str, Any] | None]


class Cue(Settings, frozen=True, kw_only=True):
    """Something that was said, or that happened: phrases of the agent, phrases of the caller, or a moment.

    Several names mean any of them, or with ``every`` all of them. ``within`` limits how long ago (or,
    in a contract, how much later).
    """

    agent: Names | None = None
    caller: Names | None = None
    moment: Names | None = None
    longer_than: Duration | None = None
    within: Duration | None = None
    every: bool = False


class During(Settings, frozen=True, kw_only=True):
    """The part of the call in which the rule may open an alert. ``last`` is judged when the call ends."""

    first: Duration | None = None
    last: Duration | None = None
    after: Duration | None = None
    after_opening: bool = False
    before_closing: bool = False


class Scope(Settings, frozen=True, kw_only=True):
    """The calls that the rule is for, by what the call's metadata say. A key that is absent admits all."""

    direction: Literal["in", "out"] | None = None
    queue: Names | None = None
    team: Names | None = None
    profile: Names | None = None
    meta: dict[str, Any] = field(default_factory=dict)


class EscalationStep(Threshold, frozen=True, kw_only=True):
    """A step of the escalation: what it takes to get here, and what is different from here on."""

    window: Duration | None = None
    during: During | None = None
    level: Level | None = None
    message: str | None = None
    to: tuple[Audience, ...] | None = None


class Expected(Settings, frozen=True, kw_only=True):
    """An alert that a test expects to open: ``at`` in call seconds."""

    at: Duration
    level: Level | None = None
    tolerance: float = 0.5
    card: bool | None = None
    to: tuple[Audience, ...] | None = None


class Example(Settings, frozen=True, kw_only=True):
    """A test inside a rule: a short script of a call, and when the rule's alert opens."""

    call: list[str]
    alerts: list[float | Expected]
    meta: dict[str, Any] = field(default_factory=dict)
    notes: list[str] | None = None
    words: bool = True
    about: str | None = None


class Rule(Threshold, frozen=True, kw_only=True, rename={"for_": "for"}):
    """One rule. ``rule`` is its id; ``rationale`` is the advice behind it, in one sentence."""

    rule: str
    rationale: str
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
    private: bool = False
    card: bool = True
    note: str | None = None
    score: str | None = None
    off: bool = False
    tests: tuple[Example, ...] = ()


QUESTIONS = ("measure", "all", "any", "after")
"""A rule has exactly one of these."""

SIDES: tuple[Channel, ...] = ("agent", "caller")
