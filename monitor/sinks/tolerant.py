"""A sink that may fail without ending the call: a full disk ends the journal, and not the alerts."""

from collections.abc import Callable, Sequence

from monitor.errors import BadInput
from monitor.sinks import Line, Sink


class FaultTolerantSink:
    """Passes events on until ``sink`` fails; then ``say`` is given the reason, once."""

    def __init__(self, sink: Sink, say: Callable[[str], None]) -> None:
        self._sink = sink
        self._say = say
        self._failed = False

    def take(self, lines: Sequence[Line]) -> None:
        """Takes the next events, in order."""
        if self._failed:
            return
        try:
            self._sink.take(lines)
        except BadInput as wrong:
            self._failed = True
            self._say(f"{wrong} The call is monitored all the same.")

    def close(self) -> None:
        """Ends the output; called once, after the last event."""
        try:
            self._sink.close()
        except BadInput as wrong:
            if not self._failed:
                self._say(str(wrong))
