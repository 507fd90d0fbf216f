"""The measure ``count``: the number of phrases, interruptions, raised voices or other facts."""

from dataclasses import replace
from typing import Any, NamedTuple

from monitor.events import EVENTS, Channel
from monitor.rules.measures.registry import TWO_MINUTES, Facts, Measure, Time, measure
from monitor.rules.measures.sound import UNTRUE
from monitor.rules.measures.talk import KINDS, OVERLAPPED, counted
from monitor.rules.reading import Reading
from monitor.timeline import TimelineView, is_found


class CountedFact(NamedTuple):
    """A named fact: its kinds of marks on the timeline, and the sentence about their number."""

    kinds: tuple[str, ...]
    tells: str
    quality: tuple[str, ...] = ()
    voice: bool = False


FACTS: dict[str, CountedFact] = {
    "interruption": CountedFact(("interruption",), "{by} cut {other} off {value} in {window}", OVERLAPPED),
    "talk_over": CountedFact(("talk_over",), "{by} talked over {other} {value} in {window}", OVERLAPPED),
    "overlap": CountedFact(KINDS, "both spoke at once {value} in {window}", OVERLAPPED),
    "raised_voice": CountedFact(
        ("raised_voice",), "the voice of {by} was raised {value} in {window}", UNTRUE, voice=True
    ),
    "hold": CountedFact(("held",), "the caller was put on hold {value} in {window}"),
    "dead_air": CountedFact(("dead_air",), "nobody spoke for 8 s or longer {value} in {window}"),
}
"""Facts by name. All other detector events and all phrase classes can be counted, too."""


def fact_names() -> frozenset[str]:
    """What ``count`` can count other than phrases: the facts above and detector events."""
    return frozenset(FACTS) | {name for name, kind in EVENTS.items() if is_found(kind)}


def specialised(counting: Measure, params: dict[str, Any]) -> Measure:
    """``count`` for what it counts: its sentence, and the quality problems under which it is unreliable."""
    names: tuple[str, ...] = params["of"]
    known = [FACTS[name] for name in names if name in FACTS]
    detected = fact_names()
    said = [name for name in names if name not in detected]
    if said:
        tells = "{by} said it {value} in {window}"
    else:
        what = " or ".join(name.replace("_", " ") for name in names)
        tells = known[0].tells if len(names) == 1 and known else f"there was {what} {{value}} in {{window}}"
    return replace(
        counting,
        name="_or_".join(names),
        tells=tells,
        words=bool(said) and len(said) == len(names),
        voice=any(one.voice for one in known),
        quality=tuple(dict.fromkeys(kind for one in known for kind in one.quality)),
    )


@measure("times", tells="{value} in {window}", doubts=("of",), specialise=specialised)
def count(
    view: TimelineView,
    *,
    of: Facts,
    by: Channel | None = None,
    window: Time = TWO_MINUTES,
    certain: bool = True,
) -> Reading:
    """How often something was found: an interruption, a raised voice, a phrase, or any detector event.

    ``certain`` false also counts approximate phrase matches; it is for rules about what was not said.
    """
    kinds = tuple(kind for name in of for kind in (FACTS[name].kinds if name in FACTS else (name,)))
    channel = None if set(of) <= {"hold", "dead_air"} else by
    return counted(view, kinds, channel, window, perhaps=not certain)
