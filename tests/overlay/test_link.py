"""The overlay's line to a real hub: it resumes, comes back, and sends what the agent asks for."""

import queue

import pytest

from monitor.client.address import HubAddress, parse_hub
from monitor.errors import BadInput
from monitor.events import AlertOpened, Command, CommandApplied, Event, Prosody, Snapshot
from monitor.hub.access import mint
from monitor.overlay.link import Link
from tests.hub.hubs import SECRET, a_hub, alert, level, said, started, true
from tests.overlay.cable import Cable
from tests.overlay.desktop import until
from tests.overlay.hubside import HubThread

SOON = 30.0


class Listening:
    """A link with everything that it told."""

    def __init__(self, url: str, agent: str | None = None) -> None:
        self.told: queue.Queue = queue.Queue()
        self.link = Link(parse_hub(url), lambda call, news: self.told.put((call, news)), agent)
        self.link.start()

    def until(self, wanted) -> list[Event]:
        got = []
        while not got or not wanted(got[-1]):
            got.append(self.told.get(timeout=SOON)[1])
        return got


@pytest.fixture
def hub():
    hub = HubThread()
    yield hub
    hub.stop()


@pytest.fixture
def listening(hub):
    one = Listening(hub.url)
    one.until(lambda news: isinstance(news, Snapshot))
    yield one
    one.link.stop()


def is_alert(number: int):
    return lambda news: isinstance(news, AlertOpened) and news.alert == f"a{number}"


def test_it_hears_alerts_and_voices_and_leaves_transcripts_where_they_are(hub, listening):
    hub.say("c", [started("c"), level(1.0), said(1, "what was said"), alert(1)])
    got = listening.until(lambda news: isinstance(news, Prosody))
    got += [] if any(is_alert(1)(news) for news in got) else listening.until(is_alert(1))
    assert "utterance" not in {news.name for news in got if isinstance(news, Event)}


def test_after_a_restart_of_the_hub_it_hears_what_is_open(hub, listening):
    hub.say("c", [started("c"), alert(1)])
    listening.until(is_alert(1))
    hub.stop()
    listening.until(lambda news: news == "down")
    again = HubThread(hub.port)
    try:
        again.say("c", [started("c")])
        again.say("c", [alert(7)])
        got = listening.until(
            lambda news: is_alert(7)(news) or (isinstance(news, Snapshot) and _holds(news, "a7"))
        )
        assert "back" in got
        assert any(isinstance(news, Snapshot) for news in got), "its numbers are not those of the hub before"
    finally:
        again.stop()


def test_what_a_supervisor_said_while_the_line_was_down_comes_when_it_is_back(hub):
    cable = Cable(hub.url)
    one = Listening(cable.url)
    try:
        one.until(lambda news: isinstance(news, Snapshot))
        hub.say("c", [started("c"), alert(1)])
        one.until(is_alert(1))
        cable.pull()
        one.until(lambda news: news == "down")
        until(lambda: not hub.listeners, "the hub to notice")
        hub.say(
            "c",
            [
                CommandApplied(detected_at=9.0, at=9.0, kind="message", text="Refund is fine.", by="Dana"),
                alert(2),
            ],
        )
        cable.plug()
        got = one.until(is_alert(2))
        assert got.count("back") == 1
        assert [news.text for news in got if isinstance(news, CommandApplied)] == ["Refund is fine."]
        assert not any(is_alert(1)(news) or isinstance(news, Snapshot) for news in got), "nothing twice"
    finally:
        one.link.stop()
        cable.pull()


def _holds(snapshot: Snapshot, name: str) -> bool:
    return any(one.alert == name for call in snapshot.calls for one in call.alerts)


def test_what_the_agent_asks_for_reaches_the_call(hub, listening):
    hub.say("c", [started("c"), alert(1)])
    listening.until(is_alert(1))
    assert listening.link.send("c", Command(kind="acknowledge", alert="a1"))
    until(lambda: hub.orders, "the order")
    assert (hub.orders[0].kind, hub.orders[0].alert) == ("acknowledge", "a1")


def test_only_the_calls_of_the_agent_are_heard(hub):
    one = Listening(hub.url, agent="anna")
    try:
        one.until(lambda news: isinstance(news, Snapshot))
        hub.say("theirs", [started("theirs", agent="ben"), alert(1)])
        hub.say("ours", [started("ours", agent="anna"), alert(2)])
        got = one.until(is_alert(2))
        assert not any(is_alert(1)(news) for news in got)
    finally:
        one.link.stop()


def test_without_a_hub_it_keeps_trying_and_says_why():
    one = Listening("ws://127.0.0.1:1")
    try:
        assert one.until(lambda news: news == "down") == ["down"]
        assert one.link.trouble
        assert not one.link.send("c", Command(kind="snooze"))
        assert one.until(lambda news: news == "down")
    finally:
        one.link.stop()


async def test_a_token_that_the_hub_will_not_have_is_told_apart_from_a_hub_that_is_away():
    old = mint(SECRET, role="agent", agent="anna", teams=(), seconds=-5)
    told: list[str] = []
    said: list[str] = []
    async with a_hub(secret=SECRET) as place:
        hub = parse_hub(place.url, lambda: old)
        link = Link(hub, lambda _, news: told.append(news), say=said.append)
        link.start()
        await true(lambda: len(told) >= 2)
    await true(lambda: "down" in told)
    link.stop()
    assert told[:2] == ["refused", "refused"]
    assert said[0] == "No connection to the hub: the hub refused: This token has expired; ask for a new one."
    assert len(said) == len(set(said)), "each trouble once"


async def test_an_overlay_whose_token_file_is_not_there_yet_comes_in_once_it_is():
    tokens: list[str] = []

    def token() -> str:
        if not tokens:
            raise BadInput("The token file anna.token cannot be read: No such file or directory.")
        return tokens[0]

    told: list[object] = []
    async with a_hub(secret=SECRET) as place:
        link = Link(HubAddress(place.url, token), lambda _, news: told.append(news))
        link.start()
        await true(lambda: "refused" in told)
        tokens.append(mint(SECRET, role="agent", agent="anna", teams=(), seconds=600))
        await true(lambda: "up" in told)
        link.stop()
