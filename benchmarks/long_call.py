"""Measures memory use over a long call with words.

    python benchmarks/long_call.py                  two hours, the bundled model
    python benchmarks/long_call.py --minutes 30
    python benchmarks/long_call.py --model base.en  another model

The call repeats the bundled recordings. It is replayed at full speed through the core, the rules, the
model, a journal on disk and JSON lines, as in `monitor replay`. Prints the resident memory at 10, 30, 60
and 120 minutes of the call, and the number of recognised words.
"""

import argparse
import itertools
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import psutil
import soxr
from numpy.typing import NDArray

from monitor.call import Call, CallInfo
from monitor.events import Block, CallEnded, Utterance
from monitor.playback import WORDS_BLOCK, Playback, run_flat_out
from monitor.review.truth import load_truth, recordings
from monitor.rules.rule_set import load_rules
from monitor.sinks import Line, Sink
from monitor.sinks.journal import JournalSink
from monitor.sinks.jsonl import JsonSink
from monitor.sources.recording import open_recording
from monitor.speech.model_store import choose

ROOT = Path(__file__).resolve().parent.parent
RATE = 8000
MARKS = (10, 30, 60, 120)


def sounds() -> Iterator[NDArray[np.float32]]:
    """The bundled recordings, float32 [2, n] at 8 kHz, repeated forever."""
    calls = [_sound(path) for path in sorted((ROOT / "fixtures/audio").glob("*.json"))]
    return itertools.cycle(calls)


def _sound(path: Path) -> NDArray[np.float32]:
    truth = load_truth(path)
    recording = open_recording(recordings(truth, path), agent_channel=truth.agent_channel)
    pcm = np.concatenate([block.pcm for block in recording.blocks(5.0)], axis=1)
    if recording.rate != RATE:
        pcm = soxr.resample(pcm.T, recording.rate, RATE).T
    return np.ascontiguousarray(pcm, np.float32)


def blocks(minutes: float) -> Iterator[Block]:
    """The call in blocks, as in `monitor replay`."""
    at, end, step = 0, round(minutes * 60 * RATE), round(WORDS_BLOCK * RATE)
    for sound in sounds():
        for start in range(0, sound.shape[1], step):
            piece = sound[:, start : start + step]
            yield Block(at, piece)
            at += piece.shape[1]
            if at >= end:
                return


class Watch:
    """A sink that measures the process's memory at given times of the call."""

    def __init__(self, marks: Sequence[float]) -> None:
        self._marks = list(marks)
        self._process = psutil.Process()
        self.words = self.utterances = 0

    def take(self, lines: Sequence[Line]) -> None:
        """The next lines, in order."""
        for line in lines:
            if isinstance(line.event, Utterance) and line.event.final:
                self.utterances += 1
                self.words += len(line.event.words)
            if self._marks and (
                line.event.detected_at >= 60 * self._marks[0] or isinstance(line.event, CallEnded)
            ):
                resident = self._process.memory_info().rss / 1e6
                print(f"{self._marks.pop(0):g} min: {resident:.1f} MB, {self.words} words", flush=True)

    def close(self) -> None:
        """The call is over."""


def main() -> None:
    """Plays the call and prints the marks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--model", default="bundled")
    args = parser.parse_args()
    choice = choose(args.model)
    call = Call(CallInfo("long", ("bundled recordings",), RATE, "narrow", choice.name), load_rules())
    watch = Watch([*(mark for mark in MARKS if mark < args.minutes), args.minutes])
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("wb") as nowhere:
        sinks: list[Sink] = [JsonSink(nowhere), JournalSink(Path(folder)), watch]
        playback = Playback(
            call=call, blocks=blocks(args.minutes), sinks=sinks, recogniser=choice.recogniser()
        )
        run_flat_out(playback)
    print(f"{watch.utterances} utterances, {watch.words} words")


if __name__ == "__main__":
    main()
