"""Prints a call in a terminal: words of both sides, alerts with their explanation, and level meters.

In a terminal the lowest lines are updated in place (partial words, meters, progress); in a pipe only final
lines are printed.
"""

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from monitor.events import (
    CHANNELS,
    AlertOpened,
    AlertUpdated,
    CallEnded,
    CallStarted,
    Channel,
    Difficulty,
    Event,
    Level,
    Prosody,
    Quality,
    Silence,
    SpeechEnded,
    Status,
    Utterance,
)
from monitor.sinks import Line

SIDE_STYLE: dict[Channel, str] = {"agent": "bright_blue", "caller": "magenta"}
SHAPES = {"info": ("●", "cyan"), "warn": ("◆", "yellow"), "critical": ("▲", "bold red")}
PRAISE = ("✓", "green")
METER = 16
QUIETEST_DBFS = -60.0


def clock_text(seconds: float) -> str:
    """Formats seconds of the call as ``mm:ss``."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:02d}:{rest:02d}"


def meter(level_dbfs: float | None) -> str:
    """A bar of ``METER`` cells for a level between -60 dBFS and 0 dBFS."""
    share = 0.0 if level_dbfs is None else max(0.0, min(1.0, 1 - level_dbfs / QUIETEST_DBFS))
    cells = round(share * METER)
    return "━" * cells + "┄" * (METER - cells)


class Outlet(Console):
    """A console whose reader may close the pipe (`| head`) without an error."""

    def on_broken_pipe(self) -> None:
        """Raises the error, where Rich would end the process with code 1, so that the command handles it."""
        raise BrokenPipeError


class ConsoleSink:
    """Prints a call as it proceeds. ``length`` in seconds, if known, adds a progress display."""

    def __init__(self, console: Console, *, length: float | None = None) -> None:
        self._console = console
        self._length = length
        self._now = 0.0
        self._words = True
        self._partial: dict[Channel, str] = {}
        self._levels_told: dict[str, Level] = {}
        self._carded: set[str] = set()
        self._levels: dict[Channel, float | None] = dict.fromkeys(CHANNELS)
        self._difficulty: float | None = None
        self._over: list[Quality] = []
        self._status = self._notice = ""
        self._live = (
            Live(console=console, refresh_per_second=8, transient=True) if console.is_terminal else None
        )
        if self._live:
            self._live.start()

    def take(self, lines: Sequence[Line]) -> None:
        """Prints the next events, in order."""
        for line in lines:
            self._now = max(self._now, line.event.detected_at)
            self._show(line.event)
        if self._live:
            self._live.update(self._moving())

    def close(self) -> None:
        """Ends the display at the end of the call."""
        if self._live:
            self._live.stop()
            self._live = None

    def _show(self, event: Event) -> None:
        self._tell_over(event)
        match event:
            case Utterance():
                self._utterance(event)
            case AlertOpened() | AlertUpdated():
                self._alert(event)
            case SpeechEnded():
                self._levels[event.channel] = None
                if not self._words:
                    spoke = f"spoke for {event.end - event.start:.1f} s"
                    self._said(event.start, event.channel, spoke, "dim")
            case Silence():
                lasted = f"nobody spoke for {event.end - event.start:.1f} s"
                self._print(_row(clock_text(event.start), Text(""), Text(lasted, "dim")))
            case Quality():
                self._quality(event)
            case CallStarted():
                self._started(event)
            case CallEnded():
                self._ended(event)
            case _:
                self._remember(event)

    def _remember(self, event: Event) -> None:
        """Stores what only the updated lines show."""
        match event:
            case Prosody():
                self._levels[event.channel] = event.level_dbfs
            case Difficulty():
                self._difficulty = event.score
            case Status():
                if event.notice and event.notice not in self._notice:
                    self._print(Text(f"note: {event.notice}", style="yellow"))
                self._status = f"words {event.lag_s:.1f} s behind ({event.mode})" if event.lag_s > 1 else ""

    def _started(self, event: CallStarted) -> None:
        self._words = event.model != "none"
        band = "telephone band" if event.band == "narrow" else "wide band"
        words = f"words by {event.model}" if self._words else "no words (acoustic rules only)"
        self._print(Text(f"call {event.call} · {band} · {words} · profile {event.profile}", style="bold"))
        self._notice = event.notice or ""
        if event.notice:
            self._print(Text(f"note: {event.notice}", style="yellow"))

    def _utterance(self, event: Utterance) -> None:
        if not event.final:
            self._partial[event.channel] = event.text
            return
        self._partial.pop(event.channel, None)
        if event.text:
            self._said(event.start, event.channel, event.text)

    def _said(self, at: float, channel: Channel, text: str, style: str = "") -> None:
        self._print(_row(clock_text(at), Text(channel.capitalize(), SIDE_STYLE[channel]), Text(text, style)))

    def _alert(self, event: AlertOpened | AlertUpdated) -> None:
        """Prints an alert when it opens, and again only if its level rises or its card is shown."""
        carded = event.card and event.alert not in self._carded
        if carded:
            self._carded.add(event.alert)
        if self._levels_told.get(event.alert) == event.level:
            if carded:
                told = f"{clock_text(event.detected_at)}  now on the agent's screen: {event.message}"
                self._print(Text(told, style="dim"))
            return
        self._levels_told[event.alert] = event.level
        shape, style = PRAISE if event.praise else SHAPES[event.level]
        head = Text(f"{shape} {event.message}", style=style)
        why = Text(f"{event.summary} {event.rationale}")
        note = f"{event.rule} · {clock_text(event.at)}"
        note += " · on the agent's screen" if event.card else ""
        note += f" · no card: {event.withheld}" if event.withheld else ""
        self._print(Padding(Group(head, Padding(Group(why, Text(note, "dim")), (0, 0, 0, 2))), (0, 0, 0, 7)))

    def _tell_over(self, event: Event) -> None:
        """Prints that a problem is over, unless it was only ended by the end of the call."""
        if not self._over or (
            event.detected_at <= self._over[-1].detected_at and not isinstance(event, CallEnded)
        ):
            return
        over, self._over = self._over, []
        for trouble in over if not isinstance(event, CallEnded) else ():
            self._trouble(trouble)

    def _quality(self, event: Quality) -> None:
        if event.end is not None:
            self._over.append(event)
        else:
            self._trouble(event)

    def _trouble(self, event: Quality) -> None:
        self._print(_row(clock_text(event.detected_at), Text("Sound", "yellow"), Text(event.say, "yellow")))

    def _ended(self, event: CallEnded) -> None:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        # Keeps numbers with their units when a narrow terminal wraps the line.
        talk = ", ".join(f"{channel}\u00a0{event.talk.get(channel, 0):.0f}\u00a0s" for channel in CHANNELS)
        table.add_row("heard", f"{event.seconds:.1f} s" + (_speed(event) if self._length else ""))
        table.add_row(
            "talk", f"{talk}, both at once {event.overlap:.1f}\u00a0s, silence {event.silence:.0f}\u00a0s"
        )
        table.add_row(
            "interruptions", ", ".join(f"by {who} {n}" for who, n in event.interruptions.items()) or "none"
        )
        alerts = [f"{rule} ×{n}" if n > 1 else rule for rule, n in event.alerts.items()]
        table.add_row("alerts", ", ".join(alerts) or "none")
        if event.notice:
            table.add_row("note", event.notice)
        self._print(Group(Text(""), table))

    def _print(self, renderable: RenderableType) -> None:
        (self._live.console if self._live else self._console).print(renderable, highlight=False)

    def _moving(self) -> RenderableType:
        grid = Table.grid(padding=(0, 2))
        for channel in CHANNELS:
            grid.add_row(
                Text(f"{channel.capitalize():<7}", style=SIDE_STYLE[channel]),
                Text(meter(self._levels[channel]), style=SIDE_STYLE[channel]),
                Text(self._partial.get(channel, ""), style="dim italic", no_wrap=True, overflow="ellipsis"),
            )
        bar: RenderableType = Text("")
        if self._length:
            done = min(self._now, self._length)
            bar = ProgressBar(
                total=self._length, completed=done, width=METER, complete_style="cyan", finished_style="cyan"
            )
        state = "" if self._difficulty is None else f"difficulty {self._difficulty:.0f}"
        grid.add_row(Text(clock_text(self._now)), bar, Text("  ".join(filter(None, (state, self._status)))))
        if not self._notice:
            return grid
        return Group(grid, Text(f"note: {self._notice}", "yellow", no_wrap=True, overflow="ellipsis"))


def _row(time: str, side: Text, text: Text) -> Table:
    """A line of the call; wrapped text is indented to its column."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=6)
    grid.add_column(width=6)
    grid.add_column(overflow="fold")
    grid.add_row(Text(time, "dim"), side, text)
    return grid


def _speed(event: CallEnded) -> str:
    if not event.wall_seconds:
        return ""
    return f" in {event.wall_seconds:.1f} s ({event.seconds / event.wall_seconds:.0f} times real time)"
