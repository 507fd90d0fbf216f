from monitor.config import SpeechSettings
from monitor.speech.backpressure import STEPS, Backpressure


def run(load: Backpressure, *, cost: float, start: float, seconds: float, overdue: float = 0.0) -> list[str]:
    """A recogniser that takes ``cost`` for each answer, about as often as it is asked; the modes passed."""
    modes, now = [], start
    while now < start + seconds:
        load.add_cost(cost, now)
        if load.adapt(now, overdue, 2):
            modes.append(load.mode)
        now += load.interval(2) if load.partials else 3.0
    return modes


def test_a_quick_recogniser_is_asked_at_full_effort():
    load = Backpressure(SpeechSettings())
    assert run(load, cost=0.03, start=0.0, seconds=60.0) == []
    assert (load.mode, load.interval(2)) == ("full", SpeechSettings().interval)
    assert (load.partials, load.align, load.better_finals) == (True, True, True)


def test_effort_goes_down_one_step_at_a_time_in_the_same_order():
    load = Backpressure(SpeechSettings())
    assert run(load, cost=3.0, start=0.0, seconds=60.0) == list(STEPS[1:])
    assert not load.partials
    assert not load.align
    assert not load.better_finals


def test_a_slower_recogniser_is_first_asked_less_often():
    load = Backpressure(SpeechSettings())
    assert run(load, cost=0.3, start=0.0, seconds=60.0) == ["longer_interval"]
    assert SpeechSettings().interval < load.interval(2) <= SpeechSettings().max_interval
    assert load.align
    assert load.partials


def test_effort_comes_back_when_the_recogniser_is_quick_again():
    load = Backpressure(SpeechSettings())
    run(load, cost=3.0, start=0.0, seconds=60.0)
    assert run(load, cost=0.03, start=60.0, seconds=120.0) == [*reversed(STEPS[:-1])]


def test_between_the_two_it_settles_instead_of_swinging():
    load = Backpressure(SpeechSettings())
    run(load, cost=1.0, start=0.0, seconds=120.0)
    assert run(load, cost=1.0, start=120.0, seconds=600.0) == []


def test_late_answers_alone_lower_the_effort_because_other_calls_may_be_the_reason():
    load = Backpressure(SpeechSettings())
    assert run(load, cost=0.03, start=0.0, seconds=20.0, overdue=4.0)[0] == "longer_interval"


def test_the_share_of_a_core_is_that_of_the_last_seconds():
    load = Backpressure(SpeechSettings())
    for n in range(100):
        load.add_cost(0.1, n * 0.5)
    assert load.cpu_share(50.0) == 0.2
    assert load.cpu_share(100.0) == 0.0
