"""Soak test: measures growth of memory, lag and open descriptors over an hour of one call in real time.

A hub, a monitor (two channels of speech, words by the bundled model, events to the hub) and a listener run in
separate processes. Memory and descriptors of hub and monitor are sampled every ten seconds; the lag of an
event is the wall clock at the listener minus its time of detection in the call.

    python benchmarks/soak.py                          one hour (the bundled calls, again and again)
    python benchmarks/soak.py --minutes 12 --warm-up 3 --samples soak.csv

Two intervals of five minutes are compared, after the warm-up and at the end. Prints one line; the exit code
is 1 if memory grew by more than 5 %, the lag by more than a quarter of a second, or descriptors leaked.
"""

import argparse
import asyncio
import contextlib
import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.hub_beside import hub_beside  # noqa: E402 - the checkout goes first on the path
from monitor.client.address import parse_hub  # noqa: E402
from monitor.client.hub_client import HubClient, HubEvent  # noqa: E402
from monitor.events import CallEnded, CallStarted, Snapshot, Status  # noqa: E402
from monitor.sources.recording import open_recording  # noqa: E402

CALLS = ("interruptions.flac", "calm.wav", "raised.wav", "apologies.wav")
RATE = 8000
LOOK = 10.0
STRETCH = 300.0
"""Length in seconds of the two compared intervals."""
GROWTH, LATER = 0.05, 0.25
"""The limits of growth: a share of the memory, and seconds of lag."""


@dataclass(frozen=True)
class Sample:
    """One sample of a process: seconds since the start, megabytes, open descriptors."""

    at: float
    megabytes: float
    descriptors: int


@dataclass
class Watched:
    """A process and its samples."""

    name: str
    process: psutil.Process
    samples: list[Sample] = field(default_factory=list)

    def look(self, at: float) -> None:
        """Reads memory and descriptors; a process that has ended is left alone."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self.samples.append(Sample(at, self.process.memory_info().rss / 1e6, descriptors(self.process)))

    def of(self, begin: float, end: float) -> list[Sample]:
        """The samples between two times."""
        return [sample for sample in self.samples if begin <= sample.at < end]


def descriptors(process: psutil.Process) -> int:
    """Open files and sockets (Windows: handles)."""
    if sys.platform == "win32":
        return process.num_handles()
    return process.num_fds()


def make_call(path: Path, seconds: float) -> None:
    """Writes the bundled calls in sequence up to a length; 16 bit, caller on the left channel."""
    recordings = [open_recording([ROOT / "fixtures" / "audio" / name]) for name in CALLS]
    sounds = [np.concatenate([b.pcm for b in recording.blocks(1.0)], axis=1) for recording in recordings]
    left = round(seconds * RATE)
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        while left > 0:
            for sound in sounds:
                pcm = sound[::-1, :left].T  # rows are agent, caller; the caller belongs on the left
                file.writeframes(np.round(np.clip(pcm, -1, 1) * 32767).astype("<i2").tobytes())
                left = max(0, left - pcm.shape[0])


@contextlib.contextmanager
def running(*words: str, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a command of the monitor in a separate process, which ends with the context."""
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor", *words], cwd=ROOT, env=env, stdout=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@dataclass
class Listening:
    """The events of the listener: pairs of call time, and wall clock minus call time, in seconds."""

    lags: list[tuple[float, float]] = field(default_factory=list)
    told: list[Status] = field(default_factory=list)
    ended: CallEnded | None = None

    async def follow(self, url: str) -> None:
        """Listens until the end of the call."""
        async for news in HubClient(parse_hub(url)).follow():
            if isinstance(news, HubEvent):
                if not isinstance(news.event, CallStarted | Snapshot):
                    self.lags.append((news.event.detected_at, time.monotonic() - news.event.detected_at))
                if isinstance(news.event, Status):
                    self.told.append(news.event)
                if isinstance(news.event, CallEnded):
                    self.ended = news.event
                    return

    def lag(self, begin: float, end: float) -> float:
        """The median lag between two times, relative to the least lag of the first minute."""
        least = min(lag for at, lag in self.lags if at < 60)
        return median([lag - least for at, lag in self.lags if begin <= at < end] or [float("nan")])


async def soak(
    url: str, watched: list[Watched], listening: Listening, playing: subprocess.Popen[bytes]
) -> None:
    """Samples the processes until the call is over."""
    following = asyncio.create_task(listening.follow(url))
    began = time.monotonic()
    while not following.done():
        for one in watched:
            one.look(time.monotonic() - began)
        await asyncio.wait((following,), timeout=LOOK)
        if playing.poll() not in (None, 0):
            raise SystemExit(f"the monitor ended with {playing.returncode}")
    await following


def main() -> int:
    """Runs the soak test; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="length of the call")
    parser.add_argument("--warm-up", type=float, default=10.0, help="minutes before anything is compared")
    parser.add_argument("--model", default="bundled", help="who hears the words, or none")
    parser.add_argument("--samples", type=Path, help="write every look to this CSV file")
    words = parser.parse_args()
    seconds, warm = words.minutes * 60, words.warm_up * 60
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as closing:
        make_call(Path(folder) / "long.wav", seconds)
        env = {**os.environ, "XDG_DATA_HOME": folder}
        port, hub = closing.enter_context(hub_beside(Path(folder)))
        url = f"ws://127.0.0.1:{port}"
        listening = Listening()
        playing = closing.enter_context(
            running("replay", f"{folder}/long.wav", "--speed", "1", "--model", words.model, "--json",
                    "--prosody", "--uplink", url, env=env)
        )  # fmt: skip
        watched = [Watched(name, psutil.Process(of.pid)) for name, of in (("monitor", playing), ("hub", hub))]
        asyncio.run(soak(url, watched, listening, playing))
    if words.samples:
        write(words.samples, watched)
    return report(words.minutes, watched, listening, (warm, seconds))


def write(path: Path, watched: list[Watched]) -> None:
    """Writes all samples, one per line."""
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("process", "at_s", "megabytes", "descriptors"))
        for one in watched:
            out.writerows((one.name, f"{s.at:.0f}", f"{s.megabytes:.1f}", s.descriptors) for s in one.samples)


def report(minutes: float, watched: list[Watched], listening: Listening, span: tuple[float, float]) -> int:
    """Prints the line; returns the exit code."""
    warm, seconds = span
    early, late = (warm, min(warm + STRETCH, seconds)), (max(warm, seconds - STRETCH), seconds)
    parts, good = [], listening.ended is not None
    for one in watched:
        first, last = one.of(*early), one.of(*late)
        before, after = (median(sample.megabytes for sample in part) for part in (first, last))
        kept = median(s.descriptors for s in last) - median(s.descriptors for s in first)
        good = good and after / before - 1 <= GROWTH and kept <= 0
        parts.append(
            f"{one.name} {before:.1f} -> {after:.1f} MB ({(after / before - 1) * 100:+.1f} %), "
            f"descriptors {kept:+.0f}"
        )
    lag = listening.lag(*early), listening.lag(*late)
    good = good and lag[1] - lag[0] <= LATER
    behind = max((status.lag_s for status in listening.told), default=0.0)
    print(
        f"soak: {minutes:.0f} min at 1x: {'; '.join(parts)}; lag of an event at a listener "
        f"{lag[0] * 1000:.0f} -> {lag[1] * 1000:.0f} ms median of {len(listening.lags)}, "
        f"recogniser behind by {behind:.1f} s at most; "
        f"call {'ended whole' if listening.ended else 'CUT SHORT'}; "
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
