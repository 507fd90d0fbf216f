"""Silero VAD 6.2.3 (MIT, https://github.com/snakers4/silero-vad), its 16 kHz sequence model.

Frames of 32 ms go in, the probability of speech of each comes out; the model's memory (an LSTM) is
kept between calls. The answers are the same however many frames a call carries, and a call with many
is cheaper. A side that has been below the floor for a quarter of a second is not asked about: its
probability is 0, and the model sleeps with its memory as it was (waking with a fresh one costs 60 ms
at the next onset).
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
MODEL = "models/silero/silero_vad_16k_sequence.onnx"
SHA256 = "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85"
MOST_FRAMES = 256
"""Frames per call of the model at most, so that a long run does not need much memory."""
ASLEEP_AFTER = 8
"""Frames below the floor after which the model sleeps."""

Samples = NDArray[np.float32]


@cache
def session() -> Any:
    """The loaded model, one for the process (it keeps no state of its own)."""
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


class Silero:
    """Speech probabilities of one side: 16 kHz in, one number for each 32 ms.

    ``floor_dbfs`` is the level of a frame (RMS) that keeps the model awake.
    """

    def __init__(self, floor_dbfs: float = -95.0) -> None:
        self._session = session()
        self._floor = 10.0 ** (floor_dbfs / 10.0) * FRAME
        self._rest = np.zeros(CONTEXT, np.float32)  # the left context, then samples short of a frame
        self._hidden = np.zeros((1, 1, 128), np.float32)
        self._cell = np.zeros((1, 1, 128), np.float32)
        self._quiet = ASLEEP_AFTER

    def feed(self, pcm: Samples) -> Samples:
        """The probabilities, 0 to 1, of the frames that ``pcm`` (float32, 16 kHz) completes."""
        sound = np.concatenate([self._rest, pcm])
        frames = (sound.size - CONTEXT) // FRAME
        self._rest = sound[frames * FRAME :].copy()
        probabilities = np.zeros(frames, np.float32)
        if frames:
            windows = _windows(sound, frames)
            loud = np.square(windows[:, CONTEXT:]).sum(axis=1) > self._floor
            for first, last in self._awake(loud.tolist()):
                probabilities[first:last] = self._ask(windows[first:last])
        return probabilities

    def finish(self) -> Samples:
        """The probability of the last, begun frame, filled up with silence."""
        missing = -(self._rest.size - CONTEXT) % FRAME
        return self.feed(np.zeros(missing, np.float32))

    def _awake(self, loud: list[bool]) -> list[tuple[int, int]]:
        """The stretches of frames that are to be asked about, each at most ``MOST_FRAMES`` long."""
        stretches: list[tuple[int, int]] = []
        for frame, sounds in enumerate(loud):
            self._quiet = 0 if sounds else self._quiet + 1
            if self._quiet >= ASLEEP_AFTER:
                continue
            first, last = stretches[-1] if stretches else (frame, frame)
            if stretches and last == frame and frame - first < MOST_FRAMES:
                stretches[-1] = (first, frame + 1)
            else:
                stretches.append((frame, frame + 1))
        return stretches

    def _ask(self, windows: Samples) -> Samples:
        feeds = {"input": windows, "h": self._hidden, "c": self._cell}
        probabilities, self._hidden, self._cell = self._session.run(["speech_probs", "hn", "cn"], feeds)
        heard: Samples = probabilities.reshape(-1)
        return heard


def _windows(sound: Samples, frames: int) -> Samples:
    """Each frame after the ``CONTEXT`` samples before it, [frames, CONTEXT + FRAME]."""
    windows = np.empty((frames, CONTEXT + FRAME), np.float32)
    windows[:, :CONTEXT] = sound[: frames * FRAME].reshape(frames, FRAME)[:, :CONTEXT]
    windows[:, CONTEXT:] = sound[CONTEXT : CONTEXT + frames * FRAME].reshape(frames, FRAME)
    return windows
