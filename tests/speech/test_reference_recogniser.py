from pathlib import Path

import numpy as np
import pytest

from monitor.errors import BadInput
from monitor.events import RecognitionRequest
from monitor.speech.reference_recogniser import ReferenceRecogniser, script_beside
from tests.speech.talking import script, spaced

LINES = ("caller 1-3 my internet is down", "agent 2-3 oh dear")


def request(start: float, end: float, **more: object) -> RecognitionRequest:
    return RecognitionRequest(1, "caller", 1, start, end, 8000, np.zeros(0, np.float32), **more)  # type: ignore[arg-type]


def test_the_words_of_that_side_inside_the_window_are_the_answer(tmp_path: Path):
    (result,) = script(tmp_path, *LINES).recognise([request(0.5, 3.5, final=True)])
    assert [word.text for word in result.words] == ["my", "internet", "is", "down"]


def test_a_call_that_is_heard_the_other_way_round_keeps_each_voice_its_words(tmp_path: Path):
    script(tmp_path, *LINES)
    path = next(tmp_path.glob("*.json"))
    (result,) = ReferenceRecogniser(path, agent_channel=0).recognise([request(0.5, 3.5, final=True)])
    assert [word.text for word in result.words] == ["oh", "dear"]
    (result,) = ReferenceRecogniser(path, agent_channel=1).recognise([request(0.5, 3.5, final=True)])
    assert [word.text for word in result.words] == ["my", "internet", "is", "down"]


def test_a_word_that_is_not_over_yet_is_not_known_yet(tmp_path: Path):
    (result,) = script(tmp_path, *LINES).recognise([request(0.5, 2.3)])
    assert [word.text for word in result.words] == ["my", "internet"]


def test_words_that_stand_are_not_said_again(tmp_path: Path):
    prefix = spaced("my internet", start=1.0, step=0.5)
    (result,) = script(tmp_path, *LINES).recognise([request(0.5, 3.5, final=True, prefix=prefix)])
    assert [word.text for word in result.words] == ["is", "down"]


def test_the_script_lies_beside_the_recording():
    assert script_beside(Path("calls/one.wav")) == Path("calls/one.json")
    assert script_beside(Path("calls/two.caller.wav")) == Path("calls/two.json")


@pytest.mark.parametrize("text", ["{", "{}", '{"words": [{"channel": "nobody"}]}', "[]"])
def test_what_is_no_script_is_one_clear_sentence(tmp_path: Path, text: str):
    path = tmp_path / "call.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match="is not the script of a recording"):
        ReferenceRecogniser(path)
