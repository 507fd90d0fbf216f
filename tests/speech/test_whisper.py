"""The bundled model through the real code path: CTranslate2, short windows, batches."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from rapidfuzz import fuzz

from monitor.errors import BadInput
from monitor.events import RecognitionRequest, RecognitionResult
from monitor.speech.decoding import DecodingOptions
from monitor.speech.model_store import bundled_folder
from monitor.speech.whisper import Whisper, _safe
from tests.speech.talking import spaced


@pytest.fixture(scope="module")
def whisper() -> Whisper:
    return Whisper(bundled_folder(), "bundled")


@pytest.fixture(scope="module")
def opening(project: Path) -> tuple[np.ndarray, int]:
    """The first turn of a bundled call (its agent's side), and its rate."""
    sound, rate = soundfile.read(project / "fixtures/audio/difficult-call.flac", dtype="float32")
    return np.ascontiguousarray(sound[: round(4.6 * rate), 1]), rate


def ask(sound: np.ndarray, rate: int, **more: object) -> RecognitionRequest:
    fields: dict[str, object] = {"final": True, "utterance": 1, "channel": "agent", **more}
    return RecognitionRequest(
        id=1, start=10.0, end=10.0 + len(sound) / rate, rate=rate, audio=sound, **fields
    )  # type: ignore[arg-type]


def text(result: RecognitionResult) -> str:
    return " ".join(word.text for word in result.words)


def test_a_turn_becomes_words_with_times_and_probabilities(whisper: Whisper, opening: tuple[np.ndarray, int]):
    (result,) = whisper.recognise([ask(*opening)])
    assert "good morning" in text(result).lower()
    edges = [edge for word in result.words for edge in (word.start, word.end)]
    assert edges == sorted(edges)
    assert edges[0] >= 10.0
    assert edges[-1] <= 14.6
    assert all(0 < word.confidence <= 1 for word in result.words)
    assert not any(word.committed for word in result.words)
    assert result.avg_logprob < 0


def test_the_same_sound_gives_the_same_words_twice(opening: tuple[np.ndarray, int]):
    once, again = (Whisper(bundled_folder(), "b").recognise([ask(*opening)]) for _ in range(2))
    assert once == again


def test_an_answer_does_not_depend_on_what_was_asked_with_it(
    whisper: Whisper, opening: tuple[np.ndarray, int]
):
    sound, rate = opening
    lengths = (1.0, 0.98, 0.9, 0.4)
    requests = [ask(sound[: round(len(sound) * x)], rate, utterance=n) for n, x in enumerate(lengths)]
    together = [word for result in whisper.recognise(requests) for word in result.words]
    alone = [word for request in requests for result in whisper.recognise([request]) for word in result.words]
    assert [(word.text, word.start, word.end) for word in together] == [
        (word.text, word.start, word.end) for word in alone
    ]
    assert [word.confidence for word in together] == pytest.approx(
        [word.confidence for word in alone], abs=0.03
    )


def test_an_answer_continues_the_words_that_stand_and_does_not_repeat_them(
    whisper: Whisper, opening: tuple[np.ndarray, int]
):
    (whole,) = whisper.recognise([ask(*opening)])
    for count in (1, 3):
        (rest,) = whisper.recognise([ask(*opening, prefix=whole.words[:count])])
        expected = " ".join(word.text for word in whole.words[count:])
        assert rest.words[0].text.rstrip(".,?!") == whole.words[count].text.rstrip(".,?!")
        # A search that begins elsewhere may set another comma, or spell a later word otherwise; what stood
        # may not come again.
        assert fuzz.ratio(text(rest), expected) > 85
        assert abs(len(rest.words) - len(whole.words[count:])) <= 1
    (nothing,) = whisper.recognise([ask(*opening, prefix=whole.words)])
    assert nothing.words == ()


def test_wide_band_and_telephone_sound_are_both_heard(whisper: Whisper, opening: tuple[np.ndarray, int]):
    sound, rate = opening
    other = 16000 if rate == 8000 else 8000
    (result,) = whisper.recognise([ask(soxr.resample(sound, rate, other), other)])
    assert {"morning", "broadband", "michael"} <= set(re.findall(r"\w+", text(result).lower()))


def test_without_alignment_words_are_spread_over_the_sound(whisper: Whisper, opening: tuple[np.ndarray, int]):
    (result,) = whisper.recognise([ask(*opening, align=False, final=False)])
    assert result.words[0].start == 10.0
    assert result.words[-1].end == pytest.approx(14.6, abs=0.01)


@pytest.mark.parametrize("kind", ["silence", "noise", "a hum"])
def test_sound_without_speech_gives_no_words_that_would_be_believed(whisper: Whisper, kind: str):
    from monitor.speech.hallucination_filter import is_plausible

    times = np.arange(16000 * 2, dtype=np.float32) / 16000
    sounds = {
        "silence": np.zeros_like(times),
        "noise": 0.01 * np.random.default_rng(1).standard_normal(len(times)).astype(np.float32),
        "a hum": 0.1 * np.sin(2 * np.pi * 50 * times, dtype=np.float32),
    }
    (result,) = whisper.recognise([ask(sounds[kind], 16000)])
    assert not result.words or not is_plausible(result, result.words, 0.0) or len(result.words) <= 3


@pytest.mark.parametrize("seconds", [0.02, 0.1, 0.6, 1.58, 1.6])
def test_windows_of_any_length_are_answered(whisper: Whisper, seconds: float):
    sound = 0.01 * np.random.default_rng(1).standard_normal(round(seconds * 8000)).astype(np.float32)
    exact = Whisper(bundled_folder(), "exact", options=DecodingOptions(window_least=0.0, window_after=0.0))
    for model in (whisper, exact):
        assert len(model.recognise([ask(sound, 8000)])) == 1


def test_no_window_has_a_length_that_ctranslate2_takes_for_mel_bands():
    lengths = {_safe(frames) // 2 for frames in range(1, 3000)}
    assert not lengths & {80, 128}


def test_an_answer_is_no_longer_than_can_be_spoken(whisper: Whisper, opening: tuple[np.ndarray, int]):
    sound, rate = opening
    (result,) = whisper.recognise([ask(np.tile(sound[: rate // 2], 4), rate)])
    assert len(result.words) <= 6 * 2 + 8


def test_words_that_left_the_window_move_to_the_context(opening: tuple[np.ndarray, int]):
    scrolling = Whisper(
        bundled_folder(),
        "s",
        options=DecodingOptions(window_least=0.0, window_after=1.0, keep=0.5, context=True),
    )
    prefix = spaced("good morning Metro Broadband you are", start=10.3, step=0.4)
    question = scrolling._window(ask(*opening, prefix=prefix))
    assert 11.0 < question.offset < 12.7
    assert scrolling._tokens.words(question.prefix)[-1][0] == "are"
    assert len(question.prefix) < len(scrolling._tokens.text([word.text for word in prefix]))
    assert question.mel.shape[1] == pytest.approx((14.6 - question.offset) * 100, abs=1)


def test_words_of_the_first_second_stay_in_the_window(opening: tuple[np.ndarray, int]):
    scrolling = Whisper(
        bundled_folder(), "s", options=DecodingOptions(window_least=0.0, window_after=1.0, keep=0.1)
    )
    window = scrolling._window(ask(*opening, prefix=spaced("good morning Metro", start=10.1, step=0.2)))
    assert window.offset == 10.0
    assert window.context == []


@pytest.mark.parametrize(
    ("final", "better", "beam"), [(True, True, 5), (True, False, 2), (False, True, 2), (False, False, 2)]
)
def test_only_a_better_final_is_searched_wider(
    opening: tuple[np.ndarray, int], final: bool, better: bool, beam: int
):
    wide = Whisper(bundled_folder(), "w", options=DecodingOptions(partial_beam=2, final_beam=5))
    assert wide._window(ask(*opening, final=final, better=better)).beam == beam


def test_a_folder_that_holds_no_model_is_one_clear_sentence(tmp_path: Path):
    with pytest.raises(BadInput, match="cannot be loaded"):
        Whisper(tmp_path, "nothing")
