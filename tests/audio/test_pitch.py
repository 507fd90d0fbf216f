"""The pitch of known sounds, of vocoded voices, and beside librosa's pYIN."""

import numpy as np
import pytest
import soundfile

from monitor.audio.features import VoiceAnalyser
from monitor.audio.frames import FrameBlock
from monitor.audio.pitch import CANDIDATES, LOOKAHEAD, LOOKBACK, best_path
from tests.audio.sounds import noise, telephone, voice_like


def pitch_of(sound, rate=8000):
    """Hz of each 20 ms frame, NaN where unvoiced."""
    frames = len(sound) // (rate // 50)
    pcm = np.stack([sound, np.zeros_like(sound)])[:, : frames * (rate // 50)].astype(np.float32)
    active = np.zeros((2, frames), bool)
    active[0] = True
    voice = VoiceAnalyser(rate, 65, 600)
    portions = [*voice.feed(FrameBlock(0, pcm, rate), active), *voice.finish()]
    return 2.0 ** np.concatenate([portion.octave[0] for portion in portions])


def gross_error(found, true):
    """Share of the frames voiced in both whose pitch is wrong by more than 20 %."""
    frames = min(len(found), len(true))
    ratio = found[:frames] / true[:frames]
    ratio = ratio[~np.isnan(ratio)]
    return np.mean(np.abs(ratio - 1) > 0.2), len(ratio)


@pytest.mark.parametrize("hertz", [75, 90, 110, 146, 180, 220, 261, 300, 350, 450])
def test_a_steady_voice_on_the_telephone_has_its_pitch_though_the_fundamental_is_missing(hertz):
    found = pitch_of(telephone(voice_like(hertz, 2, 8000)))[3:-3]
    assert not np.isnan(found).any()
    assert found == pytest.approx(hertz, rel=0.02)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_gliding_voice_is_followed(rate):
    hertz = 90 * 4 ** (np.arange(4 * rate) / (4 * rate))
    found = pitch_of(voice_like(hertz, 4, rate), rate)[3:-3]
    true = hertz[rate // 100 :: rate // 50][3:-3]
    assert found == pytest.approx(true[: len(found)], rel=0.05)


def test_noise_and_silence_have_no_pitch():
    assert np.isnan(pitch_of(noise(10, 8000, -20))).mean() > 0.95
    assert np.isnan(pitch_of(telephone(noise(10, 8000, -20)))).mean() > 0.9
    assert np.isnan(pitch_of(np.zeros(8000))).all()


def test_a_voice_far_below_the_loudest_is_left_out_whatever_the_gain():
    loud, faint = voice_like(120, 1, 8000), 0.01 * voice_like(120, 1, 8000)
    for gain in (1.0, 0.1):
        found = pitch_of(gain * np.concatenate([loud, faint]))
        assert not np.isnan(found[3:45]).any()
        assert np.isnan(found[55:95]).all()


@pytest.fixture(scope="module")
def speech(project):
    """16 kHz speech of a bundled call: both voices, calm and raised."""
    pcm, rate = soundfile.read(project / "fixtures" / "audio" / "difficult-call.flac")
    assert rate == 16000
    return [pcm[int(start * rate) : int(end * rate), side].copy() for side, start, end in
            ((1, 0.8, 6.3), (0, 6.8, 12.8), (0, 33.0, 38.8), (1, 39.4, 44.4))]  # fmt: skip


@pytest.fixture(scope="module")
def vocoded(speech):
    """That speech taken apart by the WORLD vocoder: pitch each 5 ms, spectral envelope, roughness."""
    pyworld = pytest.importorskip("pyworld", reason="the vocoder makes voices of known pitch")
    apart = []
    for said in speech:
        pitch, times = pyworld.harvest(said, 16000, f0_floor=65, f0_ceil=450)
        envelope = pyworld.cheaptrick(said, pitch, times, 16000)
        apart.append((pitch, envelope, pyworld.d4c(said, pitch, times, 16000)))
    return apart


@pytest.mark.parametrize("semitones", [-3, 0, 6])
def test_gross_errors_on_vocoded_voices_stay_under_three_percent_on_the_telephone(vocoded, semitones):
    import pyworld

    wrong = frames = 0
    for pitch, envelope, rough in vocoded:
        moved = np.clip(pitch * 2 ** (semitones / 12), 70, 500) * (pitch > 0)
        made = pyworld.synthesize(moved, envelope, rough, 16000)
        # A frame is voiced if the vocoder's voice is, 10 ms to either side of its middle.
        middle = np.arange(2, len(moved) - 2, 4)
        voiced = (moved[middle - 2] > 0) & (moved[middle] > 0) & (moved[middle + 2] > 0)
        share, both = gross_error(pitch_of(telephone(_halved(made))), np.where(voiced, moved[middle], np.nan))
        wrong, frames = wrong + share * both, frames + both
        assert both > 0.6 * voiced.sum()
    assert wrong / frames <= 0.03


@pytest.mark.slow
def test_on_the_telephone_it_agrees_with_librosas_pyin_on_the_sound_before_the_telephone(speech):
    librosa = pytest.importorskip("librosa", reason="librosa's pYIN is the oracle")
    for said in speech[:2]:
        sound = _halved(said[:40000])
        hertz, voiced, _ = librosa.pyin(sound, fmin=65, fmax=600, sr=8000, frame_length=512, hop_length=80)
        middle = np.where(voiced, hertz, np.nan)[1::2]
        share, both = gross_error(pitch_of(telephone(sound)), middle)
        assert both > 60
        assert share <= 0.05


def _halved(sound):
    import soxr

    return soxr.resample(sound, 16000, 8000)


def test_the_short_path_decides_nearly_as_one_that_knows_the_whole_call():
    """On voices made for it, always the same ones: how often it differs is a figure, not a law."""
    same = []
    for seed in range(20):
        octave, strength = _wandering_voice(np.random.default_rng(seed), frames=300)
        same.append(np.mean(best_path(octave, strength) == _viterbi(octave, strength)[LOOKBACK:-LOOKAHEAD]))
    assert min(same) > 0.9
    assert np.mean(same) > 0.96


def _wandering_voice(random, frames):
    """Candidates of a voice that drifts, with octave rivals that are sometimes stronger for a frame."""
    pitch = np.log2(150) + np.cumsum(random.normal(0, 0.03, frames))
    octave = np.stack([np.full(frames, np.nan), pitch, pitch - 1, pitch + 1, random.uniform(6, 9, frames)])
    strength = np.stack(
        [np.full(frames, 0.25), *(random.normal(mean, 0.1, frames) for mean in (0.8, 0.6, 0.55, 0.2))]
    )
    voiced = np.sin(np.arange(frames) / 15 + random.uniform(0, 6)) > -0.5
    strength[1:, ~voiced] -= 0.6
    return octave.astype(np.float32), strength.astype(np.float32)


def _viterbi(octave, strength):
    """The textbook path over the whole call, with the costs written out once more."""
    best, came = strength[:, 0], []
    for k in range(1, octave.shape[1]):
        cost = 0.35 * np.abs(octave[:, k - 1][:, None] - octave[:, k][None])
        cost[0], cost[:, 0] = 0.14, 0.14
        cost[0, 0] = 0
        ways = best[:, None] - cost
        came.append(ways.argmax(axis=0))
        best = ways.max(axis=0) + strength[:, k]
    state = [int(best.argmax())]
    for back in reversed(came):
        state.append(int(back[state[-1]]))
    assert len(strength) == 1 + CANDIDATES
    return np.array(state[::-1])
