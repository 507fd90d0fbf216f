"""Apologies are counted exactly: what is one, what is none, and which are two."""

import pytest

from monitor.events import Utterance, Word
from monitor.phrases.lexicon import Lexicon
from monitor.phrases.spotter import PhraseSpotter

ONE = [
    "sorry",
    "Sorry.",
    "I'm sorry",
    "I’m sorry",
    "im sorry",
    "I am sorry about that",
    "we're really sorry",
    "I'm so, so sorry",
    "I'm so so sorry about this",
    "I am truly, deeply sorry",
    "very sorry for the delay",
    "I'm um really sorry",
    "I do apologise",
    "I do apologize",
    "I really must apologise for that",
    "we would like to apologise for the delay",
    "let me apologise for the confusion",
    "apologies for the wait",
    "my apologies",
    "my sincerest apologies",
    "please accept our sincere apologies",
    "please accept my apology",
    "my apologies for the apology",
    "I owe you an apology",
    "we owe you an apology for last week",
    "I can't apologise enough",
    "I cannot apologise enough for this",
    "I couldn't be more sorry",
    "I can't tell you how sorry I am",
    "please forgive me",
    "my bad",
    "I beg your pardon",
    "pardon the delay",
    "we regret the inconvenience",
    "it is not working and I am sorry",
    "it's not your fault I'm sorry",
    "no no I'm sorry",
    "sorry you had to wait so long",
    "I'm sorry that this happened to you",
    "sorry to keep you waiting",
    "sorry to interrupt",
    "I'm sorry but we can't do that",
    "I'm afraid not, sorry",
    "I want to say sorry for last time",
    "sorry, can I just put you on hold",
    "oh sorry, go ahead",
    "excuse the noise in the background",
    "I said I was wrong and I'm sorry",
    "the word sorry is not enough, I apologise",
]
NONE = [
    "sorry?",
    "Sorry? I missed the last bit",
    "pardon?",
    "pardon me?",
    "I beg your pardon?",
    "I'm sorry?",
    "sorry, what was your name?",
    "sorry what was that",
    "sorry, could you repeat that",
    "sorry, can you say that again please",
    "I'm sorry I didn't catch that",
    "sorry I missed that",
    "sorry say again",
    "I'm not sorry",
    "I am not really sorry",
    "I'm not going to say sorry",
    "I won't apologise for that",
    "I will never apologise",
    "we don't need to apologise",
    "sorry not sorry",
    "I'm sorry to hear that",
    "so sorry to hear about your mother",
    "I am very sorry for your loss",
    "my condolences",
    "she was unapologetic about it",
    "no need to apologise",
    "there's no need to be sorry",
    "you don't have to apologise",
    "you'll be sorry",
    "better safe than sorry",
    "I feel sorry for him",
    "it is in a sorry state",
    "he said he was sorry",
    "they are very sorry",
    "did anyone say sorry to you",
    "has my colleague apologised",
    "someone should apologise to you",
    "do you want an apology",
    "the apology was not enough",
    "his apologies were empty",
    "I have apologised three times already",
    "that's an apologetic letter",
    "a sorry excuse for a parcel",
]
SEVERAL = [
    ("sorry, sorry", 2),
    ("sorry sorry sorry", 3),
    ("I'm sorry, I'm really sorry", 2),
    ("sorry about that, I do apologise", 2),
    ("I'm so sorry to hear that, and I apologise for our part", 1),
    ("sorry? oh, sorry, yes", 1),
    ("I'm sorry, apologies, my bad", 3),
    ("sorry, sorry, what was your name?", 1),
    ("I'm not sorry for asking but I am sorry for the wait", 1),
    ("I'm sorry. Sorry to hear that. I apologise.", 2),
]


def said(text: str, start: float = 0.0) -> tuple[Word, ...]:
    return tuple(
        Word(text=word, start=round(start + 0.3 * place, 3), end=round(start + 0.3 * place + 0.25, 3))
        for place, word in enumerate(text.split())
    )


