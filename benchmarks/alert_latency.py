"""Measures the latency of alerts from the audio to a listener, at real-time speed and end to end.

Bundled calls are played in real time, each through a monitor in its own process (the live session: blocks of
40 ms, core, uplink), to a hub in another process and a websocket client in a third. Latency is the client's
clock at the alert minus the clock at the audio sample that made the alert detectable (``known``; the rule's
hold and the detector's stated delay come before it). It includes the average wait of a sample in a sound
card's buffer, half a block.

    python benchmarks/alert_latency.py                   four calls at once, twice: about four minutes
    python benchmarks/alert_latency.py --repeats 1 --calls raised.wav

Prints one line; the exit code is 1 if the 95th percentile is above 100 ms.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.hub_beside import hub_beside, spawns  # noqa: E402 - the checkout goes first on the path
from monitor.call import Call, CallInfo  # noqa: E402
from monitor.client.address import parse_hub  # noqa: E402
from monitor.client.uplink import Uplink  # noqa: E402
from monitor.config import CallSettings  # noqa: E402
from monitor.events import AlertEvent, Block, CallEnded  # noqa: E402
from monitor.rules.rule_set import load_rules  # noqa: E402
from monitor.session import PACED_BLOCK, Playback, run_paced  # noqa: E402
from monitor.sources.call_detection import warm_up  # noqa: E402
from monitor.sources.recording import open_recording  # noqa: E402
from monitor.wire import envelope as wire  # noqa: E402
from monitor.wire.messages import CallIdentity  # noqa: E402

BAR = 0.1
CALLS = ("interruptions.flac", "raised.wav", "hold.flac", "difficult-call.flac")


def run_monitor(name: str, call: str, url: str, folder: str, pipe: Connection) -> None:
    """Plays one call in real time; sends the time of its first sample through ``pipe``."""
    began: list[float] = []
    recording = open_recording([ROOT / "fixtures" / "audio" / name])
    info = CallInfo(call=call, sources=(name,), rate=recording.rate, band=recording.band, model="none")
    core = Call(info, load_rules())
    warm_up(info.rate, CallSettings().vad)
    uplink = Uplink(parse_hub(url), CallIdentity(call=call), Path(folder))
    pipe.send("ready")
    pipe.recv()
    blocks = noting(recording.blocks(PACED_BLOCK), began)
    run_paced(Playback(call=core, blocks=blocks, sinks=[uplink]), 1.0)
    pipe.send(began[0])


def noting(blocks: Iterable[Block], began: list[float]) -> Iterator[Block]:
    """The blocks; records when the first was requested, which is the start of playback."""
    began.append(time.monotonic())
    yield from blocks


Seen = list[tuple[str, str, float, float]]
"""For each alert event: call, kind, time of detection in call seconds, and time of arrival."""


async def listen(connection: ClientConnection, calls: int) -> tuple[Seen, dict[str, float]]:
    """Receives events until all calls have ended; returns them and the length of each call."""
    seen: Seen = []
    ended: dict[str, float] = {}
    while len(ended) < calls:
        message = await connection.recv()
        now = time.monotonic()
        envelope, event = wire.decode(message)
        if isinstance(event, AlertEvent):
            seen.append((envelope.partitionkey, event.name, event.detected_at, now))
        elif isinstance(event, CallEnded):
            ended[envelope.partitionkey] = event.seconds
    return seen, ended


async def once(names: list[str], url: str, folder: str, round_: int) -> list[tuple[str, float]]:
    """Plays all calls at once; returns the kind and latency in seconds of each alert event."""
    pipes, processes = {}, []
    for number, name in enumerate(names):
        ours, theirs = spawns.Pipe()
        call = f"{round_}-{number}-{name.partition('.')[0]}"
        process = spawns.Process(target=run_monitor, args=(name, call, url, folder, theirs), daemon=True)
        process.start()
        processes.append(process)
        pipes[call] = ours
    for pipe in pipes.values():
        await asyncio.to_thread(pipe.recv)
    async with connect(f"{url}/events", proxy=None, compression=None) as connection:
        await connection.recv()
        for pipe in pipes.values():
            pipe.send("go")
        seen, ended = await listen(connection, len(names))
    began = {call: await asyncio.to_thread(pipe.recv) for call, pipe in pipes.items()}
    for process in processes:
        process.join()
    return [(kind, now - began[call] - known) for call, kind, known, now in seen
            if known < ended[call] - PACED_BLOCK]  # fmt: skip


def main() -> int:
    """Runs the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", nargs="+", default=list(CALLS), help="files in fixtures/audio")
    parser.add_argument("--repeats", type=int, default=2)
    words = parser.parse_args()
    found: list[tuple[str, float]] = []
    with tempfile.TemporaryDirectory() as folder, hub_beside(Path(folder)) as (port, _):
        for number in range(words.repeats):
            found += asyncio.run(once(words.calls, f"ws://127.0.0.1:{port}", folder, number))
    late = np.array([seconds for _, seconds in found]) * 1000
    opened = np.array([seconds for kind, seconds in found if kind == "alert.opened"]) * 1000
    print(
        f"alert_latency: {late.size} lines about acoustic alerts ({opened.size} opened) of "
        f"{len(words.calls)} calls at once: from the sample to the client "
        f"p50 {np.percentile(late, 50):.0f} ms, p95 {np.percentile(late, 95):.0f} ms, "
        f"max {late.max():.0f} ms; opened alone p95 "
        f"{np.percentile(opened, 95):.0f} ms (bar {BAR * 1000:.0f}); "
        f"machine: load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    return 0 if np.percentile(late, 95) <= BAR * 1000 else 1


if __name__ == "__main__":
    sys.exit(main())
