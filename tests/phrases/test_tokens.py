"""Words as people spell them become the same tokens."""

import pytest

from monitor.phrases.tokens import normalised, plain, tokens


@pytest.mark.parametrize(
    ("written", "token_texts"),
    [
        ("I'm", "i am"), ("I’m", "i am"), ("can't", "can not"), ("cannot", "can not"), ("won't", "will not"),
        ("didn't", "did not"), ("we'll", "we will"), ("they've", "they have"), ("you're", "you are"),
        ("let's", "let us"), ("that's", "that is"), ("customer's", "customer"), ("name's", "name is"),
        ("gonna", "going to"), ("apologise", "apologize"), ("apologising", "apologizing"),
        ("realised", "realized"), ("colour", "color"), ("favourite", "favorite"), ("cancelled", "canceled"),
        ("twenty-five", "twenty five"), ("5pm", "5 pm"), ("100%", "100 percent"), ("£40", "40 pounds"),
        ("$4.50", "4.50 dollars"), ("3rd", "3"), ("OK", "okay"), ("“Sorry”", "sorry"), ("...", ""),
        ("promise", "promise"), ("noise", "noise"), ("hour", "hour"), ("four", "four"),
    ],
)  # fmt: skip
def test_one_spelling_for_what_sounds_the_same(written: str, token_texts: str) -> None:
    assert " ".join(normalised(written)[0]) == token_texts


@pytest.mark.parametrize(
    ("written", "mark"),
    [("sorry?", "?"), ("sorry.", "."), ("sorry!", "."), ("sorry,", ","), ("well...", ","), ("a", "")],
)
def test_what_stands_behind_a_word_is_a_hint(written: str, mark: str) -> None:
    assert normalised(written)[1] == mark


def test_tokens_know_their_word() -> None:
    assert [(token.text, token.word) for token in tokens(["I'm", "well"])] == [
        ("i", 0),
        ("am", 0),
        ("well", 1),
    ]


def test_a_lone_mark_belongs_to_the_word_before() -> None:
    assert [(token.text, token.mark) for token in tokens(["right", "?", "yes"])] == [
        ("right", "?"),
        ("yes", ""),
    ]


def test_plain_leaves_fillers_out() -> None:
    assert plain(["um", "I", "uh", "see"]) == ["i", "see"]
