"""What a hub refuses, or bounds: each time for one clear reason, and those who behave notice nothing."""

import asyncio
import base64
import contextlib
import json
import os
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from monitor.errors import BadInput
from monitor.events import Refused
from monitor.hub.access import mint
from monitor.hub.limits import Limits
from monitor.hub.server import HubServer
from monitor.wire.addresses import Address
from tests.hub.hubs import (
    SECRET,
    SOON,
    Place,
    a_hub,
    alert,
    alerts_in,
    arrivals,
    lines,
    next_line,
    publish,
    started,
    true,
)
from tests.hub.test_access import BAD


def shows(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token is not None else {}


def token(role: str = "supervisor", agent: str | None = None, *teams: str, seconds: float = 600) -> str:
    return mint(SECRET, role=role, agent=agent, teams=teams, seconds=seconds)


def anna() -> dict[str, str]:
    return shows(token("agent", "anna"))


def boss() -> dict[str, str]:
    return shows(token("supervisor", None, "*"))


class Others:
    """Somebody who listens all the while, and must not notice what others try."""

    def __init__(self, place: Place, connection: Any) -> None:
        self._place = place
        self._connection = connection
        self._number = 0

    async def hear_everything(self) -> None:
        """An alert comes to them as ever."""
        self._number += 1
        call = f"quiet-{self._number}"
        self._place.hub.publish(call, arrivals(call, [started(call, "zoe", "quiet"), alert(1)]))
        await next_line(self._connection)
        assert alerts_in([await next_line(self._connection)]) == ["a1"]


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    """A hub that wants tokens, on loopback so that no certificate is needed."""
    async with a_hub(secret=SECRET) as opened:
        yield opened


@pytest.fixture
async def others(place: Place) -> AsyncIterator[Others]:
    headers = shows(token("supervisor", None, "quiet"))
    async with place.listener(additional_headers=headers) as connection:
        await next_line(connection)
        yield Others(place, connection)


async def refused(connecting: connect) -> str:
    """The sentence with which a connection is refused."""
    with pytest.raises(InvalidStatus) as wrong:
        await connecting
    body = (wrong.value.response.body or b"").decode()
    assert body.count("\n") == 1
    assert body.endswith(".\n")
    return f"{wrong.value.response.status_code} {body}"


async def ended(connection: Any) -> tuple[int, str]:
    """Code and reason with which the hub ends a connection; what it says before is passed over."""
    async with asyncio.timeout(SOON):
        with contextlib.suppress(ConnectionClosed):
            while True:
                await connection.recv()
        await connection.wait_closed()
    return connection.close_code, connection.close_reason


# --- at the door ---


@pytest.mark.parametrize("case", sorted(BAD))
@pytest.mark.parametrize("path", ["/events", "/publish"])
async def test_a_token_that_is_not_ours(case: str, path: str, place: Place, others: Others):
    bad = BAD[case]()
    said = await refused(connect(place.url + path, additional_headers=shows(bad), proxy=None))
    assert said.startswith("401 ")
    assert not bad or bad not in said
    await others.hear_everything()


async def test_a_browser_may_show_its_token_as_a_subprotocol_but_not_in_the_address(place: Place):
    good = token("supervisor", None, "*")
    async with place.listener(subprotocols=["monitor.v1", f"token.{good}"]) as listener:
        assert listener.subprotocol == "monitor.v1"
        assert (await next_line(listener))["type"] == "monitor.snapshot"
    assert (await refused(place.listener(f"?token={good}"))).startswith("401 ")


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "https://127.0.0.1.evil.example", "null", "http://127.0.0.1:1", "http://[::1"],
)
async def test_a_page_from_elsewhere(origin: str):
    async with a_hub() as place:
        assert (await refused(place.listener(origin=origin))).startswith("403 This page comes from elsewhere")


