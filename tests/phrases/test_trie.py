"""One walk finds every phrase, at a cost that does not depend on how many there are."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.phrases.patterns import parse
from monitor.phrases.tokens import tokens
from monitor.phrases.trie import Memo, Trie

LINES = ("a b", "b [c] d", "a ...2 d", "(a|b) (c|d)", "<vowel> b", "bcd* a", "[a] [b] c")
WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "bcde", "b.", "c?", "um"]), max_size=12)


def trie(lines: tuple[str, ...] = LINES) -> Trie:
    made = Trie({"vowel": frozenset({"a", "e"})})
    for number, line in enumerate(lines):
        made.add(number, parse(line, "here").sequence)
    return made


def found(line: str, text: str) -> list[tuple[int, int]]:
    return [(hit.first, hit.last) for hit in trie((line,)).scan(tokens(text.split()))]


def test_a_gap_is_at_most_so_many_words() -> None:
    assert found("a ...2 d", "a d") == [(0, 1)]
    assert found("a ...2 d", "a x y d") == [(0, 3)]
    assert found("a ...2 d", "a x y z d") == []


def test_fillers_may_stand_anywhere() -> None:
    assert found("a b d", "a um b uh d") == [(0, 4)]


def test_no_phrase_runs_on_into_the_next_sentence() -> None:
    assert found("a b", "a. b") == []
    assert found("a b", "a, b") == [(0, 1)]


def test_a_pause_is_not_the_end_of_a_sentence() -> None:
    given_tokens = tokens(["a.", "b"])
    assert trie(("a b",)).scan(given_tokens, frozenset({1})) == [(0, 0, 1)]


def test_a_number_is_any_figure() -> None:
    numbers = Trie({"number": frozenset({"two"})})
    numbers.add(0, parse("in <number> days", "here").sequence)
    for text in ("in two days", "in 14 days"):
        assert len(numbers.scan(tokens(text.split()))) == 1


@given(WORDS)
def test_all_phrases_at_once_is_each_of_them_alone(words: list[str]) -> None:
    together = {(hit.phrase, hit.first, hit.last) for hit in trie().scan(tokens(words))}
    alone = {
        (number, hit.first, hit.last)
        for number, line in enumerate(LINES)
        for hit in trie((line,)).scan(tokens(words))
    }
    assert together == alone


@given(WORDS, WORDS)
def test_reading_on_is_reading_anew(first: list[str], second: list[str]) -> None:
    made, memo = trie(), Memo()
    made.scan(tokens(first), memo=memo)
    assert made.scan(tokens(second), memo=memo) == made.scan(tokens(second))
