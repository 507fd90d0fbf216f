"""Between calls: waits for the caller's side to come alive, and remembers just enough not to miss it.

What is heard meanwhile is forgotten after the pre-roll; nothing of it is transcribed, told or written.
"""

from collections import deque

import numpy as np
from msgspec.structs import replace

from monitor.audio.frames import Framer
from monitor.audio.gate import Gate
from monitor.config import GateSettings
from monitor.events import CHANNELS, FRAME_SECONDS, Block

_CALLER = CHANNELS.index("caller")
_RECENT = 50
"""Frames that are looked at for speech of the caller (1 s)."""


class Waiting:
    """Says when a call begins. ``moment``: seconds of the caller's speech that it takes, within one second.

    ``preroll``: seconds before that which belong to the call.
    """

    def __init__(self, rate: int, gate: GateSettings, *, moment: float = 0.4, preroll: float = 4.0) -> None:
        self._rate = rate
        self._preroll = preroll
        self._enough = round(moment / FRAME_SECONDS)
        self._framer = Framer(rate)
        self._gate = Gate(rate, gate)
        self._spoken: deque[bool] = deque(maxlen=_RECENT)
        self._kept: deque[Block] = deque()

    def feed(self, block: Block) -> bool:
        """Hears a block; True when the caller has been speaking for a moment."""
        self._kept.append(block)
        size = sum(kept.pcm.shape[1] for kept in self._kept)
        while size - self._kept[0].pcm.shape[1] >= self._preroll * self._rate and len(self._kept) > 1:
            size -= self._kept.popleft().pcm.shape[1]
        active = self._gate.feed(self._framer.feed(block)).active
        self._spoken.extend(bool(flag) for flag in active[_CALLER])
        return sum(self._spoken) >= self._enough

    def kept(self) -> list[Block]:
        """The blocks from the pre-roll on, to be heard as the beginning of the call."""
        kept, self._kept = list(self._kept), deque()
        return kept


def warm_up(rate: int, gate: GateSettings) -> None:
    """Loads what decides whether somebody speaks, so that no sound waits for it."""
    second = Block(0, np.full((len(CHANNELS), rate), 1e-3, np.float32))
    Gate(rate, gate).feed(Framer(rate).feed(second))


def rebased(block: Block, first: int, rate: int) -> Block:
    """The block in the time of a call whose first sample was number ``first`` of the stream."""
    at = first / rate
    gaps = []
    for gap in block.gaps:
        begin, end = max(0.0, gap.at - at), gap.at + gap.seconds - at
        if end > 0:
            gaps.append(
                replace(
                    gap,
                    at=round(begin, 3),
                    seconds=round(end - begin, 3),
                    known=max(0.0, round(gap.known - at, 3)),
                )
            )
    return Block(block.start - first, np.ascontiguousarray(block.pcm), tuple(gaps), block.notices)
