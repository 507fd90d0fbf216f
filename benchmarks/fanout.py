"""Measures the latency of alerts to many listeners, without and with one listener that does not read.

A hub, monitors and listeners run in separate processes and communicate over websockets on loopback. Twenty
calls send typical events: levels ten times a second, partial words, facts, and occasional alerts. Each
listener receives all calls. Latency is from the monitor's send to the listener's read.

    python benchmarks/fanout.py                     1,000 listeners, 20 calls, 20 s without and with one stuck
    python benchmarks/fanout.py --listeners 100 --seconds 5

Prints one line; the exit code is 1 if an alert was lost, repeated, or out of order, or p99 is above the bar.
"""

import argparse
import asyncio
import base64
import itertools
import json
import multiprocessing
import os
import random
import re
import resource
import sys
import tempfile
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import cast

import numpy as np
import psutil
from websockets.asyncio.client import ClientConnection, connect

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.hub_beside import hub_beside  # noqa: E402 - the checkout goes first on the path
from monitor.events import (  # noqa: E402
    AlertOpened,
    CallStarted,
    Difficulty,
    Event,
    Prosody,
    SpeechEnded,
    SpeechStarted,
    Utterance,
    Word,
)
from monitor.wire import envelope as wire  # noqa: E402

BAR = 0.25
"""The limit of the 99th percentile of latency, in seconds."""

TICK = 0.1
ALERT = re.compile(rb'"type":"monitor\.alert\.opened","sequence":"(\d+)".*?"summary":"([0-9.]+)"', re.DOTALL)

forks = multiprocessing.get_context("fork")


# --- listeners: minimal work per message, so that the hub is measured and not the listeners ---


class Listener(asyncio.Protocol):
    """A minimal websocket client that sends nothing and decodes alerts only."""

    def __init__(self, stuck: bool) -> None:
        self.stuck = stuck
        self.sequences: list[int] = []
        self.delays: list[float] = []
        self.opened = asyncio.get_running_loop().create_future()
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Sends the handshake."""
        self.transport = cast("asyncio.Transport", transport)  # asyncio's types know the base class only
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Splits the stream into messages (RFC 6455, 5.2; frames of a server are not masked)."""
        now = time.monotonic()
        data = self._buffer + data
        if not self.opened.done():
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._buffer = head
                return
            self.opened.set_result(b" 101 " in head)
            if self.stuck:
                self.transport.pause_reading()
        at, end = 0, len(data)
        while end - at >= 4:
            size, start = data[at + 1], at + 2
            if size == 126:
                size, start = int.from_bytes(data[at + 2 : at + 4]), at + 4
            elif size == 127:
                size, start = int.from_bytes(data[at + 2 : at + 10]), at + 10
            if start + size > end:
                break
            if data[at] == 0x89:
                self._pong(data[start : start + size])
            elif alert := ALERT.search(data, start, start + size):
                self.sequences.append(int(alert[1]))
                self.delays.append(now - float(alert[2]))
            at = start + size
        self._buffer = data[at:]

    def _pong(self, payload: bytes) -> None:
        self.transport.write(bytes((0x8A, 0x80 | len(payload), 0, 0, 0, 0)) + payload)


def run_listeners(port: int, count: int, stuck: bool, pipe: Connection) -> None:
    """Runs ``count`` listeners in one process until told to stop, then sends their results."""
    asyncio.run(_listen(port, count, stuck, pipe))


