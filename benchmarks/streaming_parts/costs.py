"""Both policies on a model of random weights that says what the script says, at the cost of its size.

The words come from the ground truth, so both policies see good hypotheses and say as much as was said;
the model is made to decode just as many tokens (1.33 for a word, as English has with Whisper's).
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.streaming_parts.material import Floats, Material
from benchmarks.streaming_parts.sizes import loaded
from benchmarks.streaming_parts.whisper_streaming import Spoken, Transcribe
from monitor.events import RecognitionRequest, RecognitionResult
from monitor.speech.mel import LogMel, normalised
from monitor.speech.reference_recogniser import ReferenceRecogniser
from monitor.speech.whisper import Whisper

TOKENS_PER_WORD = 4 / 3
BEAM = 5


def count(words: Sequence[Any]) -> int:
    """Tokens of so many words, and the end token."""
    return round(len(words) * TOKENS_PER_WORD) + 1


class ScriptedWhisper(Whisper):
    """Our recogniser at full cost, with the script's words as its answers."""

    def __init__(self, folder: Path, script: ReferenceRecogniser) -> None:
        super().__init__(folder, folder.name)
        self._script = script
        self._lengths: dict[int, int] = {}

    def recognise(self, requests: Sequence[RecognitionRequest]) -> list[RecognitionResult]:
        """The script's words, after the model has worked for them."""
        answers = self._script.recognise(requests)
        self._lengths = {
            request.id: count(result.words) for request, result in zip(requests, answers, strict=True)
        }
        super().recognise(requests)
        return answers

    def _generate(self, encoded: Any, batch: Any) -> Any:
        from monitor.speech.whisper import _Decoded

        prompts = [self._tokens.prompt(question.context, question.prefix) for question in batch]
        new = max(self._lengths[window.request.id] for window in batch)
        wanted = max(len(question.prefix) for question in batch) + new
        length = max(2 * wanted, wanted + max(map(len, prompts)))
        suppressed = [*self._tokens.suppressed, self._tokens.end]
        self._model.generate(
            encoded, prompts, beam_size=batch[0].beam, max_length=length, suppress_blank=False,
            return_scores=True, return_no_speech_prob=True, suppress_tokens=suppressed,
        )  # fmt: skip
        return [_Decoded([7] * self._lengths[window.request.id], -0.1, 0.0) for window in batch]


def padded_updates(folder: Path) -> Any:
    """The baseline's update at full cost: 30 s of mel, beam 5, prompt, alignment; without its Python."""
    model, mel = loaded(folder), LogMel()
    import ctranslate2
    import tokenizers

    from monitor.speech.decoding import Tokens

    tokens = Tokens(tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json")), multilingual=False)

    def update(call: Material, row: int) -> Transcribe:
        words = call.words(row)

        def transcribe(sound: Floats, start: float, prompt: str) -> tuple[list[Spoken], float]:
            end = start + len(sound) / 16000
            inside = [w for w in words if (w.start + w.end) / 2 >= start and w.end <= end]
            began = time.process_time()
            window = np.zeros((1, 80, 3000), np.float32)
            frames = normalised(mel.whole(sound))[:, :3000]
            window[0, :, : frames.shape[1]] = frames
            encoded = model.encode(ctranslate2.StorageView.from_array(window))
            context = tokens.context(["w"] * (len(prompt) // 5))
            answer = [7] * count(inside)
            model.generate(
                encoded,
                [[*context, *tokens.start]],
                beam_size=BEAM,
                max_length=len(context) + 2 * len(answer) + 2,
                suppress_tokens=[*tokens.suppressed, tokens.end],
            )
            if inside:
                model.align(encoded, tokens.start, [answer], [max(2, frames.shape[1])])
            spent = time.process_time() - began
            return _spoken(inside), spent

        return transcribe

    return update


def _spoken(words: Sequence[Any]) -> list[Spoken]:
    """Words with a segment's end wherever a pause follows."""
    following = [word.start for word in words[1:]] + [float("inf")]
    return [
        Spoken(word.text, word.start, word.end, last=after - word.end > 0.3)
        for word, after in zip(words, following, strict=False)
    ]
