"""A recording played flat out, in the caller's thread: the same core as a live call, with nobody waiting."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from monitor.call import Call, CallInfo, rejudge
from monitor.config import CallSettings
from monitor.events import CHANNELS, Block, CallEnded, Channel, Event
from monitor.rules.rule_set import load_rules
from monitor.sinks import Sink
from monitor.sinks.announcer import Announcer
from monitor.sources.journal import is_journal, read_journal
from monitor.speech.recogniser import Recogniser, recognise_now

if TYPE_CHECKING:
    from monitor.sources.recording import Recording

FLAT_OUT_BLOCK = 5.0
"""Seconds a block when nobody waits for words: long runs are what numpy likes."""

WORDS_BLOCK = 0.2
"""Seconds a block when words are wanted: the recogniser is asked as often as in a live call."""


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
    """A recording about to be played: the call, its sound, who hears the words, and who is told.

    ``recording`` is asked at the end how far it was heard.
    """

    call: Call
    blocks: Iterable[Block]
    sinks: Sequence[Sink]
    recogniser: Recogniser | None = None
    recording: "Recording | None" = None

    def announcer(self, *more: Sink) -> Announcer:
        """An announcer to the sinks, and to ``more``."""
        return Announcer(self.call.info.call, [*self.sinks, *more], ending=self._ending)

    def _ending(self, ended: CallEnded) -> CallEnded:
        if self.recording is None:
            return ended
        heard_to = round(self.recording.heard_to, 3)
        notice = self.recording.notice or unheard(ended.talk, self.call.info.without)
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


def about_recording(
    recording: "Recording", model: str, notice: str | None = None, meta: dict[str, Any] | None = None
) -> CallInfo:
    """What is known of a recorded call before it is heard."""
    return CallInfo(
        call=recording.call,
        sources=tuple(Path(source).name for source in recording.sources),
        rate=recording.rate,
        band=recording.band,
        model=model,
        notice=notice,
        meta=meta,
        without=recording.without,
    )


def replay_events(
    paths: Sequence[Path],
    *,
    model: str = "none",
    rules: Path | None = None,
    agent_channel: int = 1,
    settings: CallSettings | None = None,
    profile: str = "default",
    block_seconds: float | None = None,
) -> list[Event]:
    """Every event of a recorded call or journal, flat out, in process."""
    book = load_rules([rules] if rules else None, profile=profile)
    if len(paths) == 1 and is_journal(paths[0]):
        journal = read_journal(paths[0])
        return [event for events in rejudge(journal.events, book, settings) for event in events]
    from monitor.sources.recording import open_recording
    from monitor.speech.model_store import choose

    recording = open_recording(list(paths), agent_channel=agent_channel)
    choice = choose(model, list(paths), agent_channel)
    recogniser = choice.recogniser()
    call = Call(about_recording(recording, choice.name, choice.notice), book, settings)
    step = block_seconds or (WORDS_BLOCK if recogniser else FLAT_OUT_BLOCK)
    return [event for events in play(call, recording.blocks(step), recogniser) for event in events]
