"""What ``monitor watch`` shows: a table of open calls and a stream of alerts, or plain lines in a pipe."""

import asyncio
import contextlib
import signal
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from monitor.client.address import HubAddress
from monitor.client.hub_client import Connected, Disconnected, HubClient, HubEvent
from monitor.commands.outputs import STOPPED
from monitor.errors import BadInput
from monitor.events import (
    AlertClosed,
    AlertEvent,
    AlertOpened,
    AlertUpdated,
    CallEnded,
    CallStarted,
    CommandApplied,
    Dropped,
    Event,
    Level,
    OpenCall,
    Refused,
    Snapshot,
    severity,
)
from monitor.sinks.console import SHAPES, Outlet, clock_text
from monitor.wire.call_state import CallState, by_level

LONGEST_NAME, LONGEST_ID = 16, 12
WITH_TEAM, WITH_CALL = 72, 96
"""Columns from which there is room for more."""

NOTHING = "No calls just now. A row comes here by itself as soon as a call begins."
KINDS = ("alert", "call", "difficulty", "told")


MOST_LINES = 200


@dataclass
class BoardRow(CallState):
    """An open call with its name."""

    call: str = ""


@dataclass(frozen=True)
class Happened:
    """One line of the stream: when in which call, how serious, and what."""

    call: str
    agent: str | None
    at: float
    level: Level | None
    text: str


class CallBoard:
    """Follows events, and remembers what a supervisor wants to see."""

    def __init__(self) -> None:
        self.rows: dict[str, BoardRow] = {}
        self.stream: deque[Happened] = deque(maxlen=MOST_LINES)

    def take(self, call: str, event: Event) -> list[Happened]:
        """Follows one event; what is new in the stream."""
        if isinstance(event, Snapshot):
            self.rows = {known.call: _row(known) for known in event.calls}
            return []
        news = list(self._news(call, event))
        self.stream.extend(news)
        return news

    def in_order(self) -> list[BoardRow]:
        """The calls, those that need somebody first."""
        return sorted(self.rows.values(), key=lambda row: (-_weight(row), -_score(row), row.call))

    def _news(self, call: str, event: Event) -> Iterator[Happened]:
        if isinstance(event, Dropped):
            yield Happened("", None, 0.0, None, f"{event.lines} lines left out: this terminal was too slow")
            return
        if isinstance(event, Refused):
            yield Happened("", None, 0.0, None, event.reason)
            return
        row = self.rows.setdefault(call, BoardRow(call=call))
        text = _applied(row, event)
        if text:
            level = event.level if isinstance(event, AlertOpened | AlertUpdated) else None
            yield Happened(call, row.agent, event.detected_at, level, text)
        if isinstance(event, CallEnded):
            del self.rows[call]


def _applied(row: BoardRow, event: Event) -> str | None:
    """Changes the row; a text if people should read of it."""
    before = row.alerts.get(event.alert) if isinstance(event, AlertEvent) else None
    row.apply(event)
    match event:
        case CallStarted():
            return "the call began"
        case CallEnded():
            return "the call ended" + (f": {event.notice}" if event.notice else "")
        case CommandApplied():
            return f"{event.by or 'somebody'}: {event.kind}" + (f" “{event.text}”" if event.text else "")
        case AlertClosed():
            return None
        case AlertEvent() if before is None or before.level != event.level:
            return f"{event.title}: {event.summary}"
    return None


def _row(known: OpenCall) -> BoardRow:
    return BoardRow(**vars(CallState.of(known)), call=known.call)


def _score(row: BoardRow) -> float:
    return row.difficulty.score if row.difficulty else 0.0


def _weight(row: BoardRow) -> int:
    return severity(row.worst) + 1 if row.worst else 0


# --- drawing it ---


def watch(hub: HubAddress, filters: dict[str, list[str]]) -> int:
    """Watches until Ctrl-C (130) or SIGTERM (0)."""
    console = Outlet()
    show: WatchScreen | WatchLines = WatchScreen(console) if console.is_terminal else WatchLines(console)
    try:
        return asyncio.run(_watch(HubClient(hub), {**filters, "kind": list(KINDS)}, show))
    finally:
        show.close()


async def _watch(client: HubClient, filters: dict[str, list[str]], show: "WatchScreen | WatchLines") -> int:
    loop = asyncio.get_running_loop()
    following = asyncio.ensure_future(_follow(client, filters, show))
    code = [0]

    def stop(number: int) -> None:
        code[0] = number
        following.cancel()

    for number, exit_code in ((signal.SIGINT, STOPPED), (signal.SIGTERM, 0)):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt instead
            loop.add_signal_handler(number, stop, exit_code)
    with contextlib.suppress(asyncio.CancelledError):
        await following
    return code[0]


