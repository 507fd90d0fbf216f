"""What every recogniser is: a name, and answers to jobs."""

from collections.abc import Sequence
from typing import Protocol

from monitor.events import Heard, Job


class Recogniser(Protocol):
    """Turns windows of sound into words. Answers come in the order of the jobs."""

    @property
    def name(self) -> str:
        """What ``call.started.model`` and ``status`` call it."""
        ...

    def recognise(self, jobs: Sequence[Job]) -> list[Heard]:
        """The words of each job; ``cost`` is left to whoever holds a watch."""
        ...
