"""Messages between a hub and its clients, beside the events themselves.

A monitor announces a call with a ``Claim`` and gets an ``Answer``; a listener sends a ``CommandMessage``, a
softphone a ``CallControlMessage``, which the hub passes on to the monitor that stands by for the agent.
"""

from typing import Annotated

import msgspec

from monitor.events import (
    AlertEvent,
    CallControl,
    CallControlAnswer,
    Command,
    Event,
    OverlapStarted,
    Prosody,
    Status,
    Utterance,
)

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=r"\A[^\x00-\x1f\x7f/\\]+\Z")]


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first thing a publisher says: the call, its agent and team."""

    call: Name
    agent: Name | None = None
    team: Name | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the hub sends a publisher: where to go on, what is kept, or an order for its core."""

    resume: int | None = None
    ack: int | None = None
    order: Command | None = None


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """What a publisher says of itself: the call, its agent and team."""

    call: str
    agent: str | None = None
    team: str | None = None


class CallControlMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a softphone sends. ``agent`` is whose monitor it is for; with a token it is the token's."""

    hook: CallControl
    agent: Name | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first thing that a monitor says at ``/standby``: whose it is."""

    agent: Name | None = None
    team: Name | None = None


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """A hook on its way to the monitor."""

    number: int
    hook: CallControl


class Replied(msgspec.Struct, frozen=True, kw_only=True):
    """The monitor's answer to the hook of that number."""

    number: Annotated[int, msgspec.Meta(ge=0)]
    reply: CallControlAnswer


class RequestedCommand(Command, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order as it comes in: a field that is not known is an error, not a guess."""


class CommandMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a listener sends: an order for a call."""

    call: str
    order: RequestedCommand


def is_ephemeral(event: Event) -> bool:
    """Whether only the newest of its kind matters: levels, partial words, hints for the screen."""
    if isinstance(event, Utterance):
        return not event.final
    if isinstance(event, Status):
        return event.notice is None
    return isinstance(event, Prosody | OverlapStarted)


def is_private(event: Event) -> bool:
    """Whether an event is for the agent alone, and so never written."""
    return isinstance(event, AlertEvent) and event.private
