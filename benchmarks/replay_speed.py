"""Measures the processing speed of a two-channel call without words, and of other pitch and loudness tools.

Prints one line: audio seconds per CPU second (median of repeats) with each voice activity detector, and of
librosa.yin, librosa.pyin and openSMILE (if installed) on the same two channels in the same run.

    python benchmarks/replay_speed.py
    python benchmarks/replay_speed.py --call fixtures/audio/calm.wav --minutes 10 --repeats 5
"""

import argparse
import statistics
import time
import tracemalloc
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from monitor.call import Call, CallInfo
from monitor.config import CallSettings
from monitor.events import Block
from monitor.playback import FLAT_OUT_BLOCK, play
from monitor.rules.rule_set import RuleSet, load_rules
from monitor.sources.recording import open_recording

ROOT = Path(__file__).resolve().parent.parent
LIVE_BLOCK = 0.04


def sound_of(path: Path, minutes: float) -> tuple[NDArray[np.float32], int, str]:
    """The call's two channels, repeated to ``minutes``, its rate and its band."""
    recording = open_recording([path])
    pcm = np.concatenate([block.pcm for block in recording.blocks(1.0)], axis=1)
    times = max(1, round(minutes * 60 * recording.rate / pcm.shape[1]))
    return np.tile(pcm, times), recording.rate, recording.band


def blocks_of(pcm: NDArray[np.float32], rate: int, seconds: float) -> list[Block]:
    """The audio in blocks of ``seconds``."""
    step = round(rate * seconds)
    return [Block(at, pcm[:, at : at + step]) for at in range(0, pcm.shape[1], step)]


@cache
def book() -> RuleSet:
    """The bundled rules, cached because loading them is not part of the measurement."""
    return load_rules()


def hear(pcm: NDArray[np.float32], rate: int, band: str, detector: str, seconds: float) -> None:
    """Processes the audio once with everything but speech recognition."""
    settings = CallSettings()
    settings = msgspec.structs.replace(settings, vad=msgspec.structs.replace(settings.vad, detector=detector))
    call = Call(CallInfo("bench", ("bench",), rate, band, "none"), book(), settings)
    for _ in play(call, blocks_of(pcm, rate, seconds), None):
        pass


def cpu_seconds(work: Callable[[], object], repeats: int) -> float:
    """Median CPU seconds of ``work``, after one run to warm up."""
    work()
    spent = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return statistics.median(spent)


def peers(pcm: NDArray[np.float32], rate: int) -> dict[str, Callable[[], object]]:
    """Other tools that measure pitch (and loudness) on the same two channels, by name."""
    import librosa

    span = {"fmin": 65.0, "fmax": 600.0, "sr": rate, "frame_length": 512, "hop_length": rate // 50}
    tools: dict[str, Callable[[], object]] = {
        "librosa.yin": lambda: [librosa.yin(side, **span) for side in pcm],
        "librosa.pyin": lambda: [librosa.pyin(side[: rate * 60], **span) for side in pcm],
    }
    try:
        import opensmile
    except ImportError:
        return tools
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.LowLevelDescriptors)
    tools["openSMILE"] = lambda: [smile.process_signal(side, rate) for side in pcm]
    return tools


def growth(pcm: NDArray[np.float32], rate: int, band: str) -> float:
    """Growth of Python's memory in megabytes from the first tenth to the end of the audio."""
    call = Call(CallInfo("bench", ("bench",), rate, band, "none"), book(), CallSettings())
    blocks = blocks_of(pcm, rate, FLAT_OUT_BLOCK)
    tracemalloc.start()
    early = 0
    for number, block in enumerate(blocks):
        call.process(block)
        if number == len(blocks) // 10:
            early = tracemalloc.get_traced_memory()[0]
    late = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (late - early) / 1e6


def main() -> None:
    """Measures, and prints one line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--call", type=Path, default=ROOT / "fixtures/audio/calm.wav")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory", action="store_true", help="also how memory grows over the call (slow)")
    args = parser.parse_args()
    pcm, rate, band = sound_of(args.call, args.minutes)
    length = pcm.shape[1] / rate
    parts = [f"{length:.0f} s of {rate} Hz, two channels:"]
    for detector in ("silero", "webrtc", "both"):
        spent = cpu_seconds(partial(hear, pcm, rate, band, detector, FLAT_OUT_BLOCK), args.repeats)
        parts.append(f"{detector} {length / spent:.0f}x")
    live = cpu_seconds(lambda: hear(pcm, rate, band, "silero", LIVE_BLOCK), 1)
    parts.append(f"live blocks of 40 ms {100 * live / length / 2:.2f} % of a core a channel;")
    for name, work in peers(pcm, rate).items():
        heard = min(length, 60.0) if name == "librosa.pyin" else length
        parts.append(f"{name} {heard / cpu_seconds(work, args.repeats):.0f}x")
    if args.memory:
        parts.append(f"memory grows by {growth(pcm, rate, band):.2f} MB")
    print(" ".join(parts))


if __name__ == "__main__":
    main()