async def _listen(port: int, count: int, stuck: bool, pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    listeners: list[Listener] = []
    for _ in range(count):
        _, listener = await loop.create_connection(lambda: Listener(stuck), "127.0.0.1", port)
        if not await listener.opened:
            raise SystemExit("the hub refused a listener")
        listeners.append(listener)
    pipe.send("ready")
    while not pipe.poll():  # noqa: ASYNC110 - the other end is another process
        await asyncio.sleep(0.05)
    pipe.recv()
    pipe.send([(listener.sequences, listener.delays) for listener in listeners])


# --- monitors ---


@dataclass
class Talk:
    """Generates the events of one call: rates as in the bundled calls, an alert every ten seconds."""

    call: str
    chance: random.Random
    number: int = 0
    at: float = 0.0
    utterance: int = 0
    revision: int = 0
    alerts: list[float] = field(default_factory=list)

    def begin(self) -> bytes:
        """The first line."""
        started = CallStarted(
            call=self.call, sources=("made",), rate=8000, band="narrow", model="none", rules_hash="0",
            profile="default", agent=self.call, team="north",
        )  # fmt: skip
        return self._line(started)

    def tick(self) -> bytes:
        """The lines of a tenth of a second."""
        self.at = round(self.at + TICK, 1)
        events: list[Event] = [Prosody(detected_at=self.at, channel="caller", at=self.at, level_dbfs=-30.0)]
        if self.chance.random() < 0.2:
            events.append(self._words(final=False))
        if self.chance.random() < 0.03:
            events.append(self._words(final=True))
        if self.chance.random() < 0.025:
            events.append(SpeechStarted(detected_at=self.at, channel="agent", at=self.at))
            events.append(SpeechEnded(detected_at=self.at, channel="caller", start=0.0, end=self.at))
        if self.chance.random() < 0.02:
            events.append(Difficulty(detected_at=self.at, at=self.at, score=40.0, parts={"words": 20.0}))
        if self.chance.random() < 0.01:
            events.append(self._alert())
        return b"\n".join(self._line(event) for event in events)

    def _line(self, event: Event) -> bytes:
        self.number += 1
        return wire.encode(event, call=self.call, sequence=self.number, time="2026-01-01T00:00:00.000Z")

    def _words(self, *, final: bool) -> Utterance:
        self.revision += 1
        words = tuple(Word(f"word{n}", self.at, self.at, 0.9) for n in range(8))
        said = Utterance(
            detected_at=self.at,
            channel="caller",
            utterance=self.utterance,
            revision=self.revision,
            start=self.at,
            end=self.at,
            text=" ".join(word.text for word in words),
            words=words,
            final=final,
        )
        self.utterance += final
        return said

    def _alert(self) -> AlertOpened:
        now = time.monotonic()
        self.alerts.append(now)
        return AlertOpened(
            detected_at=self.at, alert=f"a{self.number}", rule="interrupt.agent", rule_hash="h", level="warn",
            channel="agent", start=self.at, at=self.at, title="Agent interrupts",
            message="Let them land the sentence.", summary=f"{now:.6f}",
            rationale="A caller who is cut off stops explaining.", clears_when="the count is below 2",
            measure="interruptions", measured=2.0, threshold=2.0, to=("agent", "supervisor"),
        )  # fmt: skip


def run_monitors(port: int, calls: int, seconds: float, prefix: str, pipe: Connection) -> None:
    """Runs ``calls`` calls in one process; returns the times of the alerts and the delays of its ticks."""
    pipe.send(asyncio.run(_publish(port, calls, seconds, prefix)))


async def _publish(port: int, calls: int, seconds: float, prefix: str) -> tuple[int, list[float]]:
    talks = [Talk(f"{prefix}-{n}", random.Random(n)) for n in range(calls)]  # noqa: S311 - repeats, no secret
    late: list[float] = []
    await asyncio.gather(
        *(_one_call(port, talk, seconds, n / calls * TICK, late) for n, talk in enumerate(talks))
    )
    return sum(len(talk.alerts) for talk in talks), late


async def _one_call(port: int, talk: Talk, seconds: float, offset: float, late: list[float]) -> None:
    async with connect(f"ws://127.0.0.1:{port}/publish", proxy=None, compression=None) as hub:
        await hub.send(json.dumps({"call": talk.call, "agent": talk.call, "team": "north"}))
        await hub.recv()
        reading = asyncio.create_task(_read_acks(hub))
        await hub.send(talk.begin(), text=True)
        due = time.monotonic() + offset
        for _ in range(round(seconds / TICK)):
            due += TICK
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            late.append(time.monotonic() - due)
            await hub.send(talk.tick(), text=True)
        await asyncio.sleep(1.0)
        reading.cancel()


async def _read_acks(hub: ClientConnection) -> None:
    async for _ in hub:
        pass


# --- the measurement ---


@dataclass(frozen=True)
class Result:
    """One run: latencies in seconds, and whether every listener got every alert once and in order."""

    delays: np.ndarray
    alerts: int
    exact: bool
    hub_cpu: float
    listeners_cpu: float
    late_p99: float

    def p(self, percent: float) -> float:
        """A percentile in milliseconds."""
        return float(np.percentile(self.delays, percent)) * 1000


def measure(words: argparse.Namespace, port: int, hub: BaseProcess, *, stuck: bool) -> Result:
    """One run with or without a stuck listener."""
    share, groups = words.listeners // words.processes, []
    plan = [(share, False)] * words.processes + ([(1, True)] if stuck else [])
    for count, is_stuck in plan:
        ours, theirs = forks.Pipe()
        process = forks.Process(target=run_listeners, args=(port, count, is_stuck, theirs), daemon=True)
        process.start()
        groups.append((process, ours, is_stuck))
    for _, pipe, _ in groups:
        pipe.recv()
    ours, theirs = forks.Pipe()
    prefix = "stuck" if stuck else "plain"
    hub_before, listeners_before = _cpu([hub]), _cpu([process for process, _, _ in groups])
    began = time.monotonic()
    arguments = (port, words.calls, words.seconds, prefix, theirs)
    forks.Process(target=run_monitors, args=arguments, daemon=True).start()
    alerts, late = ours.recv()
    spent = time.monotonic() - began
    hub_cpu = (_cpu([hub]) - hub_before) / spent
    listeners_cpu = (_cpu([process for process, _, _ in groups]) - listeners_before) / spent
    time.sleep(words.settle)
    got: list[tuple[list[int], list[float]]] = []
    for process, pipe, is_stuck in groups:
        pipe.send("stop")
        lists = pipe.recv()
        got += [] if is_stuck else lists
        process.join()
    exact = all(len(s) == alerts and all(a < b for a, b in itertools.pairwise(s)) for s, _ in got)
    delays = np.array([delay for _, delays in got for delay in delays])
    return Result(delays, alerts, exact, hub_cpu, listeners_cpu, float(np.percentile(late, 99)) * 1000)


def _cpu(processes: list[BaseProcess]) -> float:
    """The CPU seconds of processes."""
    times = [psutil.Process(process.pid).cpu_times() for process in processes]
    return sum(spent.user + spent.system for spent in times)


def main() -> int:
    """Runs the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--listeners", type=int, default=1000)
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20.0, help="length of each of the two runs")
    parser.add_argument("--processes", type=int, default=2, help="processes that the listeners share")
    parser.add_argument("--settle", type=float, default=2.0, help="seconds for the last lines to arrive")
    words = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder, hub_beside(Path(folder)) as (port, hub):
        plain = measure(words, port, hub, stuck=False)
        stuck = measure(words, port, hub, stuck=True)
    load = os.getloadavg()[0]
    good = plain.exact and stuck.exact and max(plain.p(99), stuck.p(99)) <= BAR * 1000
    print(
        f"fanout: {words.listeners} listeners x {words.calls} calls: {plain.alerts}+{stuck.alerts} alerts "
        f"{'each exactly once' if plain.exact and stuck.exact else 'NOT each exactly once'}; "
        f"latency p50 {plain.p(50):.0f} ms, p99 {plain.p(99):.0f} ms, max {plain.p(100):.0f} ms; "
        f"beside a stuck one p50 {stuck.p(50):.0f} ms, p99 {stuck.p(99):.0f} ms "
        f"(ratio {stuck.p(99) / plain.p(99):.2f}); hub {plain.hub_cpu:.2f} of a core, "
        f"all listeners {plain.listeners_cpu:.2f}; "
        f"machine: load {load:.1f} on {os.cpu_count()} cores, "
        f"a sender's own timer late by p99 {plain.late_p99:.0f} ms"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
