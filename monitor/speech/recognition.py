"""What the core asks of a recogniser, and what comes back."""

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from monitor.events import Channel, Word


@dataclass(frozen=True, slots=True)
class RecognitionRequest:
    """What the recogniser is asked: the words in one window of one side.

    ``audio`` is float32 mono at ``rate`` and begins at ``start`` seconds of the call. ``context`` are
    committed words before the window; ``prefix`` are the committed words inside it, which the answer
    must continue and does not repeat. ``final`` tells that the utterance is over, ``better`` allows a
    wider search for it, ``align`` asks for word times from the sound.
    """

    id: int
    channel: Channel
    utterance: int
    start: float
    end: float
    rate: int
    audio: NDArray[np.float32]
    context: tuple[str, ...] = ()
    prefix: tuple[Word, ...] = ()
    final: bool = False
    better: bool = True
    align: bool = True


class RecognitionResult(msgspec.Struct, frozen=True):
    """The recogniser's answer to the request ``request_id``; ``Call.add_result`` takes it.

    ``avg_logprob`` is per token, ``no_speech`` a probability, ``cost`` the seconds of inference time
    that the answer took (this is how a pure core learns that the machine is slow).
    """

    request_id: int
    words: tuple[Word, ...] = ()
    avg_logprob: float = 0.0
    no_speech: float = 0.0
    cost: float = 0.0
