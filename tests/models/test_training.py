# ruff: noqa: S311 - chance for data, not for secrets
"""The training code of the bundled model: text, labels and clips anywhere; the network where torch is."""

import itertools
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from models.training import augment, batches, clips, features, grammar, labels, phones, schedule, stored
from models.training.__main__ import BUNDLED, main, parser
from models.training.normalise import errors, normalised
from models.training.utterance import SAMPLE_RATE, Phone, Utterance, Word, words_from_starts

SYNTHESISERS = shutil.which("espeak-ng") and shutil.which("flite")


class Letters:
    """A vocabulary with one token per letter."""

    end, start, previous, no_speech, no_timestamps, zero = 512, 513, 518, 519, 520, 521

    def word(self, text: str) -> list[tuple[int, int]]:
        return [(ord(letter), 1) for letter in text]

    def text(self, sentence: str) -> list[int]:
        return [ord(letter) for letter in sentence if letter != " "]

    def timestamp(self, seconds: float) -> int:
        return self.zero + round(seconds / 0.02)


def spoken() -> Utterance:
    """ "Oh no, stop." in a second of tone: words of 0.2 s with pauses of 0.1 s between."""
    texts = ["Oh", "no,", "stop."]
    words = [Word(text, 0.3 * i, 0.3 * i + 0.2) for i, text in enumerate(texts)]
    sounds = [Phone(i + 1, word.start, word.end) for i, word in enumerate(words)]
    audio = np.sin(np.arange(SAMPLE_RATE) * 0.2).astype(np.float32)
    return Utterance(audio, words, sounds, "test")


def test_sentences_are_the_same_for_the_same_seed():
    assert list(grammar.sentences(3, 40)) == list(grammar.sentences(3, 40))
    assert list(grammar.sentences(3, 40)) != list(grammar.sentences(4, 40))


@pytest.mark.parametrize("name", ["agent", "caller", "stories", "general", "words"])
def test_every_slot_has_a_list(name: str):
    words = grammar.lists("words")
    for section, entries in grammar.lists(name).items():
        for entry in entries:
            for slot in grammar._SLOT.findall(entry):
                assert slot in words, f"{name}.txt [{section}]: {entry}"


def test_sentences_have_a_capital_an_end_and_no_slots():
    for text in grammar.sentences(5, 500):
        assert text[0].isupper(), text
        assert text[-1] in ".?!", text
        assert "{" not in text, text
        assert not any(letter.isdigit() for letter in text), text


def test_banned_sentences_stay_away():
    banned = frozenset(normalised(text) for text in grammar.sentences(1, 300))
    later = [normalised(text) for text in grammar.sentences(2, 300, banned)]
    assert not any(text in banned for text in later if len(text.split()) > 3)


def test_held_out_voices_are_not_among_the_others():
    voices = grammar.lists("voices")
    for kind in ("espeak variants", "flite"):
        assert not set(voices[kind]) & set(voices[f"held {kind}"])


@pytest.mark.parametrize(
    ("reference", "heard", "count"),
    [
        ("Okay, Mr. O'Brien!", "okay mister o'brien", (0, 3)),
        ("I am sorry", "I'm sorry", (2, 3)),
        ("yes", "", (1, 1)),
        ("no", "oh no no", (2, 1)),
    ],
)
def test_word_errors(reference: str, heard: str, count: tuple[int, int]):
    assert errors(reference, heard) == count


def test_a_word_ends_with_its_last_sound():
    sounds = [Phone(3, 0.0, 0.2), Phone(4, 0.2, 0.4), Phone(phones.SILENCE, 0.4, 0.9), Phone(5, 0.9, 1.1)]
    words = words_from_starts(["one", "two"], [0.0, 0.9], sounds)
    assert [(word.start, word.end) for word in words] == [(0.0, 0.4), (0.9, 1.1)]


def test_phones_of_both_synthesisers_meet():
    assert phones.espeak_index("tS") == phones.radio_index("ch") != phones.SILENCE
    assert phones.espeak_index("_:") == phones.radio_index("pau") == phones.SILENCE


def test_a_window_keeps_whole_words_and_remembers_what_went_before():
    clip = clips.Clip(spoken().audio, spoken().words, spoken().phones)
    cut = clips.window(clip, 0.25, 0.7)
    assert cut.text == "no,"
    assert cut.context == "Oh"
    assert cut.words[0].start == pytest.approx(0.05)
    assert len(cut.audio) == int(0.7 * SAMPLE_RATE) - int(0.25 * SAMPLE_RATE)


