"""A day of calls without a sound card: the sound is the project's recordings, at once."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from monitor.call import CallInfo
from monitor.events import (
    AlertOpened,
    Block,
    CallControl,
    CallEnded,
    CallStarted,
    Command,
    CommandApplied,
    Event,
    Status,
)
from monitor.live import LiveMonitor, LiveSettings, call_name
from monitor.playback import CallSetup, replay_events
from monitor.rules.rule_set import load_rules
from monitor.sinks import Line, Sink
from monitor.sinks.recorder import Recorder
from monitor.sources.recording import open_recording

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "audio" / "interruptions.flac"
RATE = 8000


class Tape:
    """The headset's sound: pieces one after the other, and then silence for as long as it is listened to."""

    rate = RATE
    band = "narrow"

    def __init__(self, *pieces: np.ndarray, silence: float = 3600.0) -> None:
        self._pcm = np.concatenate([*pieces, np.zeros((2, RATE))], axis=1).astype(np.float32)
        self._left = round(silence * RATE)
        self.at = 0
        self.before: dict[int, Callable[[], None]] = {}
        self.news: dict[int, tuple[str, ...]] = {}

    async def next(self) -> Block:
        await asyncio.sleep(0)  # the session gets its turn, as with a real device
        for number in [n for n in self.before if n <= self.at]:
            self.before.pop(number)()
        size = RATE // 10
        pcm = self._pcm[:, self.at : self.at + size]
        if not pcm.shape[1]:
            if self._left <= 0:
                await asyncio.Event().wait()
            self._left -= size
            pcm = np.zeros((2, size), np.float32)
        notices = next((self.news.pop(n) for n in list(self.news) if n <= self.at), ())
        block = Block(self.at, pcm, (), notices)
        self.at += pcm.shape[1]
        return block


class Kept:
    """All calls' events, call by call."""

    def __init__(self) -> None:
        self.calls: dict[str, list[Event]] = {}
        self.abouts: list[CallInfo] = []
        self.closed = 0

    def sinks(self, about: CallInfo, order: Callable[[Command], None]) -> Sequence[Sink]:
        self.abouts.append(about)
        self.calls[about.call] = []
        return [self]

    def take(self, lines: Sequence[Line]) -> None:
        for line in lines:
            self.calls[line.call].append(line.event)

    def close(self) -> None:
        self.closed += 1


def day(kept: Kept, said: list[str], *, meta: dict[str, str] | None = None, **more: object) -> LiveSettings:
    setup = CallSetup(rules=load_rules(), agent="anna", team="north", meta=meta)
    plain = {"setup": setup, "sources": ("mic", "ear"), "sinks": kept.sinks, "say": said.append,
             "end_after": 5.0, **more}  # fmt: skip
    return LiveSettings(**plain)  # type: ignore[arg-type]


def recorded(seconds: float) -> np.ndarray:
    blocks = open_recording([FIXTURE]).blocks(1.0)
    return np.concatenate([block.pcm for block in blocks], axis=1)[:, : round(seconds * RATE)]


def busy_tone(seconds: float = 6.0) -> np.ndarray:
    times = np.arange(round(seconds * RATE)) / RATE
    return np.stack([np.zeros(times.size), 0.1 * np.sin(2 * np.pi * 425 * times) * (times % 1.0 < 0.5)])


async def run(live: LiveMonitor, limit: float = 60.0) -> None:
    await asyncio.wait_for(live.run(), limit)


async def test_a_call_finds_itself_and_says_what_its_replay_says():
    kept, said = Kept(), []
    quiet = np.zeros((2, 20 * RATE))
    live = LiveMonitor(day(kept, said, once=True, preroll=6.0), Tape(quiet, recorded(40)), None)
    await run(live)
    (events,) = kept.calls.values()
    opened = [(e.rule, e.at) for e in events if isinstance(e, AlertOpened) and "interrupt" in e.rule]
    expected = [(e.rule, e.at) for e in replay_events([FIXTURE]) if isinstance(e, AlertOpened) and e.at < 40]
    offset = opened[0][1] - expected[0][1]
    assert [rule for rule, _ in opened] == [rule for rule, _ in expected]
    assert [at for _, at in opened] == pytest.approx([at + offset for _, at in expected], abs=0.1)


