# ruff: noqa: S311 - chance for data, not for secrets
"""Word error rates of a converted model: on short windows, and through faster-whisper."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import resample_poly

from . import augment, clips, grammar, shards
from .features import FRAMES_PER_SECOND, log_mel
from .normalise import errors, normalised
from .utterance import SAMPLE_RATE

TEST_SEED = 900_000
#: Quiet speech with a little noise, as in a good recording, before the telephone or not.
CLEAN_NOISE = 45.0
#: Synthesisers whose voices are told apart in the tables.
ENGINES = ("flite", "rhvoice", "festival")
#: Seconds kept around an utterance that is cut out of a recording.
MARGIN = 0.25
#: Encoder lengths that CTranslate2 mistakes for mel bands.
MISTAKEN = (80, 128)


@dataclass
class TestClip:
    """Audio at 16 kHz, and what is said in it."""

    audio: np.ndarray
    text: str
    voice: str


@dataclass
class Score:
    """Word errors, in all and by synthesiser."""

    wrong: int = 0
    words: int = 0
    by_voice: dict[str, list[int]] = field(default_factory=dict)

    def add(self, reference: str, heard: str, voice: str) -> None:
        """Count one clip."""
        wrong, words = errors(reference, heard)
        self.wrong += wrong
        self.words += words
        group = voice if voice.startswith(ENGINES) else "espeak-ng"
        counts = self.by_voice.setdefault(group, [0, 0])
        counts[0] += wrong
        counts[1] += words

    @property
    def rate(self) -> float:
        """Errors per word."""
        return self.wrong / max(1, self.words)

    def summary(self) -> dict[str, Any]:
        """Plain numbers in percent."""
        voices = {
            name: round(100 * wrong / max(1, words), 1)
            for name, (wrong, words) in sorted(self.by_voice.items())
        }
        return {"wer": round(100 * self.rate, 1), "words": self.words, "voices": voices}


def training_texts(shard_folder: Path) -> frozenset[str]:
    """Every sentence that was trained on, for keeping test sentences apart."""
    return frozenset(normalised(u.text) for path in shards.complete(shard_folder) for u in shards.read(path))


def test_clips(held: bool, phone: bool, count: int, banned: frozenset[str]) -> list[TestClip]:
    """Unseen sentences in seen or held-out voices, clean or over the telephone."""
    seed = TEST_SEED + held
    texts = grammar.sentences(seed, int(count * 1.2) + 5, banned)
    result: list[TestClip] = []
    for utterance in shards.synthesise(texts, seed, held):
        rng = random.Random(len(result))
        audio = treated(clips.whole(utterance, rng).audio, len(result), phone)
        result.append(TestClip(audio, utterance.text, utterance.voice))
        if len(result) == count:
            break
    return result


def treated(audio: np.ndarray, seed: int, phone: bool) -> np.ndarray:
    """A little noise; the telephone when asked for."""
    generator = np.random.default_rng(seed)
    noise_level = CLEAN_NOISE if not phone else 30.0
    audio = augment.noisy(audio, generator, noise_level, noise_level)
    if phone:
        audio = augment.telephone(audio, generator)
    return (augment.peak(audio) * 0.5).astype(np.float32)


class ShortWindows:
    """The way of the product: CTranslate2 directly, a window as long as the clip and a pad."""

    def __init__(self, folder: Path, padding: float = 0.64, beam: int = 5) -> None:
        import ctranslate2
        from tokenizers import Tokenizer

        self._array = ctranslate2.StorageView.from_array
        self._model = ctranslate2.models.Whisper(
            str(folder), device="cpu", compute_type="int8", intra_threads=1
        )
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._padding, self._beam = padding, beam
        names = ("<|startofprev|>", "<|startoftranscript|>", "<|notimestamps|>")
        self._previous, *self._prompt = (self._tokenizer.token_to_id(name) for name in names)
        self._end = self._tokenizer.token_to_id("<|endoftext|>")
        self.no_speech = 0.0

    def _encoded(self, audio: np.ndarray) -> Any:
        mel = log_mel(audio)
        frames = len(mel) + round(self._padding * FRAMES_PER_SECOND)
        frames += frames % 2
        frames += 2 * (frames // 2 in MISTAKEN)
        padded = np.zeros((1, mel.shape[1], frames), np.float32)
        padded[0, :, : len(mel)] = mel.T
        return self._model.encode(self._array(padded))

    def __call__(self, audio: np.ndarray, context: str = "") -> str:
        """The text of a clip, after `context` if given."""
        prompt = list(self._prompt)
        if context:
            before = self._tokenizer.encode(" " + context, add_special_tokens=False).ids
            prompt = [self._previous, *before[-16:], *prompt]
        allowed = int(8 * len(audio) / SAMPLE_RATE) + 8
        result = self._model.generate(
            self._encoded(audio),
            [prompt],
            beam_size=self._beam,
            max_length=2 * allowed + len(prompt),
            return_no_speech_prob=True,
        )[0]
        self.no_speech = result.no_speech_prob
        ids = [token for token in result.sequences_ids[0] if token < self._end]
        return str(self._tokenizer.decode(ids)).strip()


class FasterWhisper:
    """`faster_whisper.WhisperModel.transcribe` with its 30 s windows and timestamps."""

    def __init__(self, folder: Path, beam: int = 5) -> None:
        from faster_whisper import WhisperModel

        self._model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
        self._beam = beam

    def __call__(self, audio: np.ndarray) -> str:
        """The text of a clip."""
        segments, _ = self._model.transcribe(
            audio,
            language="en",
            beam_size=self._beam,
            temperature=0.0,
            condition_on_previous_text=False,
            max_new_tokens=80,
        )
        return " ".join(segment.text.strip() for segment in segments)


def measure(recognise: Callable[[np.ndarray], str], test: Iterable[TestClip]) -> Score:
    """Word errors over a test set."""
    score = Score()
    for clip in test:
        score.add(clip.text, recognise(clip.audio), clip.voice)
    return score


def report(folder: Path, shard_folder: Path, count: int) -> list[dict[str, Any]]:
    """Every row of the table in the model card."""
    banned, rows = training_texts(shard_folder), []
    ways: dict[str, Callable[[np.ndarray], str]] = {
        "short windows": ShortWindows(folder),
        "faster-whisper": FasterWhisper(folder),
    }
    for held in (False, True):
        for phone in (False, True):
            test = test_clips(held, phone, count, banned)
            for way, recognise in ways.items():
                rows.append(
                    {
                        "voices": "unseen" if held else "seen",
                        "band": "telephone" if phone else "clean",
                        "way": way,
                        **measure(recognise, test).summary(),
                    }
                )
                print(json.dumps(rows[-1]), flush=True)
    return rows


def false_words(folder: Path, count: int = 60) -> dict[str, float]:
    """How often something is heard where nobody speaks, and the no-speech probability there."""
    recognise, rng, heard, sure = ShortWindows(folder), random.Random(TEST_SEED), 0, 0
    for i in range(count):
        audio = augment.augmented(clips.nothing(rng).audio, TEST_SEED + i)
        heard += bool(recognise(audio))
        sure += recognise.no_speech > 0.5
    return {"clips": count, "with words": heard / count, "no speech > 0.5": sure / count}


def recorded_clips(folder: Path) -> list[TestClip]:
    """Every utterance of the project's recordings, cut out with a little silence around it."""
    result = []
    for path in sorted(folder.glob("*.json")):
        about = json.loads(path.read_text(encoding="utf-8"))
        sides = _sides([folder / name for name in about["audio"]], about["agent_channel"])
        for line in about["utterances"]:
            rate, side = sides[line["channel"]]
            first, last = (line["start"] - MARGIN) * rate, (line["end"] + MARGIN) * rate
            piece = side[max(0, int(first)) : int(last)]
            audio = resample_poly(piece, SAMPLE_RATE // rate, 1).astype(np.float32)
            result.append(
                TestClip(audio, line["text"].rstrip(" -"), about["voices"][line["channel"]]["voice"])
            )
    return result


def _sides(paths: list[Path], agent: int) -> dict[str, tuple[int, np.ndarray]]:
    """Rate and samples of the agent's and the caller's side, in one stereo file or two files."""
    import soundfile

    if len(paths) == 2:
        named = {path.stem.split(".")[-1]: soundfile.read(path) for path in paths}
        return {side: (rate, samples) for side, (samples, rate) in named.items()}
    samples, rate = soundfile.read(paths[0])
    return {"agent": (rate, samples[:, agent]), "caller": (rate, samples[:, 1 - agent])}
