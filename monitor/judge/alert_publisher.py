"""Turns alert changes of the engine into events, with the card and the audience of each alert."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from monitor.config import RulesSettings
from monitor.events import (
    AlertClosed,
    AlertEvent,
    AlertOpened,
    AlertUpdated,
    Audience,
    Event,
    Level,
    Note,
    QualityKind,
    quality_text,
)
from monitor.judge.card_scheduler import SILENT_RULE, CardRequest, CardScheduler, Inhibition
from monitor.judge.engine import AlertChange, LiveAlert
from monitor.judge.explanations import explained
from monitor.rules.rule import MESSAGE_MOST, EscalationStep, Rule, milliseconds, names
from monitor.rules.rule_set import hash_of
from monitor.timeline import CALL, Timeline, ms, seconds

NOTICED = 10_000
"""Ms an agent needs to read a card and react to it."""


@dataclass(slots=True)
class PublishedAlert:
    """The published state of an open alert."""

    card: bool = False
    withheld: str | None = None
    shown: int | None = None
    escalated: bool = False


class AlertPublisher:
    """Publishes alerts as events and keeps the published state of open ones."""

    def __init__(self, settings: RulesSettings, line: Timeline) -> None:
        self._ignored_after = ms(settings.ignored_after)
        self._line = line
        self._open: dict[str, tuple[LiveAlert, PublishedAlert]] = {}
        self._noted: set[tuple[str, str]] = set()
        self.cards = CardScheduler(settings, line)
        self.opened: Counter[str] = Counter()

    def tell(self, change: AlertChange) -> list[Event]:
        """The events of one change; none for rules whose only audience is the scorecard."""
        if change.alert.watch.rule.score is not None:
            return []
        match change.kind:
            case "opened":
                return self._opened(change.alert)
            case "updated":
                return self._updated(change.alert)
            case _:
                return self._closed(change.alert, change.reason)

    def alert(self, key: str | None) -> LiveAlert | None:
        """The open alert with this id, if there is one."""
        known = self._open.get(key or "")
        return known[0] if known else None

    @property
    def restless(self) -> bool:
        """Whether time alone may cause a change: a card is waiting, or a warning may come to be ignored."""
        return bool(self.cards.waiting) or any(
            not told.escalated and (told.shown is not None or alert.watch.rule.escalate_after is not None)
            for alert, told in self._open.values()
        )

    def pause(self) -> list[Event]:
        """Shows a waiting card if it may be shown now, and escalates ignored warnings."""
        out: list[Event] = []
        key = self.cards.next_shown() if self.cards.waiting else None
        if key is not None and key in self._open:
            alert, told = self._open[key]
            told.card, told.withheld, told.shown = True, None, self._line.now
            out.append(self._event(AlertUpdated, alert, told))
        for alert, told in self._open.values():
            after = alert.watch.rule.escalate_after
            if after is not None and self._line.now >= alert.opened + milliseconds(after):
                if self._escalate(alert, told, anyway=True):
                    out.append(self._event(AlertUpdated, alert, told))
                continue
            late = told.shown is not None and self._line.now >= told.shown + self._ignored_after
            if late and not alert.watch.counts and self._escalate(alert, told):
                out.append(self._event(AlertUpdated, alert, told))
        return out

    # --- inside ---

    def _opened(self, alert: LiveAlert) -> list[Event]:
        trouble = self._trouble(alert)
        if trouble:
            return self._note_trouble(alert, trouble)
        told = PublishedAlert()
        self._open[alert.key] = (alert, told)
        self.opened[alert.watch.rule.rule] += 1
        self._inhibit(alert.watch.rule, alert.key)
        self._ask_for_card(alert, told)
        return [self._event(AlertOpened, alert, told), *self._note(alert)]

    def _note(self, alert: LiveAlert) -> list[Event]:
        """The note that the alert's rule asks for, if any."""
        kind, words = alert.watch.rule.note, alert.reading.words
        if kind is None or not words:
            return []
        channel = alert.reading.channel or "agent"
        return [Note(detected_at=seconds(self._line.now), at=seconds(alert.at), channel=channel, kind=kind,
                     text=words[-1].text or "")]  # fmt: skip

    def _updated(self, alert: LiveAlert) -> list[Event]:
        if alert.key not in self._open:
            return []
        _, told = self._open[alert.key]
        ignored = told.shown is not None and self._line.now - told.shown > NOTICED
        if ignored and alert.watch.rule.escalate_after is None:
            self._escalate(alert, told)
        told.card = False
        self._ask_for_card(alert, told)
        return [self._event(AlertUpdated, alert, told)]

    def _closed(self, alert: LiveAlert, reason: str) -> list[Event]:
        self.cards.take_back(alert.key)
        inhibition = self.cards.inhibitions.get(alert.key)
        if inhibition and milliseconds(alert.watch.rule.inhibits_for) == 0:
            del self.cards.inhibitions[alert.key]
        known = self._open.pop(alert.key, None)
        if known is None:
            return []
        known[1].card = False
        return [self._event(AlertClosed, alert, known[1], reason=reason)]

    def _trouble(self, alert: LiveAlert) -> QualityKind | None:
        for side in sorted(alert.watch.trigger.expected):
            if trouble := self._line.troubled(("dead_channel",), side):
                return trouble  # speech on that channel could not be recognised
        measure = alert.measure
        if measure is None or not measure.quality:
            return None
        return self._line.troubled(measure.quality, alert.reading.channel if measure.voice else None)

    def _note_trouble(self, alert: LiveAlert, trouble: QualityKind) -> list[Event]:
        """Reports once why alerts of a rule are withheld."""
        rule = alert.watch.rule.rule
        if (rule, trouble) in self._noted:
            return []
        self._noted.add((rule, trouble))
        text = f"“{alert.watch.rule.name}” is withheld: {quality_text(trouble)}."
        channel = alert.reading.channel or "agent"
        return [
            Note(
                detected_at=seconds(self._line.now),
                at=seconds(alert.at),
                channel=channel,
                kind="withheld",
                text=text,
            )
        ]

    def _inhibit(self, rule: Rule, key: str) -> None:
        if rule.inhibits is not None:
            length = milliseconds(rule.inhibits_for)
            until = self._line.now + length if length else CALL
            inhibited = frozenset() if "all" in names(rule.inhibits) else frozenset(names(rule.inhibits))
            self.cards.inhibitions[key] = Inhibition(rule.name, until, inhibited)

    def _ask_for_card(self, alert: LiveAlert, told: PublishedAlert) -> None:
        rule, shape = alert.watch.rule, AlertPresentation(alert)
        if "agent" not in shape.to:
            return
        if rule.card == "never":
            told.withheld = SILENT_RULE
            return
        pause = None if rule.at_pause is None else milliseconds(rule.at_pause)
        request = CardRequest(
            alert.key, rule.rule, shape.level, rule.priority, self._line.now, pause,
            milliseconds(rule.cooldown),
            at_end=rule.during is not None and rule.during.last is not None,
        )  # fmt: skip
        told.withheld = self.cards.ask(request)
        told.card = told.withheld is None
        if told.card:
            told.shown = self._line.now

    def _escalate(self, alert: LiveAlert, told: PublishedAlert, *, anyway: bool = False) -> bool:
        """Adds supervisors to the audience of an ignored warning; returns whether that is new."""
        shape = AlertPresentation(alert)
        if (
            told.escalated
            or (shape.level == "info" and not anyway)
            or alert.watch.rule.private
            or "supervisor" in shape.to
        ):
            return False
        told.escalated = True
        return True

    def _event(self, kind: type[AlertEvent], alert: LiveAlert, told: PublishedAlert, **more: str) -> Event:
        rule, shape = alert.watch.rule, AlertPresentation(alert)
        passed_on = told.escalated and "supervisor" not in shape.to
        to: tuple[Audience, ...] = (*shape.to, "supervisor") if passed_on else shape.to
        why = explained(alert)
        return kind(
            detected_at=seconds(self._line.now),
            alert=alert.key,
            rule=rule.rule,
            rule_hash=hash_of(rule),
            level=shape.level,
            praise=rule.praise,
            channel=alert.reading.channel,
            start=seconds(alert.start),
            at=seconds(alert.at),
            title=rule.name,
            message=shape.message,
            summary=why.summary,
            rationale=rule.rationale,
            clears_when=why.clears_when,
            measure=why.measure,
            measured=why.measured,
            threshold=why.threshold,
            comparison=alert.bar.how,
            unit=why.unit,
            baseline=why.baseline,
            evidence=why.evidence,
            to=to,
            card=told.card,
            withheld=told.withheld,
            private=rule.private,
            **more,
        )


class AlertPresentation:
    """Level, message and audience of an alert at its current escalation step."""

    def __init__(self, alert: LiveAlert) -> None:
        self._rule = alert.watch.rule
        self._detail = alert.reading.detail or ""
        self._step: EscalationStep | None = (
            self._rule.escalation[alert.step] if self._rule.escalation else None
        )

    @property
    def level(self) -> Level:
        """The level at this step."""
        return (self._step.level if self._step else None) or self._rule.level

    @cached_property
    def message(self) -> str:
        """The text to the agent, with its placeholder filled in."""
        return filled((self._step.message if self._step else None) or self._rule.message, self._detail)

    @property
    def to(self) -> tuple[Audience, ...]:
        """Who may see it."""
        return tuple((self._step.to if self._step else None) or self._rule.to)


def filled(message: str, detail: str) -> str:
    """The message with ``{detail}`` filled in, shortened so that the whole text fits a card."""
    if "{detail}" not in message:
        return message
    room = MESSAGE_MOST - len(message) + len("{detail}")
    short = detail if len(detail) <= room else detail[: room - 1].rstrip() + "…"
    return message.replace("{detail}", short or "that")
