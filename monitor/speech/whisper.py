"""Whisper through CTranslate2, on short windows. The only module that uses faster-whisper's libraries.

``faster_whisper.WhisperModel.transcribe`` pads every window to 30 s, which makes a streaming update 13 to 19
times more expensive than it needs to be. Here the encoder, the decoder and the aligner are called directly:
windows as long as the model's ``DecodingOptions`` require, similar windows of both sides in one batch,
temperature 0, and as many tokens as can be spoken in the time. Word times and confidences come from ``align``
(dynamic time warping of the cross-attention), in one parallel pass.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from monitor.errors import BadInput
from monitor.events import RecognitionRequest, RecognitionResult, Word
from monitor.speech.decoding import DecodingOptions, Tokens, decoding_options_of
from monitor.speech.mel import Floats, LogMel, MelCache, normalised

TOKENS_PER_SECOND = 6
"""Most tokens spoken in a second,"""
TOKENS_AT_LEAST = 8
"""beyond this many."""
FRAMES_PER_SECOND = 100
"""Mel frames in a second."""
MOST_TOKENS = 448
"""Length of the decoder's context."""


@dataclass(frozen=True, slots=True)
class _Window:
    """One request as the model sees it. ``offset`` is the call time of the window's first frame."""

    request: RecognitionRequest
    mel: Floats
    frames: int
    offset: float
    context: list[int]
    prefix: list[int]
    beam: int

    @property
    def new_tokens(self) -> int:
        """The number of tokens that can have been spoken since the last committed word."""
        since = self.request.prefix[-1].end if self.request.prefix else self.offset
        return int(TOKENS_PER_SECOND * max(0.0, self.request.end - since)) + TOKENS_AT_LEAST


@dataclass(frozen=True, slots=True)
class _Decoded:
    """The decoder's output: new tokens, their mean log-probability, and the probability of no speech."""

    ids: list[int]
    logprob: float
    no_speech: float


class Whisper:
    """One model in memory. Not thread-safe; ``RecogniserThread`` gives it a thread.

    Raises ``BadInput`` where the model in ``folder`` cannot be loaded.
    """

    def __init__(
        self, folder: Path, name: str, threads: int = 1, options: DecodingOptions | None = None
    ) -> None:
        import ctranslate2
        import tokenizers

        self.name = name
        self.options = options or decoding_options_of(folder)
        try:
            self._model = ctranslate2.models.Whisper(
                str(folder), device="cpu", compute_type="int8", intra_threads=threads, inter_threads=1
            )
            tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as wrong:  # noqa: BLE001 - both libraries raise bare exceptions of many kinds
            raise BadInput(f"The model in {folder} cannot be loaded: {str(wrong).splitlines()[0]}.") from None
        self._array = ctranslate2.StorageView.from_array
        self._tokens = Tokens(tokenizer, multilingual=self._model.is_multilingual)
        self._mel = MelCache(LogMel(self._model.n_mels))

    def recognise(self, requests: Sequence[RecognitionRequest]) -> list[RecognitionResult]:
        """The words of each request, in order; requests with similar windows are decoded in one batch."""
        results: dict[int, RecognitionResult] = {}
        for batch in _batches([self._window(request) for request in requests]):
            for window, decoded in zip(batch, self._results(batch), strict=True):
                results[id(window.request)] = decoded
        return [results[id(request)] for request in requests]

    def warm_up(self) -> None:
        """Decodes a window of silence, so that the first words of a call need not wait for it."""
        silence = np.zeros(16000, np.float32)
        self.recognise([RecognitionRequest(0, "agent", 0, 0.0, 1.0, 16000, silence)])

    def _window(self, request: RecognitionRequest) -> _Window:
        raw = self._mel.frames((request.channel, request.utterance), request.audio, request.rate)
        scrolled = self._scrolled(request)
        first = 0
        if scrolled:
            first = max(0, int((request.prefix[scrolled].start - request.start - 0.1) * FRAMES_PER_SECOND))
        mel = normalised(raw[:, first:])
        before = [*request.context, *(word.text for word in request.prefix[:scrolled])]
        return _Window(
            request=request,
            mel=mel,
            frames=_safe(self.options.frames(mel.shape[1])),
            offset=request.start + first / FRAMES_PER_SECOND,
            context=self._tokens.context(before) if self.options.context else [],
            prefix=self._tokens.text([word.text for word in request.prefix[scrolled:]]),
            beam=self.options.final_beam if request.final and request.better else self.options.partial_beam,
        )

    def _scrolled(self, request: RecognitionRequest) -> int:
        """The number of words of the prefix that leave the window; it keeps ``keep`` seconds of them."""
        if not request.prefix:
            return 0
        oldest = request.prefix[-1].end - self.options.keep
        count = sum(word.start < oldest for word in request.prefix[:-1])
        return count if count and request.prefix[count].start - request.start > 1.0 else 0

    def _results(self, batch: Sequence[_Window]) -> Iterator[RecognitionResult]:
        mels = np.zeros((len(batch), self._model.n_mels, batch[0].frames), np.float32)
        for row, window in zip(mels, batch, strict=True):
            row[:, : window.mel.shape[1]] = window.mel
        encoded = self._model.encode(self._array(mels))
        decoded_all = self._generate(encoded, batch)
        aligned = self._align(encoded, batch, decoded_all)
        for window, decoded, alignment in zip(batch, decoded_all, aligned, strict=True):
            yield self._result(window, decoded, alignment)

    def _generate(self, encoded: Any, batch: Sequence[_Window]) -> list[_Decoded]:
        prompts = [self._tokens.prompt(window.context, window.prefix) for window in batch]
        # CTranslate2 allows min(max_length / 2, max_length - prompt) tokens, the prefix among them.
        wanted = max(len(window.prefix) + window.new_tokens for window in batch)
        length = min(MOST_TOKENS, max(2 * wanted, wanted + max(map(len, prompts))))
        results = self._model.generate(
            encoded,
            prompts,
            beam_size=batch[0].beam,
            max_length=length,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=False,  # it would forbid the end, and a plain space, right after a prefix
            suppress_tokens=self._tokens.suppressed,
        )
        return [
            _Decoded(
                self._tokens.answer(result.sequences_ids[0], window.prefix)[: window.new_tokens],
                result.scores[0],
                result.no_speech_prob,
            )
            for window, result in zip(batch, results, strict=True)
        ]

    def _align(self, encoded: Any, batch: Sequence[_Window], decoded_all: list[_Decoded]) -> list[Any]:
        if not any(
            window.request.align and decoded.ids for window, decoded in zip(batch, decoded_all, strict=True)
        ):
            return [None] * len(batch)
        tokens = [window.prefix + decoded.ids for window, decoded in zip(batch, decoded_all, strict=True)]
        sound = [max(2, window.mel.shape[1]) for window in batch]
        aligned: list[Any] = self._model.align(encoded, self._tokens.start, tokens, sound)
        return aligned

    def _result(self, window: _Window, decoded: _Decoded, alignment: Any) -> RecognitionResult:
        words = self._tokens.words(decoded.ids)
        if alignment is None or not words:
            return _untimed(window, decoded, [text for text, _, _ in words])
        edges = _token_edges(alignment.alignments, len(window.prefix) + len(decoded.ids))
        skip = len(window.prefix)
        p = np.asarray(alignment.text_token_probs[skip : skip + len(decoded.ids)])
        timed = tuple(
            Word(
                text=text,
                start=round(window.offset + float(edges[skip + a]), 3),
                end=round(window.offset + float(edges[skip + b]), 3),
                confidence=round(float(p[a:b].mean()), 3),
                committed=False,
            )
            for text, a, b in words
        )
        logprob = float(np.log(np.maximum(p, 1e-10)).mean())
        return RecognitionResult(window.request.id, timed, round(logprob, 3), round(decoded.no_speech, 3))


