"""From a training checkpoint to a folder that faster-whisper and CTranslate2 load."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .features import FFT, HOP, MELS
from .losses import ALIGNMENT_HEADS
from .network import Attention, FeedForward, Shape, Whisper
from .tokens import Vocabulary
from .utterance import SAMPLE_RATE

QUANTIZATION = "int8_float16"
#: How the product should ask this model: pauses after the sound, context, search width.
STREAMING = {
    "window_least": 0.0,
    "window_after": 0.64,
    "keep": 4.0,
    "context": False,
    "partial_beam": 5,
    "final_beam": 5,
}


def load(checkpoint: Path) -> Whisper:
    """The network of a checkpoint, ready to be evaluated."""
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
    model = Whisper(Shape(**saved["shape"]))
    model.load_state_dict(saved["model"])
    return model.eval()


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().cpu().numpy()


def _affine(spec: Any, module: nn.Linear | nn.Conv1d) -> None:
    spec.weight, spec.bias = _array(module.weight), _array(module.bias)


def _norm(spec: Any, module: nn.LayerNorm) -> None:
    spec.gamma, spec.beta = _array(module.weight), _array(module.bias)


def _attention(spec: Any, module: Attention) -> None:
    _norm(spec.layer_norm, module.norm)
    projections = [module.query, module.memory, module.out]
    for target, linear in zip(spec.linear, [p for p in projections if p is not None], strict=True):
        _affine(target, linear)


def _feed(spec: Any, module: FeedForward) -> None:
    _norm(spec.layer_norm, module.norm)
    _affine(spec.linear_0, module.inner)
    _affine(spec.linear_1, module.outer)


def _encoder(spec: Any, model: Whisper) -> None:
    encoder = model.encoder
    _affine(spec.conv1, encoder.conv1)
    _affine(spec.conv2, encoder.conv2)
    spec.position_encodings.encodings = _array(encoder.positions)
    _norm(spec.layer_norm, encoder.norm)
    for target, layer in zip(spec.layer, encoder.layers, strict=True):
        _attention(target.self_attention, layer.attention)
        _feed(target.ffn, layer.feed)


def _decoder(spec: Any, model: Whisper) -> None:
    decoder = model.decoder
    spec.embeddings.weight = _array(decoder.embedding.weight)
    spec.projection.weight = _array(decoder.embedding.weight)
    spec.position_encodings.encodings = _array(decoder.positions)
    _norm(spec.layer_norm, decoder.norm)
    for target, layer in zip(spec.layer, decoder.layers, strict=True):
        _attention(target.self_attention, layer.attention)
        _attention(target.attention, layer.across)
        _feed(target.ffn, layer.feed)


def specification(model: Whisper, tokens: list[str], quantization: str | None) -> Any:
    """The model as CTranslate2 describes it."""
    from ctranslate2.specs.whisper_spec import WhisperSpec

    shape = model.shape
    spec = WhisperSpec(shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads)
    _encoder(spec.encoder, model)
    _decoder(spec.decoder, model)
    spec.register_vocabulary(tokens)
    spec.config.suppress_ids = []
    #: Nothing is suppressed at the start, so that a window without words may answer nothing.
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = []
    spec.config.alignment_heads = [list(head) for head in ALIGNMENT_HEADS]
    spec.validate()
    spec.optimize(quantization=quantization)
    return spec


def convert(checkpoint: Path, tokenizer: Path, target: Path, quantization: str | None = QUANTIZATION) -> None:
    """Write the model folder; other files in it (the card, the licence) stay."""
    vocabulary = Vocabulary(tokenizer)
    spec = specification(load(checkpoint), vocabulary.tokens, quantization)
    target.mkdir(parents=True, exist_ok=True)
    spec.save(str(target))
    if tokenizer.resolve() != (target / "tokenizer.json").resolve():
        shutil.copyfile(tokenizer, target / "tokenizer.json")
    features = {
        "feature_size": MELS,
        "sampling_rate": SAMPLE_RATE,
        "hop_length": HOP,
        "chunk_length": 30,
        "n_fft": FFT,
    }
    for name, content in (("preprocessor_config", features), ("streaming", STREAMING)):
        path = target / f"{name}.json"
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
