"""Counts and times as Prometheus reads them."""

import re

from monitor.hub.metrics import BOUNDS, MOST_SERIES, Metrics

SAMPLE = re.compile(r'[a-z_]+(\{[a-z_]+="(\\.|[^"\\])*"(,[a-z_]+="(\\.|[^"\\])*")*\})? [0-9.e+-]+')


def samples(text: str) -> dict[str, float]:
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def test_counters_add_up_by_their_labels():
    metrics = Metrics()
    metrics.count("monitor_alerts_total", rule="interrupt.agent", level="warn")
    metrics.count("monitor_alerts_total", level="warn", rule="interrupt.agent", by=2)
    metrics.count("monitor_alerts_total", rule="silence", level="info")
    assert metrics.value("monitor_alerts_total", rule="interrupt.agent", level="warn") == 3
    got = samples(metrics.text({}))
    assert got['monitor_alerts_total{level="warn",rule="interrupt.agent"}'] == 3
    assert got['monitor_alerts_total{level="info",rule="silence"}'] == 1


def test_a_histogram_counts_below_each_bound():
    metrics = Metrics()
    for value in (0.0005, 0.001, 0.003, 0.2, 99.0):
        metrics.observe("monitor_stage_seconds", value, stage="log")
    got = samples(metrics.text({}))
    assert got['monitor_stage_seconds_bucket{stage="log",le="0.001"}'] == 2
    assert got['monitor_stage_seconds_bucket{stage="log",le="0.005"}'] == 3
    assert got['monitor_stage_seconds_bucket{stage="log",le="0.25"}'] == 4
    assert got['monitor_stage_seconds_bucket{stage="log",le="10"}'] == 4
    assert got['monitor_stage_seconds_bucket{stage="log",le="+Inf"}'] == 5
    assert got['monitor_stage_seconds_count{stage="log"}'] == 5
    assert abs(got['monitor_stage_seconds_sum{stage="log"}'] - 99.2045) < 1e-6
    assert sum("_bucket" in name for name in got) == len(BOUNDS) + 1


def test_each_metric_is_explained_once_and_each_line_can_be_parsed():
    metrics = Metrics()
    for rule in ("a", 'quo"ted', "back\\slash", "two\nlines"):
        metrics.count("monitor_alerts_total", rule=rule, level="warn")
    text = metrics.text({"monitor_listeners": 3})
    assert text.count("# TYPE monitor_alerts_total counter") == 1
    assert text.count("# HELP monitor_alerts_total ") == 1
    assert "monitor_listeners 3\n" in text
    for line in text.splitlines():
        assert line.startswith("# ") or SAMPLE.fullmatch(line), line


def test_a_publisher_that_invents_rules_does_not_fill_the_memory():
    metrics = Metrics()
    for number in range(3 * MOST_SERIES):
        metrics.count("monitor_alerts_total", rule=f"invented.{number}", level="warn")
    assert len(samples(metrics.text({}))) == MOST_SERIES + 1
    assert metrics.value("monitor_alerts_total", rule="other", level="other") == 2 * MOST_SERIES
