"""Compares the voice activity detectors Silero, WebRTC and both combined: accuracy, false alarms and cost.

    python benchmarks/vad.py                 the bundled calls, and ../shared/audio if it exists
    python benchmarks/vad.py --repeats 5     medians of more repeats for the cost

For each detector: the share of speech that is detected (recall) and the share of time far from any word
that is detected as speech (false); the same 20 dB quieter; the distance of detected edges from the first
and last words of segments (10th, 50th, 90th percentile, ms); the delay after a true onset (median, ms);
tones, noise and hold music detected as speech; and CPU milliseconds per second of both sides, offline (5 s
blocks) and live (40 ms blocks). The last line compares with Silero in the same run.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from monitor.audio.frames import Framer  # noqa: E402 - the checkout goes first on the path
from monitor.audio.vad import VoiceActivityDetector  # noqa: E402
from monitor.config import VadName, VadSettings  # noqa: E402
from monitor.events import CHANNELS, Block, Channel, SpeechEnded  # noqa: E402
from monitor.sources.recording import open_recording  # noqa: E402

FRAME = 0.02
NEAR = 0.2
"""Seconds around an edge of the truth that count neither for nor against (labels are that sharp)."""
JOIN = 0.2
"""Words closer than this belong to one stretch."""
Spans = list[tuple[float, float]]
DETECTORS: tuple[VadName, ...] = get_args(VadName)


@dataclass(frozen=True)
class Call:
    """A call with its truth: ``pcm`` [2, n], and the spoken stretches of each side in seconds."""

    name: str
    rate: int
    pcm: NDArray[np.float32]
    spoken: dict[Channel, Spans]
    sharp: bool = True


@dataclass
class Score:
    """Counts of 20 ms frames, and distances in seconds."""

    heard: int = 0
    spoken: int = 0
    wrong: int = 0
    silent: int = 0
    onsets: list[float] = field(default_factory=list)
    offsets: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """The share of spoken time that was told as speech."""
        return self.heard / max(1, self.spoken)

    @property
    def false(self) -> float:
        """The share of time far from any word that was told as speech."""
        return self.wrong / max(1, self.silent)


def joined(spans: Spans) -> Spans:
    """Spans with short gaps closed."""
    out: Spans = []
    for start, end in sorted(spans):
        if out and start - out[-1][1] < JOIN:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


def sound(paths: list[Path]) -> tuple[int, NDArray[np.float32]]:
    """The whole sound of a recording."""
    recording = open_recording(paths)
    return recording.rate, np.concatenate([block.pcm for block in recording.blocks(5.0)], axis=1)


def bundled() -> Iterator[Call]:
    """The fixtures, but not those whose sound is broken on purpose."""
    for path in sorted((ROOT / "fixtures" / "audio").glob("*.json")):
        truth = json.loads(path.read_text())
        if truth["call"] in ("bleed", "broken-line"):
            continue
        rate, pcm = sound([path.parent / name for name in truth["audio"]])
        spoken = {
            channel: joined([(w["start"], w["end"]) for w in truth["words"] if w["channel"] == channel])
            for channel in CHANNELS
        }
        yield Call(truth["call"], rate, pcm, spoken)


def real(folder: Path) -> Iterator[Call]:
    """A real telephone call and six meeting clips, where the folder with them lies beside the project."""
    labels = folder / "Auto_Repairs_40.rttm"
    if not labels.exists():
        return
    spans: dict[str, Spans] = {channel: [] for channel in CHANNELS}
    for line in labels.read_text().splitlines():
        part = line.split()
        spans[part[7]].append((float(part[3]), float(part[3]) + float(part[4])))
    rate, pcm = sound([folder / f"Auto_Repairs_40_UTC_{side}.wav" for side in ("caller", "agent")])
    yield Call("telephone", rate, pcm, {side: joined(spans[side]) for side in CHANNELS}, sharp=False)
    for path in sorted((folder / "clips").glob("*.json")):
        clip = json.loads(path.read_text())
        rate, pcm = sound([path.parent / clip["audio"]])
        words = {side: joined(clip["reference_render"][f"{side}_segments_sec"]) for side in CHANNELS}
        yield Call("meeting", rate, pcm, words, sharp=False)


def heard(
    detector: VadName, rate: int, pcm: NDArray[np.float32], seconds: float = 5.0
) -> tuple[NDArray[np.bool_], list[SpeechEnded]]:
    """The flags of the detector and the stretches that it told."""
    settings = VadSettings(detector=detector)
    framer, stage, size = Framer(rate), VoiceActivityDetector(rate, settings), round(seconds * rate)
    parts, events = [], []
    for start in range(0, pcm.shape[1], size):
        activity = stage.feed(framer.feed(Block(start, pcm[:, start : start + size])))
        parts.append(activity.active)
        events += activity.events
    activity = stage.feed(framer.finish())
    events += [*activity.events, *stage.finish()]
    ended = [event for event in events if isinstance(event, SpeechEnded)]
    return np.concatenate([*parts, activity.active], axis=1), ended


def over(spans: Spans, frames: int) -> NDArray[np.bool_]:
    """The frames that the spans cover."""
    mask = np.zeros(frames, bool)
    for start, end in spans:
        mask[round(start / FRAME) : round(end / FRAME)] = True
    return mask


def judge(score: Score, call: Call, detector: VadName, gain: float) -> None:
    """Adds what the detector told about a call to the score."""
    flags, ended = heard(detector, call.rate, call.pcm * np.float32(gain))
    for row, side in enumerate(CHANNELS):
        told = [(event.start, event.end) for event in ended if event.channel == side]
        mask, truth = over(told, flags.shape[1]), over(call.spoken[side], flags.shape[1])
        far = ~over([(max(0.0, s - NEAR), e + NEAR) for s, e in call.spoken[side]], flags.shape[1])
        score.heard += int((mask & truth).sum())
        score.spoken += int(truth.sum())
        score.wrong += int((mask & far).sum())
        score.silent += int(far.sum())
        if call.sharp:
            _edges(score, call.spoken[side], told, flags[row])


def _edges(score: Score, spoken: Spans, told: Spans, flags: NDArray[np.bool_]) -> None:
    reach = 0.3
    rises = (np.flatnonzero(flags[1:] & ~flags[:-1]) + 2) * FRAME
    for start, end in spoken:
        if end - start < JOIN:
            continue
        score.onsets += sorted((t - start for t, _ in told if abs(t - start) < reach), key=abs)[:1]
        score.offsets += sorted((t - end for _, t in told if abs(t - end) < reach), key=abs)[:1]
        score.delays += [float(t - start) for t in rises if -0.05 < t - start < reach][:1]


def nothing_said(rate: int = 8000, seconds: float = 20.0) -> dict[str, NDArray[np.float32]]:
    """Sounds of a telephone line that nobody speaks, float32 mono."""
    times = np.arange(round(rate * seconds)) / rate
    random = np.random.default_rng(0)

    def tone(*hertz: float) -> NDArray[np.float64]:
        together: NDArray[np.float64] = np.sum(
            [0.15 * np.sin(2 * np.pi * pitch * times) for pitch in hertz], axis=0
        )
        return together

    beat = (times * 2.5).astype(int)
    melody = 220.0 * 2 ** (random.integers(0, 24, beat.max() + 1)[beat] / 12)
    phase = 2 * np.pi * np.cumsum(melody) / rate
    decay = np.exp(-3.0 * (times * 2.5 % 1.0))
    strings = np.sin(phase) + 0.5 * np.sin(2 * phase) + 0.3 * np.sin(3 * phase)
    sounds = {
        "dial tone": tone(350, 440),
        "ringback": tone(440, 480) * (times % 6 < 2),
        "keys": tone(770, 1336) * (times % 0.4 < 0.1),
        "music": 0.2 * decay * strings + 0.05 * tone(110, 165),
        "noise": random.normal(0, 0.02, times.size),
        "hum": tone(50, 150, 250) * 0.2,
    }
    return {name: np.asarray(pcm, np.float32) for name, pcm in sounds.items()}


def cost(detector: VadName, call: Call, seconds: float, repeats: int) -> float:
    """Median CPU milliseconds for a second of both sides, in blocks of so many seconds."""
    pcm = call.pcm[:, : 60 * call.rate]
    spent: list[float] = []
    for _ in range(repeats):
        began = time.process_time()
        heard(detector, call.rate, pcm, seconds)
        spent.append((time.process_time() - began) * 1000 * call.rate / pcm.shape[1])
    return statistics.median(spent)


def _ms(values: list[float]) -> str:
    return "/".join(f"{1000 * value:+.0f}" for value in np.percentile(values or [0.0], [10, 50, 90]))


def report(detector: VadName, calls: list[Call], repeats: int) -> tuple[float, float]:
    """Prints one detector's figures; gives its recall and its cost flat out."""
    loud, quiet = Score(), Score()
    for call in calls:
        judge(loud, call, detector, 1.0)
        judge(quiet, call, detector, 0.1)
    live = next((call for call in calls if call.name == "telephone"), calls[0])
    flat, small = cost(detector, live, 5.0, repeats), cost(detector, live, 0.04, repeats)
    print(f"{detector:8} recall {loud.recall:.3f}  false {loud.false:.3f}   "
          f"at -20 dB {quiet.recall:.3f} {quiet.false:.3f}   "
          f"onset {_ms(loud.onsets)} ms  end {_ms(loud.offsets)} ms  "
          f"flag after {1000 * statistics.median(loud.delays):.0f} ms   "
          f"{flat:.2f} ms/s flat out, {small:.2f} ms/s live")  # fmt: skip
    shares = []
    for name, pcm in nothing_said().items():
        flags, _ = heard(detector, 8000, np.stack([pcm, np.zeros_like(pcm)]))
        shares.append(f"{name} {flags[0].mean():.2f}")
    print(f"{'':8} called speech: {', '.join(shares)}")
    return loud.recall, flat


def main() -> None:
    """Prints the figures of the three gates and a line of ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3, help="repeats of each cost measurement (default 3)")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared" / "audio",
                        help="a folder with real recordings (default: ../shared/audio)")  # fmt: skip
    options = parser.parse_args()
    calls = [*bundled(), *real(options.shared)]
    print(f"{len(calls)} calls, {sum(call.pcm.shape[1] / call.rate for call in calls):.0f} s of both sides")
    figures = {detector: report(detector, calls, options.repeats) for detector in DETECTORS}
    base_recall, base_cost = figures["silero"]
    print("against silero: " + ", ".join(
        f"{detector} recall x{recall / base_recall:.3f} cost x{spent / base_cost:.2f}"
        for detector, (recall, spent) in figures.items() if detector != "silero"
    ))  # fmt: skip


if __name__ == "__main__":
    main()
