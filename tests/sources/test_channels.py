"""Two sides on one time base: nothing lost, nothing shifted, however the pieces were cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.events import CHANNELS, Channel
from monitor.sources.channels import ChannelAligner, call_rate
from tests.examples import examples

RATES = [8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000]


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, samples).astype(np.float32)


def tone(rate: int, seconds: float, hertz: float = 440.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate).astype(np.float32)


def hear(
    channels: ChannelAligner, sides: dict[Channel, np.ndarray], cuts: list[tuple[Channel, int]]
) -> np.ndarray:
    """Everything that comes out when the pieces are pushed in the order of ``cuts``, then the rest."""
    at = dict.fromkeys(CHANNELS, 0)
    blocks = []
    for channel, size in [*cuts, *((side, 10**9) for side in CHANNELS)]:
        channels.push(channel, sides[channel][at[channel] : at[channel] + size])
        at[channel] += size
        blocks.append(channels.take())
    blocks.append(channels.finish())
    starts = np.cumsum([0, *(block.pcm.shape[1] for block in blocks)])
    assert [block.start for block in blocks] == starts[:-1].tolist()
    return np.concatenate([block.pcm for block in blocks], axis=1)


@pytest.mark.parametrize(
    ("rates", "rate", "band"),
    [
        ((8000, 8000), 8000, "narrow"),
        ((8000, 11025), 8000, "narrow"),
        ((12000, 8000), 8000, "narrow"),
        ((16000, 8000), 16000, "wide"),
        ((48000, 48000), 16000, "wide"),
    ],
)
def test_a_call_is_narrow_only_when_both_sides_are(rates: tuple[int, int], rate: int, band: str) -> None:
    channels = ChannelAligner(rates)
    assert (call_rate(rates), channels.rate, channels.band) == (rate, rate, band)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_sound_at_the_calls_rate_is_copied_as_it_is(rate: int) -> None:
    agent, caller = noise(rate), noise(rate, 1)
    heard = hear(ChannelAligner((rate, rate)), {"agent": agent, "caller": caller}, [])
    np.testing.assert_array_equal(heard, np.stack([agent, caller]))


@examples(30)
@given(
    agent=st.sampled_from(RATES),
    caller=st.sampled_from(RATES),
    cuts=st.lists(st.tuples(st.sampled_from(CHANNELS), st.integers(0, 30_000)), max_size=12),
)
def test_the_cuts_do_not_matter(agent: int, caller: int, cuts: list[tuple[Channel, int]]) -> None:
    sides = {"agent": noise(agent // 2), "caller": noise(caller // 2, 1)}
    whole = hear(ChannelAligner((agent, caller)), sides, [])
    np.testing.assert_array_equal(hear(ChannelAligner((agent, caller)), sides, cuts), whole)


@pytest.mark.parametrize("caller", RATES)
@pytest.mark.parametrize("agent", [8000, 44100, 48000])
def test_both_sides_stay_in_step_whatever_their_rates(agent: int, caller: int) -> None:
    sides = {"agent": tone(agent, 2.0), "caller": tone(caller, 2.0)}
    channels = ChannelAligner((agent, caller))
    heard = hear(channels, sides, [])
    assert heard.shape[1] == pytest.approx(2.0 * channels.rate, abs=1)
    middle = heard[:, channels.rate // 2 : -channels.rate // 2]
    assert np.abs(middle[0] - middle[1]).max() < 1e-3, "a shift of one sample would differ by 0.17"


@pytest.mark.parametrize("rate", [11025, 22050, 44100, 48000, 192000])
def test_no_tail_is_lost(rate: int) -> None:
    """A click in the last millisecond comes out, in its place."""
    click = np.zeros(rate, np.float32)
    click[-rate // 1000 :] = 0.5
    channels = ChannelAligner((rate, rate))
    heard = hear(channels, {"agent": click, "caller": click}, [("agent", 500), ("caller", 900)])
    assert heard.shape[1] == channels.rate
    assert np.abs(heard[:, : int(channels.rate * 0.98)]).max() < 0.02
    assert heard[:, -channels.rate // 1000 :].max() > 0.3


def test_a_side_that_ends_early_is_silent_from_there() -> None:
    channels = ChannelAligner((8000, 8000))
    channels.push("agent", noise(800))
    channels.end("agent")
    channels.push("caller", noise(2000, 1))
    block = channels.take()
    assert block.pcm.shape == (2, 2000)
    assert not block.pcm[0, 800:].any()
    np.testing.assert_array_equal(block.pcm[1], noise(2000, 1))


def test_lost_sound_is_silence_and_a_gap_says_so() -> None:
    channels = ChannelAligner((16000, 48000))
    channels.push("agent", noise(16000))
    channels.push("caller", noise(24000, 1))
    channels.add_loss("caller", 12000)
    channels.push("caller", noise(12000, 2))
    blocks = [channels.take(4000) for _ in range(3)]
    blocks.append(channels.finish())
    gaps = [gap for block in blocks for gap in block.gaps]
    assert [(gap.channel, gap.at, gap.seconds, gap.detected_at) for gap in gaps] == [
        ("caller", 0.5, 0.25, 0.76)
    ]
    heard = np.concatenate([block.pcm for block in blocks], axis=1)
    assert np.abs(heard[1, 8200:11800]).max() < 1e-3
    assert heard.shape == (2, 16000)


@given(cut=st.integers(1, 4000))
def test_a_gap_is_told_in_the_block_that_ends_it(cut: int) -> None:
    channels = ChannelAligner((8000, 8000))
    channels.push("agent", noise(4000))
    channels.push("caller", noise(1000))
    channels.add_loss("caller", 500)
    channels.push("caller", noise(2500))
    told = [cut * n for n in range(1, 4000 // cut + 2) if channels.take(cut).gaps]
    assert told == [-(-1600 // cut) * cut]


def test_a_gap_at_the_very_end_is_still_told() -> None:
    channels = ChannelAligner((8000, 8000))
    channels.push("caller", noise(805))
    channels.add_loss("caller", 7)
    block = channels.finish()
    assert [gap.seconds for gap in block.gaps] == [0.001]
    assert block.pcm.shape == (2, 812)


def test_samples_that_are_no_numbers_are_silenced_and_counted() -> None:
    channels = ChannelAligner((8000, 8000))
    bad = noise(800)
    bad[10], bad[20], bad[30], bad[40] = np.nan, np.inf, -np.inf, 1e30
    channels.push("agent", bad)
    heard = channels.finish().pcm[0]
    assert channels.cleaned == {"agent": 4, "caller": 0}
    assert heard[[10, 20, 30, 40]].tolist() == [0.0, 0.0, 0.0, 1.0]
    assert np.isfinite(heard).all()


def test_the_sound_that_was_pushed_is_not_changed_and_not_kept() -> None:
    channels = ChannelAligner((8000, 8000))
    pcm = noise(100)
    channels.push("agent", pcm)
    pcm[:] = 9.0
    assert channels.finish().pcm[0].max() < 1.0
    np.testing.assert_array_equal(pcm, 9.0)


def test_a_side_that_has_ended_takes_no_more() -> None:
    channels = ChannelAligner((8000, 8000))
    channels.end("agent")
    with pytest.raises(ValueError, match="has ended"):
        channels.push("agent", noise(10))
