"""Whisper's log-mel spectrogram, computed once for each frame of a growing window.

The values are those of OpenAI's Whisper and of faster-whisper's ``FeatureExtractor``: 25 ms Hann windows
every 10 ms at 16 kHz, Slaney mel bands, log10; then everything more than 80 dB below the loudest bin of the
window is raised to that floor, and (x + 4) / 4. Whisper normalises each window by its own maximum, so the
cache keeps the values from before that step.

A streaming window grows by half a second at a time; computing it anew would cost more than a small encoder
does. ``MelCache`` computes only the frames that the new audio affects.
"""

from collections import OrderedDict
from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

RATE = 16000
HOP = 160
N_FFT = 400
FLOOR_DECADES = 8.0
"""Distance of the floor from the loudest bin (8 decades of power: 80 dB)."""

_UNSTABLE = 0.12
"""Seconds at the end of a window that new audio still changes: resampler, reflection, half a frame."""

_LEAD_IN = 0.1
"""Seconds of known audio that the resampler gets before the new audio."""


def mel_filters(bands: int) -> Floats:
    """Slaney's mel filter bank, float32 [bands, N_FFT // 2 + 1]; all bands have equal area."""
    linear = np.linspace(0.0, 45.245640471924965, bands + 2)  # 45.2... is 8 kHz on Slaney's scale
    hertz = np.where(
        linear < 15.0, linear * 200.0 / 3.0, 1000.0 * np.exp(np.log(6.4) / 27.0 * (linear - 15.0))
    )
    bins = np.fft.rfftfreq(N_FFT, 1.0 / RATE)
    rising = (bins[None, :] - hertz[:-2, None]) / np.diff(hertz)[:-1, None]
    falling = (hertz[2:, None] - bins[None, :]) / np.diff(hertz)[1:, None]
    area = 2.0 / (hertz[2:] - hertz[:-2])
    weights: Floats = (np.maximum(0.0, np.minimum(rising, falling)) * area[:, None]).astype(np.float32)
    return weights


def normalised(raw: Floats) -> Floats:
    """A window of raw log-mel values as the encoder expects it, relative to its loudest bin."""
    floor = raw.max(initial=-10.0) - FLOOR_DECADES
    scaled: Floats = (np.maximum(raw, floor) + np.float32(4.0)) * np.float32(0.25)
    return scaled


class LogMel:
    """Computes raw log10-mel frames from audio, before the normalisation of the window."""

    def __init__(self, bands: int = 80) -> None:
        self.bands = bands
        self._filters = mel_filters(bands)
        self._window = np.hanning(N_FFT + 1)[:-1].astype(np.float32)

    def whole(self, audio: Floats) -> Floats:
        """All frames of 16 kHz ``audio`` (float32 [samples]): float32 [bands, len // 160], edges as in
        faster-whisper.
        """
        count = len(audio) // HOP
        if not count:
            return np.zeros((self.bands, 0), np.float32)
        padded = np.pad(
            np.pad(audio, (0, HOP)), N_FFT // 2, mode="reflect" if len(audio) >= N_FFT else "constant"
        )
        return self._frames(padded, count)

    def inner(self, audio: Floats, count: int) -> Floats:
        """``count`` frames, the first centred half a window into ``audio`` (no reflection at the edges)."""
        return self._frames(audio, count)

    def _frames(self, padded: Floats, count: int) -> Floats:
        frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[: count * HOP : HOP]
        spectrum = np.fft.rfft(frames * self._window, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        return np.log10(np.maximum(self._filters @ power.T.astype(np.float32), np.float32(1e-10)))


class MelCache:
    """The raw frames of the last ``keep`` windows; one that only grew is extended.

    A window is identified by a key and by its audio: where the audio under a key is not the start of the new
    audio (two calls may use the same numbers), the frames are computed anew. ``computed`` counts the frames
    that were computed.
    """

    def __init__(self, mel: LogMel, keep: int = 16) -> None:
        self._mel = mel
        self._keep = keep
        self._cache: OrderedDict[Hashable, tuple[Floats, Floats]] = OrderedDict()
        self.computed = 0

    def frames(self, key: Hashable, audio: Floats, rate: int) -> Floats:
        """The raw frames of all of ``audio`` (float32 mono at ``rate`` Hz), float32 [bands, frames]."""
        known = self._cache.pop(key, None)
        start = self._stable_frames(known, audio, rate)
        sound = _at_16k(audio[_lead(start, rate) :], rate)
        if known is None or start == 0:
            raw = self._mel.whole(sound)
            self.computed += raw.shape[1]
        else:
            raw = self._extended(known[1][:, :start], sound, rate, len(audio))
        self._cache[key] = (audio, raw)
        while len(self._cache) > self._keep:
            self._cache.popitem(last=False)
        return raw

    def _stable_frames(self, known: tuple[Floats, Floats] | None, audio: Floats, rate: int) -> int:
        """The number of cached frames that also hold for ``audio``."""
        if (
            known is None
            or len(known[0]) > len(audio)
            or not np.array_equal(known[0], audio[: len(known[0])])
        ):
            return 0
        settled = known[1].shape[1] - round(_UNSTABLE * 100)
        return settled if settled > round((_UNSTABLE + _LEAD_IN) * 100) else 0

    def _extended(self, settled: Floats, sound: Floats, rate: int, samples: int) -> Floats:
        """``settled`` frames and those after them; ``sound`` starts a lead-in before the first new one."""
        first = settled.shape[1]
        count = samples * RATE // rate // HOP - first
        skip = (first - _lead_frames(first)) * HOP - N_FFT // 2
        padded = np.pad(np.pad(sound, (0, HOP)), (0, N_FFT // 2), mode="reflect")[skip:]
        self.computed += count
        return np.concatenate([settled, self._mel.inner(padded, count)], axis=1)


def _lead_frames(first: int) -> int:
    return max(0, first - round(_LEAD_IN * 100))


def _lead(first: int, rate: int) -> int:
    """The sample at the call's rate where the resampler starts, so that frame ``first`` comes out right."""
    return _lead_frames(first) * HOP * rate // RATE


def _at_16k(audio: Floats, rate: int) -> Floats:
    if rate == RATE:
        return audio
    import soxr

    resampled: Floats = soxr.resample(audio, rate, RATE, "HQ").astype(np.float32, copy=False)
    return resampled