async def test_our_own_page_and_the_pages_that_were_allowed_may_listen():
    async with a_hub(origins=("https://wall.example",)) as place:
        for origin in (place.http, "https://wall.example"):
            async with place.listener(origin=origin) as listener:
                assert (await next_line(listener))["type"] == "monitor.snapshot"


async def test_a_name_that_was_turned_to_this_machine():
    """DNS rebinding: the page's origin equals the host it asks for, and both are foreign."""
    async with a_hub() as place:
        port = place.address.port
        said = await answer(place, "GET /events HTTP/1.1", f"Host: evil.example:{port}", *UPGRADE,
                            f"Origin: http://evil.example:{port}")  # fmt: skip
        assert said.startswith("HTTP/1.1 403")
        assert "not the name of this hub" in said


@pytest.mark.parametrize("host", ["0.0.0.0", "10.1.2.3", "hub.example", "::"])  # noqa: S104 - refused
def test_another_address_without_tls_and_tokens_is_never_bound(host: str):
    with pytest.raises(BadInput, match="--cert"):
        HubServer(address=Address(host, 8765))
    with pytest.raises(BadInput, match="--secret-file"):
        HubServer(address=Address(host, 8765), tls=ssl.create_default_context(ssl.Purpose.CLIENT_AUTH))
    with pytest.raises(BadInput, match="TLS"):
        HubServer(address=Address(host, 8765), secret=SECRET)


async def test_a_path_where_nothing_is(place: Place, others: Others):
    said = await refused(
        connect(f"{place.url}/admin", additional_headers=shows(token("supervisor", None, "*")))
    )
    assert said.startswith("404 There is nothing here")
    await others.hear_everything()


@pytest.mark.parametrize("query", ["?since=yesterday", "?level=loud", "?team=a&colour=red", "?role=root"])
async def test_an_address_that_asks_for_what_there_is_not(query: str):
    async with a_hub() as place, place.listener(query) as listener:
        code, reason = await ended(listener)
        assert code == 1008
        assert reason.startswith("The address asks for")


# --- who asks for what is not theirs ---


async def test_an_agent_gives_no_orders_in_another_agents_call(place: Place, others: Others):
    place.hub.publish("c1", arrivals("c1", [started("c1", "anna", "north"), alert(1)]))
    heard: list[Any] = []
    place.hub.take_commands("c1", heard.append)
    for headers in (shows(token("agent", "bert")), shows(token("supervisor", None, "south"))):
        async with place.listener(additional_headers=headers) as listener:
            assert (await next_line(listener))["data"]["calls"] == []
            await listener.send(json.dumps({"call": "c1", "order": {"kind": "wrong", "alert": "a1"}}))
            line = await next_line(listener)
            assert line["type"] == "monitor.refused"
            assert line["data"]["reason"] == "There is no such open call for you."
    assert heard == []
    await others.hear_everything()


@pytest.mark.parametrize(
    ("who", "order", "reason"),
    [
        (anna, {"kind": "message", "text": "hi"}, "The role agent may not message."),
        (boss, {"kind": "snooze"}, "The role supervisor may not snooze."),
        (boss, {"kind": "message", "text": "x" * 201}, "at most 200 characters"),
        (boss, {"kind": "message", "text": "  "}, "needs a text"),
        (anna, {"kind": "snooze", "seconds": -5}, "A snooze lasts"),
        (anna, {"kind": "snooze", "seconds": 1e12}, "A snooze lasts"),
        (anna, {"kind": "acknowledge"}, "say which"),
        (anna, {"kind": "wrong", "alert": "a" * 500}, "A name has at most"),
    ],
)  # fmt: skip
async def test_an_order_that_its_role_may_not_give_or_that_makes_no_sense(
    who: Callable[[], dict[str, str]], order: dict[str, Any], reason: str, place: Place
):
    place.hub.publish("c1", arrivals("c1", [started("c1")]))
    place.hub.take_commands("c1", lambda order: pytest.fail(f"{order.kind} reached the call"))
    async with place.listener(additional_headers=who()) as listener:
        await next_line(listener)
        await listener.send(json.dumps({"call": "c1", "order": order}))
        line = await next_line(listener)
        assert line["type"] == "monitor.refused"
        assert reason in line["data"]["reason"]


