"""What people hand in by mistake: refused with one clear sentence, or heard as far as it goes and said so.

Every file is made here. A refusal says what is wrong, names the file, and says what to do, in words that
need no knowledge of sound formats; nothing of the libraries underneath shows.
"""

import os
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from monitor.errors import BadInput
from monitor.events import Channel
from monitor.sources.recording import Recording, open_recording
from tests.sounds import ALAW, FLOAT, MULAW, encoded, extensible, pcm16, talk, video, wav

Maker = Callable[[Path], list[Path]]
SOUND = pcm16(talk())
JARGON = re.compile(
    r"traceback|errno|exception|\bav\b|ffmpeg|invalid data|nan|codec|stream|0x|None|\[|\{", re.IGNORECASE
)


def hear(recording: Recording) -> np.ndarray:
    """Everything that the recording gives, [2, n], checked to follow without a hole."""
    blocks = list(recording.blocks())
    starts = np.cumsum([0, *(block.pcm.shape[1] for block in blocks)])
    assert [block.start for block in blocks] == starts[:-1].tolist()
    pcm = np.concatenate([block.pcm for block in blocks], axis=1)
    assert np.isfinite(pcm).all()
    return pcm


def written(name: str, content: bytes) -> Maker:
    def make(folder: Path) -> list[Path]:
        (folder / name).write_bytes(content)
        return [folder / name]

    return make


def wave(data: bytes = SOUND, name: str = "call.wav", **header: int) -> Maker:
    return lambda folder: [wav(folder / name, data, **header)]


def cut_header(size: int) -> Maker:
    def make(folder: Path) -> list[Path]:
        whole = wav(folder / "call.wav", SOUND).read_bytes()
        return written("call.wav", whole[:size])(folder)

    return make


def mono(folder: Path, name: str, seconds: float = 1.0, rate: int = 8000) -> Path:
    return wav(folder / name, pcm16(talk(seconds, rate, 1)), channels=1, rate=rate)


def fifo(folder: Path) -> list[Path]:
    os.mkfifo(folder / "call.wav")
    return [folder / "call.wav"]


def zipped(folder: Path) -> list[Path]:
    with zipfile.ZipFile(folder / "call.wav", "w") as archive:
        archive.writestr("inside.wav", SOUND)
    return [folder / "call.wav"]


def floats(value: float, first: int, last: int) -> Maker:
    sound = talk().astype("<f4")
    sound[first:last] = value
    return wave(sound.tobytes(), bits=32, kind=FLOAT)


def garbage(size: int) -> bytes:
    return np.random.default_rng(7).integers(0, 256, size, np.uint8).tobytes()


def loop(folder: Path) -> list[Path]:
    (folder / "call.wav").symlink_to(folder / "call.wav")
    return [folder / "call.wav"]


def hidden_form(whole: bytes) -> bytes:
    """A chunk that claims 4 GB stands before the form of the sound."""
    return whole[:12] + b"LIST" + struct.pack("<I", 0xFFFFFFF0) + b"INFO" + whole[12:]


def reversed_bytes(folder: Path) -> list[Path]:
    """RIFX: the header and the samples with their high bytes first."""
    form = struct.pack(">IHHIIHH", 16, 1, 2, 8000, 32_000, 4, 16)
    data = np.round(talk() * 32767).astype(">i2").tobytes()
    head = b"RIFX" + struct.pack(">I", 36 + len(data)) + b"WAVEfmt " + form + b"data"
    return written("call.wav", head + struct.pack(">I", len(data)) + data)(folder)


