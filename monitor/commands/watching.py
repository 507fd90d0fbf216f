"""Drawing the board of a supervisor: a table of calls and a stream of alerts, or plain lines in a pipe."""

import asyncio
import contextlib
import signal
from collections.abc import Callable

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from monitor.commands.board import Board, Happened, Row
from monitor.events import Level
from monitor.sinks.console import SHAPES, clock_text
from monitor.sinks.follow import Back, Broken, Follower, Told
from monitor.sinks.hub_address import HubAddress

STOPPED = 130
KINDS = ("alert", "call", "difficulty", "told")


def watch(hub: HubAddress, filters: dict[str, list[str]]) -> int:
    """Watches until Ctrl-C (130) or SIGTERM (0)."""
    console = Console()
    show: Screen | Lines = Screen(console) if console.is_terminal else Lines(console)
    follower = Follower(hub, {**filters, "kind": list(KINDS)})
    try:
        return asyncio.run(_watch(follower, show))
    finally:
        show.close()


async def _watch(follower: Follower, show: "Screen | Lines") -> int:
    loop = asyncio.get_running_loop()
    following = asyncio.ensure_future(_follow(follower, show))
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


async def _follow(follower: Follower, show: "Screen | Lines") -> None:
    board = Board()
    async for news in follower.news():
        match news:
            case Told():
                show.show(board, board.take(news.call, news.event))
            case Broken():
                show.tell(board, f"{news.reason}; trying again")
            case Back():
                show.tell(board, "catching up" if news.resumed else "listening")


class Lines:
    """Plain lines, one for each thing that happened."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told = ""

    def show(self, board: Board, news: list[Happened]) -> None:
        """Prints what is new."""
        for happened in news:
            self._print(_plain(happened))

    def tell(self, board: Board, text: str) -> None:
        """Prints how the line stands, once."""
        if text != self._told:
            self._told = text
            self._print(f"# {text}")

    def close(self) -> None:
        """Nothing is held back."""

    def _print(self, text: str) -> None:
        self._console.file.write(text + "\n")
        self._console.file.flush()


class Screen:
    """The whole terminal, drawn anew four times a second at most."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told = "connecting"
        self._board = Board()
        self._live = Live(console=console, screen=True, refresh_per_second=4, get_renderable=self._picture)
        self._live.start()

    def show(self, board: Board, news: list[Happened]) -> None:
        """The next picture shows it."""
        self._board = board
        if self._told == "catching up":
            self._told = "listening"

    def tell(self, board: Board, text: str) -> None:
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
        head = Text(f"{len(rows)} open calls · {self._told} · Ctrl-C ends", style="bold")
        return Group(head, table(rows[:calls]), *[styled(happened) for happened in stream])


def table(rows: list[Row]) -> Table:
    """The open calls."""
    grid = Table(expand=True, box=None, header_style="dim")
    columns: list[tuple[str, Callable[[Row], str | Text]]] = [
        ("", lambda row: _mark(row.worst)),
        ("agent", lambda row: row.agent or "–"),
        ("team", lambda row: row.team or "–"),
        ("length", lambda row: clock_text(row.seconds)),
        ("difficulty", lambda row: "–" if row.difficulty is None else f"{row.difficulty:.0f}"),
        ("open alerts", lambda row: ", ".join(alert.rule for alert in row.alerts.values())),
        ("call", lambda row: row.call),
    ]
    for name, _ in columns:
        grid.add_column(name, no_wrap=True)
    for row in rows:
        cells = [cell(row) for _, cell in columns]
        grid.add_row(*[_printable(cell) if isinstance(cell, str) else cell for cell in cells])
    return grid


def styled(happened: Happened) -> Text:
    """One line of the stream for a terminal."""
    line = Text.assemble(_mark(happened.level), " ", (clock_text(happened.at), "dim"), " ")
    return line.append(_printable(f"{happened.agent or happened.call}  {happened.text}"))


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