def _safe(frames: int) -> int:
    """An even number of frames; CTranslate2 would take 80 or 128 encoder frames for mel bands."""
    frames += frames % 2
    return frames + 2 if frames // 2 in (80, 128) else frames


def _batches(windows: Sequence[_Window]) -> list[list[_Window]]:
    """Windows that fit one batch: same beam, same length of context, same window length."""
    batches: dict[tuple[int, int, int], list[_Window]] = {}
    for window in windows:
        batches.setdefault((window.beam, len(window.context), window.frames), []).append(window)
    return list(batches.values())


def _token_edges(alignments: Sequence[tuple[int, int]], tokens: int) -> Floats:
    """Seconds in the window where each text token starts, and where the last ends (50 frames a second)."""
    path = np.asarray(alignments, np.int64).reshape(-1, 2)
    edges = np.zeros(tokens + 1, np.float32)
    if len(path):
        first = np.searchsorted(path[:, 0], np.arange(tokens + 1), side="left")
        edges[:] = path[np.minimum(first, len(path) - 1), 1] / 50.0
    return edges


def _untimed(window: _Window, decoded: _Decoded, texts: list[str]) -> RecognitionResult:
    """Words without alignment: spread over the new audio, each with the confidence of the whole."""
    start = window.request.prefix[-1].end if window.request.prefix else window.offset
    span = max(0.0, window.request.end - start)
    edges = np.cumsum([0, *(len(text) + 1 for text in texts)], dtype=np.float64)
    edges = start + span * edges / max(1.0, edges[-1])
    p = round(float(np.exp(min(0.0, decoded.logprob))), 3)
    words = tuple(
        Word(text, round(float(a), 3), round(float(b), 3), p, committed=False)
        for text, a, b in zip(texts, edges[:-1], edges[1:], strict=True)
    )
    return RecognitionResult(window.request.id, words, round(decoded.logprob, 3), round(decoded.no_speech, 3))
