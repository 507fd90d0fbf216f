"""What a file's own header promises, so that a file cut short can be told from a short file."""

import struct
from pathlib import Path

_UNKNOWN_SIZES = (0, 0xFFFFFFFF, 0x7FFFFFFF)
"""What writers put where a size will be known later, and leave when they are killed."""
_GUESSED = {"aac", "ac3", "eac3", "mpegts", "mpeg", "amr", "gsm"}
"""FFmpeg's names of forms that carry no length: it guesses one from the bit rate."""
_MP3_COUNTS = (b"Xing", b"Info", b"VBRI")
"""The marks of an MP3 header that counts the frames."""
_LONGEST_NAME = 200


def promised_seconds(path: Path) -> float | None:
    """The seconds that a RIFF WAV header promises, if the file is too short for them; else None."""
    with path.open("rb") as file:
        if file.read(4) != b"RIFF" or len(file.read(4)) != 4 or file.read(4) != b"WAVE":
            return None
        bytes_per_second = 0
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            if name == b"data":
                short = size not in _UNKNOWN_SIZES and file.tell() + size > path.stat().st_size
                return size / bytes_per_second if short and bytes_per_second else None
            body = file.read(min(size, 64))
            if name == b"fmt " and len(body) >= 12:
                bytes_per_second = struct.unpack("<I", body[8:12])[0]
            file.seek(size + size % 2 - len(body), 1)
    return None


def tells_length(path: Path, form: str) -> bool:
    """Whether the length of a file of FFmpeg's ``form`` is told by the file, and not guessed by FFmpeg."""
    if form != "mp3":
        return form not in _GUESSED
    with path.open("rb") as file:
        start = file.read(1 << 18)
    return any(mark in start for mark in _MP3_COUNTS)


def shown(path: Path | str) -> str:
    """A path as it may stand in a sentence: on one line, and not endless."""
    text = "".join(letter if letter.isprintable() else "?" for letter in str(path))
    return (
        text
        if len(text) <= _LONGEST_NAME
        else text[: _LONGEST_NAME // 2] + "..." + text[-_LONGEST_NAME // 2 :]
    )
