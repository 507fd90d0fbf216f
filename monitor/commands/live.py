"""``monitor live``: both sides of the headset, all day; alerts come while they can still help."""

import argparse
import contextlib
import math
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from monitor.commands.outputs import (
    STOPPED,
    OutputOptions,
    add_outputs,
    build_sinks,
    hub_address,
    open_uplink,
    output_options,
    serving,
    spool_folder,
    tell_notice,
)
from monitor.commands.replay import add_judging, call_options
from monitor.errors import BadInput

if TYPE_CHECKING:
    from monitor.call import CallInfo
    from monitor.client.uplink import Uplink
    from monitor.events import CallControl, CallControlAnswer, Channel, Command
    from monitor.live import LiveSettings
    from monitor.playback import CallOptions
    from monitor.session import Served
    from monitor.sinks import Sink
    from monitor.sinks.recorder import Recorder
    from monitor.sources.channel_stream import ChannelStream
    from monitor.sources.device import Device
    from monitor.sources.soundcheck import SoundCheck
    from monitor.speech.recogniser import RecogniserThread

EPILOG = """\
examples:
  monitor live --check                               a five-second sound check of both sides
  monitor live                                       the default microphone, and what the headset plays
  monitor live --mic "USB Headset" --speaker alsa_output.usb-headset.monitor --serve
  monitor live --uplink wss://hub.example --token-file anna.token --agent anna --team north
  monitor live --device "Line In" --agent-channel 0  one two-channel device, the agent on the left
A call begins when the caller is heard, or with `monitor call start`; it ends with `monitor call end`, a
hang-up tone, or a long silence. Between calls nothing is transcribed or stored. Ctrl-C ends the monitor."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "live",
        help="Monitor the calls of this headset: runs all day and detects calls automatically",
        description="Monitors calls on this machine: the microphone is the agent, what the headset plays is "
        "the caller. Runs all day and detects calls automatically.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--mic", metavar="DEVICE", help="the microphone of the agent (see `monitor devices`)")
    parser.add_argument(
        "--speaker", metavar="DEVICE", help="the loopback or monitor source that carries the caller"
    )
    parser.add_argument("--device", metavar="DEVICE", help="one two-channel device that carries both sides")
    parser.add_argument(
        "--agent-channel",
        type=int,
        choices=(0, 1),
        default=1,
        help="with --device: which channel is the agent (default 1, right)",
    )
    parser.add_argument(
        "--rate",
        type=int,
        metavar="HZ",
        help="open the devices at this rate (default: their own; 8000 for a telephone line)",
    )
    parser.add_argument("--check", action="store_true", help="run a five-second sound check and exit")
    _add_calls(parser)
    add_judging(parser)
    add_outputs(parser)
    parser.add_argument(
        "--record",
        type=Path,
        metavar="DIR",
        help="record the audio of each call to DIR/CALL.wav (deleted after 30 days); ask for consent first",
    )
    parser.set_defaults(run=run)


def _add_calls(parser: argparse.ArgumentParser) -> None:
    """The options that say when a call begins and ends."""
    parser.add_argument(
        "--begin",
        choices=("heard", "told"),
        default="heard",
        help="a call begins when the caller is heard (default), or only with `monitor call start`",
    )
    parser.add_argument(
        "--end-after",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="a call ends after this much silence (default 30)",
    )
    parser.add_argument(
        "--preroll",
        type=float,
        default=4.0,
        metavar="SECONDS",
        help="audio before the caller is heard that belongs to the call (default 4)",
    )
    parser.add_argument("--once", action="store_true", help="exit after the first call")


STOP_PATIENCE = 0.25
"""Seconds that the end of a call waits for a hub that does not answer; the rest waits on disk."""


@dataclass(frozen=True, kw_only=True)
class DeviceOptions:
    """Which devices are heard, and when a call begins and ends. Raises ``BadInput`` for what makes no sense.

    ``rate`` in Hz. ``begin``: when the caller is heard, or only when told. ``end_after``: seconds of silence.
    ``preroll``: seconds before the caller is heard that belong to the call. ``record``: a folder.
    """

    mic: str | None = None
    speaker: str | None = None
    device: str | None = None
    agent_channel: int = 1
    rate: int | None = None
    begin: Literal["heard", "told"] = "heard"
    end_after: float = 30.0
    preroll: float = 4.0
    once: bool = False
    record: Path | None = None

    def __post_init__(self) -> None:
        from monitor.sources.channels import HIGHEST_RATE, LOWEST_RATE

        if self.device and (self.mic or self.speaker):
            raise BadInput("--device hears both sides; give it alone, or --mic and --speaker.")
        if self.rate is not None and not LOWEST_RATE <= self.rate <= HIGHEST_RATE:
            raise BadInput(f"--rate {self.rate} is not between {LOWEST_RATE} and {HIGHEST_RATE} Hz.")
        if not (math.isfinite(self.end_after) and self.end_after > 0):
            raise BadInput(f"--end-after {self.end_after:g} is no length of a silence; say for example 30.")
        if not 0 <= self.preroll <= 30:
            raise BadInput(f"--preroll {self.preroll:g} is not between 0 and 30 seconds.")


def run(args: argparse.Namespace) -> int:
    """Listens until it is stopped; the exit code."""
    devices = DeviceOptions(
        mic=args.mic,
        speaker=args.speaker,
        device=args.device,
        agent_channel=args.agent_channel,
        rate=args.rate,
        begin=args.begin,
        end_after=args.end_after,
        preroll=args.preroll,
        once=args.once,
        record=args.record,
    )
    return check(devices) if args.check else listen(devices, call_options(args), output_options(args))


def listen(devices: DeviceOptions, options: "CallOptions", outputs: OutputOptions) -> int:
    """Monitors calls until it is stopped; the exit code. Loads the recogniser before it opens a device."""
    import asyncio

    from monitor.live import LiveSettings
    from monitor.speech.model_store import choose
    from monitor.speech.recogniser import RecogniserThread

    streams = choose_streams(devices)
    choice = choose(options.model)
    setup = options.set_up().with_model(choice)
    tell_notice(choice.notice)
    recogniser = choice.recogniser()
    worker = RecogniserThread(recogniser) if recogniser else None
    served = serving(outputs, lasts="until this monitor ends")
    day = LiveSettings(
        setup=setup,
        sources=tuple(stream.name for stream in streams),
        sinks=partial(_sinks, outputs, served),
        recorder=_recording(devices.record) if devices.record else None,
        end_after=devices.end_after,
        preroll=devices.preroll,
        by_itself=devices.begin == "heard",
        once=devices.once,
    )
    with contextlib.ExitStack() as closing:
        if worker:
            closing.callback(worker.close)
        return asyncio.run(_listen(day, streams, worker, served, outputs))


async def _listen(
    day: "LiveSettings",
    streams: "Sequence[ChannelStream]",
    worker: "RecogniserThread | None",
    served: "Served | None",
    outputs: OutputOptions,
) -> int:
    import signal

    from monitor.live import LiveMonitor, stopping
    from monitor.sources.call_control import serve_call_control
    from monitor.sources.call_detection import warm_up
    from monitor.sources.capture import Capture
    from monitor.sources.device import refresh

    capture = Capture(streams, refresh)
    warm_up(capture.rate, day.setup.settings.vad)
    live = LiveMonitor(day, capture, worker)
    async with contextlib.AsyncExitStack() as closing:
        came = closing.enter_context(stopping(live))
        if served:
            await closing.enter_async_context(served.listening())
        await closing.enter_async_context(serve_call_control(live.control))
        if outputs.uplink:
            await closing.enter_async_context(standing_by(outputs, day, live.control))
        closing.callback(capture.close)
        await live.until_stopped(capture.start())
        await live.run()
    return STOPPED if signal.SIGINT in came else 0


@contextlib.asynccontextmanager
async def standing_by(
    outputs: OutputOptions, day: "LiveSettings", answer: "Callable[[CallControl], CallControlAnswer]"
) -> AsyncIterator[None]:
    """While inside, the agent's softphone can also control calls through the hub.

    The agent is told when the hub cannot be reached, and why; what could not be sent meanwhile is sent when
    it is back.
    """
    import asyncio

    from monitor.client.hub_client import HubClient
    from monitor.client.uplink import HubConnectionStatus
    from monitor.wire.messages import StandbyClaim

    hub = hub_address(outputs)
    whose = StandbyClaim(agent=day.setup.agent, team=day.setup.team)
    status = HubConnectionStatus(hub, spool_folder(), day.say)
    tasks = [
        asyncio.create_task(HubClient(hub).stand_by(whose, answer, status.tell)),
        asyncio.create_task(status.send_what_waits()),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _sinks(
    outputs: OutputOptions, served: "Served | None", info: "CallInfo", handler: "Callable[[Command], None]"
) -> "list[Sink]":
    """Where one call goes. A journal or an uplink that fails is told, and the call goes on."""
    from monitor.sinks.journal import JournalSink
    from monitor.sinks.tolerant import FaultTolerantSink

    made = build_sinks(outputs, None)
    sinks = [FaultTolerantSink(sink, _say) if isinstance(sink, JournalSink) else sink for sink in made]
    if served:
        served.hub.take_commands(info.call, handler)
        sinks.append(served.hub)
    if outputs.uplink:
        try:
            sinks.append(FaultTolerantSink(_uplink(outputs, info, handler), _say))
        except BadInput as wrong:
            _say(f"{info.call} is not sent to the hub: {wrong}")
    return sinks


def _uplink(outputs: OutputOptions, info: "CallInfo", handler: "Callable[[Command], None]") -> "Uplink":
    def tell(trouble: str) -> None:
        _say(f"{info.call} is not sent to the hub: {trouble}.")

    uplink = open_uplink(outputs, info, patience=STOP_PATIENCE, tell=tell)
    uplink.take_commands(info.call, handler)
    return uplink


def _say(text: str) -> None:
    """A sentence for whoever sits here."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _recording(folder: Path) -> "Callable[[CallInfo], Recorder]":
    """What records the audio of each call in ``folder``. Raises ``BadInput`` before anything is heard."""
    from monitor.sinks.recorder import Recorder, folder_for

    folder = folder_for(folder)
    return lambda info: Recorder(folder, info.call, info.rate)