NONSENSE: dict[str, str | bytes] = {
    "no JSON": "{{{{",
    "nothing": "",
    "a list": "[1, 2]",
    "a number": "7",
    "wrong types": '{"call": 7, "order": "now"}',
    "an unknown field": '{"call": "c1", "order": {"kind": "wrong", "alert": "a"}, "admin": true}',
    "an unknown field inside": '{"call": "c1", "order": {"kind": "wrong", "alert": "a", "sudo": 1}}',
    "an unknown kind": '{"call": "c1", "order": {"kind": "reboot"}}',
    "half an order": '{"call": "c1"}',
    "binary garbage": bytes(range(256)),
    "deep nesting": "[" * 100_000,
    "a long number": '{"call": "c1", "order": {"kind": "snooze", "seconds": 1' + "0" * 5000 + "}}",
    "broken UTF-8": b'{"call": "\xff\xfe", "order": {"kind": "wrong"}}',
}


@pytest.mark.parametrize("case", sorted(NONSENSE))
async def test_nonsense_from_a_listener_is_answered_and_the_stream_goes_on(case: str):
    async with a_hub() as place, place.listener() as listener:
        await next_line(listener)
        await listener.send(NONSENSE[case])
        line = await next_line(listener)
        assert line["type"] == "monitor.refused"
        assert "not a command" in line["data"]["reason"] or "no such open call" in line["data"]["reason"]
        place.hub.publish("c1", arrivals("c1", [started("c1")]))
        assert (await next_line(listener))["type"] == "monitor.call.started"


# --- publishers ---


@pytest.mark.parametrize(
    "claim",
    [
        {"call": "c9", "agent": "bert", "team": "north"},
        {"call": "c9", "agent": "anna", "team": "south"},
        {"call": "c9"},
        {"call": "taken", "agent": "anna", "team": "north"},
    ],
)
async def test_a_publisher_sends_its_own_calls_only(claim: dict[str, str], place: Place, others: Others):
    place.hub.publish("taken", arrivals("taken", [started("taken", "bert", "north")]))
    before = place.hub.log.last
    async with place.publisher(additional_headers=shows(token("agent", "anna", "north"))) as monitor:
        await monitor.send(json.dumps(claim))
        assert await ended(monitor) == (1008, "This call is not yours to publish.")
    assert place.hub.log.last == before
    await others.hear_everything()


async def test_a_supervisor_publishes_nothing(place: Place):
    async with place.publisher(additional_headers=shows(token("supervisor", None, "*"))) as monitor:
        await monitor.send(json.dumps({"call": "c1", "agent": "anna"}))
        assert (await ended(monitor))[0] == 1008


CLAIMS: dict[str, str | bytes] = {
    "no JSON": "hello",
    "a call without a name": '{"call": ""}',
    "a name of a thousand letters": json.dumps({"call": "c" * 1000}),
    "a name with a path": json.dumps({"call": "../../etc/passwd"}),
    "a name with a line break": json.dumps({"call": "c\nd"}),
    "an unknown field": '{"call": "c1", "admin": true}',
    "a call that is a list": '{"call": ["c1"]}',
    "bytes": b"\x00\x01\x02",
}


@pytest.mark.parametrize("case", sorted(CLAIMS))
async def test_a_publisher_that_does_not_say_properly_whose_call_it_is(case: str):
    async with a_hub() as place, place.publisher() as monitor:
        await monitor.send(CLAIMS[case])
        code, reason = await ended(monitor)
        assert code == 1008
        assert reason.startswith("The first message must be")
        assert not place.hub.calls


def other_than_announced(call: str, agent: str) -> bytes:
    return lines(call, [started(call, agent, "north")])


