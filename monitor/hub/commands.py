"""Messages of listeners: commands and call control, checked for form, role and sense."""

from typing import Literal

import msgspec

from monitor.errors import BadInput
from monitor.events import Command
from monitor.hub.access import Role, Viewer
from monitor.wire.messages import CallControlMessage, CommandMessage

LONGEST_MESSAGE = 200
LONGEST_NAME = 128
LONGEST_SNOOZE = 3600.0

ALLOWED: dict[Role, frozenset[str]] = {
    "agent": frozenset({"acknowledge", "snooze", "wrong", "hold", "resume"}),
    "supervisor": frozenset({"acknowledge", "wrong", "message"}),
}

NOT_A_COMMAND = "This is not a command: send {call, order: {kind, ...}} as JSON."
NOT_CALL_CONTROL = (
    "This is not call control: send {hook: {kind: start, end, hold, resume or status, ...}} as JSON."
)


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_commands = msgspec.json.Decoder(CommandMessage)
_call_control = msgspec.json.Decoder(CallControlMessage)


def parse(message: str | bytes) -> CommandMessage | CallControlMessage:
    """What a listener sent. Raises ``BadInput`` with a sentence that repeats nothing of it."""
    control = False
    try:
        control = "hook" in _fields.decode(message)
        return _call_control.decode(message) if control else _commands.decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadInput(NOT_CALL_CONTROL if control else NOT_A_COMMAND) from None


def check_command(viewer: Viewer, asked: Command) -> Command:
    """The command with who gave it. Raises ``BadInput`` for what the role may not do, or makes no sense."""
    if not viewer.who.local and asked.kind not in ALLOWED[viewer.role]:
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
