"""Assembling a call from options, and playing a recording in the caller's thread, as fast as it goes.

``prepare`` is where a recording becomes a call: it opens the source, chooses the recogniser, and makes the
core and its sinks. Every command that plays a recording uses it; a live monitor makes its calls with the same
``CallSetup``. ``run`` in ``monitor.session`` plays what was prepared.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from monitor.call import Call, CallInfo, rejudge
from monitor.config import CallSettings, convert, load_call_settings
from monitor.events import CHANNELS, Block, CallEnded, Channel, Event
from monitor.metadata import read_meta
from monitor.rules.rule_set import RuleSet, load_rules
from monitor.sinks import Sink
from monitor.sinks.announcer import Announcer
from monitor.sources.journal import is_journal, read_journal
from monitor.speech.recogniser import Recogniser, recognise_now

if TYPE_CHECKING:
    from monitor.sources.recording import Recording
    from monitor.speech.model_store import ModelChoice

FLAT_OUT_BLOCK = 5.0
"""Seconds a block when nobody waits for words: long blocks are what numpy likes."""

WORDS_BLOCK = 0.2
"""Seconds a block when words are wanted: the recogniser is asked as often as in a live call."""


@dataclass(frozen=True, kw_only=True)
class CallOptions:
    """How calls are heard and judged, as a person chose it. Files are read by ``set_up``.

    ``model``: a model's name or path, ``bundled``, ``script``, ``none``, or None for the best that is there.
    ``rules``: a file or folder of rules, or the rules themselves. ``profile``: a profile's name or file.
    ``meta``: a YAML file with what the dialler knows. ``config``: a file of settings, or the settings.
    ``vad``: the voice activity detector. ``agent_channel``: the agent's channel of a stereo source, 0 or 1.
    ``mono``: the side that a mono recording holds. ``agent`` and ``team``: whose call it is.
    """

    model: str | None = None
    rules: Path | RuleSet | None = None
    profile: str = "default"
    meta: Path | None = None
    config: Path | CallSettings | None = None
    vad: str | None = None
    agent_channel: int = 1
    mono: Literal["agent", "caller"] | None = None
    agent: str | None = None
    team: str | None = None

    def rule_set(self) -> RuleSet:
        """The rules in force. Raises ``BadInput``."""
        if isinstance(self.rules, RuleSet):
            return self.rules
        return load_rules([self.rules] if self.rules else None, profile=self.profile)

    def settings(self) -> CallSettings:
        """The core's settings. Raises ``BadInput``."""
        given = self.config
        settings = given if isinstance(given, CallSettings) else load_call_settings(given)
        if self.vad is None:
            return settings
        vad = {**msgspec.to_builtins(settings.vad), "detector": self.vad}
        return msgspec.structs.replace(settings, vad=convert(vad, type(settings.vad), "--vad"))

    def metadata(self) -> dict[str, Any] | None:
        """What the dialler knows of the call. Raises ``BadInput``."""
        return read_meta(self.meta) if self.meta else None

    def set_up(self) -> "CallSetup":
        """What holds for every call with these options, as yet without a recogniser. Raises ``BadInput``."""
        return CallSetup(
            rules=self.rule_set(),
            settings=self.settings(),
            agent=self.agent,
            team=self.team,
            meta=self.metadata(),
        )


@dataclass(frozen=True, kw_only=True)
class CallSetup:
    """What holds for every call of one command: rules, settings, the recogniser's name, whose they are."""

    rules: RuleSet
    settings: CallSettings = field(default_factory=CallSettings)
    model: str = "none"
    notice: str | None = None
    agent: str | None = None
    team: str | None = None
    meta: dict[str, Any] | None = None

    def with_model(self, choice: "ModelChoice") -> "CallSetup":
        """The same with the recogniser that was chosen."""
        return replace(self, model=choice.name, notice=choice.notice)

    def new_call(
        self,
        name: str,
        *,
        sources: Sequence[str],
        rate: int,
        band: str,
        meta: dict[str, Any] | None = None,
        missing_channel: Channel | None = None,
    ) -> Call:
        """A call that is about to be heard at ``rate`` Hz; ``meta`` adds to what is known of every call."""
        known = {**(self.meta or {}), **(meta or {})}
        info = CallInfo(
            call=name,
            sources=tuple(sources),
            rate=rate,
            band=band,
            model=self.model,
            agent=self.agent,
            team=self.team,
            notice=self.notice,
            meta=known or None,
            missing_channel=missing_channel,
        )
        return Call(info, self.rules, self.settings)


def play(call: Call, blocks: Iterable[Block], recogniser: Recogniser | None) -> Iterator[list[Event]]:
    """Everything a call says about ``blocks``, flat out; questions are answered on the spot."""
    for block in blocks:
        yield call.process(block)
        yield from _answered(call, recogniser)
    yield call.finish()
    yield from _answered(call, recogniser)
    if not call.ended:
        yield call.abort()


