"""What listeners may ask of a call: orders, checked for who asks and for sense."""

from typing import Literal

import msgspec

from monitor.errors import BadInput
from monitor.events import Order
from monitor.sinks.access import Role, Viewer
from monitor.sinks.hooks import HookAsk

LONGEST_MESSAGE = 200
LONGEST_NAME = 128
LONGEST_SNOOZE = 3600.0

MAY_ORDER: dict[Role, frozenset[str]] = {
    "agent": frozenset({"acknowledge", "snooze", "wrong", "hold", "resume"}),
    "supervisor": frozenset({"acknowledge", "wrong", "message"}),
}

NOT_AN_ORDER = "This is not an order: send {call, order: {kind, ...}} as JSON."
NOT_A_HOOK = "This is not a hook: send {hook: {kind: start, end, hold, resume or status, ...}} as JSON."


class Asked(Order, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order as it comes in: a field that is not known is an error, not a guess."""


class Ask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a listener sends: an order for a call."""

    call: str
    order: Asked


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_decoder = msgspec.json.Decoder(Ask)
_hooks = msgspec.json.Decoder(HookAsk)


def parse(message: str | bytes) -> Ask | HookAsk:
    """What a listener sent. Raises ``BadInput`` with a sentence that repeats nothing of it."""
    hook = False
    try:
        hook = "hook" in _fields.decode(message)
        return _hooks.decode(message) if hook else _decoder.decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadInput(NOT_A_HOOK if hook else NOT_AN_ORDER) from None


def check_order(viewer: Viewer, asked: Order) -> Order:
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
    return Order(
        kind=asked.kind, alert=asked.alert, seconds=asked.seconds, text=asked.text, by=by or viewer.role
    )


def _verb(kind: Literal["acknowledge", "wrong"]) -> str:
    return "acknowledge" if kind == "acknowledge" else "call wrong"
