"""WhisperLiveKit (Fuxa 2024) as a user installs it, in an environment of its own, on the same model.

It runs in real time, two sides at once; a word counts as committed when it first stands in its lines.
"""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.streaming_parts.material import Material
from benchmarks.streaming_parts.score import Committed, Result, add, tokens

RUN = Path(__file__).with_name("wlk_run.py")


def run(name: str, material: Sequence[Material], folder: Path, python: Path) -> Result:
    """WhisperLiveKit over ``material``; ``python`` is that of the environment it is installed in."""
    result = Result(name)
    peak = 0.0
    for call in material:
        with tempfile.TemporaryDirectory() as work:
            paths = [Path(work) / f"{row}.pcm" for row in range(2)]
            for row, path in enumerate(paths):
                path.write_bytes((np.clip(call.at_16k(row), -1, 1) * 32767).astype("<i2").tobytes())
            shown = subprocess.run(
                [python, RUN, folder, *paths], check=True, stdout=subprocess.PIPE, text=True
            )
        told = json.loads(shown.stdout.splitlines()[-1])
        result.seconds += call.seconds
        result.cpu += told["cpu"]
        peak = max(peak, told["peak_mb"])
        for row, stood in enumerate(told["sides"]):
            said, revised = _committed(stood)
            result.revised += revised
            add(result, call, row, said, timed=True)
    result.peak_mb = peak
    return result


def _committed(stood: Sequence[tuple[float, str]]) -> tuple[list[Committed], int]:
    """The words at the end with when each first stood at its place, and how many changed meanwhile."""
    said: list[Committed] = []
    revised = 0
    for at, text in stood:
        words = tokens(text)
        same = next((n for n, (old, new) in enumerate(zip(said, words, strict=False)) if old.text != new),
                    min(len(said), len(words)))  # fmt: skip
        revised += len(said) - same
        said = said[:same] + [Committed(word, at) for word in words[same:]]
    return said, revised
