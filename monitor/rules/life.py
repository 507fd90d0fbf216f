"""The life of an alert, as a table. Everything about states and what moves between them is here.

    quiet --met--> pending --held--> open --unmet--> cooling --cooled--> quiet
                      `----unmet--> quiet   `--ended--> cooling

``met`` and ``unmet`` come from the rule's question, ``held`` when it has been met for the rule's
``hold``, ``ended`` when an alert expires or a person puts it away, ``cooled`` when the cooldown is over
(and, after ``ended``, when the question has been unmet in between).
"""

from enum import Enum


class State(Enum):
    """Where a rule is in the life of its alert."""

    QUIET = "quiet"
    PENDING = "pending"
    OPEN = "open"
    COOLING = "cooling"


class Signal(Enum):
    """What moves a rule from one state to the next."""

    MET = "met"
    UNMET = "unmet"
    HELD = "held"
    ENDED = "ended"
    COOLED = "cooled"


TRANSITIONS: dict[tuple[State, Signal], State] = {
    (State.QUIET, Signal.MET): State.PENDING,
    (State.PENDING, Signal.UNMET): State.QUIET,
    (State.PENDING, Signal.HELD): State.OPEN,
    (State.OPEN, Signal.UNMET): State.COOLING,
    (State.OPEN, Signal.ENDED): State.COOLING,
    (State.COOLING, Signal.COOLED): State.QUIET,
}
"""Any other signal leaves the state as it is."""


def after(state: State, signal: Signal) -> State:
    """The state that follows."""
    return TRANSITIONS.get((state, signal), state)
