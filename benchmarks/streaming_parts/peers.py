"""faster-whisper's own ``transcribe`` on a model folder: the whole file at once, or as a streaming update."""

import time
from collections.abc import Sequence
from pathlib import Path

from faster_whisper import WhisperModel

from benchmarks.streaming_parts.material import Floats, Material
from benchmarks.streaming_parts.score import Committed, Result, add
from benchmarks.streaming_parts.whisper_streaming import Spoken, Transcribe

BEAM = 5


class FasterWhisper:
    """One model; ``prompts`` tells whether it knows text before the window."""

    def __init__(self, folder: Path, *, prompts: bool) -> None:
        self._model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
        self._prompts = prompts

    def offline(self, name: str, material: Sequence[Material], *, vad: bool) -> Result:
        """Each side of each call as one file."""
        result = Result(name)
        for call in material:
            result.seconds += call.seconds
            for row in range(2):
                began = time.process_time()
                words = self._words(call.at_16k(row), 0.0, "", vad=vad)
                result.cpu += time.process_time() - began
                add(result, call, row, [Committed(word.text, 0.0) for word in words], timed=False)
        return result

    def update(self, _call: Material, _row: int) -> Transcribe:
        """A streaming update: everything in the buffer."""

        def transcribe(sound: Floats, start: float, prompt: str) -> tuple[list[Spoken], float]:
            began = time.process_time()
            words = self._words(sound, start, prompt, vad=False)
            return words, time.process_time() - began

        return transcribe

    def _words(self, sound: Floats, start: float, prompt: str, *, vad: bool) -> list[Spoken]:
        segments, _ = self._model.transcribe(
            sound,
            language="en",
            beam_size=BEAM,
            temperature=0.0,
            word_timestamps=True,
            condition_on_previous_text=False,
            vad_filter=vad,
            initial_prompt=prompt if prompt and self._prompts else None,
            max_new_tokens=120,
        )
        return [
            Spoken(word.word.strip(), start + word.start, start + word.end, last=word is segment.words[-1])
            for segment in segments
            for word in segment.words or []
        ]
