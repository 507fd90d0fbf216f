"""The layout of the overlay as boxes, dots, shapes and text, in logical pixels.

It has no side effects, so the layout is tested without a screen; the window paints the parts and measures
text. Alert levels differ in shape as well as in colour: a dot is info, a diamond a warning, a triangle
critical, a tick praise.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from monitor.events import Channel
from monitor.overlay.card import Card, Kind
from monitor.overlay.shown import BAND_SECONDS, Shown, ShownSide

WIDTH, STRIP, RADIUS, PAD = 360.0, 36.0, 14.0, 16.0
ICON, TEXT_LEFT = 30.0, 58.0
SAY, WHY, SMALL = 17.0, 12.5, 11.5
SAY_LONG, LONG = 14.0, 90
"""Texts with more than ``LONG`` characters (usually a supervisor's) are set in a smaller size."""
BAND_LEFT, BAND_WIDTH, METER_LEFT, METER_WIDTH = 68.0, 150.0, 228.0, 40.0
BAR, ROW = 5.0, 9.0
LOUDEST = 12.0
"""Decibels above the speaker's baseline at which a meter is full."""
LOUD = 6.0
"""Decibels above the baseline from which the meter has the warning colour."""

PANEL, INK, INK2, INK3 = "#eb141a21", "#ffeef2f6", "#ffb4bfca", "#ff8b98a5"
TRACK, RULE, EDGE, SHADOW = "#24ffffff", "#18ffffff", "#2effffff", "#03000000"
SIDES: dict[Channel, str] = {"agent": "#ff6db3ee", "caller": "#ffcf9be8"}
RAISED = "#fff0a878"
FILLS: dict[Kind, str] = {
    "info": "#ff8cbcf0", "warn": "#fff2c063", "critical": "#ffff8f86", "praise": "#ff6fcf9d",
    "message": "#ff8cbcf0",
}  # fmt: skip
SIGNS: dict[Kind, tuple[str, str]] = {
    "info": ("i", "#ff0d2238"), "warn": ("!", "#ff2a2005"), "critical": ("!", "#ff3a0f0b"),
    "praise": ("", "#ff0b2a1a"), "message": ("”", "#ff0d2238"),
}  # fmt: skip
LIVE, GREY = "#ff6fcf9d", "#ff8b98a5"
CONTRAST = {
    PANEL: "#ff000000", INK: "#ffffffff", INK2: "#ffffffff", INK3: "#ffffffff", TRACK: "#66ffffff",
    RULE: "#ffffffff", EDGE: "#ffffffff", SHADOW: "#00000000",
}  # fmt: skip
"""Colours for desktops with high contrast: white on black, opaque, with a solid edge."""

SHADE = 12
"""Width of the panel's shadow, by which the window is larger than the panel on every side."""

Weight = Literal[400, 600, 700]
Align = Literal["left", "right", "centre"]


@dataclass(frozen=True, slots=True)
class Box:
    """A rounded rectangle, or its outline if ``line`` gives a width; colours are ``#aarrggbb``."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    radius: float = 0.0
    fade: float = 1.0
    line: float = 0.0


@dataclass(frozen=True, slots=True)
class Dot:
    """A disc, or a ring if ``ring`` gives a line width."""

    x: float
    y: float
    radius: float
    colour: str
    ring: float = 0.0
    fade: float = 1.0


@dataclass(frozen=True, slots=True)
class DrawnShape:
    """A filled polygon with rounded corners, or an open line if ``line`` gives a width."""

    points: tuple[tuple[float, float], ...]
    colour: str
    line: float = 0.0
    fade: float = 1.0


@dataclass(frozen=True, slots=True)
class DrawnText:
    """Text in a box, wrapped at its width."""

    x: float
    y: float
    width: float
    height: float
    text: str
    size: float
    colour: str
    weight: Weight = 400
    align: Align = "left"
    fade: float = 1.0


Part: TypeAlias = Box | Dot | DrawnShape | DrawnText
Measure: TypeAlias = Callable[[str, float, int, float], float]
"""The height of a text of this size and weight, wrapped at a width."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The parts to paint, and the height of the panel."""

    height: float
    parts: tuple[Part, ...]


def picture(
    shown: Shown, measure: Measure, *, card: Card | None, fade: float, why: float, top: bool
) -> Picture:
    """Lays out the panel: the strip at the edge of the screen, and ``card`` beside it.

    ``top`` puts the strip above the card; ``fade`` and ``why`` (0 to 1) are how far the card and its second
    line have faded in.
    """
    tall = _card_height(card, measure) * _eased(fade) if card else 0.0
    strip_at, card_at = (0.0, STRIP) if top else (tall, 0.0)
    parts: list[Part] = [*_panel(STRIP + tall)]
    if card and fade > 0:
        shift = tall - _card_height(card, measure) if not top else 0.0
        parts += _card(card, measure, card_at + min(0.0, shift) * 0.5, fade, why)
        parts.append(Box(PAD, STRIP if top else tall, WIDTH - 2 * PAD, 1, RULE, fade=fade))
    return Picture(STRIP + tall, (*parts, *_strip(shown, strip_at)))


def in_contrast(drawn: Picture) -> Picture:
    """The same picture for a desktop that asks for more contrast."""
    return Picture(
        drawn.height,
        tuple(replace(part, colour=CONTRAST.get(part.colour, part.colour)) for part in drawn.parts),
    )


def _panel(height: float) -> Iterator[Part]:
    """The background of the panel: a shadow for bright desktops, a thin edge for dark ones."""
    for out in range(SHADE, 0, -1):
        yield Box(-out, 3 - out, WIDTH + 2 * out, height + 2 * out - 3, SHADOW, RADIUS + out)
    yield Box(0, 0, WIDTH, height, PANEL, RADIUS)
    yield Box(0.5, 0.5, WIDTH - 1, height - 1, EDGE, RADIUS - 0.5, line=1)


def _eased(fade: float) -> float:
    """Eases a fade out: fast at first, then slower."""
    return 1 - (1 - fade) ** 3


def _text_heights(card: Card, measure: Measure) -> tuple[float, float]:
    width = WIDTH - TEXT_LEFT - PAD
    say = measure(card.say, _say_size(card), 600, width)
    return say, measure(card.why, WHY, 400, width) if card.why else 0.0


def _say_size(card: Card) -> float:
    return SAY if len(card.say) <= LONG else SAY_LONG


def _card_height(card: Card, measure: Measure) -> float:
    say, why = _text_heights(card, measure)
    return max(ICON, say + (3 + why if why else 0)) + 13 + 11


def _card(card: Card, measure: Measure, y: float, fade: float, why: float) -> Iterator[Part]:
    say_tall, why_tall = _text_heights(card, measure)
    width = WIDTH - TEXT_LEFT - PAD
    yield from icon(card.kind, PAD + ICON / 2, y + 13 + ICON / 2, ICON / 2, fade)
    # One short line is centred on the icon; several lines begin at its top.
    lone = max(0.0, (ICON - say_tall) / 2) if not why_tall else 0.0
    yield DrawnText(TEXT_LEFT, y + 12 + lone, width, say_tall, card.say, _say_size(card), INK, 600, fade=fade)
    yield DrawnText(TEXT_LEFT, y + 15 + say_tall, width, why_tall, card.why, WHY, INK2, fade=min(fade, why))


def icon(kind: Kind, x: float, y: float, r: float, fade: float = 1.0) -> Iterator[Part]:
    """The shape of a level, centred at ``x``, ``y``; large ones contain a sign."""
    fill = FILLS[kind]
    match kind:
        case "warn":
            yield DrawnShape(((x, y - r), (x + r, y), (x, y + r), (x - r, y)), fill, fade=fade)
        case "critical":
            yield DrawnShape(((x, y - r), (x + r, y + r * 0.85), (x - r, y + r * 0.85)), fill, fade=fade)
        case _:
            yield Dot(x, y, r * 0.94, fill, fade=fade)
    sign, ink = SIGNS[kind]
    if kind == "praise":
        tick = ((x - r * 0.4, y + r * 0.02), (x - r * 0.1, y + r * 0.32), (x + r * 0.42, y - r * 0.3))
        yield DrawnShape(tick, ink, line=max(1.2, r * 0.16), fade=fade)
    elif r > ICON / 3:
        low = r * 0.22 if kind == "critical" else r * 0.5 if kind == "message" else 0.0
        size = r * (1.8 if kind == "message" else 1.1)
        yield DrawnText(x - r, y - r + low, 2 * r, 2 * r, sign, size, ink, 700, "centre", fade)


def _strip(shown: Shown, y: float) -> Iterator[Part]:
    middle = y + STRIP / 2
    yield _connection_dot(shown, WIDTH - 18, middle)
    if shown.call is None:
        yield DrawnText(PAD, y, 240, STRIP, shown.at_rest, SMALL, INK3)
        return
    minutes, seconds = divmod(int(shown.now), 60)
    yield DrawnText(14, y, 40, STRIP, f"{minutes:02d}:{seconds:02d}", SMALL, INK2)
    if shown.open_card and shown.card is None:
        yield from icon(shown.open_card.kind, 58, middle, 4.5)
    sides: tuple[Channel, Channel] = ("agent", "caller")
    for side, row in zip(sides, (middle - ROW / 2 - BAR / 2, middle + ROW / 2 - BAR / 2), strict=True):
        yield from _band(shown, shown.sides[side], side, row)
        yield from _meter(shown.sides[side], side, row)
    left = METER_LEFT + METER_WIDTH
    yield DrawnText(left, y, WIDTH - 28 - left, STRIP, _told(shown), SMALL, INK2, align="right")


def _told(shown: Shown) -> str:
    """The text at the end of the strip: a problem, if there is one, or the agent's talk share."""
    if shown.down:
        return "no line" if shown.connection == "lost" else "not let in"
    if shown.snoozed:
        return "snoozed"
    return f"you {100 * shown.share:.0f} %" if shown.share is not None else ""


def _connection_dot(shown: Shown, x: float, y: float) -> Dot:
    """The connection dot: filled during a call, a ring without one, grey without a hub."""
    match shown.connection:
        case "live":
            return Dot(x, y, 4, LIVE)
        case "waiting":
            return Dot(x, y, 3.25, LIVE, ring=1.5)
        case _:
            return Dot(x, y, 3.25, GREY, ring=1.5)


def _band(shown: Shown, side: ShownSide, name: Channel, y: float) -> Iterator[Part]:
    """One side's speech in the last half minute; now is at the right."""
    yield Box(BAND_LEFT, y, BAND_WIDTH, BAR, TRACK, BAR / 2)
    since = shown.now - BAND_SECONDS
    for start, end in side.speech:
        left = round(max(0.0, start - since) / BAND_SECONDS * BAND_WIDTH)
        right = round(min(BAND_SECONDS, end - since) / BAND_SECONDS * BAND_WIDTH)
        if right > left:
            fade = 0.4 if shown.down else 1.0
            yield Box(BAND_LEFT + left, y, right - left, BAR, SIDES[name], min(BAR, right - left) / 2, fade)


def _meter(side: ShownSide, name: Channel, y: float) -> Iterator[Part]:
    """The level against the speaker's baseline: the tick in the middle is normal, to the right is louder."""
    yield Box(METER_LEFT, y, METER_WIDTH, BAR, TRACK, BAR / 2)
    middle = METER_LEFT + METER_WIDTH / 2
    if side.level_db is not None:
        reach = round(max(-1.0, min(1.0, side.level_db / LOUDEST)) * METER_WIDTH / 2)
        fill = RAISED if side.level_db >= LOUD else SIDES[name]
        if reach:
            yield Box(min(middle, middle + reach), y, abs(reach), BAR, fill, min(BAR / 2, abs(reach) / 2))
    yield Box(middle - 0.5, y - 1, 1, BAR + 2, INK3)
