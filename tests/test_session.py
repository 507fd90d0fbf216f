"""The shell around a call: pacing, hanging up, and one inbox. Real audio, the real core, no recogniser."""

import asyncio
import math
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from monitor.call import Call, CallInfo
from monitor.events import (
    AlertEvent,
    CallEnded,
    CallStarted,
    Channel,
    Command,
    CommandApplied,
    Event,
    RecognitionRequest,
    RecognitionResult,
    Utterance,
)
from monitor.rules.rule_set import load_rules
from monitor.session import LEAVING, HangUp, Playback, Session, paced, replay_events, run_flat_out, run_paced
from monitor.sinks import Line
from monitor.sinks.announcer import Announcer
from monitor.sources.recording import open_recording
from monitor.speech.recogniser import RecogniserThread
from monitor.speech.reference_recogniser import ReferenceRecogniser, script_beside

CALL = Path(__file__).resolve().parent.parent / "fixtures" / "audio" / "interruptions.flac"


class Kept:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.closed = 0
        self.first = threading.Event()

    def take(self, lines: Sequence[Line]) -> None:
        self.lines += lines
        self.first.set()

    def close(self) -> None:
        self.closed += 1

    @property
    def events(self) -> list[Event]:
        return [line.event for line in self.lines]


def acoustic_call() -> tuple[Call, "object"]:
    recording = open_recording([CALL])
    info = CallInfo(
        call=recording.call, sources=(CALL.name,), rate=recording.rate, band=recording.band, model="none"
    )
    return Call(info, load_rules()), recording


def without_clock(events: list[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, CallEnded)]


def test_a_flat_out_replay_begins_and_ends_and_counts_every_line():
    call, recording = acoustic_call()
    kept = Kept()
    assert run_flat_out(Playback(call=call, blocks=recording.blocks(1.0), sinks=[kept]))
    assert isinstance(kept.events[0], CallStarted)
    assert isinstance(kept.events[-1], CallEnded)
    assert [line.sequence for line in kept.lines] == list(range(1, len(kept.lines) + 1))
    assert kept.closed == 1


def test_paced_and_flat_out_say_the_same():
    flat = replay_events([CALL])
    call, recording = acoustic_call()
    kept = Kept()
    assert run_paced(Playback(call=call, blocks=recording.blocks(0.04), sinks=[kept]), 50.0)
    assert without_clock(kept.events) == without_clock(flat)


def test_ctrl_c_hangs_up_cleanly_and_is_told_apart():
    call, recording = acoustic_call()
    kept = Kept()

    def interrupt() -> None:
        kept.first.wait(20)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    pressing = threading.Thread(target=interrupt)
    pressing.start()
    finished = run_paced(Playback(call=call, blocks=recording.blocks(0.04), sinks=[kept]), 1.0)
    pressing.join()
    assert not finished
    assert isinstance(kept.events[-1], CallEnded)
    assert kept.closed == 1


async def test_an_order_reaches_the_core_between_blocks():
    call, recording = acoustic_call()
    kept = Kept()
    session = Session(call, Announcer(call.info.call, [kept]).say, None)

    async def source():
        for number, block in enumerate(recording.blocks(0.1)):
            if number == 20:
                session.put(Command(kind="snooze", seconds=60.0, by="agent"))
                await asyncio.sleep(0)
            yield block
            await asyncio.sleep(0)

    await session.run(source())
    told = [event for event in kept.events if isinstance(event, CommandApplied)]
    assert [event.kind for event in told] == ["snooze"]
    assert 1.5 < told[0].at < 3.0


async def test_a_hang_up_ends_the_call_before_its_source_does():
    call, recording = acoustic_call()
    kept = Kept()
    session = Session(call, Announcer(call.info.call, [kept]).say, None)

    async def endless():
        for block in recording.blocks(0.1):
            yield block
            if block.start > 3 * recording.rate:
                session.put(HangUp())
                await asyncio.Event().wait()

    await asyncio.wait_for(session.run(endless()), 10)
    assert isinstance(kept.events[-1], CallEnded)
    assert kept.events[-1].seconds < 4.0


class Held:
    """Reads the recording's script, once it is let go; ``asked`` says that a question has come."""

    name = "held"

    def __init__(self) -> None:
        self.go, self.asked = threading.Event(), threading.Event()
        self._script = ReferenceRecogniser(script_beside(CALL))

    def recognise(self, jobs: Sequence[RecognitionRequest]) -> list[RecognitionResult]:
        self.asked.set()
        self.go.wait(30)
        return self._script.recognise(jobs)


def spoken_call() -> tuple[Call, "object"]:
    recording = open_recording([CALL])
    info = CallInfo(
        call="spoken", sources=(CALL.name,), rate=recording.rate, band=recording.band, model="held"
    )
    return Call(info, load_rules()), recording


async def test_who_wants_to_leave_does_not_wait_for_a_recogniser_that_hangs():
    call, recording = spoken_call()
    kept, held = Kept(), Held()
    worker = RecogniserThread(held)
    session = Session(call, Announcer(call.info.call, [kept]).say, worker, last_words=math.inf)

    async def endless():
        for block in recording.blocks(0.1):
            yield block
            await asyncio.sleep(0)
            if held.asked.is_set():
                session.put(HangUp(leaving=True))

    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.wait_for(session.run(endless()), 30)
    worker.close()
    spent = loop.time() - began
    held.go.set()
    ended = kept.events[-1]
    assert isinstance(ended, CallEnded)
    assert ended.seconds < 10, "what comes after the hang-up is not heard"
    assert LEAVING <= spent < LEAVING + 10


async def test_the_last_words_of_a_recording_are_waited_for_however_slow_the_recogniser_is():
    call, recording = spoken_call()
    kept, held = Kept(), Held()
    worker = RecogniserThread(held)
    session = Session(call, Announcer(call.info.call, [kept]).say, worker, last_words=math.inf)

    async def hears():
        async for block in paced(recording.blocks(5.0), recording.rate, math.inf):
            yield block
            await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(2 * LEAVING, held.go.set)

    await asyncio.wait_for(session.run(hears()), 60)
    worker.close()
    said = {event.channel: event for event in kept.events if isinstance(event, Utterance) and event.final}
    script = ReferenceRecogniser(script_beside(CALL)).recognise([all_of(channel) for channel in said])
    assert isinstance(kept.events[-1], CallEnded)
    assert len(said) == 2
    assert [result.words[-1].text for result in script] == [event.words[-1].text for event in said.values()]


def all_of(channel: Channel) -> RecognitionRequest:
    return RecognitionRequest(1, channel, 1, 0.0, 1e6, 8000, np.zeros(0, np.float32), final=True)


async def test_blocks_keep_the_pace_of_the_clock():
    recording = open_recording([CALL])
    loop = asyncio.get_running_loop()
    began = loop.time()
    async for block in paced(recording.blocks(0.5), recording.rate, 20.0):
        heard = (block.start + block.pcm.shape[1]) / recording.rate
        assert loop.time() - began >= heard / 20.0 - 0.02
        if heard > 5:
            break


def test_flat_out_pacing_never_waits():
    async def hear() -> int:
        return len([block async for block in paced(open_recording([CALL]).blocks(5.0), 8000, math.inf)])

    assert asyncio.run(hear()) > 3


@pytest.mark.parametrize("block", [0.02, 0.5, 30.0])
def test_any_block_size_gives_the_same_alerts(block: float):
    alerts = [event for event in replay_events([CALL], block_seconds=block) if isinstance(event, AlertEvent)]
    assert alerts == [event for event in replay_events([CALL]) if isinstance(event, AlertEvent)]