def choose_streams(options: DeviceOptions) -> "list[ChannelStream]":
    """The devices that were asked for, or the defaults. Raises ``BadInput``."""
    from monitor.events import CHANNELS
    from monitor.sources.device import default_device, devices, find_device

    found = devices()
    if options.device:
        both = find_device(options.device, found)
        if both.channels < 2:
            raise BadInput(f"{both.name} has one channel; --device wants both sides of a call.")
        sides = CHANNELS if options.agent_channel == 0 else CHANNELS[::-1]
        return [_stream(both, sides, options.rate)]
    mic = find_device(options.mic, found) if options.mic else default_device("microphone", found)
    speaker = find_device(options.speaker, found) if options.speaker else default_device("loopback", found)
    if mic == speaker:
        raise BadInput(f"{mic.name} was named for both sides; if it has two channels, say --device.")
    return [_stream(mic, ("agent",), options.rate), _stream(speaker, ("caller",), options.rate)]


def _stream(device: "Device", sides: "tuple[Channel, ...]", rate: int | None) -> "ChannelStream":
    """A stream that looks its device up each time it is opened: numbers change when devices come and go."""
    from monitor.sources.channel_stream import ChannelStream
    from monitor.sources.device import DeviceStream, devices, find_device, is_available

    rate = rate or device.rate

    def open_() -> DeviceStream:
        now = find_device(device.name, devices())
        if now.pulse != device.pulse:
            raise BadInput(f"{device.name} is not there just now.")
        stream = DeviceStream(rate, len(sides))
        stream.open(now)
        return stream

    return ChannelStream(
        device.name,
        rate,
        sides,
        open_,
        pauses_when_idle=device.pauses_when_idle,
        is_available=partial(is_available, device),
    )


