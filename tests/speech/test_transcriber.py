import itertools
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import SpeechSettings
from monitor.events import Event, RecognitionRequest, RecognitionResult, Status, Word
from monitor.speech.backpressure import STEPS
from monitor.speech.recogniser import Recogniser
from tests.examples import examples
from tests.speech.talking import RATE, Talk, said, script, spaced, utterances

LINES = (
    "caller 1-3 my internet is still down",
    "agent 3.6-5 I am sorry about that",
    "caller 4.6-4.9 yes",
    "agent 7-20.5 let me look at what happened here on monday and then at what we can do for you today "
    "because nobody should wait for so long without a word from us at all",
)


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return Talk(LINES, 22.0, script(tmp_path, *LINES))


def test_every_word_of_both_sides_is_heard_once(talk: Talk):
    heard = said(talk.play())
    assert heard["caller"] == ["my", "internet", "is", "still", "down", "yes"]
    assert heard["agent"] == [word for line in LINES if line.startswith("agent") for word in line.split()[2:]]


def test_words_appear_while_they_are_spoken(talk: Talk):
    first = next(u for u in utterances(talk.play()) if u.words)
    assert first.detected_at < 2.2
    assert not first.final


CUTS = st.lists(st.integers(1, 15), min_size=1, max_size=200)
"""Blocks of up to 0.3 s, in frames."""


@examples(6, fixtures=True)
@given(CUTS)
def test_blocks_of_any_size_give_the_same_utterances(tmp_path: Path, sizes: list[int]):
    def heard(cuts: list[int] | int) -> list[object]:
        talk = Talk(LINES, 22.0, script(tmp_path, *LINES), loud=(0.1, 0.02))
        return [(u.text, u.words, u.final) for u in utterances(talk.play(cuts))]

    assert heard([*sizes, *[5] * 220]) == heard(2)


def stood(events: Sequence[Event]) -> dict[int, tuple[Word, ...]]:
    """The committed words of each utterance; none of them may ever have been another one."""
    committed: dict[int, tuple[Word, ...]] = {}
    finals: set[int] = set()
    for u in utterances(events):
        assert u.utterance not in finals
        before = committed.get(u.utterance, ())
        committed[u.utterance] = now = tuple(word for word in u.words if word.committed)
        assert now[: len(before)] == before
        assert u.words[: len(now)] == now, "committed words come before the others"
        if u.final:
            assert now == u.words
            finals.add(u.utterance)
    assert finals == set(committed)
    return committed


def test_committed_words_stay_as_they_are(talk: Talk):
    assert stood(talk.play())


class Moody:
    """Hears the script, but other words, times and probabilities each time it is asked."""

    name = "moody"

    def __init__(self, reader: Recogniser, seed: int) -> None:
        self._reader, self._chance = reader, random.Random(seed)  # noqa: S311 - moods

    def recognise(self, requests: Sequence[RecognitionRequest]) -> list[RecognitionResult]:
        return [self._changed(result) for result in self._reader.recognise(requests)]

    def _changed(self, result: RecognitionResult) -> RecognitionResult:
        words = tuple(self._word(word) for word in result.words if self._chance.random() > 0.1)
        return RecognitionResult(
            result.request_id, words, self._chance.uniform(-2, 0), self._chance.random() ** 3
        )

    def _word(self, word: Word) -> Word:
        text = word.text if self._chance.random() > 0.3 else self._chance.choice(["no", "refund", "Sorry."])
        shift = self._chance.uniform(-0.2, 0.2)
        return Word(
            text, max(0.0, word.start + shift), word.end + shift, self._chance.random(), committed=False
        )


def played_slowly(talk: Talk, sizes: Sequence[int], delays: Sequence[int]) -> list[Event]:
    """A call whose answers come so many frames after their questions, the delays taken in turn."""
    coming: list[tuple[int, RecognitionResult]] = []
    turns, delay = itertools.cycle(sizes), itertools.cycle(delays)
    over = False
    while not over or coming or talk.transcriber.waiting:
        at = talk.at if not over else max(due for due, _ in coming)
        for item in [item for item in coming if item[0] <= at]:
            coming.remove(item)
            talk.events += talk.transcriber.add_result(item[1], round(talk.at * 0.02, 3))
        requests = talk.transcriber.requests()
        coming += [(talk.at + next(delay), result) for result in talk.recogniser.recognise(requests)]
        if over:
            continue
        talk.hear(next(turns))
        if over := talk.at >= talk.speaking.shape[1]:
            talk.events += talk.transcriber.finish()
            coming += [(talk.at, result) for result in talk.recogniser.recognise(talk.transcriber.requests())]
    return talk.events


