"""The update policy of whisper_streaming (Macháček et al. 2023) with its defaults, as the baseline.

Every second the whole buffer is transcribed (padded to 30 s, beam 5, word times); words on which two
updates agree are committed; the buffer is cut at the last committed segment when it exceeds 15 s; the
text that left the buffer (200 characters) is the prompt. Silence is transcribed too (its voice activity
controller is off by default). Each side has a core of its own here, which favours the baseline.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.streaming_parts.material import Floats, Material
from benchmarks.streaming_parts.score import Committed, Result, add, tokens

CHUNK = 1.0
TRIM = 15.0
PROMPT = 200
RATE = 16000


@dataclass(frozen=True)
class Spoken:
    """A word with its times in the call; ``last``: a segment ends with it."""

    text: str
    start: float
    end: float
    last: bool = False


Transcribe = Callable[[Floats, float, str], tuple[list[Spoken], float]]
"""Sound, the call time of its start, the prompt -> words and CPU seconds."""


class Online:
    """One side."""

    def __init__(self, transcribe: Transcribe) -> None:
        self._transcribe = transcribe
        self.committed: list[tuple[Spoken, float]] = []
        self._pending: list[Spoken] = []
        self._start = 0.0

    def update(self, sound: Floats, end: float) -> float:
        """One update with the sound up to ``end``; its CPU seconds. Words are committed at its end."""
        buffer = sound[round(self._start * RATE) : round(end * RATE)]
        gone = "".join(" " + word.text for word, _ in self.committed if word.end <= self._start)
        words, spent = self._transcribe(buffer, self._start, gone[-PROMPT:])
        self._agree(words, end + spent)
        if end - self._start > TRIM:
            self._trim(words, end)
        return spent

    def finish(self, at: float) -> None:
        """The last guess stands."""
        self.committed += [(word, at) for word in self._pending]

    def _agree(self, words: Sequence[Spoken], at: float) -> None:
        until = self.committed[-1][0].end if self.committed else 0.0
        new = self._without_repeats([word for word in words if word.start > until - 0.1], until)
        count = 0
        while count < min(len(new), len(self._pending)):
            if tokens(new[count].text) != tokens(self._pending[count].text):
                break
            count += 1
        self.committed += [(word, at) for word in new[:count]]
        self._pending = new[count:]

    def _without_repeats(self, new: list[Spoken], until: float) -> list[Spoken]:
        """Without the words at its start that were committed just before (up to five)."""
        if not new or abs(new[0].start - until) >= 1.0:
            return new
        for length in range(min(5, len(new), len(self.committed)), 0, -1):
            tail = [tokens(word.text) for word, _ in self.committed[-length:]]
            if tail == [tokens(word.text) for word in new[:length]]:
                return new[length:]
        return new

    def _trim(self, words: Sequence[Spoken], end: float) -> None:
        if not self.committed:
            return
        until = self.committed[-1][0].end
        ends = [word.end for word in words if word.last and word.end <= until]
        if ends and ends[-1] > self._start:
            self._start = ends[-1]
        elif end - self._start > 2 * TRIM:
            self._start = end - TRIM  # Whisper hears no more than 30 s


def run(
    name: str,
    material: Sequence[Material],
    transcriber: Callable[[Material, int], Transcribe],
    *,
    keeps_up: bool = False,
) -> Result:
    """The baseline over ``material``; the next update begins when a second came in and the last is done.

    With ``keeps_up`` it begins every second however long the last took (the policy's own demand, which
    whisper_streaming calls computationally unaware).
    """
    result = Result(name)
    for call in material:
        result.seconds += call.seconds
        for row in range(2):
            online, sound = Online(transcriber(call, row)), call.at_16k(row)
            at = CHUNK
            while at < call.seconds:
                spent = online.update(sound, at)
                result.cpu += spent
                at += CHUNK if keeps_up else max(CHUNK, spent)
            spent = online.update(sound, call.seconds)
            result.cpu += spent
            online.finish(call.seconds + spent)
            said = [Committed(word.text, at_) for word, at_ in online.committed]
            add(result, call, row, said, timed=True)
    return result
