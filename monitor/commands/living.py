"""Listening live: from the words of a command to devices, calls and their sinks."""

import asyncio
import contextlib
import math
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from monitor.audio.channels import HIGHEST_RATE, LOWEST_RATE
from monitor.call import About
from monitor.commands.playing import STOPPED, Playing, build_sinks, serving, tell_notice
from monitor.commands.uplinking import open_uplink
from monitor.errors import BadInput
from monitor.events import CHANNELS, Channel, Hook, Order, Reply
from monitor.sinks import Sink
from monitor.sources.capture import Capture
from monitor.sources.device import DeviceStream, devices, is_there, refresh
from monitor.sources.finding import Device, default_of, named
from monitor.sources.lane import Lane

if TYPE_CHECKING:
    from monitor.live import Day
    from monitor.session import Served
    from monitor.sinks.recorder import Recorder
    from monitor.sources.soundcheck import SoundCheck
    from monitor.speech.worker import Worker

STOP_PATIENCE = 0.25
"""Seconds that the end of a call waits for a hub that does not answer; the rest waits on disk."""


@dataclass(frozen=True, kw_only=True)
class Living(Playing):
    """How calls are to be heard, as the command line said it."""

    mic: str | None = None
    speaker: str | None = None
    device: str | None = None
    rate: int | None = None
    begin: Literal["heard", "told"] = "heard"
    end_after: float = 30.0
    preroll: float = 4.0
    once: bool = False
    record: Path | None = None

    def __post_init__(self) -> None:
        if self.device and (self.mic or self.speaker):
            raise BadInput("--device hears both sides; give it alone, or --mic and --speaker.")
        if self.rate is not None and not LOWEST_RATE <= self.rate <= HIGHEST_RATE:
            raise BadInput(f"--rate {self.rate} is not between {LOWEST_RATE} and {HIGHEST_RATE} Hz.")
        if not (math.isfinite(self.end_after) and self.end_after > 0):
            raise BadInput(f"--end-after {self.end_after:g} is no length of a silence; say for example 30.")
        if not 0 <= self.preroll <= 30:
            raise BadInput(f"--preroll {self.preroll:g} is not between 0 and 30 seconds.")


def listen(living: Living) -> int:
    """Hears calls until it is stopped; the exit code. The recogniser is loaded before a device is opened."""
    from monitor.live import Day
    from monitor.speech.models import choose
    from monitor.speech.worker import Worker

    lanes = choose_lanes(living)
    choice = choose(living.model)
    book, settings = living.book(), living.settings()
    tell_notice(choice.notice)
    recogniser = choice.recogniser()
    worker = Worker(recogniser) if recogniser else None
    day = Day(
        book=book,
        settings=settings,
        sources=tuple(lane.name for lane in lanes),
        sinks=partial(_sinks, living, None),
        recorder=_recording(living.record) if living.record else None,
        model=choice.name,
        notice=choice.notice,
        agent=living.agent,
        team=living.team,
        meta=living.metadata(),
        end_after=living.end_after,
        preroll=living.preroll,
        by_itself=living.begin == "heard",
        once=living.once,
    )
    served = serving(living.serve) if living.serve else None
    with contextlib.ExitStack() as closing:
        if worker:
            closing.callback(worker.close)
        return asyncio.run(_listen(living, day, lanes, worker, served))


async def _listen(
    living: Living, day: "Day", lanes: Sequence[Lane], worker: "Worker | None", served: "Served | None"
) -> int:
    from monitor.live import Live, stopping
    from monitor.sources.control import hooks
    from monitor.sources.waiting import warm_up

    capture = Capture(lanes, refresh)
    if served:
        day = replace(day, sinks=partial(_sinks, living, served))
    warm_up(capture.rate, day.settings.gate)
    live = Live(day, capture, worker)
    async with contextlib.AsyncExitStack() as closing:
        came = closing.enter_context(stopping(live))
        if served:
            await closing.enter_async_context(served.listening())
        await closing.enter_async_context(hooks(live.hook))
        if living.uplink:
            await closing.enter_async_context(standing_by(living, live.hook, day.say))
        closing.callback(capture.close)
        await live.until_stopped(capture.start())
        await live.run()
    return STOPPED if signal.SIGINT in came else 0


