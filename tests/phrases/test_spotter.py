"""Phrases while they are spoken: any revisions lead to what the final words say."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.events import Utterance, Word
from monitor.phrases.lexicon import Lexicon
from monitor.phrases.spotter import REMEMBERED, PhraseSpotter
from tests.examples import examples

TEXT = "well I am so sorry to hear that let me check it for you unfortunately we can't do that but what I can do is".split()  # noqa: SIM905, E501 - a sentence


def utterance(texts: list[str], number: int, start: float, revision: int = 1) -> Utterance:
    words = tuple(Word(text, start + 0.3 * at, start + 0.3 * at + 0.25) for at, text in enumerate(texts))
    end = words[-1].end if words else start
    return Utterance(
        channel="agent",
        utterance=number,
        revision=revision,
        start=start,
        end=end,
        text="",
        words=words,
        final=True,
    )


def told(spotter: PhraseSpotter, *said: Utterance) -> dict[int, list[str]]:
    state: dict[int, list[str]] = {}
    for one in said:
        for found in spotter.hear(one):
            state[found.utterance] = [match.cls for match in found.matches if match.certain]
    return state


@given(st.integers(1, len(TEXT) - 1))
@examples(20)
def test_a_cut_anywhere_counts_no_phrase_twice(cut: int) -> None:
    whole = [m.cls for m in Lexicon.load().find(utterance(TEXT, 0, 0.0).words) if m.certain]
    parts = told(
        PhraseSpotter(Lexicon.load()),
        utterance(TEXT[:cut], 0, 0.0),
        utterance(TEXT[cut:], 1, 0.3 * cut + 0.4),
    )
    joined = [cls for classes in parts.values() for cls in classes]
    for cls in ("apology", "sympathy", "negative"):
        assert joined.count(cls) == whole.count(cls)


@given(st.lists(st.integers(0, len(TEXT)), max_size=6))
@examples(20)
def test_revisions_on_the_way_leave_no_trace(lengths: list[int]) -> None:
    spotter = PhraseSpotter(Lexicon.load())
    on_the_way = [utterance(TEXT[:length], 0, 0.0, at) for at, length in enumerate(lengths)]
    final = utterance(TEXT, 0, 0.0, 9)
    state = told(spotter, *on_the_way, final)
    assert state[0] == [match.cls for match in Lexicon.load().find(final.words) if match.certain]
    assert [match.cls for match in spotter.of("agent", 0) if match.certain] == state[0]


def test_nothing_is_told_twice() -> None:
    spotter = PhraseSpotter(Lexicon.load())
    assert len(spotter.hear(utterance(TEXT, 0, 0.0))) == 1
    assert spotter.hear(utterance(TEXT, 0, 0.0, 2)) == []


def test_what_is_remembered_is_bounded() -> None:
    spotter = PhraseSpotter(Lexicon.load())
    for number in range(50):
        spotter.hear(utterance(TEXT, number, 20.0 * number))
    assert len(spotter._told) <= 2 * REMEMBERED
    assert spotter.of("agent", 0) == ()
