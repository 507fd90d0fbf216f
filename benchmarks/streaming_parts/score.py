"""What was committed when, against what was said: word error rate, latency, tails."""

import re
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from benchmarks.streaming_parts.material import Material

Figures = dict[str, float | str | None]
"""What is reported of one way, by name; None where no word was recognised, so that nothing has a time."""


@dataclass(frozen=True)
class Committed:
    """A word that was committed, the call time at which it was, and that at which it was first shown."""

    text: str
    at: float
    shown: float | None = None


@dataclass
class Result:
    """One way to transcribe, over all calls."""

    name: str
    seconds: float = 0.0
    cpu: float = 0.0
    errors: int = 0
    words: int = 0
    tails_lost: int = 0
    tails: int = 0
    revised: int = 0
    peak_mb: float = 0.0
    latencies: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)

    def plain(self) -> Figures:
        """The figures that are reported."""
        figures = asdict(self)
        latencies, shown = sorted(figures.pop("latencies")), figures.pop("shown")
        p95 = latencies[int(0.95 * (len(latencies) - 1))] if latencies else None
        return {
            **figures,
            "wer": self.errors / max(1, self.words),
            "cpu_per_audio_second": self.cpu / max(1e-9, self.seconds),
            "latency_median": statistics.median(latencies) if latencies else None,
            "latency_p95": p95,
            "shown_median": statistics.median(shown) if shown else None,
        }


def tokens(text: str) -> list[str]:
    """Words as they are compared: small letters, digits, apostrophes."""
    return re.sub(r"[^a-z0-9' ]", " ", text.lower().replace("’", "'")).split()


def add(result: Result, material: Material, row: int, said: Sequence[Committed], *, timed: bool) -> None:
    """Scores one side of one call into ``result``."""
    reference = [(token, n) for n, word in enumerate(material.words(row)) for token in tokens(word.text)]
    hypothesis = [(token, word) for word in said for token in tokens(word.text)]
    pairs = align([token for token, _ in reference], [token for token, _ in hypothesis])
    words, reached = material.words(row), set()
    result.words += len(reference)
    for r, h in pairs:
        same = r is not None and h is not None and reference[r][0] == hypothesis[h][0]
        result.errors += not same
        if r is not None and h is not None:
            reached.add(reference[r][1])
            if same and timed:
                word, end = hypothesis[h][1], words[reference[r][1]].end
                result.latencies.append(word.at - end)
                if word.shown is not None:
                    result.shown.append(word.shown - end)
    tails = material.tails(row)
    result.tails += len(tails)
    result.tails_lost += sum(tail not in reached for tail in tails)


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> list[tuple[int | None, int | None]]:
    """The pairs of a shortest edit path; None where one side has no word."""
    rows = [list(range(len(hypothesis) + 1))]
    for n, a in enumerate(reference):
        row = [n + 1]
        for m, b in enumerate(hypothesis):
            row.append(min(rows[-1][m + 1] + 1, row[m] + 1, rows[-1][m] + (a != b)))
        rows.append(row)
    pairs: list[tuple[int | None, int | None]] = []
    n, m = len(reference), len(hypothesis)
    while n or m:
        if n and m and rows[n][m] == rows[n - 1][m - 1] + (reference[n - 1] != hypothesis[m - 1]):
            n, m = n - 1, m - 1
            pairs.append((n, m))
        elif n and rows[n][m] == rows[n - 1][m] + 1:
            n -= 1
            pairs.append((n, None))
        else:
            m -= 1
            pairs.append((None, m))
    return pairs[::-1]
