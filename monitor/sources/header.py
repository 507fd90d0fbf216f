"""What a file's own header promises, so that a file cut short can be told from a short file."""

import struct
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import BinaryIO

_UNKNOWN_SIZES = (0, 0xFFFFFFFF, 0x7FFFFFFF)
"""What writers put where a size will be known later, and leave when they are killed."""
_GUESSED = {"aac", "ac3", "eac3", "mpegts", "mpeg", "amr", "gsm"}
"""FFmpeg's names of forms that carry no length: it guesses one from the bit rate."""
_MP3_COUNTS = (b"Xing", b"Info", b"VBRI")
"""The marks of an MP3 header that counts the frames."""
_EXTENSIBLE = 0xFFFE
_LONGEST_NAME = 200


def promised_seconds(path: Path) -> float | None:
    """The seconds that a RIFF WAV header promises, if the file is too short for them; else None."""
    with path.open("rb") as file:
        bytes_per_second = 0
        for name, size in _chunks(file):
            if name == b"data":
                short = size not in _UNKNOWN_SIZES and file.tell() + size > path.stat().st_size
                return size / bytes_per_second if short and bytes_per_second else None
            body = file.read(min(size, 12))
            if name == b"fmt " and len(body) == 12:
                bytes_per_second = struct.unpack("<I", body[8:12])[0]
    return None


def big_endian(path: Path) -> bool:
    """Whether this is a RIFX file: WAV with its bytes the other way round, which FFmpeg reads as noise."""
    with path.open("rb") as file:
        return file.read(4) == b"RIFX"


def mended(path: Path) -> BinaryIO | None:
    """The file with its header as FFmpeg understands it; None where that is the file as it is.

    A WAVE_FORMAT_EXTENSIBLE header tells how many bits a sample takes, and how many of them are used, as 24
    of 32. FFmpeg takes the latter for the former, and hears noise; so they are told to be all in use.
    """
    with path.open("rb") as file:
        for name, _ in _chunks(file):
            place = file.tell()
            body = file.read(20)
            if name == b"data" or (name == b"fmt " and len(body) < 20):
                return None
            if name == b"fmt ":
                kind, channels, _, _, align, _, _, used = struct.unpack("<HHIIHHHH", body)
                bits = align * 8 // channels if channels else 0
                odd = kind == _EXTENSIBLE and used not in (0, bits)
                return _Overlaid(path, place + 18, struct.pack("<H", bits & 0xFFFF)) if odd else None
    return None


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Each chunk of a RIFF WAV file by name and size, the file standing at its first byte."""
    if file.read(4) != b"RIFF" or len(file.read(4)) != 4 or file.read(4) != b"WAVE":
        return
    while len(head := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", head)
        begin = file.tell()
        yield name, size
        file.seek(begin + size + size % 2)


class _Overlaid(FileIO):
    """A file for reading, in which ``patch`` stands at ``place`` whatever is written there."""

    def __init__(self, path: Path, place: int, patch: bytes) -> None:
        super().__init__(path, "rb")
        self._place, self._patch = place, patch

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes."""
        begin = self.tell()
        content = bytearray(super().read(-1 if size is None else size))
        for at, byte in enumerate(self._patch, self._place - begin):
            if 0 <= at < len(content):
                content[at] = byte
        return bytes(content)


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
