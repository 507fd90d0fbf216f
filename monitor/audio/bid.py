"""One stretch of talk over talk, from its first common frame until it is clear what it was.

Only a *bid* can become an interruption or a talk-over: the newcomer begins while the other side has the
floor and is speaking (or was 0.2 s before). Everything else that sounds at once is named, not judged.

    kind           what it was
    interruption   a bid; the holder fell silent, and the newcomer went on
    talk_over      a bid; both went on at once for more than a second, and the holder kept the floor
    backchannel    a bid; the newcomer fell silent and the holder went on ("mm-hm", "right", a laugh)
    terminal       a bid that only touches the end of the holder's turn
    simultaneous   both began within 0.2 s of each other
    other          nobody had the floor, or its holder came back after a pause, or over a "mm-hm"
"""

from dataclasses import dataclass

from monitor.audio.floor import FloorState, frames_in
from monitor.config import OverlapSettings
from monitor.events import OverlapKind

_BREATH = frames_in(0.3)  # a pause between two words of the newcomer; a longer one begins a new burst


@dataclass(slots=True)
class Bid:
    """What was heard since both sides spoke at once. All numbers are frames; sides are rows."""

    start: int
    by: int
    """Who came second."""
    kind: OverlapKind
    """What it is so far; a bid begins as a backchannel."""
    talk: int = 0
    """How much the newcomer has talked since it began."""
    end: int = 0
    overlap: int = 0
    """How much both have spoken at once."""
    run: int = 0
    """How much of that in the newcomer's present burst: three "mm-hm" in a row are no talk-over."""
    hinted: bool = False

    @property
    def competes(self) -> bool:
        """Whether this is a bid for a floor that the other side has."""
        return self.kind in ("backchannel", "talk_over")

    def hear(self, floor: FloorState, frame: int) -> None:
        """Counts one frame."""
        by, of = floor.sides[self.by], floor.sides[1 - self.by]
        if by.off > _BREATH:
            self.run = 0
        if by.active:
            self.talk += 1
            if of.active:
                self.overlap += 1
                self.run += 1
                self.end = frame + 1


def open_bid(floor: FloorState, frame: int, settings: OverlapSettings) -> Bid:
    """The record of an overlap whose first common frame is ``frame``: who came second, and into what."""
    one, two = floor.sides
    later = 0 if one.start > two.start else 1
    if abs(one.start - two.start) <= frames_in(settings.simultaneous):
        return Bid(frame, later, "simultaneous")
    if floor.holder is None:
        return Bid(frame, later, "other")
    taker = floor.sides[1 - floor.holder]
    inside = taker.entered <= frames_in(settings.inside)
    if inside and floor.turn >= frames_in(settings.holder_turn):
        return Bid(frame, 1 - floor.holder, "backchannel", talk=frame - taker.start)
    return Bid(frame, 1 - floor.holder if inside else later, "other")
