"""What every measure must be."""

import pytest

from monitor.rules.measures import MEASURES
from monitor.timeline import CALL


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_a_measure_explains_itself(name):
    measure = MEASURES[name]
    assert measure.asks.endswith(".")
    assert "{value}" in measure.tells or measure.unit == "times"
    names = {"value": "1", "by": "the agent", "other": "the caller", "window": "60 s"}
    told = measure.tells.format_map(names)
    assert "{" not in told
    assert not told.endswith(".")


def test_times_are_read_with_their_units_and_are_ms():
    read = MEASURES["count"].read
    assert read({"of": "interruption", "by": "agent", "window": "2min"})["window"] == 120_000
    assert read({"of": "interruption", "by": "agent", "window": "500ms"})["window"] == 500
    assert read({"of": "interruption", "by": "agent", "window": 0.25})["window"] == 250
    assert read({"of": "interruption", "by": "agent", "window": "call"})["window"] == CALL
    assert read({"of": "interruption", "by": "agent"})["window"] == 120_000


def test_defaults_are_stated_as_a_rule_writes_them():
    assert MEASURES["count"].params(of="interruption").window == 120.0
    assert MEASURES["asked_before"].params(of="a", by="agent", before="b", issue="c").within == 60.0
