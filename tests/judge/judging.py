"""Rules written in a test, judged on a short script of a call."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from monitor.config import RulesSettings
from monitor.events import (
    DERIVED,
    AlertClosed,
    AlertEvent,
    AlertOpened,
    AlertUpdated,
    CallEnded,
    CallStarted,
    Command,
    CommandApplied,
    Event,
)
from monitor.judge.judge import Judge
from monitor.judge.rule_tests import judged
from monitor.rules.rule import Example
from monitor.rules.rule_set import RuleSet, load_rules


def book_of(text: str, folder: Path, profile: str = "default") -> RuleSet:
    """The book of one file with this text."""
    path = folder / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    return load_rules([path], profile=profile)


def bundled(*rules: str, profile: str = "default") -> RuleSet:
    """The bundled book, or only these of its rules."""
    book = load_rules(profile=profile)
    return replace(book, rules=tuple(rule for rule in book.rules if not rules or rule.rule in rules))


def events(
    book: RuleSet, *lines: str, words: bool = True, meta: dict[str, object] | None = None
) -> list[Event]:
    """Everything the judge says about a script."""
    return judged(book, Example(call=list(lines), alerts=[], words=words, meta=meta or {}))


def opened(said: Sequence[Event], rule: str | None = None) -> list[AlertOpened]:
    return [e for e in said if isinstance(e, AlertOpened) and rule in (None, e.rule)]


def updated(said: Sequence[Event], rule: str | None = None) -> list[AlertUpdated]:
    return [e for e in said if isinstance(e, AlertUpdated) and rule in (None, e.rule)]


def closed(said: Sequence[Event], rule: str | None = None) -> list[AlertClosed]:
    return [e for e in said if isinstance(e, AlertClosed) and rule in (None, e.rule)]


def cards(said: Sequence[Event]) -> list[tuple[float, str]]:
    """When which rule's card was shown."""
    return [(e.detected_at, e.rule) for e in said if isinstance(e, AlertEvent) and e.card]


def said_of(facts: Sequence[Event], book: RuleSet, *, eager: bool) -> list[Event]:
    """Everything a judge says about the facts of a recorded call, from ``call.started`` to ``call.ended``."""
    started = facts[0]
    assert isinstance(started, CallStarted)
    judge = Judge(book, RulesSettings(), meta=started.meta, words=started.model != "none", eager=eager)
    said: list[Event] = []
    end = max(fact.detected_at for fact in facts)
    for fact in facts:
        if isinstance(fact, CallEnded):
            end = fact.detected_at
        elif isinstance(fact, CommandApplied):
            fields = {name: getattr(fact, name) for name in Command.__struct_fields__}
            said += judge.order(Command(**fields), fact.detected_at)
        elif not isinstance(fact, DERIVED):
            said += judge.take(fact)
    return said + judge.hang_up(end)


def of(said: Sequence[Event], kind: type[Event]) -> list[Any]:
    """The events of this kind."""
    return [event for event in said if isinstance(event, kind)]
