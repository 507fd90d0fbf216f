"""Silero VAD 6.2.3 (MIT licence, https://github.com/snakers4/silero-vad) for both sides of a call at once.

It takes frames of 32 ms and returns the speech probability of each; the state of its LSTM is kept between
calls. The results do not depend on how many frames are passed at once, but more at once are cheaper. A side
that stayed below the level floor for a quarter of a second sleeps: its probability is 0 and its state is
frozen (starting again from a fresh state would delay the next onset by 60 ms). When both sides sleep, the
model is not run.

The file is the 16 kHz sequence model rearranged for two sides (``models/silero/pair.py``): with one side,
most of the time went into fetching weights and into vector units that stood idle.
"""

import hashlib
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.errors import BadInput
from monitor.resources import resource

RATE = 16000
FRAME = 512
CONTEXT = 64
SIDES = 2
MODEL = "models/silero/silero_vad_16k_pair.onnx"
SHA256 = "a1b0c5c818602efe6f82efe99747e86109caa51a793f4f15c6252e39242f6dd8"
MOST_FRAMES = 256
"""Most frames in one run of the model, to bound its memory."""
ASLEEP_AFTER = 8
"""Frames below the level floor after which a side sleeps."""

_WINDOW, _HOP, _WINDOWS = 256, 128, 4
"""Samples in a window of the model's spectrum, between two of them, and windows in a frame."""
_INSIDE = CONTEXT + FRAME - (_WINDOWS - 1) * _HOP
"""Samples of the last window that lie in the frame; the others are these, mirrored at the frame's end."""

Samples = NDArray[np.float32]


@cache
def session() -> Any:
    """Returns the loaded ONNX session, one for the process (it holds no state).

    Raises ``BadInput`` where the model file is missing or damaged.
    """
    import onnxruntime  # here, not above: it takes a tenth of a second, and `monitor --help` does without

    path = resource(MODEL)
    try:
        model = path.read_bytes()
    except OSError:
        raise BadInput(f"The voice activity model {path} is missing; install the monitor again.") from None
    if hashlib.sha256(model).hexdigest() != SHA256:
        raise BadInput(f"The voice activity model {path} is damaged; install the monitor again.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class SileroModel:
    """Speech probabilities of both sides: float32 audio at 16 kHz in, one probability for each 32 ms out.

    ``floor_dbfs`` is the level (RMS of a frame) below which a side counts as silent.
    """

    def __init__(self, floor_dbfs: float = -95.0) -> None:
        self._session = session()
        self._floor = 10.0 ** (floor_dbfs / 10.0) * FRAME
        self._rest = np.zeros((SIDES, CONTEXT), np.float32)  # the left context, then samples short of a frame
        self._memory: tuple[Samples, Samples] = (_blank(), _blank())
        self._quiet = [ASLEEP_AFTER] * SIDES

    def feed(self, pcm: Samples) -> Samples:
        """Returns the probabilities, float32 [2, n] from 0 to 1, of the frames that ``pcm`` completes.

        ``pcm`` is float32 [2, samples] at 16 kHz.
        """
        sound = np.concatenate([self._rest, pcm], axis=1)
        frames = (sound.shape[1] - CONTEXT) // FRAME
        self._rest = sound[:, frames * FRAME :].copy()
        probabilities = np.zeros((SIDES, frames), np.float32)
        if frames:
            whole = sound[:, CONTEXT : CONTEXT + frames * FRAME].reshape(SIDES, frames, FRAME)
            loud = np.add.reduce(np.square(whole), axis=2) > self._floor
            for first, last, awake in self._awake(*loud.tolist()):
                found = self._ask(_windows(sound, first, last), awake)
                for side in awake:
                    probabilities[side, first:last] = found[:, side]
        return probabilities

    def finish(self) -> Samples:
        """Returns the probabilities of the incomplete last frame, padded with silence."""
        missing = -(self._rest.shape[1] - CONTEXT) % FRAME
        return self.feed(np.zeros((SIDES, missing), np.float32))

    def _awake(self, *loud: list[bool]) -> list[tuple[int, int, list[int]]]:
        """Stretches of frames in which the same sides are awake, each at most ``MOST_FRAMES`` long."""
        stretches: list[tuple[int, int, list[int]]] = []
        for frame, sounds in enumerate(zip(*loud, strict=True)):
            quiet = self._quiet = [
                0 if sound else still + 1 for sound, still in zip(sounds, self._quiet, strict=True)
            ]
            awake = [side for side in range(SIDES) if quiet[side] < ASLEEP_AFTER]
            if not awake:
                continue
            first, last, before = stretches[-1] if stretches else (frame, frame, awake)
            if stretches and last == frame and before == awake and frame - first < MOST_FRAMES:
                stretches[-1] = (first, frame + 1, awake)
            else:
                stretches.append((frame, frame + 1, awake))
        return stretches

    def _ask(self, windows: Samples, awake: list[int]) -> Samples:
        """Runs the model: probabilities [n, 2]. Only sides that are awake keep the new state."""
        hidden, cell = self._memory
        feeds = {"windows": windows, "h": hidden, "c": cell}
        probabilities, *memory = self._session.run(["speech_probs", "hn", "cn"], feeds)
        if len(awake) < SIDES:
            for new, old in zip(memory, self._memory, strict=True):
                old[:, awake] = new[:, awake]
        else:
            self._memory = memory[0], memory[1]
        found: Samples = probabilities
        return found


def _blank() -> Samples:
    return np.zeros((1, SIDES, 128), np.float32)


def _windows(sound: Samples, first: int, last: int) -> Samples:
    """The windows of the model's spectrum for some frames of both sides, [frames * sides * windows, samples].

    ``sound`` [2, n] starts with the ``CONTEXT`` samples before frame 0.
    """
    side, sample = sound.strides
    shape = last - first, SIDES, _WINDOWS, _WINDOW
    windows = np.empty(shape, np.float32)
    # Laid over the sound by its strides: numpy's own sliding windows take longer than the copying.
    strides = FRAME * sample, side, _HOP * sample, sample
    start = first * FRAME * sample
    windows[:, :, :-1] = np.ndarray((*shape[:2], _WINDOWS - 1, _WINDOW), np.float32, sound, start, strides)
    start += (CONTEXT + FRAME - _INSIDE) * sample
    end = np.ndarray((*shape[:2], _INSIDE), np.float32, sound, start, (FRAME * sample, side, sample))
    windows[:, :, -1, :_INSIDE] = end
    windows[:, :, -1, _INSIDE:] = end[:, :, -2 : -2 - (_WINDOW - _INSIDE) : -1]
    return windows.reshape(-1, _WINDOW)
