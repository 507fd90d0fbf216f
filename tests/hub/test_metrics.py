"""Counts and durations as Prometheus reads them; its own parser is the judge."""

from prometheus_client.parser import text_string_to_metric_families

from monitor.hub.metrics import BOUNDS, MOST_SERIES, Metrics


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def named(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def test_counters_add_up_by_their_labels():
    metrics = Metrics()
    metrics.count("monitor_alerts_total", rule="interrupt.agent", level="warn")
    metrics.count("monitor_alerts_total", level="warn", rule="interrupt.agent", by=2)
    metrics.count("monitor_alerts_total", rule="silence", level="info")
    assert metrics.value("monitor_alerts_total", rule="interrupt.agent", level="warn") == 3
    got = samples(metrics.text())
    assert got[named("monitor_alerts_total", level="warn", rule="interrupt.agent")] == 3
    assert got[named("monitor_alerts_total", level="info", rule="silence")] == 1


def test_a_histogram_counts_below_each_bound():
    metrics = Metrics()
    for value in (0.0005, 0.001, 0.003, 0.2, 99.0):
        metrics.observe("monitor_stage_seconds", value, stage="log")
    got = samples(metrics.text())
    below = {
        float(dict(labels)["le"]): count
        for (name, labels), count in got.items()
        if name == "monitor_stage_seconds_bucket"
    }
    assert (below[0.001], below[0.005], below[0.25], below[10.0], below[float("inf")]) == (2, 3, 4, 4, 5)
    assert got[named("monitor_stage_seconds_count", stage="log")] == 5
    assert abs(got[named("monitor_stage_seconds_sum", stage="log")] - 99.2045) < 1e-6
    assert len(below) == len(BOUNDS) + 1


def test_each_metric_is_explained_once_and_odd_labels_come_back_as_they_were():
    metrics = Metrics()
    odd = ("a", 'quo"ted', "back\\slash", "two\nlines")
    for rule in odd:
        metrics.count("monitor_alerts_total", rule=rule, level="warn")
    metrics.follow("monitor_listeners", lambda: 3)
    text = metrics.text()
    assert text.count("# TYPE monitor_alerts_total counter") == 1
    assert text.count("# HELP monitor_alerts_total ") == 1
    got = samples(text)
    assert got[named("monitor_listeners")] == 3
    assert all(got[named("monitor_alerts_total", rule=rule, level="warn")] == 1 for rule in odd)


def test_a_metric_that_is_read_is_read_each_time():
    metrics, stands = Metrics(), [7]
    metrics.follow("monitor_coalesced_total", lambda: stands[0])
    assert samples(metrics.text())[named("monitor_coalesced_total")] == 7
    stands[0] = 9
    text = metrics.text()
    assert samples(text)[named("monitor_coalesced_total")] == 9
    assert "# TYPE monitor_coalesced_total counter" in text


def test_two_hubs_in_one_process_count_apart():
    one, other = Metrics(), Metrics()
    one.count("monitor_let_go_total")
    assert (one.value("monitor_let_go_total"), other.value("monitor_let_go_total")) == (1, 0)


def test_a_publisher_that_invents_rules_does_not_fill_the_memory():
    metrics = Metrics()
    for number in range(3 * MOST_SERIES):
        metrics.count("monitor_alerts_total", rule=f"invented.{number}", level="warn")
    got = samples(metrics.text())
    assert sum(name == "monitor_alerts_total" for name, _ in got) == MOST_SERIES + 1
    assert metrics.value("monitor_alerts_total", rule="other", level="other") == 2 * MOST_SERIES
