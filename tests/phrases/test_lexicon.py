"""The lexicon's choices: the longest phrase, negations, exceptions, overriding classes, places."""

from pathlib import Path

from monitor.events import Word
from monitor.phrases.lexicon import Lexicon
from monitor.phrases.phrase_files import read


def words(text: str, start: float = 10.0) -> list[Word]:
    return [Word(one, start + 0.3 * at, start + 0.3 * at + 0.25) for at, one in enumerate(text.split())]


def made(place: Path, *classes: str) -> Lexicon:
    for number, text in enumerate(classes):
        (place / f"c{number}.yaml").write_text(text)
    return Lexicon(read([place]))


def test_a_match_tells_its_words_its_time_and_its_line() -> None:
    match = next(m for m in Lexicon.load().find(words("well I'm so sorry about that")) if m.cls == "apology")
    assert (match.first, match.last) == (1, 5)
    assert (match.start, match.end) == (10.3, 11.75)
    assert match.text == "I'm so sorry about that"
    assert match.phrase.startswith("apology:")


def test_a_jargon_word_comes_with_its_plain_words() -> None:
    match = next(m for m in Lexicon.load().find(words("your RMA number please")) if m.cls == "jargon")
    assert match.gloss == "return number"


def test_of_overlapping_phrases_of_a_class_the_first_and_longest_counts(tmp_path: Path) -> None:
    lexicon = made(tmp_path, "class: a\nabout: x\nphrases: |\n  b c\n  b\n  c d\n")
    assert [match.text for match in lexicon.find(words("b c d"))] == ["b c"]


def test_a_class_overrides_another_on_the_same_words_only(tmp_path: Path) -> None:
    lexicon = made(
        tmp_path,
        "class: a\nabout: x\nphrases: |\n  b\n",
        "class: z\nabout: x\noverrides: [a]\nphrases: |\n  b c\n",
    )
    assert [(m.cls, m.first) for m in lexicon.find(words("b c b"))] == [("z", 0), ("a", 2)]


def test_what_counts_as_another_class_is_told_as_both(tmp_path: Path) -> None:
    lexicon = made(tmp_path, "class: a\nabout: x\ncounts_as: [z]\nphrases: |\n  b\n")
    assert {match.cls for match in lexicon.find(words("b"))} == {"a", "z"}
    assert lexicon.classes == {"a", "z"}


def test_a_question_needs_its_mark_and_a_beginning_its_place(tmp_path: Path) -> None:
    lexicon = made(tmp_path, "class: a\nabout: x\nphrases: |\n  b ?\n  ^ c\n  d $\n")
    assert lexicon.find(words("b")) == []
    assert len(lexicon.find(words("b?"))) == 1
    assert lexicon.find(words("x c")) == []
    assert len(lexicon.find(words("x. c"))) == 1
    assert lexicon.find(words("d x")) == []
    assert len(lexicon.find(words("x d"))) == 1


def test_a_pause_ends_a_sentence_and_a_filler_may_begin_one(tmp_path: Path) -> None:
    (tmp_path / "sets.yaml").write_text("sets:\n  opener: so and\n")
    lexicon = made(tmp_path, "class: a\nabout: x\nphrases: |\n  ^ c\n  d $\n")
    assert len(lexicon.find(words("x d"), after=words("y", 20.0))) == 1
    assert lexicon.find(words("x d y"), before=words("z", 5.0)) == []
    assert len(lexicon.find(words("so c"))) == 1
    assert len(lexicon.find(words("x. and so c"))) == 1
    assert lexicon.find(words("x so c")) == []


def test_a_phrase_may_begin_in_the_words_before(tmp_path: Path) -> None:
    lexicon = made(tmp_path, "class: a\nabout: x\nphrases: |\n  b c\n")
    match = lexicon.find(words("c x", 20.0), before=words("x b"))[0]
    assert (match.first, match.last, match.text) == (-1, 0, "b c")
    assert match.start == 10.3


def test_the_half_of_a_longer_phrase_is_left_to_it(tmp_path: Path) -> None:
    lexicon = made(tmp_path, "class: a\nabout: x\nphrases: |\n  b\n  b c\n")
    assert lexicon.find(words("x b"), after=words("c", 20.0)) == []
