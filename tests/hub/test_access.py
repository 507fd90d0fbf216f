"""Tokens, roles and filters: who may hear, say and publish what."""

from collections.abc import Callable

import jwt
import pytest

from monitor import clock
from monitor.errors import BadInput
from monitor.hub.access import (
    LOCAL,
    Identity,
    StreamFilter,
    Viewer,
    bearer,
    identify,
    may_publish,
    mint,
    stream_filter,
)
from monitor.wire.messages import CallIdentity
from tests.hub.hubs import SECRET, alert, level, said


def test_a_token_says_who_somebody_is_for_as_long_as_it_was_made_for():
    who = identify(mint(SECRET, role="agent", agent="anna", teams=("north",), seconds=60), SECRET)
    assert (who.role, who.agent, who.teams, who.local) == ("agent", "anna", ("north",), False)
    assert who.expires
    assert 50 < who.expires - clock.unix() <= 60


def test_without_a_secret_everybody_here_is_local():
    assert identify(None, None) == LOCAL


def forged(**claims: object) -> str:
    plain = {"role": "supervisor", "teams": ["*"], "exp": clock.unix() + 60, **claims}
    return jwt.encode({k: v for k, v in plain.items() if v is not None}, SECRET, algorithm="HS256")


def unsigned(**claims: object) -> str:
    return jwt.encode({"role": "supervisor", **claims}, None, algorithm="none")


def other_algorithm(**claims: object) -> str:
    return jwt.encode({"role": "supervisor", **claims}, SECRET * 2, algorithm="HS512")


BAD: dict[str, Callable[[], str | None]] = {
    "none at all": lambda: None,
    "empty": lambda: "",
    "no token": lambda: "swordfish",
    "another secret": lambda: mint("y" * 40, role="supervisor", agent=None, teams=("*",), seconds=60),
    "expired": lambda: mint(SECRET, role="supervisor", agent=None, teams=("*",), seconds=-1),
    "no algorithm": lambda: unsigned(exp=clock.unix() + 60),
    "another algorithm": lambda: other_algorithm(exp=9e9),
    "no end": lambda: forged(exp=None),
    "no role": lambda: forged(role=None),
    "a role that there is not": lambda: forged(role="root"),
    "teams that are no list": lambda: forged(teams="north"),
    "a name that is a number": lambda: forged(sub=7),
    "not yet": lambda: forged(nbf=clock.unix() + 3600),
    "an end that is a word": lambda: forged(exp="soon"),
    "cut off": lambda: forged()[:-4],
    "payload changed": lambda: forged(role="agent").rpartition(".")[0] + "." + forged().rpartition(".")[2],
}  # fmt: skip
"""Tokens that open nothing, each made when it is used: a suite may take longer than a token lives."""


@pytest.mark.parametrize("case", sorted(BAD))
def test_a_token_that_is_not_ours_is_refused_without_repeating_it(case: str):
    token = BAD[case]()
    with pytest.raises(BadInput) as refused:
        identify(token, SECRET)
    assert not token or token[:12] not in str(refused.value)


@pytest.mark.parametrize(
    ("role", "agent", "teams"), [("agent", None, ("north",)), ("supervisor", "boss", ()), ("agent", "", ())]
)
def test_a_token_that_would_open_nothing_is_not_made(role: str, agent: str | None, teams: tuple[str, ...]):
    with pytest.raises(BadInput, match="give --"):
        mint(SECRET, role=role, agent=agent, teams=teams, seconds=60)


def test_the_filters_of_an_address():
    asked = stream_filter("since=7&team=north,south&team=east&call=c1&kind=alert&level=warn&role=agent")
    assert asked == StreamFilter(
        since=7, teams=frozenset({"north", "south", "east"}), calls=frozenset({"c1"}), level="warn",
        kinds=frozenset({"alert"}), role="agent",
    )  # fmt: skip


@pytest.mark.parametrize(
    "query", ["since=x", "since=", "level=loud", "role=root", "colour=red", "since=1.5", "%00=1", "="]
)
def test_an_address_that_asks_for_what_there_is_not_is_refused(query: str):
    with pytest.raises(BadInput, match="The address asks"):
        stream_filter(query)


AGENT = Identity(role="agent", agent="anna")
NORTH = Identity(role="supervisor", teams=("north",))


@pytest.mark.parametrize(
    ("who", "agent", "team", "enters"),
    [
        (AGENT, "anna", "north", True),
        (AGENT, "anna", None, True),
        (AGENT, "bert", "north", False),
        (AGENT, None, None, False),
        (NORTH, "anna", "north", True),
        (NORTH, "anna", "south", False),
        (NORTH, "anna", None, False),
        (Identity(role="supervisor", teams=("*",)), None, None, True),
        (Identity(role="agent", agent=None), None, None, False),
        (LOCAL, None, None, True),
    ],
)
def test_who_may_enter_a_call(who: Identity, agent: str | None, team: str | None, enters: bool):
    assert Viewer(who=who, wants=StreamFilter()).may_enter("c1", agent, team) is enters


def test_an_alert_is_for_those_it_names_and_a_private_one_for_the_agent():
    boss, anna = (Viewer(who=who, wants=StreamFilter()) for who in (NORTH, AGENT))
    private = alert(1, to=("agent", "supervisor"), private=True)
    assert (boss.may_see(private), anna.may_see(private)) == (False, True)
    for_boss = alert(1, to=("supervisor",))
    assert (boss.may_see(for_boss), anna.may_see(for_boss)) == (True, False)


def test_levels_and_kinds():
    loud = Viewer(who=LOCAL, wants=stream_filter("level=warn&kind=alert,prosody"))
    assert loud.may_see(alert(1, level="critical"))
    assert not loud.may_see(alert(1, level="info"))
    assert loud.may_see(level(1.0))
    assert not loud.may_see(said(1, "hello"))


def test_kinds_may_be_left_out():
    rest = Viewer(who=LOCAL, wants=stream_filter("kind=-prosody,-alert"))
    assert rest.may_see(said(1, "hello"))
    assert not rest.may_see(level(1.0))
    assert not rest.may_see(alert(1, level="critical"))


def test_only_an_agent_publishes_and_only_their_own_calls():
    anna = Identity(role="agent", agent="anna", teams=("north",))
    assert may_publish(anna, CallIdentity(call="c", agent="anna", team="north"))
    assert may_publish(anna, CallIdentity(call="c", agent="anna"))
    for agent, team in (("bert", "north"), ("anna", "south"), (None, None)):
        assert not may_publish(anna, CallIdentity(call="c", agent=agent, team=team))
    assert not may_publish(NORTH, CallIdentity(call="c", agent="boss", team="north"))
    assert may_publish(LOCAL, CallIdentity(call="c"))


@pytest.mark.parametrize(
    ("headers", "protocols", "token"),
    [
        ({"Authorization": "Bearer abc"}, "", "abc"),
        ({"Authorization": "bearer  abc "}, "", "abc"),
        ({"Authorization": "Basic abc"}, "", None),
        ({"Authorization": "Bearer"}, "", None),
        ({}, "monitor.v1, token.abc", "abc"),
        ({}, "monitor.v1", None),
    ],
)
def test_where_a_token_stands(headers: dict[str, str], protocols: str, token: str | None):
    assert bearer(headers, protocols) == token
