"""An edge moves to the quicker detector's turn nearby, or stays."""

import pytest

from monitor.audio.frames import QUIET, SPEECH
from monitor.audio.vad import MAX_VOTES, BoundaryAligner


def heard(*runs: tuple[int, int]) -> BoundaryAligner:
    edges = BoundaryAligner(step=0.01, reach=0.1)
    edges.feed([vote for vote, size in runs for _ in range(size)])
    return edges


@pytest.mark.parametrize(("at", "moved"), [(0.47, 0.5), (0.5, 0.5), (0.58, 0.5), (0.61, 0.61), (0.3, 0.3)])
def test_speech_begins_at_the_turn_within_reach(at: float, moved: float) -> None:
    assert heard((QUIET, 50), (SPEECH, 50)).rise(at, detected_at=1.0) == pytest.approx(moved)


def test_speech_ends_at_the_turn_within_reach() -> None:
    edges = heard((SPEECH, 50), (QUIET, 50))
    assert edges.fall(0.56, detected_at=1.0) == pytest.approx(0.5)
    assert edges.fall(0.7, detected_at=1.0) == pytest.approx(0.7)


def test_a_turn_that_was_not_yet_heard_does_not_count() -> None:
    """Or a long block would know more than a short one."""
    edges = heard((QUIET, 50), (SPEECH, 50))
    assert edges.rise(0.45, detected_at=0.5) == pytest.approx(0.45)
    assert edges.rise(0.45, detected_at=0.52) == pytest.approx(0.5)


def test_music_has_no_edges() -> None:
    assert heard((SPEECH, 100)).rise(0.5, detected_at=1.0) == pytest.approx(0.5)


def test_what_lies_far_behind_is_forgotten() -> None:
    edges = heard((QUIET, 50), (SPEECH, 50))
    for _ in range(10):
        edges.feed([SPEECH] * MAX_VOTES)
    assert edges.rise(0.5, detected_at=20.0) == pytest.approx(0.5)
    assert len(edges._speech) <= 2 * MAX_VOTES


def test_a_turn_is_found_after_old_votes_were_forgotten() -> None:
    edges = BoundaryAligner(step=0.01, reach=0.1)
    for _ in range(5):
        edges.feed([QUIET] * MAX_VOTES)
    edges.feed([SPEECH] * 50)
    turn = 5 * MAX_VOTES * 0.01
    assert edges.rise(turn + 0.04, detected_at=turn + 0.5) == pytest.approx(turn)
    assert edges.rise(turn - 0.04, detected_at=turn + 0.5) == pytest.approx(turn)
