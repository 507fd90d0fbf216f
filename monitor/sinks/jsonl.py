"""JSON lines on a stream: what ``--json`` prints, and nothing else."""

from collections.abc import Sequence
from typing import BinaryIO

from monitor.events import Prosody
from monitor.sinks import Line


class JsonSink:
    """Writes each event as one line; ``prosody`` lines only when asked for (they are ten a second)."""

    def __init__(self, stream: BinaryIO, *, prosody: bool = False) -> None:
        self._stream = stream
        self._prosody = prosody

    def take(self, lines: Sequence[Line]) -> None:
        """Takes the next events, in order."""
        for line in lines:
            if self._prosody or not isinstance(line.event, Prosody):
                self._stream.write(line.json + b"\n")
        self._stream.flush()

    def close(self) -> None:
        """Ends the output; called once, after the last event."""
        self._stream.flush()
