"""Sentences as people say them: what is heavy is found, and what is ordinary is left alone."""

from collections.abc import Iterable

import pytest

from benchmarks.talk import APART, TALK, Told, judged
from monitor.phrases.lexicon import Lexicon

GRAVE = {"disrespect", "threat", "abuse_severe", "not_heard_cue", "escalation_request"}
"""Classes whose alerts are critical, or reach supervisors at once."""


@pytest.fixture(scope="module")
def known() -> Told:
    return judged(TALK, Lexicon.load("en"))


def grave(told: Told) -> Iterable[str]:
    return (line for line, heavy in told.wrong if GRAVE & {match.cls for match in heavy})


def test_ordinary_talk_is_left_alone(known: Told) -> None:
    assert known.ordinary > 800
    assert known.false <= 0.012
    assert list(grave(known)) == []


def test_difficult_talk_is_found_in_many_words(known: Told) -> None:
    assert known.difficult >= 300
    assert known.recall >= 0.95


def test_each_kind_of_difficult_talk_is_found(known: Told) -> None:
    for head, count in known.of.items():
        assert known.found[head] >= 0.85 * count, head


def test_talk_that_nothing_was_tuned_on_is_told_apart_too() -> None:
    """Floors below what was measured: 0.76 and 0.010. Whoever tunes on it moves it to ``fixtures/talk``."""
    told = judged(APART, Lexicon.load("en"))
    assert told.recall >= 0.72
    assert told.false <= 0.016
