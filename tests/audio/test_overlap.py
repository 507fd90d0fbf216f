"""Talk-over, told from talk scripts in call time."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.audio.overlap import OverlapTracker
from monitor.config import OverlapSettings
from monitor.events import Event, Interruption, OverlapStarted, TalkOver
from monitor.events import Overlap as OverlapClosed
from tests.talk import active


def heard(*lines: str, seconds: float = 16, suppressed: tuple[float, float] = (0, 0)) -> list[Event]:
    talk = active(*lines, seconds=seconds)
    hush = np.zeros(talk.shape[1], bool)
    hush[round(suppressed[0] * 50) : round(suppressed[1] * 50)] = True
    stage = OverlapTracker(OverlapSettings())
    return stage.feed(0, talk, hush) + stage.finish(talk.shape[1])


def kinds(events: list[Event]) -> list[str]:
    return [e.kind for e in events if isinstance(e, OverlapClosed)]


def alerts(events: list[Event]) -> list[Event]:
    return [e for e in events if isinstance(e, Interruption | TalkOver)]


def test_who_cuts_in_and_goes_on_while_the_other_falls_silent_interrupts():
    events = heard("caller 0-6 it broke on monday", "agent 5-9 have you tried")
    (taken,) = alerts(events)
    assert taken == Interruption(start=5.0, at=6.4, by="agent", of="caller", detected_at=6.4)
    closed = next(e for e in events if isinstance(e, OverlapClosed))
    assert closed == OverlapClosed(
        start=5, end=6, by="agent", kind="interruption", seconds=1, detected_at=6.4
    )


def test_the_first_hint_comes_after_two_tenths_of_a_second_of_talk_at_once():
    events = heard("caller 0-6", "agent 4-9")
    hint = next(e for e in events if isinstance(e, OverlapStarted))
    assert hint == OverlapStarted(start=4.0, at=4.2, by="agent", detected_at=4.2)


def test_mm_hm_is_no_interruption():
    events = heard("caller 0-6 it broke on monday", "agent 3-3.4 mm-hm")
    assert alerts(events) == []
    assert kinds(events) == ["backchannel"]


def test_mm_hm_mm_hm_mm_hm_is_neither_interruption_nor_talk_over():
    events = heard(
        "caller 0-9", "agent 3-3.5 mm-hm", "agent 4-4.5 yeah", "agent 5-5.5 right", "agent 6-6.5 mm"
    )
    assert alerts(events) == []
    assert kinds(events) == ["backchannel"]


def test_right_okay_in_the_callers_pause_is_no_interruption_when_the_caller_goes_on():
    events = heard("caller 0-4 it broke", "agent 3.7-4.4 right okay", "caller 4.7-9 on monday")
    assert alerts(events) == []
    assert kinds(events) == ["backchannel"]


@pytest.mark.parametrize(("late", "kind"), [(0.18, "backchannel"), (0.2, "other")])
@pytest.mark.parametrize(("holder", "newcomer"), [("caller", "agent"), ("agent", "caller")])
def test_a_bid_begins_in_the_holders_speech_or_within_two_tenths_of_a_second_after_it(
    holder: str, newcomer: str, late: float, kind: str
):
    events = heard(f"{holder} 0-4", f"{newcomer} {4 + late}-4.7 right", f"{holder} 4.28-9")
    assert kinds(events) == [kind]


def test_the_caller_who_goes_on_over_a_late_mm_hm_interrupts_nobody():
    events = heard("caller 0-4 it broke", "agent 4.4-5.0 mm-hm", "caller 4.8-9 on monday")
    assert alerts(events) == []


def test_a_turn_that_touches_the_end_of_the_others_turn_is_terminal():
    events = heard("caller 0-6 that is all", "agent 5.84-9 thank you")
    assert alerts(events) == []
    assert kinds(events) == ["terminal"]


@pytest.mark.parametrize("late", [-0.18, 0.0, 0.18])
def test_who_starts_together_after_a_pause_interrupts_nobody(late):
    events = heard("caller 0-3", "caller 5-7", f"agent {5 + late}-9")
    assert alerts(events) == []
    assert kinds(events) == ["simultaneous"]


def test_a_late_yield_is_talked_over_first_and_interrupted_then():
    events = heard("caller 0-8", "agent 4-12")
    assert [(e.name, e.detected_at) for e in alerts(events)] == [("talk_over", 5.4), ("interruption", 8.4)]
    assert kinds(events) == ["interruption"]


def test_both_talk_for_ten_seconds_is_said_once():
    events = heard("caller 0-14", "agent 2-12")
    assert alerts(events) == [TalkOver(start=2, at=3.4, by="agent", of="caller", detected_at=3.4)]
    (closed,) = (e for e in events if isinstance(e, OverlapClosed))
    assert (closed.kind, closed.start, closed.end, closed.seconds) == ("talk_over", 2, 12, 10)


def test_a_second_try_after_a_breath_belongs_to_the_same_bid():
    events = heard("caller 0-5", "agent 3-3.4 yeah", "agent 4.1-7 well the thing is")
    assert [(e.name, e.start, e.by) for e in alerts(events)] == [("interruption", 3.0, "agent")]


def test_two_tries_apart_are_two_overlaps():
    events = heard("caller 0-8", "agent 2-2.5", "agent 4-4.5")
    assert kinds(events) == ["backchannel", "backchannel"]


def test_who_is_interrupted_may_interrupt_back():
    events = heard("caller 0-4", "agent 3-8", "caller 7-12")
    assert [(e.name, e.by, e.of) for e in alerts(events)] == [
        ("interruption", "agent", "caller"),
        ("interruption", "caller", "agent"),
    ]


def test_an_answer_after_a_pause_is_no_overlap():
    assert alerts(heard("caller 0-4", "agent 4.3-8", "caller 8.2-12")) == []


def test_talk_at_once_while_nobody_has_the_floor_is_only_named():
    events = heard("caller 0-0.4", "agent 0.3-3")
    assert alerts(events) == []
    assert kinds(events) == ["other"]


def test_nothing_is_decided_while_the_sound_is_not_to_be_trusted():
    assert alerts(heard("caller 0-6", "agent 5-9", suppressed=(4, 16))) == []
    assert alerts(heard("caller 0-14", "agent 4-12", suppressed=(0, 16))) == []


def test_what_still_holds_afterwards_is_said_then():
    events = heard("caller 0-6", "agent 5-9", suppressed=(5.5, 6.8))
    assert [e.detected_at for e in alerts(events)] == [6.82]


def test_an_overlap_that_is_open_when_the_call_ends_is_closed():
    events = heard("caller 0-6", "agent 5-6", seconds=6)
    assert kinds(events) == ["backchannel"]
    assert events[-1].detected_at == 6.0


def test_the_rows_may_change_places():
    one = heard("caller 0-6", "agent 5-9", "caller 8-8.4", "caller 11-13", "agent 12-14")
    two = heard("agent 0-6", "caller 5-9", "agent 8-8.4", "agent 11-13", "caller 12-14")
    side = {"agent": "caller", "caller": "agent"}
    assert [(e.name, e.detected_at, getattr(e, "by", None)) for e in one] == [
        (e.name, e.detected_at, side.get(getattr(e, "by", ""))) for e in two
    ]


bursts = st.lists(st.tuples(st.booleans(), st.integers(1, 60)), max_size=60)


@given(bursts, bursts, st.lists(st.integers(0, 600), max_size=12), st.data())
def test_any_cut_gives_the_same_events(one, two, cuts, data):
    rows = [np.repeat([b for b, _ in row], [n for _, n in row]).astype(bool)[:600] for row in (one, two)]
    talk = np.stack([np.pad(row, (0, 600 - row.size)) for row in rows])
    hush = np.repeat(data.draw(st.lists(st.booleans(), min_size=60, max_size=60)), 10)
    whole = OverlapTracker(OverlapSettings())
    expected = whole.feed(0, talk, hush) + whole.finish(600)
    stage = OverlapTracker(OverlapSettings())
    edges = sorted({0, 600, *cuts})
    got = [e for a, b in pairwise(edges) for e in stage.feed(a, talk[:, a:b], hush[a:b])]
    assert got + stage.finish(600) == expected
    assert all(a.detected_at <= b.detected_at for a, b in pairwise(expected))
