"""Playing a recording or a journal: from the words of a command to a call with its sinks."""

import math
import secrets
import sys
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from monitor.commands.uplinking import open_uplink, tell_what_waits
from monitor.config import CallSettings, convert, load_call_settings
from monitor.errors import BadInput
from monitor.rules.rule_set import RuleSet, load_rules
from monitor.sinks import Sink

if TYPE_CHECKING:
    from monitor.client.uplink import Uplink
    from monitor.session import Served

STOPPED = 130


@dataclass(frozen=True, kw_only=True)
class Playing:
    """How a call is to be played, as the command line said it; a ``speed`` of infinity is flat out."""

    model: str | None = None
    rules: Path | None = None
    profile: str = "default"
    meta: Path | None = None
    config: Path | None = None
    gate: str | None = None
    agent_channel: int = 1
    mono: Literal["agent", "caller"] | None = None
    speed: float = math.inf
    json: bool = False
    prosody: bool = False
    journal: Path | None = None
    transcripts: tuple[Path, ...] = ()
    serve: str | None = None
    open_page: bool = False
    uplink: str | None = None
    token_file: Path | None = None
    agent: str | None = None
    team: str | None = None

    def book(self) -> RuleSet:
        """The rules in force."""
        return load_rules([self.rules] if self.rules else None, profile=self.profile)

    def settings(self) -> CallSettings:
        """The core's settings, with the gate that was asked for."""
        settings = load_call_settings(self.config)
        if self.gate is None:
            return settings
        vad = convert(
            {**msgspec.to_builtins(settings.vad), "detector": self.gate}, type(settings.vad), "--gate"
        )
        return msgspec.structs.replace(settings, vad=vad)

    def name_of(self, call: str) -> str:
        """The call's name; at a hub each playing of a recording is a call of its own."""
        return f"{call}-{secrets.token_hex(4)}" if self.uplink else call

    def open_uplink(self, call: str) -> "Uplink | None":
        """The way to the hub that was asked for."""
        if not self.uplink:
            return None
        return open_uplink(self.uplink, self.token_file, call=call, agent=self.agent, team=self.team)

    def metadata(self) -> dict[str, Any] | None:
        """What the dialler knew, from ``--meta``."""
        from monitor.metadata import read_meta

        return read_meta(self.meta) if self.meta else None


def parse_speed(text: str) -> float:
    """``max`` or a positive factor."""
    if text == "max":
        return math.inf
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 100:
        raise BadInput(
            f"--speed {text} is neither max nor a factor above 0 and up to 100; say --speed 1 or --speed max."
        )
    return speed


def play_recording(playing: Playing, paths: Sequence[Path]) -> int:
    """Plays a recording to its end; the exit code."""
    from monitor.call import Call
    from monitor.playback import FLAT_OUT_BLOCK, WORDS_BLOCK, Playback, about_recording, run_flat_out
    from monitor.session import PACED_BLOCK, run_paced
    from monitor.sources.recording import open_recording
    from monitor.speech.model_store import choose

    book, settings = playing.book(), playing.settings()
    recording = open_recording(list(paths), agent_channel=playing.agent_channel, mono=playing.mono)
    choice = choose(playing.model, list(paths), playing.agent_channel)
    about = about_recording(recording, choice.name, choice.notice, meta=playing.metadata())
    about = replace(about, call=playing.name_of(about.call), agent=playing.agent, team=playing.team)
    call = Call(about, book, settings)
    sinks = build_sinks(playing, recording.seconds)
    uplink = playing.open_uplink(about.call)
    sinks += [uplink] if uplink else []
    if playing.json:
        tell_notice(choice.notice)
    recogniser = choice.recogniser()
    flat_out = math.isinf(playing.speed) and not playing.serve
    step = PACED_BLOCK if not flat_out else WORDS_BLOCK if recogniser else FLAT_OUT_BLOCK
    playback = Playback(
        call=call,
        blocks=recording.blocks(step),
        sinks=sinks,
        recogniser=recogniser,
        recording=recording,
    )
    if flat_out:
        finished = run_flat_out(playback)
    else:
        finished = run_paced(
            playback,
            playing.speed,
            serving(playing.serve, recording.call, open_page=playing.open_page) if playing.serve else None,
        )
    if uplink:
        tell_what_waits(uplink)
    return 0 if finished else STOPPED


def tell_notice(notice: str | None) -> None:
    """Says what is to be known of the recogniser where no console shows it."""
    if notice:
        sys.stderr.write(f"monitor: {notice}\n")


def play_journal(playing: Playing, path: Path) -> int:
    """Judges a journal again; the exit code."""
    from monitor.call import rejudge
    from monitor.sinks.announcer import Announcer
    from monitor.sources.journal import read_journal

    journal = read_journal(path)
    if playing.journal and (playing.journal / f"{journal.call}.jsonl").resolve() == path.resolve():
        raise BadInput(f"--journal {playing.journal} would overwrite {path} itself; name another folder.")
    book, settings = playing.book(), playing.settings()
    announcer = Announcer(journal.call, build_sinks(playing, journal.end), stamps=False)
    try:
        for events in rejudge(journal.events, book, settings):
            announcer.say(events)
    except KeyboardInterrupt:
        return STOPPED
    finally:
        announcer.close()
    if journal.notice:
        sys.stderr.write(f"monitor: {journal.notice}\n")
    return 0


def serving(
    address: str, call: str | None = None, *, open_page: bool = False, lasts: str = "while the call plays"
) -> "Served":
    """A hub beside a call, on loopback, that forgets everything when it ends; told with its page.

    Where ``call`` is known the page opens on it, through the agent's eyes.
    """
    from monitor.hub.hub import Hub
    from monitor.hub.log import EventLog
    from monitor.hub.server import HubServer
    from monitor.session import Served
    from monitor.wire.addresses import Address, parse_address

    def tell(bound: Address) -> None:
        page = f"http://{bound.host}:{bound.port}/" + (f"#role=agent&call={call}" if call else "")
        sys.stderr.write(f"The page is at {page} {lasts}.\n")
        if open_page:
            webbrowser.open(page)

    bound = parse_address(address)
    if not bound.loopback:
        raise BadInput(
            f"--serve {address} is not for this machine alone, and only a hub does that: run `monitor hub` "
            "there with TLS and tokens, and say --uplink here; or say --serve 127.0.0.1:8765."
        )
    return Served(Hub(EventLog()), HubServer(address=bound), tell)


def build_sinks(playing: Playing, length: float | None) -> list[Sink]:
    """The sinks that the command asked for."""
    from monitor.sinks.journal import JournalSink
    from monitor.sinks.jsonl import JsonSink
    from monitor.sinks.transcript import TranscriptSink

    sinks: list[Sink] = [TranscriptSink(path) for path in playing.transcripts]
    if playing.journal:
        sinks.append(JournalSink(playing.journal))
    if playing.json:
        sinks.append(JsonSink(sys.stdout.buffer, prosody=playing.prosody))
    else:
        from monitor.sinks.console import ConsoleSink, Outlet

        sinks.append(ConsoleSink(Outlet(), length=length))
    return sinks
