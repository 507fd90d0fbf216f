"""The supervisor of the devices, and both sides on one time base. Streams without cards, time in hand."""

import numpy as np
import pytest

from monitor import clock as wall
from monitor.errors import BadInput
from monitor.sources.capture import REOPEN_AFTER, STALLED_AFTER, Capture, DeviceSupervisor
from monitor.sources.channel_stream import ChannelStream
from tests.sources.rings import Card, Clock

RATE = 8000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The machine's clock in the test's hand."""
    clock = Clock()
    monkeypatch.setattr(wall, "monotonic", clock)
    return clock


class Headset:
    """Two devices that can be pulled out; the supervisor is driven by the test instead of its thread."""

    def __init__(self, clock: Clock, *, rates: tuple[int, int] = (RATE, RATE)) -> None:
        self.clock = clock
        self.cards: dict[str, Card] = {}
        self.gone: set[str] = set()
        self.refreshed = 0
        self.sources = [
            ChannelStream(
                "mic", rates[0], ("agent",), lambda: self._open("mic", rates[0]), pauses_when_idle=False
            ),
            ChannelStream(
                "ear",
                rates[1],
                ("caller",),
                lambda: self._open("ear", rates[1]),
                pauses_when_idle=False,
                is_available=lambda: "ear" not in self.gone,
            ),
        ]
        self.capture = Capture(self.sources, self._refresh)
        self.supervisor = self.capture._supervisor
        self.begun = False
        self.check()
        self.go(0.6)
        self.capture.begin(clock.now)
        self.begun = True

    def _open(self, name: str, rate: int) -> Card:
        if name in self.gone:
            raise BadInput(f"{name} cannot be opened.")
        self.cards[name] = Card(rate, self.clock)
        return self.cards[name]

    def _refresh(self) -> None:
        self.refreshed += 1

    def check(self) -> None:
        for watched in self.supervisor._watched:
            self.supervisor.check(watched, self.clock.now)

    def go(self, seconds: float, *, only: tuple[str, ...] = ("mic", "ear")) -> None:
        """Time goes on; those of the devices that still run deliver."""
        for _ in range(round(seconds / 0.02)):
            self.clock.now += 0.02
            for name, card in self.cards.items():
                if card.runs and name in only:
                    card.deliver(0.02)
            self.check()
            if self.begun:
                self.capture.poll(self.clock.now)


def test_both_sides_come_out_together_whatever_their_rates(clock: Clock):
    headset = Headset(clock, rates=(8000, 48000))
    headset.capture.take()
    headset.go(4.0)
    blocks = [headset.capture.take() for _ in range(8)]
    pcm = np.concatenate([block.pcm for block in blocks], axis=1)
    assert headset.capture.rate == 16000
    assert pcm.shape[1] == pytest.approx(4.0 * 16000, abs=1600)
    for side in pcm[:, -16000:]:
        assert np.abs(np.fft.rfft(side * np.hanning(16000))).argmax() == 300
    assert not any(block.gaps for block in blocks)


def test_a_device_that_is_pulled_out_is_told_at_once_and_resumed(clock: Clock):
    headset = Headset(clock)
    headset.go(2.0)
    headset.cards["ear"].runs = False
    headset.gone.add("ear")
    headset.go(0.1)
    assert headset.capture.take().notices == ("ear stopped delivering audio; trying to reopen it.",)
    headset.go(3.0)
    headset.gone.clear()
    headset.go(6.0)
    blocks = [headset.capture.take() for _ in range(30)]
    told = [notice for block in blocks for notice in block.notices if "ear" in notice]
    assert len(told) == 1
    assert told[0].startswith("ear delivers audio again after ")
    gaps = [gap for block in blocks for gap in block.gaps]
    assert {gap.channel for gap in gaps} == {"caller"}
    assert 3.0 < sum(gap.seconds for gap in gaps) < 8.0
    assert len(gaps) < 8


def test_a_source_that_is_moved_behind_our_back_is_let_go(clock: Clock):
    """The sound server goes on to deliver, but something else: better silence than the wrong voice."""
    headset = Headset(clock)
    headset.go(2.0)
    moved = headset.cards["ear"]
    headset.gone.add("ear")
    headset.go(2.0)
    assert moved.closed
    assert "ear stopped delivering audio; trying to reopen it." in headset.capture.take().notices


def test_the_other_side_goes_on_meanwhile(clock: Clock):
    headset = Headset(clock)
    headset.go(2.0)
    headset.cards["ear"].runs = False
    headset.gone.add("ear")
    headset.go(5.0)
    pcm = np.concatenate([headset.capture.take().pcm for _ in range(20)], axis=1)
    assert pcm.shape[1] / RATE == pytest.approx(7.0, abs=0.5)
    assert np.abs(pcm[0, 4 * RATE :]).max() > 0.4
    assert np.abs(pcm[1, 4 * RATE :]).max() == 0.0


def test_a_stalled_device_is_told_within_two_seconds(clock: Clock):
    """PortAudio calls it active, and nothing comes."""
    headset = Headset(clock)
    headset.go(2.0)
    first = headset.cards["ear"]
    headset.go(1.4, only=("mic",))
    lost = "ear stopped delivering audio; trying to reopen it."
    assert lost not in headset.capture.take().notices, "a block may be late"
    headset.go(0.6, only=("mic",))
    assert STALLED_AFTER < 2.0
    assert lost in headset.capture.take().notices
    assert not first.closed
    headset.go(REOPEN_AFTER, only=("mic",))
    assert first.closed
    assert headset.cards["ear"] is not first


def test_the_list_of_devices_is_refreshed_once_all_are_gone(clock: Clock):
    headset = Headset(clock)
    headset.cards["ear"].runs = False
    headset.go(2.0)
    assert headset.refreshed == 0
    for card in headset.cards.values():
        card.runs = False
    headset.gone = {"mic", "ear"}
    headset.go(2.0)
    assert headset.refreshed > 0


def test_what_is_lost_is_counted_and_filled(clock: Clock):
    headset = Headset(clock)
    headset.go(1.0)
    for card in headset.cards.values():
        card.runs = False
    headset.go(3.0)
    blocks = [headset.capture.take() for _ in range(10)]
    assert headset.capture.gaps == sum(len(block.gaps) for block in blocks) > 0
    ends = [block.start + block.pcm.shape[1] for block in blocks]
    starts = [block.start for block in blocks]
    assert starts[1:] == ends[:-1]


def test_a_reader_that_falls_behind_is_reported_once_and_so_is_its_recovery(clock: Clock):
    headset = Headset(clock)
    headset.go(1.0)
    headset.capture.take()
    headset.go(4.0)
    reported = [headset.capture.take().notices for _ in range(12)]
    assert reported[0] == ("This machine is 4.0 s behind the call.",)
    assert [notices for notices in reported[1:] if notices] == [
        ("This machine keeps up with the call again.",)
    ]


async def test_a_device_that_cannot_be_opened_is_one_sentence(monkeypatch: pytest.MonkeyPatch):
    def refuse() -> Card:
        raise BadInput("mic cannot be opened at 8000 Hz: Invalid sample rate.")

    capture = Capture([ChannelStream("mic", RATE, ("agent", "caller"), refuse, pauses_when_idle=False)])
    try:
        with pytest.raises(BadInput, match="Invalid sample rate"):
            await capture.start()
    finally:
        capture.close()


def test_a_sound_server_that_is_slow_to_wake_up_is_asked_again(clock: Clock):
    checked_at = []

    def open_() -> Card:
        checked_at.append(clock.now)
        if len(checked_at) == 1:
            raise BadInput("mic cannot be opened at 8000 Hz: Error starting stream: Wait timed out.")
        return Card(RATE, clock)

    source = ChannelStream("mic", RATE, ("agent", "caller"), open_, pauses_when_idle=False)
    keeper = DeviceSupervisor([source], lambda: None)
    for _ in range(20):
        keeper.check(keeper._watched[0], clock.now)
        clock.now += 0.1
    assert source.stream is not None
    assert keeper.error is None
    assert len(checked_at) == 2


def test_the_keeper_lets_everything_go(clock: Clock):
    card = Card(RATE, clock)
    source = ChannelStream("mic", RATE, ("agent", "caller"), lambda: card, pauses_when_idle=False)
    keeper = DeviceSupervisor([source], lambda: None)
    keeper.start()
    while source.stream is None:
        wall.sleep(0.01)
    keeper.close()
    assert card.closed