async def _follow(client: HubClient, filters: dict[str, list[str]], show: "WatchScreen | WatchLines") -> None:
    """Shows what comes. Raises ``BadInput`` where the hub refuses this terminal."""
    board = CallBoard()
    async with contextlib.aclosing(client.follow(filters)) as news:
        async for one in news:
            match one:
                case HubEvent():
                    show.show(board, board.take(one.call, one.event))
                case Disconnected(refused=True):
                    raise BadInput(f"{one.reason[0].upper()}{one.reason[1:]}.")
                case Disconnected():
                    show.tell(board, f"{one.reason}; trying again")
                case Connected():
                    show.tell(board, "catching up" if one.resumed else "listening")


class WatchLines:
    """Plain lines, one for each thing that happened."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told = ""

    def show(self, board: CallBoard, news: list[Happened]) -> None:
        """Prints what is new."""
        for happened in news:
            self._print(_plain(happened))

    def tell(self, board: CallBoard, text: str) -> None:
        """Prints how the line stands, once."""
        if text != self._told:
            self._told = text
            self._print(f"# {text}")

    def close(self) -> None:
        """Nothing is held back."""

    def _print(self, text: str) -> None:
        self._console.file.write(text + "\n")
        self._console.file.flush()


class WatchScreen:
    """The whole terminal, drawn anew four times a second at most."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told = "connecting"
        self._board = CallBoard()
        self._live = Live(console=console, screen=True, refresh_per_second=4, get_renderable=self._picture)
        self._live.start()

    def show(self, board: CallBoard, news: list[Happened]) -> None:
        """The next picture shows it."""
        self._board = board
        if self._told == "catching up":
            self._told = "listening"

    def tell(self, board: CallBoard, text: str) -> None:
        """The next picture shows how the line stands."""
        self._board = board
        self._told = text

    def close(self) -> None:
        """Gives the terminal back."""
        self._live.stop()

    def _picture(self) -> Group:
        rows = self._board.in_order()
        room = max(3, self._console.height - 8)
        calls = min(len(rows), room // 2)
        stream = list(self._board.stream)[-(room - calls) :]
        calls_open = "1 open call" if len(rows) == 1 else f"{len(rows)} open calls"
        head = Text.assemble((calls_open, "bold"), (f" · {self._told} · Ctrl-C ends", "dim"))
        if not rows and not stream:
            return Group(head, Text(), Text(NOTHING, "dim"))
        return Group(
            head,
            Text(),
            table(rows[:calls], self._console.width),
            Text(),
            *[styled(happened) for happened in stream],
        )


def table(rows: list[BoardRow], width: int) -> Table:
    """The open calls. What a narrow terminal has no room for is left out: the call's id, then the team."""
    grid = Table(expand=True, box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    longest = max((len(row.agent or "") for row in rows), default=0)
    grid.add_column("", width=1)
    grid.add_column("agent", width=min(LONGEST_NAME, max(5, longest)), no_wrap=True)
    if width >= WITH_TEAM:
        grid.add_column("team", max_width=LONGEST_NAME, no_wrap=True)
    grid.add_column("length", width=6)
    grid.add_column("hard", width=4, justify="right")
    grid.add_column("open alerts", ratio=1, no_wrap=True, overflow="ellipsis")
    if width >= WITH_CALL:
        grid.add_column("call", max_width=LONGEST_ID, no_wrap=True)
    for row in rows:
        cells: list[str | Text] = [_mark(row.worst), row.agent or "–"]
        cells += [row.team or "–"] if width >= WITH_TEAM else []
        cells += [clock_text(row.seconds), _difficulty(row), _alerts(row)]
        cells += [row.call[-LONGEST_ID:]] if width >= WITH_CALL else []
        grid.add_row(*[_printable(cell) if isinstance(cell, str) else cell for cell in cells])
    return grid


def _difficulty(row: BoardRow) -> Text:
    if row.difficulty is None:
        return Text("–", "dim")
    score = row.difficulty.score
    style = SHAPES["critical"][1] if score >= 70 else SHAPES["warn"][1] if score >= 50 else ""
    return Text(f"{score:.0f}", style)


def _alerts(row: BoardRow) -> Text:
    """The open alerts, the gravest first, each with its shape."""
    alerts = by_level(row.alerts.values())
    parts = [Text.assemble(_mark(alert.level), " ", _printable(alert.title)) for alert in alerts]
    return Text("  ").join(parts) if parts else Text("quiet", "dim")


def styled(happened: Happened) -> Text:
    """One line of the stream for a terminal."""
    line = Text.assemble(_mark(happened.level), " ", (clock_text(happened.at), "dim"), "  ", no_wrap=True)
    line.overflow = "ellipsis"
    line.append(_printable(happened.agent or happened.call), style="bold")
    return line.append(_printable(f"  {happened.text}"))


def _mark(level: Level | None) -> Text:
    shape, style = SHAPES[level] if level else (" ", "")
    return Text(shape, style)


def _plain(happened: Happened) -> str:
    who = happened.agent or "-"
    fields = (clock_text(happened.at), happened.call, who, happened.level or "-", happened.text)
    return "\t".join(_printable(field) for field in fields)


def _printable(text: str) -> str:
    """What others have written must not move the cursor or change the colours of this terminal."""
    return "".join(letter if letter.isprintable() else "·" for letter in text)
