"""What was perhaps said: one slip of the recogniser away from a phrase, and no more."""

import pytest

from monitor.events import Word
from monitor.phrases.fuzzy_matcher import FuzzyMatcher
from monitor.phrases.lexicon import Lexicon
from monitor.phrases.patterns import parse
from monitor.phrases.tokens import tokens
from monitor.phrases.trie import Trie

LEXICON = Lexicon.load("en")
AWAITED = frozenset({"resolution_check", "time_expression", "option", "patience_thanks", "steps"})


def words(text: str) -> list[Word]:
    """The words of ``text``, two a second; of one that ends in ~ the recogniser is not sure."""
    return [
        Word(one.removesuffix("~"), 0.5 * at, 0.5 * at + 0.4, confidence=0.5 if one.endswith("~") else 0.98)
        for at, one in enumerate(text.split())
    ]


def perhaps(text: str) -> set[str]:
    found = LEXICON.perhaps(AWAITED, words(text))
    assert not any(match.certain for match in found)
    return {match.cls for match in found}


@pytest.mark.parametrize(
    "text",
    [
        "is that all sortid for you",  # another word, spelled alike
        "are you elephant~ with that",  # another word, and the recogniser was not sure
        "that all sorted for you",  # a small word swallowed
        "is that all a sorted for you",  # a small word put in
    ],
)
def test_one_slip_may_stand_between_the_words_and_the_phrase(text: str) -> None:
    assert "resolution_check" in perhaps(text)


@pytest.mark.parametrize(
    "text",
    [
        "are you elephant with that",  # the recogniser was sure of another word
        "the parcel went to the depot on the corner",  # nothing of the kind
        "in the hall",  # "or in the hall" without the word that makes it an option
    ],
)
def test_other_words_are_other_words(text: str) -> None:
    assert not perhaps(text) & {"resolution_check", "option"}


def test_a_phrase_that_stands_there_is_not_perhaps_there() -> None:
    matches = LEXICON.find(words("is that all sorted for you"))
    assert "resolution_check" in {match.cls for match in matches if match.certain}


@pytest.mark.parametrize("text", ["that is not~ fine for me", "that not is fine for me"])
def test_a_no_is_never_read_over(text: str) -> None:
    assert LEXICON.perhaps(frozenset({"agreement"}), words(text)) == []


def test_one_short_word_of_which_the_recogniser_was_not_sure_is_no_cue() -> None:
    assert "closing" in {match.cls for match in LEXICON.find(words("goodbye")) if match.certain}
    assert LEXICON.find(words("goodbye~")) == []
    assert "closing" in {
        match.cls for match in LEXICON.find(words("have a nice day goodbye~")) if match.certain
    }


def near(phrase: str, text: str) -> bool:
    """Whether ``text``, of which the recogniser was sure, is one slip away from ``phrase``."""
    trie = Trie({})
    trie.add(0, parse(phrase, "here").sequence)
    said = tokens(text.split())
    matcher = FuzzyMatcher(trie, small=frozenset({"about"}), kept=frozenset())
    return bool(matcher.scan(said, [1.0] * len(said), frozenset()))


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("printer router broken", "printer rooter broken", True),  # two words with meaning are left
        ("printer router", "printer rooter", False),  # one is not enough
        ("go up to top now", "go up to tops now", True),  # four short words are as good as two long ones
        ("go up to top", "go up to tops", False),
        ("about printer router", "about printer rooter", False),  # a small word weighs half
        ("broken <word> <word> router", "broken big old rooter", False),  # any word is no evidence
        ("broken <word> <word> printer router", "broken big old printer rooter", True),
        (
            "printer broken apologi*",
            "printer broken appologizing",
            True,
        ),  # a stem is compared with the beginning
        ("printer broken apologi*", "printer broken anthology", False),
        ("printer broken ...1 router", "printer broken old rooter", True),  # a slip after a gap
        ("printer broken ...1 router", "printer broken big old rooter", False),
    ],
)
def test_enough_of_a_phrase_must_stand_there(phrase: str, text: str, found: bool) -> None:
    assert near(phrase, text) is found
