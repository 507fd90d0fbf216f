"""How a measure is written: one function, one decorator. Its signature is what a rule may write.

    @measure("times", tells="{by} cut {other} off {value} in {window}")
    def interruptions(view: TimelineView, *, by: Channel, window: Time = MINUTE) -> Reading:
        "How often a side took the floor from the other."
        return counted(view, ("interruption",), by, window)

The first sentence of the docstring is the documentation. The function asks its questions to the
``TimelineView`` and returns a ``Reading``. Which facts it depends on and when its answer changes with time is
noted by the view, so the function does not declare it. Two things are asked of it:

- compare durations and moments by ``view.reached`` and ``view.passed``, not with ``view.now``;
- where the value itself changes with time, say so: ``running`` for a duration, ``ratio`` for a share.
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
"""A parameter of a measure in ms, which a rule may write as ``20s``, ``2min`` or ``call``."""

Phrases = NewType("Phrases", tuple[str, ...])
"""A parameter that names one class of phrases, or several."""

Facts = NewType("Facts", tuple[str, ...])
"""A parameter that names what was found: classes of phrases, or events of detectors, one or several."""

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
"""With a dead channel, silence may be the line's and not the people's."""


_WRITTEN: dict[Any, Any] = {Time: Duration, Phrases: Names, Facts: Names}


@dataclass(frozen=True)
class Measure:
    """A named question to the timeline."""

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
        """The measure as it stands for these parameters, where its sentence or its needs depend on them."""
        return self if self.specialise is None else self.specialise(self, params)

    def read(self, written: Any) -> dict[str, Any]:
        """The parameters as a rule wrote them, as the function takes them."""
        given = msgspec.convert(written or {}, self.params, strict=True)
        return {name: self._plain(name, getattr(given, name)) for name in self.kinds}

    def _plain(self, name: str, value: Any) -> Any:
        kind = self.kinds[name]
        if kind is Time:
            return milliseconds(value)
        return names(value) if kind in (Phrases, Facts) else value

    def awaits(self, written: Any) -> set[str]:
        """The classes of words that count for this measure when they were perhaps said, too."""
        params = self.read(written)
        if params.get("doubt") == "never" or params.get("certain") is True:
            return set()
        return {name for param in self.doubts for name in params[param]}


MEASURES: dict[str, Measure] = {}
"""Every measure by its name in a rule."""


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
    """Registers a function as a measure of its name.

    ``tells`` is the sentence about a value, with ``{value}``, ``{by}``, ``{other}`` and ``{window}`` in it;
    ``words`` means that it is blind without a recogniser, ``voice`` that it looks at how a person
    sounds (profiles may keep that private), ``quality`` names the troubles of the line that make it
    unfit to alert on. ``doubts`` are the parameters whose phrases count when they were perhaps said, too,
    because the measure is about what was not said. ``specialise`` makes of the measure what it is for given
    parameters.
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
    """A default as a rule would write it."""
    if kind is Time:
        return "call" if default == CALL else seconds(default)
    return msgspec.field(default_factory=partial(list, default)) if isinstance(default, tuple) else default
