"""The public interface: the page's examples run, the example programs print alerts."""

import asyncio
import doctest
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import monitor
from tests.hub.hubs import SECRET, Place, a_hub, alert, arrivals, started, true


class Speaking:
    """A hub in a thread of its own, which publishes one alert as soon as somebody listens."""

    def __init__(self, secret: str | None = None) -> None:
        self.url = ""
        self._secret = secret
        self._ready, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()))

    async def _live(self) -> None:
        async with a_hub(secret=self._secret) as place:
            self.url = place.url
            self._ready.set()
            speaking = asyncio.create_task(self._speak(place))
            await asyncio.to_thread(self._over.wait)
            speaking.cancel()

    async def _speak(self, place: Place) -> None:
        await true(lambda: place.hub.listeners == 1)
        place.hub.publish("call-17", arrivals("call-17", [started("call-17"), alert(1)]))

    def __enter__(self) -> "Speaking":
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


@pytest.fixture
def speaking() -> Iterator[Speaking]:
    with Speaking() as hub:
        yield hub


def test_the_examples_of_the_page_run(project: Path, speaking: Speaking, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(project)
    result = doctest.testfile(
        str(project / "docs" / "api.md"), module_relative=False, globs={"url": speaking.url},
        optionflags=doctest.ELLIPSIS,
    )  # fmt: skip
    assert result.attempted > 10
    assert result.failed == 0


def test_the_example_that_replays_prints_the_alerts_of_a_call(project: Path):
    program = [sys.executable, "examples/replay_call.py", "fixtures/audio/interruptions.flac", "none"]
    shown = subprocess.run(program, cwd=project, capture_output=True, text=True, check=True)
    assert "interrupt.agent" in shown.stdout
    assert shown.stderr == ""


def test_the_example_that_subscribes_prints_an_alert_as_it_comes(project: Path, speaking: Speaking):
    program = [sys.executable, "examples/live_alerts.py", speaking.url]
    with subprocess.Popen(program, cwd=project, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        line = running.stdout.readline()
        running.kill()
    assert line.startswith("call-17  warn  ")


async def test_a_hub_that_refuses_is_told_in_a_sentence():
    with Speaking(secret=SECRET) as hub:
        async with monitor.connect(hub.url) as stream:
            with pytest.raises(monitor.BadInput, match="token"):
                await anext(stream)


def test_importing_the_package_costs_nothing_and_offers_the_public_names():
    program = (
        "import sys, monitor; print(sorted(set(dir(monitor)) - {'__version__'}), 'numpy' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    names = ["BadInput", "Call", "CallInfo", "RuleSet", "connect", "events", "replay"]
    assert shown.stdout.strip() == f"{names} False"
    assert all(getattr(monitor, name) for name in names)
    assert (Path(monitor.__file__).parent / "py.typed").is_file()


def test_a_name_that_is_not_there_is_said_as_python_says_it():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = monitor.nothing
