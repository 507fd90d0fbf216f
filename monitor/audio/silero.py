"""Silero VAD 6.2.3 (MIT, https://github.com/snakers4/silero-vad), its 16 kHz sequence model.

Frames of 32 ms go in, the probability of speech of each comes out; the model's memory (an LSTM) is
kept between calls. The answers are the same however many frames a call carries; a call with many is
cheaper (about 1.5 ms of CPU for a second of sound at 8 frames a call, 2.8 at one).
"""

import hashlib
from functools import cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from monitor.errors import BadInput
from monitor.resources import resource

RATE = 16000
FRAME = 512
CONTEXT = 64
MODEL = "models/silero/silero_vad_16k_sequence.onnx"
SHA256 = "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85"
MOST_FRAMES = 256

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
    """Speech probabilities of one side, 16 kHz in, one number for each 32 ms."""

    def __init__(self) -> None:
        self._session = session()
        self._rest = np.zeros(CONTEXT, np.float32)  # the left context, then samples short of a frame
        self._hidden = np.zeros((1, 1, 128), np.float32)
        self._cell = np.zeros((1, 1, 128), np.float32)

    def feed(self, pcm: Samples) -> Samples:
        """The probabilities, 0 to 1, of the frames that ``pcm`` (float32, 16 kHz) completes."""
        sound = np.concatenate([self._rest, pcm])
        frames = (sound.size - CONTEXT) // FRAME
        self._rest = sound[frames * FRAME :].copy()
        firsts = range(0, frames, MOST_FRAMES)
        parts = [self._ask(sound, first, min(frames, first + MOST_FRAMES)) for first in firsts]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def finish(self) -> Samples:
        """The probability of the last, begun frame, filled up with silence."""
        missing = -(self._rest.size - CONTEXT) % FRAME
        return self.feed(np.zeros(missing, np.float32))

    def _ask(self, sound: Samples, first: int, last: int) -> Samples:
        windows = sliding_window_view(sound, CONTEXT + FRAME)[first * FRAME : last * FRAME : FRAME]
        feeds = {"input": np.ascontiguousarray(windows), "h": self._hidden, "c": self._cell}
        probabilities, self._hidden, self._cell = self._session.run(["speech_probs", "hn", "cn"], feeds)
        return probabilities.reshape(-1)  # type: ignore[no-any-return]  # onnxruntime carries no types
