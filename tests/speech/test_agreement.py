from hypothesis import given
from hypothesis import strategies as st

from monitor.config import SpeechSettings
from monitor.speech.agreement import Agreement, key
from tests.speech.talking import spaced, word

NEVER = float("inf")


def agreement() -> Agreement:
    return Agreement(SpeechSettings())


def texts(held: Agreement) -> tuple[str, str]:
    return " ".join(w.text for w in held.committed), " ".join(w.text for w in held.pending)


def test_a_word_stands_when_two_looks_in_a_row_agree_on_it():
    held = agreement()
    held.update(spaced("I want a refund", p=0.8), 1.2, aligned=True, until=NEVER)
    assert texts(held) == ("", "I want a refund")
    held.update(spaced("I want a rebate now", p=0.8), 1.7, aligned=True, until=NEVER)
    assert texts(held) == ("I want a", "rebate now")


def test_case_and_punctuation_do_not_matter_to_agreement():
    held = agreement()
    held.update(spaced("I can't. Wait", p=0.8), 0.9, aligned=True, until=NEVER)
    held.update(spaced("i Can’t wait", p=0.8), 1.4, aligned=True, until=NEVER)
    assert texts(held)[0] == "i Can’t wait"


def test_two_looks_that_put_a_word_at_different_times_do_not_agree():
    held = agreement()
    held.update((word("no", 0.0, 0.3, 0.8),), 1.0, aligned=True, until=NEVER)
    held.update((word("no", 0.9, 1.2, 0.8), word("way", 1.2, 1.4, 0.8)), 1.9, aligned=True, until=NEVER)
    assert texts(held) == ("", "no way")


def test_agreement_close_to_the_end_of_the_sound_does_not_commit():
    held = agreement()
    for end in (0.65, 0.68):
        held.update(spaced("thank you", p=0.9), end, aligned=True, until=NEVER)
    assert texts(held) == ("thank", "you") or texts(held) == ("", "thank you")
    assert "you" not in texts(held)[0]


def test_an_unlikely_word_waits_longer_than_a_likely_one():
    held = agreement()
    for end in (0.9, 1.0):
        held.update((word("app", 0.2, 0.5, 0.4),), end, aligned=True, until=NEVER)
    assert texts(held) == ("", "app")
    held.update((word("app", 0.2, 0.5, 0.4),), 1.6, aligned=True, until=NEVER)
    assert texts(held) == ("app", "")


def test_one_look_commits_what_alignment_puts_long_before_the_end_but_never_the_last_word():
    held = agreement()
    held.update(spaced("hello this is Michael", p=0.95), 4.0, aligned=True, until=NEVER)
    assert texts(held) == ("hello this is", "Michael")


def test_without_alignment_only_agreement_commits_and_the_last_word_waits():
    held = agreement()
    held.update(spaced("hello this is", p=0.95), 9.0, aligned=False, until=NEVER)
    assert texts(held) == ("", "hello this is")
    held.update(spaced("hello this is", start=0.5, p=0.95), 9.5, aligned=False, until=NEVER)
    assert texts(held) == ("hello this", "is")


def test_nothing_is_committed_past_the_moment_that_the_other_side_may_still_claim():
    held = agreement()
    for end in (1.0, 2.0):
        held.update(spaced("one two three"), end, aligned=True, until=0.5)
    assert texts(held) == ("one", "two three")


def test_the_end_of_the_utterance_commits_the_rest_and_keeps_what_stood():
    held = agreement()
    for end in (1.2, 2.0):
        held.update(spaced("I want a refund"), end, aligned=True, until=NEVER)
    before = tuple(held.committed)
    held.close(spaced("now please", start=1.2))
    assert tuple(held.committed[: len(before)]) == before
    assert texts(held) == ("I want a refund now please", "")
    assert all(w.committed for w in held.words)


WORDS = st.lists(st.sampled_from(["no", "No.", "sorry", "refund", "now"]), max_size=8).map(" ".join)


@given(st.lists(st.tuples(WORDS, st.floats(0, 1), st.booleans()), max_size=8))
def test_committed_words_never_change_whatever_is_answered(answers: list[tuple[str, float, bool]]):
    held, end = agreement(), 0.5
    for text, p, aligned in answers:
        before = tuple(held.committed)
        start = before[-1].end if before else 0.0
        held.update(spaced(text, start=start, p=p), end, aligned=aligned, until=NEVER)
        assert tuple(held.committed[: len(before)]) == before
        assert all(w.committed for w in held.committed)
        assert not any(w.committed for w in held.pending)
        end += 0.5


def test_words_are_compared_by_letters_digits_and_apostrophes():
    assert key("“Don’t!”") == "don't"
    assert key("A-1.") == "a1"
