"""The public functions: replay a recording, and follow a hub. ``import monitor`` offers them."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

from monitor.client.address import parse_hub
from monitor.client.hub_client import Connected, Disconnected, HubClient, HubEvent, HubNews
from monitor.errors import BadInput
from monitor.events import Event, Level
from monitor.playback import CallOptions, replay_batches
from monitor.rules.rule_set import RuleSet


def replay(
    *recordings: str | Path,
    model: str | None = None,
    rules: RuleSet | str | Path | None = None,
    profile: str = "default",
    agent_channel: int = 1,
) -> Iterator[Event]:
    """Yields the events of a recorded call in the order in which they could first be said.

    The recording passes through the core of a live call, as fast as the machine can. The first event is
    ``CallStarted``, the last ``CallEnded``.

    Args:
        recordings: One stereo file, two mono files (caller first), or one journal.
        model: A Whisper model by name or folder, ``"none"`` for no words, None for what fits the recording.
        rules: A ``RuleSet``, or a file or folder of rules; None for the bundled rules.
        profile: Who may see what: ``"default"``, ``"eu"`` or ``"quiet"``. A ``RuleSet`` has its own.
        agent_channel: The channel of a stereo file (0 or 1) that carries the agent.

    Raises:
        BadInput: A file cannot be read, a model is missing or a rule is wrong; the message says which.
    """
    if not recordings:
        raise BadInput("There is nothing to replay: name a recording or a journal.")
    chosen = rules if isinstance(rules, RuleSet) or rules is None else Path(rules)
    options = CallOptions(model=model, rules=chosen, profile=profile, agent_channel=agent_channel)
    batches = replay_batches([Path(one) for one in recordings], options)
    return (event for events in batches for event in events)


@contextlib.asynccontextmanager
async def connect(
    url: str = "ws://127.0.0.1:8765",
    *,
    token: str | None = None,
    teams: Sequence[str] = (),
    agents: Sequence[str] = (),
    calls: Sequence[str] = (),
    kinds: Sequence[str] = (),
    level: Level = "info",
    since: int | None = None,
    log: str | None = None,
    status: Callable[[Connected | Disconnected], None] = lambda _: None,
) -> AsyncGenerator[AsyncIterator[HubEvent], None]:
    """Follows the live calls of a hub: ``async with connect(url) as stream: async for item in stream: ...``.

    The stream has no end; it reconnects and resumes after every loss of the connection. Each item has a
    ``call`` (its name) and an ``event``. The first event is a ``Snapshot`` of the open calls,
    unless ``since`` and ``log`` say where to resume. Nothing is lost and nothing comes twice.

    Args:
        url: The hub: ``ws://`` on this machine, ``wss://`` elsewhere.
        token: What ``monitor token`` printed; needed for a hub on another machine.
        teams: Only calls of these teams; all that the token allows when empty. So for the next two.
        agents: Only calls of these agents.
        calls: Only these calls.
        kinds: Only these kinds of events, by name (``"alert.opened"``) or first word (``"alert"``).
        level: Only alerts of this level and above.
        since: The last sequence received, to resume after it.
        log: The log that ``since`` belongs to, as the snapshot named it.
        status: Is called with each connection and with each loss and its reason.

    Raises:
        BadInput: The address is wrong, or the hub refuses this client; the message says why.
    """
    lists = {"team": teams, "agent": agents, "call": calls, "kind": kinds, "level": (level,)}
    client = HubClient(parse_hub(url, lambda: token), since=since, log=log)
    filters = {key: values for key, values in lists.items() if values}
    async with contextlib.aclosing(client.follow(filters)) as received:
        yield _events(received, url, status)


async def _events(
    received: AsyncIterator[HubNews], url: str, status: Callable[[Connected | Disconnected], None]
) -> AsyncIterator[HubEvent]:
    async for news in received:
        if isinstance(news, HubEvent):
            yield news
            continue
        status(news)
        if isinstance(news, Disconnected) and news.refused:
            raise BadInput(f"The connection to {url} ended: {news.reason.rstrip('.')}.")
