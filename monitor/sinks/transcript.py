"""Transcripts as files: JSON with words, WebVTT with voices, SRT, CTM, RTTM (speech only), vCon.

The suffix of the path chooses. The file is written whole when the call is over, never half.
"""

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import msgspec

from monitor import clock
from monitor.errors import BadInput
from monitor.events import CallEnded, SpeechEnded, Utterance
from monitor.sinks import Line


@dataclass
class TranscriptData:
    """What a transcript of one call is made from; ``seconds`` is its length."""

    call: str = ""
    began: str | None = None
    """When the call began, by the wall clock; null where a journal is replayed."""
    seconds: float = 0.0
    utterances: dict[tuple[str, int], Utterance] = field(default_factory=dict)
    speech: list[SpeechEnded] = field(default_factory=list)

    def in_order(self) -> list[Utterance]:
        """The final utterances with words, by when they began."""
        said = [utterance for utterance in self.utterances.values() if utterance.text]
        return sorted(said, key=lambda utterance: (utterance.start, utterance.channel))


def _stamp(seconds: float, comma: str = ".") -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3600000:02d}:{ms // 60000 % 60:02d}:{ms // 1000 % 60:02d}{comma}{ms % 1000:03d}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def vtt(spoken: TranscriptData) -> str:
    """WebVTT (W3C) with a voice span for each side."""
    cues = [
        f"{_stamp(u.start)} --> {_stamp(u.end)}\n<v {u.channel.capitalize()}>{_escaped(u.text)}</v>\n"
        for u in spoken.in_order()
    ]
    return "\n".join(["WEBVTT\n", *cues])


def srt(spoken: TranscriptData) -> str:
    """SubRip, with the side before the text."""
    return "\n".join(
        f"{number}\n{_stamp(u.start, ',')} --> {_stamp(u.end, ',')}\n{u.channel.capitalize()}: {u.text}\n"
        for number, u in enumerate(spoken.in_order(), 1)
    )


def ctm(spoken: TranscriptData) -> str:
    """NIST CTM: call, side, start, duration, word, confidence."""
    words = [(word, u.channel) for u in spoken.in_order() for word in u.words]
    words.sort(key=lambda pair: pair[0].start)
    return "".join(
        f"{spoken.call} {side} {w.start:.3f} {w.end - w.start:.3f} {w.text.strip()} {w.confidence:.3f}\n"
        for w, side in words
    )


def rttm(spoken: TranscriptData) -> str:
    """NIST RTTM: who speaks when."""
    return "".join(
        f"SPEAKER {spoken.call} 1 {s.start:.3f} {s.end - s.start:.3f} <NA> <NA> {s.channel} <NA> <NA>\n"
        for s in sorted(spoken.speech, key=lambda s: s.start)
    )


def as_json(spoken: TranscriptData) -> str:
    """Utterances with words, times (seconds) and confidences, as JSON."""
    plain = {"call": spoken.call, "seconds": spoken.seconds, "utterances": spoken.in_order()}
    return msgspec.json.format(msgspec.json.encode(plain), indent=1).decode() + "\n"


def vcon(spoken: TranscriptData) -> str:
    """A vCon (IETF draft-ietf-vcon-vcon-core) with the transcript as its analysis, without audio."""
    made = clock.stamp()
    body = [
        {"party": 0 if u.channel == "agent" else 1, "start": u.start, "end": u.end, "text": u.text}
        for u in spoken.in_order()
    ]
    plain = {
        "vcon": "0.4.0",
        "uuid": str(uuid5(NAMESPACE_URL, f"/calls/{spoken.call}")),
        "created_at": made,
        "subject": spoken.call,
        "parties": [{"name": "agent"}, {"name": "caller"}],
        "dialog": [
            {
                "type": "recording",
                "start": spoken.began or made,
                "duration": spoken.seconds,
                "parties": [0, 1],
            }
        ],
        "analysis": [
            {
                "type": "transcript", "dialog": 0, "vendor": "call-monitor", "mediatype": "application/json",
                "encoding": "json", "body": msgspec.json.encode(body).decode(),
            }
        ],
        "attachments": [],
    }  # fmt: skip
    return msgspec.json.format(msgspec.json.encode(plain), indent=1).decode() + "\n"


FORMS: dict[str, Callable[[TranscriptData], str]] = {
    ".json": as_json, ".vtt": vtt, ".srt": srt, ".ctm": ctm, ".rttm": rttm, ".vcon": vcon,
}  # fmt: skip


class TranscriptSink:
    """Collects utterances and writes the transcript to ``path`` when the call has ended.

    Raises ``BadInput`` for a suffix that is unknown, or a path that cannot be written.
    """

    def __init__(self, path: Path) -> None:
        if path.suffix.lower() not in FORMS:
            known = ", ".join(FORMS)
            raise BadInput(
                f"A transcript cannot be written as {path.name}; give the file one of the endings {known}."
            )
        if not path.parent.is_dir():
            raise BadInput(f"The folder {path.parent} for the transcript does not exist; make it first.")
        if path.is_dir() or not os.access(path.parent, os.W_OK):
            raise BadInput(f"The transcript cannot be written to {path}; name a file that may be written.")
        self._path = path
        self._spoken = TranscriptData()

    def take(self, lines: Sequence[Line]) -> None:
        """Takes the next events, in order."""
        spoken = self._spoken
        for line in lines:
            spoken.call = line.call
            spoken.began = spoken.began or line.time
            match line.event:
                case Utterance(final=True) as utterance:
                    spoken.utterances[utterance.channel, utterance.utterance] = utterance
                case SpeechEnded() as speech:
                    spoken.speech.append(speech)
                case CallEnded() as ended:
                    spoken.seconds = ended.seconds

    def close(self) -> None:
        """Ends the output; called once, after the last event."""
        if not self._spoken.call:
            return
        half = self._path.with_name(self._path.name + ".part")
        try:
            half.write_text(FORMS[self._path.suffix.lower()](self._spoken), encoding="utf-8")
            half.replace(self._path)
        except OSError as wrong:
            with contextlib.suppress(OSError):
                half.unlink(missing_ok=True)
            raise BadInput(f"The transcript cannot be written to {self._path}: {wrong.strerror}.") from None
