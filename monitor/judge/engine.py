"""The engine evaluates rules when their inputs change, and runs the state machine of each rule's alert.

All states and transitions are defined here:

    quiet --met--> pending --held--> open --unmet--> cooling --cooled--> quiet
                      `----unmet--> quiet   `--ended--> cooling

``met`` and ``unmet`` come from the rule's condition, ``held`` when it has been met for the rule's
``hold``, ``ended`` when an alert expires or a person dismisses it, ``cooled`` when the cooldown is over
(and, after ``ended``, when the condition has been unmet in between).

A rule is evaluated through a ``TimelineView``, which records the keys of the timeline that were read and the
earliest time at which the outcome may change without an event. The engine subscribes the rule to exactly
these keys and evaluates it again when one of them changes or that time is reached, whichever is first. In
between its outcome is constant, so evaluating every rule at every event (``eager``) gives the same alerts at
the same times; a test over all recorded calls verifies this.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import Enum
from heapq import heappop, heappush

from monitor.rules.measures import Measure
from monitor.rules.reading import Bar, Reading
from monitor.rules.rule import Rule, milliseconds
from monitor.rules.triggers import NOT_MET, Assessment, BoundMeasure, Trigger
from monitor.timeline import CALL, Key, Read, Timeline, TimelineView, keys_of


class State(Enum):
    """The state of a rule's alert."""

    QUIET = "quiet"
    PENDING = "pending"
    OPEN = "open"
    COOLING = "cooling"


class Signal(Enum):
    """The causes of transitions between states."""

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
"""All transitions; any other signal leaves the state unchanged."""


def after(state: State, signal: Signal) -> State:
    """The state after ``signal``."""
    return TRANSITIONS.get((state, signal), state)


GRID = 100
"""Ms between two additional evaluations of an eager engine."""

WRONG_REST = 600_000
"""Cooldown in ms after a person marked the rule's alert as wrong."""


@dataclass(slots=True)
class LiveAlert:
    """An open alert. Times are ms of the call."""

    number: int
    watch: "RuleInstance"
    step: int
    reading: Reading
    bar: Bar
    start: int
    at: int
    opened: int
    asked: BoundMeasure | None = None

    @property
    def measure(self) -> Measure | None:
        """The measure of the rule; null if the alert is about words that were not said."""
        return self.asked.measure if self.asked else None

    @property
    def key(self) -> str:
        """The alert's id in the call."""
        return f"{self.watch.rule.rule}-{self.number}"


@dataclass(slots=True)
class AlertChange:
    """A change of an alert that is to be published."""

    kind: str
    alert: LiveAlert
    reason: str = ""


@dataclass(slots=True)
class RuleInstance:
    """A rule on one call: its condition and the state of its alert.

    Times are ms of the call. ``reads`` is what its last evaluation read; ``due`` is when it is evaluated
    next without an event (``CALL``: never).
    """

    rule: Rule
    trigger: Trigger
    place: int
    counts: bool = True
    state: State = State.QUIET
    alert: LiveAlert | None = None
    since: int = 0
    rests_until: int = 0
    must_clear: bool = False
    seen_at: int = -1
    opened: int = 0
    reads: AbstractSet[Read] = frozenset()
    due: int = CALL
    holds: int = field(init=False)
    """Ms for which the condition must be met before an alert opens."""

    cooldown: int = field(init=False)
    expires: int | None = field(init=False)

    def __post_init__(self) -> None:
        self.holds = milliseconds(self.rule.for_)
        self.cooldown = milliseconds(self.rule.cooldown)
        self.expires = None if self.rule.expires is None else milliseconds(self.rule.expires)


