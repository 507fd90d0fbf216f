"""Reads configs/*.yaml into typed settings. An unknown key is an error that names the file and the key.

Each part of the core has its own section. The defaults of the types are the product's defaults;
``configs/call.yaml`` shows every key with its unit and meaning, and a test keeps the two equal.
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import msgspec
import yaml

from monitor.errors import BadInput
from monitor.resources import resource

T = TypeVar("T")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all settings: frozen, and strict about unknown keys."""


VadName = Literal["silero", "webrtc", "both"]
"""The voice activity detectors that can be chosen."""


class VadSettings(Settings, frozen=True):
    """Voice activity detection. Thresholds are probabilities 0 to 1, durations seconds, levels dBFS."""

    detector: VadName = "silero"
    onset_threshold: float = 0.5
    offset_threshold: float = 0.35
    onset_frames: int = 2
    offset_frames: int = 3
    floor_dbfs: float = -95.0
    webrtc_mode: int = 2
    min_speech: float = 0.12
    min_silence: float = 0.3


class ProsodySettings(Settings, frozen=True):
    """Pitch in Hz, durations in seconds of voiced speech, effort scores without unit."""

    f0_min: float = 65.0
    f0_max: float = 600.0
    warm_up: float = 3.0
    baseline_half_life: float = 30.0
    window: float = 1.0
    min_voiced: float = 0.3
    raised_threshold: float = 1.0
    lowered_threshold: float = 0.5
    level_bonus: float = 0.25
    relearn_after: float = 20.0
    settle_after: float = 2.0


class OverlapSettings(Settings, frozen=True):
    """Turn-taking; all durations in seconds."""

    report_after: float = 0.2
    floor_onset: float = 0.5
    holder_silent: float = 0.4
    taker_talks: float = 0.35
    floor_timeout: float = 3.0
    barge_in_window: float = 0.2
    episode_gap: float = 0.8
    min_holder_turn: float = 0.6
    talk_over: float = 1.4
    interruption_overlap: float = 0.24
    interruption_speech: float = 0.8
    simultaneous_start: float = 0.2


class QualitySettings(Settings, frozen=True):
    """When the audio itself cannot be trusted. Correlations and ratios 0 to 1, durations in seconds."""

    crosstalk_correlation: float = 0.42
    crosstalk_max_lag: float = 0.35
    crosstalk_hold: float = 0.5
    same_audio: float = 0.95
    clipped_ratio: float = 0.01
    dead_after: float = 10.0
    dead_dbfs: float = -80.0


class SpeechSettings(Settings, frozen=True):
    """When the recogniser is asked, and when its words are final. Durations in seconds."""

    preroll: float = 0.5
    end_silence: float = 0.5
    max_utterance: float = 12.0
    interval: float = 0.4
    max_interval: float = 2.0
    max_utilisation: float = 0.6
    context_words: int = 12
    context_timeout: float = 3.0
    agree_margin: float = 0.4
    agree_confidence: float = 0.7
    agree_max_margin: float = 1.0
    commit_margin: float = 1.0
    commit_confidence: float = 0.9


class RulesSettings(Settings, frozen=True):
    """How many cards the agent gets. Durations in seconds."""

    cooldown: float = 18.0
    budget: int = 6
    budget_window: float = 600.0
    card_seconds: float = 8.0
    card_wait: float = 20.0
    ignored_after: float = 45.0


class CallSettings(Settings, frozen=True):
    """All settings of the core of one call."""

    vad: VadSettings = VadSettings()
    prosody: ProsodySettings = ProsodySettings()
    overlap: OverlapSettings = OverlapSettings()
    quality: QualitySettings = QualitySettings()
    speech: SpeechSettings = SpeechSettings()
    rules: RulesSettings = RulesSettings()


_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, where it is there, is ten times as fast


