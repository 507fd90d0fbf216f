"""The registry of measures. A measure is a decorated function; its signature defines its parameters in rules.

    @measure("times", tells="{by} cut {other} off {value} in {window}")
    def interruptions(view: TimelineView, *, by: Channel, window: Time = MINUTE) -> Reading:
        "How often a side took the floor from the other."
        return counted(view, ("interruption",), by, window)

The first sentence of the docstring is printed in ``docs/rules.md``. The function queries the
``TimelineView`` and returns a ``Reading``. The view records which facts the value depends on and when it
may change with time. The function must follow two conventions:

- compare durations and times with ``view.reached`` and ``view.passed``, not with ``view.now``;
- mark a value that changes with time: ``running`` for a duration, ``ratio`` for a share.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NewType

import msgspec

from monitor.rules.reading import Reading
from monitor.rules.rule import Duration, Names, milliseconds, names
from monitor.timeline import CALL, seconds

Time = NewType("Time", int)
"""A time parameter in ms, written in rules as ``20s``, ``2min`` or ``call``."""

Phrases = NewType("Phrases", tuple[str, ...])
"""A parameter that names one phrase class or several."""

Facts = NewType("Facts", tuple[str, ...])
"""A parameter that names one or several phrase classes or detector events."""

Unit = Literal["times", "s", "share", "", "syll/s", "words/min", "st", "words", "points"]

TEN_SECONDS = Time(10_000)
HALF_MINUTE = Time(30_000)
MINUTE = Time(60_000)
TWO_MINUTES = Time(120_000)
THREE_MINUTES = Time(180_000)
FIVE_MINUTES = Time(300_000)
WHOLE_CALL = Time(CALL)
NO_PHRASES = Phrases(())

UNHEARD = ("dead_channel",)
"""With a dead channel, silence may be a fault of the line."""


_WRITTEN: dict[Any, Any] = {Time: Duration, Phrases: Names, Facts: Names}


@dataclass(frozen=True)
class Measure:
    """A registered measure: a named function of the timeline with its parameters and properties."""

    name: str
    ask: Callable[..., Reading]
    unit: Unit
    params: type[msgspec.Struct]
    asks: str
    tells: str
    words: bool
    voice: bool
    quality: tuple[str, ...]
    doubts: tuple[str, ...] = ()
    kinds: dict[str, Any] = field(default_factory=dict)
    specialise: "Callable[[Measure, dict[str, Any]], Measure] | None" = None

    def asked(self, params: dict[str, Any]) -> "Measure":
        """The measure for these parameters, if its sentence or its requirements depend on them."""
        return self if self.specialise is None else self.specialise(self, params)

    def read(self, written: Any) -> dict[str, Any]:
        """Converts the parameters written in a rule to the function's arguments."""
        given = msgspec.convert(written or {}, self.params, strict=True)
        return {name: self._plain(name, getattr(given, name)) for name in self.kinds}

    def _plain(self, name: str, value: Any) -> Any:
        kind = self.kinds[name]
        if kind is Time:
            return milliseconds(value)
        return names(value) if kind in (Phrases, Facts) else value

    def awaits(self, written: Any) -> set[str]:
        """The phrase classes whose approximate matches count for this measure, too."""
        params = self.read(written)
        if params.get("doubt") == "never" or params.get("certain") is True:
            return set()
        return {name for param in self.doubts for name in params[param]}


MEASURES: dict[str, Measure] = {}
"""All measures by name."""


def measure(
    unit: Unit,
    *,
    tells: str = "",
    words: bool = False,
    voice: bool = False,
    quality: tuple[str, ...] = (),
    doubts: tuple[str, ...] = (),
    specialise: "Callable[[Measure, dict[str, Any]], Measure] | None" = None,
) -> Callable[[Callable[..., Reading]], Callable[..., Reading]]:
    """Registers a function as a measure under its own name.

    ``tells`` is the sentence about a value, with placeholders ``{value}``, ``{by}``, ``{other}`` and
    ``{window}``. ``words`` says that it needs a recogniser, ``voice`` that it uses prosody (which profiles
    may keep private); ``quality`` names the audio problems that make it unreliable. ``doubts`` names the
    parameters for which approximate phrase matches count, because the measure is about what was not said.
    ``specialise`` adapts the measure to given parameters.
    """

    def register(ask: Callable[..., Reading]) -> Callable[..., Reading]:
        kinds: dict[str, Any] = {}
        fields: list[Any] = []
        for name, given in list(inspect.signature(ask).parameters.items())[1:]:
            kinds[name] = given.annotation
            written = _WRITTEN.get(given.annotation, given.annotation)
            default = given.default
            stated = default if default is given.empty else _stated(given.annotation, default)
            fields.append((name, written) if default is given.empty else (name, written, stated))
        params = msgspec.defstruct(
            ask.__name__.title().replace("_", ""),
            fields,
            frozen=True,
            kw_only=True,
            forbid_unknown_fields=True,
        )
        asks = " ".join((inspect.getdoc(ask) or "").split("\n\n")[0].split())
        MEASURES[ask.__name__] = Measure(
            ask.__name__, ask, unit, params, asks, tells, words, voice, quality, doubts, kinds, specialise
        )
        return ask

    return register


def _stated(kind: Any, default: Any) -> Any:
    """A default value as it is written in a rule."""
    if kind is Time:
        return "call" if default == CALL else seconds(default)
    return msgspec.field(default_factory=partial(list, default)) if isinstance(default, tuple) else default
