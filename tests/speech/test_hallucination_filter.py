import pytest

from monitor.events import RecognitionResult
from monitor.speech.hallucination_filter import clip_to_speech, is_plausible, remove_echo, remove_loop
from tests.speech.talking import spaced, word

GOOD = RecognitionResult(1, avg_logprob=-0.2, no_speech=0.1)


def text(words: tuple) -> str:
    return " ".join(w.text for w in words)


def test_an_ordinary_sentence_is_believed():
    assert is_plausible(GOOD, spaced("my router is broken since monday"), 2.0)
    assert is_plausible(
        GOOD, spaced("my router is broken since monday and nobody has called me back about it"), 5.0
    )


@pytest.mark.parametrize(
    ("heard", "said", "seconds"),
    [
        (RecognitionResult(1, avg_logprob=-0.7, no_speech=0.7), "hello there", 1.0),
        (RecognitionResult(1, avg_logprob=-1.8, no_speech=0.0), "hello there", 1.0),
        (GOOD, "la la la la la la " * 6, 9.0),
        (GOOD, "one two three four five six seven eight nine ten", 0.5),
    ],
    ids=["no speech", "very unlikely", "repeats itself", "faster than speech"],
)
def test_what_cannot_be_speech_is_not_believed(heard: RecognitionResult, said: str, seconds: float):
    assert not is_plausible(heard, spaced(said, p=0.5), seconds)


def test_words_of_which_the_decoder_is_sure_are_believed_though_it_heard_no_speech():
    assert is_plausible(
        RecognitionResult(1, avg_logprob=-0.1, no_speech=0.9), spaced("hello there", p=0.9), 1.0
    )


def test_a_long_sound_with_hardly_a_word_in_it_is_not_speech():
    assert not is_plausible(GOOD, spaced("who", p=0.5), 6.0)
    assert is_plausible(GOOD, spaced("who", p=0.9), 6.0)
    assert is_plausible(GOOD, spaced("goodbye", p=0.5), 6.0, before=9), "the end of an ordinary sentence"


def test_words_squeezed_into_an_instant_are_not_believed():
    assert not is_plausible(GOOD, spaced("so what do you", step=0.05), 2.0)


def test_a_well_known_invention_needs_to_be_sure():
    assert not is_plausible(GOOD, spaced("Thanks for watching!", p=0.5), 2.0)
    assert is_plausible(GOOD, spaced("Thanks for watching!", p=0.95), 2.0)
    assert is_plausible(GOOD, spaced("Thank you for watching my dog", p=0.5), 2.0)


def test_a_loop_is_cut_to_one_round():
    looping = "is that okay " * 3
    assert text(remove_loop(spaced("right " + looping))) == "right is that okay"


def test_people_may_repeat_themselves():
    assert text(remove_loop(spaced("no no no no"))) == "no no no no"
    assert (
        text(remove_loop(spaced("sorry sorry sorry I am so so so sorry")))
        == "sorry sorry sorry I am so so so sorry"
    )


def test_words_are_drawn_in_to_where_the_side_spoke_and_dropped_where_it_did_not():
    def spoken(start: float, end: float) -> tuple[float, float] | None:
        return (max(start, 1.0), min(end, 2.0)) if end > 1.0 and start < 2.0 else None

    kept = clip_to_speech([word("hm", 0.0, 0.9), word("hello", 0.2, 1.4), word("you", 1.4, 2.8)], spoken)
    assert [(w.text, w.start, w.end) for w in kept] == [("hello", 1.0, 1.4), ("you", 1.4, 2.0)]


def test_a_phrase_that_the_other_side_says_louder_at_the_same_time_is_its_echo():
    mine, theirs = spaced("the engineer is coming"), spaced("the engineer is coming", start=0.2)
    assert remove_echo(mine, theirs, lambda a, b: 20.0) == ()
    assert remove_echo(mine, theirs, lambda a, b: -20.0) == mine


def test_an_unsure_word_under_a_much_louder_voice_is_a_piece_of_its_echo():
    assert remove_echo(spaced("thanks", p=0.5), (), lambda a, b: 20.0) == ()
    assert text(remove_echo(spaced("thanks", p=0.9), (), lambda a, b: 20.0)) == "thanks"
    assert text(remove_echo(spaced("thanks", p=0.5), (), lambda a, b: 5.0)) == "thanks"


def test_both_sides_may_say_yes_at_once():
    assert text(remove_echo(spaced("yes"), spaced("yes"), lambda a, b: 20.0)) == "yes"


def test_the_same_words_at_another_time_are_no_echo():
    mine = spaced("the engineer")
    assert remove_echo(mine, spaced("the engineer", start=3.0), lambda a, b: 20.0) == mine
