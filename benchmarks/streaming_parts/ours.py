"""Our streaming on a call at speaking speed, in counted time.

Blocks of 40 ms arrive when they would; an answer arrives when the recogniser, one at a time, would have
given it (its measured CPU seconds count as waiting). So latencies include computing, and a run needs
no more time than its computing does.
"""

import time
from collections.abc import Sequence

import msgspec

from benchmarks.streaming_parts.material import Material
from benchmarks.streaming_parts.score import Committed, Result, add
from monitor.audio.frames import Framer
from monitor.audio.vad import VoiceActivityDetector
from monitor.config import CallSettings, SpeechSettings
from monitor.events import (
    CHANNELS,
    Block,
    Channel,
    Event,
    RecognitionRequest,
    RecognitionResult,
    Utterance,
    Word,
)
from monitor.speech.recogniser import BATCH, Recogniser
from monitor.speech.transcriber import Transcriber

BLOCK = 0.04


class Bench:
    """A recogniser with one queue, in counted time: ends of utterances first, a few windows at once."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self._queue: list[RecognitionRequest] = []
        self._ready: list[tuple[float, RecognitionResult]] = []
        self._free = 0.0
        self.cpu = 0.0

    def ask(self, requests: Sequence[RecognitionRequest]) -> None:
        """Queues requests."""
        self._queue += requests

    def answers(self, now: float) -> list[RecognitionResult]:
        """What has been answered by ``now``."""
        while self._queue and self._free <= now:
            finals = [request for request in self._queue if request.final]
            batch = (finals or self._queue)[:BATCH]
            self._queue = [request for request in self._queue if request not in batch]
            began = time.process_time()
            answers = self._recogniser.recognise(batch)
            spent = time.process_time() - began
            self.cpu += spent
            self._free = max(self._free, now) + spent
            cost = spent / len(batch)
            self._ready += [(self._free, msgspec.structs.replace(answer, cost=cost)) for answer in answers]
        done = [result for at, result in self._ready if at <= now]
        self._ready = [(at, result) for at, result in self._ready if at > now]
        return done


def run(
    name: str, material: Sequence[Material], recogniser: Recogniser, settings: SpeechSettings | None = None
) -> Result:
    """Our streaming over ``material``."""
    result = Result(name)
    for call in material:
        events, cpu = _play(call, recogniser, settings or CallSettings().speech)
        committed, revised = commits(events)
        result.seconds += call.seconds
        result.cpu += cpu
        result.revised += revised
        for row, channel in enumerate(CHANNELS):
            add(result, call, row, committed[channel], timed=True)
    return result


def _play(call: Material, recogniser: Recogniser, settings: SpeechSettings) -> tuple[list[Event], float]:
    """The utterances of a call, and the CPU seconds that words took (the gate is not counted)."""
    framer, gate = Framer(call.rate), VoiceActivityDetector(call.rate, CallSettings().vad)
    transcriber, bench = Transcriber(call.rate, settings, words=True), Bench(recogniser)
    step, events, policy = round(BLOCK * call.rate), [], 0.0
    for start in range(0, call.pcm.shape[1], step):
        now = min(start + step, call.pcm.shape[1]) / call.rate
        run_ = framer.feed(Block(start, call.pcm[:, start : start + step]))
        active = gate.feed(run_).active
        began = time.process_time()
        events += transcriber.feed(run_, active)
        bench.ask(transcriber.requests())
        policy += time.process_time() - began
        for result in bench.answers(now):
            events += transcriber.add_result(result, now)
            bench.ask(transcriber.requests())
    events += transcriber.finish()
    bench.ask(transcriber.requests())
    while transcriber.waiting:
        now += BLOCK
        for result in bench.answers(now):
            events += transcriber.add_result(result, now)
            bench.ask(transcriber.requests())
    return events, bench.cpu + policy


def commits(events: Sequence[Event]) -> tuple[dict[Channel, list[Committed]], int]:
    """When each word was shown and committed, in the order of the call; and how many changed afterwards."""
    utterances: dict[tuple[str, int], list[tuple[Word, float]]] = {}
    seen: dict[tuple[str, int], dict[tuple[int, str], float]] = {}
    revised = 0
    for event in events:
        if not isinstance(event, Utterance):
            continue
        key = event.channel, event.utterance
        stood = utterances.setdefault(key, [])
        for n, word in enumerate(event.words):
            seen.setdefault(key, {}).setdefault((n, word.text), event.detected_at)
        words = [word for word in event.words if word.committed]
        revised += sum(word != old for word, (old, _) in zip(words, stood, strict=False))
        revised += max(0, len(stood) - len(words))
        stood += [(word, event.detected_at) for word in words[len(stood) :]]
    said = {
        channel: [
            Committed(word.text, at, seen[side, number][n, word.text])
            for (side, number), words in sorted(utterances.items(), key=lambda item: item[0][1])
            if side == channel
            for n, (word, at) in enumerate(words)
        ]
        for channel in CHANNELS
    }
    return said, revised