@contextlib.asynccontextmanager
async def standing_by(
    living: Living, answer: Callable[[Hook], Reply], say: Callable[[str], None]
) -> AsyncIterator[None]:
    """While inside, the agent's softphone may also speak through the hub."""
    from monitor.commands.uplinking import hub_of
    from monitor.sinks.hooks import Standing
    from monitor.sinks.standby import stand_by

    whose = Standing(agent=living.agent, team=living.team)
    standing = asyncio.create_task(
        stand_by(hub_of(living.uplink or "", living.token_file), whose, answer, say)
    )
    try:
        yield
    finally:
        standing.cancel()
        await asyncio.gather(standing, return_exceptions=True)


def _sinks(
    living: Living, served: "Served | None", about: About, order: Callable[[Order], None]
) -> list[Sink]:
    """Where one call goes."""
    sinks = build_sinks(living, None, tell_notice)
    if served:
        served.hub.answer_orders(about.call, order)
        sinks.append(served.hub)
    if living.uplink:
        uplink = open_uplink(living.uplink, living.token_file, call=about.call, agent=about.agent,
                             team=about.team, patience=STOP_PATIENCE)  # fmt: skip
        uplink.answer_orders(about.call, order)
        sinks.append(uplink)
    return sinks


def _recording(folder: Path) -> "Callable[[About], Recorder]":
    """What keeps the sound of each call in ``folder``. Raises ``BadInput`` before anything is heard."""
    from monitor.sinks.recorder import Recorder, folder_for

    folder = folder_for(folder)
    return lambda about: Recorder(folder, about.call, about.rate)


def check(living: Living) -> int:
    """The five-second sound check; exit code 1 when something is wrong."""
    return asyncio.run(_check(living))


async def _check(living: Living) -> int:
    from rich.console import Console
    from rich.live import Live as Screen

    from monitor.sources.soundcheck import SECONDS, SoundCheck

    capture = Capture(choose_lanes(living), refresh)
    checking = SoundCheck(capture.rate)
    console = Console()
    console.print("Say something while the softphone plays something (a test call, for example).")
    try:
        await capture.start()
        with Screen(console=console, refresh_per_second=12) as screen:
            while checking.heard < SECONDS:
                checking.feed(await capture.next())
                screen.update(_meters(checking))
    finally:
        capture.close()
    findings = checking.findings()
    for sentence in findings:
        console.print(f"- {sentence}")
    if not findings:
        console.print("Both sides are fine.")
    return 1 if findings else 0


def _meters(checking: "SoundCheck") -> str:
    from monitor.sinks.console import meter

    return "\n".join(
        f"{channel:<7}{meter(side.level_dbfs)} {side.level_dbfs:6.1f} dBFS"
        for channel, side in checking.sides.items()
    )


def choose_lanes(living: Living) -> list[Lane]:
    """The devices that were asked for, or the defaults. Raises ``BadInput``."""
    found = devices()
    if living.device:
        both = named(living.device, found)
        if both.channels < 2:
            raise BadInput(f"{both.name} has one channel; --device wants both sides of a call.")
        sides = CHANNELS if living.agent_channel == 0 else CHANNELS[::-1]
        return [_lane(both, sides, living.rate)]
    mic = named(living.mic, found) if living.mic else default_of("microphone", found)
    speaker = named(living.speaker, found) if living.speaker else default_of("loopback", found)
    if mic == speaker:
        raise BadInput(f"{mic.name} was named for both sides; if it has two channels, say --device.")
    return [_lane(mic, ("agent",), living.rate), _lane(speaker, ("caller",), living.rate)]


def _lane(device: Device, sides: tuple[Channel, ...], rate: int | None) -> Lane:
    """A lane that finds its device anew each time it is opened: numbers change when devices come and go."""
    rate = rate or device.rate

    def open_() -> DeviceStream:
        now = named(device.name, devices())
        if now.pulse != device.pulse:
            raise BadInput(f"{device.name} is not there just now.")
        stream = DeviceStream(rate, len(sides))
        stream.open(now)
        return stream

    return Lane(device.name, rate, sides, open_, pauses=device.pauses, there=partial(is_there, device))
