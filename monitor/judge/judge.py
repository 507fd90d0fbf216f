"""The judge: facts and orders go in, alerts come out. It sees no audio and knows no clock.

``advance`` runs the ticks that the call has gone past; ``take`` hears one fact. The same facts in the
same order give the same alerts, byte for byte, live, in a replay, in a rule's own tests.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from monitor.config import RulesSettings
from monitor.events import CHANNELS, CallStarted, Command, Event, Utterance
from monitor.events import CommandApplied as OrderTold
from monitor.judge.alert_publisher import AlertPublisher
from monitor.judge.binding import bind, in_scope
from monitor.judge.difficulty import EVERY, DifficultyMeter
from monitor.judge.engine import TICK, AlertChange, Engine, RuleInstance
from monitor.judge.scores import scores_of
from monitor.judge.utterances import UtteranceReader
from monitor.rules.rule import Rule
from monitor.rules.rule_set import RuleSet
from monitor.timeline import Timeline

SNOOZE = 120.0
"""Seconds of a snooze that does not say how long."""

CARD_TICKS = 2
DIFFICULTY_TICKS = round(EVERY / TICK)


@dataclass(frozen=True, slots=True)
class InactiveRule:
    """A rule that is not at work on this call, and why."""

    rule: str
    reason: str


NEEDS_WORDS = "it needs words, and no recogniser listens"
"""Why a rule is off in a call without a recogniser."""


class Judge:
    """One call's rules at work."""

    def __init__(
        self,
        book: RuleSet,
        settings: RulesSettings | None = None,
        *,
        meta: dict[str, Any] | None = None,
        words: bool = True,
    ) -> None:
        self._book = book
        self._line = Timeline(words=words, meta=meta)
        self._watches, self.off = _chosen(book, self._line)
        self._engine = Engine(self._watches, self._line)
        self._hearing = UtteranceReader(book, self._line) if words else None
        self._bulletin = AlertPublisher(settings or RulesSettings(), self._line)
        self._meter = DifficultyMeter()
        self._next: int | None = None
        self._meter_tick = DIFFICULTY_TICKS
        self._card_tick = 0

    @property
    def line(self) -> Timeline:
        """What the call's memory holds."""
        return self._line

    @property
    def watches(self) -> tuple[RuleInstance, ...]:
        """The rules at work."""
        return tuple(self._watches)

    def take(self, event: Event) -> list[Event]:
        """One fact; what it leads to."""
        out = self.advance(event.detected_at)
        self._line.advance(event.detected_at)
        if isinstance(event, CallStarted):
            self._line.meta.update(event.meta)
            if self._hearing is not None:
                self._hearing.begin()
            out += self._told(self._engine.begin())
        topics = self._line.take(event)
        if self._hearing is not None and isinstance(event, Utterance):
            told, heard = self._hearing.hear(event)
            topics, out = (*topics, *heard), out + told
        return out + self._woken(topics) if topics else out

    def advance(self, now: float) -> list[Event]:
        """The call went on: runs the ticks before ``now``."""
        out: list[Event] = []
        while self._due() * TICK < now - 1e-9:
            out += self._run(self._due())
        return out

    def order(self, order: Command, now: float) -> list[Event]:
        """A person asked for something."""
        out = self.advance(now)
        self._line.advance(now)
        fields = {name: getattr(order, name) for name in Command.__struct_fields__}
        out.append(OrderTold(detected_at=round(now, 3), at=round(now, 3), **fields))
        if order.kind in ("hold", "resume"):
            self._line.talk.hold(now) if order.kind == "hold" else self._line.talk.resume(now)
            return out + self._woken(("hold",))
        if order.kind == "snooze":
            self._bulletin.cards.snooze(order.seconds or SNOOZE)
        alert = self._bulletin.alert(order.alert)
        if alert and order.kind in ("acknowledge", "wrong"):
            reason = "wrong" if order.kind == "wrong" else "acknowledged"
            out += self._told(self._engine.put_away(alert, reason))
        return out

    def hang_up(self, now: float) -> list[Event]:
        """The call is over: what is only known at the end, then every alert closes."""
        out = self.advance(now + TICK / 2)
        self._line.advance(now)
        self._line.ended = now
        last = self._meter.look(self._line)
        return out + ([last] if last else []) + self._told(self._engine.finish())

    @property
    def totals(self) -> dict[str, Any]:
        """The sums for ``call.ended``."""
        line = self._line
        return {
            "talk": {channel: round(line.talk.talked[channel], 2) for channel in CHANNELS},
            "overlap": round(line.overlapped, 2),
            "silence": round(line.talk.silence(line.now), 2),
            "interruptions": {channel: line.marks.counts["interruption", channel] for channel in CHANNELS},
            "alerts": dict(sorted(self._bulletin.opened.items())),
            "scores": scores_of(self._watches, line, self._meter.highest),
        }

    # --- inside ---

    def _due(self) -> int:
        """The next tick at which anything has to be looked at; kept until something changes."""
        if self._next is None:
            due = [self._meter_tick, self._engine.next_tick()]
            if self._bulletin.restless:
                due.append(self._card_tick)
            self._next = min(due)
        return self._next

    def _run(self, tick: int) -> list[Event]:
        self._line.advance(round(tick * TICK, 1))
        self._next = None
        out: list[Event] = []
        if tick == self._meter_tick:
            self._meter_tick += DIFFICULTY_TICKS
            changed = self._meter.look(self._line)
            if changed:
                out.append(changed)
                out += self._told(self._engine.wake(("difficulty",)))
        out += self._told(self._engine.run(tick))
        if self._bulletin.restless and tick >= self._card_tick:
            out += self._bulletin.pause()
            self._card_tick = tick + CARD_TICKS
        return out

    def _woken(self, topics: Iterable[str]) -> list[Event]:
        return self._told(self._engine.wake(topics))

    def _told(self, changes: Iterable[AlertChange]) -> list[Event]:
        out: list[Event] = []
        self._next = None
        for change in changes:
            out += self._bulletin.tell(change)
        if out:
            self._card_tick = max(self._card_tick, round(self._line.now / TICK) + 1)
        return out


def _chosen(book: RuleSet, line: Timeline) -> tuple[list[RuleInstance], tuple[InactiveRule, ...]]:
    """The rules that are at work on this call, and those that are not."""
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
