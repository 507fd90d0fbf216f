"""Listening live: from the words of a command to devices, calls and their sinks."""

import asyncio
import contextlib
import math
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from monitor.call import CallInfo
from monitor.commands.playing import STOPPED, Playing, build_sinks, serving, tell_notice
from monitor.commands.uplinking import open_uplink
from monitor.errors import BadInput
from monitor.events import CHANNELS, CallControl, CallControlAnswer, Channel, Command
from monitor.sinks import Sink
from monitor.sources.capture import Capture
from monitor.sources.channel_stream import ChannelStream
from monitor.sources.channels import HIGHEST_RATE, LOWEST_RATE
from monitor.sources.device import Device, DeviceStream, default_of, devices, is_there, named, refresh

if TYPE_CHECKING:
    from monitor.client.uplink import Uplink
    from monitor.live import LiveSettings
    from monitor.session import Served
    from monitor.sinks.recorder import Recorder
    from monitor.speech.recogniser import RecogniserThread

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
    from monitor.live import LiveSettings
    from monitor.speech.model_store import choose
    from monitor.speech.recogniser import RecogniserThread

    lanes = choose_lanes(living)
    choice = choose(living.model)
    book, settings = living.book(), living.settings()
    tell_notice(choice.notice)
    recogniser = choice.recogniser()
    worker = RecogniserThread(recogniser) if recogniser else None
    day = LiveSettings(
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
    served = serving(living.serve, lasts="until this monitor ends") if living.serve else None
    with contextlib.ExitStack() as closing:
        if worker:
            closing.callback(worker.close)
        return asyncio.run(_listen(living, day, lanes, worker, served))


async def _listen(
    living: Living,
    day: "LiveSettings",
    lanes: Sequence[ChannelStream],
    worker: "RecogniserThread | None",
    served: "Served | None",
) -> int:
    from monitor.live import LiveMonitor, stopping
    from monitor.sources.call_control import hooks
    from monitor.sources.call_detection import warm_up

    capture = Capture(lanes, refresh)
    if served:
        day = replace(day, sinks=partial(_sinks, living, served))
    warm_up(capture.rate, day.settings.gate)
    live = LiveMonitor(day, capture, worker)
    async with contextlib.AsyncExitStack() as closing:
        came = closing.enter_context(stopping(live))
        if served:
            await closing.enter_async_context(served.listening())
        await closing.enter_async_context(hooks(live.hook))
        if living.uplink:
            await closing.enter_async_context(to_the_hub(living, live.hook, day.say))
        closing.callback(capture.close)
        await live.until_stopped(capture.start())
        await live.run()
    return STOPPED if signal.SIGINT in came else 0


@contextlib.asynccontextmanager
async def to_the_hub(
    living: Living, answer: Callable[[CallControl], CallControlAnswer], say: Callable[[str], None]
) -> AsyncIterator[None]:
    """While inside, the agent's softphone may also speak through the hub.

    Whoever sits here is told when the hub cannot be reached, and why; what could not be sent meanwhile is
    sent when it is back.
    """
    from monitor.client.hub_client import HubClient
    from monitor.client.uplink import HubConnectionStatus
    from monitor.commands.uplinking import hub_of, waiting_folder
    from monitor.wire.messages import Standing

    hub = hub_of(living.uplink or "", living.token_file)
    whose = Standing(agent=living.agent, team=living.team)
    line = HubConnectionStatus(hub, waiting_folder(), say)
    tasks = [
        asyncio.create_task(HubClient(hub).stand_by(whose, answer, line.tell)),
        asyncio.create_task(line.send_what_waits()),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _sinks(
    living: Living, served: "Served | None", about: CallInfo, order: Callable[[Command], None]
) -> list[Sink]:
    """Where one call goes. A journal or a way to the hub that fails is told, and the call goes on."""
    from monitor.sinks.journal import JournalSink
    from monitor.sinks.tolerant import FaultTolerantSink

    made = build_sinks(living, None)
    sinks = [FaultTolerantSink(sink, _say) if isinstance(sink, JournalSink) else sink for sink in made]
    if served:
        served.hub.take_commands(about.call, order)
        sinks.append(served.hub)
    if living.uplink:
        try:
            sinks.append(FaultTolerantSink(_uplink(living, about, order), _say))
        except BadInput as wrong:
            _say(f"{about.call} is not sent to the hub: {wrong}")
    return sinks


def _uplink(living: Living, about: CallInfo, order: Callable[[Command], None]) -> "Uplink":
    """The way of one call to the hub."""

    def tell(trouble: str) -> None:
        _say(f"{about.call} is not sent to the hub: {trouble}.")

    uplink = open_uplink(
        living.uplink or "",
        living.token_file,
        call=about.call,
        agent=about.agent,
        team=about.team,
        patience=STOP_PATIENCE,
        tell=tell,
    )
    uplink.take_commands(about.call, order)
    return uplink


def _say(text: str) -> None:
    """A sentence for who sits here."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _recording(folder: Path) -> "Callable[[CallInfo], Recorder]":
    """What keeps the sound of each call in ``folder``. Raises ``BadInput`` before anything is heard."""
    from monitor.sinks.recorder import Recorder, folder_for

    folder = folder_for(folder)
    return lambda about: Recorder(folder, about.call, about.rate)


def choose_lanes(living: Living) -> list[ChannelStream]:
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


def _lane(device: Device, sides: tuple[Channel, ...], rate: int | None) -> ChannelStream:
    """A lane that finds its device anew each time it is opened: numbers change when devices come and go."""
    rate = rate or device.rate

    def open_() -> DeviceStream:
        now = named(device.name, devices())
        if now.pulse != device.pulse:
            raise BadInput(f"{device.name} is not there just now.")
        stream = DeviceStream(rate, len(sides))
        stream.open(now)
        return stream

    return ChannelStream(
        device.name, rate, sides, open_, pauses=device.pauses, there=partial(is_there, device)
    )
