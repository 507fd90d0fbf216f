"""What operators may ask of a hub: counts and times as Prometheus text. Nothing that was said stands here.

The format is the text exposition format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
"""

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histograms' buckets, in seconds."""

MOST_SERIES = 500
"""Label sets of one metric; what comes beyond is counted together, so that no publisher fills the memory."""

Labels = tuple[tuple[str, str], ...]

HELP = {
    "monitor_events_total": "Events taken from calls, by kind.",
    "monitor_alerts_total": "Alerts opened, by rule and level.",
    "monitor_sent_total": "Lines handed to listeners.",
    "monitor_coalesced": "Lines only looked at that a newer one replaced before anybody saw them.",
    "monitor_turned_away": "Connections beyond the limits, closed before anything was done for them.",
    "monitor_dropped_total": "Lines only looked at that slow listeners were told they missed.",
    "monitor_let_go_total": "Listeners let go because they did not take what must arrive.",
    "monitor_refused_total": "Connections and messages refused, by reason.",
    "monitor_orders_total": "Orders of people passed on to calls, by kind.",
    "monitor_hooks_total": "Hooks of softphones passed on to monitors, by kind.",
    "monitor_standing_by": "Monitors that wait for a softphone's hook.",
    "monitor_stage_seconds": "How long a batch of lines took in each stage of the hub.",
    "monitor_detector_delay_seconds": "Call seconds from an alert's cause to when it was known.",
    "monitor_listeners": "Listeners connected now.",
    "monitor_publishers": "Monitors connected now.",
    "monitor_calls_open": "Calls that go on.",
    "monitor_lag_seconds": "How far the words of the slowest open call are behind.",
    "monitor_sequence": "The last sequence of the log.",
}


@dataclass
class _Histogram:
    """Counts of values by bucket, and their sum."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(BOUNDS, value)] += 1
        self.total += value


class Metrics:
    """Counters and histograms of one hub."""

    def __init__(self) -> None:
        self._counters: dict[str, dict[Labels, float]] = defaultdict(dict)
        self._histograms: dict[str, dict[Labels, _Histogram]] = defaultdict(dict)

    def count(self, name: str, by: float = 1, **labels: str) -> None:
        """Adds to a counter."""
        series = self._counters[name]
        key = _bounded(series, labels)
        series[key] = series.get(key, 0) + by

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Puts a duration in seconds into a histogram."""
        series = self._histograms[name]
        key = _bounded(series, labels)
        series.setdefault(key, _Histogram()).observe(value)

    def value(self, name: str, **labels: str) -> float:
        """What a counter stands at."""
        return self._counters[name].get(tuple(sorted(labels.items())), 0)

    def text(self, gauges: dict[str, float]) -> str:
        """Everything as Prometheus text; ``gauges`` are what is true just now."""
        lines: list[str] = []
        for name, value in gauges.items():
            lines += [*_head(name, "gauge"), f"{name} {value:g}"]
        for name, counters in sorted(self._counters.items()):
            lines += _head(name, "counter")
            lines += [f"{name}{_braces(key)} {value:g}" for key, value in sorted(counters.items())]
        for name, histograms in sorted(self._histograms.items()):
            lines += _head(name, "histogram")
            for key, histogram in sorted(histograms.items()):
                lines += _buckets(name, key, histogram)
        return "\n".join(lines) + "\n"


def _bounded(series: dict[Labels, float] | dict[Labels, _Histogram], labels: dict[str, str]) -> Labels:
    key = tuple(sorted(labels.items()))
    if key in series or len(series) < MOST_SERIES:
        return key
    return tuple((name, "other") for name, _ in key)


def _head(name: str, kind: str) -> list[str]:
    return [f"# HELP {name} {HELP[name]}", f"# TYPE {name} {kind}"]


def _braces(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _buckets(name: str, labels: Labels, histogram: _Histogram) -> list[str]:
    lines, below = [], 0
    for bound, count in zip((*BOUNDS, float("inf")), histogram.counts, strict=True):
        below += count
        shown = "+Inf" if bound == float("inf") else f"{bound:g}"
        lines.append(f"{name}_bucket{_braces((*labels, ('le', shown)))} {below}")
    lines.append(f"{name}_sum{_braces(labels)} {histogram.total:.6f}")
    lines.append(f"{name}_count{_braces(labels)} {below}")
    return lines
