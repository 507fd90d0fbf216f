"""Compares streaming recognition with faster-whisper offline and the update policy of whisper_streaming.

    python benchmarks/streaming.py                           the bundled model on two bundled calls
    python benchmarks/streaming.py CALL.wav ...              other calls with their NAME.json beside them
    python benchmarks/streaming.py --sizes base.en small.en  costs at the sizes of real models too
    python benchmarks/streaming.py --model PATH              another model (words too)
    python benchmarks/streaming.py --peer ENV/bin/python     also WhisperLiveKit, installed there

Same audio, same model, one thread each, in one run. Both streams are played at speaking speed in counted
time: an answer arrives when its CPU seconds have passed, so latencies include computing. Latency is the
commit of a word less its end in the ground truth, over the words that were recognised; "shown" is the
same for its first appearance on the screen, committed or not.

With the bundled model: word error rates, latency, commits revised, last words lost, CPU, memory. With
--sizes: random weights of the true sizes that say the words of the script, for CPU and latency alone.
"demand" is the baseline on a machine that keeps up with an update every second; "baseline" skips what it
cannot afford. Each way runs in a process of its own; the last line holds the ratios to the baseline in
the same run.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from benchmarks.streaming_parts.material import Material
    from benchmarks.streaming_parts.peers import FasterWhisper
    from benchmarks.streaming_parts.score import Figures, Result

CALLS = ("difficult-call", "calm")
WAYS = ("offline", "offline-vad", "utterances", "ours", "baseline")
PEER = "whisperlivekit"
SIZED = ("ours", "baseline", "demand")
COLUMNS = ("wer", "latency_median", "latency_p95", "shown_median", "revised", "tails_lost", "tails",
           "cpu_per_audio_second", "peak_mb")  # fmt: skip


def main() -> int:
    """Runs what the command line asks for."""
    args = _arguments()
    if args.way:
        print(json.dumps(_measure(args)))
        return 0
    ways = [(way, None) for way in ([] if args.no_words else WAYS)]
    ways += [(PEER, None)] if args.peer and not args.no_words else []
    ways += [(way, size) for size in args.sizes for way in SIZED]
    for size in args.sizes:
        _make(size, args.cache)
    results = {}
    print(f"{'':24}" + "".join(f"{column[:14]:>15}" for column in COLUMNS))
    for way, size in ways:
        label = f"{way} {size or ''}".strip()
        results[label] = figures = _in_a_process(way, size, args)
        cells = (figures[column] for column in COLUMNS)
        print(f"{label:24}" + "".join(f"{'-' if c is None else f'{c:.3f}':>15}" for c in cells), flush=True)
    if args.json:
        print(json.dumps(results))
    print(_ratios(results, args.sizes))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("calls", nargs="*", type=Path, help="recordings with ground truth beside them")
    parser.add_argument("--model", type=Path, help="a model's folder instead of the bundled one")
    parser.add_argument("--sizes", nargs="*", default=[], choices=("tiny.en", "base.en", "small.en"))
    parser.add_argument("--seconds", type=float, default=40.0, help="how much of the first call --sizes take")
    parser.add_argument("--no-words", action="store_true", help="only --sizes")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "call-monitor-benchmarks")
    parser.add_argument("--json", action="store_true", help="print all figures too")
    parser.add_argument(
        "--peer",
        type=Path,
        metavar="PYTHON",
        help="of an environment with WhisperLiveKit",
    )
    parser.add_argument("--way", choices={*WAYS, *SIZED, PEER}, help=argparse.SUPPRESS)
    parser.add_argument("--size", help=argparse.SUPPRESS)
    return parser.parse_args()


def _make(size: str, cache: Path) -> None:
    from benchmarks.streaming_parts.sizes import build

    build(size, cache)


def _in_a_process(way: str, size: str | None, args: argparse.Namespace) -> "Figures":
    """One way in a process of its own, so that its memory is its own."""
    command = [sys.executable, __file__, *map(str, args.calls), "--way", way, "--cache", str(args.cache)]
    command += ["--seconds", str(args.seconds)]
    command += ["--size", size] if size else []
    command += ["--model", str(args.model)] if args.model else []
    command += ["--peer", str(args.peer)] if args.peer else []
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    shown = subprocess.run(command, env=one_thread, check=True, stdout=subprocess.PIPE, text=True)
    figures: Figures = json.loads(shown.stdout)
    return figures


def _measure(args: argparse.Namespace) -> "Figures":
    import resource

    from benchmarks.streaming_parts.material import load
    from monitor.resources import resource as bundled

    paths = args.calls or [bundled(f"fixtures/audio/{name}.json") for name in CALLS]
    if args.size:
        result = _sized(args, load(paths[0], args.seconds))
    else:
        result = _worded(args, [load(path) for path in paths])
    result.peak_mb = result.peak_mb or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return result.plain()


def _worded(args: argparse.Namespace, material: "list[Material]") -> "Result":
    """One way with a model that recognises words."""
    from benchmarks.streaming_parts import ours, whisper_streaming, wlk
    from monitor.config import SpeechSettings
    from monitor.speech.model_store import bundled_folder
    from monitor.speech.whisper import Whisper

    folder = args.model or bundled_folder()

    def peer() -> "FasterWhisper":
        from benchmarks.streaming_parts.peers import FasterWhisper

        return FasterWhisper(folder, prompts=args.model is not None)

    only_finals = SpeechSettings(interval=1e6, max_interval=1e6)
    ways: dict[str, Callable[[], Result]] = {
        "offline": lambda: peer().offline("offline", material, vad=False),
        "offline-vad": lambda: peer().offline("offline-vad", material, vad=True),
        "utterances": lambda: ours.run("utterances", material, Whisper(folder, "m"), only_finals),
        "ours": lambda: ours.run("ours", material, Whisper(folder, "m")),
        "baseline": lambda: whisper_streaming.run("baseline", material, peer().update),
        PEER: lambda: wlk.run(PEER, material, folder, args.peer),
    }  # fmt: skip
    return ways[args.way]()


def _sized(args: argparse.Namespace, call: "Material") -> "Result":
    """One way at the cost of a size."""
    from benchmarks.streaming_parts import costs, ours, sizes, whisper_streaming
    from monitor.review.truth import truth_beside
    from monitor.speech.reference_recogniser import ReferenceRecogniser

    folder = sizes.build(args.size, args.cache)
    if args.way != "ours":
        keeps_up = args.way == "demand"
        return whisper_streaming.run(args.way, [call], costs.padded_updates(folder), keeps_up=keeps_up)
    scripted = costs.ScriptedWhisper(folder, ReferenceRecogniser(truth_beside(call.path)))
    return ours.run("ours", [call], scripted)


def _ratios(results: "dict[str, Figures]", sizes: list[str]) -> str:
    def of(way: str, figure: str) -> float:
        value = results[way][figure]
        return value if isinstance(value, int | float) else math.nan

    def share(one: str, two: str, figure: str) -> float:
        return of(one, figure) / of(two, figure)

    parts = []
    if "ours" in results:
        wer = of("ours", "wer")
        best = min(of("offline", "wer"), of("offline-vad", "wer"))
        parts.append(
            f"streaming: WER {wer - best:+.3f} against the best offline, "
            f"{wer - of('utterances', 'wer'):+.3f} against whole utterances; commits at "
            f"{share('ours', 'baseline', 'latency_median'):.2f} of the baseline's latency for "
            f"{share('ours', 'baseline', 'cpu_per_audio_second'):.3f} of its CPU"
        )
    for size in sizes:
        pair = f"ours {size}", f"baseline {size}"
        parts.append(
            f"{size}: {share(pair[0], f'demand {size}', 'cpu_per_audio_second'):.3f} of the CPU that the "
            f"baseline's updates demand, {share(*pair, 'cpu_per_audio_second'):.3f} of what it takes when it "
            f"skips those it cannot afford, {share(*pair, 'latency_median'):.2f} of its latency"
        )
    return "; ".join(parts)


if __name__ == "__main__":
    sys.exit(main())
