"""Journals as a source: the facts of a call that was analysed before, without its audio."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monitor.errors import BadInput
from monitor.events import CallEnded, CallStarted, Event
from monitor.wire import envelope as wire

SUFFIXES = frozenset({".jsonl", ".ndjson"})
"""File name endings of journals."""

MAX_DISORDER = 1.0
"""Seconds by which a line may be earlier than the one before it (other software may write journals, too)."""

MAX_CALL_SECONDS = 7 * 86_400.0
"""A later time is damaged; rules would be evaluated at each second up to it."""


@dataclass(frozen=True)
class Journal:
    """One call's events as they were written. ``notice`` says where a truncated journal ends."""

    call: str
    started: CallStarted
    events: tuple[Event, ...]
    notice: str | None = None

    @property
    def end(self) -> float:
        """The latest detection time of the events, in call seconds."""
        return max((event.detected_at for event in self.events), default=0.0)

    @property
    def ended(self) -> CallEnded | None:
        """The closing event with the totals, where the call ended properly."""
        return next((event for event in reversed(self.events) if isinstance(event, CallEnded)), None)


def is_journal(path: Path) -> bool:
    """Whether a path names a journal rather than a recording."""
    return path.suffix.lower() in SUFFIXES


def read_journal(path: Path) -> Journal:
    """Reads the journal at ``path``. Raises ``BadInput`` naming the line that is wrong.

    A last line that was cut off (the machine stopped while writing) is dropped, and ``notice`` says so.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as wrong:
        raise BadInput(f"The journal {path} cannot be read: {wrong.strerror}.") from None
    events: list[Event] = []
    call = ""
    notice = None
    for number, envelope_event in _decoded(path, lines):
        if envelope_event is None:
            notice = f"The journal {path.name} is cut off at line {number}; it was read up to there."
            break
        whose, event = envelope_event
        if events and (why := _does_not_follow(events[-1], event, same=whose == call)):
            raise BadInput(f"{path}, line {number}: {why}; a journal holds one call, line by line as it was.")
        call = whose
        events.append(event)
    if not events or not isinstance(events[0], CallStarted):
        raise BadInput(f"{path} is not a journal of a call: it does not begin with call.started.")
    return Journal(call, events[0], tuple(events), notice)


def _does_not_follow(last: Event, event: Event, *, same: bool) -> str | None:
    """Why ``event`` cannot come after ``last`` in a call; None where it can."""
    if not same:
        return "this line is of another call"
    if isinstance(event, CallStarted):
        return "a second call begins here"
    if event.detected_at < last.detected_at - MAX_DISORDER:
        return "this line is earlier than the one before it"
    if event.detected_at > MAX_CALL_SECONDS:
        return "no call is as long as this line says"
    return None


def _decoded(path: Path, lines: list[bytes]) -> Iterator[tuple[int, tuple[str, Event] | None]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            envelope, event = wire.decode(line)
        except BadInput as wrong:
            if number == len(lines) and number > 1:
                yield number, None
                return
            raise BadInput(f"{path}, line {number}: {wrong}") from None
        yield number, (envelope.partitionkey, event)
