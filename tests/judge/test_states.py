"""States of a call are told when they begin and when they are over: raised voices, holds, dead air."""

import pytest

from monitor.call import rejudge
from monitor.events import (
    DERIVED,
    CallStarted,
    DeadAir,
    Expectation,
    Hold,
    Phrase,
    RaisedVoice,
)
from monitor.rules.script import compile_script
from tests.judge.judging import bundled, events, of


def test_a_raised_voice_begins_when_it_is_held_and_ends_with_its_last_raised_sound():
    said = events(bundled("difficulty"), "caller 0-6 raised 1.4 it broke", "caller 6-12 it broke", "end 20")
    begun, over = of(said, RaisedVoice)
    assert (begun.channel, begun.start, begun.end) == ("caller", 0.0, None)
    assert begun.detected_at == pytest.approx(1.26, abs=0.1)
    assert (over.start, over.end) == (0.0, pytest.approx(6.0, abs=0.1))
    assert over.detected_at <= 8.6


def test_after_a_pause_a_raised_voice_is_another_one_and_a_calm_one_is_none():
    lines = [
        "caller 0-6 raised 1.4 it broke",
        "caller 20-26 raised 1.4 again",
        "caller 40-46 raised 0.6 well",
    ]
    begun = [one for one in of(events(bundled("difficulty"), *lines), RaisedVoice) if one.end is None]
    assert [one.start for one in begun] == [0.0, 20.0]


def test_an_open_state_ends_with_the_call():
    said = events(bundled("difficulty"), "caller 0-6 raised 1.4 it broke", "end 6.5")
    assert [one.end for one in of(said, RaisedVoice)] == [None, pytest.approx(6.0, abs=0.1)]
    assert of(said, RaisedVoice)[-1].detected_at == 6.5


def test_a_softphones_hold_is_told_when_it_begins_and_when_it_is_over():
    said = events(bundled("hold.often"), "agent 0-4 let me see", "hold 5-50", "agent 51-55 right")
    assert [(one.start, one.end) for one in of(said, Hold)] == [(5.0, None), (5.0, 50.0)]
    assert not of(said, DeadAir)


def test_words_that_announce_a_hold_make_the_silence_after_them_one():
    said = events(bundled("hold.often"), "agent 0-4 please hold the line", "agent 30-33 thank you")
    begun, over = of(said, Hold)
    assert (begun.start, over.end) == (4.0, 30.0)
    assert begun.detected_at == pytest.approx(7.0, abs=0.1)
    assert not of(said, DeadAir)


def test_eight_seconds_of_silence_are_dead_air_until_somebody_speaks():
    said = events(bundled("deadair"), "agent 0-4 let me see", "caller 20-22 hello", "end 25")
    begun, over = of(said, DeadAir)
    assert (begun.start, begun.end, begun.detected_at) == (4.0, None, 12.0)
    assert (over.start, over.end) == (4.0, 20.0)


@pytest.mark.parametrize("end", ["end 12.5", "end 30"])
def test_silence_before_the_first_word_is_no_dead_air(end: str):
    assert not of(events(bundled("deadair"), end), DeadAir)


def test_a_profile_that_hides_the_agents_effort_tells_nobody_of_the_agents_raised_voice():
    lines = ["agent 0-6 raised 1.4 it broke", "caller 10-16 raised 1.4 it broke"]
    hidden = of(events(bundled(profile="eu"), *lines), RaisedVoice)
    assert {one.channel for one in hidden} == {"caller"}
    assert {one.channel for one in of(events(bundled(), *lines), RaisedVoice)} == {"agent", "caller"}


def test_judging_a_journal_again_makes_the_same_events_anew():
    lines = ("caller 0-6 raised 1.4 I am really frustrated", "agent 7-11 I will call you back",
             "caller 30-33 hello", "end 60")  # fmt: skip
    started = CallStarted(
        call="c", sources=(), rate=8000, band="narrow", model="script", rules_hash="", profile="default"
    )
    book = bundled()
    once = [event for some in rejudge([started, *compile_script(lines).facts], book) for event in some]
    again = [event for some in rejudge(once, book) for event in some]
    assert again == once
    assert {Phrase, RaisedVoice, DeadAir, Expectation} <= {type(event) for event in once}
    assert not [one for one in compile_script(lines).facts if isinstance(one, DERIVED)]
