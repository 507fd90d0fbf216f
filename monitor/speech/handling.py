"""How a model wants to be asked: window length, search width, whether it knows earlier text.

Whisper was trained on windows filled up to 30 s. Shorter windows cost 7 to 30 times less, and are read
well as long as some silence follows the speech (whisper.cpp's measure is 2.56 s); a model trained on
short windows needs less. What holds for a model stands in ``streaming.json`` in its folder; models
without that file get the defaults for OpenAI's Whisper.
"""

from pathlib import Path

import msgspec

from monitor.errors import BadInput

FILE = "streaming.json"

STEP = 50
"""Mel frames between two window lengths."""


class Handling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Times in seconds. ``window_after`` of silence follow the sound, up to at least ``window_least``.

    ``keep`` is how much sound of committed words stays in the window; older words become context, if
    the model knows ``context`` (text before the window). Beams are search widths; 1 is greedy.
    """

    window_least: float = 8.0
    window_after: float = 2.56
    keep: float = 1.0
    context: bool = True
    partial_beam: int = 1
    final_beam: int = 5

    def frames(self, sound: int) -> int:
        """Mel frames (10 ms) of a window that holds ``sound`` frames.

        Lengths come in steps, so that windows meet in a batch without changing each other's length:
        an answer must not depend on which other windows were asked with it.
        """
        least = round(self.window_least * 100)
        filled = -(-(sound + round(self.window_after * 100)) // STEP) * STEP
        return max(min(3000, max(least, filled)), sound)


def handling_of(folder: Path) -> Handling:
    """The handling of the model in ``folder``."""
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Handling)
    except FileNotFoundError:
        return Handling()
    except OSError as wrong:
        raise BadInput(f"{path} cannot be read: {wrong.strerror}.") from None
    except msgspec.DecodeError as wrong:
        raise BadInput(f"{path} does not say how to ask the model: {wrong}.") from None
