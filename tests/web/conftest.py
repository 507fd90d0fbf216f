"""A real browser (one for all tests of the page) and a real hub for each test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.events import Event
from tests.web.browsing import CHROMIUM, FLAGS, Visit
from tests.web.stage import Stage


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """Chromium, without a screen."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine")
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A hub with its log in a file."""
    hub = Stage(tmp_path / "log.sqlite3")
    yield hub
    hub.stop()


@pytest.fixture
def visit(browser: Any, stage: Stage) -> Iterator[Callable[..., Visit]]:
    """Opens the page; afterwards it must have said no error and asked no other host."""
    visits: list[Visit] = []

    def open_page(path: str = "", **options: Any) -> Visit:
        visits.append(Visit(browser, stage.url + path, **options))
        return visits[-1]

    yield open_page
    for one in visits:
        one.close()
    for one in visits:
        assert one.complaints == []
        assert one.strangers == []


@pytest.fixture(scope="package")
def difficult_call(project: Path) -> list[Event]:
    """Everything the monitor says about the bundled difficult call, with the words of its script."""
    from monitor.session import replay_events

    return replay_events([project / "fixtures/audio/difficult-call.flac"], model="script")
