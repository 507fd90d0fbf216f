"""The bundled calls through the whole product: the alerts that must come, come, and no others.

The decisions must not hang on how loud the call is, on the telephone's codec, or on the sampling rate.
"""

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from monitor.events import DERIVED, AlertEvent, Event, Interruption, Quality, TalkOver
from monitor.review.evaluate import Evaluation, evaluate
from monitor.review.truth import Truth, load_truth, recordings
from monitor.rules.rule_set import load_rules
from monitor.session import replay_events
from tests.judge.judging import said_of

AUDIO = Path(__file__).resolve().parents[2] / "fixtures" / "audio"
CALLS = sorted(path.stem for path in AUDIO.glob("*.json"))
MODELS = ("none", "script")


@cache
def heard(call: str, model: str) -> tuple[Event, ...]:
    """Everything the monitor says about a bundled call (each is played once for all tests)."""
    path = AUDIO / f"{call}.json"
    return tuple(replay_events(recordings(load_truth(path), path), model=model))


def judged(call: str, model: str) -> tuple[Evaluation, Truth]:
    truth = load_truth(AUDIO / f"{call}.json")
    return evaluate(heard(call, model), truth), truth


def test_there_is_a_call_for_every_case():
    kinds = {event.kind for call in CALLS for event in load_truth(AUDIO / f"{call}.json").events}
    assert len(CALLS) >= 10
    assert kinds >= {
        "interruption", "talk_over", "backchannel", "raised", "dead_air", "hold_music",
        "crosstalk", "clipping", "dead_channel", "apology",
    }  # fmt: skip


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("call", CALLS)
def test_every_expected_alert_comes_in_its_window(call: str, model: str):
    evaluation, _ = judged(call, model)
    assert [(one.rule, one.from_, one.to) for one in evaluation.missed] == []


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("call", CALLS)
def test_no_other_alert_warns(call: str, model: str):
    evaluation, _ = judged(call, model)
    assert [(one.rule, one.at, one.level) for one in evaluation.unexpected] == []


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("call", ["backchannels", "calm", "bleed"])
def test_listening_well_is_no_reason_for_any_alert(call: str, model: str):
    alerts = [one for one in heard(call, model) if isinstance(one, AlertEvent)]
    assert [(one.rule, one.at) for one in alerts] == []


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("call", CALLS)
def test_evaluating_every_rule_at_every_event_changes_no_alert(call: str, model: str):
    facts = [one for one in heard(call, model) if not isinstance(one, DERIVED)]
    eager = [one for one in said_of(facts, load_rules(), eager=True) if isinstance(one, AlertEvent)]
    assert eager == [one for one in heard(call, model) if isinstance(one, AlertEvent)]


@pytest.mark.parametrize("call", CALLS)
def test_no_call_is_called_exchanged(call: str):
    assert [one for one in heard(call, "script") if isinstance(one, Quality) and one.kind == "swapped"] == []


@pytest.mark.parametrize("call", CALLS)
def test_who_cut_in_is_found_and_nobody_else_is_blamed(call: str):
    evaluation, truth = judged(call, "none")
    score = evaluation.kinds.get("interruption")
    assert (score is None) == (not truth.happenings("interruption"))
    assert score is None or (score.wrong == 0 and score.missed <= len(truth.happenings("interruption")) // 5)


def test_no_backchannel_is_called_an_interruption():
    truth = load_truth(AUDIO / "backchannels.json")
    assert len(truth.happenings("backchannel")) >= 10
    assert not [event for event in heard("backchannels", "none") if isinstance(event, Interruption)]


# --- the same decisions however the call was carried ---------------------------------------------

Sound = NDArray[np.float64]


def _gain(db: float) -> Callable[[Sound, int], tuple[Sound, int, str]]:
    return lambda pcm, rate: (pcm * 10 ** (db / 20), rate, "FLOAT")


def _resampled(to: int, subtype: str) -> Callable[[Sound, int], tuple[Sound, int, str]]:
    return lambda pcm, rate: (soxr.resample(pcm, rate, to), to, subtype)


CARRIED = {
    "20 dB louder": _gain(20),
    "20 dB quieter": _gain(-20),
    "8 kHz mu-law": _resampled(8000, "ULAW"),
    "48 kHz": _resampled(48000, "PCM_16"),
}


def carried(
    call: str, folder: Path, change: Callable[[Sound, int], tuple[Sound, int, str]]
) -> tuple[Event, ...]:
    """What is said of a bundled call that was carried in another way."""
    files = []
    for name in load_truth(AUDIO / f"{call}.json").audio:
        pcm, rate, subtype = change(*soundfile.read(AUDIO / name))
        files.append((folder / name).with_suffix(".wav"))
        soundfile.write(files[-1], pcm, rate, subtype=subtype)
    shutil.copy(AUDIO / f"{call}.json", folder)
    return tuple(replay_events(files, model="none"))


def decisions(call: str, events: tuple[Event, ...]) -> set[tuple[str, str | None, float, float]]:
    """What was decided: each alert that was due, by its rule, side and window; nothing may come beside."""
    evaluation = evaluate(events, load_truth(AUDIO / f"{call}.json"))
    assert [(one.rule, one.at) for one in evaluation.unexpected] == []
    assert [(one.rule, one.from_) for one in evaluation.missed] == []
    return {(one.rule, one.channel, one.from_ or 0.0, one.to or 0.0) for one in evaluation.met}


def cut_ins(events: tuple[Event, ...]) -> list[tuple[str, str, float]]:
    """Who took the floor from whom, or talked over whom, and when."""
    return sorted((e.name, e.by, e.start) for e in events if isinstance(e, Interruption | TalkOver))


def troubles(events: tuple[Event, ...]) -> set[tuple[str, str | None]]:
    return {(event.kind, event.channel) for event in events if isinstance(event, Quality)}


def assert_same_cut_ins(one: tuple[Event, ...], two: tuple[Event, ...]) -> None:
    """The same, within the tenth of a second by which the edges of speech move."""
    before, after = cut_ins(one), cut_ins(two)
    assert [cut[:2] for cut in after] == [cut[:2] for cut in before]
    assert [cut[2] for cut in after] == pytest.approx([cut[2] for cut in before], abs=0.15)


@pytest.mark.parametrize("how", sorted(CARRIED))
@pytest.mark.parametrize("call", CALLS)
def test_the_decisions_do_not_hang_on_how_the_call_was_carried(tmp_path: Path, call: str, how: str):
    before, again = heard(call, "none"), carried(call, tmp_path, CARRIED[how])
    assert decisions(call, again) == decisions(call, before)
    assert troubles(again) == troubles(before)
    assert_same_cut_ins(before, again)


@pytest.mark.parametrize("call", ["interruptions", "difficult-call", "backchannels"])
def test_gain_that_cuts_the_waves_is_told_and_changes_nobodys_turn(tmp_path: Path, call: str):
    """20 dB before the samples are numbers is free; after that it clips, and says so of both sides."""
    again = carried(call, tmp_path, lambda pcm, rate: (np.clip(10 * pcm, -1, 1), rate, "PCM_16"))
    assert troubles(again) == {("clipping", "agent"), ("clipping", "caller")}
    assert_same_cut_ins(heard(call, "none"), again)
