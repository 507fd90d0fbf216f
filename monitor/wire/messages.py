"""Messages between a hub and its clients, beside the events themselves.

A monitor announces a call with a ``Claim`` and gets an ``Answer``; a listener sends a ``CommandMessage``, a
softphone a ``CallControlMessage``, which the hub passes on to the monitor that stands by for the agent. On
the wire a command's key is ``order``, that of call control ``hook``.
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
    """The first message of a publisher: the call, its agent and team."""

    call: Name
    agent: Name | None = None
    team: Name | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The hub's answer to a publisher: where to go on, what is stored, or a command for its call."""

    resume: int | None = None
    ack: int | None = None
    command: Command | None = msgspec.field(default=None, name="order")


class CallIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """A claim that has been checked: the call, its agent and team."""

    call: str
    agent: str | None = None
    team: str | None = None


class CallControlMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Call control from a softphone. ``agent``: whose monitor it is for; with a token it is the token's."""

    control: CallControl = msgspec.field(name="hook")
    agent: Name | None = None


class StandbyClaim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first message of a monitor at ``/standby``: the agent it stands by for."""

    agent: Name | None = None
    team: Name | None = None


class ForwardedCallControl(msgspec.Struct, frozen=True, kw_only=True):
    """Call control on its way to the monitor."""

    number: int
    control: CallControl = msgspec.field(name="hook")


class ForwardedReply(msgspec.Struct, frozen=True, kw_only=True):
    """The monitor's answer to the call control of that number."""

    number: Annotated[int, msgspec.Meta(ge=0)]
    reply: CallControlAnswer


class RequestedCommand(Command, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command as it comes in: an unknown field is an error."""


class CommandMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command of a listener for a call."""

    call: str
    command: RequestedCommand = msgspec.field(name="order")


def is_ephemeral(event: Event) -> bool:
    """Whether only the newest of its kind matters: levels, partial words, overlaps that begin."""
    if isinstance(event, Utterance):
        return not event.final
    if isinstance(event, Status):
        return event.notice is None
    return isinstance(event, Prosody | OverlapStarted)


def is_private(event: Event) -> bool:
    """Whether an event is for the agent alone, and so is never stored."""
    return isinstance(event, AlertEvent) and event.private
