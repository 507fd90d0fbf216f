"""The little language of a phrase."""

import pytest

from monitor.errors import BadInput
from monitor.phrases.patterns import elements, parse, spoken


def ways(line: str) -> set[str]:
    return {" ".join(map(str, way)) for way in spoken(parse(line, "here").sequence, 100)}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sorry", {"sorry"}),
        ("(I|we) do", {"i do", "we do"}),
        ("[really] sorry", {"really sorry", "sorry"}),
        ("[I am] [so] sorry", {"i am so sorry", "so sorry", "i am sorry", "sorry"}),
        ("sorry ...2 delay", {"sorry 2 delay"}),
        ("in <number> days", {"in <number> days"}),
        ("apologi* for", {"apologi* for"}),
        ("(speak (to|with)|see) you", {"speak to you", "speak with you", "see you"}),
        ("I can't", {"i can not"}),
    ],
)  # fmt: skip
def test_every_way_of_saying_it(line: str, said: set[str]) -> None:
    assert ways(line) == said


def test_marks_of_place() -> None:
    assert parse("^ sorry", "here").at_start
    assert parse("sorry $", "here").at_end
    assert parse("sorry ?", "here").question
    assert not parse("sorry", "here").at_start


def test_elements_are_those_of_all_branches() -> None:
    assert set(elements(parse("(a|b <number>) c", "here").sequence)) == {"a", "b", "<number>", "c"}


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("(I|we", "never closed"),
        ("I|we", "in brackets"),
        ("sorry)", "not opened"),
        ("(I]", "not opened"),
        ("...2 sorry", "gap stands between words"),
        ("sorry ...2", "gap stands between words"),
        ("[really]", "always be there"),
        ("so ^ sorry", "at the beginning"),
        ("sorry ? so", "at the end"),
        ("ap*", "too short"),
        ("sorry, really", "without punctuation"),
        ("a <", "cannot be read"),
    ],
)
def test_a_slip_of_the_pen_is_told_with_its_place(line: str, part: str) -> None:
    with pytest.raises(BadInput, match=part) as told:
        parse(line, "apology.yaml, line 7")
    assert "apology.yaml, line 7" in str(told.value)
