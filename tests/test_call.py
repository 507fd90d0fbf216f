"""The core of one call: what goes in at its doors, and what comes out. Real rooms, real sound."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from monitor.call import Call, CallInfo
from monitor.events import (
    AlertOpened,
    Block,
    CallEnded,
    CallStarted,
    Command,
    CommandApplied,
    Event,
    Gap,
    Prosody,
    RecognitionResult,
    Utterance,
)
from monitor.playback import play
from monitor.rules.rule_set import load_rules
from monitor.sources.recording import open_recording
from monitor.speech.reference_recogniser import ReferenceRecogniser, script_beside

AUDIO = Path(__file__).resolve().parent.parent / "fixtures" / "audio"


def blocks(name: str, seconds: float = 1.0, until: float = 1e9) -> Iterator[Block]:
    recording = open_recording([AUDIO / name])
    for block in recording.blocks(seconds):
        if block.start >= until * recording.rate:
            return
        yield block


def call(rate: int = 8000, model: str = "none", profile: str = "default", **about: object) -> Call:
    return Call(CallInfo("c-1", ("x.wav",), rate, "narrow", model, **about), load_rules(profile=profile))


def silence(seconds: float, rate: int = 8000, start: int = 0) -> Block:
    return Block(start, np.zeros((2, round(seconds * rate)), np.float32))


def test_a_call_begins_with_its_first_block_and_ends_with_the_hang_up():
    ringing = call()
    first = ringing.process(silence(0.5))
    assert isinstance(first[0], CallStarted)
    assert not any(isinstance(event, CallStarted) for event in ringing.process(silence(0.5, start=4000)))
    last = ringing.finish()
    assert isinstance(last[-1], CallEnded)
    assert last[-1].seconds == 1.0
    assert ringing.ended
    assert ringing.finish() == []


def test_a_call_that_was_never_heard_still_begins_and_ends():
    events = call().finish()
    assert [type(event) for event in (events[0], events[-1])] == [CallStarted, CallEnded]
    assert events[-1].seconds == 0.0


def test_now_is_the_end_of_the_last_whole_frame():
    ringing = call()
    ringing.process(Block(0, np.zeros((2, 419), np.float32)))
    assert ringing.now == 0.04


def test_rules_that_need_words_say_that_they_are_off():
    started = call().process(silence(0.1))[0]
    assert isinstance(started, CallStarted)
    assert started.notice
    assert "rules that need words are disabled" in started.notice
    assert call(model="base.en").process(silence(0.1))[0].notice is None


def test_a_gap_is_told_with_its_place():
    ringing = call()
    block = Block(0, np.zeros((2, 8000), np.float32), (Gap(channel="agent", at=0.2, seconds=0.3),))
    gaps = [event for event in ringing.process(block) if isinstance(event, Gap)]
    assert gaps == [Gap(detected_at=0.5, channel="agent", at=0.2, seconds=0.3)]


def test_metadata_and_names_go_with_the_call():
    started = call(agent="amira", team="billing", meta={"direction": "in"}).process(silence(0.1))[0]
    assert isinstance(started, CallStarted)
    assert (started.agent, started.team, started.meta) == ("amira", "billing", {"direction": "in"})


def test_an_order_comes_back_as_an_event():
    ringing = call()
    ringing.process(silence(1.0))
    told = ringing.apply(Command(kind="message", text="Refund is fine.", by="dana"))
    assert isinstance(told[0], CommandApplied)
    assert (told[0].at, told[0].text, told[0].by) == (1.0, "Refund is fine.", "dana")


def heard(profile: str) -> list[Event]:
    return [event for said in play(call(profile=profile), blocks("raised.wav"), None) for event in said]


def test_the_eu_profile_keeps_the_agents_effort_out_of_every_stream():
    voices = [event for event in heard("eu") if isinstance(event, Prosody)]
    agent = [event for event in voices if event.channel == "agent"]
    assert agent
    assert not any(event.effort or event.pitch_st or event.level_db or event.tilt_db for event in agent)
    assert any(event.effort for event in voices if event.channel == "caller")


def test_the_eu_profile_still_tells_the_agent_alone():
    alerts = [
        event
        for event in heard("eu")
        if isinstance(event, AlertOpened) and event.rule == "agent.raised_voice"
    ]
    assert alerts
    assert all(alert.private and alert.to == ("agent",) for alert in alerts)


def test_the_last_answer_of_the_recogniser_ends_a_call_that_was_hung_up():
    name = "interruptions.flac"
    ringing, script = call(model="script"), ReferenceRecogniser(script_beside(AUDIO / name))
    for block in blocks(name, until=12.0):
        ringing.process(block)
    ringing.finish()
    assert not ringing.ended
    events: list[Event] = []
    while jobs := ringing.requests():
        for answer in script.recognise(jobs):
            events += ringing.add_result(answer)
    assert ringing.ended
    assert isinstance(events[-1], CallEnded)
    assert any(isinstance(event, Utterance) and event.final for event in events)


def test_a_recogniser_that_never_answers_does_not_hold_the_call():
    ringing = call(model="script")
    for block in blocks("interruptions.flac", until=12.0):
        ringing.process(block)
    assert ringing.requests()
    assert not any(isinstance(event, CallEnded) for event in ringing.finish())
    assert isinstance(ringing.abort()[-1], CallEnded)
    assert ringing.ended


def test_an_answer_to_no_question_is_ignored():
    ringing = call(model="script")
    ringing.process(silence(1.0))
    assert ringing.add_result(RecognitionResult(request_id=4711)) == []


@pytest.mark.parametrize("scale", [0.0, 1e-9, 50.0])
def test_odd_sound_neither_stops_nor_alarms(scale: float):
    rng = np.random.default_rng(7)
    ringing = call()
    noise = (rng.standard_normal((2, 80000)) * scale).astype(np.float32).clip(-1, 1)
    events = [*ringing.process(Block(0, noise)), *ringing.finish()]
    warned = [event for event in events if isinstance(event, AlertOpened) and event.level != "info"]
    assert warned == []


def after_talk(*, lost: bool) -> set[str]:
    """The rules that alerted in 40 s of zeros after 10 s of talk; ``lost``: because the devices were away."""
    ringing, at = call(), 0
    for block in blocks("interruptions.flac", until=10):
        ringing.process(block)
        at = block.start + block.pcm.shape[1]
    rules: set[str] = set()
    for second in range(40):
        quiet = silence(1.0, start=at + second * 8000)
        begun = quiet.start / 8000
        sides = ("agent", "caller") if lost else ()
        gaps = tuple(Gap(channel=side, at=begun, seconds=1.0, detected_at=begun + 1) for side in sides)
        events = ringing.process(Block(quiet.start, quiet.pcm, gaps))
        rules |= {event.rule for event in events if isinstance(event, AlertOpened)}
    return rules


def test_sound_that_was_lost_is_no_silence():
    assert {"deadair", "prep.fumble"} <= after_talk(lost=False)
    assert after_talk(lost=True) == set()
