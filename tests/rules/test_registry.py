"""What every measure must be."""

import pytest

from monitor.rules.measures import MEASURES


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_a_measure_explains_itself(name):
    measure = MEASURES[name]
    assert measure.asks.endswith(".")
    assert "{value}" in measure.tells or measure.unit == "times"
    names = {"value": "1", "by": "the agent", "other": "the caller", "window": "60 s"}
    told = measure.tells.format_map(names)
    assert "{" not in told
    assert not told.endswith(".")


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_its_topics_name_its_parameters(name):
    measure = MEASURES[name]
    for topic in measure.wakes:
        _, marked, parameter = topic.partition(":{")
        assert not marked or parameter.rstrip("}") in measure.kinds


def test_a_topic_is_filled_in_for_each_name():
    measure = MEASURES["phrases"]
    params = measure.read({"of": ["apology", "blame"], "by": "agent"})
    assert measure.topics(params) == {"say:apology", "say:blame"}
    assert MEASURES["interruptions"].topics({"by": "agent", "window": 60.0}) == {"interruption:agent"}


def test_times_are_read_with_their_units():
    assert MEASURES["interruptions"].read({"by": "agent", "window": "2min"})["window"] == 120.0
    assert MEASURES["interruptions"].read({"by": "agent", "window": "call"})["window"] == float("inf")
    assert MEASURES["interruptions"].read({"by": "agent"})["window"] == 120.0
