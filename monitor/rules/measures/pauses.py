"""Measures of silence and holds."""

from monitor.rules.measures.registry import HALF_MINUTE, THREE_MINUTES, UNHEARD, Time, measure
from monitor.rules.reading import NOTHING, ZERO, Reading, running
from monitor.timeline import Quantity, TimelineView


@measure("s", tells="nobody has spoken for {value}", quality=UNHEARD)
def silence(view: TimelineView) -> Reading:
    """For how long neither side has spoken; no value while the caller is on hold."""
    since = view.silent_since()
    if since is None:
        return ZERO
    return NOTHING if view.holding() else running(view, since)


@measure("s", tells="the caller has been on hold for {value}")
def hold(view: TimelineView, *, unsaid: Time = HALF_MINUTE) -> Reading:
    """For how long the caller has been on hold, by the softphone, the agent's words, or a long silence."""
    on = view.holding()
    if on:
        return running(view, on.start, "caller")
    since = view.silent_since()
    if since is None or not view.passed(since + unsaid):
        return ZERO
    return running(view, since, "caller")


@measure("share", tells="the caller spent {value} of the call on hold")
def hold_share(view: TimelineView, *, least: Time = THREE_MINUTES) -> Reading:
    """The share of the call that the caller spent on hold; no value in the first ``least`` seconds."""
    if not view.reached(view.elapsed, least):
        return NOTHING
    spent = view.holds()
    if not spent:
        return ZERO
    held = sum(stretch.until(view.now) - stretch.start for stretch in spent)
    part = Quantity(held, int(spent[-1].end is None))
    return Reading(held / view.now, spent[0].start, view.now, "caller", ratio=(part, view.elapsed))
