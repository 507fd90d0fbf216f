"""Calls for the speech room: sound where somebody speaks, activity beside it, and a script to read from."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monitor.audio.frames import FrameBlock
from monitor.config import SpeechSettings
from monitor.events import (
    CHANNELS,
    FRAME_SECONDS,
    Event,
    RecognitionRequest,
    RecognitionResult,
    Utterance,
    Word,
)
from monitor.speech.recogniser import Recogniser
from monitor.speech.reference_recogniser import ReferenceRecogniser
from monitor.speech.transcriber import Transcriber
from tests.talk import active

RATE = 8000
FRAME = RATE // 50


def sound(
    speaking: NDArray[np.bool_], *, loud: Sequence[float] = (0.1, 0.1), seed: int = 0
) -> NDArray[np.float32]:
    """Noise [2, samples] where a side speaks, and a little of it elsewhere."""
    noise = np.random.default_rng(seed).standard_normal((2, speaking.shape[1] * FRAME)).astype(np.float32)
    gains = np.where(
        np.repeat(speaking, FRAME, axis=1), np.array(loud, np.float32)[:, None], np.float32(1e-4)
    )
    return noise * gains


def words_of(line: str) -> list[dict[str, object]]:
    """``"caller 0-6 it broke on monday"`` as words of equal length."""
    channel, times, *texts = line.split()
    start, end = (float(part) for part in times.split("-"))
    step = (end - start) / len(texts)
    return [
        {
            "channel": channel,
            "text": text,
            "start": round(start + n * step, 3),
            "end": round(start + (n + 1) * step, 3),
        }
        for n, text in enumerate(texts)
    ]


def script(folder: Path, *lines: str) -> ReferenceRecogniser:
    path = folder / "call.json"
    path.write_text(
        json.dumps({"words": [word for line in lines for word in words_of(line)]}), encoding="utf-8"
    )
    return ReferenceRecogniser(path)


class Talk:
    """A call of ``lines`` through a transcriber; ``recogniser`` answers when ``answer`` is called."""

    def __init__(
        self,
        lines: Sequence[str],
        seconds: float,
        recogniser: Recogniser,
        settings: SpeechSettings | None = None,
        loud: Sequence[float] = (0.1, 0.1),
    ) -> None:
        self.speaking = active(*lines, seconds=seconds)
        self.pcm = sound(self.speaking, loud=loud)
        self.transcriber = Transcriber(RATE, settings or SpeechSettings(), words=True)
        self.recogniser = recogniser
        self.events: list[Event] = []
        self.asked: list[RecognitionRequest] = []
        self.at = 0

    def hear(self, frames: int) -> None:
        """The next frames."""
        end = min(self.at + frames, self.speaking.shape[1])
        run = FrameBlock(self.at, self.pcm[:, self.at * FRAME : end * FRAME], RATE)
        self.events += self.transcriber.feed(run, self.speaking[:, self.at : end])
        self.at = end

    def answer(
        self, recognise: Callable[[list[RecognitionRequest]], list[RecognitionResult]] | None = None
    ) -> None:
        """Asks and answers until nothing is left to ask."""
        while requests := self.transcriber.requests():
            self.asked += requests
            for result in (recognise or self.recogniser.recognise)(requests):
                self.events += self.transcriber.add_result(result, round(self.at * FRAME_SECONDS, 3))

    def play(self, cuts: Sequence[int] | int = 5) -> list[Event]:
        """The whole call, flat out, in blocks of so many frames."""
        sizes = [cuts] * (self.speaking.shape[1] // cuts + 1) if isinstance(cuts, int) else cuts
        for size in sizes:
            self.hear(size)
            self.answer()
        self.hear(self.speaking.shape[1])
        self.answer()
        self.events += self.transcriber.finish()
        self.answer()
        return self.events


def utterances(events: Sequence[Event]) -> list[Utterance]:
    return [event for event in events if isinstance(event, Utterance)]


def said(events: Sequence[Event]) -> dict[str, list[str]]:
    """The words of the final utterances of each side, in order."""
    finals = sorted((u for u in utterances(events) if u.final), key=lambda u: u.start)
    return {c: [w.text for u in finals if u.channel == c for w in u.words] for c in CHANNELS}


def word(text: str, start: float, end: float, p: float = 0.95) -> Word:
    return Word(text, start, end, p, committed=False)


def spaced(text: str, *, start: float = 0.0, step: float = 0.3, p: float = 0.95) -> tuple[Word, ...]:
    """The words of ``text``, one every ``step`` seconds."""
    return tuple(
        word(t, round(start + n * step, 3), round(start + (n + 1) * step, 3), p)
        for n, t in enumerate(text.split())
    )
