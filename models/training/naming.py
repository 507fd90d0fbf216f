"""Every weight of the network under the name that CTranslate2 stores it by: one list for both ways."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from .network import Attention, FeedForward, Whisper

Named = Iterator[tuple[str, Tensor]]


def _affine(name: str, module: nn.Linear | nn.Conv1d) -> Named:
    yield f"{name}/weight", module.weight
    if module.bias is not None:
        yield f"{name}/bias", module.bias


def _norm(name: str, module: nn.LayerNorm) -> Named:
    yield f"{name}/gamma", module.weight
    yield f"{name}/beta", module.bias


def _attention(name: str, module: Attention) -> Named:
    yield from _norm(f"{name}/layer_norm", module.norm)
    projections = [p for p in (module.query, module.memory, module.out) if p is not None]
    for i, linear in enumerate(projections):
        yield from _affine(f"{name}/linear_{i}", linear)


def _feed(name: str, module: FeedForward) -> Named:
    yield from _norm(f"{name}/layer_norm", module.norm)
    yield from _affine(f"{name}/linear_0", module.inner)
    yield from _affine(f"{name}/linear_1", module.outer)


def named(model: Whisper) -> Named:
    """(name, weight) of all that recognition needs; the classifiers of training are not among them."""
    encoder, decoder = model.encoder, model.decoder
    yield from _affine("encoder/conv1", encoder.conv1)
    yield from _affine("encoder/conv2", encoder.conv2)
    yield "encoder/position_encodings/encodings", encoder.positions
    yield from _norm("encoder/layer_norm", encoder.norm)
    for i, layer in enumerate(encoder.layers):
        yield from _attention(f"encoder/layer_{i}/self_attention", layer.attention)
        yield from _feed(f"encoder/layer_{i}/ffn", layer.feed)
    yield "decoder/embeddings/weight", decoder.embedding.weight
    yield "decoder/position_encodings/encodings", decoder.positions
    yield from _norm("decoder/layer_norm", decoder.norm)
    for i, layer in enumerate(decoder.layers):
        yield from _attention(f"decoder/layer_{i}/self_attention", layer.attention)
        yield from _attention(f"decoder/layer_{i}/attention", layer.across)
        yield from _feed(f"decoder/layer_{i}/ffn", layer.feed)
