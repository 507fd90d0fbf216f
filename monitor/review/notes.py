"""Draft notes of a call: what the agent would write into the ticket, put together from the events."""

from collections.abc import Iterator, Sequence

from monitor.events import CallStarted, Note, Utterance
from monitor.review.findings import Feeling, Moment, Promise

MATTER_FROM = 6
"""The caller's first utterance of so many words is taken for the matter; greetings are shorter."""

MATTER_WORDS = 45

HEADINGS = {
    "date": "Dates and times mentioned",
    "amount": "Amounts",
    "number": "Numbers",
    "phone": "Phone numbers",
}


def clock_text(seconds: float) -> str:
    """Seconds of the call as ``mm:ss`` (``h:mm:ss`` from an hour on)."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"


def draft_notes(
    about: CallStarted,
    seconds: float,
    said: Sequence[Utterance],
    *,
    feelings: Sequence[Feeling],
    promises: Sequence[Promise],
    open_items: Sequence[Moment],
    notes: Sequence[Note],
) -> Iterator[str]:
    """The lines of the draft; a line that would say nothing is left out."""
    who = f", agent {about.agent}" if about.agent else ""
    yield f"Call {about.call}{who}, {clock_text(seconds)} long."
    if matter := _matter(said):
        yield f"Matter, in the caller's words: “{matter}”"
    if feelings:
        met = sum(one.answer is not None for one in feelings)
        yield f"The caller voiced distress or anger {_times(len(feelings))}; {met} met with understanding."
    for kind, heading in HEADINGS.items():
        texts = dict.fromkeys(f"{note.text} ({note.channel})" for note in notes if note.kind == kind)
        if texts:
            yield f"{heading}: {', '.join(texts)}."
    for promise in promises:
        when = f"by: {promise.when}" if promise.when else "no date given"
        yield f"Promised at {clock_text(promise.said.start)}: “{promise.said.text}” – {when}."
    for item in open_items:
        yield f"Still open, raised at {clock_text(item.start)}: “{item.text}”"


def _matter(said: Sequence[Utterance]) -> str | None:
    """The caller's first words that are more than a greeting."""
    for utterance in said:
        words = utterance.text.split()
        if utterance.channel == "caller" and len(words) >= MATTER_FROM:
            cut = " ".join(words[:MATTER_WORDS])
            return cut + (" …" if len(words) > MATTER_WORDS else "")
    return None


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