def utterance(
    text: str, number: int = 0, start: float = 0.0, revision: int = 0, *, channel: str = "agent"
) -> Utterance:
    words = said(text, start)
    return Utterance(
        channel=channel, utterance=number, revision=revision, start=start, end=words[-1].end, text=text,
        words=words, final=True,
    )  # fmt: skip


def apologies(text: str) -> list[str]:
    found = Lexicon.load().find(said(text))
    return [match.text for match in found if match.certain and match.cls == "apology"]


@pytest.mark.parametrize("text", ONE)
def test_one_apology(text: str) -> None:
    assert len(apologies(text)) == 1


@pytest.mark.parametrize("text", NONE)
def test_no_apology(text: str) -> None:
    assert apologies(text) == []


@pytest.mark.parametrize(("text", "count"), SEVERAL)
def test_several_things_in_one_sentence(text: str, count: int) -> None:
    assert len(apologies(text)) == count


@pytest.mark.parametrize(
    "text", ["I'm sorry to hear that", "so sorry about your mother", "I am very sorry for your loss"]
)
def test_sorry_with_somebody_is_empathy(text: str) -> None:
    assert "empathy" in {match.cls for match in Lexicon.load().find(said(text)) if match.certain}


@pytest.mark.parametrize("text", ["sorry?", "sorry, what was your name?", "I'm sorry I didn't catch that"])
def test_sorry_that_asks_again_is_a_request_to_repeat(text: str) -> None:
    assert "repeat_request" in {match.cls for match in Lexicon.load().find(said(text)) if match.certain}


class Told:
    """What a listener to the spotter knows: the latest matches of every utterance."""

    def __init__(self) -> None:
        self.spotter = PhraseSpotter(Lexicon.load())
        self.matches: dict[tuple[str, int], list[str]] = {}

    def hear(self, *args: object, **kwargs: object) -> None:
        for found in self.spotter.hear(utterance(*args, **kwargs)):  # type: ignore[arg-type]
            key = found.channel, found.utterance
            self.matches[key] = [match.cls for match in found.matches if match.certain]

    def count(self, cls: str, channel: str = "agent") -> int:
        return sum(classes.count(cls) for (side, _), classes in self.matches.items() if side == channel)


def test_an_apology_split_over_two_utterances_is_one() -> None:
    told = Told()
    told.hear("well I do", 0)
    told.hear("apologise for that", 1, start=1.4)
    assert told.count("apology") == 1


def test_sorry_and_then_to_hear_that_is_taken_back() -> None:
    told = Told()
    told.hear("oh I'm so sorry", 0)
    assert told.count("apology") == 1
    told.hear("to hear that", 1, start=1.6)
    assert told.count("apology") == 0
    assert told.count("empathy") == 1


def test_not_at_the_end_of_one_utterance_cancels_sorry_at_the_beginning_of_the_next() -> None:
    told = Told()
    told.hear("I am not", 0)
    told.hear("sorry at all", 1, start=1.2)
    assert told.count("apology") == 0


def test_two_utterances_far_apart_are_two_apologies() -> None:
    told = Told()
    told.hear("I'm sorry", 0)
    told.hear("to hear that from you is hard but I'm sorry", 1, start=30.0)
    assert told.count("apology") == 2


def test_a_revised_utterance_is_counted_once() -> None:
    told = Told()
    for revision, text in enumerate(("I'm", "I'm sorry", "I'm sorry about", "I'm sorry about the wait")):
        told.hear(text, 0, revision=revision)
    assert told.count("apology") == 1


def test_a_revision_can_take_an_apology_back() -> None:
    told = Told()
    told.hear("sorry", 0)
    told.hear("story of my life", 0, revision=1)
    assert told.count("apology") == 0


def test_an_older_utterance_revised_late_changes_the_one_after_it() -> None:
    told = Told()
    told.hear("I am", 0)
    told.hear("sorry at all", 1, start=1.2)
    assert told.count("apology") == 1
    told.hear("I am not", 0, revision=1)
    assert told.count("apology") == 0


def test_the_callers_apologies_are_the_callers() -> None:
    told = Told()
    told.hear("sorry I'm late", 0, channel="caller")
    told.hear("no problem at all", 0, start=3.0)
    assert told.count("apology", "agent") == 0
    assert told.count("apology", "caller") == 1
