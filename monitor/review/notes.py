"""Drafts the notes of a call for a ticket, from the call's events."""

from collections.abc import Iterator, Sequence

from monitor.events import CallStarted, Note, Utterance
from monitor.review.findings import Feeling, Moment, Promise

MATTER_FROM = 6
"""Least number of words of the utterance that is taken as the caller's concern; greetings are shorter."""

MATTER_WORDS = 45

HEADINGS = {
    "date": "Dates and times mentioned",
    "amount": "Amounts",
    "number": "Numbers",
    "phone": "Phone numbers",
}


def clock_text(seconds: float) -> str:
    """Formats seconds of the call as ``mm:ss`` (``h:mm:ss`` from one hour on)."""
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
    """The lines of the draft; lines without content are left out."""
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
    """The caller's first utterance that is longer than a greeting."""
    for utterance in said:
        words = utterance.text.split()
        if utterance.channel == "caller" and len(words) >= MATTER_FROM:
            cut = " ".join(words[:MATTER_WORDS])
            return cut + (" …" if len(words) > MATTER_WORDS else "")
    return None


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
