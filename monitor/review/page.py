"""Renders the report as one self-contained HTML page, without scripts or external files.

This module turns a scorecard into the data of the page; the markup is in ``templates``. Jinja escapes all
text of the call, and a content security policy in the head forbids the page to load anything.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from monitor.events import Channel, Utterance
from monitor.judge.explanations import quantity
from monitor.review.notes import clock_text
from monitor.review.scorecard import AlertKind, Scorecard
from monitor.review.sound import Spectrogram
from monitor.review.timeline_plot import ALERT_SHAPES, timeline_plot
from monitor.rules.rule import spelled

TEMPLATES = Path(__file__).with_name("templates")

HIGHLIGHTS = {
    "apology": "apology",
    "empathy": "understanding",
    "feeling": "distress or anger",
    "promise": "promise",
}
"""The kinds of highlights in the transcript, by CSS class."""

HIGHLIGHTED: dict[tuple[Channel, str], str] = {
    ("agent", "apology"): "apology",
    ("agent", "empathy"): "empathy",
    ("agent", "promise"): "promise",
    ("caller", "distress"): "feeling",
    ("caller", "anger"): "feeling",
}
"""The highlighted phrases, by side and class."""

Marked = dict[Channel, list[tuple[float, float, str]]]


@dataclass(frozen=True, slots=True)
class TextRun:
    """Consecutive words of an utterance with the same highlight, or without one."""

    text: str
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """A line of the transcript: an utterance with its ``runs``, or an alert with its ``kind``.

    ``anchors`` are the seconds of the call whose links lead to this line.
    """

    at: float
    channel: Channel | None = None
    runs: tuple[TextRun, ...] = ()
    anchors: range = range(0)
    kind: AlertKind | None = None
    number: int = 0
    text: str = ""


def report_page(card: Scorecard, sound: Mapping[Channel, Spectrogram] | None = None) -> str:
    """Renders the page; ``sound`` holds spectrograms, which need the recording and not only its journal."""
    about = card.about
    whole = [one for one in card.troubles if one.start == 0 and (one.end or card.seconds) >= card.seconds]
    notices = (card.notice, about.notice, *(trouble.say for trouble in whole))
    return _environment().get_template("report.html.j2").render(
        card=card,
        facts=(
            ("Agent", about.agent),
            ("Team", about.team),
            ("Length", clock_text(card.seconds)),
            ("Recording", ", ".join(about.sources)),
            ("Recogniser", about.model if card.has_words else "none: nothing that needs words is counted"),
            ("Profile", about.profile),
        ),
        notices=[notice for notice in notices if notice],
        timeline=timeline_plot(card, sound),
        has_sound=bool(sound),
        transcript=transcript_lines(card),
        highlights=HIGHLIGHTS,
        troubles=[one for one in card.troubles if one not in whole],
    )  # fmt: skip


@lru_cache(maxsize=1)
def _environment() -> Environment:
    """The template environment, with autoescaping and errors for undefined names."""
    made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    made.filters.update(clock=clock_text, spaced=spelled, quantity=quantity)
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    made.globals.update(alert_shapes=ALERT_SHAPES, style=Markup(style))  # noqa: S704  # our own style sheet
    return made


# --- the transcript ---


def transcript_lines(card: Scorecard) -> list[TranscriptLine]:
    """Utterances and alerts in the order of the call."""
    marked = _marked(card)
    lines = [
        TranscriptLine(said.start, said.channel, tuple(_runs(said, marked)), anchors)
        for said, anchors in zip(card.transcript, _anchors(card), strict=True)
    ]
    lines += [
        TranscriptLine(story.opened, kind=story.kind, number=number, text=story.event.message)
        for number, story in enumerate(card.alerts, 1)
    ]
    return sorted(lines, key=lambda line: (line.at, line.kind is not None))


def _marked(card: Scorecard) -> Marked:
    """The intervals of words to highlight, by side."""
    marked: Marked = {"agent": [], "caller": []}
    for phrase in card.phrases:
        kind = HIGHLIGHTED.get((phrase.channel, phrase.of))
        if kind is not None:
            marked[phrase.channel].append((phrase.start, phrase.end, kind))
    return marked


def _anchors(card: Scorecard) -> list[range]:
    """The seconds of the call for each utterance: those from its start to the start of the next."""
    if not card.transcript:
        return []
    starts = [0, *(int(one.start) for one in card.transcript[1:]), int(card.seconds) + 1]
    return [range(start, end) for start, end in pairwise(starts)]


def _runs(said: Utterance, marked: Marked) -> Iterator[TextRun]:
    """Splits an utterance into runs of words with the same highlight."""
    if not said.words:
        yield TextRun(said.text)
        return
    words: list[str] = []
    inside: str | None = None
    for word in said.words:
        middle = (word.start + word.end) / 2
        kind = next((k for start, end, k in marked[said.channel] if start <= middle <= end), None)
        if kind != inside and words:
            yield TextRun(" ".join(words), inside)
            words = []
        inside = kind
        words.append(word.text.strip())
    yield TextRun(" ".join(words), inside)
