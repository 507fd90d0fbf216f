"""Near-repeats, what a sentence is about, and what is worth a note."""

import pytest

from monitor.dialogue.entities import entities
from monitor.dialogue.similarity import Repeats, alike, content, overlap, sentences, shared_pairs
from monitor.dialogue.tracker import KINDS, DialogueTracker
from monitor.events import Utterance, Word
from monitor.phrases.lexicon import Lexicon
from monitor.phrases.tokens import tokens


def utterance(line: str, number: int = 0) -> Utterance:
    """An utterance of a line such as ``caller 3-6 it broke on monday``."""
    channel, times, text = line.split(" ", 2)
    start, end = map(float, times.split("-"))
    texts = text.split()
    step = (end - start) / len(texts)
    words = tuple(
        Word(text=one, start=round(start + place * step, 3), end=round(start + (place + 1) * step, 3))
        for place, one in enumerate(texts)
    )
    return Utterance(
        channel=channel,
        utterance=number,
        revision=1,
        start=start,
        end=end,
        text=text,
        words=words,
        final=True,
    )


def heard(*lines: str, known: dict[str, object] | None = None) -> list[tuple[str, str]]:
    """The remarks on these lines: what, and the text."""
    lexicon = Lexicon.load()
    remarks = DialogueTracker(lexicon, known)
    found = []
    for number, line in enumerate(lines):
        one = utterance(line, number)
        found += remarks.hear(one, lexicon.find(one.words))
    return [(remark.kind, remark.text) for remark in found]


def kinds(*lines: str, known: dict[str, object] | None = None) -> list[str]:
    return [kind for kind, _ in heard(*lines, known=known)]


STORY = "my washing machine has been leaking water all over the kitchen floor since tuesday"


def test_the_same_sentence_again_after_half_a_minute_is_a_repeat() -> None:
    assert (
        kinds(f"caller 0-8 {STORY}", "agent 9-11 let me look", f"caller 40-48 {STORY}").count("repeat") == 1
    )


def test_the_same_sentence_in_slightly_other_words_is_a_repeat() -> None:
    again = "the washing machine has been leaking water all over the kitchen floor for days"
    assert "repeat" in kinds(f"caller 0-8 {STORY}", f"caller 40-48 {again}")


def test_a_sentence_inside_a_longer_one_is_a_repeat() -> None:
    again = f"look i will say it slowly for you {STORY} and nobody has come out to see it"
    assert "repeat" in kinds(f"caller 0-8 {STORY}", f"caller 40-54 {again}")


def test_a_repeat_within_seconds_is_a_correction_and_none() -> None:
    assert "repeat" not in kinds(f"caller 0-8 {STORY}", f"caller 12-20 {STORY}")


def test_a_short_sentence_comes_again_by_chance() -> None:
    assert "repeat" not in kinds("caller 0-3 yes that is right", "caller 40-43 yes that is right")


def test_the_other_sides_sentence_given_back_is_no_repeat() -> None:
    assert "repeat" not in kinds(f"caller 0-8 {STORY}", f"agent 40-48 {STORY}")


def test_another_sentence_about_the_same_thing_is_no_repeat() -> None:
    other = "the engineer who came to see the washing machine said that it needs a new pump"
    assert "repeat" not in kinds(f"caller 0-8 {STORY}", f"caller 40-48 {other}")


def test_the_same_sentence_of_empathy_twice_is_canned() -> None:
    line = "i completely understand how frustrating this must be for you"
    assert kinds(f"agent 5-9 {line}", "caller 10-14 fine", f"agent 40-44 {line}").count("canned") == 1
    assert "canned" not in kinds(
        f"agent 5-9 {line}", "agent 40-44 that must be so annoying with two small children"
    )


def test_the_agent_who_gives_back_the_content_plays_back() -> None:
    answer = "so the washing machine is leaking over the kitchen floor"
    assert "plays_back" in kinds(f"caller 0-8 {STORY}", f"agent 9-13 {answer}")
    assert "plays_back" not in kinds(
        f"caller 0-8 {STORY}", "agent 9-13 can you tell me your postcode and surname"
    )


def test_playback_looks_at_the_whole_turn_of_the_caller() -> None:
    answer = "the kitchen floor is soaked and the pump is new"
    lines = (f"caller 0-8 {STORY}", "caller 9-14 and the plumber only put in a new pump in march")
    assert "plays_back" in kinds(*lines, f"agent 15-19 {answer}")


def test_asking_for_the_order_number_again_is_noticed_with_its_value() -> None:
    found = heard(
        "agent 0-2 what is your order number",
        "caller 3-6 it is 4 4 7 1 9",
        "agent 8-12 thank you and what happened with it",
        "caller 13-20 it came broken and the box was open as well",
        "agent 30-32 could you give me your order number please",
    )
    assert ("reask", "order number 44719") in found


def test_reading_a_number_back_is_not_asking_again() -> None:
    found = kinds(
        "agent 0-2 what is your order number",
        "caller 3-6 it is 4 4 7 1 9",
        "agent 20-24 just to confirm your order number is 4 4 7 1 9",
    )
    assert "reask" not in found


def test_a_question_that_got_no_answer_may_be_asked_again() -> None:
    found = kinds(
        "agent 0-2 what is your order number",
        "caller 3-6 hang on let me find the letter somewhere",
        "agent 30-32 what is your order number",
    )
    assert "reask" not in found


