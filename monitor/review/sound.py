"""Computes a mel spectrogram of each side of a recording, with librosa, for the report.

It shows what no curve does: hold music, an echo, noise, a harsh voice, a line limited to 3.4 kHz. All figures
of the report come from the events. The scale is perceptual (mel bands, power in dB below the side's maximum),
after S. Davis and P. Mermelstein, "Comparison of parametric representations for monosyllabic word
recognition", IEEE Transactions on Acoustics, Speech and Signal Processing 28 (1980).
"""

import math
import struct
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.events import CHANNELS, Block, Channel

BANDS = 40
COLUMNS = 960
"""Greatest number of columns; a short call has fewer, of ``FINEST`` seconds each."""
FINEST = 0.04
PIECE = 20.0
"""Seconds that are processed at a time, so that memory does not grow with the call."""
RANGE_DB = 60.0
"""Range in dB below the maximum; lower values are not drawn."""
SHADES = 48
_NOTHING = 10 ** (-(RANGE_DB + 10) / 10)
"""Floor of the power relative to the maximum; a silent side lies wholly at the floor and is not drawn."""

HOP_SECONDS, WINDOW_SECONDS = 0.02, 0.064
LOWEST = 80.0

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Spectrogram:
    """One side's spectrogram: ``loud`` [bands, columns] in dB relative to its maximum, lowest band first."""

    loud: Floats
    step: float
    """Seconds of a column."""
    lowest: float
    highest: float
    """Hz."""

    def png(self, colour: tuple[int, int, int]) -> str:
        """The picture as a data URL of a PNG in ``colour`` (r, g, b), more opaque where louder."""
        dense = np.clip(1 + self.loud / RANGE_DB, 0, 1)
        shades = np.round(dense * (SHADES - 1)).astype(np.uint8)
        return "data:image/png;base64," + b64encode(_png(shades[::-1], colour)).decode()


def pictures(
    blocks: Iterable[Block],
    rate: int,
    seconds: float,
    shown: Sequence[Channel] = CHANNELS,
    heard: Callable[[float], None] = lambda _: None,
) -> dict[Channel, Spectrogram]:
    """Computes the spectrograms of the sides in ``shown`` from the call's ``blocks`` of ``PIECE`` seconds.

    ``rate`` is 8000 or 16000 Hz, ``seconds`` the length of the call; ``heard`` is called with the progress.
    """
    import librosa  # slow to import (seconds, the first time twenty), and only the report needs it

    step = max(FINEST, seconds / COLUMNS)
    columns = max(1, math.ceil(round(seconds / step, 6)))
    rows, top = [CHANNELS.index(channel) for channel in shown], 0.475 * rate
    power = np.zeros((len(rows), BANDS, columns))
    frames = np.zeros(columns)
    window = round(WINDOW_SECONDS * rate)
    for block in blocks:
        size = block.pcm.shape[1]
        mels = librosa.feature.melspectrogram(
            y=np.pad(block.pcm[rows], ((0, 0), (0, max(0, window - size)))), sr=rate, n_fft=window,
            hop_length=round(HOP_SECONDS * rate), n_mels=BANDS, fmin=LOWEST, fmax=top,
        )  # fmt: skip
        times = block.start / rate + np.arange(mels.shape[2]) * HOP_SECONDS
        places = np.minimum((times / step + 1e-6).astype(np.intp), columns - 1)
        first, last = int(places[0]), int(places[-1]) + 1
        starts = np.searchsorted(places, np.arange(first, last))
        power[:, :, first:last] += np.add.reduceat(mels, starts, axis=2)
        frames[first:last] += np.diff(starts, append=places.size)
        heard((block.start + size) / rate)
    power /= np.maximum(frames, 1)
    loudest = [max(float(side.max()), 1e-7) for side in power]
    loud = [
        librosa.power_to_db(side, ref=ref, amin=ref * _NOTHING, top_db=None).clip(min=-RANGE_DB)
        for side, ref in zip(power, loudest, strict=True)
    ]
    return {
        channel: Spectrogram(side.astype(np.float32), step, LOWEST, top)
        for channel, side in zip(shown, loud, strict=True)
    }


def _png(shades: NDArray[np.uint8], colour: tuple[int, int, int]) -> bytes:
    """Encodes a PNG of one colour in ``SHADES`` opacities; ``shades`` is [rows, columns], top row first.

    It has a palette with an alpha value per entry (PNG specification, 11.3.2), so that the page's background
    shows through and one picture fits the light and the dark theme.
    """
    height, width = shades.shape
    rows = b"".join(b"\0" + row.tobytes() for row in shades)
    alphas = bytes(round(255 * shade / (SHADES - 1)) for shade in range(SHADES))
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", bytes(colour) * SHADES),
        (b"tRNS", alphas),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
