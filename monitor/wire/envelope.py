"""Event <-> JSON: one codec for the hub, the journal, the overlay, the page and ``--json``.

Each line is a CloudEvents 1.0 JSON object (https://github.com/cloudevents/spec). ``sequence`` is the
CloudEvents extension of that name: a string of digits of fixed width, so that it sorts as text too.
``time`` is the wall clock and is left out where a journal is replayed.
"""

from typing import Any

import msgspec

from monitor.errors import BadInput
from monitor.events import EVENTS, Event

PREFIX = "monitor."
SPECVERSION = "1.0"
SEQUENCE_DIGITS = 12


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The CloudEvents attributes around one event's ``data``."""

    specversion: str
    id: str
    source: str
    type: str
    sequence: str
    partitionkey: str
    datacontenttype: str = ""
    time: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _Former(msgspec.Struct, frozen=True):
    """Keys of events of earlier versions: ``known`` is ``detected_at`` now, ``why`` of alerts is ``summary``.

    Read as an event of today one would lose its time, since keys that are not known are passed over.
    """

    known: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    why: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


FORMER = (b'"known":', b'"why":')
_former = msgspec.json.Decoder(_Former)
_encoder = msgspec.json.Encoder()
_envelope = msgspec.json.Decoder(Envelope)
_data = {name: msgspec.json.Decoder(kind) for name, kind in EVENTS.items()}


def wrap(event: Event, *, call: str, sequence: int, time: str | None = None) -> Envelope:
    """The envelope of ``event`` of ``call``; ``time`` is the wall clock (RFC 3339)."""
    return Envelope(
        specversion=SPECVERSION,
        id=f"{call}/{sequence}",
        source=f"/calls/{call}",
        type=PREFIX + event.name,
        sequence=f"{sequence:0{SEQUENCE_DIGITS}d}",
        partitionkey=call,
        time=time,
        data=msgspec.Raw(_encoder.encode(event)),
    )


def line(envelope: Envelope) -> bytes:
    """The line of an envelope, without its newline."""
    return _encoder.encode(envelope)


def encode(event: Event, *, call: str, sequence: int, time: str | None = None) -> bytes:
    """One line (without its newline) for ``event`` of ``call``."""
    return line(wrap(event, call=call, sequence=sequence, time=time))


def decode(text: bytes | str) -> tuple[Envelope, Event]:
    """The envelope and the event of one line.

    Raises ``BadInput`` for a line that is no CloudEvent of ours; the message tells the place in the
    line, never its content.
    """
    try:
        envelope = _envelope.decode(text)
        if envelope.specversion != SPECVERSION:
            raise BadInput(f"This event is not of CloudEvents {SPECVERSION}, which this monitor speaks.")
        name = envelope.type.removeprefix(PREFIX)
        if name not in _data or name == envelope.type:
            raise BadInput("This event has a type that this monitor does not know.")
        if _is_former(bytes(envelope.data)):
            raise BadInput(
                "This event was written by an earlier version of the monitor; replay the recording instead."
            )
        return envelope, _data[name].decode(envelope.data)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise BadInput(f"This is not an event of the call monitor: {_place(wrong)}.") from None


def _is_former(data: bytes) -> bool:
    """Whether ``data`` has keys of earlier versions. What has none of their names is not decoded for it."""
    if not any(key in data for key in FORMER):
        return False
    former = _former.decode(data)
    return former.known is not msgspec.UNSET or former.why is not msgspec.UNSET


def _place(wrong: Exception) -> str:
    """Where decoding failed, without the text that failed (it may be speech)."""
    if not isinstance(wrong, msgspec.ValidationError):
        return "it is not well-formed JSON"
    _, found, path = str(wrong).rpartition(" - at ")
    return f"something is missing or of the wrong kind at {path if found else 'its top'}"


def builtins(event: Event) -> dict[str, Any]:
    """The event as plain dicts and lists, with its ``type``, for reports and templates."""
    return {"type": event.name, **msgspec.to_builtins(event)}