def test_what_an_earlier_colleague_wrote_down_is_known() -> None:
    found = heard("agent 3-5 can i take your name please", known={"name": "Ann Lee"})
    assert ("reask", "name Ann Lee") in found


def test_the_story_told_and_then_asked_for_is_asking_again() -> None:
    found = kinds(f"caller 0-8 {STORY}", "agent 25-28 so what seems to be the problem")
    assert "reask" in found


def test_four_very_short_answers_in_a_row_are_a_stone_wall() -> None:
    lines = []
    for place in range(4):
        lines += [
            f"agent {10 * place}-{10 * place + 3} what did you see on the screen then",
            f"caller {10 * place + 4}-{10 * place + 5} nothing",
        ]
    assert kinds(*lines).count("stonewall") == 1
    lines[3] = "caller 14-16 i saw a red light there"
    assert "stonewall" not in kinds(*lines)


def test_a_sentence_of_forty_words_is_long() -> None:
    assert "long_sentence" in kinds("agent 0-20 " + " ".join(f"word{place}" for place in range(40)))
    cut = " ".join(f"word{place}" + ("." if place == 20 else "") for place in range(40))
    assert "long_sentence" not in kinds(f"agent 0-20 {cut}")


def test_a_minute_away_from_the_issue_is_drift() -> None:
    away = [
        f"agent {start}-{start + 9} {text}"
        for start, text in (
            (20, "our premium membership includes cinema tickets plus travel insurance discounts"),
            (35, "members collect points at restaurants hotels airports and petrol stations"),
            (50, "last summer thousands of families won holidays in portugal through our raffle"),
            (65, "the newsletter brings recipes gardening advice and competitions every fortnight"),
            (80, "shall we register the household including grandparents for birthday surprises"),
        )
    ]
    assert kinds(f"caller 0-8 {STORY}", *away).count("drift") == 1
    back = [
        *away[:2],
        "agent 50-59 the washing machine leaking on the kitchen floor needs a visit",
        *away[3:],
    ]
    assert "drift" not in kinds(f"caller 0-8 {STORY}", *back)


def test_a_solution_that_shares_nothing_with_the_issue_is_generic() -> None:
    assert "generic" in kinds(
        f"caller 0-8 {STORY}", "agent 10-15 i can send you the standard brochure plus voucher booklet"
    )
    assert "generic" not in kinds(
        f"caller 0-8 {STORY}", "agent 10-15 i can send an engineer about the washing machine leaking tomorrow"
    )


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("it cost £40 in march", "amount", "£40"),
        ("it cost forty pounds in all", "amount", "forty pounds"),
        ("the number is 4 4 7 1", "number", "4 4 7 1"),
        ("it is four four seven one two", "number", "four four seven one two"),
        ("reference 88213-4", "number", "88213-4"),
        ("call me on 0 7 7 0 0 9 0 0 1 2 3", "phone", "0 7 7 0 0 9 0 0 1 2 3"),
        ("i will be in next tuesday", "date", "next tuesday"),
    ],
)
def test_details_are_noted(text: str, kind: str, words: str) -> None:
    assert (kind, words) in heard(f"caller 0-4 {text}")


@pytest.mark.parametrize(
    "text", ["i have one or two of them", "for the third time", "nineteen people", "it is 42 now"]
)
def test_small_numbers_are_no_details(text: str) -> None:
    given = tokens(text.split())
    assert not [one for one in entities(given, []) if one.kind in ("number", "phone", "amount")]


def test_a_promise_is_noted() -> None:
    assert "pledge" in kinds("agent 0-4 we will call you back about the refund")


def test_every_remark_is_documented_and_no_lexicon_has_its_name() -> None:
    assert not set(KINDS) & Lexicon.load().classes


def test_likeness_is_symmetric_and_between_0_and_1() -> None:
    one = ("i", "have", "been", "waiting", "for", "my", "refund")
    other = ("i", "have", "been", "waiting", "on", "that", "refund")
    for score in (alike, shared_pairs):
        assert score(one, other) == score(other, one)
        assert score(one, one) == 1.0
        assert 0.0 < score(one, other) < 1.0


def test_content_words_leave_out_the_small_words() -> None:
    stop = Lexicon.load().source.sets["stop"]
    text = "um I would like to have my washing machine repaired please"
    words = tokens(utterance(f"caller 0-4 {text}").words)
    assert content([token.text for token in words], stop) == {"washing", "machine", "repaired"}
    assert overlap(frozenset(), frozenset({"a"})) == 0.0


def test_sentences_end_at_full_stops_and_question_marks() -> None:
    one = utterance("agent 0-4 That is right. Is it back? yes")
    found = sentences(tokens(one.words), one.words)
    assert [sentence.text for sentence in found] == ["That is right.", "Is it back?", "yes"]
    assert (found[0].start, found[-1].end) == (0, 4_000)


def test_what_is_remembered_is_bounded() -> None:
    repeats = Repeats()
    for place in range(500):
        one = utterance(f"agent {30 * place}-{30 * place + 5} " + " ".join(f"w{place}x{n}" for n in range(9)))
        repeats.hear(sentences(tokens(one.words), one.words)[0])
    assert len(repeats._said) <= 60
