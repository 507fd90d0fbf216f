"""What listeners may ask of a call: orders, checked for who asks and for sense."""

from typing import Literal

import msgspec

from monitor.errors import BadInput
from monitor.events import Command
from monitor.hub.access import Role, Viewer
from monitor.wire.messages import CallControlMessage, CommandMessage

LONGEST_MESSAGE = 200
LONGEST_NAME = 128
LONGEST_SNOOZE = 3600.0

MAY_ORDER: dict[Role, frozenset[str]] = {
    "agent": frozenset({"acknowledge", "snooze", "wrong", "hold", "resume"}),
    "supervisor": frozenset({"acknowledge", "wrong", "message"}),
}

NOT_AN_ORDER = "This is not an order: send {call, order: {kind, ...}} as JSON."
NOT_A_HOOK = "This is not a hook: send {hook: {kind: start, end, hold, resume or status, ...}} as JSON."


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_decoder = msgspec.json.Decoder(CommandMessage)
_hooks = msgspec.json.Decoder(CallControlMessage)


def parse(message: str | bytes) -> CommandMessage | CallControlMessage:
    """What a listener sent. Raises ``BadInput`` with a sentence that repeats nothing of it."""
    hook = False
    try:
        hook = "hook" in _fields.decode(message)
        return _hooks.decode(message) if hook else _decoder.decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadInput(NOT_A_HOOK if hook else NOT_AN_ORDER) from None


def check_order(viewer: Viewer, asked: Command) -> Command:
    """The order with who gave it. Raises ``BadInput`` for what the role may not, or what makes no sense."""
    if not viewer.who.local and asked.kind not in MAY_ORDER[viewer.role]:
        raise BadInput(f"The role {viewer.role} may not {asked.kind}.")
    if asked.kind in ("acknowledge", "wrong") and not asked.alert:
        raise BadInput(f"To {_verb(asked.kind)} an alert, say which: order.alert.")
    if asked.kind == "message" and not (asked.text or "").strip():
        raise BadInput("A message needs a text.")
    if len(asked.text or "") > LONGEST_MESSAGE:
        raise BadInput(f"A message has at most {LONGEST_MESSAGE} characters.")
    if max(len(asked.alert or ""), len(asked.by or "")) > LONGEST_NAME:
        raise BadInput(f"A name has at most {LONGEST_NAME} characters.")
    if asked.seconds is not None and not 0 < asked.seconds <= LONGEST_SNOOZE:
        raise BadInput(f"A snooze lasts up to {LONGEST_SNOOZE:.0f} seconds.")
    by = asked.by if viewer.who.local else viewer.who.agent
    return Command(
        kind=asked.kind, alert=asked.alert, seconds=asked.seconds, text=asked.text, by=by or viewer.role
    )


def _verb(kind: Literal["acknowledge", "wrong"]) -> str:
    return "acknowledge" if kind == "acknowledge" else "call wrong"