async def test_a_recorded_call_is_replayed_to_the_same_alerts(tmp_path: Path):
    kept, said = Kept(), []
    recording = lambda about: Recorder(tmp_path, about.call, about.rate)  # noqa: E731 - short and clear
    live = LiveMonitor(day(kept, said, once=True, recorder=recording), Tape(recorded(40)), None)
    await run(live)
    (name,) = kept.calls
    replay = replay_events([tmp_path / f"{name}.wav"])
    sources = (CallStarted, CallEnded)
    live_facts = [event for event in kept.calls[name] if not isinstance(event, sources)]
    assert live_facts == [event for event in replay if not isinstance(event, sources)]
    assert any(isinstance(event, AlertOpened) for event in live_facts)


async def test_what_a_source_gives_after_the_hang_up_is_not_heard(tmp_path: Path):
    kept, said = Kept(), []
    tape = Tape(recorded(20))
    recording = lambda about: Recorder(tmp_path, about.call, about.rate)  # noqa: E731 - short and clear
    live = LiveMonitor(day(kept, said, once=True, by_itself=False, recorder=recording), tape, None)
    tape.before[RATE] = lambda: live.control(CallControl(kind="start", call="sp-9"))
    tape.before[8 * RATE] = lambda: live.control(CallControl(kind="end"))
    await run(live)
    ended = kept.calls["sp-9"][-1]
    assert isinstance(ended, CallEnded)
    with av.open(str(tmp_path / "sp-9.wav")) as file:
        assert file.duration / 1e6 == pytest.approx(ended.seconds, abs=0.001)


async def test_two_calls_with_silence_between_are_two_and_nothing_is_kept_between():
    kept, said = Kept(), []
    tape = Tape(recorded(12), np.zeros((2, 20 * RATE)), recorded(12))
    live = LiveMonitor(day(kept, said), tape, None)
    tape.before[60 * RATE] = live.stop
    await run(live)
    assert len(kept.calls) == 2
    assert kept.closed == 2
    for events in kept.calls.values():
        assert isinstance(events[0], CallStarted)
        assert isinstance(events[-1], CallEnded)
        assert events[-1].seconds < 12 + 5 + 2
        assert (events[0].agent, events[0].team) == ("anna", "north")
    assert said.count("Waiting for a call.") == 3


async def test_a_busy_tone_ends_the_call_at_once():
    kept, said = Kept(), []
    live = LiveMonitor(day(kept, said, once=True, end_after=600.0), Tape(recorded(12), busy_tone()), None)
    await run(live)
    (events,) = kept.calls.values()
    assert isinstance(events[-1], CallEnded)
    assert events[-1].seconds < 12 + 6


async def test_a_softphone_begins_and_ends_calls_with_what_it_knows():
    kept, said = Kept(), []
    tape = Tape(np.zeros((2, 30 * RATE)))
    live = LiveMonitor(day(kept, said, by_itself=False, once=True, meta={"line": "sales"}), tape, None)
    replies = []
    tape.before[2 * RATE] = lambda: replies.append(
        live.control(CallControl(kind="start", call="sp-1", meta={"issue": "refund"}))
    )
    tape.before[4 * RATE] = lambda: replies.append(live.control(CallControl(kind="start")))
    tape.before[5 * RATE] = lambda: replies.append(live.control(CallControl(kind="status")))
    tape.before[6 * RATE] = lambda: replies.append(live.control(CallControl(kind="end")))
    await run(live)
    assert [reply.done for reply in replies] == [True, False, True, True]
    events = kept.calls["sp-1"]
    assert isinstance(events[0], CallStarted)
    assert events[0].meta == {"line": "sales", "issue": "refund"}
    assert isinstance(events[-1], CallEnded)
    assert events[-1].seconds == pytest.approx(4.0, abs=0.5)


async def test_a_softphone_cannot_name_a_call_out_of_the_folder_that_keeps_it():
    kept, said = Kept(), []
    tape = Tape(np.zeros((2, 10 * RATE)))
    live = LiveMonitor(day(kept, said, by_itself=False, once=True), tape, None)
    replies = []
    tape.before[RATE] = lambda: replies.append(
        live.control(CallControl(kind="start", call="../../home/notes"))
    )
    tape.before[2 * RATE] = lambda: replies.append(live.control(CallControl(kind="start", call="sp-1")))
    tape.before[3 * RATE] = lambda: replies.append(live.control(CallControl(kind="end")))
    await run(live)
    assert [reply.done for reply in replies] == [False, True, True]
    assert list(kept.calls) == ["sp-1"]


