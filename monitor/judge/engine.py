"""The engine: the life of each alert, and when each rule is evaluated.

The life of an alert, as a table. Everything about states and what moves between them is here.

    quiet --met--> pending --held--> open --unmet--> cooling --cooled--> quiet
                      `----unmet--> quiet   `--ended--> cooling

``met`` and ``unmet`` come from the rule's question, ``held`` when it has been met for the rule's
``hold``, ``ended`` when an alert expires or a person puts it away, ``cooled`` when the cooldown is over
(and, after ``ended``, when the question has been unmet in between).

The engine: rules are asked when something they depend on happened, or when they are due. Nothing else.

Time between facts is a grid of 0.1 s, counted from the start of the call. A rule whose answer changes
by itself (a running silence, a window that empties) says when, and is asked at the first tick from
then on; a tick is run once the call has gone past it, so it does not matter how the call was cut.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from heapq import heappop, heappush
from math import ceil

from monitor.rules.measures import Measure
from monitor.rules.reading import Bar, Reading
from monitor.rules.rule import Rule, number
from monitor.rules.triggers import NOT_MET, Assessment, BoundMeasure, Trigger
from monitor.timeline import Timeline


class State(Enum):
    """Where a rule is in the life of its alert."""

    QUIET = "quiet"
    PENDING = "pending"
    OPEN = "open"
    COOLING = "cooling"


class Signal(Enum):
    """What moves a rule from one state to the next."""

    MET = "met"
    UNMET = "unmet"
    HELD = "held"
    ENDED = "ended"
    COOLED = "cooled"


TRANSITIONS: dict[tuple[State, Signal], State] = {
    (State.QUIET, Signal.MET): State.PENDING,
    (State.PENDING, Signal.UNMET): State.QUIET,
    (State.PENDING, Signal.HELD): State.OPEN,
    (State.OPEN, Signal.UNMET): State.COOLING,
    (State.OPEN, Signal.ENDED): State.COOLING,
    (State.COOLING, Signal.COOLED): State.QUIET,
}
"""Any other signal leaves the state as it is."""


def after(state: State, signal: Signal) -> State:
    """The state that follows."""
    return TRANSITIONS.get((state, signal), state)


TICK = 0.1
"""Seconds of the grid on which running durations are judged."""

NEVER = 1 << 60
"""A tick that no call reaches."""

WRONG_REST = 600.0
"""Seconds that a rule rests after a person called its alert wrong."""


@dataclass(slots=True)
class LiveAlert:
    """An alert while it lives."""

    number: int
    watch: "RuleInstance"
    step: int
    reading: Reading
    bar: Bar
    start: float
    at: float
    opened: float
    asked: BoundMeasure | None = None

    @property
    def measure(self) -> Measure | None:
        """What was measured, unless the alert is about words that did not come."""
        return self.asked.measure if self.asked else None

    @property
    def key(self) -> str:
        """Its id in the call."""
        return f"{self.watch.rule.rule}-{self.number}"


@dataclass(slots=True)
class AlertChange:
    """Something in the life of an alert that people should hear of."""

    kind: str
    alert: LiveAlert
    reason: str = ""


@dataclass(slots=True)
class RuleInstance:
    """A rule at work on a call: its question, and where it is in the life of its alert."""

    rule: Rule
    trigger: Trigger
    place: int
    counts: bool = True
    state: State = State.QUIET
    alert: LiveAlert | None = None
    since: float = 0.0
    rests_until: float = 0.0
    must_clear: bool = False
    seen_at: float = -1.0
    opened: int = 0
    due: int = field(default=-1)

    @property
    def holds(self) -> float:
        """Seconds that the question must be met before an alert opens."""
        return number(self.rule.for_)


def tick_after(moment: float) -> int:
    """The first tick that is not before ``moment``."""
    return ceil(moment / TICK - 1e-6)


class Engine:
    """All rules of a call. ``wake`` and ``advance`` yield what changes."""

    def __init__(self, watches: Iterable[RuleInstance], line: Timeline) -> None:
        self.watches = list(watches)
        self._line = line
        self._by_topic: dict[str, list[RuleInstance]] = {}
        self._due: list[tuple[int, int]] = []
        self._tick = -1
        self._numbers: dict[str, int] = {}
        for watch in self.watches:
            for topic in watch.trigger.topics:
                self._by_topic.setdefault(topic, []).append(watch)

    def begin(self) -> Iterator[AlertChange]:
        """Asks every rule once, so that each can say when it is due."""
        for watch in self.watches:
            yield from self.look(watch)

    def wake(self, topics: Iterable[str]) -> Iterator[AlertChange]:
        """Asks the rules that depend on any of these topics, in the order of the book."""
        woken: dict[int, RuleInstance] = {}
        for topic in topics:
            for watch in self._by_topic.get(topic, ()):
                woken[watch.place] = watch
        for place in sorted(woken):
            yield from self.look(woken[place])

    def next_tick(self) -> int:
        """The earliest tick at which a rule is due."""
        due = self._due
        while due and self.watches[due[0][1]].due != due[0][0]:
            heappop(due)
        return due[0][0] if due else NEVER

    def run(self, tick: int) -> Iterator[AlertChange]:
        """Asks the rules that are due at ``tick``; the timeline stands there already."""
        self._tick = tick
        due: set[int] = set()
        while self._due and self._due[0][0] <= tick:
            when, place = heappop(self._due)
            if self.watches[place].due == when:
                self.watches[place].due = -1
                due.add(place)
        for place in sorted(due):
            yield from self.look(self.watches[place])

    def look(self, watch: RuleInstance) -> Iterator[AlertChange]:
        """Asks one rule, and moves it on in the life of its alert."""
        look = watch.trigger.look(self._line, watch.alert.step if watch.alert else NOT_MET)
        now = self._line.now
        yield from self._move(watch, look, now)
        self._plan(watch, look, now)

    def put_away(self, alert: LiveAlert, reason: str) -> Iterator[AlertChange]:
        """A person has seen to this alert (or called it wrong)."""
        watch = alert.watch
        if watch.alert is not alert:
            return
        if reason == "wrong":
            watch.rests_until = self._line.now + WRONG_REST
        watch.must_clear = True
        yield self._close(watch, reason, Signal.ENDED)

    def finish(self) -> Iterator[AlertChange]:
        """The call is over: every rule is asked once more, then all alerts close."""
        for watch in self.watches:
            yield from self.look(watch)
        for watch in self.watches:
            if watch.alert:
                yield self._close(watch, "call ended", Signal.ENDED)

    # --- inside ---

    def _move(self, watch: RuleInstance, look: Assessment, now: float) -> Iterator[AlertChange]:
        met = look.step != NOT_MET
        if watch.state is State.COOLING:
            self._cool(watch, look, now)
        if watch.state is State.OPEN and watch.alert:
            if met:
                yield from self._grow(watch, watch.alert, look)
            elif not look.staying:
                yield self._close(watch, "cleared", Signal.UNMET)
                return
            if self._expired(watch, now):
                watch.must_clear = True
                yield self._close(watch, "expired", Signal.ENDED)
            return
        if watch.state is State.QUIET and met and self._may_open(watch, look):
            watch.state, watch.since = after(watch.state, Signal.MET), now
        elif watch.state is State.PENDING and not met:
            watch.state = after(watch.state, Signal.UNMET)
        if watch.state is State.PENDING and now >= watch.since + watch.holds - 1e-9:
            yield self._open(watch, look, now)

    def _may_open(self, watch: RuleInstance, look: Assessment) -> bool:
        """Within the rule's budget, and about something that an earlier alert was not about."""
        within = watch.rule.budget is None or watch.opened < watch.rule.budget
        return within and look.at > watch.seen_at + 1e-9

    def _cool(self, watch: RuleInstance, look: Assessment, now: float) -> None:
        if look.step == NOT_MET and not look.staying:
            watch.must_clear = False
        elif look.step != NOT_MET and watch.rests_until > now + 1e-9:
            watch.seen_at = max(watch.seen_at, look.at)
        if now >= watch.rests_until - 1e-9 and not watch.must_clear:
            watch.state = after(watch.state, Signal.COOLED)

    def _open(self, watch: RuleInstance, look: Assessment, now: float) -> AlertChange:
        watch.state = after(watch.state, Signal.HELD)
        watch.opened += 1
        name = watch.rule.rule
        self._numbers[name] = self._numbers.get(name, 0) + 1
        at = min(now, look.at + watch.holds)
        start = min(look.reading.start, at)
        watch.alert = LiveAlert(
            self._numbers[name], watch, look.step, look.reading, look.bar, start, at, now, look.asked
        )
        watch.rests_until = max(watch.rests_until, now + number(watch.rule.cooldown))
        return AlertChange("opened", watch.alert)

    def _grow(self, watch: RuleInstance, alert: LiveAlert, look: Assessment) -> Iterator[AlertChange]:
        more = watch.counts and (look.reading.value or 0.0) > (alert.reading.value or 0.0)
        if look.step <= alert.step and not more:
            if (look.reading.value or 0.0) < (alert.reading.value or 0.0):
                alert.reading = look.reading
            return
        alert.reading, alert.bar, alert.at = look.reading, look.bar, max(alert.at, look.at)
        alert.step = max(alert.step, look.step)
        yield AlertChange("updated", alert)

    def _expired(self, watch: RuleInstance, now: float) -> bool:
        expires = watch.rule.expires
        return expires is not None and watch.alert is not None and (
            now >= watch.alert.opened + number(expires) - 1e-9
        )  # fmt: skip

    def _close(self, watch: RuleInstance, reason: str, signal: Signal) -> AlertChange:
        alert = watch.alert
        if alert is None:
            raise RuntimeError("only an open alert can be closed")
        watch.state, watch.alert = after(watch.state, signal), None
        watch.seen_at = max(watch.seen_at, alert.at - watch.holds)
        return AlertChange("closed", alert, reason)

    def _plan(self, watch: RuleInstance, look: Assessment, now: float) -> None:
        """When the rule is asked next though nothing happens."""
        moments = [] if look.again is None else [look.again]
        if watch.state is State.PENDING:
            moments.append(watch.since + watch.holds)
        if watch.state is State.OPEN and watch.alert and watch.rule.expires is not None:
            moments.append(watch.alert.opened + number(watch.rule.expires))
        if watch.state is State.COOLING and not watch.must_clear:
            moments.append(watch.rests_until)
        moments = [moment for moment in moments if moment != float("inf")]
        if not moments:
            watch.due = -1
            return
        tick = max(tick_after(min(moments)), tick_after(now), self._tick + 1)
        if tick != watch.due:
            watch.due = tick
            heappush(self._due, (tick, watch.place))
