"""The state of a call that the overlay draws, and the same as text for screen readers."""

from dataclasses import dataclass, field
from typing import Literal

from monitor.events import CHANNELS, Channel
from monitor.overlay.card import Card

Connection = Literal["lost", "refused", "waiting", "live"]
"""``refused``: the hub rejects this overlay (for example because its token has expired)."""

BAND_SECONDS = 30.0
"""Seconds of the past that the strip shows."""

NO_HUB, REFUSED, NO_CALL = "No hub yet – trying", "Not let in – a new token is needed", "Waiting for a call"


@dataclass(frozen=True, slots=True)
class ShownSide:
    """One side on the strip: whether it speaks, its speech segments, its level against the baseline (dB)."""

    speaks: bool = False
    speech: tuple[tuple[float, float], ...] = ()
    level_db: float | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything that is drawn. Times in seconds of the call; ``share`` is the agent's talk share, 0 to 1."""

    connection: Connection = "lost"
    call: str | None = None
    now: float = 0.0
    sides: dict[Channel, ShownSide] = field(
        default_factory=lambda: {channel: ShownSide() for channel in CHANNELS}
    )
    share: float | None = None
    card: Card | None = None
    why: bool = False
    open_card: Card | None = None
    snoozed: bool = False

    @property
    def down(self) -> bool:
        """Whether there is no connection to a hub."""
        return self.connection in ("lost", "refused")

    @property
    def at_rest(self) -> str:
        """The text of the strip without a call."""
        return {"lost": NO_HUB, "refused": REFUSED}.get(self.connection, NO_CALL)

    @property
    def spoken(self) -> str:
        """The text for screen readers: the card, or the state of the call and of the connection."""
        if self.card:
            return self.card.spoken
        if self.call is None:
            return self.at_rest
        told = ["The line to the hub is lost" if self.down else "A call is heard"]
        if self.connection == "refused":
            told.append("a new token is needed")
        if self.share is not None:
            told.append(f"you speak {100 * self.share:.0f} % of the time")
        if self.open_card:
            told.append(f"still open: {self.open_card.say}")
        if self.snoozed:
            told.append("cards are snoozed")
        return "; ".join(told)
