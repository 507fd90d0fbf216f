"""Drawing the board of a supervisor: a table of calls and a stream of alerts, or plain lines in a pipe."""

import asyncio
import contextlib
import signal

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from monitor.client.address import HubAddress
from monitor.client.hub_client import Connected, Disconnected, HubClient, HubEvent
from monitor.commands.board import LEVELS, BoardRow, CallBoard, Happened
from monitor.errors import BadInput
from monitor.events import Level
from monitor.sinks.console import SHAPES, Outlet, clock_text

STOPPED = 130
LONGEST_NAME, LONGEST_ID = 16, 12
WITH_TEAM, WITH_CALL = 72, 96
"""Columns from which there is room for more."""

NOTHING = "No calls just now. A row comes here by itself as soon as a call begins."
KINDS = ("alert", "call", "difficulty", "told")


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
        cells += [clock_text(row.seconds), _score(row.difficulty), _alerts(row)]
        cells += [row.call[-LONGEST_ID:]] if width >= WITH_CALL else []
        grid.add_row(*[_printable(cell) if isinstance(cell, str) else cell for cell in cells])
    return grid


def _score(difficulty: float | None) -> Text:
    if difficulty is None:
        return Text("–", "dim")
    style = SHAPES["critical"][1] if difficulty >= 70 else SHAPES["warn"][1] if difficulty >= 50 else ""
    return Text(f"{difficulty:.0f}", style)


def _alerts(row: BoardRow) -> Text:
    """The open alerts, the gravest first, each with its shape."""
    alerts = sorted(row.alerts.values(), key=lambda alert: LEVELS.index(alert.level), reverse=True)
    parts = [Text.assemble(_mark(alert.level), " ", _printable(alert.rule)) for alert in alerts]
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
