"""How a measure is born: one function, one decorator. Its signature is what a rule may write.

    @measure("times", wakes=("interruption:{by}",))
    def interruptions(line: Timeline, *, by: Channel, window: Seconds = MINUTE) -> Reading:
        "How often a side took the floor from the other."

The first sentence of the docstring is the documentation. ``wakes`` names the topics of the timeline
after which the answer may differ; ``{by}`` and the like stand for the parameters.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NewType

import msgspec

from monitor.rules.reading import Reading
from monitor.rules.rule import Duration, Names, names, number

Seconds = NewType("Seconds", float)
"""A parameter of a measure that a rule may write as ``20s``, ``2min`` or ``call``."""

Phrases = NewType("Phrases", tuple[str, ...])
"""A parameter that names one class of phrases, or several."""

Unit = Literal["times", "s", "share", "", "syll/s", "words/min", "st", "words", "points"]

TEN_SECONDS = Seconds(10.0)
HALF_MINUTE = Seconds(30.0)
MINUTE = Seconds(60.0)
TWO_MINUTES = Seconds(120.0)
THREE_MINUTES = Seconds(180.0)
FIVE_MINUTES = Seconds(300.0)
WHOLE_CALL = Seconds(float("inf"))
NO_PHRASES = Phrases(())

UNHEARD = ("dead_channel",)
"""With a dead channel, silence may be the line's and not the people's."""


_WRITTEN: dict[Any, Any] = {Seconds: Duration, Phrases: Names}


@dataclass(frozen=True)
class Measure:
    """A named question to the timeline."""

    name: str
    ask: Callable[..., Reading]
    unit: Unit
    params: type[msgspec.Struct]
    wakes: tuple[str, ...]
    asks: str
    tells: str
    words: bool
    voice: bool
    quality: tuple[str, ...]
    doubts: tuple[str, ...] = ()
    kinds: dict[str, Any] = field(default_factory=dict)

    def read(self, written: Any) -> dict[str, Any]:
        """The parameters as a rule wrote them, as the function takes them."""
        given = msgspec.convert(written or {}, self.params, strict=True)
        return {name: self._plain(name, getattr(given, name)) for name in self.kinds}

    def _plain(self, name: str, value: Any) -> Any:
        kind = self.kinds[name]
        if kind is Seconds:
            return number(value)
        return names(value) if kind is Phrases else value

    def awaits(self, written: Any) -> set[str]:
        """The classes of words that count for this measure when they were perhaps said, too."""
        params = self.read(written)
        if params.get("doubt") == "never":
            return set()
        return {name for param in self.doubts for name in params[param]}

    def topics(self, params: dict[str, Any]) -> set[str]:
        """The topics that wake a rule which asks this with ``params``."""
        found: set[str] = set()
        for topic in self.wakes:
            kind, marked, name = topic.partition(":{")
            value = params[name.rstrip("}")] if marked else None
            values: Sequence[Any] = value if isinstance(value, tuple) else (value,)
            found |= {f"{kind}:{one}" if one else kind for one in values}
        return found


MEASURES: dict[str, Measure] = {}
"""Every measure by its name in a rule."""


def measure(
    unit: Unit,
    *,
    tells: str = "",
    wakes: tuple[str, ...] = (),
    words: bool = False,
    voice: bool = False,
    quality: tuple[str, ...] = (),
    doubts: tuple[str, ...] = (),
) -> Callable[[Callable[..., Reading]], Callable[..., Reading]]:
    """Registers a function as a measure of its name.

    ``tells`` is the sentence about a value, with ``{value}``, ``{by}``, ``{other}`` and ``{window}`` in it;
    ``words`` means that it is blind without a recogniser, ``voice`` that it looks at how a person
    sounds (profiles may keep that private), ``quality`` names the troubles of the line that make it
    unfit to alert on. ``doubts`` are the parameters whose phrases count when they were perhaps said, too,
    because the measure is about what was not said.
    """

    def register(ask: Callable[..., Reading]) -> Callable[..., Reading]:
        kinds: dict[str, Any] = {}
        fields: list[Any] = []
        for name, given in list(inspect.signature(ask).parameters.items())[1:]:
            kinds[name] = given.annotation
            written = _WRITTEN.get(given.annotation, given.annotation)
            default = given.default
            fields.append((name, written) if default is given.empty else (name, written, _stated(default)))
        params = msgspec.defstruct(
            ask.__name__.title().replace("_", ""),
            fields,
            frozen=True,
            kw_only=True,
            forbid_unknown_fields=True,
        )
        asks = " ".join((inspect.getdoc(ask) or "").split("\n\n")[0].split())
        MEASURES[ask.__name__] = Measure(
            ask.__name__, ask, unit, params, wakes, asks, tells, words, voice, quality, doubts, kinds
        )  # fmt: skip
        return ask

    return register


def _stated(default: Any) -> Any:
    """A default as the type of the written parameters takes it."""
    return msgspec.field(default_factory=partial(list, default)) if isinstance(default, tuple) else default
