import numpy as np
import pytest
import soundfile

from monitor.audio.frames import Run
from monitor.audio.syllables import Nuclei
from monitor.audio.voice import Voice
from tests.talk import active

# Syllables counted by hand; start and end as in the ground truth of fixtures/audio/calm.json.
SAID = (
    ("agent", 0.8, 5.54, 17),  # Good morning, you are speaking with Daniel. How can I help you today?
    ("caller", 5.99, 9.86, 17),  # Hello Daniel. I am calling about a parcel that was due on Monday.
    ("agent", 10.31, 14.47, 18),  # Thank you for letting me know. May I have the order number, please?
    ("agent", 19.62, 27.14, 26),  # Thank you. I can see ... two chairs, is that right?
    ("caller", 27.59, 31.88, 16),  # That is right. The chairs came last week, but the lamp is still missing.
    ("agent", 42.58, 50.32, 30),  # The driver has it now. It will be with you tomorrow ... prefer that.
    ("caller", 50.77, 53.48, 12),  # Tomorrow is good. I am at home all morning.
)


def count(nuclei, levels, *, voiced=True):
    return sum(nuclei.hear(level, voiced=voiced) for level in levels) + nuclei.pause()


def test_each_peak_between_dips_of_two_db_is_a_nucleus():
    assert count(Nuclei(), [-30, -20, -30, -20, -30, -20]) == 3
    assert count(Nuclei(), [-21, -20, -21, -20, -21, -20]) == 1


def test_what_is_not_voiced_or_far_too_faint_is_none():
    assert count(Nuclei(), [-30, -20, -30], voiced=False) == 0
    assert count(Nuclei(), [-30, -20, -60, -50, -60]) == 1


def test_the_syllables_of_a_call_are_counted_within_fifteen_percent(project):
    pcm, rate = soundfile.read(project / "fixtures" / "audio" / "calm.wav", dtype="float32")
    talk = active(*(f"{side} {start}-{end}" for side, start, end, _ in SAID), seconds=len(pcm) // 160 * 0.02)
    voice = Voice(rate, 65, 600)
    sides = np.ascontiguousarray(pcm[: talk.shape[1] * 160, ::-1].T)
    portions = [*voice.feed(Run(0, sides, rate), talk), *voice.finish()]
    level = np.concatenate([portion.sonorant for portion in portions], axis=1)
    voiced = ~np.isnan(np.concatenate([portion.octave for portion in portions], axis=1))
    found = []
    for side, start, end, _ in SAID:
        row, frames, nuclei = int(side == "caller"), range(round(start * 50), round(end * 50)), Nuclei()
        found.append(sum(nuclei.hear(level[row, k], voiced=voiced[row, k]) for k in frames) + nuclei.pause())
    true = [syllables for *_, syllables in SAID]
    assert sum(found) == pytest.approx(sum(true), rel=0.15)
    assert np.mean(np.abs(np.array(found) / true - 1)) < 0.15
