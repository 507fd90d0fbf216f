"""A recogniser that reads the script of a recording: exact words at exact times, no speech recognition.

It answers from the ground-truth JSON beside a recording, so that rules on words can be tried without a model.
Its name says what it is: ``script of the recording``.
"""

from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

import msgspec

from monitor.errors import BadInput
from monitor.events import CHANNELS, Channel, RecognitionRequest, RecognitionResult, Word, other

NAME = "script of the recording"
_SLACK = 0.02


class _Spoken(msgspec.Struct, frozen=True):
    """One word of the script; times in call seconds."""

    channel: Channel
    text: str
    start: float
    end: float


class _Script(msgspec.Struct, frozen=True):
    """The keys of a ground-truth file that are needed here."""

    words: tuple[_Spoken, ...]
    agent_channel: int = 1


class ReferenceRecogniser:
    """Answers requests from the list of words in the script at ``path``.

    ``agent_channel`` is the channel that is taken as the agent's. Where the script has the agent on the other
    one, the sides are exchanged. Raises ``BadInput`` where the script cannot be read.
    """

    def __init__(self, path: Path, agent_channel: int | None = None) -> None:
        self.name = NAME
        script = _read(path)
        words = sorted(script.words, key=lambda word: word.start)
        if agent_channel not in (None, script.agent_channel):
            words = [msgspec.structs.replace(word, channel=other(word.channel)) for word in words]
        self._words = {channel: [word for word in words if word.channel == channel] for channel in CHANNELS}
        self._middles = {
            channel: [(word.start + word.end) / 2 for word in spoken]
            for channel, spoken in self._words.items()
        }

    def recognise(self, requests: Sequence[RecognitionRequest]) -> list[RecognitionResult]:
        """The script's words inside each request's window, after its prefix."""
        return [RecognitionResult(request.id, self._inside(request)) for request in requests]

    def _inside(self, request: RecognitionRequest) -> tuple[Word, ...]:
        spoken, middles = self._words[request.channel], self._middles[request.channel]
        begin = request.prefix[-1].end if request.prefix else request.start
        inside = spoken[bisect_left(middles, begin) : bisect_left(middles, request.end)]
        return tuple(
            Word(word.text, word.start, word.end, 0.99, committed=False)
            for word in inside
            if request.final or word.end <= request.end + _SLACK
        )


def script_beside(recording: Path) -> Path:
    """The path of the script of ``recording``: ``NAME.json``, also for ``NAME.caller.wav``."""
    return recording.with_name(f"{recording.stem.removesuffix('.caller').removesuffix('.agent')}.json")


def _read(path: Path) -> _Script:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Script)
    except FileNotFoundError:
        raise BadInput(
            f"There is no script at {path}; --model script reads the JSON beside a recording."
        ) from None
    except OSError as wrong:
        raise BadInput(f"The script {path} cannot be read: {wrong.strerror}.") from None
    except msgspec.DecodeError:
        raise BadInput(
            f"{path} is not the script of a recording; it needs a list of words with times."
        ) from None