async def test_a_call_that_found_itself_becomes_the_softphones():
    kept, said = Kept(), []
    tape = Tape(recorded(20))
    live = LiveMonitor(day(kept, said), tape, None)
    start = CallControl(kind="start", call="sp-2", meta={"issue": "refund"})
    tape.before[8 * RATE] = lambda: live.control(start)
    tape.before[30 * RATE] = live.stop
    await run(live)
    assert len(kept.calls) == 2
    assert list(kept.calls)[1] == "sp-2"


async def test_a_call_on_hold_does_not_end_by_silence():
    kept, said = Kept(), []
    tape = Tape(recorded(8), np.zeros((2, 40 * RATE)))
    live = LiveMonitor(day(kept, said, once=True), tape, None)
    tape.before[9 * RATE] = lambda: live.control(CallControl(kind="hold"))
    tape.before[30 * RATE] = lambda: live.control(CallControl(kind="resume"))
    await run(live)
    (events,) = kept.calls.values()
    assert [e.kind for e in events if isinstance(e, CommandApplied)] == ["hold", "resume"]
    assert isinstance(events[-1], CallEnded)
    assert 30 < events[-1].seconds < 40


async def test_what_happens_to_a_device_is_told_in_the_call_and_between_calls():
    kept, said = Kept(), []
    tape = Tape(np.zeros((2, 4 * RATE)), recorded(12))
    tape.news = {RATE: ("mic is lost.",), 12 * RATE: ("mic is back.",)}
    live = LiveMonitor(day(kept, said, once=True), tape, None)
    await run(live)
    (events,) = kept.calls.values()
    assert "mic is lost." in said
    assert [e.notice for e in events if isinstance(e, Status) and e.notice] == ["mic is back."]


async def test_nobody_speaks_and_nothing_begins():
    kept, said = Kept(), []
    tape = Tape(np.random.default_rng(3).normal(0, 0.001, (2, 30 * RATE)))
    live = LiveMonitor(day(kept, said), tape, None)
    tape.before[29 * RATE] = live.stop
    await run(live)
    assert kept.calls == {}


async def test_stopping_between_calls_ends_the_day():
    kept, said = Kept(), []
    live = LiveMonitor(day(kept, said), Tape(silence=0.0), None)
    asyncio.get_running_loop().call_later(0.1, live.stop)
    await run(live)
    assert kept.calls == {}


async def test_stopping_in_a_call_hangs_it_up():
    kept, said = Kept(), []
    tape = Tape(recorded(20))
    live = LiveMonitor(day(kept, said), tape, None)
    tape.before[10 * RATE] = live.stop
    await run(live)
    (events,) = kept.calls.values()
    assert isinstance(events[-1], CallEnded)
    assert kept.closed == 1


def test_calls_have_names_of_their_own():
    assert call_name("Anna B/").startswith("Anna-B--2")
    assert call_name(None) != call_name(None)


async def test_two_calls_of_one_name_are_two_calls_and_the_softphone_is_told_the_second_ones_name():
    kept, said, replies = Kept(), [], []
    tape = Tape(recorded(20))
    live = LiveMonitor(day(kept, said, by_itself=False), tape, None)
    for second in (2, 8):
        tape.before[second * RATE] = lambda: replies.append(
            live.control(CallControl(kind="start", call="sp-1"))
        )
        tape.before[(second + 4) * RATE] = lambda: live.control(CallControl(kind="end"))
    tape.before[16 * RATE] = live.stop
    await run(live)
    assert [reply.call for reply in replies] == ["sp-1", "sp-1-2"]
    assert list(kept.calls) == ["sp-1", "sp-1-2"]
    assert all(isinstance(events[-1], CallEnded) for events in kept.calls.values())


async def test_hooks_that_come_faster_than_the_call_begins():
    """A softphone that says start twice, or hangs up at once, between two blocks of sound."""
    kept, said, replies = Kept(), [], []
    tape = Tape(np.zeros((2, 20 * RATE)))
    live = LiveMonitor(day(kept, said, by_itself=False), tape, None)

    def says(*kinds: str) -> Callable[[], None]:
        return lambda: replies.extend(live.control(CallControl(kind=kind)) for kind in kinds)  # type: ignore[arg-type]

    tape.before[2 * RATE] = says("start", "end", "status", "end")
    tape.before[4 * RATE] = says("start", "start", "status")
    tape.before[6 * RATE] = says("end")
    tape.before[10 * RATE] = live.stop
    await run(live)
    assert [reply.done for reply in replies] == [True, True, True, False, True, False, True, True]
    assert replies[2].call is None, "it was called off"
    begun = replies[4].call
    assert replies[6].call == begun
    assert list(kept.calls) == [begun]
