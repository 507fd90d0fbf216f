"""The transcript of a report: both sides' words with phrases marked and alerts in their place."""

from html import escape
from itertools import pairwise

from monitor.events import Channel, Level, Utterance
from monitor.review.notes import clock_text
from monitor.review.scorecard import Scorecard
from monitor.review.timeline_plot import icon

MARKS = {
    "apology": "apology",
    "empathy": "understanding",
    "feeling": "distress or anger",
    "promise": "promise",
}
"""What is highlighted, by the class of the style."""

Marked = dict[Channel, list[tuple[float, float, str]]]


def transcript(card: Scorecard) -> str:
    """The section with everything that was said."""
    head = '<section class="panel" aria-labelledby="transcript"><h2 id="transcript">Transcript</h2>'
    if not card.transcript:
        why = "No recogniser listened." if not card.has_words else "No words were recognised."
        return f'{head}<p class="sub">{why}</p></section>'
    marked = _marked(card)
    anchors = _anchors(card)
    moments = [
        (one.start, 0, _line(one, marked, anchors[place])) for place, one in enumerate(card.transcript)
    ]
    moments += [
        (story.opened, 1, _alert(number, story.level, story.say, story.opened))
        for number, story in enumerate(card.alerts, 1)
    ]
    lines = [html for _, _, html in sorted(moments, key=lambda one: one[:2])]
    key = " ".join(f'<mark class="{kind}">{name}</mark>' for kind, name in MARKS.items())
    return f'{head}<p class="sub legend">{key}</p><ol class="said">{"".join(lines)}</ol></section>'


def _marked(card: Scorecard) -> Marked:
    """The stretches of speech to highlight, by side."""
    marked: Marked = {"agent": [], "caller": []}
    for apology in card.apologies:
        marked["agent"].append((apology.start, apology.end, "apology"))
    for feeling in card.feelings:
        marked["caller"].append((feeling.said.start, feeling.said.end, "feeling"))
        if feeling.answer:
            marked["agent"].append((feeling.answer.start, feeling.answer.end, "empathy"))
    for promise in card.promises:
        marked["agent"].append((promise.said.start, promise.said.end, "promise"))
    return marked


def _anchors(card: Scorecard) -> list[str]:
    """Targets for every second, each at the utterance that was begun last before it."""
    starts = [int(one.start) for one in card.transcript]
    starts[0] = 0
    ends = [*(after for _, after in pairwise(starts)), int(card.seconds) + 1]
    return [
        "".join(f'<i id="t-{second}"></i>' for second in range(start, end))
        for start, end in zip(starts, ends, strict=True)
    ]


def _line(said: Utterance, marked: Marked, anchors: str) -> str:
    return (
        f'<li><span class="num sub">{anchors}{clock_text(said.start)}</span>'
        f'<p><b class="{said.channel}">{said.channel.capitalize()}</b> {_words(said, marked)}</p></li>'
    )


def _words(said: Utterance, marked: Marked) -> str:
    """The words, those of one phrase under one mark."""
    if not said.words:
        return escape(said.text)
    out: list[str] = []
    inside: str | None = None
    for word in said.words:
        middle = (word.start + word.end) / 2
        kind = next((k for start, end, k in marked[said.channel] if start <= middle <= end), None)
        if kind != inside:
            out.append(("</mark> " if inside else " ") + (f'<mark class="{kind}">' if kind else ""))
            inside = kind
        else:
            out.append(" ")
        out.append(escape(word.text.strip()))
    return "".join([*out, "</mark>" if inside else ""]).strip()


def _alert(number: int, level: Level, say: str, at: float) -> str:
    return (
        f'<li class="moment {level}"><span class="num sub">{clock_text(at)}</span>'
        f'<p>{icon(level)}<a href="#alert-{number}"><span class="hidden">{level}: </span>{escape(say)}</a>'
        "</p></li>"
    )
