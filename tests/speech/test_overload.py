"""The bundled model, slowed: sound is heard on time, words come late but whole, and the call says so.

Time is counted: an answer arrives when the recogniser, one question after the other, would have given it
on a slow machine. So the test decides the same on every machine, and the words are those of the model.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from monitor.call import Call, CallInfo
from monitor.events import AlertOpened, Block, Event, RecognitionRequest, RecognitionResult, Status, Utterance
from monitor.playback import replay_events
from monitor.rules.rule_set import load_rules
from monitor.session import Playback, run_paced
from monitor.sources.recording import open_recording
from monitor.speech.backpressure import STEPS
from monitor.speech.model_store import bundled_folder
from monitor.speech.reference_recogniser import script_beside
from monitor.speech.whisper import Whisper
from tests.test_session import Kept

CALL = Path(__file__).resolve().parent.parent.parent / "fixtures" / "audio" / "difficult-call.flac"
BLOCK = 0.04
SLOW_FROM, SLOW_TO, TIMES = 8.0, 62.0, 5.0
ASKS_WORDS = {"calm.credit"}
"""Rules that open without words, and with them ask what the agent said, so that they wait for the words."""


def cost(request: RecognitionRequest) -> float:
    """Seconds that a model of the size of base.en takes for a question on one slow core."""
    return 0.15 + 0.03 * (request.end - request.start)


def slowed(request: RecognitionRequest, now: float) -> float:
    return cost(request) * (TIMES if SLOW_FROM <= now < SLOW_TO else 1.0)


@dataclass
class Counted:
    """A recogniser with one queue in counted time; ends of utterances first, as in the worker."""

    call: Call
    recogniser: Whisper
    cost: Callable[[RecognitionRequest, float], float]
    events: list[Event] = field(default_factory=list)
    most_waiting: int = 0
    _queue: list[RecognitionRequest] = field(default_factory=list)
    _coming: tuple[float, RecognitionResult] | None = None

    def hear(self, block: Block) -> None:
        self.events += self.call.process(block)
        self.advance(self.call.now)

    def advance(self, now: float) -> None:
        """Asks, and passes on what has been answered by ``now``."""
        self._queue += self.call.requests()
        self.most_waiting = max(self.most_waiting, len(self._queue))
        while self._coming is None or self._coming[0] <= now:
            began = now if self._coming is None else self._coming[0]
            if self._coming is not None:
                self.events += self.call.add_result(self._coming[1])
                self._queue += self.call.requests()
            self._coming = self._begin(began)
            if self._coming is None:
                return

    def _begin(self, now: float) -> tuple[float, RecognitionResult] | None:
        if not self._queue:
            return None
        request = next((request for request in self._queue if request.final), self._queue[0])
        self._queue.remove(request)
        (result,) = self.recogniser.recognise([request])
        spent = self.cost(request, now)
        return now + spent, msgspec.structs.replace(result, cost=spent)


def about(recording: object, model: str) -> CallInfo:
    return CallInfo("slow", (CALL.name,), recording.rate, recording.band, model)


@pytest.fixture(scope="module")
def whisper() -> Whisper:
    return Whisper(bundled_folder(), "bundled")


@pytest.fixture(scope="module")
def slow(whisper: Whisper) -> Counted:
    """The call on a machine that is five times too slow for most of it."""
    recording = open_recording([CALL])
    counted = Counted(Call(about(recording, "bundled"), load_rules()), whisper, slowed)
    for block in recording.blocks(BLOCK):
        counted.hear(block)
    counted.events += counted.call.finish()
    end = counted.call.now
    while not counted.call.ended:
        end += BLOCK
        counted.advance(end)
    return counted


@pytest.fixture(scope="module")
def acoustic() -> list[tuple[str, float, float]]:
    """The alerts of the same call without words, of rules that ask about no words where there are some."""
    return [alert for alert in opened(replay_events([CALL])) if alert[0] not in ASKS_WORDS]


def opened(events: list[Event]) -> list[tuple[str, float, float]]:
    return [(event.rule, event.at, event.detected_at) for event in events if isinstance(event, AlertOpened)]


def finals(events: list[Event]) -> dict[int, Utterance]:
    return {event.utterance: event for event in events if isinstance(event, Utterance) and event.final}


def begun(events: list[Event]) -> set[int]:
    return {event.utterance for event in events if isinstance(event, Utterance)}


def modes(events: list[Event]) -> list[str]:
    """The modes in the order in which they were told, the first one being full."""
    told = [event.mode for event in events if isinstance(event, Status)]
    return [after for before, after in pairwise(["full", *told]) if before != after]


@pytest.mark.slow
def test_acoustic_alerts_come_at_the_moment_they_do_without_words(slow: Counted, acoustic: list):
    rules = {rule for rule, _, _ in acoustic}
    assert len(acoustic) >= 3
    assert [alert for alert in opened(slow.events) if alert[0] in rules] == acoustic


@pytest.mark.slow
def test_every_utterance_gets_its_last_word_and_few_questions_wait(slow: Counted):
    words = [word for u in finals(slow.events).values() for word in u.words]
    assert begun(slow.events) == set(finals(slow.events))
    assert not any(status.dropped for status in slow.events if isinstance(status, Status))
    assert slow.most_waiting <= 2
    script = msgspec.json.decode(script_beside(CALL).read_bytes())["words"]
    assert len(words) == pytest.approx(len(script), rel=0.05)


@pytest.mark.slow
def test_the_effort_goes_down_in_the_fixed_order_is_told_and_comes_back(slow: Counted):
    told = modes(slow.events)
    worst = max(STEPS.index(mode) for mode in told)
    assert worst >= STEPS.index("no_alignment")
    assert told[:worst] == list(STEPS[1 : worst + 1])
    before = [event.mode for event in slow.events if isinstance(event, Status) and event.at < SLOW_FROM]
    assert told[-1] == before[-1] == "longer_interval", "what this size can do on a slow core"
    assert all(abs(STEPS.index(a) - STEPS.index(b)) == 1 for a, b in pairwise(told))
    behind = [event for event in slow.events if isinstance(event, Status) and event.lag_s >= 1.0]
    assert behind
    assert max(event.lag_s for event in behind) < 30.0
    assert [event for event in slow.events if isinstance(event, Status)][-1].lag_s < 1.0


@pytest.mark.slow
def test_a_session_at_five_times_speaking_speed_loses_nothing_either(whisper: Whisper, acoustic: list):
    """The real worker, thread and inbox: for the recogniser the call runs five times too fast."""
    recording, kept = open_recording([CALL]), Kept()
    call = Call(about(recording, "bundled"), load_rules())
    assert run_paced(
        Playback(call=call, blocks=recording.blocks(BLOCK), sinks=[kept], recogniser=whisper), TIMES
    )
    rules = {rule for rule, _, _ in acoustic}
    assert [alert for alert in opened(kept.events) if alert[0] in rules] == acoustic
    assert begun(kept.events) == set(finals(kept.events))
    assert len(finals(kept.events)) >= 15
