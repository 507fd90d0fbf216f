"""Kill -9 of hub, monitors and listeners at random moments: nothing lost, nothing twice, all in order."""

import multiprocessing
import random
import socket
from collections import defaultdict
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from monitor import clock
from monitor.events import AlertOpened
from monitor.hub.log import EventLog
from monitor.wire import envelope as wire
from tests.hub import mortals

ROUNDS = 50
MONITORS = 2
LISTENERS = 2
LAST = "the-last-call"
PATIENCE = 120.0

forks = multiprocessing.get_context("forkserver")
"""Real processes that start in milliseconds, since the server has imported everything once."""


class Mortal:
    """A process that is killed and comes back; each life may have other arguments."""

    def __init__(self, live: Callable[..., None], arguments: Callable[[int], tuple[object, ...]]) -> None:
        self._live = live
        self._arguments = arguments
        self._lives = 0
        self.process = self._born()

    def kill(self) -> None:
        self.end()
        self.process = self._born()

    def end(self) -> None:
        self.process.kill()
        self.process.join()

    def _born(self) -> ForkServerProcess:
        self._lives += 1
        process = forks.Process(target=self._live, args=self._arguments(self._lives), daemon=True)
        process.start()
        return process


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [5])
def test_fifty_kills_lose_no_alert_repeat_none_and_keep_the_order_of_each_call(tmp_path: Path, seed: int):
    forks.set_forkserver_preload([mortals.__name__])
    port, db, ledger = free_port(), tmp_path / "hub.db", tmp_path / "ledger"
    url = f"ws://127.0.0.1:{port}"

    def monitor(place: int) -> Callable[[int], tuple[object, ...]]:
        return lambda life: (url, tmp_path / "up", f"call-{place}-{life}", ledger, None)

    def listener(place: int) -> Callable[[int], tuple[object, ...]]:
        return lambda _: (url, tmp_path / f"heard-{place}", LAST)

    hub = Mortal(mortals.run_hub, lambda _: (port, db))
    monitors = [Mortal(mortals.run_monitor, monitor(place)) for place in range(MONITORS)]
    listeners = [Mortal(mortals.run_listener, listener(place)) for place in range(LISTENERS)]
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    killed: defaultdict[str, int] = defaultdict(int)
    for _ in range(ROUNDS):
        clock.sleep(chance.uniform(0.02, 0.3))
        kind, victims = chance.choice([("hub", [hub]), ("monitor", monitors), ("listener", listeners)])
        chance.choice(victims).kill()
        killed[kind] += 1
    assert min(killed.values()) >= 10, killed
    for mortal in monitors:
        mortal.end()
    # One more monitor sends what the dead have left, and a last call by which listeners know the end.
    while list((tmp_path / "up").iterdir()):
        sweep = f"sweep-{clock.stopwatch()}"
        last = forks.Process(target=mortals.run_monitor, args=(url, tmp_path / "up", sweep, ledger, 1))
        last.start()
        last.join(PATIENCE)
        assert last.exitcode == 0
    end = forks.Process(target=mortals.run_monitor, args=(url, tmp_path / "up", LAST, ledger, 1))
    end.start()
    end.join(PATIENCE)
    for mortal in listeners:
        mortal.process.join(PATIENCE)
        assert mortal.process.exitcode == 0, "each listener hears the last call"
    hub.end()
    check(EventLog(db), ledger.read_text(), [tmp_path / f"heard-{place}" for place in range(LISTENERS)])


def check(log: EventLog, ledger: str, heard: list[Path]) -> None:
    rows = [(sequence, call, *wire.decode(line)) for sequence, call, line in log.since(0, 10**9)]
    alerts = [
        (call, int(envelope.id.rpartition("/")[2]))
        for _, call, envelope, event in rows
        if isinstance(event, AlertOpened)
    ]
    by_call: defaultdict[str, list[int]] = defaultdict(list)
    for call, number in alerts:
        by_call[call].append(number)
    for call, numbers in by_call.items():
        assert numbers == list(range(2, 2 + len(numbers))), f"{call}: in order, each once, none missing"
    promised = {(call, int(number)) for call, number in (line.split() for line in ledger.splitlines())}
    assert len(promised) > 1000, "the monitors had something to say"
    assert promised <= set(alerts), "what an uplink has taken arrives"
    kept = [
        f"{sequence} {call} {envelope.id.rpartition('/')[2]}"
        for sequence, call, envelope, event in rows
        if event.name.startswith(("alert", "call"))
    ]
    for path in heard:
        assert path.read_text().splitlines() == kept, "each listener hears all of it, once, in order"
