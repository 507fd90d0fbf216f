from pathlib import Path

import pytest

from monitor.errors import BadInput
from monitor.speech.decoding import DecodingOptions, decoding_options_of
from monitor.speech.model_store import bundled_folder


def test_an_ordinary_whisper_gets_eight_seconds_or_the_sound_and_silence_after_it():
    handling = decoding_options_of(Path("anything"))
    assert handling.frames(100) == 800
    assert handling.frames(700) == 1000
    assert handling.frames(2900) == 3000


def test_the_bundled_model_is_asked_about_short_windows():
    assert decoding_options_of(bundled_folder()).frames(100) < 400


def test_a_model_may_say_how_it_wants_to_be_asked(tmp_path: Path):
    (tmp_path / "streaming.json").write_text('{"window_least": 2.0, "partial_beam": 3}', encoding="utf-8")
    assert decoding_options_of(tmp_path) == DecodingOptions(window_least=2.0, partial_beam=3)


@pytest.mark.parametrize("wrong", ['{"window": 2}', "{", '{"window_least": "long"}'])
def test_a_wrong_file_is_one_clear_sentence(tmp_path: Path, wrong: str):
    (tmp_path / "streaming.json").write_text(wrong, encoding="utf-8")
    with pytest.raises(BadInput, match="does not say how to ask the model"):
        decoding_options_of(tmp_path)