def test_several_in_a_row_are_as_many_segments():
    rng = random.Random(3)
    clip = clips.several(spoken(), [spoken()], rng)
    assert len(clip.segments) == len(clip.words) // 3 > 1
    starts = [word.start for word in clip.words]
    assert starts == sorted(starts)
    assert clip.words[-1].end <= len(clip.audio) / SAMPLE_RATE


def test_a_window_over_two_utterances_keeps_their_segments():
    one = clips.Clip(spoken().audio, spoken().words, spoken().phones)
    two = clips.joined(one, one, pause=0.5)
    assert two.segments == [0, 3]
    assert clips.window(two, 0.25, 2.5).segments == [0, 2]
    assert clips.window(two, 1.45, 2.5).segments == [0]
    assert clips.window(two, 0.0, 0.9).segments == [0]


def test_a_clip_played_faster_keeps_its_words_in_place():
    clip = clips.Clip(spoken().audio, spoken().words, spoken().phones)
    fast = clips.played(clip, 1.25)
    assert len(fast.audio) == pytest.approx(len(clip.audio) / 1.25, abs=2)
    assert fast.words[1].start == pytest.approx(clip.words[1].start / 1.25)
    assert fast.phones[2].end == pytest.approx(clip.phones[2].end / 1.25)


def test_labels_without_timestamps():
    clip = clips.Clip(spoken().audio, spoken().words, spoken().phones)
    built = next(
        b
        for b in (labels.build(clip, 50, Letters(), random.Random(i)) for i in range(50))
        if b.inputs[1] == Letters.no_timestamps
    )
    assert built.inputs == [513, 520, *map(ord, "Ohno,stop.")]
    assert built.targets == [520, *map(ord, "Ohno,stop."), 512]
    assert built.frame_tokens[0] == ord("O")
    assert built.frame_tokens[12] == Letters.end
    assert built.frame_phones[16] == 2
    row, first, after = built.spans[0]
    assert built.targets[row] == ord("O")
    assert first == 0 < after


def test_labels_with_timestamps_and_context():
    clip = clips.Clip(spoken().audio, spoken().words, spoken().phones, context="ah")
    built = next(
        b
        for b in (labels.build(clip, 50, Letters(), random.Random(i)) for i in range(50))
        if Letters.no_timestamps not in b.inputs
    )
    assert built.inputs[:5] == [518, ord("a"), ord("h"), 513, 521]
    assert built.targets[:3] == [labels.IGNORE] * 3
    assert built.targets[3] == Letters.zero
    assert built.targets[-2:] == [Letters.zero + 40, Letters.end]


def test_noise_is_no_speech_but_half_a_word_is_neither():
    nothing = labels.build(clips.Clip(np.zeros(100, np.float32)), 50, Letters(), random.Random(1))
    assert nothing.targets[0] == Letters.no_speech
    assert nothing.targets[-1] == Letters.end
    half = clips.Clip(np.zeros(100, np.float32), phones=[Phone(3, 0.0, 0.5)])
    assert labels.build(half, 50, Letters(), random.Random(1)).targets[0] == labels.IGNORE


@pytest.mark.parametrize("seed", range(12))
def test_every_clip_drawn_can_be_an_example(seed: int):
    made = batches.example([spoken(), spoken()], 0, Letters(), random.Random(seed))
    positions = len(made.mel) // 2
    assert made.mel.shape == (2 * positions, features.MELS)
    assert len(made.labels.inputs) == len(made.labels.targets)
    assert len(made.labels.frame_tokens) == len(made.labels.frame_phones) == positions
    assert all(a < b <= positions for _, a, b in made.labels.spans)
    assert np.isfinite(made.mel).all()


def test_a_batch_is_padded_to_its_longest():
    rng = random.Random(0)
    made = [batches.example([spoken()], 0, Letters(), rng) for _ in range(6)]
    groups = list(batches.grouped(made, 300))
    assert sum(map(len, groups)) == 6
    batch = batches.collate(groups[-1], full_window=False, end=Letters.end)
    assert batch.mel.shape[2] == 2 * batch.positions.max()
    assert batch.inputs.shape == batch.targets.shape


def test_features_are_those_of_faster_whisper():
    extractor = pytest.importorskip("faster_whisper.feature_extractor").FeatureExtractor()
    audio = np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32) * 0.1
    expected = extractor(audio, padding=features.HOP)[:, : SAMPLE_RATE // features.HOP].T
    assert np.abs(features.log_mel(audio) - expected).max() < 1e-4


def test_the_telephone_takes_the_highs_away():
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32)
    heard = augment.telephone(noise, np.random.default_rng(1))
    spectrum = np.abs(np.fft.rfft(heard))
    assert spectrum[5000:].mean() < 0.05 * spectrum[500:3000].mean()


