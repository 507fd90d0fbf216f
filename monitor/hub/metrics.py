"""What operators may ask of a hub: counts and durations for Prometheus. Nothing that was said is in it.

Each hub has a registry of its own, so that several hubs in one process (and their tests) do not share counts.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histograms' buckets, in seconds."""

MOST_SERIES = 500
"""Label sets of one metric; what comes beyond is counted together, so that no publisher fills the memory."""

OTHER = "other"

disable_created_metrics()  # type: ignore[no-untyped-call]  # a time beside each count, which nobody asks for


class _Kind(NamedTuple):
    help: str
    labels: tuple[str, ...] = ()


COUNTERS = {
    "monitor_events_total": _Kind("Events received from calls, by kind.", ("kind",)),
    "monitor_alerts_total": _Kind("Alerts opened, by rule and level.", ("rule", "level")),
    "monitor_sent_total": _Kind("Events sent to listeners."),
    "monitor_dropped_total": _Kind("Ephemeral events that slow listeners were told they missed."),
    "monitor_let_go_total": _Kind("Listeners disconnected because they were too slow for durable events."),
    "monitor_refused_total": _Kind("Connections and messages refused, by reason.", ("reason",)),
    "monitor_orders_total": _Kind("Commands of people passed on to calls, by kind.", ("kind",)),
    "monitor_hooks_total": _Kind("Call control passed on from softphones to monitors, by kind.", ("kind",)),
}
READ = {
    "monitor_coalesced_total": _Kind("Ephemeral events that a newer one replaced before they were sent."),
    "monitor_turned_away_total": _Kind("Connections beyond the limits, closed before they were served."),
    "monitor_listeners": _Kind("Listeners connected now."),
    "monitor_publishers": _Kind("Monitors connected now."),
    "monitor_standing_by": _Kind("Monitors that wait for call control from a softphone."),
    "monitor_calls_open": _Kind("Calls under way."),
    "monitor_lag_seconds": _Kind("How far the transcript of the slowest open call is behind."),
    "monitor_sequence": _Kind("The last sequence of the event log."),
}
"""What is read when it is asked for; the names of counters end in ``_total``."""

HISTOGRAMS = {
    "monitor_stage_seconds": _Kind("How long a batch of events took in each stage of the hub.", ("stage",)),
    "monitor_detector_delay_seconds": _Kind("Call seconds from an alert's cause to when it was detected."),
}


class Metrics:
    """The counters, gauges and histograms of one hub."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counters = {
            name: Counter(name, kind.help, kind.labels, registry=self.registry)
            for name, kind in COUNTERS.items()
        }
        self._histograms = {
            name: Histogram(name, kind.help, kind.labels, registry=self.registry, buckets=BOUNDS)
            for name, kind in HISTOGRAMS.items()
        }
        self._series: dict[str, set[tuple[tuple[str, str], ...]]] = {}
        self._reading = _Reading()
        self.registry.register(self._reading)

    def count(self, name: str, by: float = 1, **labels: str) -> None:
        """Adds to a counter."""
        counter = self._counters[name]
        (counter.labels(**self._bounded(name, labels)) if labels else counter).inc(by)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Puts a duration in seconds into a histogram."""
        histogram = self._histograms[name]
        (histogram.labels(**self._bounded(name, labels)) if labels else histogram).observe(value)

    def follow(self, name: str, read: Callable[[], float]) -> None:
        """``read`` gives the value of a metric of ``READ`` whenever it is asked for."""
        self._reading.sources[name] = read

    def value(self, name: str, **labels: str) -> float:
        """What a counter stands at."""
        return self.registry.get_sample_value(name, labels) or 0.0

    def text(self) -> str:
        """Everything in the text exposition format."""
        return generate_latest(self.registry).decode()

    def _bounded(self, name: str, labels: dict[str, str]) -> dict[str, str]:
        known = self._series.setdefault(name, set())
        key = tuple(sorted(labels.items()))
        if key in known or len(known) < MOST_SERIES:
            known.add(key)
            return labels
        return dict.fromkeys(labels, OTHER)


class _Reading(Collector):
    """Metrics whose values stand elsewhere."""

    def __init__(self) -> None:
        self.sources: dict[str, Callable[[], float]] = {}

    def collect(self) -> Iterator[Metric]:
        for name, read in self.sources.items():
            family = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            yield family(name, READ[name].help, value=read())
