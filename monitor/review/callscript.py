"""A call as a script: who says what when, and which alerts it ought to raise. No sound.

    call: late-parcel
    about: A late parcel, handled well.
    meta: {direction: in}
    talk:
      - agent 0-3 good morning how can I help
      - caller 3.4-8 raised 1.2 my parcel never came and I am furious
      - hold 20-60
    alerts:
      - {rule: empathy.missing, from: 8, to: 30}
    allowed: [ask.more]        right or wrong there, as one likes: neither counts

The lines of ``talk`` are those of the tests inside rules (``rules/script.py``). The alerts are the whole
truth about rules that need words: any other alert of such a rule is a false one.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from monitor.config import Settings, convert, read_yaml
from monitor.errors import BadInput
from monitor.events import CallEnded, CallStarted, CommandApplied, Event, Utterance
from monitor.rules.script import ScriptCommand, compile_script

SUFFIXES = frozenset({".yaml", ".yml"})

REVISED = 2.0
"""Seconds of speech after which a recogniser has settled some more words."""


class ScriptAlert(Settings, frozen=True, rename={"from_": "from"}):
    """An alert of ``rule`` that must open between ``from`` and ``to`` (call seconds)."""

    rule: str
    from_: float
    to: float


class CallScript(Settings, frozen=True):
    """One scripted call and what it ought to raise."""

    call: str
    about: str
    talk: list[str]
    alerts: list[ScriptAlert]
    allowed: list[str] = msgspec.field(default_factory=list)
    meta: dict[str, Any] = msgspec.field(default_factory=dict)


def is_script(path: Path) -> bool:
    """Whether a YAML file is about a call, and not about something else that lies beside it."""
    plain = read_yaml(path)
    return isinstance(plain, dict) and "talk" in plain


def read_script(path: Path) -> CallScript:
    """The script at ``path``. Raises ``BadInput`` with the file, the key path and what is wrong."""
    script = convert(read_yaml(path), CallScript, str(path))
    try:
        compile_script(tuple(script.talk))
    except BadInput as wrong:
        raise BadInput(f"{path}: at talk: {wrong}") from None
    for place, alert in enumerate(script.alerts):
        if alert.from_ > alert.to:
            raise BadInput(f"{path}: at alerts[{place}]: the alert is expected to open after it is too late.")
    return script


def script_facts(script: CallScript) -> list[Event]:
    """The facts of the call as a journal would hold them, from ``call.started`` to ``call.ended``."""
    read = compile_script(tuple(script.talk))
    started = CallStarted(
        call=script.call, sources=(), rate=8000, band="narrow", model="script", rules_hash="",
        profile="default", meta=dict(script.meta),
    )  # fmt: skip
    ended = CallEnded(
        detected_at=read.end, seconds=read.end, talk={}, overlap=0.0, silence=0.0, interruptions={}, alerts={}
    )
    told = [_told(order) for order in read.orders]
    spoken = [part for fact in read.facts for part in _bit_by_bit(fact)]
    facts = sorted([*told, *spoken], key=lambda event: event.detected_at)
    return [started, *facts, ended]


def _bit_by_bit(fact: Event) -> Iterator[Event]:
    """A long utterance as a recogniser gives it: its first words before its last ones are spoken."""
    if isinstance(fact, Utterance):
        late = fact.detected_at - fact.end
        for number in range(1, int((fact.end - fact.start) / REVISED) + 1):
            heard = round(fact.start + number * REVISED, 3)
            words = tuple(word for word in fact.words if word.end <= heard)
            if words and heard < fact.end:
                yield msgspec.structs.replace(
                    fact, detected_at=round(heard + late, 3), revision=number, end=heard, words=words,
                    text=" ".join(word.text for word in words), final=False,
                )  # fmt: skip
        fact = msgspec.structs.replace(fact, revision=int((fact.end - fact.start) / REVISED) + 1)
    yield fact


def _told(order: ScriptCommand) -> CommandApplied:
    """A hold or a resume; orders about alerts have no place in a script that is judged by several books."""
    if order.kind not in ("hold", "resume"):
        raise BadInput(
            f"A call script may not say {order.kind!r}: which alert it means depends on the rules."
        )
    return CommandApplied(detected_at=order.at, at=order.at, kind=order.kind)
