"""Exchanged sides are told where there is evidence, once, late rather than wrong, and with what to do."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile

from monitor.call import Call, CallInfo
from monitor.dialogue.roles import SideExchangeDetector
from monitor.events import Block, Event, Interruption, Note, Quality, Utterance, Word, other
from monitor.phrases.lexicon import Lexicon
from monitor.playback import replay_events
from monitor.review.callscript import read_script, script_facts
from monitor.review.damage import Damage
from monitor.rules.rule_set import load_rules
from tests.audio.test_band import WIDE_RATE, telephone

FIXTURES = Path(__file__).resolve().parent.parent.parent / "fixtures"
CALLS = ["apologies", "argument", "backchannels", "calm", "difficult-call"]
"""Narrow and wide, one file and two. ``tests/golden`` keeps it from being said of the calls as they are."""
SCRIPTS = sorted((FIXTURES / "calls").glob("*.yaml"))
GREETING = "hello this is Kevin how can I help you"


def told(events: list[Event]) -> list[Quality]:
    return [event for event in events if isinstance(event, Quality) and event.kind == "swapped"]


def said(channel: str, start: float, text: str, *, final: bool = True) -> Utterance:
    words = tuple(
        Word(text=word, start=start + n / 4, end=start + n / 4 + 0.2) for n, word in enumerate(text.split())
    )
    end = words[-1].end
    return Utterance(channel=channel, utterance=1, revision=1, start=start, end=end, text=text, words=words,
                     final=final, detected_at=end + 0.5)  # type: ignore[arg-type]  # fmt: skip


def heard(*utterances: Utterance, outgoing: bool = False) -> list[Quality]:
    sides = SideExchangeDetector(outgoing=outgoing)
    return told([event for one in utterances for event in sides.hear(one)])


def exchanged(call: str, folder: Path) -> list[Path]:
    """The call with its sides exchanged, its truth beside it saying so."""
    truth = json.loads((FIXTURES / "audio" / f"{call}.json").read_text())
    names = truth["audio"]
    if len(names) == 2:
        for name, source in zip(names, reversed(names), strict=True):
            (folder / name).write_bytes((FIXTURES / "audio" / source).read_bytes())
    else:
        pcm, rate = soundfile.read(FIXTURES / "audio" / names[0], dtype="int16")
        soundfile.write(folder / names[0], pcm[:, ::-1], rate)
    for one in [*truth["utterances"], *truth["words"]]:
        one["channel"] = other(one["channel"])
    (folder / f"{call}.json").write_text(json.dumps(truth))
    return [folder / name for name in names]


@pytest.mark.parametrize("call", CALLS)
def test_a_bundled_call_is_told_when_it_is_exchanged(call: str, tmp_path: Path):
    events = replay_events(exchanged(call, tmp_path), model="script")
    first, last = told(events)
    assert first.start == 0.0
    assert first.detected_at < 20.0
    assert (first.end, last.end) == (None, last.detected_at)
    assert {cited.channel for cited in first.evidence} == {"agent", "caller"}
    assert "--agent-channel" in (first.say or "")


def test_scripted_calls_are_told_right_also_with_damaged_words():
    vocabulary = Lexicon.load().words
    found = [0, 0]
    for path in SCRIPTS:
        script = read_script(path)
        outgoing = script.meta.get("direction") == "out"
        facts = script_facts(script)
        poor = Damage(vocabulary, vocabulary, 0.15, call=script.call).events(facts)
        for place, events in enumerate((facts, poor)):
            right = [event for event in events if isinstance(event, Utterance)]
            crossed = [msgspec.structs.replace(one, channel=other(one.channel)) for one in right]
            assert heard(*right, outgoing=outgoing) == [], script.call
            found[place] += len(heard(*crossed, outgoing=outgoing))
    # Some are outgoing or begin without a greeting, others greet with the firm's name alone; with one word in
    # seven wrong more than half are missed.
    assert found[0] >= 0.8 * len(SCRIPTS)
    assert found[1] >= len(SCRIPTS) // 3


def test_the_greeting_alone_is_not_enough_nor_are_partial_words():
    assert heard(said("caller", 1, GREETING)) == []
    assert heard(said("caller", 1, GREETING), said("agent", 4, "yes hello")) == []
    partial = said("caller", 1, GREETING, final=False)
    assert heard(partial, said("agent", 4, "my parcel has not arrived and I am worried")) == []


def test_it_is_told_once_with_the_words_and_the_reasons():
    matter = said("agent", 4, "my parcel has not arrived and I am worried")
    (trouble,) = heard(said("caller", 1, GREETING), matter, matter, said("caller", 9, "may I have your name"))
    assert trouble.detected_at == matter.detected_at
    assert [cited.text for cited in trouble.evidence] == ["how can I help", "my parcel has"]
    assert "talks like somebody at work" in (trouble.say or "")
    assert "parcel" not in (trouble.say or "")


def test_an_agent_who_greets_as_well_keeps_it_quiet():
    matter = said("agent", 8, "I am calling about a parcel")
    assert heard(said("agent", 1, GREETING), said("caller", 4, GREETING), matter) == []


def test_a_call_that_the_agent_made_is_opened_by_the_other_side():
    opening = said("caller", 1, GREETING), said("agent", 4, "I am calling about the meter in your house")
    assert heard(*opening, outgoing=True) == []
    assert heard(*opening)


def test_what_is_said_later_tells_nothing():
    assert heard(said("caller", 91, GREETING), said("agent", 95, "I am calling about a parcel")) == []


def test_the_band_tells_alone_unless_words_speak_against_it():
    sides = SideExchangeDetector()
    (trouble,) = told(sides.narrow("agent", 31.0))
    assert trouble.evidence[0].kind == "telephone band"
    assert "came through a telephone" in (trouble.say or "")
    assert sides.narrow("agent", 32.0) == []
    assert SideExchangeDetector().narrow("caller", 31.0) == []
    sides = SideExchangeDetector()
    sides.hear(said("agent", 1, GREETING))
    assert sides.narrow("agent", 31.0) == []


def test_a_right_band_weighs_against_words():
    sides = SideExchangeDetector()
    sides.narrow("caller", 11.0)
    assert (
        sides.hear(said("caller", 12, GREETING)) + sides.hear(said("agent", 15, "I am calling about it"))
        == []
    )


def test_alerts_about_who_cut_in_rest_while_the_sides_seem_exchanged(tmp_path: Path):
    events = replay_events(exchanged("argument", tmp_path), model="script")
    (since, _) = told(events)
    assert [
        event for event in events if isinstance(event, Interruption) and event.detected_at > since.detected_at
    ]
    opened = [e for e in events if e.name == "alert.opened" and e.detected_at > since.detected_at]
    assert not [e for e in opened if e.rule.startswith(("interrupt.", "talk_over."))]  # type: ignore[attr-defined]
    assert any(isinstance(event, Note) and "exchanged" in event.text for event in events)


def test_the_core_tells_it_of_sound_alone():
    """A wide recording whose agent came through a telephone, at two cuts."""
    path = FIXTURES / "audio" / "difficult-call.flac"
    pcm, rate = soundfile.read(path, dtype="float32")
    assert rate == WIDE_RATE
    spoken = np.ascontiguousarray(pcm.T[::-1])
    spoken[0] = telephone(spoken[0])
    known = []
    for step in (640, 80_000):
        call = Call(CallInfo("one", ("one",), WIDE_RATE, "wide", "none"), load_rules())
        events: list[Event] = []
        for at in range(0, spoken.shape[1], step):
            events += call.process(Block(at, spoken[:, at : at + step]))
        events += call.finish()
        known.append([(event.detected_at, event.end) for event in told(events)])
    assert known[0] == known[1]
    assert len(known[0]) == 2
