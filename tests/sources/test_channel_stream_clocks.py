"""Two clocks that do not agree: 300 ppm for half an hour, late and lost blocks, streams begun anew."""

from dataclasses import dataclass

import numpy as np
import pytest

from monitor.sources.channel_stream import (
    AFTER,
    BEFORE,
    JUMP_BEYOND,
    SLOW_CORRECTION,
    ClockModel,
    DriftCompensator,
    interpolate,
)

RATE = 8000
BLOCK = RATE // 50


@dataclass
class Card:
    """A sound card whose clock is off by ``ppm``, which hears a tone of the room and delivers it late."""

    ppm: float
    rate: int = RATE
    jitter: float = 0.008
    began: float = 100.0
    hertz: float = 440.0

    def __post_init__(self) -> None:
        self.true_rate = self.rate * (1 + self.ppm * 1e-6)
        self.chance = np.random.default_rng(5)
        self.count = 0

    def block(self, samples: int) -> tuple[np.ndarray, float]:
        """The next samples, and when they arrive."""
        times = self.began + (self.count + np.arange(samples)) / self.true_rate
        self.count += samples
        sound = 0.5 * np.sin(2 * np.pi * self.hertz * times)
        late = self.chance.exponential(self.jitter)
        return sound[None].astype(np.float32), self.began + self.count / self.true_rate + late

    def lose(self, samples: int) -> None:
        """The driver drops samples without a word: the count does not know."""
        self.began += samples / self.true_rate


def feed(follower: DriftCompensator, card: Card, samples: int) -> None:
    pcm, at = card.block(samples)
    delivered = getattr(card, "delivered", 0) + samples
    card.delivered = delivered
    follower.clock.add_arrival(delivered, at)
    follower.feed(pcm)


def error(follower: DriftCompensator, card: Card) -> float:
    """Seconds between where the next output was heard and where it stands."""
    assert follower._position is not None
    heard = card.began + follower._position / card.true_rate
    return heard - (follower._began + follower.samples_out / follower.rate)


@pytest.mark.parametrize("ppm", [300, -500])
def test_half_an_hour_of_drift_stays_within_twenty_milliseconds(ppm: float):
    card = Card(ppm)
    follower = DriftCompensator(RATE, 1, began=100.0)
    for _ in range(12):
        feed(follower, card, BLOCK)
    errors = []
    for _ in range(30 * 60 * 5):
        feed(follower, card, BLOCK * 10)
        follower.read()
        errors.append(error(follower, card))
    assert np.abs(errors).max() < 0.020
    assert np.abs(errors[600:]).max() < 0.010
    assert follower.clock.drift == pytest.approx(-ppm * 1e-6, abs=40e-6)


def test_a_drifting_tone_has_no_click():
    card = Card(400, jitter=0.004)
    follower = DriftCompensator(RATE, 1, began=100.0)
    for _ in range(20):
        feed(follower, card, BLOCK)
    pieces = []
    for _ in range(60 * 25):
        feed(follower, card, BLOCK * 2)
        pieces.append(follower.read()[1][0])
    tone = np.concatenate(pieces).astype(float)
    second = np.diff(tone, 2)  # a tone's is bounded by its frequency; a click stands out of it
    bound = 0.5 * (2 * np.pi * card.hertz * 1.006 / RATE) ** 2
    assert np.abs(second[RATE:]).max() < 1.03 * bound


def test_a_stream_on_the_machines_own_clock_is_copied_as_it_is():
    pcm = np.random.default_rng(1).standard_normal((2, 500)).astype(np.float32)
    positions = np.arange(BEFORE, 500 - AFTER, dtype=float)
    assert np.array_equal(interpolate(pcm, positions), pcm[:, BEFORE : 500 - AFTER])


def test_between_two_samples_the_sound_goes_on():
    times = np.arange(4000) / RATE
    sound = np.sin(2 * np.pi * 1000 * times)[None].astype(np.float32)
    places = np.arange(100, 3000) + 0.37
    assert np.abs(interpolate(sound, places)[0] - np.sin(2 * np.pi * 1000 * places / RATE)).max() < 2e-3


def test_lost_samples_become_silence_of_their_length():
    card = Card(0, jitter=0.001)
    follower = DriftCompensator(RATE, 1, began=100.0)
    gaps = []
    for number in range(60 * 50):
        if number == 1000:
            card.lose(RATE)
        feed(follower, card, BLOCK)
        if number > 12:
            gaps.append(follower.read()[0])
    assert sum(gaps) == pytest.approx(RATE, abs=JUMP_BEYOND * RATE)
    assert abs(error(follower, card)) < 0.020


def test_a_burst_after_a_stall_is_not_taken_for_new_time():
    """The sound server held the sound back and then delivers all of it: silence stands for it already."""
    card = Card(0, jitter=0.001)
    follower = DriftCompensator(RATE, 1, began=100.0)
    for _ in range(500):
        feed(follower, card, BLOCK)
    follower.read()
    filled = follower.silence(100.0 + 13.0)
    assert filled == pytest.approx(3.0 * RATE, abs=200)
    for _ in range(400):
        feed(follower, card, BLOCK)
        follower.read()
    assert follower.samples_skipped == pytest.approx(3.0 * RATE, abs=200)
    assert abs(error(follower, card)) < 0.020


def test_a_stream_that_begins_anew_stands_where_its_clock_says():
    card = Card(0, jitter=0.001)
    follower = DriftCompensator(RATE, 1, began=100.0)
    for _ in range(100):
        feed(follower, card, BLOCK)
    follower.read()
    follower.restart()
    again = Card(0, jitter=0.001, began=105.0)
    for _ in range(20):
        feed(follower, again, BLOCK)
    gap, sound = follower.read()
    assert gap == pytest.approx(3.0 * RATE, abs=400)
    assert sound.shape[1] == pytest.approx(0.4 * RATE, abs=100)
    assert abs(error(follower, again)) < 0.020


def test_an_ordinary_error_is_worked_off_gently():
    """Beyond the first seconds the pace is never further from the card's than a thousandth."""
    card = Card(200)
    follower = DriftCompensator(RATE, 1, began=100.0)
    for _ in range(1500):
        feed(follower, card, BLOCK * 2)
        follower.read()
    for _ in range(3000):
        feed(follower, card, BLOCK * 2)
        follower.read()
        assert abs(follower._speed() - 1) <= SLOW_CORRECTION + 700e-6


@pytest.mark.parametrize("ppm", [-300, 0, 300])
def test_the_time_of_a_sample_follows_the_drift_of_the_card(ppm: float):
    clock = ClockModel(RATE)
    true_rate = RATE * (1 - ppm * 1e-6)
    for second in range(1, 61):
        clock.add_arrival(second * RATE, 100.0 + second * RATE / true_rate)
    assert clock.drift == pytest.approx(ppm * 1e-6, abs=20e-6)
    for second in (1, 60, 120):
        at = 100.0 + second * RATE / true_rate
        assert clock.time_of(second * RATE) == pytest.approx(at, abs=0.002)
        assert clock.sample_at(at) == pytest.approx(second * RATE, abs=0.002 * RATE)


def test_one_late_block_moves_nothing():
    timeline = ClockModel(RATE)
    for second in range(30):
        timeline.add_arrival(second * RATE, 100.0 + second)
    before = timeline.time_of(29 * RATE)
    timeline.add_arrival(30 * RATE, 130.0 + 0.9)
    assert timeline.time_of(29 * RATE) == pytest.approx(before, abs=0.002)
