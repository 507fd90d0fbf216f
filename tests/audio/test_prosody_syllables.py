import json

import numpy as np
import pytest
import soundfile

from monitor.audio.features import VoiceAnalyser
from monitor.audio.frames import FrameBlock
from monitor.audio.prosody import SyllableNucleusDetector
from tests.talk import active

# Sentences of the bundled calm call, their syllables counted by hand.
SYLLABLES = {
    "Good morning, you are speaking with Daniel. How can I help you today?": 17,
    "Hello Daniel. I am calling about a parcel that was due on Monday.": 19,
    "Thank you for letting me know. May I have the order number, please?": 16,
    "That is right. The chairs came last week, but the lamp is still missing.": 15,
    "Tomorrow is good. I am at home all morning.": 12,
    "Perfect. It will be delivered tomorrow morning. Does that solve it for you?": 19,
    "Thank you for your patience. Have a lovely day. Goodbye.": 13,
}


def count(nuclei, levels, *, voiced=True):
    return sum(nuclei.feed(level, voiced=voiced) for level in levels) + nuclei.pause()


def test_each_peak_between_dips_of_two_db_is_a_nucleus():
    assert count(SyllableNucleusDetector(), [-30, -20, -30, -20, -30, -20]) == 3
    assert count(SyllableNucleusDetector(), [-21, -20, -21, -20, -21, -20]) == 1


def test_what_is_not_voiced_or_far_too_faint_is_none():
    assert count(SyllableNucleusDetector(), [-30, -20, -30], voiced=False) == 0
    assert count(SyllableNucleusDetector(), [-30, -20, -60, -50, -60]) == 1


def test_the_syllables_of_a_call_are_counted_within_fifteen_percent(project):
    folder = project / "fixtures" / "audio"
    said = [u for u in json.loads((folder / "calm.json").read_text())["utterances"] if u["text"] in SYLLABLES]
    assert len(said) >= 5
    pcm, rate = soundfile.read(folder / "calm.wav", dtype="float32")
    sides = np.ascontiguousarray(pcm[: len(pcm) // 160 * 160, ::-1].T)
    lines = (f"{u['channel']} {u['start']}-{u['end']}" for u in said)
    talk = active(*lines, seconds=sides.shape[1] / rate)
    voice = VoiceAnalyser(rate, 65, 600)
    portions = [*voice.feed(FrameBlock(0, sides, rate), talk), *voice.finish()]
    level = np.concatenate([portion.sonorant for portion in portions], axis=1)
    voiced = ~np.isnan(np.concatenate([portion.octave for portion in portions], axis=1))
    found = []
    for u in said:
        row, nuclei = int(u["channel"] == "caller"), SyllableNucleusDetector()
        frames = range(round(u["start"] * 50), round(u["end"] * 50))
        found.append(sum(nuclei.feed(level[row, k], voiced=voiced[row, k]) for k in frames) + nuclei.pause())
    true = [SYLLABLES[u["text"]] for u in said]
    assert sum(found) == pytest.approx(sum(true), rel=0.15)
    assert np.mean(np.abs(np.array(found) / true - 1)) < 0.15