def two_tracks(folder: Path) -> list[Path]:
    path = folder / "call.mkv"
    with av.open(str(path), "w") as container:
        for stream in [container.add_stream("pcm_s16le", rate=8000, layout="mono") for _ in range(2)]:
            samples = np.round(talk(1.0, 8000, 1).T * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate, frame.pts = 8000, 0
            container.mux([*stream.encode(frame), *stream.encode(None)])
    return [path]


def cut_index(folder: Path) -> list[Path]:
    """An M4A whose index, at its end, was never written."""
    (path,) = spoilt("aac", "call.m4a", 48_000)(folder)
    path.write_bytes(path.read_bytes()[:-2000])
    return [path]


REFUSED: dict[str, tuple[Maker, str]] = {
    "missing": (lambda folder: [folder / "call.wav"], "does not exist; check the path"),
    "a name of 5000 letters": (lambda folder: [folder / ("x" * 5000)], "cannot be read"),
    "a name with a zero byte": (lambda _: [Path("a\0b.wav")], "does not exist|cannot be read"),
    "a link to itself": (loop, "does not exist"),
    "under a file": (lambda folder: [wave()(folder)[0] / "more.wav"], "does not exist"),
    "empty": (written("call.wav", b""), "is empty"),
    "a folder": (lambda folder: [folder], "is a folder; name a sound file"),
    "a pipe": (fifo, "is a pipe"),
    "a device": (lambda _: [Path("/dev/zero")], "a device; name a sound file"),
    "text renamed": (written("call.wav", b"Dear customer,\n" * 40), "is no recording"),
    "zeros renamed": (written("call.wav", bytes(5000)), "is no recording"),
    "garbage named mp3": (written("call.mp3", garbage(20_000)), "is no recording|no sound"),
    "a zip renamed": (zipped, "is no recording"),
    "a list of other files": (written("call.m3u8", b"#EXTM3U\n#EXTINF:1,\nother.wav\n"), "is no recording"),
    "a film without sound": (lambda folder: [video(folder / "call.mp4")], "holds no sound track"),
    "3 bytes of a header": (cut_header(3), "is no recording"),
    "20 bytes of a header": (cut_header(20), "is no recording"),
    "43 bytes of a header": (cut_header(43), "is no recording"),
    "44 bytes, a header only": (cut_header(44), "holds no sound"),
    "half a sample": (cut_header(45), "holds no sound"),
    "one side of one sample": (cut_header(46), "holds no sound"),
    "no channels": (wave(channels=0), "holds no sound"),
    "6 channels": (wave(SOUND * 6, channels=6), "has 6 channels; a call has two"),
    "65535 channels": (wave(channels=65535), "no sound|channels"),
    "0 Hz": (wave(rate=0), "is no recording"),
    "1 Hz": (wave(rate=1), "has 1 samples a second"),
    "7000 Hz": (wave(rate=7000), "has 7000 samples a second; a call needs 8000 to 192000"),
    "384 kHz": (wave(rate=384_000), "has 384000 samples a second"),
    "4 GHz": (wave(rate=0xFFFFFFFF), "is no recording"),
    "0 bits": (wave(bits=0), "holds no sound"),
    "an unknown form of sound": (wave(kind=999), "holds no sound"),
    "nothing finite": (floats(np.nan, 0, 8000), "no finite samples"),
    "nothing but infinity": (floats(-np.inf, 0, 8000), "no finite samples"),
    "one side only": (wave(pcm16(talk(channels=1)), channels=1), "between two sides.*--mono agent or --mono"),
    "a WAV in reverse byte order": (reversed_bytes, "in reverse byte order; save it as plain WAV"),
    "two tracks of one channel": (two_tracks, "holds 2 sound tracks of which the first has one channel"),
    "an M4A without its index": (cut_index, "holds no sound track|is no recording"),
    "an unknown form of sound in a long header": (
        lambda folder: [extensible(folder / "call.wav", SOUND, bits=16, used=16, kind=999)],
        "holds no sound",
    ),
    "a length of 4 GB before the form": (
        lambda folder: written("call.wav", hidden_form(wave()(folder)[0].read_bytes()))(folder),
        "is no recording",
    ),
    "the second of two files empty": (
        lambda folder: [mono(folder, "a.wav"), written("b.wav", b"")(folder)[0]],
        "b.wav is empty",
    ),
    "the second of two files a pipe": (lambda folder: [mono(folder, "a.wav"), *fifo(folder)], "is a pipe"),
    "a page of a portal": (
        written("call.wav", b"<html><body>404</body></html>"),
        "is no recording",
    ),
    "7350 Hz": (wave(rate=7350), "has 7350 samples a second"),
    "no file at all": (lambda _: [], "0 files were given"),
    "three files": (lambda folder: [mono(folder, f"{n}.wav") for n in "abc"], "3 files were given"),
    "the same file twice": (lambda folder: [mono(folder, "a.wav")] * 2, "was given twice"),
    "the same file by two names": (
        lambda folder: [mono(folder, "a.wav"), folder / ".." / folder.name / "a.wav"],
        "was given twice",
    ),
    "a stereo file beside a mono one": (
        lambda folder: [wav(folder / "a.wav", SOUND), mono(folder, "b.wav")],
        "a.wav has two channels, but of two files each holds one side",
    ),
    "the second of two files missing": (
        lambda folder: [mono(folder, "a.wav"), folder / "b.wav"],
        "b.wav does not exist",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_call_is_refused_in_one_clear_sentence(case: str, tmp_path: Path) -> None:
    make, expected = REFUSED[case]
    paths = make(tmp_path)
    with pytest.raises(BadInput, match=expected) as refused:
        hear(open_recording(paths))
    assert_clear(str(refused.value), tmp_path)


@pytest.mark.parametrize("agent_channel", [-1, 2, 7])
def test_a_channel_that_a_call_does_not_have_is_refused(agent_channel: int, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=f"There is no channel {agent_channel}.*0 \\(left") as refused:
        open_recording(wave()(tmp_path), agent_channel=agent_channel)
    assert_clear(str(refused.value), tmp_path)


@pytest.mark.parametrize("files", [1, 2])
def test_mono_is_refused_where_there_are_two_sides(files: int, tmp_path: Path) -> None:
    two = [mono(tmp_path, "a.wav"), mono(tmp_path, "b.wav")]
    paths = two if files == 2 else [wav(tmp_path / "c.wav", SOUND)]
    with pytest.raises(BadInput, match=r"--mono is for one.*leave it out") as refused:
        open_recording(paths, mono="agent")
    assert_clear(str(refused.value), tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file, so nothing is unreadable here")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    (path,) = wave()(tmp_path)
    path.chmod(0)
    with pytest.raises(
        BadInput, match="cannot be read \\(permission denied\\); check who may read it"
    ) as refused:
        open_recording([path])
    assert_clear(str(refused.value), tmp_path)


def assert_clear(sentence: str, folder: Path) -> None:
    """One line, one sentence, no words from inside, and no endless path."""
    bare = sentence.replace(str(folder), "")
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert not JARGON.search(bare), bare
    assert len(bare) < 330


def pcm24(sound: np.ndarray) -> bytes:
    whole = np.round(sound * 8388607).astype("<i4")
    return whole.reshape(-1, 1).view(np.uint8)[:, :3].tobytes()


def spoilt(codec: str, name: str, rate: int, *, keep: float = 1.0, hurt: bool = False) -> Maker:
    """Two seconds through a codec, then cut, or with a tenth of it overwritten in the middle."""

    def make(folder: Path) -> list[Path]:
        path = encoded(folder / name, talk(2.0, rate), codec=codec, rate=rate)
        content = bytearray(path.read_bytes())
        if hurt:
            middle = len(content) // 2
            content[middle : middle + len(content) // 10] = garbage(len(content) // 10)
        path.write_bytes(content[: round(len(content) * keep)])
        return [path]

    return make


def noisy_end(folder: Path) -> list[Path]:
    path = encoded(folder / "call.mp3", talk(2.0, 44_100), codec="mp3", rate=44_100)
    path.write_bytes(garbage(3000) + path.read_bytes())
    return [path]


def long_form(data: bytes, **form: int) -> Maker:
    return lambda folder: [extensible(folder / "call.wav", data, **form)]


def tagged(folder: Path) -> list[Path]:
    """A title of other letters and a picture, in a chunk after the sound."""
    (path,) = wave()(folder)
    title = "Anruf \U0001f4de na\u00efve".encode() + b"\0"
    title += bytes(len(title) % 2)
    info = b"INFOINAM" + struct.pack("<I", len(title)) + title
    path.write_bytes(path.read_bytes() + b"LIST" + struct.pack("<I", len(info)) + info)
    return [path]


def chained(*rates: int) -> Maker:
    """Recordings one after the other in one OGG file, as streaming servers write them."""

    def make(folder: Path) -> list[Path]:
        parts = [
            encoded(folder / f"{place}.ogg", talk(1.0, rate), codec="flac", rate=rate).read_bytes()
            for place, rate in enumerate(rates)
        ]
        return written("call.ogg", b"".join(parts))(folder)

    return make


def false_starts(folder: Path) -> list[Path]:
    """Bytes that look like the beginnings of MP3 frames stand before the first true one."""
    path = encoded(folder / "call.mp3", talk(2.0, 16_000), codec="mp3", rate=16_000)
    path.write_bytes(b"\xff\xfb\x90\x64" * 500 + path.read_bytes())
    return [path]


def rf64(keep: int | None = None) -> Maker:
    """The form of WAV for more than 4 GB, whose true sizes stand in a chunk of their own."""
    sizes = struct.pack("<IQQQI", 28, 72 + len(SOUND), len(SOUND), len(SOUND) // 4, 0)
    form = struct.pack("<IHHIIHH", 16, 1, 2, 8000, 32_000, 4, 16)
    head = b"RF64" + b"\xff" * 4 + b"WAVEds64" + sizes + b"fmt " + form + b"data" + b"\xff" * 4
    return written("call.wav", head + SOUND[:keep])


def film(folder: Path) -> list[Path]:
    """A film with the call as its sound."""
    path = folder / "call.mkv"
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=10)
        picture.width = picture.height = 32
        picture.pix_fmt = "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=8000, layout="stereo")
        for _ in range(10):
            blank = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            container.mux(picture.encode(blank))
        frame = av.AudioFrame.from_ndarray(
            np.frombuffer(SOUND, np.int16).reshape(1, -1), format="s16", layout="stereo"
        )
        frame.sample_rate, frame.pts = 8000, 0
        container.mux([*sound.encode(frame), *sound.encode(None), *picture.encode(None)])
    return [path]


HEARD: dict[str, tuple[Maker, float, float, str | None]] = {
    # what is handed in: (how it is made, seconds heard at least, at most, what the notice says)
    "one sample": (wave(SOUND[:4]), 0.000125, 0.000125, None),
    "silence": (wave(bytes(32_000)), 1.0, 1.0, None),
    "a constant": (wave(b"\x00\x10" * 16_000), 1.0, 1.0, None),
    "another extension": (wave(name="call.mp3"), 1.0, 1.0, None),
    "no extension": (wave(name="call"), 1.0, 1.0, None),
    "a name of other letters": (wave(name="Anruf \u00fc\u4e2d #1?.wav"), 1.0, 1.0, None),
    "8 bit": (wave((talk() * 127 + 128).astype(np.uint8).tobytes(), bits=8), 1.0, 1.0, None),
    "24 bit": (wave(pcm24(talk()), bits=24), 1.0, 1.0, None),
    "32 bit": (wave(np.round(talk() * 2147483647).astype("<i4").tobytes(), bits=32), 1.0, 1.0, None),
    "float": (wave(talk().astype("<f4").tobytes(), bits=32, kind=FLOAT), 1.0, 1.0, None),
    "double": (wave(talk().astype("<f8").tobytes(), bits=64, kind=FLOAT), 1.0, 1.0, None),
    "A-law": (wave(garbage(16_000), bits=8, kind=ALAW), 1.0, 1.0, None),
    "mu-law": (wave(garbage(16_000), bits=8, kind=MULAW), 1.0, 1.0, None),
    "11025 Hz": (wave(pcm16(talk(1.0, 11_025)), rate=11_025), 1.0, 1.0, None),
    "192 kHz": (wave(pcm16(talk(1.0, 192_000)), rate=192_000), 1.0, 1.0, None),
    "an odd number of bytes": (wave(SOUND[:16_001]), 0.5, 0.5, None),
    "data cut off": (wave(SOUND[:16_000], promised=32_000), 0.5, 0.5, "cut short.*states 1.0 s, .*0.5 s"),
    "data cut within a sample": (wave(SOUND[:16_003], promised=32_000), 0.5, 0.5, "cut short"),
    "one sample of what was promised": (wave(SOUND[:4], promised=32_000), 0.000125, 0.000125, "cut short"),
    "a claim of 4 GB": (wave(promised=0xFFFFFFF0), 1.0, 1.0, "cut short or damaged"),
    "a size left at zero": (wave(promised=0), 1.0, 1.0, None),
    "a size left open": (wave(promised=0xFFFFFFFF), 1.0, 1.0, None),
    "some samples no numbers": (floats(np.nan, 100, 110), 1.0, 1.0, "20 samples were not finite"),
    "some samples infinite": (floats(np.inf, 100, 110), 1.0, 1.0, "20 samples were not finite or far beyond"),
    "a sample of 1e30": (floats(1e30, 100, 101), 1.0, 1.0, "2 samples .* far beyond full scale"),
    "no numbers at first": (floats(np.nan, 0, 7000), 1.0, 1.0, "14000 samples were not finite"),
    "FLAC": (spoilt("flac", "call.flac", 16_000), 2.0, 2.0, None),
    "MP3": (spoilt("mp3", "call.mp3", 44_100), 1.95, 2.1, None),
    "Opus": (spoilt("libopus", "call.opus", 48_000), 1.95, 2.1, None),
    "M4A": (spoilt("aac", "call.m4a", 48_000), 1.95, 2.1, None),
    "FLAC cut off": (spoilt("flac", "call.flac", 16_000, keep=0.6), 0.8, 1.3, "cut short"),
    "MP3 cut off": (spoilt("mp3", "call.mp3", 44_100, keep=0.6), 0.9, 1.4, "cut short"),
    "Opus cut off": (spoilt("libopus", "call.opus", 48_000, keep=0.7), 0.8, 1.6, None),
    "FLAC hurt": (spoilt("flac", "call.flac", 16_000, hurt=True), 1.9, 2.0, "damaged"),
    "MP3 hurt": (spoilt("mp3", "call.mp3", 44_100, hurt=True), 1.5, 2.1, "damaged"),
    "M4A hurt": (spoilt("aac", "call.m4a", 48_000, hurt=True), 1.7, 2.1, "damaged"),
    "MP3 after garbage": (noisy_end, 1.9, 2.2, None),
    "a long header, 24 bit": (long_form(pcm24(talk()), bits=24, used=24), 1.0, 1.0, None),
    "a long header, 24 of 32 bit": (
        long_form(np.round(talk() * 2147483647).astype("<i4").tobytes(), bits=32, used=24), 1.0, 1.0, None,
    ),
    "a long header, float": (
        long_form(talk().astype("<f4").tobytes(), bits=32, used=32, kind=FLOAT), 1.0, 1.0, None,
    ),
    "a long header, speakers unnamed": (long_form(SOUND, bits=16, used=16, mask=0), 1.0, 1.0, None),
    "RF64": (rf64(), 1.0, 1.0, None),
    "RF64 cut off": (rf64(16_000), 0.5, 0.5, "cut short"),
    "a claim of six hours": (wave(promised=6 * 3600 * 32_000), 1.0, 1.0, "states 21600.0 s, but only 1.0 s"),
    "a title of other letters": (tagged, 1.0, 1.0, None),
    "ADPCM": (spoilt("adpcm_ima_wav", "call.wav", 8000), 2.0, 2.1, None),
    "AIFF": (spoilt("pcm_s24be", "call.aiff", 8000), 2.0, 2.0, None),
    "AU": (spoilt("pcm_mulaw", "call.au", 8000), 2.0, 2.0, None),
    "W64": (spoilt("pcm_s16le", "call.w64", 8000), 2.0, 2.0, None),
    "CAF": (spoilt("pcm_s16le", "call.caf", 8000), 2.0, 2.0, None),
    "WebM": (spoilt("libopus", "call.webm", 48_000), 1.95, 2.1, None),
    "OGG of two parts": (chained(8000, 8000), 2.0, 2.0, None),
    "OGG of two parts, the second of another rate": (chained(8000, 16_000), 1.0, 1.0, "changes|cut short"),
    "a film": (film, 1.0, 1.0, None),
    "MP3 after false starts": (false_starts, 1.9, 2.2, None),
    "96 kHz": (wave(pcm16(talk(1.0, 96_000)), rate=96_000), 1.0, 1.0, None),
    "two files of other rates": (
        lambda folder: [mono(folder, "a.wav"), mono(folder, "b.wav", rate=44_100)], 1.0, 1.0, None,
    ),
    "two files of other lengths": (
        lambda folder: [mono(folder, "a.wav"), mono(folder, "b.wav", seconds=3.0)], 3.0, 3.0,
        "a.wav ends at 1.0 s, b.wav at 3.0 s; the shorter side was taken as silent",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HEARD)
def test_what_is_odd_is_heard_as_far_as_it_goes_and_said_so(case: str, tmp_path: Path) -> None:
    make, least, most, notice = HEARD[case]
    recording = open_recording(make(tmp_path))
    pcm = hear(recording)
    assert least - 1e-9 <= pcm.shape[1] / recording.rate <= most + 1e-4
    assert recording.heard_to == pytest.approx(pcm.shape[1] / recording.rate, abs=0.001)
    if notice is None:
        assert recording.notice is None
    else:
        assert re.search(notice, recording.notice or ""), recording.notice
        assert_clear(recording.notice or "", tmp_path)


FAITHFUL = (
    "a long header, 24 bit", "a long header, 24 of 32 bit", "a long header, float",
    "AIFF", "W64", "RF64", "float", "32 bit",
)  # fmt: skip


@pytest.mark.parametrize("case", FAITHFUL)
def test_the_sound_is_what_was_recorded(case: str, tmp_path: Path) -> None:
    """The file says in its own way what the samples are; they come out as they went in."""
    pcm = hear(open_recording(HEARD[case][0](tmp_path)))
    expected = talk(pcm.shape[1] / 8000).T[::-1]  # the caller stands first in a file, the agent in a block
    np.testing.assert_allclose(pcm, expected, atol=2e-4)


@pytest.mark.parametrize("side", ["agent", "caller"])
def test_one_voice_alone_is_heard_when_it_is_said_whose_it_is(side: Channel, tmp_path: Path) -> None:
    pcm = hear(open_recording([mono(tmp_path, "a.wav")], mono=side))
    row = ("agent", "caller").index(side)
    assert pcm[row].any()
    assert not pcm[1 - row].any()


def test_the_names_of_the_files_stay_on_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"two\?lines\.wav is no recording"):
        open_recording(written("two\nlines.wav", b"text")(tmp_path))