# --- the sound check ---


def check(options: DeviceOptions) -> int:
    """Five seconds of both sides as meters, and what is wrong with them; exit code 1 where something is."""
    import asyncio

    return asyncio.run(_check(options))


async def _check(options: DeviceOptions) -> int:
    from rich.console import Console
    from rich.live import Live as Screen

    from monitor.sources.capture import Capture
    from monitor.sources.device import refresh
    from monitor.sources.soundcheck import CHECK_SECONDS, SoundCheck

    capture = Capture(choose_streams(options), refresh)
    checking = SoundCheck(capture.rate)
    console = Console()
    console.print("Say something while the softphone plays something (a test call, for example).")
    try:
        await capture.start()
        with Screen(console=console, refresh_per_second=12) as screen:
            while checking.seconds < CHECK_SECONDS:
                checking.feed(await capture.next())
                screen.update(_meters(checking))
        if not console.is_terminal:
            console.print()  # a pipe gets the last meters without the end of their line
    finally:
        capture.close()
    findings = checking.findings()
    for sentence in findings:
        console.print(f"- {sentence}", highlight=False, soft_wrap=not console.is_terminal)
    if not findings:
        console.print("Both sides are fine.")
    return 1 if findings else 0


def _meters(checking: "SoundCheck") -> str:
    from monitor.sinks.console import meter

    return "\n".join(
        f"{channel:<7}{meter(side.level_dbfs)} {side.level_dbfs:6.1f} dBFS"
        for channel, side in checking.sides.items()
    )
