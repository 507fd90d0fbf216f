"""Phrases that can never count are found, and only those."""

from monitor.phrases import phrase_files as files
from monitor.phrases.lexicon import Lexicon
from monitor.phrases.patterns import parse
from monitor.phrases.phrase_files import PhraseEntry
from monitor.phrases.shadowing import shadowed


def lexicon(*lines: str) -> Lexicon:
    source = files.read([files.folder("en")])
    entries = tuple(
        PhraseEntry(f"blame:{number}", "blame", parse(line, "here")) for number, line in enumerate(lines, 1)
    )
    return Lexicon(source._replace(entries=entries), "en")


def test_a_phrase_inside_an_earlier_and_longer_one_may_still_count_alone():
    assert shadowed(lexicon("your own fault", "your fault")) == []


def test_the_same_words_once_more_never_count():
    (told,) = shadowed(lexicon("your [own] fault", "my fault", "my fault"))
    assert "this phrase never counts" in told
    assert told.startswith("blame.yaml, line ")


def test_questions_and_sets_are_said_as_they_are_meant():
    assert shadowed(lexicon("did you break it ?", "in <number> days", "ask your <lead>")) == []
