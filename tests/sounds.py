"""Small sound files made on the spot, well-formed and broken."""

import struct
from pathlib import Path

import av
import numpy as np

PCM, FLOAT, ALAW, MULAW = 1, 3, 6, 7


def talk(seconds: float = 1.0, rate: int = 8000, channels: int = 2) -> np.ndarray:
    """Float64 [n, channels] of tones that differ per channel, at a quarter of full scale."""
    times = np.arange(round(seconds * rate)) / rate
    return 0.25 * np.stack([np.sin(2 * np.pi * (200 + 110 * row) * times) for row in range(channels)], axis=1)


def pcm16(sound: np.ndarray) -> bytes:
    return np.round(sound * 32767).astype("<i2").tobytes()


def wav(
    path: Path,
    data: bytes,
    *,
    rate: int = 8000,
    channels: int = 2,
    bits: int = 16,
    kind: int = PCM,
    promised: int | None = None,
) -> Path:
    """A WAV file with the header as told, whatever the data; ``promised`` bytes stand in its size fields."""
    size = len(data) if promised is None else promised
    align = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, rate, rate * align & 0xFFFFFFFF, align & 0xFFFF, bits)
    head = (
        b"RIFF" + struct.pack("<I", min(36 + size, 0xFFFFFFFF)) + b"WAVEfmt " + struct.pack("<I", 16) + form
    )
    path.write_bytes(head + b"data" + struct.pack("<I", size) + data)
    return path


def extensible(
    path: Path, data: bytes, *, bits: int, used: int, kind: int = PCM, mask: int = 3, rate: int = 8000
) -> Path:
    """A two-channel WAV file with the long form of header; ``used`` of each sample's ``bits`` are in use."""
    align = 2 * bits // 8
    form = struct.pack("<HHIIHHHHI", 0xFFFE, 2, rate, rate * align, align, bits, 22, used, mask)
    form += struct.pack("<H", kind) + bytes.fromhex("000000001000800000aa00389b71")
    head = b"RIFF" + struct.pack("<I", 60 + len(data)) + b"WAVEfmt " + struct.pack("<I", len(form)) + form
    path.write_bytes(head + b"data" + struct.pack("<I", len(data)) + data)
    return path


def encoded(path: Path, sound: np.ndarray, *, codec: str, rate: int = 48000, form: str | None = None) -> Path:
    """``sound`` [n, channels] through one of FFmpeg's encoders, in the container of the file's name."""
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[sound.shape[1]]
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(sound.T.astype(np.float32)), format="fltp", layout=layout
        )
        frame.sample_rate, frame.pts = rate, 0
        fitting = av.AudioResampler(
            stream.format, layout, rate, frame_size=stream.codec_context.frame_size or 0
        )
        for part in [*fitting.resample(frame), *fitting.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path


def video(path: Path) -> Path:
    """A film without sound."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
