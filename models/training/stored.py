"""Reading CTranslate2's `model.bin`: every number that the converted model holds."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

#: The version of CTranslate2's file format that this reads.
VERSION = 6
_TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


def _numbers(file: BinaryIO, kind: str) -> Any:
    return struct.unpack(kind, file.read(struct.calcsize(kind)))[0]


def _string(file: BinaryIO) -> str:
    """A string with its length before it and a zero after it."""
    return file.read(_numbers(file, "H")).rstrip(b"\0").decode()


def _variable(file: BinaryIO) -> np.ndarray:
    shape = [_numbers(file, "I") for _ in range(_numbers(file, "B"))]
    kind = _numbers(file, "B")
    data = file.read(_numbers(file, "I"))
    if kind not in _TYPES:
        raise ValueError(f"{file.name} holds numbers of type {kind}, which this cannot read")
    return np.frombuffer(data, _TYPES[kind]).reshape(shape)


def variables(path: Path) -> dict[str, np.ndarray]:
    """Everything in a `model.bin`, as it is stored."""
    with path.open("rb") as file:
        version = _numbers(file, "I")
        if version != VERSION:
            raise ValueError(f"{path} is in version {version} of CTranslate2's format; this reads {VERSION}")
        _string(file)
        _numbers(file, "I")
        return {_string(file): _variable(file) for _ in range(_numbers(file, "I"))}


def weight(stored: dict[str, np.ndarray], name: str) -> np.ndarray:
    """A weight as float32, its rows divided by their scales where it is quantised."""
    value = stored[name].astype(np.float32)
    scale = stored.get(f"{name}_scale")
    if scale is None:
        return value
    restored: np.ndarray = value / (scale.reshape(-1, *[1] * (value.ndim - 1)) if scale.ndim else scale)
    return restored
