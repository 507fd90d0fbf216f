"""A Whisper-architecture model small enough to train on a processor."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

#: The encoder's fixed positions are scaled down: at full size they drown the features.
POSITION_SCALE = 0.15
MASKED = -1e4


@dataclass(frozen=True)
class Shape:
    """Sizes of the model. The two classifiers are used in training only."""

    vocabulary: int
    width: int = 192
    encoder_layers: int = 4
    decoder_layers: int = 2
    heads: int = 4
    mels: int = 80
    audio_positions: int = 1500
    text_positions: int = 448
    frame_tokens: int = 513
    frame_phones: int = 40

    def as_dict(self) -> dict[str, Any]:
        """For checkpoints."""
        return asdict(self)


def sinusoids(length: int, width: int) -> Tensor:
    """Whisper's table of positions."""
    step = math.log(10000) / (width // 2 - 1)
    angles = torch.arange(length)[:, None] * torch.exp(-step * torch.arange(width // 2))[None]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class Attention(nn.Module):
    """Pre-norm multi-head attention with its residual; self-attention, or across to a memory.

    Written with plain matrix products: on a processor the backward pass of the built-in
    scaled dot product attention is several times slower.
    """

    def __init__(self, width: int, heads: int, across: bool = False) -> None:
        super().__init__()
        self.heads, self.across = heads, across
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width if across else 3 * width)
        self.memory = nn.Linear(width, 2 * width) if across else None
        self.out = nn.Linear(width, width)

    def _split(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        return x.view(batch, length, self.heads, width // self.heads).transpose(1, 2)

    def forward(
        self, x: Tensor, memory: Tensor | None = None, bias: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Returns the new stream and the log-probabilities of attention (for supervision)."""
        if self.memory is not None and memory is not None:
            query = self.query(self.norm(x))
            key, value = self.memory(memory).chunk(2, dim=-1)
        else:
            query, key, value = self.query(self.norm(x)).chunk(3, dim=-1)
        query, key, value = self._split(query), self._split(key), self._split(value)
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
        if bias is not None:
            scores = scores + bias
        mixed = (scores.softmax(-1) @ value).transpose(1, 2).flatten(2)
        return x + self.out(mixed), scores


class FeedForward(nn.Module):
    """Pre-norm two-layer perceptron with its residual."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, 4 * width)
        self.outer = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """The stream with this layer's part added."""
        return x + self.outer(functional.gelu(self.inner(self.norm(x))))


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attention = Attention(shape.width, shape.heads)
        self.feed = FeedForward(shape.width)

    def forward(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """The stream after both."""
        return self.feed(self.attention(x, bias=bias)[0])


class DecoderLayer(nn.Module):
    """Causal self-attention, attention across to the audio, feed-forward."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attention = Attention(shape.width, shape.heads)
        self.across = Attention(shape.width, shape.heads, across=True)
        self.feed = FeedForward(shape.width)

    def forward(
        self, x: Tensor, memory: Tensor, causal: Tensor, bias: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """The stream after all three, and the scores across."""
        x, _ = self.attention(x, bias=causal)
        x, scores = self.across(x, memory, bias)
        return self.feed(x), scores


class Encoder(nn.Module):
    """Two convolutions and the layers; also keeps what its middle layer says of phones."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(shape.mels, shape.width, 3, padding=1)
        self.conv2 = nn.Conv1d(shape.width, shape.width, 3, stride=2, padding=1)
        table = sinusoids(shape.audio_positions, shape.width) * POSITION_SCALE
        self.register_buffer("positions", table)
        self.layers = nn.ModuleList(EncoderLayer(shape) for _ in range(shape.encoder_layers))
        self.norm = nn.LayerNorm(shape.width)
        self.phones = nn.Linear(shape.width, shape.frame_phones)
        with torch.no_grad():
            self.conv1.weight.mul_(1.7)
            self.conv2.weight.mul_(3.0)

    def forward(
        self,
        mel: Tensor,
        inside: Tensor | None = None,
        places: Tensor | None = None,
        bias: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """`inside` (batch, 1, frames) is 0 beyond a clip's end; `places` are its positions."""
        x = functional.gelu(self.conv1(mel))
        if inside is not None:
            x = x * inside
        x = functional.gelu(self.conv2(x)).transpose(1, 2)
        x = x + (self.positions[: x.shape[1]] if places is None else self.positions[places])
        middle = x
        for i, layer in enumerate(self.layers):
            x = layer(x, bias)
            if i == len(self.layers) // 2 - 1:
                middle = x
        return self.norm(x), self.phones(functional.layer_norm(middle, middle.shape[-1:]))


class Decoder(nn.Module):
    """Text decoder; the output projection is the embedding itself."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.positions = nn.Parameter(torch.randn(shape.text_positions, shape.width) * 0.01)
        self.layers = nn.ModuleList(DecoderLayer(shape) for _ in range(shape.decoder_layers))
        self.norm = nn.LayerNorm(shape.width)

    def forward(
        self, tokens: Tensor, memory: Tensor, bias: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Logits, and each layer's scores of attention across to the audio."""
        length = tokens.shape[1]
        causal = torch.full((length, length), MASKED, device=tokens.device).triu(1)
        x, scores = self.embedding(tokens) + self.positions[:length], []
        for layer in self.layers:
            x, across = layer(x, memory, causal, bias)
            scores.append(across)
        return self.norm(x) @ self.embedding.weight.t(), scores


class Whisper(nn.Module):
    """Encoder, decoder and the token classifier per frame used in training."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder, self.decoder = Encoder(shape), Decoder(shape)
        self.frame_tokens = nn.Linear(shape.width, shape.frame_tokens)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