class _Loader(_Base):  # type: ignore[misc]  # which of the two it is, is known at run time only
    """Safe YAML without anchors: nobody needs them here, and they are how a small file becomes a huge one.

    A key that stands twice is an error instead of a silent choice. Only ``true`` and ``false`` are truth
    values, as in YAML 1.2: ``off``, ``no`` and ``yes`` are words.
    """

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {
        first: [one for one in known if one[0] != "tag:yaml.org,2002:bool"]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = key_node.value
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        plain: dict[Any, Any] = super().construct_mapping(node, deep)
        return plain


def _number(loader: Any, node: yaml.ScalarNode) -> float:
    number = float(_Base.construct_yaml_float(loader, node))
    if math.isnan(number):
        raise yaml.constructor.ConstructorError(
            None, None, "a number was expected, not .nan", node.start_mark
        )
    return number


_Loader.add_constructor("tag:yaml.org,2002:float", _number)
_TRUTH = re.compile("(?:true|True|TRUE|false|False|FALSE)$")
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", _TRUTH, list("tTfF"))


MAX_YAML_BYTES = 2_000_000
MAX_YAML_DEPTH = 40


def read_yaml(path: Path) -> Any:
    """The plain content of a YAML file. Raises ``BadInput`` naming the file and the line."""
    return parse_yaml(read_text(path), str(path))


def read_text(path: Path) -> str:
    """The text of a YAML file. Raises ``BadInput`` naming the file."""
    try:
        if path.stat().st_size > MAX_YAML_BYTES:
            raise BadInput(f"{path} is larger than 2 MB; no settings file needs that, so it was not read.")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist; check the path.") from None
    except IsADirectoryError:
        raise BadInput(f"{path} is a folder; a YAML file was expected.") from None
    except (OSError, UnicodeDecodeError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) else "it is not UTF-8 text"
        raise BadInput(f"{path} cannot be read: {reason}.") from None


Lines = dict[tuple[str | int, ...], int]
"""The line (from 1) of each key path in a YAML file: ``(0, "measure")`` is the key of the first entry."""


def parse_yaml(text: str, where: str) -> Any:
    """The plain content of YAML text; ``where`` names it in errors."""
    return parse_yaml_lines(text, where)[0]


def parse_yaml_lines(text: str, where: str) -> tuple[Any, Lines]:
    """The plain content of YAML text, and on which line each part of it stands."""
    try:
        _refuse_bombs(text)
        loader = _Loader(text)
        node = loader.get_single_node()
        return (None, {}) if node is None else (loader.construct_document(node), dict(_lines(node, ())))
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark
        line = f", line {mark.line + 1}" if mark else ""
        tab = "; indent with spaces, not tabs" if mark and _indented_by_tab(text, mark.line) else ""
        raise BadInput(f"{where}{line} is not valid YAML: {wrong.problem or wrong.context}{tab}.") from None
    except (yaml.YAMLError, RecursionError, ValueError) as wrong:
        raise BadInput(f"{where} is not valid YAML: {str(wrong).splitlines()[0]}.") from None


def _indented_by_tab(text: str, line: int) -> bool:
    lines = text.splitlines()
    begin = lines[line] if line < len(lines) else ""
    return "\t" in begin[: len(begin) - len(begin.lstrip())]


def _refuse_bombs(text: str) -> None:
    """Raises before anything is composed: a bomb of anchors or brackets costs no more than reading it."""
    depth = 0
    for event in yaml.parse(text, Loader=_Base):
        mark: Any = event.start_mark
        if getattr(event, "anchor", None):
            raise yaml.composer.ComposerError(None, None, "anchors and aliases are not allowed here", mark)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_YAML_DEPTH:
                raise yaml.composer.ComposerError(None, None, "this is nested too deep", mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _lines(node: yaml.Node, at: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*at, key.value), key.start_mark.line + 1
            yield from _lines(value, (*at, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for place, value in enumerate(node.value):
            yield (*at, place), value.start_mark.line + 1
            yield from _lines(value, (*at, place))


def convert(plain: Any, kind: type[T], where: str) -> T:
    """Plain data as the typed ``kind``. Raises ``BadInput`` with the key path."""
    try:
        return msgspec.convert(plain, kind, strict=True)
    except msgspec.ValidationError as wrong:
        text, found, path = str(wrong).rpartition(" - at ")
        text, place = (text, path.strip("`")) if found else (str(wrong), "the top")
        raise BadInput(f"{where}: at {place}: {text[0].lower() + text[1:]}.") from None


RENAMED = {
    "gate": "vad",
    "vad.gate": "vad.detector",
    "vad.on": "vad.onset_threshold",
    "vad.off": "vad.offset_threshold",
    "vad.on_frames": "vad.onset_frames",
    "vad.off_frames": "vad.offset_frames",
    "vad.segment_min": "vad.min_speech",
    "vad.bridge": "vad.min_silence",
    "prosody.half_life": "prosody.baseline_half_life",
    "prosody.window_voiced": "prosody.min_voiced",
    "prosody.raised": "prosody.raised_threshold",
    "prosody.lowered": "prosody.lowered_threshold",
    "prosody.relearn": "prosody.relearn_after",
    "prosody.settle": "prosody.settle_after",
    "overlap.hint": "overlap.report_after",
    "overlap.take_floor": "overlap.floor_onset",
    "overlap.release": "overlap.floor_timeout",
    "overlap.inside": "overlap.barge_in_window",
    "overlap.bid_gap": "overlap.episode_gap",
    "overlap.holder_turn": "overlap.min_holder_turn",
    "overlap.interruption_bid": "overlap.interruption_speech",
    "overlap.simultaneous": "overlap.simultaneous_start",
    "quality.crosstalk_lag": "quality.crosstalk_max_lag",
    "quality.hush_after_crosstalk": "quality.crosstalk_hold",
    "quality.clipping_share": "quality.clipped_ratio",
    "speech.longest": "speech.max_utterance",
    "speech.interval_most": "speech.max_interval",
    "speech.utilisation": "speech.max_utilisation",
    "speech.forget_context": "speech.context_timeout",
    "speech.agree_p": "speech.agree_confidence",
    "speech.agree_late": "speech.agree_max_margin",
    "speech.commit_p": "speech.commit_confidence",
}
"""Keys of earlier versions and their present names."""


def load_call_settings(path: Path | None = None) -> CallSettings:
    """The settings in the file ``path``, or in the bundled ``configs/call.yaml``.

    Raises ``BadInput`` naming the file and the key that is wrong.
    """
    path = path or resource("configs/call.yaml")
    plain = read_yaml(path) or {}
    _refuse_renamed(plain, str(path))
    settings = convert(plain, CallSettings, str(path))
    _check_numbers(settings, str(path))
    return settings


def _refuse_renamed(plain: Any, where: str) -> None:
    """Raises for a key of an earlier version, and names the present key."""
    sections = plain.items() if isinstance(plain, dict) else ()
    for section, keys in sections:
        inside = (f"{section}.{key}" for key in keys) if isinstance(keys, dict) else ()
        for old in (str(section), *inside):
            if old in RENAMED:
                raise BadInput(f"{where}: at $.{old}: this key is now called {RENAMED[old]}; rename it.")


def _check_numbers(settings: CallSettings, where: str) -> None:
    """Raises for a number that is infinite, or negative where only a level in dB may be."""
    usual = CallSettings()
    for room in settings.__struct_fields__:
        for key, value in msgspec.structs.asdict(getattr(settings, room)).items():
            below = isinstance(value, int | float) and value < 0 <= getattr(getattr(usual, room), key)
            if below or value in (math.inf, -math.inf):
                raise BadInput(
                    f"{where}: at $.{room}.{key}: a number from 0 on was expected; this is {value}."
                )