def test_a_shorter_vocal_tract_moves_a_tone_up_and_a_timbre_is_added():
    tone = np.sin(2 * np.pi * 2000 * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    bands = [features.log_mel(tone, warp).mean(axis=0).argmax() for warp in (0.9, 1.0, 1.12)]
    assert bands[0] < bands[1] < bands[2]
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32)
    curve = np.linspace(-0.2, 0.2, features.MELS).astype(np.float32)
    assert features.log_mel(noise, 1.0, curve) - features.log_mel(noise) == pytest.approx(
        np.tile(curve / 4, (100, 1)), abs=1e-5
    )


def test_speakers_are_varied_within_bounds():
    rng = random.Random(4)
    drawn = [augment.speaker(rng) for _ in range(200)]
    varied = [(warp, curve) for warp, curve in drawn if curve is not None]
    assert 60 < len(varied) < 140
    assert all(0.9 <= warp <= 1.12 and np.abs(curve).max() < 2.5 for warp, curve in varied)


def test_a_sound_without_known_phones_is_speech_but_teaches_no_phone():
    sounds = [Phone(phones.UNKNOWN, 0.0, 0.2)]
    clip = clips.Clip(spoken().audio, [Word("Oh", 0.0, 0.2)], sounds)
    built = labels.build(clip, 50, Letters(), random.Random(1))
    assert set(built.frame_phones[:10]) == {labels.IGNORE}
    assert set(built.frame_phones[10:]) == {phones.SILENCE}
    half = clips.Clip(spoken().audio, phones=sounds)
    assert labels.build(half, 50, Letters(), random.Random(1)).targets[0] == labels.IGNORE


def test_the_weights_of_the_bundled_model_can_be_read():
    held = stored.variables(BUNDLED / "model.bin")
    scaled = [name for name in held if f"{name}_scale" in held]
    assert len(scaled) > 30
    for name in scaled:
        rows = np.abs(stored.weight(held, name)).reshape(len(held[name]), -1).max(axis=1)
        assert rows * held[f"{name}_scale"] == pytest.approx(np.full(len(rows), 127), rel=1e-3), name
    table = stored.weight(held, "encoder/position_encodings/encodings")
    assert table.dtype == np.float32
    assert table.shape == (1500, 192)


def test_a_file_of_another_version_is_refused(tmp_path: Path):
    (tmp_path / "model.bin").write_bytes(b"\x05\0\0\0")
    with pytest.raises(ValueError, match="version 5"):
        stored.variables(tmp_path / "model.bin")


def test_the_bundled_model_restored_and_converted_is_itself(tmp_path: Path):
    torch = pytest.importorskip("torch", reason="training needs torch, which the product does not")
    from models.training import convert, network, restore, tokens

    vocabulary = tokens.Vocabulary(BUNDLED / "tokenizer.json")
    model = network.Whisper(network.Shape(len(vocabulary.tokens)))
    restore.restore(model, BUNDLED)
    torch.save({"shape": model.shape.as_dict(), "model": model.state_dict()}, tmp_path / "model.pt")
    convert.convert(tmp_path / "model.pt", BUNDLED / "tokenizer.json", tmp_path / "again")
    assert (tmp_path / "again" / "model.bin").read_bytes() == (BUNDLED / "model.bin").read_bytes()
    smaller = network.Whisper(network.Shape(len(vocabulary.tokens), width=96))
    with pytest.raises(ValueError, match="not"):
        restore.restore(smaller, BUNDLED)


def test_after_a_start_from_a_folder_only_the_classifiers_learn_at_first(tmp_path: Path):
    torch = pytest.importorskip("torch", reason="training needs torch, which the product does not")
    from models.training import tokens, trainer

    plan = schedule.Plan(tmp_path, BUNDLED / "tokenizer.json", tmp_path / "m.pt", processes=1, heads_first=1)
    learner = trainer.Trainer(plan)
    learner.begin(BUNDLED)
    vocabulary = tokens.Vocabulary(plan.tokenizer)
    example = batches.example([spoken()], 0, vocabulary, random.Random(2))
    batch = batches.collate([example], full_window=False, end=vocabulary.end)
    before = {name: value.clone() for name, value in learner.model.state_dict().items()}
    for changed in ({"frame_tokens", "encoder.phones"}, None):
        rate = schedule.learning_rate(plan, learner.progress, 0.1)
        learner.step(batch, rate)
        learner.progress.steps += 1
        after = learner.model.state_dict()
        moved = {name.rpartition(".")[0] for name in before if not torch.equal(before[name], after[name])}
        assert moved == changed if changed else {"encoder.conv1", "decoder.embedding"} <= moved