def _answered(call: Call, recogniser: Recogniser | None) -> Iterator[list[Event]]:
    while recogniser and (requests := call.requests()):
        for result in recognise_now(recogniser, requests):
            yield call.add_result(result)


@dataclass(frozen=True, kw_only=True)
class Playback:
    """A recording that is ready to be played: the call, its audio, its recogniser and its sinks.

    ``recording`` is asked at the end how far it was heard.
    """

    call: Call
    blocks: Iterable[Block]
    sinks: Sequence[Sink] = ()
    recogniser: Recogniser | None = None
    recording: "Recording | None" = None

    def events(self) -> Iterator[list[Event]]:
        """Every event, block by block, as fast as it goes; no sink is told."""
        return play(self.call, self.blocks, self.recogniser)

    def announcer(self, *more: Sink) -> Announcer:
        """An announcer to the sinks, and to ``more``."""
        return Announcer(self.call.info.call, [*self.sinks, *more], ending=self._ending)

    def _ending(self, ended: CallEnded) -> CallEnded:
        if self.recording is None:
            return ended
        heard_to = round(self.recording.heard_to, 3)
        notice = self.recording.notice or unheard(ended.talk, self.call.info.missing_channel)
        return msgspec.structs.replace(ended, notice=notice, heard_to=heard_to)


def unheard(talk: Mapping[str, float], without: Channel | None) -> str | None:
    """What to say about a recording in which a side (other than the one it is ``without``) never spoke."""
    mute = [channel for channel in CHANNELS if channel != without and not talk.get(channel)]
    if not mute:
        return None
    who = f"on the {mute[0]}'s side" if len(mute) == 1 else "on either side"
    return f"No speech was heard {who}: look at the recording's levels, and at which channel is which."


def run_flat_out(playback: Playback) -> bool:
    """Plays as fast as the machine can; False when Ctrl-C ended it (after a clean hang-up)."""
    announcer = playback.announcer()
    try:
        for events in play(playback.call, playback.blocks, playback.recogniser):
            announcer.say(events)
    except KeyboardInterrupt:
        announcer.say(playback.call.abort())
        return False
    finally:
        announcer.close()
    return True


def _no_sinks(info: CallInfo, seconds: float | None) -> Sequence[Sink]:
    return ()


def prepare(
    paths: Sequence[Path],
    options: CallOptions,
    *,
    sinks: Callable[[CallInfo, float | None], Sequence[Sink]] = _no_sinks,
    unique: bool = False,
    block_seconds: float | None = None,
) -> Playback:
    """Assembles the call of a recording.

    Args:
        paths: One stereo recording, or two mono ones, the caller's first.
        options: How the call is heard and judged.
        sinks: Makes the call's sinks from what is known of it and its length in seconds; called before the
            recogniser is loaded, so that a sink that cannot be used is told at once.
        unique: Whether the call gets a name of its own each time it is played, as a hub needs it.
        block_seconds: The length of the blocks; by default what is fastest.

    Raises:
        BadInput: A file, the rules, the model or a sink cannot be used.
    """
    from monitor.sources.recording import open_recording
    from monitor.speech.model_store import choose

    setup = options.set_up()  # what is wrong with the rules is told before anything is decoded
    recording = open_recording(list(paths), agent_channel=options.agent_channel, mono=options.mono)
    choice = choose(options.model, list(paths), options.agent_channel)
    call = setup.with_model(choice).new_call(
        f"{recording.call}-{token_hex(4)}" if unique else recording.call,
        sources=[Path(source).name for source in recording.sources],
        rate=recording.rate,
        band=recording.band,
        missing_channel=recording.missing_channel,
    )
    made = sinks(call.info, recording.seconds)
    recogniser = choice.recogniser()
    step = block_seconds or (WORDS_BLOCK if recogniser else FLAT_OUT_BLOCK)
    return Playback(
        call=call,
        blocks=recording.blocks(step),
        sinks=made,
        recogniser=recogniser,
        recording=recording,
    )


def replay_events(
    paths: Sequence[Path],
    *,
    model: str | None = "none",
    rules: Path | None = None,
    agent_channel: int = 1,
    settings: CallSettings | None = None,
    profile: str = "default",
    block_seconds: float | None = None,
) -> list[Event]:
    """Every event of a recorded call or journal, as fast as it goes. Raises ``BadInput``."""
    options = CallOptions(
        model=model,
        rules=rules,
        agent_channel=agent_channel,
        config=settings or CallSettings(),
        profile=profile,
    )
    batches = replay_batches(paths, options, block_seconds=block_seconds)
    return [event for events in batches for event in events]


def replay_batches(
    paths: Sequence[Path], options: CallOptions, *, block_seconds: float | None = None
) -> Iterator[list[Event]]:
    """The events of a recorded call or journal, batch by batch, as fast as it goes. Raises ``BadInput``."""
    if len(paths) == 1 and is_journal(paths[0]):
        return rejudge(read_journal(paths[0]).events, options.rule_set(), options.settings())
    return prepare(paths, options, block_seconds=block_seconds).events()
