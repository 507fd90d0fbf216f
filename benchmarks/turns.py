"""Measures the classification of overlaps on real meetings, from the times of speech alone.

Reads an RTTM file with the speech of each speaker (the AMI development meetings), takes each pair of speakers
as the two sides of a call, adds the delays of a voice activity detector, and compares the product's events
with what happened. An onset is a speaker who begins while another has been speaking for 0.2 s:

    take         goes on for more than 0.5 s after the other stopped, who then stays silent for more than
                 1 s; both spoke at once for 0.2 s or more
    terminal     the same, with less than 0.2 s at once
    backchannel  ends while the other goes on, 1 s long at most
    other        everything else (longer contained speech, short outlasts, the other comes back)

The baseline in the same run is a common rule: an overlap of at least 0.5 s is an interruption.
"""

import argparse
import gzip
import itertools
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monitor.audio.overlap import OverlapTracker
from monitor.config import OverlapSettings
from monitor.events import CHANNELS, Interruption, TalkOver

Spans = list[tuple[float, float]]
DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "audio" / "turns" / "ami-dev.rttm.gz"
GAP = 0.6  # pauses below this many seconds lie within one bid
BASELINE = 0.5


@dataclass
class Onset:
    """A speaker who began while the other spoke."""

    start: float
    overlap: float
    what: str


def meetings(path: Path) -> dict[str, dict[str, Spans]]:
    """The spans of each speaker of each meeting of an RTTM file."""
    found: dict[str, dict[str, Spans]] = defaultdict(lambda: defaultdict(list))
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt") as lines:
        for line in lines:
            _, meeting, _, start, length, _, _, speaker, *_ = line.split()
            found[meeting][speaker].append((float(start), float(start) + float(length)))
    for speakers in found.values():
        for spans in speakers.values():
            spans.sort()
    return found


def onsets(holder: Spans, taker: Spans) -> list[Onset]:
    """Each bid of ``taker`` that began while ``holder`` spoke, and what it became."""
    found, last = [], -GAP * 2
    for number, (start, end) in enumerate(taker):
        fresh, last = start - last > GAP, end
        over = next(((a, b) for a, b in holder if a + 0.2 < start < b), None)
        if not fresh or over is None:
            continue
        for later, until in taker[number + 1 :]:
            if later - end > GAP:
                break
            end = until
        stop = over[1]
        back = min((a for a, _ in holder if a >= stop), default=float("inf"))
        overlap = min(end, stop) - start
        if end <= stop:
            what = "backchannel" if end - start <= 1.0 else "other"
        elif end - stop > 0.5 and back - stop > 1.0:
            what = "take" if overlap >= 0.2 else "terminal"
        else:
            what = "other"
        found.append(Onset(start, overlap, what))
    return found


def flags(spans: Spans, frames: int, on: float, off: float) -> np.ndarray:
    """Voice activity of one side, ``on`` and ``off`` seconds late."""
    active = np.zeros(frames, bool)
    for start, end in spans:
        active[round((start + on) * 50) : round((end + off) * 50)] = True
    return active


def judge(path: Path, on: float, off: float, only: int) -> tuple[Counter[str], list[float]]:
    """Counts of what happened and what was said, and the delays (s) of interruptions after the onset."""
    counts: Counter[str] = Counter()
    delays: list[float] = []
    for speakers in list(meetings(path).values())[:only]:
        frames = int(50 * (max(spans[-1][1] for spans in speakers.values()) + 5))
        for pair in itertools.combinations(sorted(speakers), 2):
            spans = [speakers[name] for name in pair]
            active = np.stack([flags(s, frames, on, off) for s in spans])
            stage = OverlapTracker(OverlapSettings())
            events = stage.feed(0, active, np.zeros(frames, bool)) + stage.finish(frames)
            counts["frames"] += frames
            for row, channel in enumerate(CHANNELS):
                said = [e for e in events if isinstance(e, Interruption) and e.by == channel]
                over = [e.start for e in events if isinstance(e, TalkOver) and e.by == channel]
                counts["said"] += len(said)
                for onset in onsets(spans[1 - row], spans[row]):
                    counts[onset.what] += 1
                    counts[f"{onset.what} long"] += onset.overlap >= BASELINE
                    hits = [e.at for e in said if abs(e.start - on - onset.start) < 0.3]
                    counts[f"{onset.what} said"] += bool(hits)
                    counts[f"{onset.what} talked over"] += any(abs(t - on - onset.start) < 0.3 for t in over)
                    if hits and onset.what == "take":
                        delays.append(hits[0] - onset.start)
    return counts, delays


def main() -> int:
    """Prints one line of figures, beside the baseline's."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "rttm", type=Path, nargs="?", default=DEFAULT, help="who speaks when (.rttm or .rttm.gz)"
    )
    parser.add_argument(
        "--on", type=float, default=0.09, help="delay of the detector's onsets in s (%(default)s)"
    )
    parser.add_argument("--off", type=float, default=0.15, help="delay of its offsets in s (%(default)s)")
    parser.add_argument("--meetings", type=int, default=1000, help="how many meetings at most")
    args = parser.parse_args()
    if not args.rttm.exists():
        print(f"{args.rttm} does not exist; name an RTTM file.", file=sys.stderr)
        return 2
    n, delays = judge(args.rttm, args.on, args.off, args.meetings)
    hours = n["frames"] / 50 / 3600
    onset_kinds = ("take", "terminal", "backchannel", "other")
    long = sum(n[f"{kind} long"] for kind in onset_kinds)
    print(
        f"turns: {hours:.1f} h of pairs, {sum(n[k] for k in onset_kinds)} onsets, {n['take']} takes"
        f" | interruption: recall {n['take said'] / n['take']:.3f},"
        f" precision {n['take said'] / n['said']:.3f},"
        f" backchannels flagged {n['backchannel said'] / n['backchannel']:.4f}"
        f" (talk-over {n['backchannel talked over'] / n['backchannel']:.4f}),"
        f" terminal flagged {n['terminal said'] / max(1, n['terminal']):.3f},"
        f" delay p50 {np.median(delays):.2f} p90 {np.percentile(delays, 90):.2f} s"
        f" | baseline overlap >= {BASELINE} s: recall {n['take long'] / n['take']:.3f},"
        f" precision {n['take long'] / long:.3f},"
        f" backchannels flagged {n['backchannel long'] / n['backchannel']:.3f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