def test_a_pause_does_not_count_as_training(tmp_path: Path):
    plan = schedule.Plan(tmp_path, tmp_path, tmp_path / "m.pt", deadline=1000.0)
    halfway = schedule.Progress(steps=500, seconds=300.0)
    assert schedule.share_done(plan, halfway, now=700.0) == pytest.approx(0.5)
    assert schedule.share_done(plan, halfway, now=1000.0) == 1.0
    assert schedule.learning_rate(plan, halfway, 1.0) == 0.0
    assert schedule.learning_rate(plan, halfway, 0.1) == plan.rate


def test_the_schedule_can_count_presentations(tmp_path: Path):
    plan = schedule.Plan(tmp_path, tmp_path, tmp_path / "m.pt", presentations=100)
    assert schedule.share_done(plan, schedule.Progress(presentations=25), now=0.0) == 0.25


def test_help_shows_examples_and_sentences_print(capsys: pytest.CaptureFixture[str]):
    assert "examples:" in parser().format_help()
    assert main(["sentences", "--count", "3"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


@pytest.mark.skipif(not SYNTHESISERS, reason="needs espeak-ng and flite")
def test_shards_keep_words_in_order_and_inside_the_sound(tmp_path: Path):
    from models.training import shards

    shards.write(shards.synthesise(grammar.sentences(8, 12), 8), tmp_path / "one")
    read = shards.read(tmp_path / "one")
    assert len(read) >= 10
    for utterance in read:
        for before, after in itertools.pairwise(utterance.words):
            assert before.start < before.end <= after.start + 0.05
        assert utterance.words[-1].end <= utterance.seconds + 0.1


@pytest.mark.skipif(not SYNTHESISERS, reason="needs espeak-ng and flite")
def test_synthesisers_that_are_not_installed_are_left_out_and_named(monkeypatch, caplog):
    from models.training import rhvoice, voices

    monkeypatch.setattr(rhvoice, "LIBRARY", "libnowhere.so.0")
    assert "rhvoice" not in voices.Speaker().engines
    assert "rhvoice is not installed" in caplog.text


@pytest.mark.skipif(not SYNTHESISERS, reason="needs espeak-ng and flite")
def test_every_installed_synthesiser_tells_when_its_words_are_spoken():
    from models.training import voices

    rng, speaker = random.Random(3), voices.Speaker()
    for engine in speaker.engines:
        casting = voices.cast(rng, held=False, engines=(engine,))
        said = speaker.say("Okay, I can see twenty-five orders, ma'am.", casting)
        assert said is not None, casting
        assert [word.text for word in said.words][-1] == "ma'am."
        for before, after in itertools.pairwise(said.words):
            assert before.start < before.end <= after.start + 0.12, casting
        assert said.words[-1].end <= said.seconds + 0.2


def test_the_speaker_kept_from_training_is_under_no_other_name_in_it():
    listed = grammar.lists("voices")
    assert "awb" not in listed["flite"]
    assert "Alan" not in listed["rhvoice"]


@pytest.mark.slow
@pytest.mark.skipif(not SYNTHESISERS, reason="needs espeak-ng and flite")
def test_a_tiny_run_trains_continues_and_converts(tmp_path: Path):
    pytest.importorskip("torch", reason="training needs torch, which the product does not")
    common = ["--work", str(tmp_path), "--count", "1", "--size", "24", "--processes", "1"]
    for command in ("tokenizer", "shards"):
        main([command, *common])
    main(["train", *common, "--presentations", "20"])
    from models.training import trainer

    plan = schedule.Plan(
        tmp_path / "shards", tmp_path / "tokenizer.json", tmp_path / "model.pt", 40, processes=1
    )
    again = trainer.Trainer(plan)
    again.load(plan.output)
    assert again.progress.presentations >= 20
    assert again.run().presentations >= 40
    main(["convert", *common, "--to", str(tmp_path / "folder")])
    from models.training.evaluate import FasterWhisper, ShortWindows

    sound = np.zeros(SAMPLE_RATE, np.float32)
    assert isinstance(ShortWindows(tmp_path / "folder", beam=1)(sound, "before"), str)
    assert isinstance(FasterWhisper(tmp_path / "folder", beam=1)(sound), str)
