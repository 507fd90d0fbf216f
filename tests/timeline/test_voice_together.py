"""Two voices over a minute: climbing together is one thing, everything else is not."""

import pytest

from monitor.events import Channel
from monitor.timeline.voice import RisingTogether

Curve = list[float]


def climbing(caller: Curve, agent: Curve, turn: int = 5_000) -> bool:
    """Whether it was ever found; turns of ``turn`` ms in turn, each with one effort."""
    together, found, now = RisingTogether(), False, 0
    for theirs, ours in zip(caller, agent, strict=True):
        sides: tuple[tuple[Channel, float], ...] = (("caller", theirs), ("agent", ours))
        for channel, effort in sides:
            for step in range(turn // 100):
                found |= together.take(channel, now + 100 * step, effort) is not None
            now += turn
    return found


UP = [0.0, 0.1, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9]
DOWN = UP[::-1]
LEVEL = [0.1, 0.2, 0.1, 0.1, 0.2, 0.1, 0.2, 0.1]


def test_both_up_is_climbing() -> None:
    assert climbing(UP, [0.8 * value for value in UP])


@pytest.mark.parametrize(
    ("caller", "agent"), [(UP, LEVEL), (LEVEL, UP), (UP, DOWN), (DOWN, DOWN), (LEVEL, LEVEL)]
)
def test_anything_else_is_not(caller: Curve, agent: Curve) -> None:
    assert not climbing(caller, agent)


def test_calm_voices_that_drift_a_little_are_not() -> None:
    assert not climbing([0.3 * value for value in UP], [0.3 * value for value in UP])


def test_a_side_that_hardly_spoke_says_nothing() -> None:
    together = RisingTogether()
    for step in range(1200):
        assert together.take("caller", 100 * step, step / 1200) is None


def test_a_long_silence_empties_the_minute() -> None:
    together = RisingTogether()
    for cell, effort in enumerate(UP):
        together.take("caller", cell * 5_000, effort)
        together.take("agent", cell * 5_000 + 2_500, effort)
    assert together.take("caller", 3_600_000, 0.9) is None
    assert together.climbing() is None