DELAYS = st.lists(st.integers(0, 200), min_size=1, max_size=20)
"""Up to 4 s, in frames."""


@examples(15, fixtures=True)
@given(CUTS, DELAYS, st.integers())
def test_committed_words_stay_whatever_is_answered_and_however_late(
    tmp_path: Path, sizes: list[int], delays: list[int], seed: int
):
    stood(played_slowly(Talk(LINES, 22.0, Moody(script(tmp_path, *LINES), seed)), sizes, delays))


@examples(15, fixtures=True)
@given(CUTS, DELAYS)
def test_no_word_is_lost_or_said_twice_however_late_the_answers_are(
    tmp_path: Path, sizes: list[int], delays: list[int]
):
    heard = said(played_slowly(Talk(LINES, 22.0, script(tmp_path, *LINES)), sizes, delays))
    for channel in ("agent", "caller"):
        assert heard[channel] == [w for line in LINES if line.startswith(channel) for w in line.split()[2:]]


def test_revisions_count_up_and_the_last_one_is_final(talk: Talk):
    last: dict[tuple[str, int], int] = {}
    finals = set()
    for u in utterances(talk.play()):
        assert (u.channel, u.utterance) not in finals
        assert u.revision == last.get((u.channel, u.utterance), 0) + 1
        last[u.channel, u.utterance] = u.revision
        if u.final:
            finals.add((u.channel, u.utterance))
    assert finals == set(last)


def test_a_word_shorter_than_an_update_is_heard(tmp_path: Path):
    line = "caller 1-1.25 yes"
    assert said(Talk([line], 2.0, script(tmp_path, line)).play())["caller"] == ["yes"]


def test_the_words_before_the_hang_up_are_heard(tmp_path: Path):
    line = "caller 1-3 goodbye and thanks"
    assert said(Talk([line], 3.0, script(tmp_path, line)).play())["caller"] == ["goodbye", "and", "thanks"]


def test_a_side_has_one_question_under_way(talk: Talk):
    while talk.at < talk.speaking.shape[1]:
        talk.hear(5)
        requests = talk.transcriber.requests()
        assert talk.transcriber.requests() == []
        assert len({request.channel for request in requests}) == len(requests)
        for request in requests:
            talk.events += talk.transcriber.add_result(*talk.recogniser.recognise([request]), request.end)


def test_a_question_continues_the_words_that_stand(talk: Talk):
    talk.play()
    continued = [request for request in talk.asked if request.prefix]
    assert continued
    assert all(word.committed for request in continued for word in request.prefix)
    assert all(
        request.audio.shape == (round((request.end - request.start) * RATE),) for request in talk.asked
    )


def test_the_last_words_are_context_until_a_long_silence(tmp_path: Path):
    lines = ("caller 1-2 first words", "caller 3-4 second words", "caller 8-9 third words")
    talk = Talk(lines, 10.0, script(tmp_path, *lines))
    talk.play()
    contexts = {(round(request.start), request.context) for request in talk.asked}
    assert contexts == {(0, ()), (2, ("first", "words")), (8, ())}, (
        "the same for all requests of an utterance"
    )


def test_a_burst_too_short_for_a_word_is_not_decoded(tmp_path: Path):
    line = "caller 1-1.08 hm"
    talk = Talk([line, "caller 3-4 yes indeed"], 6.0, script(tmp_path, line, "caller 3-4 yes indeed"))
    talk.play()
    assert {round(request.start, 1) for request in talk.asked} == {2.5}


def test_nothing_is_asked_while_nobody_speaks(tmp_path: Path):
    talk = Talk([], 30.0, script(tmp_path, "caller 1-2 invented words"))
    assert talk.play() == []
    assert talk.asked == []


def test_an_unbelievable_answer_takes_back_what_was_shown_and_says_so(tmp_path: Path):
    line = "caller 1-3 some noise"
    talk = Talk([line], 4.0, script(tmp_path, line))

    def invented(requests: list[RecognitionRequest]) -> list[RecognitionResult]:
        p = [(-0.3, 0.0) if not request.final else (-2.0, 0.9) for request in requests]
        return [
            RecognitionResult(j.id, spaced("thank you", start=1.2), *x)
            for j, x in zip(requests, p, strict=True)
        ]

    while talk.at < talk.speaking.shape[1]:
        talk.hear(10_000 if talk.at >= 90 else 10)
        talk.answer(invented)
    shown = utterances(talk.events)
    assert shown[0].text.startswith("thank")
    assert shown[-1].final
    assert shown[-1].text != "thank you thank you"


