"""Adapts the effort of recognition to a slow machine: costs and delays in, a step out.

When decoding takes more than its share of a core, or results come late, the effort is reduced one step at a
time, always in the same order. It is raised again when the cheaper step leaves room for the dearer one. No
audio is ever skipped: what waits is decoded in one piece later.
"""

from collections import deque

from monitor.config import SpeechSettings

STEPS = ("full", "longer_interval", "no_alignment", "no_better_final", "finals_only")
"""What is given up, in this order; each step includes those before it."""

ESCALATE_AFTER = 1.0
"""Seconds on a step before the effort may be reduced again."""
RECOVER_AFTER = 5.0
"""Seconds on a step before the effort may be raised again."""

RECOVER_BELOW = 0.6
"""Share of its limit that the next dearer step may need, so that the effort does not fall again at once."""

SMOOTHING = 0.25
"""Weight of a new cost in the running mean of partial results."""
SMOOTHING_FINALS = 0.5
"""The same for final results: they are rarer, and must take effect as soon."""

LATE = 2.5
"""Seconds by which a result may be overdue before that alone reduces the effort."""

_WINDOW = 10.0


class Backpressure:
    """The recognition costs of one call, and the step that fits them."""

    def __init__(self, settings: SpeechSettings) -> None:
        self._settings = settings
        self._step = 0
        self._since = 0.0
        self._update = self._final = 0.0
        self._ratio = 1.0
        self._recent: deque[tuple[float, float]] = deque()

    @property
    def mode(self) -> str:
        """The name of the present step."""
        return STEPS[self._step]

    @property
    def partials(self) -> bool:
        """Whether growing utterances are decoded at all."""
        return self._step < STEPS.index("finals_only")

    @property
    def align(self) -> bool:
        """Whether partial results get word times from alignment."""
        return self._step < STEPS.index("no_alignment")

    @property
    def better_finals(self) -> bool:
        """Whether final results use the wider beam search."""
        return self._step < STEPS.index("no_better_final")

    def interval(self, talking: int) -> float:
        """Seconds between two decodes of one side while ``talking`` sides speak."""
        needed = self._update * max(1, talking) / self._settings.max_utilisation
        return min(self._settings.max_interval, max(self._settings.interval, needed))

    def add_cost(self, cost: float, now: float, *, final: bool = False) -> None:
        """Takes the inference time of a result, ``cost`` in seconds, at call time ``now``.

        Where only final results are requested, their cost tells what a partial result would cost, by the
        ratio of the two when both were requested.
        """
        self._recent.append((now, cost))
        if not final:
            self._update += SMOOTHING * (cost - self._update)
            return
        self._final += SMOOTHING_FINALS * (cost - self._final)
        if not self.partials:
            self._update = self._ratio * self._final

    def cpu_share(self, now: float) -> float:
        """Share of one core that decoding used in the last 10 s."""
        while self._recent and self._recent[0][0] < now - _WINDOW:
            self._recent.popleft()
        return round(sum(cost for _, cost in self._recent) / min(_WINDOW, max(1.0, now)), 2)

    def adapt(self, now: float, overdue: float, talking: int) -> bool:
        """Changes the step if it is time to; True if it did.

        ``now`` is call time and ``overdue`` the delay of the oldest open request, both in seconds;
        ``talking`` is the number of sides that speak.
        """
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
        """Decoding time at ``step`` relative to its limit (1.0 just fits)."""
        if step == len(STEPS) - 1:
            return 0.0
        interval = self._settings.interval if step == 0 else self._settings.max_interval
        return self._update * max(1, talking) / (interval * self._settings.max_utilisation)

    def _move(self, step: int, now: float) -> None:
        if step == len(STEPS) - 1 and self._final:
            self._ratio = min(1.0, self._update / self._final)
        self._step, self._since = step, now
