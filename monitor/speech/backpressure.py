"""How the transcriber lives within the machine it has. Pure: costs and delays in, a step out.

When decoding takes more than its share of a core, or answers come late, the effort goes down one step
at a time, always in the same order; it comes back up when the cheaper step leaves room for the dearer
one. No sound is ever skipped: what waits is decoded in one piece later.
"""

from collections import deque

from monitor.config import SpeechSettings

STEPS = ("full", "longer_interval", "no_alignment", "no_better_final", "finals_only")
"""What is given up, in this order; each step gives up those before it too."""

ESCALATE_AFTER = 1.0
RECOVER_AFTER = 5.0
"""Seconds on a step before the next one down, and before the way back up."""

RECOVER_BELOW = 0.6
"""Share of the target that the next dearer step may need, so that it does not fall back at once."""

SMOOTHING = 0.25
SMOOTHING_FINALS = 0.5
"""How much of a new cost counts: there are far fewer finals than updates, and they must tell as soon."""

LATE = 2.5
"""Seconds an answer may be overdue before that alone calls for less effort."""

_WINDOW = 10.0


class Backpressure:
    """The recogniser's costs for one call, and the step that fits them."""

    def __init__(self, settings: SpeechSettings) -> None:
        self._settings = settings
        self._step = 0
        self._since = 0.0
        self._update = self._final = 0.0
        self._ratio = 1.0
        self._recent: deque[tuple[float, float]] = deque()

    @property
    def mode(self) -> str:
        """The name of the step."""
        return STEPS[self._step]

    @property
    def partials(self) -> bool:
        """Whether growing utterances are looked at at all."""
        return self._step < STEPS.index("finals_only")

    @property
    def align(self) -> bool:
        """Whether updates get word times from the sound."""
        return self._step < STEPS.index("no_alignment")

    @property
    def better_finals(self) -> bool:
        """Whether the end of an utterance gets the wider search."""
        return self._step < STEPS.index("no_better_final")

    def interval(self, talking: int) -> float:
        """Seconds between two updates of one side while ``talking`` sides speak."""
        needed = self._update * max(1, talking) / self._settings.max_utilisation
        return min(self._settings.max_interval, max(self._settings.interval, needed))

    def answered(self, cost: float, now: float, *, final: bool = False) -> None:
        """An answer took ``cost`` seconds of inference.

        Where only finals are asked, they tell what an update would cost now: as much less than they do
        as it did when both were asked.
        """
        self._recent.append((now, cost))
        if not final:
            self._update += SMOOTHING * (cost - self._update)
            return
        self._final += SMOOTHING_FINALS * (cost - self._final)
        if not self.partials:
            self._update = self._ratio * self._final

    def share(self, now: float) -> float:
        """Share of one core that decoding took lately."""
        while self._recent and self._recent[0][0] < now - _WINDOW:
            self._recent.popleft()
        return round(sum(cost for _, cost in self._recent) / min(_WINDOW, max(1.0, now)), 2)

    def adapt(self, now: float, overdue: float, talking: int) -> bool:
        """Goes a step down or up if it is time to; True if it did. ``overdue``: the latest answer's delay."""
        held = now - self._since
        down = self._pressure(self._step, talking) > 1.0 or overdue > LATE
        up = self._step > 0 and self._pressure(self._step - 1, talking) < RECOVER_BELOW and overdue < LATE / 4
        if down and self._step < len(STEPS) - 1 and held >= ESCALATE_AFTER:
            self._move(self._step + 1, now)
            return True
        if up and not down and held >= RECOVER_AFTER:
            self._move(self._step - 1, now)
            return True
        return False

    def _pressure(self, step: int, talking: int) -> float:
        """Decoding at ``step`` against its share of the core (1: just fits)."""
        if step == len(STEPS) - 1:
            return 0.0
        interval = self._settings.interval if step == 0 else self._settings.max_interval
        return self._update * max(1, talking) / (interval * self._settings.max_utilisation)

    def _move(self, step: int, now: float) -> None:
        if step == len(STEPS) - 1 and self._final:
            self._ratio = min(1.0, self._update / self._final)
        self._step, self._since = step, now