LINES: dict[str, tuple[bytes, str]] = {
    "another call": (lines("c2", [started("c2")]), "another call"),
    "another agent": (other_than_announced("c1", "bert"), "another agent"),
    "no JSON": (b"nonsense", "not an event"),
    "a kind that there is not": (
        lines("c1", [started("c1")]).replace(b"call.started", b"call.stolen"), "does not know"),
    "what only the hub says": (lines("c1", [Refused(reason="no")]), "Only the hub"),
    "no number": (lines("c1", [started("c1")]).replace(b'"000000000001"', b'"first"'), "no number"),
    "number zero": (lines("c1", [started("c1")]).replace(b'"000000000001"', b'"000000000000"'), "no number"),
    "a number of a thousand digits": (
        lines("c1", [started("c1")]).replace(b'"000000000001"', b'"' + b"9" * 1000 + b'"'), "no number"),
    "wrong types": (lines("c1", [alert(1)]).replace(b'"warn"', b'"deafening"'), "something is missing"),
    "words that must not be repeated": (b'{"specversion": "my card number is 4711', "not an event"),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(LINES))
async def test_lines_that_may_not_be_sent_end_the_connection_and_leave_nothing(
    case: str, place: Place, others: Others
):
    message, reason = LINES[case]
    async with place.publisher(additional_headers=shows(token("agent", "anna", "north"))) as monitor:
        await publish(monitor, "c1")
        before = place.hub.log.last
        await monitor.send(message)
        code, said = await ended(monitor)
        assert code == 1008
        assert reason in said
        assert "4711" not in said
        assert place.hub.log.last == before
    await others.hear_everything()


# --- too much, too fast, too slow ---

UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
)


