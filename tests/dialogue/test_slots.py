"""What was asked and given, and what is asked again: the bundled rule on short scripts."""

import pytest

from tests.judge.judging import bundled, events, opened

BOOK = bundled("repeat.reask")
NUMBER = "caller 4-8 it's four four seven one two"
AGAIN = "agent 40-43 could you give me your order number please"


def asked_again(*lines: str) -> list[str | None]:
    """What the alerts say that the agent has already."""
    return [one.message for one in opened(events(BOOK, *lines, "end 55"))]


def test_what_was_given_is_not_asked_for_again() -> None:
    asked = "agent 0-3 what is your order number please"
    assert asked_again(asked, NUMBER, AGAIN) == ["You have it: order number 44712."]
    assert asked_again(asked, AGAIN) == []


@pytest.mark.parametrize("question", ["what was your orders number", "could good you me order number", "hm"])
def test_a_question_may_be_misheard_where_a_bare_number_answers_it(question: str) -> None:
    assert len(asked_again(f"agent 0-3 {question}", NUMBER, AGAIN)) == 1


def test_a_story_with_numbers_in_it_answers_nothing() -> None:
    story = "caller 4-12 we were four people in room seven and two of us paid for one night too many"
    assert asked_again("agent 0-3 how can I help", story, AGAIN) == []


def test_a_long_number_is_that_of_a_phone() -> None:
    phone = "caller 4-9 oh seven seven double nine six one two three four five"
    assert asked_again("agent 0-3 hm", phone, AGAIN) == []
    again = asked_again("agent 0-3 hm", phone, "agent 40-43 what is your phone number please")
    assert again == ["You have it: phone number 07799612345."]


def test_a_question_that_was_perhaps_heard_counts_where_there_is_no_sure_one() -> None:
    name = ("agent 0-3 can I take your surname please", "caller 4-6 yes it's Anna Lindqvist")
    again = asked_again(*name, "agent 40-43 can I take our surname please")
    assert again == ["You have it: name Anna Lindqvist."]
    assert asked_again(*name, "agent 40-43 what is the address please") == []
