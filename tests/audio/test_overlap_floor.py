"""Who has the turn, told from talk scripts in call time."""

from monitor.audio.overlap import OverlapTracker
from monitor.config import OverlapSettings
from monitor.events import Floor
from tests.talk import active


def turns(*lines: str, seconds: float = 16) -> list[tuple[float, str | None]]:
    """When the floor passed, and to whom."""
    talk = active(*lines, seconds=seconds)
    events = OverlapTracker(OverlapSettings()).feed(0, talk, talk[0] & False)
    return [(e.at, e.holder) for e in events if isinstance(e, Floor)]


def test_the_first_to_talk_alone_for_half_a_second_has_the_floor():
    assert turns("agent 1-3", seconds=4) == [(1.5, "agent")]


def test_the_floor_passes_when_the_holder_is_silent_and_the_other_goes_on():
    assert turns("caller 0-4", "agent 4.3-8", seconds=8) == [(0.5, "caller"), (4.66, "agent")]


def test_the_floor_does_not_pass_while_both_talk():
    assert turns("caller 0-12", "agent 2-11", seconds=12) == [(0.5, "caller")]


def test_a_cough_in_a_pause_does_not_take_the_floor():
    assert turns("caller 0-4", "agent 4.5-4.7", "caller 5-9", seconds=9) == [(0.5, "caller")]


def test_three_seconds_of_silence_free_the_floor_again():
    assert turns("caller 0-4", "agent 9-10") == [(0.5, "caller"), (7.0, None), (9.5, "agent"), (13.0, None)]


def test_nobody_has_the_floor_while_both_have_talked_at_once_from_the_start():
    assert turns("caller 0-6", "agent 0-6", seconds=6) == []