async def answer(place: Place, *request: str) -> str:
    """What the hub answers to a request written by hand, up to the end of the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", place.address.port)
    writer.write(("\r\n".join(request) + "\r\n\r\n").encode())
    try:
        async with asyncio.timeout(SOON):
            return (await reader.read()).decode(errors="replace")
    except ConnectionResetError:
        return ""
    finally:
        writer.close()


async def test_a_frame_of_100_megabytes(place: Place, others: Others):
    headers = shows(token("supervisor", None, "*"))
    async with place.listener(additional_headers=headers) as listener:
        await next_line(listener)
        # The header of such a frame alone is enough to be refused: nothing of it is ever buffered.
        listener.transport.write(b"\x81\xff" + (100_000_000).to_bytes(8, "big") + b"mask" + b"x" * 1000)
        assert (await ended(listener))[0] == 1009
    await others.hear_everything()


async def test_a_message_of_many_small_pieces_is_counted_as_one():
    async with a_hub() as place, place.listener() as listener:
        await next_line(listener)

        async def pieces() -> AsyncIterator[str]:
            for _ in range(40):
                yield "x" * 65_536

        with contextlib.suppress(ConnectionClosed):
            await listener.send(pieces())
        assert (await ended(listener))[0] == 1009


@pytest.mark.parametrize(
    "headers",
    [
        ["X-Long: " + "x" * 100_000],
        [f"X-{n}: y" for n in range(1000)],
        ["no colon at all"],
    ],
    ids=["one of 100 kB", "a thousand", "malformed"],
)
async def test_huge_or_broken_headers(headers: list[str], place: Place, others: Others):
    said = await answer(place, "GET /events HTTP/1.1", "Host: 127.0.0.1", *UPGRADE, *headers)
    assert "101 Switching" not in said
    await others.hear_everything()


@pytest.mark.parametrize(
    "path",
    ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd", "//etc/passwd", "/.env",
     "/static/../../sinks/hub.py", "/%00", "/..\\..\\etc\\passwd", "/__init__.py"],
)  # fmt: skip
async def test_files_outside_the_page(path: str):
    async with a_hub() as place:
        said = await answer(place, f"GET {path} HTTP/1.1", "Host: 127.0.0.1")
        assert said.startswith("HTTP/1.1 404")
        assert "root:" not in said


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods_than_get(method: str):
    async with a_hub() as place:
        said = await answer(place, f"{method} /events HTTP/1.1", "Host: 127.0.0.1", "Content-Length: 0")
        assert " 200 " not in said.partition("\r\n")[0]


async def test_a_handshake_that_never_ends_is_ended():
    async with a_hub(limits=Limits(handshake_seconds=0.2)) as place:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.address.port)
        writer.write(b"GET /events HTTP/1.1\r\nHost: 127")
        async with asyncio.timeout(SOON):
            assert await reader.read() == b""
        writer.close()
        async with place.listener() as listener:
            assert (await next_line(listener))["type"] == "monitor.snapshot"


async def test_a_flood_of_connections_is_bounded_and_those_inside_notice_nothing():
    limits = Limits(per_source=50, new_at_once=60, new_per_second=1.0)
    async with a_hub(limits=limits) as place, place.listener() as listener:
        await next_line(listener)
        there = [await asyncio.open_connection("127.0.0.1", place.address.port) for _ in range(300)]
        async with asyncio.timeout(SOON):
            told = await asyncio.gather(*(reader.read(4096) for reader, _ in there[49:]))
        assert all(b"503" in words and b"Too many connections" in words for words in told)
        place.hub.publish("c1", arrivals("c1", [started("c1")]))
        assert (await next_line(listener))["type"] == "monitor.call.started"
        for _, writer in there:
            writer.close()


async def test_one_source_does_not_take_the_room_of_another():
    limits = Limits(per_source=10)
    async with a_hub(limits=limits) as place:
        flood = [await asyncio.open_connection("127.0.0.1", place.address.port) for _ in range(30)]
        async with connect(f"{place.url}/events", local_addr=("127.0.0.2", 0), proxy=None) as listener:
            assert (await next_line(listener))["type"] == "monitor.snapshot"
        for _, writer in flood:
            writer.close()


async def test_room_is_free_again_when_connections_have_gone():
    async with a_hub(limits=Limits(per_source=3)) as place:
        for _ in range(10):
            async with place.listener() as listener:
                await next_line(listener)
            await true(lambda: place.hub.listeners == 0)


async def test_a_listener_that_chatters_is_ended_for_it():
    slow = Limits(messages_per_second=0.1, messages_at_once=5)
    async with a_hub(limits=slow) as place, place.listener() as listener, place.listener() as quiet:
        await next_line(quiet)
        with contextlib.suppress(ConnectionClosed):
            for _ in range(1000):
                await listener.send("{}")
        code, reason = await ended(listener)
        assert code == 1008
        assert "too many messages" in reason
        place.hub.publish("c1", arrivals("c1", [started("c1")]))
        assert (await next_line(quiet))["type"] == "monitor.call.started"


@pytest.mark.parametrize("path", ["/events", "/publish"])
async def test_a_token_that_ends_while_its_bearer_listens_or_publishes(
    path: str, place: Place, others: Others
):
    headers = shows(token("agent", "anna", "north", seconds=1.2))
    async with connect(place.url + path, additional_headers=headers, proxy=None) as connection:
        code, reason = await ended(connection)
        assert code == 1008
        assert "token has expired" in reason or "whose call" in reason
    await others.hear_everything()


async def test_metrics_are_for_supervisors_where_tokens_are_wanted(place: Place):
    def ask(headers: dict[str, str]) -> Callable[[], Any]:
        return lambda: answer(
            place, "GET /metrics HTTP/1.1", "Host: 127.0.0.1", *(f"{k}: {v}" for k, v in headers.items())
        )

    assert (await ask({})()).startswith("HTTP/1.1 401")
    assert (await ask(shows(token("agent", "anna")))()).startswith("HTTP/1.1 401")
    assert (await ask(shows(token("supervisor", None, "*")))()).startswith("HTTP/1.1 200")
