"""Access: tokens, roles, and the filters of a listener.

On loopback no token is needed. Anywhere else each connection shows a signed token (JWT, HS256) that
names a role: an *agent* hears their own calls, a *supervisor* the calls of their teams, a *publisher*
(an agent's monitor) sends the calls of one agent.
"""

from collections.abc import Mapping
from typing import Literal
from urllib.parse import parse_qs

import jwt
import msgspec
from jwt.types import Options

from monitor import clock
from monitor.errors import BadInput
from monitor.events import LEVELS, AlertEvent, Event, Level, severity
from monitor.wire.messages import CallIdentity

Role = Literal["agent", "supervisor"]
ALGORITHM = "HS256"
EVERY_TEAM = "*"
SHORTEST_SECRET = 32


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Whose connection it is. ``local``: somebody on this machine, without a token."""

    role: Role = "supervisor"
    agent: str | None = None
    teams: tuple[str, ...] = ()
    expires: float | None = None
    local: bool = False


LOCAL = Identity(role="supervisor", teams=(EVERY_TEAM,), local=True)


class _Claims(msgspec.Struct, frozen=True, kw_only=True):
    role: Role
    exp: float
    sub: str | None = None
    teams: tuple[str, ...] = ()


def mint(secret: str, *, role: Role, agent: str | None, teams: tuple[str, ...], seconds: float) -> str:
    """A token that is valid for ``seconds``. Raises ``BadInput`` where the agent or the teams are missing."""
    if role == "agent" and not agent:
        raise BadInput("A token for an agent needs to say which: give --agent NAME.")
    if role == "supervisor" and not teams:
        raise BadInput("A token for a supervisor needs at least one team: give --team NAME (or --team '*').")
    now = clock.unix()
    claims = {"role": role, "sub": agent, "teams": list(teams), "iat": now, "exp": now + seconds}
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, secret, algorithm=ALGORITHM)


def identify(token: str | None, secret: str | None) -> Identity:
    """The identity in a token. Raises ``BadInput`` with a reason that repeats nothing of the token."""
    if secret is None:
        return LOCAL
    if not token:
        raise BadInput("A token is needed here; ask for one made with `monitor token`.")
    try:
        options: Options = {"require": ["exp", "role"], "verify_sub": False}
        plain = jwt.decode(token, secret, algorithms=[ALGORITHM], options=options)
        claims = msgspec.convert(plain, _Claims, strict=False)
    except jwt.ExpiredSignatureError:
        raise BadInput("This token has expired; ask for a new one.") from None
    except (jwt.InvalidTokenError, msgspec.ValidationError):
        raise BadInput("This token is not valid here.") from None
    return Identity(role=claims.role, agent=claims.sub, teams=claims.teams, expires=claims.exp)


class StreamFilter(msgspec.Struct, frozen=True, kw_only=True):
    """The query of a listener's address. ``since`` is the last sequence it has, of the log ``log``."""

    role: Role | None = None
    since: int | None = None
    log: str | None = None
    teams: frozenset[str] = frozenset()
    agents: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    level: Level = "info"

    def admits(self, name: str) -> bool:
        """Whether events of this name were asked for: by name, by first word, or by not being left out."""
        names = {name, name.split(".")[0]}
        left_out = {kind.removeprefix("-") for kind in self.kinds if kind.startswith("-")}
        wanted = {kind for kind in self.kinds if not kind.startswith("-")}
        return not names & left_out and (not wanted or bool(names & wanted))


_LISTS = {"team": "teams", "agent": "agents", "call": "calls", "kind": "kinds"}


def stream_filter(query: str) -> StreamFilter:
    """The filters in ``?since=..&log=..&team=..&agent=..&call=..&kind=..&level=..&role=..``.

    Lists repeat the key or use commas. Raises ``BadInput`` for a key or value that is not known.
    """
    fields: dict[str, object] = {}
    for key, values in parse_qs(query, keep_blank_values=True).items():
        if key in _LISTS:
            fields[_LISTS[key]] = [name for value in values for name in value.split(",") if name]
        elif key in ("since", "log", "level", "role"):
            fields[key] = values[-1]
        else:
            raise BadInput(f"The address asks for {key[:20]!r}, which the hub does not know.")
    try:
        return msgspec.convert(fields, StreamFilter, strict=False)
    except msgspec.ValidationError:
        possible = f"since is a number, level one of {', '.join(LEVELS)}, role is agent or supervisor"
        raise BadInput(f"The address asks for something impossible: {possible}.") from None


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """An identity with its filters: the one place that decides whether an event may be seen."""

    who: Identity
    wants: StreamFilter

    @property
    def audience(self) -> "Viewer":
        """Equal for all viewers who may see the same, whatever they resume from."""
        return Viewer(who=self.who, wants=msgspec.structs.replace(self.wants, since=None, log=None))

    @property
    def role(self) -> Role:
        """The role of the view; a local listener may choose it."""
        return self.wants.role or self.who.role if self.who.local else self.who.role

    def may_enter(self, call: str, agent: str | None, team: str | None) -> bool:
        """Whether the call is one that this viewer may see."""
        who, wants = self.who, self.wants
        if not who.local:
            own = who.role == "agent" and agent is not None and agent == who.agent
            led = who.role == "supervisor" and (
                EVERY_TEAM in who.teams or (team is not None and team in who.teams)
            )
            if not (own or led):
                return False
        return (
            (not wants.calls or call in wants.calls)
            and (not wants.agents or agent in wants.agents)
            and (not wants.teams or team in wants.teams)
        )

    def may_see(self, event: Event) -> bool:
        """Whether an event of such a call is for this viewer's role and filters."""
        wants = self.wants
        if not wants.admits(event.name):
            return False
        if isinstance(event, AlertEvent):
            looks_as_nobody = self.who.local and self.wants.role is None
            if event.private and self.role != "agent":
                return False
            if self.role not in event.to and not looks_as_nobody:
                return False
            return severity(event.level) >= severity(wants.level)
        return True


def may_publish(who: Identity, claimed: CallIdentity) -> bool:
    """Whether a publisher may send a call: only those of its own agent, for a team of the token."""
    return why_not_publish(who, claimed) is None


def why_not_publish(who: Identity, claimed: CallIdentity) -> str | None:
    """How the token and the claim differ, in words for the holder of the token; None where they agree."""
    if who.local:
        return None
    if who.role != "agent":
        return "the token is a supervisor's, and a monitor shows its agent's"
    if claimed.agent != who.agent:
        return f"the token is agent {(who.agent or '?')[:24]}'s; say so with --agent"
    if claimed.team is not None and claimed.team not in who.teams:
        return "the token is not for the team of --team"
    return None


def bearer(headers: Mapping[str, str], protocols: str) -> str | None:
    """The token of a connection: ``Authorization: Bearer`` or, for browsers, a ``token.JWT`` subprotocol."""
    kind, _, token = headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer" and token:
        return token.strip()
    offers = (offer.strip() for offer in protocols.split(","))
    return next((offer.removeprefix("token.") for offer in offers if offer.startswith("token.")), None)