class Engine:
    """Evaluates all rules of a call; ``wake`` returns the resulting changes.

    An ``eager`` engine evaluates every rule at each call of ``wake`` and every 0.1 s. It is the reference in
    tests of the subscriptions.
    """

    def __init__(self, watches: Iterable[RuleInstance], line: Timeline, *, eager: bool = False) -> None:
        self.watches = list(watches)
        self._line = line
        self._view = TimelineView(line)
        self._readers: dict[Key, set[int]] = {}
        self._due: list[tuple[int, int]] = []
        self._numbers: dict[str, int] = {}
        self._eager = eager

    def begin(self) -> list[AlertChange]:
        """Evaluates every rule once, so that each has subscriptions."""
        return [change for watch in self.watches for change in self.look(watch)]

    def concerned(self, keys: Iterable[Key]) -> bool:
        """Whether any rule must be evaluated after a change of these keys."""
        if self._eager or (self._due and self._due[0][0] <= self._line.now):
            return True
        return not self._readers.keys().isdisjoint(keys)

    def wake(self, keys: Iterable[Key] = ()) -> list[AlertChange]:
        """Evaluates the rules that have read any of these keys or are due, in the order of the rule set."""
        places: set[int] = set()
        for key in keys:
            if readers := self._readers.get(key):
                places |= readers
        now, due = self._line.now, self._due
        while due and due[0][0] <= now:
            when, place = heappop(due)
            if self.watches[place].due == when:
                places.add(place)
        woken = range(len(self.watches)) if self._eager else sorted(places)
        return [change for place in woken for change in self.look(self.watches[place])]

    def next_due(self) -> int:
        """The earliest time at which a rule is due."""
        due = self._due
        while due and self.watches[due[0][1]].due != due[0][0]:
            heappop(due)
        earliest = due[0][0] if due else CALL
        return min(earliest, (self._line.now // GRID + 1) * GRID) if self._eager else earliest

    def look(self, watch: RuleInstance) -> list[AlertChange]:
        """Evaluates one rule and applies the resulting transitions."""
        view, opened = self._view, watch.alert
        view.begin()
        seen = watch.trigger.assess(view, opened.step if opened else NOT_MET)
        changes = self._move(watch, seen, view.now)
        if opened and watch.alert is None:  # the condition met now was that of the alert that has just closed
            seen = watch.trigger.assess(view, NOT_MET)
            changes += self._move(watch, seen, view.now)
        if view.reads != watch.reads:
            self._subscribe(watch, view.reads)
        self._plan(watch, seen, view)
        return changes

    def put_away(self, alert: LiveAlert, reason: str) -> list[AlertChange]:
        """Closes an alert that a person acknowledged or marked as wrong."""
        watch = alert.watch
        if watch.alert is not alert:
            return []
        if reason == "wrong":
            watch.rests_until = self._line.now + WRONG_REST
        watch.must_clear = True
        return [self._close(watch, reason, Signal.ENDED), *self.look(watch)]

    def finish(self) -> list[AlertChange]:
        """Ends the call: evaluates every rule once more, then closes all alerts."""
        last = [change for watch in self.watches for change in self.look(watch)]
        return last + [
            self._close(watch, "call ended", Signal.ENDED) for watch in self.watches if watch.alert
        ]

    # --- inside ---

    def _move(self, watch: RuleInstance, seen: Assessment, now: int) -> list[AlertChange]:
        met = seen.step != NOT_MET
        if watch.state is State.COOLING:
            self._cool(watch, seen, now)
        if watch.state is State.OPEN and watch.alert:
            return self._stay(watch, watch.alert, seen, now)
        if watch.state is State.QUIET and met and self._may_open(watch, seen):
            watch.state, watch.since = after(watch.state, Signal.MET), now
        elif watch.state is State.PENDING and not met:
            watch.state = after(watch.state, Signal.UNMET)
        if watch.state is State.PENDING and now >= watch.since + watch.holds:
            return [self._open(watch, seen, now)]
        return []

    def _stay(self, watch: RuleInstance, alert: LiveAlert, seen: Assessment, now: int) -> list[AlertChange]:
        """Updates or closes an open alert after an evaluation."""
        if seen.step == NOT_MET and not seen.staying:
            return [self._close(watch, "cleared", Signal.UNMET)]
        changes = self._grow(watch, alert, seen) if seen.step != NOT_MET else []
        if watch.expires is not None and now >= alert.opened + watch.expires:
            watch.must_clear = True
            changes.append(self._close(watch, "expired", Signal.ENDED))
        return changes

    def _may_open(self, watch: RuleInstance, seen: Assessment) -> bool:
        """Whether the rule's limit per call allows another alert and the evidence is new."""
        within = watch.rule.budget is None or watch.opened < watch.rule.budget
        return within and seen.at > watch.seen_at

    def _cool(self, watch: RuleInstance, seen: Assessment, now: int) -> None:
        if seen.step == NOT_MET and not seen.staying:
            watch.must_clear = False
        elif seen.step != NOT_MET and watch.rests_until > now:
            watch.seen_at = max(watch.seen_at, seen.at)
        if now >= watch.rests_until and not watch.must_clear:
            watch.state = after(watch.state, Signal.COOLED)

    def _open(self, watch: RuleInstance, seen: Assessment, now: int) -> AlertChange:
        watch.state = after(watch.state, Signal.HELD)
        watch.opened += 1
        name = watch.rule.rule
        self._numbers[name] = self._numbers.get(name, 0) + 1
        at = min(now, seen.at + watch.holds)
        start = min(seen.reading.start, at)
        watch.alert = LiveAlert(
            self._numbers[name], watch, seen.step, seen.reading, seen.bar, start, at, now, seen.asked
        )
        watch.rests_until = max(watch.rests_until, now + watch.cooldown)
        return AlertChange("opened", watch.alert)

    def _grow(self, watch: RuleInstance, alert: LiveAlert, seen: Assessment) -> list[AlertChange]:
        """Updates the alert for a higher step or a higher count; a lower count resets the comparison."""
        value, before = seen.reading.value or 0, alert.reading.value or 0
        if seen.step <= alert.step and not (watch.counts and value > before):
            if watch.counts and value < before:
                alert.reading = seen.reading
            return []
        alert.reading, alert.bar, alert.at = seen.reading, seen.bar, max(alert.at, seen.at)
        alert.step = max(alert.step, seen.step)
        return [AlertChange("updated", alert)]

    def _close(self, watch: RuleInstance, reason: str, signal: Signal) -> AlertChange:
        alert = watch.alert
        if alert is None:
            raise RuntimeError("only an open alert can be closed")
        watch.state, watch.alert = after(watch.state, signal), None
        watch.seen_at = max(watch.seen_at, alert.at - watch.holds)
        return AlertChange("closed", alert, reason)

    def _subscribe(self, watch: RuleInstance, reads: AbstractSet[Read]) -> None:
        """Subscribes the rule to the keys that its last evaluation read, and to no others."""
        before = {key for read in watch.reads - reads for key in keys_of(read)}
        for read in reads - watch.reads:
            for key in keys_of(read):
                self._readers.setdefault(key, set()).add(watch.place)
        if before:
            before -= {key for read in reads for key in keys_of(read)}
            for key in before:
                readers = self._readers[key]
                readers.discard(watch.place)
                if not readers:
                    del self._readers[key]
        watch.reads = reads

    def _plan(self, watch: RuleInstance, seen: Assessment, view: TimelineView) -> None:
        """Sets when the rule is evaluated next without an event."""
        due, now = view.changes_at, view.now
        if watch.state is State.PENDING:
            due = min(due, watch.since + watch.holds)
        elif watch.state is State.OPEN and watch.alert and watch.expires is not None:
            due = min(due, watch.alert.opened + watch.expires)
        elif watch.state is State.COOLING and not watch.must_clear and watch.rests_until > now:
            due = min(due, watch.rests_until)
        elif watch.state is State.QUIET and seen.step != NOT_MET and seen.at == now:
            due = now + 1  # met again in the same ms as the evidence of an earlier alert
        if due != watch.due:
            watch.due = due
            if due < CALL:
                heappush(self._due, (due, watch.place))
