"""The report as one HTML page that needs nothing else: no script, no other file, no other host.

Everything that was said or named on the call is escaped; a policy in the head forbids the page to load
anything, should a browser ever be made to try.
"""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from monitor.events import Channel, Level, QualityKind
from monitor.review.notes import clock_text
from monitor.review.page_alerts import alerts_panel
from monitor.review.page_parts import panel, table, time_link
from monitor.review.page_transcript import transcript
from monitor.review.scorecard import Scorecard
from monitor.review.sound import Spectrogram
from monitor.review.spoken import Moment
from monitor.review.timeline_plot import icon, timeline_plot

STYLE = Path(__file__).with_name("report.css")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def report_page(card: Scorecard, sound: Mapping[Channel, Spectrogram] | None = None) -> str:
    """The whole page; ``sound`` is there where the recording was, and not only a journal of it."""
    title = escape(f"Call report: {card.call}")
    sections = [
        _head(card),
        _tiles(card),
        _timeline(card, sound),
        _columns(card),
        alerts_panel(card),
        transcript(card),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
        f"<title>{title}</title><style>{STYLE.read_text(encoding='utf-8')}</style></head>\n"
        f"<body><main>{''.join(sections)}</main>{_foot(card)}</body></html>\n"
    )


def _head(card: Scorecard) -> str:
    about = card.about
    known = [
        ("Agent", about.agent),
        ("Team", about.team),
        ("Length", clock_text(card.seconds)),
        ("Recording", ", ".join(about.sources)),
        ("Recogniser", about.model if card.has_words else "none: nothing that needs words is counted"),
        ("Profile", about.profile),
    ]
    facts = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in known if value)
    notices = [notice for notice in (card.notice, about.notice, *(t.say for t in card.troubles)) if notice]
    told = "".join(f'<p class="notice">{escape(notice)}</p>' for notice in notices)
    title = f'<p class="kind">Call report</p><h1>{escape(card.call)}</h1>'
    return f'<header>{title}<dl class="facts">{facts}</dl>{told}</header>'


# --- the figures ---


def _tiles(card: Scorecard) -> str:
    tiles = [_hardness_tile(card), _talk_tile(card), _cuts_tile(card), _silence_tile(card)]
    if card.has_words:
        due, dated = len(card.feelings), len(card.promises)
        tiles += [
            _tile("Apologies", str(len(card.apologies)), "by the agent"),
            _tile("Understanding", f"{card.feelings_met} of {due}" if due else "–",
                  "signs of distress or anger met in time" if due else "no distress or anger to answer"),
            _tile("Promises with a date", f"{card.promises_dated} of {dated}" if dated else "–",
                  "made by the agent" if dated else "nothing was promised"),
            _tile("Still open", str(len(card.open_items)), "further matters without an answer"),
        ]  # fmt: skip
    head = '<h2 id="figures" class="hidden">Figures</h2>'
    return f'<section aria-labelledby="figures">{head}<div class="tiles">{"".join(tiles)}</div></section>'


def _tile(name: str, value: str, told: str, more: str = "") -> str:
    head = f'<h3>{name}</h3><p class="value num">{value}</p>'
    return f'<div class="tile">{head}{more}<p class="sub">{told}</p></div>'


def _hardness_tile(card: Scorecard) -> str:
    hard = card.hardness
    parts = ", ".join(f"{escape(name)} {value:.0f}" for name, value in hard.parts.items() if value)
    verdict = f" · {hard.verdict}" if hard.verdict else ""
    meter = f'<div class="meter" aria-hidden="true"><i style="width:{min(hard.score, 100):.0f}%"></i></div>'
    value = f"{hard.score:.0f}<small> of 100{verdict}</small>"
    return _tile("Difficulty", value, parts or "nothing made it hard", meter)


def _talk_tile(card: Scorecard) -> str:
    agent, caller = (f"{100 * card.talk_share[side]:.0f} %" for side in ("agent", "caller"))
    bar = "".join(
        f'<i class="{side}" style="flex:{card.talk_share[side]:.3f}"></i>' for side in ("agent", "caller")
    )
    talk = card.talk
    told = f"agent {talk['agent']:.1f} s, caller {talk['caller']:.1f} s, both at once {card.overlap:.1f} s"
    value = f"{agent}<small> agent · {caller} caller</small>"
    return _tile("Talk share", value, told, f'<div class="share" aria-hidden="true">{bar}</div>')


def _cuts_tile(card: Scorecard) -> str:
    by = card.interruptions
    where = ", ".join(time_link(cut.start) for cut in card.cut_ins)
    value = f"{by['agent']}<small> by agent</small> · {by['caller']}<small> by caller</small>"
    return _tile("Interruptions", value, f"at {where}" if where else "nobody was cut off")


