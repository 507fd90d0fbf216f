"""Everything there is to draw of a call, and the same in words for those who listen instead of look."""

from dataclasses import dataclass, field
from typing import Literal

from monitor.events import CHANNELS, Channel
from monitor.overlay.card import Card

Connection = Literal["lost", "refused", "waiting", "live"]
"""``refused``: the hub is there, and will not have this overlay (its token is over, for example)."""

BAND_SECONDS = 30.0
"""The strip shows so much of the past."""

NO_HUB, REFUSED, NO_CALL = "No hub yet – trying", "Not let in – a new token is needed", "Waiting for a call"


@dataclass(frozen=True, slots=True)
class ShownSide:
    """One side on the strip: whether it speaks, when it spoke, its level against its normal (dB)."""

    speaks: bool = False
    speech: tuple[tuple[float, float], ...] = ()
    level_db: float | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything there is to draw. Times in seconds of the call, ``share`` the agent's, 0 to 1."""

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
        """Whether no line to a hub stands."""
        return self.connection in ("lost", "refused")

    @property
    def at_rest(self) -> str:
        """The words of the strip while there is no call."""
        return {"lost": NO_HUB, "refused": REFUSED}.get(self.connection, NO_CALL)

    @property
    def spoken(self) -> str:
        """What a screen reader finds on the overlay: the card, or how the call and its line stand."""
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
