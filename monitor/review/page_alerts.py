"""The report's table of alerts: what the agent was told, why, on what evidence, and whether it was seen."""

from collections.abc import Iterator
from html import escape

from monitor.events import Evidence, EvidenceItem, without_bar
from monitor.review.alert_story import AlertStory
from monitor.review.notes import clock_text
from monitor.review.page_parts import panel, time_link
from monitor.review.scorecard import Scorecard
from monitor.review.timeline_plot import icon

HEADS = ("At", "Level", "Said to the agent, and why", "Evidence", "Card")


def alerts_panel(card: Scorecard) -> str:
    """The section with every alert of the call, but for the agent's private ones."""
    hidden = ""
    if card.private_alerts:
        hidden = (
            f'<p class="sub">{card.private_alerts} more for the agent alone; a report is kept, '
            "so it is not shown here.</p>"
        )
    if not card.alerts:
        return panel("alerts", "Alerts", f'<p class="sub">No alert was raised.</p>{hidden}')
    rows = "".join(_row(number, story) for number, story in enumerate(card.alerts, 1))
    head = "".join(f'<th scope="col">{name}</th>' for name in HEADS)
    body = (
        '<div class="scroll" role="region" aria-labelledby="alerts" tabindex="0"><table class="alerts">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{hidden}"
    )
    return panel("alerts", f"Alerts <small>{len(card.alerts)}</small>", body)


def _row(number: int, story: AlertStory) -> str:
    over = "open to the end"
    if story.closed is not None and story.reason:
        over = f"{story.reason} {clock_text(story.closed)}"
    shown = story.withheld or "not for the agent"
    if story.shown:
        shown = "shown " + ", ".join(clock_text(at) for at in story.shown)
    return (
        f'<tr id="alert-{number}"><td>{time_link(story.opened)}<p class="sub">{escape(over)}</p></td>'
        f'<td><span class="level {story.level}">{icon(story.level)}{story.level}</span></td>'
        f'<td><p class="say">{escape(story.say)}</p><p class="why">{escape(without_bar(story.why))}</p>'
        f'<p class="sub mono">{escape(story.rule)} · {escape(story.rule_hash)}</p></td>'
        f'<td>{"".join(_evidence(story))}</td><td class="sub">{escape(shown)}</td></tr>'
    )


def _evidence(story: AlertStory) -> Iterator[str]:
    seen = story.evidence
    bar = "alert below" if "(alert below " in story.why else "alert from"
    if seen.value is not None:
        yield f'<p class="num">{_measured(seen, seen.value, bar)}</p>'
    for cited in (*seen.words, *seen.events):
        yield f"<p>{_cited(cited)}</p>"
    if seen.clears:
        yield f'<p class="sub">Clears {escape(seen.clears.removeprefix("clears "))}.</p>'


def _measured(seen: Evidence, value: float, bar: str) -> str:
    """What was measured against what; three decimals at most, as the events have them."""
    unit = "×" if seen.unit == "times" else f" {escape(seen.unit)}" if seen.unit else ""
    more = [
        f'<span class="sub">{told} {bound:g}{unit}</span>'
        for told, bound in ((bar, seen.threshold), ("own normal", seen.baseline))
        if bound is not None
    ]
    return " ".join([f"{escape(seen.measure.replace('_', ' '))} <b>{value:g}{unit}</b>", *more])


def _cited(cited: EvidenceItem) -> str:
    who = cited.channel or "both"
    what = f"“{cited.text}”" if cited.text else (cited.kind or "").replace("_", " ")
    return f'{time_link(cited.start)} <span class="{who}">{who}</span> {escape(what)}'
