"""Words become phrases, told as events: once, with their place, and taken back where a revision says so."""

from monitor.events import (
    Event,
    Phrase,
    Utterance,
    Word,
)
from monitor.judge.judge import Judge
from monitor.review.findings import standing_phrases
from tests.judge.judging import bundled, events, of


def uttered(text: str, revision: int, *, final: bool = False) -> Utterance:
    words = tuple(Word(word, 0.3 * at, 0.3 * at + 0.25) for at, word in enumerate(text.split()))
    return Utterance(
        detected_at=2.0 + revision, channel="agent", utterance=1, revision=revision, start=0.0,
        end=words[-1].end, text=text, words=words, final=final,
    )  # fmt: skip


def test_a_phrase_is_told_with_its_words_side_and_time():
    said = events(bundled("apology.excess"), "agent 0-4 I am sorry", "caller 6-8 I am sorry")
    apologies = [phrase for phrase in of(said, Phrase) if phrase.of == "apology" and phrase.certain]
    assert [(one.channel, one.start, one.end, one.text) for one in apologies] == [
        ("agent", 0.0, 4.0, "I am sorry"),
        ("caller", 6.0, 8.0, "I am sorry"),
    ]


def test_a_phrase_that_a_revision_takes_back_is_withdrawn_and_told_once():
    judge = Judge(bundled("apology.excess"))
    said = [
        event for one in (uttered("I am sorry", 1), uttered("I am sorry", 2)) for event in judge.take(one)
    ]
    assert [one.withdrawn for one in of(said, Phrase) if one.of == "apology"] == [False]
    revised = judge.take(uttered("I am sorting it", 3, final=True))
    (gone,) = [one for one in of(revised, Phrase) if one.of == "apology"]
    assert gone.withdrawn
    assert not [one for one in standing_phrases([*said, *revised]) if one.of == "apology"]


def test_what_stands_at_the_end_is_what_the_last_revision_says():
    judge = Judge(bundled("apology.excess"))
    said: list[Event] = []
    for revision, text in enumerate(("I am", "I am so", "I am so sorry", "I am sorry about it"), 1):
        said += judge.take(uttered(text, revision, final=revision == 4))
    alone = Judge(bundled("apology.excess")).take(uttered("I am sorry about it", 4, final=True))
    standing, whole = ([(one.of, one.text) for one in standing_phrases(events)] for events in (said, alone))
    assert sorted(standing) == sorted(whole)
    assert ("apology", "I am sorry about it") in standing or ("apology", "I am sorry") in standing


def test_what_was_perhaps_said_is_told_as_such_and_stands_for_nothing():
    said = events(bundled("close.confirm"), "agent 0-4 that all sortid for you", "agent 10-12 goodbye")
    checks = [phrase for phrase in of(said, Phrase) if phrase.of == "resolution_check"]
    assert checks
    assert not any(phrase.certain for phrase in checks)
    assert not [one for one in standing_phrases(said) if one.of == "resolution_check"]
