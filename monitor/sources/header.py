"""What a WAV file's header promises, so that a file cut short can be told from a short file."""

import struct
from pathlib import Path

_UNKNOWN_SIZES = (0, 0xFFFFFFFF, 0x7FFFFFFF)
"""What writers put where a size will be known later, and leave when they are killed."""


def promised_seconds(path: Path) -> float | None:
    """The seconds of sound that a RIFF WAV header promises; None for other files and unknown sizes."""
    with path.open("rb") as file:
        if file.read(4) != b"RIFF" or len(file.read(4)) != 4 or file.read(4) != b"WAVE":
            return None
        bytes_per_second = 0
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            if name == b"data":
                known = bytes_per_second and size not in _UNKNOWN_SIZES
                return size / bytes_per_second if known else None
            body = file.read(min(size, 64))
            if name == b"fmt " and len(body) >= 12:
                bytes_per_second = struct.unpack("<I", body[8:12])[0]
            file.seek(size + size % 2 - len(body), 1)
    return None
