"""Cuts the audio of one side into utterances by voice activity.

An utterance starts ``preroll`` before the first active frame (never inside the previous one) and ends after
``end_silence`` without activity. One that grows to ``max_utterance`` is cut where it is quietest.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from monitor.audio.frames import frames_of, seconds
from monitor.config import SpeechSettings
from monitor.events import FRAME_SECONDS

Floats = NDArray[np.float32]

TAIL = 0.3
"""Seconds of silence after the last speech that still belong to the utterance."""

CUT_WINDOW = 4.0
"""A long utterance is cut within its last seconds, this many."""

CUT_MARGIN = 0.2
"""Seconds at the end of a long utterance in which it is not cut."""
SMOOTH_FRAMES = 5
"""Frames over which the level is averaged to find the quietest place."""


class UtteranceAudio:
    """The audio of one utterance, and where in it the side spoke. Frames count from the start of the call.

    It holds the frames from ``first`` to before ``end``; ``requested_to`` is the frame up to which a decode
    was requested. ``frame`` is the number of samples in a frame, ``room`` the most frames it can hold.
    """

    def __init__(self, number: int, first: int, frame: int, room: int) -> None:
        self.number = number
        self.first = first
        self.end = first
        self.requested_to = first
        self.closed = False
        self.opened_at = first
        """Frame at which it became known: later than ``first`` for the rest of an utterance that was cut."""
        self.end_detected_at = first
        """Frame at which its end became known, some silence later; until then its last frame."""
        self.committed_to = first
        """Frame up to which words are committed; a cut comes after it."""
        self._frame = frame
        self._sound: Floats = np.zeros(room * frame, np.float32)
        self._levels: Floats = np.full(room, -120.0, np.float32)
        self._active = np.zeros(room, bool)
        self.first_active = self.last_active = first

    @property
    def start(self) -> float:
        """Call seconds of the first sample."""
        return seconds(self.first)

    @property
    def speech_end(self) -> float:
        """Call seconds at which the side last spoke."""
        return seconds(self.last_active + 1)

    def speech_seconds(self, end: int | None = None) -> float:
        """Seconds of speech up to frame ``end``, or in all."""
        return self.active(self.first, self.end if end is None else end) * FRAME_SECONDS

    def append(self, sound: Floats, active: NDArray[np.bool_], levels: Floats) -> None:
        """Appends frames: ``sound`` float32 [samples]; ``active`` (bool) and ``levels`` (dBFS) one for
        each frame.
        """
        count, at = len(active), self.end - self.first
        self._sound[at * self._frame : (at + count) * self._frame] = sound
        self._active[at : at + count] = active
        self._levels[at : at + count] = levels
        if active.any():
            if not self._active[:at].any():
                self.first_active = self.end + int(np.argmax(active))
            self.last_active = self.end + count - 1 - int(np.argmax(active[::-1]))
        self.end += count
        self.end_detected_at = self.end

    def audio(self, end: int) -> Floats:
        """The audio up to frame ``end``, float32 [samples]."""
        return self._sound[: (end - self.first) * self._frame]

    def active(self, start: int, end: int) -> int:
        """Number of active frames from ``start`` to before ``end``."""
        end = min(end, self.end)
        return int(self._active[max(0, start - self.first) : max(0, end - self.first)].sum())

    def speech_within(self, start: float, end: float, until: int) -> tuple[float, float] | None:
        """The first and last second of speech between two call times (0.1 s of tolerance), or None.

        Only frames before number ``until`` are considered.
        """
        slack = frames_of(0.1)
        a = max(0, int(start / FRAME_SECONDS) - self.first)
        b = max(a + 1, int(np.ceil(end / FRAME_SECONDS)) - self.first)
        low = max(0, a - slack)
        where = np.flatnonzero(self._active[low : min(b + slack, until - self.first)])
        if not where.size:
            return None
        first, last = self.first + low + int(where[0]), self.first + low + int(where[-1]) + 1
        drawn_start = max(start, seconds(first)) if seconds(first) < end else start
        drawn_end = min(end, seconds(last)) if seconds(last) > drawn_start else end
        return drawn_start, max(drawn_start, drawn_end)

    def quietest_frame(self) -> int:
        """The frame within the last seconds, after the committed words, where a cut does least harm."""
        length = self.end - self.first
        low = max(length - frames_of(CUT_WINDOW), self.committed_to - self.first, 1)
        high = length - frames_of(CUT_MARGIN)
        if low >= high:
            return self.end
        kernel = np.ones(SMOOTH_FRAMES, np.float32) / SMOOTH_FRAMES
        smooth = np.convolve(self._levels[:length], kernel, "same")
        smooth = np.where(self._active[:length], smooth, smooth - 30.0)
        return self.first + low + int(np.argmin(smooth[low:high]))

    def split(self, cut: int, number: int) -> "UtteranceAudio":
        """Ends this utterance at frame ``cut`` and returns the rest as a new one."""
        at, length = cut - self.first, self.end - self.first
        rest = UtteranceAudio(number, cut, self._frame, len(self._active))
        rest.opened_at = self.end
        rest.append(
            self._sound[at * self._frame : length * self._frame],
            self._active[at:length],
            self._levels[at:length],
        )
        self.close(cut)
        return rest

    def close(self, end: int) -> None:
        """Ends the utterance at frame ``end`` and releases memory that was never filled."""
        count = self.end_detected_at - self.first
        self._sound, self._active = self.audio(self.end_detected_at).copy(), self._active[:count].copy()
        self._levels = self._levels[:count].copy()
        self.end, self.closed = end, True
        self.last_active = min(self.last_active, end - 1)


class UtteranceSegmenter:
    """Cuts one side into utterances. ``open`` is the one in progress; closed ones are returned once."""

    def __init__(self, rate: int, settings: SpeechSettings, number: Callable[[], int]) -> None:
        self._frame = rate // 50
        self._settings = settings
        self._number = number
        self._room = frames_of(settings.max_utterance + settings.preroll + settings.end_silence) + 8
        self._before: Floats = np.zeros(0, np.float32)
        self._free = 0
        self.open: UtteranceAudio | None = None

    def feed(
        self, first: int, sound: Floats, active: NDArray[np.bool_], levels: Floats
    ) -> list[UtteranceAudio]:
        """Takes frames from number ``first`` on (see ``UtteranceAudio.append``); returns the utterances
        that end.
        """
        closed: list[UtteranceAudio] = []
        if self.open is None and not active.any():
            self._remember(sound)
            return closed
        history = len(self._before) // self._frame
        all_sound = np.concatenate([self._before, sound])
        at, count = 0, len(active)
        while at < count:
            if self.open is None:
                ahead = np.flatnonzero(active[at:])
                if not ahead.size:
                    break
                at += int(ahead[0])
                self.open = self._begin(first + at, first - history, all_sound)
            at += self._grow(at, first, sound, active, levels, closed)
        self._remember(sound)
        return closed

    def finish(self) -> list[UtteranceAudio]:
        """Ends the utterance in progress at the end of the call."""
        if self.open is None:
            return []
        segment, self.open = self.open, None
        segment.close(min(segment.end, segment.last_active + 1 + frames_of(TAIL)))
        return [segment]

    def _begin(self, active_from: int, sound_from: int, sound: Floats) -> UtteranceAudio:
        start = max(active_from - frames_of(self._settings.preroll), self._free, sound_from)
        segment = UtteranceAudio(self._number(), start, self._frame, self._room)
        count = active_from - start
        at = (start - sound_from) * self._frame
        segment.append(
            sound[at : at + count * self._frame], np.zeros(count, bool), np.full(count, -120.0, np.float32)
        )
        return segment

    def _grow(
        self,
        at: int,
        first: int,
        sound: Floats,
        active: NDArray[np.bool_],
        levels: Floats,
        closed: list[UtteranceAudio],
    ) -> int:
        """Appends frames to the open utterance until it or they end; returns how many."""
        segment = self.open
        assert segment is not None  # noqa: S101 - the caller has just opened it
        silence = first + at - segment.last_active - 1
        limit = segment.first + frames_of(self._settings.max_utterance)
        count, ended = 0, False
        for value in active[at:]:
            count += 1
            silence = 0 if value else silence + 1
            ended = silence >= frames_of(self._settings.end_silence)
            if ended or first + at + count >= limit:
                break
        stretch = slice(at * self._frame, (at + count) * self._frame)
        segment.append(sound[stretch], active[at : at + count], levels[at : at + count])
        if ended:
            segment.close(min(segment.end, segment.last_active + 1 + frames_of(TAIL)))
            self._free, self.open = segment.end, None
            closed.append(segment)
        elif segment.end >= limit:
            self.open = segment.split(segment.quietest_frame(), self._number())
            closed.append(segment)
        return count

    def _remember(self, sound: Floats) -> None:
        keep = frames_of(self._settings.preroll) * self._frame
        self._before = np.concatenate([self._before, sound])[-keep:] if keep else self._before
