"""The ground truth of a recorded call: words, events and expected alerts.

It is one JSON file beside each recording (``NAME.json`` beside ``NAME.wav``); ``evaluate`` and
``rules backtest`` score against it. Times are seconds of the call.
"""

from pathlib import Path
from typing import Literal

import msgspec

from monitor.errors import BadInput
from monitor.events import Band, Channel

TruthKind = Literal[
    "interruption", "talk_over", "backchannel", "terminal", "simultaneous",
    "raised", "dead_air", "hold_music", "crosstalk", "clipping", "dead_channel", "apology",
]  # fmt: skip


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all types in a truth file; unknown keys are errors."""


class TrueUtterance(_Strict, frozen=True, kw_only=True):
    """One utterance of one speaker. ``text`` is its transcript (a trailing dash: broken off)."""

    channel: Channel
    start: float
    end: float
    text: str
    effort: Literal["normal", "raised"] = "normal"


class TrueWord(_Strict, frozen=True, kw_only=True):
    """One spoken word."""

    channel: Channel
    text: str
    start: float
    end: float


class TrueEvent(_Strict, frozen=True, kw_only=True):
    """A true event. ``by`` is the side that caused it, or whose audio it concerns; null: both sides.

    ``overlap`` is how long both spoke at once in seconds, for kinds of overlap.
    """

    kind: TruthKind
    by: Channel | None = None
    start: float
    end: float
    overlap: float = 0.0


class ExpectedAlert(_Strict, frozen=True, kw_only=True):
    """An alert of ``rule`` must open between ``from_`` and ``to``.

    ``words``: it is expected only with a recogniser. ``wordless``: it is right only without one (such as a
    silence after an announced hold). ``may``: it is optional.
    """

    rule: str
    channel: Channel | None = None
    from_: float = msgspec.field(name="from")
    to: float
    words: bool = False
    wordless: bool = False
    may: bool = False


class Truth(_Strict, frozen=True, kw_only=True):
    """The ground truth of one recorded call.

    ``audio`` names one stereo file or two mono ones (caller first).
    """

    call: str
    about: str
    audio: tuple[str, ...]
    agent_channel: Literal[0, 1] = 1
    rate: int
    band: Band
    seconds: float
    voices: dict[str, dict[str, str]]
    utterances: tuple[TrueUtterance, ...]
    words: tuple[TrueWord, ...]
    events: tuple[TrueEvent, ...] = ()
    expected_alerts: tuple[ExpectedAlert, ...] = ()
    allowed_alerts: tuple[str, ...] = ()

    def happenings(self, kind: TruthKind) -> list[TrueEvent]:
        """All true events of one kind, by time."""
        return [happening for happening in self.events if happening.kind == kind]


def load_truth(path: Path) -> Truth:
    """Reads the ground truth in ``path``, or beside it if ``path`` is a recording.

    Raises:
        BadInput: The file is missing or invalid; the message names the file and the place in it.
    """
    path = truth_beside(path)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Truth)
    except FileNotFoundError:
        raise BadInput(
            f"There is no ground truth at {path}; it is a JSON file beside the recording."
        ) from None
    except OSError as wrong:
        raise BadInput(f"{path} cannot be read: {wrong.strerror}.") from None
    except msgspec.ValidationError as wrong:
        raise BadInput(
            f"{path} is not the ground truth of a call: {str(wrong)[:1].lower()}{str(wrong)[1:]}."
        ) from None
    except msgspec.DecodeError:
        raise BadInput(f"{path} is not the ground truth of a call: it is not well-formed JSON.") from None


def truth_beside(recording: Path) -> Path:
    """The path of the ground truth of ``recording``: ``NAME.json``, also for ``NAME.caller.wav``."""
    if recording.suffix == ".json":
        return recording
    name = recording.stem.removesuffix(".caller").removesuffix(".agent")
    return recording.with_name(f"{name}.json")


def recordings(truth: Truth, path: Path) -> list[Path]:
    """The audio files of ``truth``, which was read from ``path``."""
    return [path.with_name(name) for name in truth.audio]
