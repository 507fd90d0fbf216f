"""Damaged words: at the asked rate, the same every time, towards words that are spelled alike."""

from statistics import median

import pytest
from rapidfuzz.distance import Levenshtein

from monitor.events import Utterance, Word
from monitor.review.damage import Damage, vocabulary

TEXT = ("good morning i would like to change the address on my account please " * 40).split()
SMALL = ("the", "and", "to", "you", "it")


def said() -> Utterance:
    words = tuple(Word(text, 0.5 * at, 0.5 * at + 0.4) for at, text in enumerate(TEXT))
    return Utterance(
        channel="agent",
        utterance=1,
        revision=1,
        start=0,
        end=words[-1].end,
        text=" ".join(TEXT),
        words=words,
        final=True,
    )


def damaged(rate: float, seed: int = 1) -> list[str]:
    (out,) = Damage(vocabulary([said()]), SMALL, rate, seed=seed).events([said()])
    assert isinstance(out, Utterance)
    return [word.text for word in out.words]


@pytest.mark.parametrize("rate", [0.05, 0.15, 0.3])
def test_the_rate_is_the_word_error_rate(rate: float) -> None:
    errors = sum(Levenshtein.distance(TEXT, damaged(rate, seed)) for seed in range(5)) / (5 * len(TEXT))
    assert errors == pytest.approx(rate, abs=0.03)


def test_no_damage_changes_nothing() -> None:
    assert damaged(0.0) == TEXT


def test_the_same_seed_does_the_same_and_another_something_else() -> None:
    assert damaged(0.15) == damaged(0.15)
    assert damaged(0.15) != damaged(0.15, seed=2)


def test_times_stay_in_order() -> None:
    (out,) = Damage(vocabulary([said()]), SMALL, 0.3).events([said()])
    assert isinstance(out, Utterance)
    for one, following in zip(out.words, out.words[1:], strict=False):
        assert one.start < one.end <= following.start


def test_a_recogniser_is_less_sure_of_wrong_words_but_not_reliably() -> None:
    right: list[float] = []
    wrong: list[float] = []
    for seed in range(20):
        (out,) = Damage(vocabulary([said()]), SMALL, 0.15, seed=seed).events([said()])
        assert isinstance(out, Utterance)
        for edit in Levenshtein.opcodes(TEXT, [word.text for word in out.words]):
            words = out.words[edit.dest_start : edit.dest_end]
            (right if edit.tag == "equal" else wrong).extend(word.confidence for word in words)
    assert median(right) == pytest.approx(0.96, abs=0.03)
    assert median(wrong) == pytest.approx(0.72, abs=0.05)
    assert sum(p > 0.85 for p in wrong) / len(wrong) > 0.15
    assert sum(p < 0.75 for p in right) / len(right) > 0.03
