"""What the network is trained on: tokens, attention, and labels per frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .batches import Batch
from .labels import IGNORE
from .network import MASKED, Whisper

SMOOTHING = 0.05
#: Attention heads that are taught to look where the token is spoken: (layer, head).
ALIGNMENT_HEADS = ((1, 0), (1, 1))
GUIDED_HEADS = ((0, 0), *ALIGNMENT_HEADS)
#: In imitation of the 30 s window, the rest of it is stood for by so many zero positions.
STAND_INS = 24


@dataclass(frozen=True)
class Weights:
    """Weights of the parts of the loss; the token loss has weight 1."""

    attention: float = 0.3
    frame_tokens: float = 0.4
    phones: float = 0.6


@dataclass
class Parts:
    """The parts of the loss of one batch."""

    tokens: Tensor
    attention: Tensor
    frame_tokens: Tensor
    phones: Tensor

    def total(self, weights: Weights) -> Tensor:
        """Their weighted sum."""
        return (
            self.tokens
            + weights.attention * self.attention
            + weights.frame_tokens * self.frame_tokens
            + weights.phones * self.phones
        )

    def values(self) -> list[float]:
        """As plain numbers."""
        return [float(x.detach()) for x in (self.tokens, self.attention, self.frame_tokens, self.phones)]


@dataclass
class _Prepared:
    mel: Tensor
    inside: Tensor
    places: Tensor
    bias: Tensor


def _prepare(batch: Batch, audio_positions: int) -> _Prepared:
    """Mask what lies beyond each clip; in a full window, let zero positions stand for the rest.

    A stand-in counts as (positions left) / STAND_INS positions, which is the logarithm that is
    added to the attention scores of its key. This equals the full window up to sampling.
    """
    mel = torch.from_numpy(batch.mel)
    count, bins, frames = mel.shape
    length = frames // 2
    places = torch.arange(length)
    if batch.full_window:
        mel = torch.cat([mel, mel.new_zeros(count, bins, 2 * STAND_INS)], dim=2)
        drawn = torch.randperm(audio_positions - length)[:STAND_INS].sort()[0] + length
        bias = torch.zeros(1, 1, 1, length + STAND_INS)
        bias[..., length:] = math.log((audio_positions - length) / STAND_INS)
        return _Prepared(mel, torch.ones(1, 1, 1), torch.cat([places, drawn]), bias)
    real = torch.from_numpy(batch.positions)[:, None]
    inside = (torch.arange(frames)[None] < 2 * real).float()[:, None]
    bias = ((places[None] >= real).float() * MASKED)[:, None, None]
    return _Prepared(mel, inside, places, bias)


def _attention_loss(scores: list[Tensor], batch: Batch, length: int) -> Tensor:
    """Minus the logarithm of the attention that falls on the frames where a token is spoken."""
    if len(batch.spans) == 0:
        return torch.zeros(())
    item, row, first, after = torch.from_numpy(batch.spans).unbind(1)
    places = torch.arange(length)
    spoken = (places >= first[:, None]) & (places < after[:, None])
    losses = []
    for layer, head in GUIDED_HEADS:
        logarithm = scores[layer][item, head, row].log_softmax(-1)[:, :length]
        losses.append(-logarithm.masked_fill(~spoken, MASKED).logsumexp(-1).mean())
    return torch.stack(losses).mean()


def _classified(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross entropy over labelled frames only; 0 when there are none."""
    labelled = targets != IGNORE
    if not labelled.any():
        return torch.zeros(())
    return functional.cross_entropy(logits[labelled], targets[labelled])


def compute(model: Whisper, batch: Batch) -> Parts:
    """Run the model on a batch."""
    prepared = _prepare(batch, model.shape.audio_positions)
    memory, phones = model.encoder(prepared.mel, prepared.inside, prepared.places, prepared.bias)
    logits, scores = model.decoder(torch.from_numpy(batch.inputs), memory, prepared.bias)
    length = batch.frame_tokens.shape[1]
    tokens = functional.cross_entropy(
        logits.flatten(0, 1),
        torch.from_numpy(batch.targets).flatten(),
        ignore_index=IGNORE,
        label_smoothing=SMOOTHING,
    )
    return Parts(
        tokens,
        _attention_loss(scores, batch, length),
        _classified(model.frame_tokens(memory[:, :length]), torch.from_numpy(batch.frame_tokens)),
        _classified(phones[:, :length], torch.from_numpy(batch.frame_phones)),
    )
