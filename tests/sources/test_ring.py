"""The ring against the plainest thing that does the same: a deque of limited length."""

from collections import deque
from threading import Event, Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.ring import RingBuffer

STEPS = st.lists(st.tuples(st.sampled_from(["write", "take", "last"]), st.integers(0, 40)), max_size=60)


@given(capacity=st.integers(1, 30), channels=st.integers(1, 3), guard=st.integers(0, 20), steps=STEPS)
def test_the_ring_hears_what_a_deque_hears(
    capacity: int, channels: int, guard: int, steps: list[tuple[str, int]]
) -> None:
    ring, memory, waiting = (
        RingBuffer(capacity, channels, guard),
        deque(maxlen=capacity),
        deque(maxlen=capacity),
    )
    count = taken = lost = 0
    for step, size in steps:
        if step == "write":
            ring.write(numbered(count, size, channels))
            memory.extend(range(count, count + size))
            waiting.extend(range(count, count + size))
            count += size
        elif step == "take":
            window = ring.take(size)
            missed = count - len(waiting) - taken
            expected = [waiting.popleft() for _ in range(min(size, len(waiting)))]
            taken, lost = taken + missed + len(expected), lost + missed
            assert window.lost == missed
            assert window.start == taken - len(expected)
            np.testing.assert_array_equal(window.pcm, numbers(expected, channels))
        else:
            window = ring.last(size)
            expected = list(memory)[-size:] if size else []
            assert window.start == count - len(expected)
            np.testing.assert_array_equal(window.pcm, numbers(expected, channels))
        assert len(ring) == len(waiting)
        assert (ring.written, ring.taken, ring.lost) == (count, taken, lost)


@given(capacity=st.integers(1, 50), before=st.integers(0, 120), data=st.data())
def test_a_window_stays_intact_while_the_guard_is_written(
    capacity: int, before: int, data: st.DataObject
) -> None:
    ring = RingBuffer(capacity, 2)
    ring.write(numbered(0, before, 2))
    window = ring.take()
    kept = window.pcm.copy()
    ring.write(numbered(before, data.draw(st.integers(0, ring.guard)), 2))
    np.testing.assert_array_equal(window.pcm, kept)


@pytest.mark.parametrize("written", [3, 8, 11, 16, 100])
def test_windows_are_views_in_one_piece_wherever_they_begin(written: int) -> None:
    ring = RingBuffer(8)
    ring.write(numbered(0, written, 1))
    window = ring.last(8)
    assert window.pcm.base is not None
    assert window.pcm[0].flags.c_contiguous
    assert not window.pcm.flags.writeable


def test_what_is_overwritten_before_anybody_came_is_counted_once() -> None:
    ring = RingBuffer(100)
    ring.write(numbered(0, 130, 1))
    assert ring.take(10).lost == 30
    assert ring.take().lost == 0
    assert ring.lost == 30


def test_one_thread_writes_while_another_takes_and_nothing_is_torn() -> None:
    """As a sound card does: 20 ms pieces from another thread; the order and the count must be right."""
    ring, total = RingBuffer(48_000), 960 * 400
    wrote, read = Event(), []

    def card() -> None:
        for start in range(0, total, 960):
            ring.write(numbered(start, 960, 1))
            wrote.set()

    thread = Thread(target=card)
    thread.start()
    while ring.taken < total:
        wrote.wait(5)
        wrote.clear()
        window = ring.take()
        read.append((window.lost, window.pcm[0].copy()))
        if not thread.is_alive() and not len(ring):
            break
    thread.join()
    heard = np.concatenate([pcm for _, pcm in read])
    assert heard.size + ring.lost == total
    assert np.all(np.diff(heard) > 0)
    if not ring.lost:
        np.testing.assert_array_equal(heard, np.arange(total, dtype=np.float32))


def test_a_ring_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one sample"):
        RingBuffer(0)


def numbered(start: int, size: int, channels: int) -> np.ndarray:
    return numbers(list(range(start, start + size)), channels)


def numbers(values: list[int], channels: int) -> np.ndarray:
    return np.tile(np.array(values, np.float32).reshape(1, -1), (channels, 1))
