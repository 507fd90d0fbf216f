import logging
import queue
import threading
from collections.abc import Sequence

import numpy as np
import pytest

from monitor.events import RecognitionRequest, RecognitionResult
from monitor.speech.recogniser import BATCH, RecogniserThread, recognise_now, recognise_timed
from tests.speech.talking import spaced

PATIENCE = 20.0


def request(number: int, *, final: bool = False) -> RecognitionRequest:
    return RecognitionRequest(number, "agent", 1, 0.0, 1.0, 8000, np.zeros(0, np.float32), final=final)


class Echo:
    """Answers with the number of the request; can be held, and can fail."""

    name = "echo"

    def __init__(self, *, held: bool = False, fails: bool = False) -> None:
        self.go = threading.Event()
        self.asked = threading.Event()
        self.batches: list[list[int]] = []
        self.fails = fails
        if not held:
            self.go.set()

    def recognise(self, requests: Sequence[RecognitionRequest]) -> list[RecognitionResult]:
        self.batches.append([request.id for request in requests])
        self.asked.set()
        self.go.wait(PATIENCE)
        if self.fails:
            raise RuntimeError("a secret that somebody said")
        return [RecognitionResult(request.id, spaced(str(request.id))) for request in requests]


def test_an_answer_comes_back_with_what_it_cost():
    answers: queue.Queue[RecognitionResult] = queue.Queue()
    worker = RecogniserThread(Echo())
    worker.submit([request(7)], answers.put)
    result = answers.get(timeout=PATIENCE)
    worker.close()
    assert result.request_id == 7
    assert result.cost > 0


def test_ends_of_utterances_come_first_and_calls_take_turns():
    recogniser, answers = Echo(held=True), queue.Queue()
    worker = RecogniserThread(recogniser)
    worker.submit([request(0)], answers.put)
    assert recogniser.asked.wait(PATIENCE)
    for number in range(1, 7):
        worker.submit([request(number, final=number in {5, 6})], answers.put)
    recogniser.go.set()
    for _ in range(7):
        answers.get(timeout=PATIENCE)
    worker.close()
    assert recogniser.batches == [[0], [5, 6], [1, 2, 3, 4]]
    assert max(map(len, recogniser.batches)) <= BATCH


def test_a_recogniser_that_fails_ends_no_call_and_tells_nothing_that_was_said(
    caplog: pytest.LogCaptureFixture,
):
    with caplog.at_level(logging.ERROR):
        (result,) = recognise_timed(Echo(fails=True), [request(1)])
    assert result.words == ()
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("state", ["idle", "decoding", "with work waiting", "closed before"])
def test_closing_ends_the_thread_in_every_state(state: str):
    recogniser = Echo(held=state in {"decoding", "with work waiting"})
    answers: list[RecognitionResult] = []
    worker = RecogniserThread(recogniser)
    if state != "idle":
        worker.submit([request(0)], answers.append)
        assert recogniser.asked.wait(PATIENCE)
    if state == "with work waiting":
        worker.submit([request(1), request(2, final=True)], answers.append)
    if state == "closed before":
        worker.close()
    closing = threading.Thread(target=worker.close)
    closing.start()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    recogniser.go.set()
    worker._thread.join(PATIENCE)
    assert not worker._thread.is_alive()
    assert recogniser.batches in ([], [[0]])
    worker.submit([request(3)], answers.append)
    assert all(result.request_id == 0 for result in answers)


def test_a_flat_out_answer_costs_nothing_so_that_a_replay_repeats():
    assert [result.cost for result in recognise_now(Echo(), [request(1), request(2)])] == [0.0, 0.0]