def _silence_tile(card: Scorecard) -> str:
    longest = card.longest_silence
    total = f"{card.silence:.1f} s of silence in all"
    if longest is None:
        return _tile("Longest silence", "–", total)
    return _tile(
        "Longest silence",
        f"{longest.seconds:.1f}<small> s</small>",
        f"at {time_link(longest.start)}, {total}",
    )


def _timeline(card: Scorecard, sound: Mapping[Channel, Spectrogram] | None) -> str:
    keys: tuple[tuple[str, str], ...] = (
        ("agent", "agent"), ("caller", "caller"), ("both", "both at once"), ("normalkey", "own normal"),
    )  # fmt: skip
    legend = "".join(f'<li><i class="key {kind}"></i>{text}</li>' for kind, text in keys)
    levels: tuple[Level, ...] = ("info", "warn", "critical")
    legend += "".join(f"<li>{icon(level)}{level}</li>" for level in levels)
    return (
        '<section aria-labelledby="timeline"><div class="over"><h2 id="timeline">Timeline</h2>'
        f'<ul class="legend">{legend}</ul></div>'
        '<div class="scroll panel" role="region" aria-labelledby="timeline" tabindex="0">'
        f'{timeline_plot(card, sound)}</div><p class="sub">{_origin(sound)}</p></section>'
    )


def _origin(sound: Mapping[Channel, Spectrogram] | None) -> str:
    """Where each curve comes from."""
    curves = (
        "Speech, level and pitch are drawn from the events of the call, against each speaker’s own normal"
    )
    if not sound:
        return f"{curves}; a journal holds no sound to be drawn."
    return (
        f"{curves}; the sound is drawn from the recording itself (mel spectrogram by librosa, "
        "denser is louder, 60 dB from the loudest)."
    )


# --- what was due, and the notes ---


def _columns(card: Scorecard) -> str:
    draft = "".join(f"<li>{escape(line)}</li>" for line in card.draft)
    parts = [panel("notes", "Draft notes", f'<ul class="draft">{draft}</ul>')]
    if card.troubles:
        parts.append(panel("sound", "The sound", _troubles(card)))
    if card.has_words:
        parts += [
            panel("understanding", "Understanding where it was due", _feelings(card)),
            panel("promises", "Promises", _promises(card)),
            panel("apologies", "Apologies", _quotes(card.apologies, "The agent did not say sorry.")),
            panel(
                "open",
                "Open items",
                _quotes(card.open_items, "No further matter was left without an answer."),
            ),
        ]
    return f'<div class="columns">{"".join(parts)}</div>'


TROUBLES: dict[QualityKind, str] = {
    "crosstalk": "the other side’s voice is heard in it",
    "same_audio": "both channels carry the same sound",
    "swapped": "the sides seem to be exchanged",
    "clipping": "it is overdriven",
    "dead_channel": "nothing comes from it",
}


def _troubles(card: Scorecard) -> str:
    rows = [
        (
            time_link(one.start),
            clock_text(one.end if one.end is not None else card.seconds),
            f'<span class="{one.channel or "both"}">{one.channel or "both"}</span>',
            TROUBLES[one.kind],
        )
        for one in card.troubles
    ]
    told = '<p class="sub">Alerts that this would make untrue were held back meanwhile.</p>'
    return table(("From", "To", "Side", "What"), rows) + told


def _feelings(card: Scorecard) -> str:
    rows = [
        (
            time_link(one.said.start),
            f"“{escape(one.said.text)}”",
            f"{_yes()} {time_link(one.answer.start)} “{escape(one.answer.text)}”"
            if one.answer
            else _no("no word of understanding in time"),
        )
        for one in card.feelings
    ]
    return table(
        ("At", "The caller", "The agent"),
        rows,
        "No distress or anger whose answer could be judged.",
    )


def _promises(card: Scorecard) -> str:
    rows = [
        (
            time_link(one.said.start),
            f"“{escape(one.said.text)}”",
            f"{_yes()}\u00a0{escape(one.when)}" if one.when else _no("no date"),
        )
        for one in card.promises
    ]
    return table(("At", "Promised", "By when"), rows, "Nothing was promised.")


def _quotes(moments: Sequence[Moment], none: str) -> str:
    rows = [(time_link(one.start), f"“{escape(one.text)}”") for one in moments]
    return table(("At", "Words"), rows, none)


def _yes() -> str:
    return '<span class="yes"><span aria-hidden="true">✓</span><span class="hidden">yes:</span></span>'


def _no(text: str) -> str:
    return f'<span class="no"><span aria-hidden="true">✕</span> {text}</span>'


def _foot(card: Scorecard) -> str:
    rules = f'<p class="mono">rules {escape(card.about.rules_hash)}</p>'
    return (
        "<footer><p>Every figure is counted from the events of this call. Level and pitch are shifts against "
        "each speaker’s own normal, not a judgement of anybody’s mood. What was said is personal data: "
        f"delete this file when it is no longer needed.</p>{rules}</footer>"
    )
