"""The judge turns facts and commands of a call into alerts. It uses neither audio nor a clock.

``advance`` runs what has become due; ``take`` processes one fact. The same facts in the same order give the
same alerts, byte for byte: live, in a replay and in a rule's tests. Times come in as float seconds of the
call and are integer milliseconds inside.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from monitor.config import RulesSettings
from monitor.events import CHANNELS, CallStarted, Command, Event, RaisedVoice, Utterance
from monitor.events import CommandApplied as OrderTold
from monitor.judge.alert_publisher import AlertPublisher
from monitor.judge.binding import bind, in_scope
from monitor.judge.difficulty import EVERY, DifficultyMeter
from monitor.judge.engine import AlertChange, Engine, RuleInstance
from monitor.judge.outcomes import ExpectationLog
from monitor.judge.scores import scores_of
from monitor.judge.states import StateTracker
from monitor.judge.utterances import UtteranceReader
from monitor.rules.rule import Rule
from monitor.rules.rule_set import RuleSet
from monitor.timeline import Key, Timeline, ms, seconds

SNOOZE = 120_000
"""Default length of a snooze in ms."""

CARDS_EVERY = 200
"""Ms between two attempts to show a waiting card."""

CARD_GRID = 100
"""The time grid of these attempts in ms."""


@dataclass(frozen=True, slots=True)
class InactiveRule:
    """A rule that is not active on this call, and why."""

    rule: str
    reason: str


NEEDS_WORDS = "it needs words, and no recogniser listens"
"""Why a rule is off in a call without a recogniser."""


class Judge:
    """Evaluates the rules of one call."""

    def __init__(
        self,
        book: RuleSet,
        settings: RulesSettings | None = None,
        *,
        meta: dict[str, Any] | None = None,
        words: bool = True,
        eager: bool = False,
    ) -> None:
        """Makes a judge for the rules of ``book``.

        ``meta`` is the call's metadata; ``words`` is false without a recogniser; ``eager`` evaluates every
        rule at every event (see ``Engine``), as a reference in tests.
        """
        self._book = book
        self._line = Timeline(words=words, meta=meta)
        self._watches, self.off = _chosen(book, self._line)
        self._engine = Engine(self._watches, self._line, eager=eager)
        self._hearing = UtteranceReader(book, self._line) if words else None
        self._bulletin = AlertPublisher(settings or RulesSettings(), self._line)
        self._states = StateTracker(self._line)
        self._outcomes = ExpectationLog(self._watches, self._line, hide_agent_voice=book.hide_agent_effort)
        self._meter = DifficultyMeter()
        self._begun = False
        self._next: int | None = None
        self._meter_at = EVERY
        self._cards_at = 0

    @property
    def line(self) -> Timeline:
        """The timeline of the call."""
        return self._line

    @property
    def watches(self) -> tuple[RuleInstance, ...]:
        """The active rules."""
        return tuple(self._watches)

    def take(self, event: Event) -> list[Event]:
        """Processes one fact and returns the events that it causes."""
        now = ms(event.detected_at)
        keys: tuple[Key, ...] = ()
        if isinstance(event, CallStarted):
            keys = self._line.learn(event.meta)
            if self._hearing is not None:
                self._hearing.begin()
        out = self._advance(now)
        self._line.advance(now)
        keys += self._line.take(event)
        if isinstance(event, Utterance) and self._hearing is not None:
            notes, heard = self._hearing.hear(event)
            keys, out = (*keys, *heard), out + notes
        if self._states.concerned(keys):
            states, changed = self._changed_states()
            keys, out = (*keys, *changed), out + states
        return out + self._told(self._engine.wake(keys)) if self._engine.concerned(keys) else out

    def advance(self, now: float) -> list[Event]:
        """Advances the call to ``now`` (seconds) and returns the events that became due before it."""
        return self._advance(ms(now))

    def order(self, order: Command, now: float) -> list[Event]:
        """Applies a person's order at ``now`` (seconds) and returns the events that it causes."""
        moment = ms(now)
        out = self._advance(moment)
        self._line.advance(moment)
        fields = {name: getattr(order, name) for name in Command.__struct_fields__}
        out.append(OrderTold(detected_at=seconds(moment), at=seconds(moment), **fields))
        keys: tuple[Key, ...] = ()
        if order.kind in ("hold", "resume"):
            talk = self._line.talk
            keys = talk.hold(moment) if order.kind == "hold" else talk.resume(moment)
        if order.kind == "snooze":
            self._bulletin.cards.snooze(ms(order.seconds) if order.seconds else SNOOZE)
        alert = self._bulletin.alert(order.alert)
        if alert and order.kind in ("acknowledge", "wrong"):
            reason = "wrong" if order.kind == "wrong" else "acknowledged"
            out += self._told(self._engine.put_away(alert, reason))
        states, changed = self._changed_states()
        return out + states + self._told(self._engine.wake((*keys, *changed)))

    def hang_up(self, now: float) -> list[Event]:
        """Ends the call at ``now`` (seconds): evaluates what needs the end, then closes all alerts."""
        moment = ms(now)
        out = self._advance(moment + 1)
        self._line.advance(moment)
        self._line.ended = moment
        last, _ = self._meter.look(self._line)
        out += [last] if last else []
        return out + self._shown(self._states.finish()) + self._told(self._engine.finish())

    @property
    def totals(self) -> dict[str, Any]:
        """The totals for ``call.ended``."""
        line = self._line
        return {
            "talk": {channel: round(seconds(line.talk.talked[channel]), 2) for channel in CHANNELS},
            "overlap": round(seconds(line.overlapped), 2),
            "silence": round(seconds(line.talk.silence(line.now)), 2),
            "interruptions": {channel: line.marks.counts["interruption", channel] for channel in CHANNELS},
            "alerts": dict(sorted(self._bulletin.opened.items())),
            "scores": scores_of(self._watches, line, self._meter.highest, self._outcomes),
        }

    # --- inside ---

    def _advance(self, now: int) -> list[Event]:
        """Runs what is due before ``now``; what is due at ``now`` itself waits for the facts of that time."""
        out: list[Event] = []
        if not self._begun:
            self._begun = True
            out += self._told(self._engine.begin())
        while (due := self._due()) < now:
            out += self._run(due)
        return out

    def _due(self) -> int:
        """The next time at which anything is due; cached until something changes."""
        if self._next is None:
            self._next = min(self._meter_at, self._engine.next_due(), self._states.due)
            if self._bulletin.restless:
                self._next = min(self._next, self._cards_at)
        return self._next

    def _run(self, moment: int) -> list[Event]:
        self._line.advance(moment)
        out: list[Event] = []
        keys: tuple[Key, ...] = ()
        if moment == self._meter_at:
            self._meter_at += EVERY
            changed, keys = self._meter.look(self._line)
            if changed:
                out.append(changed)
        if moment >= self._states.due:
            states, more = self._changed_states()
            keys, out = (*keys, *more), out + states
        out += self._told(self._engine.wake(keys))
        if self._bulletin.restless and moment >= self._cards_at:
            out += self._bulletin.pause()
            self._cards_at = moment - moment % CARD_GRID + CARDS_EVERY
        return out

    def _changed_states(self) -> tuple[list[Event], list[Key]]:
        """The events of states that began or ended, and the keys that changed."""
        self._next = None
        states, keys = self._states.look()
        return self._shown(states), keys

    def _shown(self, events: Iterable[Event]) -> list[Event]:
        """The events without those about the agent's voice, if the profile keeps these private."""
        if not self._book.hide_agent_effort:
            return list(events)
        return [
            event for event in events if not (isinstance(event, RaisedVoice) and event.channel == "agent")
        ]

    def _told(self, changes: Iterable[AlertChange]) -> list[Event]:
        alerts: list[Event] = []
        self._next = None
        for change in changes:
            alerts += self._bulletin.tell(change)
        out = [*self._outcomes.take(), *alerts]
        if alerts:
            after = round(self._line.now / CARD_GRID) * CARD_GRID + CARD_GRID
            self._cards_at = max(self._cards_at, after)
        return out


def _chosen(book: RuleSet, line: Timeline) -> tuple[list[RuleInstance], tuple[InactiveRule, ...]]:
    """The rules that are active on this call, and those that are not."""
    watches: list[RuleInstance] = []
    off: list[InactiveRule] = []
    for rule in book.rules:
        reason = _reason_off(rule, book, line)
        watch = bind(rule, len(watches), words=line.has_words) if reason is None else None
        if watch is not None and watch.trigger.words and not line.has_words:
            watch, reason = None, NEEDS_WORDS
        if watch is not None:
            watches.append(watch)
        elif reason is not None:
            off.append(InactiveRule(rule.rule, reason))
    return watches, tuple(off)


def _reason_off(rule: Rule, book: RuleSet, line: Timeline) -> str | None:
    if rule.off:
        return "it is switched off"
    if rule.note is not None and not rule.message:
        return "it takes notes"
    return None if in_scope(rule.scope, line.meta, book.profile) else "it is for other calls"
