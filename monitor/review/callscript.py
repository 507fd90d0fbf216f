"""Scripted calls without audio: who says what when, and which alerts must open.

    call: late-parcel
    about: A late parcel, handled well.
    meta: {direction: in}
    talk:
      - agent 0-3 good morning how can I help
      - caller 3.4-8 raised 1.2 my parcel never came and I am furious
      - hold 20-60
    alerts:
      - {rule: empathy.missing, from: 8, to: 30}
    allowed: [ask.more]        alerts of these rules count neither as right nor as false

The lines of ``talk`` are those of the tests inside rules (``rules/script.py``). ``alerts`` is complete for
rules that need words: any other alert of such a rule is a false one.
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
"""Seconds of speech between two revisions that commit more words."""


class ScriptAlert(Settings, frozen=True, rename={"from_": "from"}):
    """An alert of ``rule`` that must open between ``from`` and ``to`` (call seconds)."""

    rule: str
    from_: float
    to: float


class CallScript(Settings, frozen=True):
    """One scripted call and the alerts that it must raise."""

    call: str
    about: str
    talk: list[str]
    alerts: list[ScriptAlert]
    allowed: list[str] = msgspec.field(default_factory=list)
    meta: dict[str, Any] = msgspec.field(default_factory=dict)


def is_script(path: Path) -> bool:
    """Whether a YAML file is a call script."""
    plain = read_yaml(path)
    return isinstance(plain, dict) and "talk" in plain


def read_script(path: Path) -> CallScript:
    """Reads the script at ``path``.

    Raises:
        BadInput: The script is invalid; the message names the file and the key path.
    """
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
    """The facts of the call as in a journal, from ``call.started`` to ``call.ended``."""
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
    """A long utterance as a streaming recogniser returns it, in revisions with more and more words."""
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
    """The event of a hold or resume; orders about alerts are not supported in call scripts."""
    if order.kind not in ("hold", "resume"):
        raise BadInput(
            f"A call script may not say {order.kind!r}: which alert it means depends on the rules."
        )
    return CommandApplied(detected_at=order.at, at=order.at, kind=order.kind)
