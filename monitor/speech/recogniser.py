"""The interface of a recogniser, and the thread that runs it for all calls of this machine.

Requests wait in two queues: final ones before partial ones, and in each the oldest first. A call has at most
one open request for each side, so this is fair to all calls. Requests that wait together are decoded
together, because short windows are cheaper in a batch.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from monitor import clock
from monitor.events import RecognitionRequest, RecognitionResult
from monitor.speech.native_thread import NativeThread, run_in_native_thread


class Recogniser(Protocol):
    """Turns windows of audio into words. Results come in the order of the requests."""

    @property
    def name(self) -> str:
        """Its name in ``call.started.model`` and ``status``."""
        ...

    def recognise(self, requests: Sequence[RecognitionRequest]) -> list[RecognitionResult]:
        """The words of each request; the caller measures ``cost``."""
        ...


log = logging.getLogger(__name__)

Deliver = Callable[[RecognitionResult], None]

BATCH = 4
"""Most requests decoded at once; more would delay the first of them for little gain."""

CLOSE_SECONDS = 0.2
"""How long ``close`` waits for a decode in progress; the thread ends with the process anyway."""


class RecogniserThread:
    """Runs a recogniser in a thread. ``submit`` and ``close`` may be called from any thread."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self._finals: deque[tuple[RecognitionRequest, Deliver]] = deque()
        self._partials: deque[tuple[RecognitionRequest, Deliver]] = deque()
        self._bell = threading.Condition()
        self._closed = False
        self._thread = NativeThread(self._work, "recogniser")
        self._thread.start()

    def submit(self, requests: Sequence[RecognitionRequest], deliver: Deliver) -> None:
        """Queues ``requests``; ``deliver`` gets each result, in the recogniser's thread."""
        with self._bell:
            if self._closed:
                return
            for request in requests:
                (self._finals if request.final else self._partials).append((request, deliver))
            self._bell.notify()

    def close(self) -> None:
        """Ends the thread; waiting requests get no result."""
        with self._bell:
            self._closed = True
            self._finals.clear()
            self._partials.clear()
            self._bell.notify()
        if self._thread is not threading.current_thread():
            self._thread.join(CLOSE_SECONDS)

    def _work(self) -> None:
        while batch := self._next():
            answers = recognise_timed(self._recogniser, [request for request, _ in batch])
            for (_, deliver), result in zip(batch, answers, strict=True):
                if not self._closed:
                    deliver(result)

    def _next(self) -> list[tuple[RecognitionRequest, Deliver]]:
        with self._bell:
            self._bell.wait_for(lambda: self._closed or self._finals or self._partials)
            if self._closed:
                return []
            queue = self._finals or self._partials
            return [queue.popleft() for _ in range(min(BATCH, len(queue)))]


def recognise_timed(
    recogniser: Recogniser, requests: Sequence[RecognitionRequest]
) -> list[RecognitionResult]:
    """The results of ``requests``, each with its share of the seconds that they took as ``cost``.

    A failing recogniser must not end a call: its requests get empty results, and the log names the type of
    the error (never its text, which may contain what was said).
    """
    began = clock.stopwatch()
    try:
        answers = recogniser.recognise(requests)
    except Exception as wrong:  # noqa: BLE001 - whatever a native library may raise
        log.error("the recogniser failed on %d windows (%s)", len(requests), type(wrong).__name__)
        answers = [RecognitionResult(request.id) for request in requests]
    cost = (clock.stopwatch() - began) / max(1, len(requests))
    return [msgspec.structs.replace(result, cost=round(cost, 6)) for result in answers]


def recognise_now(recogniser: Recogniser, requests: Sequence[RecognitionRequest]) -> list[RecognitionResult]:
    """The results of ``requests`` at once, for a replay at full speed.

    Their ``cost`` is 0: nobody waits, and the words of a replay must not depend on the machine. Ctrl-C works
    while a large model decodes.
    """
    return run_in_native_thread(lambda: recogniser.recognise(requests))
