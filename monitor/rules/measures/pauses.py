"""Silence and holds."""

from monitor.rules.measures.registry import UNHEARD, WHOLE_CALL, Seconds, measure
from monitor.rules.measures.talk import counted
from monitor.rules.reading import NOTHING, Reading
from monitor.timeline import Timeline

HOLD_UNSAID = 30.0
"""A mutual silence this long is taken for a hold that nobody announced, in seconds."""


@measure("s", tells="nobody has spoken for {value}", wakes=("speech", "hold"), quality=UNHEARD)
def silence(line: Timeline) -> Reading:
    """For how long neither side has spoken; nothing while the caller is on hold."""
    since = line.talk.silent_since()
    if since is None:
        return Reading(0.0)
    if line.talk.holding():
        return NOTHING
    return Reading(line.now - since, since, line.now, rate=1.0)


@measure("s", tells="the caller has been on hold for {value}", wakes=("speech", "hold"))
def hold(line: Timeline, *, unsaid: Seconds = Seconds(HOLD_UNSAID)) -> Reading:
    """For how long the caller has been on hold: by the softphone, the agent's words, or a long silence."""
    on = line.talk.holding()
    if on:
        return Reading(line.now - on.start, on.start, line.now, "caller", rate=1.0)
    since = line.talk.silent_since()
    if since is None:
        return Reading(0.0)
    silent = line.now - since
    if silent < unsaid - 1e-9:
        return Reading(0.0, again=since + unsaid)
    return Reading(silent, since, line.now, "caller", rate=1.0)


@measure("times", tells="the caller was put on hold {value} in {window}", wakes=("hold",))
def holds(line: Timeline, *, window: Seconds = WHOLE_CALL) -> Reading:
    """How many holds are over."""
    return counted(line, ("held",), None, window)


@measure("share", tells="the caller spent {value} of the call on hold", wakes=("hold",))
def hold_share(line: Timeline, *, least: Seconds = Seconds(180.0)) -> Reading:
    """The share of the call that the caller spent on hold; nothing is said in its first ``least`` seconds."""
    if line.now < least:
        return NOTHING
    spent = [(stretch.start, stretch.until(line.now)) for stretch in line.talk.holds]
    if not spent:
        return Reading(0.0)
    return Reading(sum(end - start for start, end in spent) / line.now, spent[0][0], line.now, "caller")