def test_the_same_words_on_both_sides_stay_with_the_louder_one(tmp_path: Path):
    lines = ("caller 1-4 I want to speak to your manager", "agent 1.1-4.1 I want to speak to your manager")
    heard = said(Talk(lines, 6.0, script(tmp_path, *lines), loud=(0.01, 0.2)).play())
    assert heard["caller"] == lines[0].split()[2:]
    assert heard["agent"] == []


class Late:
    """Answers a call's questions at a fixed number of seconds each, one after the other, in call time."""

    def __init__(self, talk: Talk, seconds: float) -> None:
        self.talk, self.seconds = talk, seconds
        self.busy_until = 0.0
        self.queue: list[RecognitionRequest] = []
        self.most_waiting = 0

    def step(self) -> None:
        self.talk.hear(5)
        requests = self.talk.transcriber.requests()
        self.talk.asked += requests
        self.queue = sorted(self.queue + requests, key=lambda request: not request.final)
        self.most_waiting = max(self.most_waiting, len(self.queue))
        now = self.talk.at * 0.02
        while self.queue and self.busy_until <= now:
            request = self.queue.pop(0)
            self.busy_until = max(self.busy_until, now) + self.seconds
            (result,) = self.talk.recogniser.recognise([request])
            slow = RecognitionResult(result.request_id, result.words, -0.1, 0.0, self.seconds)
            self.talk.events += self.talk.transcriber.add_result(slow, round(now, 3))


def conversation(turns: int) -> tuple[list[str], float]:
    """Turns of 3 s with pauses of 0.8 s, alternating."""
    lines = [
        f"{('caller', 'agent')[n % 2]} {1 + n * 3.8:.2f}-{4 + n * 3.8:.2f} turn {n} has five words"
        for n in range(turns)
    ]
    return lines, 1 + turns * 3.8


def test_a_slow_recogniser_gets_fewer_questions_says_so_and_recovers(tmp_path: Path):
    lines, seconds = conversation(60)
    talk = Talk(lines, seconds + 40, script(tmp_path, *lines))
    late = Late(talk, 3.0)
    while talk.at * 0.02 < seconds * 0.6:
        late.step()
    modes = [e.mode for e in talk.events if isinstance(e, Status)]
    assert list(dict.fromkeys(modes)) == list(STEPS[1:])
    assert modes[-1] == "finals_only"
    assert any(e.lag_s >= 1.0 for e in talk.events if isinstance(e, Status))
    late.seconds = 0.03
    while talk.at < talk.speaking.shape[1]:
        late.step()
    assert [e.mode for e in talk.events if isinstance(e, Status)][-1] == "full"
    heard = said(talk.events)
    assert heard["caller"] + heard["agent"] == [w for c in ("caller", "agent") for line in lines
                                                if line.startswith(c) for w in line.split()[2:]]  # fmt: skip
    assert late.most_waiting <= 2


def test_a_recogniser_that_never_answers_costs_bounded_memory_and_the_loss_is_counted(tmp_path: Path):
    lines = [f"caller {1 + n * 11:.1f}-{11.4 + n * 11:.1f} words" for n in range(65)]
    talk = Talk(lines, 720.0, script(tmp_path, *lines))
    while talk.at < talk.speaking.shape[1]:
        talk.hear(500)
        talk.transcriber.requests()
    last = [e for e in talk.events if isinstance(e, Status)][-1]
    assert last.dropped > 0
    assert last.lag_s > 300


def test_what_is_not_heard_yet_holds_back_the_moment_that_is_caught_up(talk: Talk):
    talk.hear(75)
    assert talk.transcriber.decoded_to == 0.5
    talk.answer()
    assert talk.transcriber.decoded_to == 1.4
    talk.play()
    assert talk.transcriber.decoded_to == 22.0


def test_without_words_nothing_is_asked(tmp_path: Path):
    from monitor.speech.transcriber import Transcriber

    talk = Talk(LINES, 22.0, script(tmp_path, *LINES))
    talk.transcriber = Transcriber(RATE, SpeechSettings(), words=False)
    assert talk.play() == []
    assert not talk.transcriber.waiting
