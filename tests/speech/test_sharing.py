"""Several calls in one process share one recogniser and its thread, and none of them waits for another."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

from monitor.call import Call, CallInfo
from monitor.events import RecognitionRequest, RecognitionResult, Utterance
from monitor.rules.rule_set import load_rules
from monitor.session import Session, paced
from monitor.sinks.announcer import Announcer
from monitor.sources.recording import open_recording
from monitor.speech.recogniser import BATCH, RecogniserThread
from monitor.speech.reference_recogniser import ReferenceRecogniser, script_beside
from tests.test_session import Kept

AUDIO = Path(__file__).resolve().parent.parent.parent / "fixtures" / "audio"
CALL = AUDIO / "interruptions.flac"
CALLS = 4


class Shared:
    """Reads the script of the recording that all calls play, and notes who asks."""

    name = "shared"

    def __init__(self) -> None:
        self._script = ReferenceRecogniser(script_beside(CALL))
        self.threads: set[int] = set()
        self.batches: list[int] = []

    def recognise(self, requests: Sequence[RecognitionRequest]) -> list[RecognitionResult]:
        self.threads.add(threading.get_ident())
        self.batches.append(len(requests))
        return self._script.recognise(requests)


async def test_calls_at_once_all_get_their_words_from_one_thread():
    shared = Shared()
    worker, book = RecogniserThread(shared), load_rules()
    kept = [Kept() for _ in range(CALLS)]

    async def hear(sink: Kept, name: str) -> None:
        recording = open_recording([CALL])
        call = Call(CallInfo(name, (CALL.name,), recording.rate, recording.band, "shared"), book)
        session = Session(call, Announcer(name, [sink]).say, worker)
        await session.run(paced(recording.blocks(0.2), recording.rate, 20.0))

    await asyncio.gather(*(hear(sink, f"call-{n}") for n, sink in enumerate(kept)))
    worker.close()
    said = [
        [(u.channel, u.text) for u in sink.events if isinstance(u, Utterance) and u.final] for sink in kept
    ]
    assert all(sorted(one) == sorted(said[0]) for one in said)
    assert sum(len(text.split()) for _, text in said[0]) > 100
    assert len(shared.threads) == 1
    assert max(shared.batches) <= BATCH
