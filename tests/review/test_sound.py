"""The picture of a call's sound: what is loud where, whatever the level, in a file that a browser reads."""

import io
import warnings
from base64 import b64decode
from collections.abc import Iterator

import av
import numpy as np
import pytest

from monitor.events import Block
from monitor.review.sound import BANDS, COLUMNS, RANGE_DB, SHADES, Spectrogram, pictures

RATE = 8000


def blocks(pcm: np.ndarray, seconds: float = 20.0) -> Iterator[Block]:
    step = round(seconds * RATE)
    for at in range(0, pcm.shape[1], step):
        yield Block(at, pcm[:, at : at + step])


def tones() -> np.ndarray:
    """The agent low in the first ten seconds, the caller high in the next ten; then both silent."""
    times = np.arange(30 * RATE) / RATE
    agent = 0.3 * np.sin(2 * np.pi * 300 * times) * (times < 10)
    caller = 0.3 * np.sin(2 * np.pi * 3000 * times) * ((times >= 10) & (times < 20))
    return np.stack([agent, caller]).astype(np.float32)


def drawn(pcm: np.ndarray, seconds: float = 20.0) -> dict[str, Spectrogram]:
    return dict(pictures(blocks(pcm, seconds), RATE, pcm.shape[1] / RATE))


def test_each_tone_lies_where_it_is_heard():
    sound = drawn(tones())
    agent, caller = sound["agent"], sound["caller"]
    assert agent.loud.shape == (BANDS, round(30 / agent.step))
    third = agent.loud.shape[1] // 3
    low, high = int(agent.loud[:, third // 2].argmax()), int(caller.loud[:, third + third // 2].argmax())
    assert low < BANDS // 4
    assert high > BANDS * 3 // 4
    assert agent.loud[:, third + 5 :].max() == pytest.approx(-RANGE_DB)
    assert caller.loud[:, : third - 5].max() == pytest.approx(-RANGE_DB)


def test_a_side_without_sound_is_not_drawn():
    pcm = tones()
    pcm[1] = 0.0
    caller = drawn(pcm)["caller"]
    assert caller.loud.max() == pytest.approx(-RANGE_DB)


def test_the_level_of_the_recording_does_not_matter():
    loud, quiet = drawn(tones()), drawn(tones() / 100)
    np.testing.assert_allclose(loud["agent"].loud, quiet["agent"].loud, atol=0.05)


def test_pieces_show_but_at_their_seams():
    whole, pieces = drawn(tones(), 30.0)["agent"].loud, drawn(tones(), 3.0)["agent"].loud
    assert np.median(np.abs(whole - pieces)) < 0.1


def test_a_long_call_has_no_more_columns():
    picture = drawn(np.zeros((2, 600 * RATE), np.float32))["agent"]
    assert picture.loud.shape == (BANDS, COLUMNS)
    assert picture.step * COLUMNS == pytest.approx(600)


@pytest.mark.parametrize("samples", [1, 100, 513])
def test_a_call_of_a_moment_is_drawn_without_a_word(samples: int):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = drawn(np.full((2, samples), 0.1, np.float32))["caller"]
    assert np.isfinite(picture.loud).all()


def test_only_the_sides_that_may_be_seen_are_drawn():
    assert list(pictures(blocks(tones()), RATE, 30.0, ["caller"])) == ["caller"]


def test_it_says_how_far_it_is():
    heard: list[float] = []
    pictures(blocks(tones()), RATE, 30.0, heard=heard.append)
    assert heard == [20.0, 30.0]


def test_the_file_is_what_a_browser_takes_for_a_picture():
    loud = np.full((4, 6), -RANGE_DB, np.float32)
    loud[0, 2] = 0.0  # the lowest band, which stands at the bottom
    address = Spectrogram(loud, 0.5, 80.0, 3800.0).png((10, 20, 30))
    kind, _, data = address.partition(",")
    assert kind == "data:image/png;base64"
    with av.open(io.BytesIO(b64decode(data))) as container:
        (frame,) = container.decode(video=0)
    pixels = frame.to_ndarray(format="rgba")
    assert pixels.shape == (4, 6, 4)
    assert pixels[3, 2].tolist() == [10, 20, 30, 255]
    assert (np.delete(pixels[..., 3].ravel(), 3 * 6 + 2) == 0).all()
    assert SHADES <= 256
