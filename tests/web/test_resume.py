"""A page whose hub goes away comes back, misses nothing and shows nothing twice."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.events import Interruption, Note
from monitor.hub.access import mint
from tests.web.browsing import Visit
from tests.web.calling import opened, said, spoke
from tests.web.stage import Stage, started

pytestmark = pytest.mark.real
Open = Callable[..., Visit]
SECRET = "a secret that is long enough for a test"  # noqa: S105  # of a hub that lives for one test


def test_after_a_killed_hub_nothing_is_missing_and_nothing_is_there_twice(visit: Open, stage: Stage) -> None:
    stage.say("c1", started("c1", "Amira K."), said(1, "caller", 1, "before"), *spoke("caller", 1, 3))
    seen = visit("#call=c1", away=True)
    seen.wait_text(".said li", "before")
    stage.stop()
    seen.wait_text("#connection", "reconnecting in")
    # Said once: the seconds that go by are not read out to those who listen.
    assert seen.texts('#line[role="status"]') == ["The line to the hub is lost. Reconnecting."]
    assert seen.page.locator("#connection[role], #connection [role], #connection[aria-live]").count() == 0
    stage.start()
    stage.say(
        "c1",
        said(2, "agent", 4, "meanwhile one"),
        said(3, "caller", 6, "meanwhile two"),
        *spoke("agent", 4, 6),
    )
    stage.say("c1", opened("apology.excess", 7))
    seen.wait_text("#connection", "live")
    assert seen.texts("#line") == ["Live"]
    stage.say("c1", said(4, "agent", 8, "afterwards"))
    seen.wait_text(".said li", "afterwards")
    seen.wait_text("#rows .alerts", "Many apologies")
    texts = seen.texts('.said li[data-kind="said"]')
    assert texts == [
        "00:01Callerbefore", "00:04Agentmeanwhile one", "00:06Callermeanwhile two", "00:08Agentafterwards"
    ]  # fmt: skip
    assert len(seen.texts(".said .alert")) == 1
    seen.wait_text("#rows .talk", "50 : 50")


@pytest.fixture
def forgetful(browser: Any) -> Iterator[Stage]:
    """A hub that keeps its log in memory."""
    hub = Stage()
    yield hub
    hub.stop()


def test_after_the_restart_of_a_hub_that_forgets_the_page_begins_anew_and_says_so(
    browser: Any, forgetful: Stage
) -> None:
    for call in ("c1", "c2"):
        forgetful.say(call, started(call, "Amira K."), said(1, "caller", 1, f"before on {call}"))
    forgetful.say("c1", *spoke("caller", 1, 3), opened("apology.excess", 3))
    seen = Visit(browser, f"{forgetful.url}#call=c1", away=True)
    try:
        seen.wait_text(".said li", "before on c1")
        seen.wait_text("#rows .alerts", "Many apologies")
        forgetful.stop()
        seen.wait_text("#connection", "reconnecting in")
        forgetful.start()
        # More lines than the hub had before: its numbers are like those that the page knows.
        forgetful.say(
            "c1", started("c1", "Amira K."), *(said(n, "agent", n, f"anew {n}") for n in range(2, 12))
        )
        forgetful.say("c1", *spoke("agent", 2, 8))
        seen.wait_text("#notice", "The hub has begun anew")
        seen.wait_text(".said li", "anew 11")
        assert seen.texts('.said li[data-kind="said"] p')[0] == "Agentanew 2"
        assert len(seen.texts('.said li[data-kind="said"]')) == 10
        assert seen.page.locator(".said .alert").count() == 0
        assert seen.texts("#rows .who .sub") == ["c1"]  # the other call is not known any more
        seen.wait_text("#rows .alerts", "quiet")
        seen.wait_text("#rows .talk", "100 : 0")
        assert seen.page.locator("#notice").get_attribute("role") == "status"
        forgetful.say("c1", said(20, "caller", 20, "and on it goes"))
        seen.wait_text(".said li", "and on it goes")
        assert seen.complaints == []
    finally:
        seen.close()


def test_a_call_that_is_opened_before_it_begins_gets_its_transcript_and_its_message_box(
    visit: Open, stage: Stage
) -> None:
    seen = visit("#call=c1")
    seen.wait_text(".facts", "Nothing is known of this call here")
    assert seen.page.get_by_label("Message to the agent").is_hidden()
    stage.say("c1", started("c1", "Amira K."), said(1, "caller", 1, "good morning"))
    seen.wait_text(".said li", "good morning")
    assert seen.page.get_by_label("Message to the agent").is_visible()


def test_a_line_that_arrives_twice_counts_once(visit: Open, stage: Stage) -> None:
    stage.say("c1", started("c1", "Amira K."), said(1, "caller", 1, "I was promised Friday"))
    stage.say("c1", Interruption(detected_at=3, start=2, at=3, by="agent", of="caller"))
    stage.say("c1", Note(detected_at=3, at=2, channel="caller", kind="date", text="Friday"))
    seen = visit("#call=c1", twice=True)
    seen.wait_text(".notes summary", "Notes")
    stage.say("c1", Note(detected_at=5, at=4, channel="caller", kind="date", text="Monday"), opened("x.y", 6))
    seen.wait_text(".said .alert", "X y")
    assert seen.texts(".notes summary") == ["Notes (2)"]
    assert len(seen.texts('.said li[data-kind="moment"]')) == 1


@pytest.fixture
def guarded(tmp_path: Path, browser: Any) -> Iterator[Stage]:
    """A hub that wants tokens."""
    hub = Stage(tmp_path / "guarded.sqlite3", secret=SECRET)
    yield hub
    hub.stop()


def test_a_hub_that_wants_a_token_is_entered_with_one(browser: Any, guarded: Stage) -> None:
    guarded.say("c1", started("c1", "Amira K.", "Billing"))
    guarded.say("c2", started("c2", "Jo P.", "Sales"))
    seen = Visit(browser, guarded.url, away=True)
    try:
        seen.wait_text("#state h2", "A token is needed")
        seen.page.get_by_label("Token").fill("nonsense")
        seen.page.get_by_role("button", name="Enter").click()
        seen.wait_text("#state", "This token is not valid here, or has expired.")
        token = mint(SECRET, role="supervisor", agent=None, teams=("Billing",), seconds=600)
        seen.page.get_by_label("Token").fill(token)
        seen.page.get_by_role("button", name="Enter").click()
        seen.wait_text("#rows .who a", "Amira K.")
        assert seen.texts("#rows .who a") == ["Amira K."]
        seen.page.goto(f"{guarded.url}#token={token}")
        seen.page.reload()
        seen.wait_text("#rows .who a", "Amira K.")
        assert token not in seen.page.url
        assert [complaint for complaint in seen.complaints if "401" not in complaint] == []
    finally:
        seen.close()
