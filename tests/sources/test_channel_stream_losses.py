"""Lost sound is told in as few words as possible."""

import pytest

from monitor.sources.channel_stream import LossReporter

RATE = 8000


def test_small_pieces_become_one_gap():
    losses = LossReporter(RATE)
    for number in range(20):
        losses.add("agent", 5.0 + number * 0.02, 0.02)
        assert losses.due(round((5.0 + number * 0.02) * RATE)) == ()
    (gap,) = losses.due(6 * RATE)
    assert (gap.channel, gap.at, gap.seconds, gap.detected_at) == ("agent", 5.0, pytest.approx(0.4), 5.4)
    assert losses.due(7 * RATE) == ()


def test_a_side_that_stays_away_is_told_every_second():
    losses = LossReporter(RATE)
    told = []
    for number in range(500):
        losses.add("caller", number * 0.01, 0.01)
        told += losses.due(round((number + 1) * 0.01 * RATE))
    assert len(told) >= 4
    assert all(gap.seconds == pytest.approx(1.0, abs=0.02) for gap in told)


def test_sides_are_told_apart():
    losses = LossReporter(RATE)
    losses.add("caller", 1.0, 0.5)
    losses.add("agent", 1.2, 0.1)
    assert [(gap.channel, gap.seconds) for gap in losses.due(3 * RATE)] == [("agent", 0.1), ("caller", 0.5)]


def test_a_gap_is_never_told_before_its_end():
    losses = LossReporter(RATE)
    losses.add("agent", 1.0, 5.0)
    assert losses.due(2 * RATE) == ()
    assert len(losses.due(6 * RATE)) == 1
