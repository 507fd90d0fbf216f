"""One stream through its mishaps: late, lost, opened anew, paused, overrun."""

import numpy as np
import pytest

from monitor import clock as wall
from monitor.sources.channel_stream import CLOCK_READY, IDLE_DELAY, MAX_DELAY, AlignedPiece, ChannelStream
from tests.sources.rings import Card, Clock

RATE = 8000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The machine's clock in the test's hand."""
    clock = Clock()
    monkeypatch.setattr(wall, "monotonic", clock)
    return clock


def lane_of(card: Card, *, pauses_when_idle: bool = False) -> ChannelStream:
    lane = ChannelStream("headset", RATE, ("agent",), lambda: card, pauses_when_idle=pauses_when_idle)
    lane.stream = card
    return lane


def run(lane: ChannelStream, card: Card, clock: Clock, seconds: float, **how: bool) -> list[AlignedPiece]:
    """Time goes on and the card delivers in step with it."""
    pieces = []
    for _ in range(round(seconds / 0.02)):
        clock.now += 0.02
        card.deliver(0.02, **how)
        pieces += lane.read(clock.now)
    return pieces


def wait(lane: ChannelStream, clock: Clock, seconds: float) -> list[AlignedPiece]:
    """Time goes on and nothing comes."""
    pieces = []
    for _ in range(round(seconds / 0.02)):
        clock.now += 0.02
        pieces += lane.read(clock.now)
    return pieces


def begun(clock: Clock, *, pauses_when_idle: bool = False) -> tuple[ChannelStream, Card]:
    card = Card(RATE, clock)
    lane = lane_of(card, pauses_when_idle=pauses_when_idle)
    for _ in range(30):
        clock.now += 0.02
        card.deliver(0.02)
    lane.begin(clock.now)
    lane.read(clock.now)
    return lane, card


def test_a_stream_is_read_once_its_clock_has_been_watched_for_half_a_second(clock: Clock):
    card = Card(RATE, clock)
    lane = lane_of(card)
    lane.begin(clock.now)
    assert seconds(run(lane, card, clock, CLOCK_READY - 0.02)) == (0.0, 0.0)
    silence, sound = seconds(run(lane, card, clock, 0.1))
    assert silence + sound == pytest.approx(CLOCK_READY + 0.08, abs=0.01)
    assert sound > 0.5


def seconds(pieces: list[AlignedPiece]) -> tuple[float, float]:
    """(silence, sound) in seconds."""
    return (
        sum(piece.missing for piece in pieces) / RATE,
        sum(piece.sound.shape[1] for piece in pieces) / RATE,
    )


def test_a_healthy_stream_is_heard_whole(clock: Clock):
    lane, card = begun(clock)
    silence, sound = seconds(run(lane, card, clock, 5.0))
    assert silence <= 0.001
    assert sound == pytest.approx(5.0, abs=0.03)


def test_a_busy_machine_loses_nothing(clock: Clock):
    """For two seconds nothing arrives, then all of it at once: PulseAudio queues."""
    lane, card = begun(clock)
    run(lane, card, clock, 3.0)
    quiet = wait(lane, clock, 2.0)
    card.deliver(2.0)
    silence, sound = seconds(quiet + lane.read(clock.now) + run(lane, card, clock, 1.0))
    assert silence == 0.0
    assert sound == pytest.approx(3.0, abs=0.05)


def test_a_machine_that_is_busy_as_it_begins_hears_each_side_at_its_time(clock: Clock):
    """For a second every block comes 0.3 s after it was heard; then the machine catches up."""
    card = Card(RATE, clock)
    lane = lane_of(card)
    clock.now += 0.3
    card.age = 0.3
    for _ in range(30):
        clock.now += 0.02
        card.deliver(0.02)
    lane.begin(clock.now)
    run(lane, card, clock, 0.4)
    for block in range(15):
        card.age = 0.28 - 0.02 * block
        card.deliver(0.02)
    pieces = run(lane, card, clock, 8.0)
    silence, sound = seconds(pieces)
    assert silence == 0.0
    assert sound == pytest.approx(8.3, abs=0.05)  # none of it left out as if it had come too late


def test_a_lost_device_becomes_silence_at_once(clock: Clock):
    lane, card = begun(clock)
    run(lane, card, clock, 3.0)
    lane.stream = None
    silence, sound = seconds(wait(lane, clock, 2.0))
    assert silence == pytest.approx(2.0 - IDLE_DELAY, abs=0.05)
    assert sound < 0.1


def test_a_device_that_only_falls_silent_is_waited_for_a_while(clock: Clock):
    lane, card = begun(clock)
    run(lane, card, clock, 3.0)
    silence, _ = seconds(wait(lane, clock, MAX_DELAY + 1.0))
    assert silence == pytest.approx(1.0, abs=0.05)


def test_a_device_that_comes_back_stands_at_its_own_time(clock: Clock):
    lane, card = begun(clock)
    run(lane, card, clock, 3.0)
    lane.stream = None
    lost = wait(lane, clock, 4.0)
    again = Card(RATE, clock)
    lane.stream = again
    back = run(lane, again, clock, 3.0)
    silence, sound = seconds(lost + back)
    assert silence == pytest.approx(4.0, abs=0.1)
    assert sound == pytest.approx(3.0, abs=0.1)
    assert all(piece.lost for piece in lost + back if piece.missing)


def test_a_loopback_that_pauses_is_silence_and_no_loss(clock: Clock):
    lane, card = begun(clock, pauses_when_idle=True)
    run(lane, card, clock, 3.0)
    paused = wait(lane, clock, 5.0)
    after = run(lane, card, clock, 3.0)
    silence, sound = seconds(paused + after)
    assert silence == pytest.approx(5.0, abs=0.6)
    assert silence + sound == pytest.approx(8.0, abs=0.1)
    assert not any(piece.lost for piece in paused + after)


def test_an_overflow_is_found_by_the_clock(clock: Clock):
    """The driver dropped half a second and says so: silence of that length stands in."""
    lane, card = begun(clock)
    run(lane, card, clock, 3.0)
    clock.now += 0.5
    pieces = run(lane, card, clock, 0.02, overflow=True) + run(lane, card, clock, 3.0)
    silence, sound = seconds(pieces)
    assert lane.overflows == 1
    assert silence == pytest.approx(0.5, abs=0.05)
    assert silence + sound == pytest.approx(3.5, abs=0.05)


def test_a_reader_that_slept_too_long_keeps_its_place(clock: Clock):
    lane, card = begun(clock)
    run(lane, card, clock, 2.0)
    for _ in range(15):
        clock.now += 1.0
        card.deliver(1.0)
    pieces = lane.read(clock.now)
    assert sum(seconds(pieces)) == pytest.approx(15.0, abs=0.1)
    silence, sound = seconds(run(lane, card, clock, 1.0))
    assert sound == pytest.approx(1.0, abs=0.05)
    assert silence == 0.0


def test_the_sound_is_what_was_heard(clock: Clock):
    lane, card = begun(clock)
    tone = np.concatenate([piece.sound[0] for piece in run(lane, card, clock, 2.0)])
    spectrum = np.abs(np.fft.rfft(tone[:RATE] * np.hanning(RATE)))
    assert spectrum.argmax() == 300
