"""From votes to speech: the hysteresis and the segments of one side.

A detector votes on its own grid (32 ms for Silero, 10 ms for WebRTC): speech, quiet, or in between.
The flag rises after ``on_frames`` votes for speech in a row and falls after ``off_frames`` votes for
quiet. Segments are laid over the flag: short bursts are dropped, short gaps bridged, and their edges
are put back to where the votes began, not where the flag turned.

All of it counts votes and whole 20 ms frames; nothing knows how the sound was cut.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil

from monitor.audio.edges import QUIET, SPEECH, UNSURE, Edges
from monitor.audio.frames import seconds
from monitor.events import FRAME_SECONDS, Channel, Event, SpeechEnded, SpeechStarted


@dataclass(frozen=True, slots=True)
class Tempo:
    """How a detector's votes become speech. ``step`` is seconds per vote, ``lag`` how late it hears.

    ``onset`` and ``offset`` (seconds) move the edges of segments by the detector's measured bias.
    """

    step: float
    on_frames: int
    off_frames: int
    segment_min: float
    bridge: float
    lag: float = 0.0
    onset: float = 0.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Flip:
    """The flag turned: ``on`` holds from the 20 ms frame ``frame`` on."""

    frame: int
    on: bool


@dataclass(slots=True)
class _Segment:
    """A stretch of speech while it lasts: seconds of its edges, and how much of it was speech."""

    start: float
    end: float
    spoken: float = 0.0
    told: bool = False


@dataclass(slots=True)
class Voice:
    """Follows one side from vote to vote."""

    channel: Channel
    tempo: Tempo
    edges: Edges | None = None
    votes: int = 0
    on: bool = False
    flips: list[Flip] = field(default_factory=list)
    _streak: int = 0
    _burst: float = 0.0
    _segment: _Segment | None = None
    _last: int | None = None

    def feed(self, votes: Iterable[int]) -> list[Event]:
        """Counts the next votes; the flips they make wait in ``flips``."""
        events: list[Event] = []
        for vote in votes:
            self.votes += 1
            if self.on or vote > UNSURE or self._segment is not None:
                self._count(vote, events)
            else:
                self._streak = 0
        return events

    def finish(self, votes: Iterable[int], frames: int) -> list[Event]:
        """The call is over after ``frames`` frames of 20 ms: the last votes, then what is open closes."""
        self._last = frames
        events = self.feed(votes)
        self._close(frames, events)
        self.on = False
        return events

    @property
    def _known(self) -> int:
        """Whole 20 ms frames that had to be heard for the last vote."""
        frames = ceil(round(self.votes * self.tempo.step / FRAME_SECONDS, 6))
        return frames if self._last is None else min(frames, self._last)

    @property
    def _earliest(self) -> float:
        """Where speech would begin if the votes of this streak, or the next one, were its first."""
        return (self.votes - self._streak) * self.tempo.step - self.tempo.lag + self.tempo.onset

    def _count(self, vote: int, events: list[Event]) -> None:
        wanted = QUIET if self.on else SPEECH
        self._streak = self._streak + 1 if vote == wanted else 0
        if self.on:
            self._hear(vote)
            if self._streak >= self.tempo.off_frames:
                self._turn(on=False)
        elif self._streak >= self.tempo.on_frames:
            self._turn(on=True)
        self._tell(events)

    def _turn(self, *, on: bool) -> None:
        self.on = on
        self.flips.append(Flip(self._known - 1, on))
        start = max(0.0, self._earliest)
        self._streak = 0
        if on:
            self._burst = start
            if self._segment is None:
                self._segment = _Segment(start, start)
            self._hear(SPEECH)
        elif self._segment is not None:
            self._segment.spoken += self._segment.end - self._burst

    def _hear(self, vote: int) -> None:
        """While the flag is up, the segment reaches to the end of the last vote that was not for quiet."""
        if self._segment is not None and vote != QUIET:
            end = self.votes * self.tempo.step - self.tempo.lag + self.tempo.offset
            self._segment.end = max(self._segment.end, self._burst, end)

    def _tell(self, events: list[Event]) -> None:
        segment = self._segment
        if segment is None:
            return
        spoken = segment.spoken + (segment.end - self._burst if self.on else 0.0)
        if not segment.told and spoken >= self.tempo.segment_min - 1e-9:
            segment.told = True
            known = seconds(self._known)
            if self.edges:
                segment.start = self.edges.rise(segment.start, known)
            events.append(SpeechStarted(channel=self.channel, at=round(segment.start, 3), known=known))
        if not self.on and self._earliest - segment.end >= self.tempo.bridge - 1e-9:
            self._close(self._known, events)

    def _close(self, frames: int, events: list[Event]) -> None:
        segment, self._segment = self._segment, None
        if segment is None or not segment.told:
            return
        known = seconds(frames)
        end = self.edges.fall(segment.end, known) if self.edges else segment.end
        start, end = round(segment.start, 3), round(min(end, known), 3)
        events.append(SpeechEnded(channel=self.channel, start=start, end=max(start, end), known=known))
