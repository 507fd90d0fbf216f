import numpy as np
import pytest

from monitor.audio.features import FrameAnalyser
from tests.audio.sounds import noise, voice_like


def frames_of(sound, rate):
    analyser = FrameAnalyser(rate, 126)
    starts = np.arange(1, len(sound) // (rate // 50) - 1)[:40] * (rate // 50)
    return analyser.measure(analyser.windows(sound.astype(np.float32), starts))


def tone(hertz, rate, amplitude=1.0):
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(rate) / rate)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_full_scale_tone_reads_minus_three_dbfs_with_or_without_dc(rate):
    assert frames_of(tone(440, rate), rate).level == pytest.approx(-3.01, abs=0.05)
    assert frames_of(tone(440, rate, 0.5) + 0.4, rate).level == pytest.approx(-9.03, abs=0.05)


def test_digital_silence_has_a_finite_level_and_no_period():
    silent = frames_of(np.zeros(8000), 8000)
    assert silent.level == pytest.approx(-120, abs=0.001)
    assert np.all(silent.correlation == 0)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_alpha_is_the_power_above_one_kilohertz_against_that_below(rate):
    below, above = tone(500, rate, 0.1), tone(2000, rate, 0.1)
    assert frames_of(below + above, rate).alpha == pytest.approx(0, abs=0.1)
    assert frames_of(below + above * 10**0.5, rate).alpha == pytest.approx(10, abs=0.1)


def test_the_telephone_band_leaves_hum_and_hiss_out_of_alpha():
    speech = tone(500, 8000, 0.1) + tone(2000, 8000, 0.1)
    disturbed = speech + tone(50, 8000, 0.3) + tone(3900, 8000, 0.3)
    assert frames_of(disturbed, 8000).alpha == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("hertz", [80, 125, 200, 320])
def test_a_voice_repeats_itself_after_its_period_whatever_the_rate(rate, hertz):
    period = round(8000 / hertz)
    correlation = frames_of(voice_like(hertz, 1, rate), rate).correlation
    assert np.all(correlation[:, period - 1 : period + 2].max(axis=1) > 0.8)


def test_a_frame_is_the_same_to_the_last_bit_alone_or_among_others():
    analyser = FrameAnalyser(8000, 126)
    sound = (voice_like(140, 1, 8000) + noise(1, 8000, -40)).astype(np.float32)
    starts = np.arange(1, 48) * 160
    together = analyser.measure(analyser.windows(sound, starts))
    for number, start in enumerate(starts):
        alone = analyser.measure(analyser.windows(sound, np.array([start])))
        for field in ("level", "alpha", "sonorant", "correlation"):
            assert getattr(alone, field)[0].tobytes() == getattr(together, field)[number].tobytes()
