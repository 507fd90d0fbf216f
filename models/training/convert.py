"""From a training checkpoint to a folder that faster-whisper and CTranslate2 load."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .features import FFT, HOP, MELS
from .losses import ALIGNMENT_HEADS
from .naming import named
from .network import Shape, Whisper
from .tokens import Vocabulary
from .utterance import SAMPLE_RATE

QUANTIZATION = "int8_float16"
#: How the product should ask this model: pauses after the sound, context, search width.
STREAMING = {
    "window_least": 0.0,
    "window_after": 0.64,
    "keep": 2.0,
    "context": False,
    "partial_beam": 5,
    "final_beam": 5,
}


def load(checkpoint: Path) -> Whisper:
    """The network of a checkpoint, ready to be evaluated."""
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
    model = Whisper(Shape(**saved["shape"]))
    model.load_state_dict(saved["model"])
    model.eval()
    return model


def _place(spec: Any, name: str, value: np.ndarray) -> None:
    """Set the variable of a specification that is stored under `name`."""
    *scopes, last = name.split("/")
    for scope in scopes:
        if hasattr(spec, scope):
            spec = getattr(spec, scope)
        else:
            members, _, number = scope.rpartition("_")
            spec = getattr(spec, members)[int(number)]
    setattr(spec, last, value)


def specification(model: Whisper, tokens: list[str], quantization: str | None) -> Any:
    """The model as CTranslate2 describes it."""
    from ctranslate2.specs.whisper_spec import WhisperSpec

    shape = model.shape
    spec = WhisperSpec(shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads)
    for name, weight in named(model):
        _place(spec, name, weight.detach().float().cpu().numpy())
    spec.decoder.projection.weight = spec.decoder.embeddings.weight
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
