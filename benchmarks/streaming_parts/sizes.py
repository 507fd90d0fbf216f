"""Models of the true sizes of Whisper with random weights: what they say is noise, what they cost is true."""

import json
import sys
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import tokenizers
from ctranslate2.specs import whisper_spec
from numpy.typing import NDArray
from tokenizers import models, pre_tokenizers

SIZES = {"tiny.en": (384, 4, 6), "base.en": (512, 6, 8), "small.en": (768, 12, 12)}
"""Width, layers (of encoder and of decoder), heads."""

VOCABULARY = 51864
BANDS, POSITIONS, TEXT = 80, 1500, 448
TEXT_TOKENS = 50256
CONTROL = (
    "endoftext",
    "startoftranscript",
    "translate",
    "transcribe",
    "startoflm",
    "startofprev",
    "nospeech",
    "notimestamps",
)


def build(size: str, cache: Path) -> Path:
    """The folder of a random model of ``size``, made on first use."""
    folder = cache / f"random-{size}"
    if (folder / "preprocessor_config.json").is_file():
        return folder
    print(f"making random weights of the size of {size} in {folder}", file=sys.stderr)
    folder.mkdir(parents=True, exist_ok=True)
    words = _vocabulary()
    spec = _spec(size, words)
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))
    _tokenizer(words).save(str(folder / "tokenizer.json"))
    features = {
        "feature_size": BANDS,
        "sampling_rate": 16000,
        "hop_length": 160,
        "chunk_length": 30,
        "n_fft": 400,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(features), encoding="utf-8")
    return folder


def _vocabulary() -> list[str]:
    """Made-up words, then the control tokens and the times, each at its place."""
    text = [f"Ġw{n}" for n in range(TEXT_TOKENS)]
    control = [f"<|{name}|>" for name in CONTROL]
    times = [f"<|{n * 0.02:.2f}|>" for n in range(VOCABULARY - len(text) - len(control))]
    return text + control + times


def _tokenizer(words: list[str]) -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer(
        models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="Ġw0")  # noqa: S106 - a token of text
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return tokenizer


def _spec(size: str, words: list[str]) -> whisper_spec.WhisperSpec:
    width, layers, heads = SIZES[size]
    rng = np.random.default_rng(0)
    spec = whisper_spec.WhisperSpec(layers, heads, layers, heads)

    def weights(*shape: int) -> NDArray[np.float32]:
        return (rng.standard_normal(shape) * 0.02).astype(np.float32)

    def norm(target: Any) -> None:
        target.gamma, target.beta = np.ones(width, np.float32), np.zeros(width, np.float32)

    def linear(target: Any, rows: int, columns: int) -> None:
        target.weight, target.bias = weights(rows, columns), np.zeros(rows, np.float32)

    def attention(target: Any, shapes: tuple[int, ...]) -> None:
        norm(target.layer_norm)
        for part, rows in zip(target.linear, shapes, strict=True):
            linear(part, rows * width, width)

    def feed_forward(target: Any) -> None:
        norm(target.layer_norm)
        linear(target.linear_0, 4 * width, width)
        linear(target.linear_1, width, 4 * width)

    for conv, inputs in ((spec.encoder.conv1, BANDS), (spec.encoder.conv2, width)):
        conv.weight, conv.bias = weights(width, inputs, 3), np.zeros(width, np.float32)
    spec.encoder.position_encodings.encodings = weights(POSITIONS, width)
    norm(spec.encoder.layer_norm)
    for layer in spec.encoder.layer:
        attention(layer.self_attention, (3, 1))
        feed_forward(layer.ffn)
    decoder = spec.decoder
    decoder.embeddings.weight = weights(len(words), width)
    decoder.projection.weight = decoder.embeddings.weight
    decoder.position_encodings.encodings = weights(TEXT, width)
    norm(decoder.layer_norm)
    for layer in decoder.layer:
        attention(layer.self_attention, (3, 1))
        attention(layer.attention, (1, 2, 1))
        feed_forward(layer.ffn)
    spec.register_vocabulary(words)
    spec.config.suppress_ids, spec.config.suppress_ids_begin, spec.config.lang_ids = [], [], []
    spec.config.alignment_heads = [(layers - 1, head) for head in range(heads // 2)]
    return spec


def loaded(folder: Path) -> ctranslate2.models.Whisper:
    """The model of ``folder`` on one thread."""
    return ctranslate2.models.Whisper(
        str(folder), device="cpu", compute_type="int8", intra_threads=1, inter_threads=1
    )
