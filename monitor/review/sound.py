"""The sound of a call as a picture: a mel spectrogram of each side, by librosa.

It is drawn from the recording, not from the events: it shows what no curve does (hold music, an echo, a
hiss, a voice that turns harsh, a line cut at 3.4 kHz). Every figure of the report comes from the events
all the same. The scale is the ear's (mel bands, power in dB below the side's loudest), after S. Davis and
P. Mermelstein, "Comparison of parametric representations for monosyllabic word recognition", IEEE
Transactions on Acoustics, Speech and Signal Processing 28 (1980).
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
"""Columns of the picture; a short call has fewer, of ``FINEST`` seconds each."""
FINEST = 0.04
PIECE = 20.0
"""Seconds that are turned into a spectrogram at a time: memory does not grow with the call."""
RANGE_DB = 60.0
"""What lies further below the loudest is not drawn."""
SHADES = 48
_NOTHING = 10 ** (-(RANGE_DB + 10) / 10)
"""The power below which there is none, against the loudest; a side without sound is all there, not drawn."""

HOP_SECONDS, WINDOW_SECONDS = 0.02, 0.064
LOWEST = 80.0

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Spectrogram:
    """One side's spectrogram: ``loud`` [bands, columns] in dB below its loudest, the lowest band first."""

    loud: Floats
    step: float
    """Seconds of a column."""
    lowest: float
    highest: float
    """Hz."""

    def png(self, colour: tuple[int, int, int]) -> str:
        """The picture as the address of a PNG: ``colour``, the denser the louder."""
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
    """The pictures of the sides that are ``shown``, from the whole call in ``blocks`` of ``PIECE`` seconds.

    ``rate`` is 8000 or 16000 Hz, ``seconds`` the length of the call; ``heard`` is told how far it is.
    """
    import librosa  # here, not above: it takes seconds, the first time twenty, and only the report needs it

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
    """A PNG of one colour in ``SHADES`` densities; ``shades`` is [rows, columns], top row first.

    A palette with an alpha for each entry (PNG specification, 11.3.2): the page's background shows through,
    so that one picture serves its light and its dark theme.
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
