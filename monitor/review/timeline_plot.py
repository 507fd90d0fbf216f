"""Draws the timeline of a call as one inline SVG: alerts, speech, level, pitch and spectrograms.

This module computes the shapes; the template writes them as markup. Colours are CSS classes of the page, so
that the picture follows the light or dark theme. Each mark has a title, and alerts link to their place in the
page.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from monitor.events import CHANNELS, Channel
from monitor.review.notes import clock_text
from monitor.review.scorecard import AlertKind, AlertStory, Curve, Point, Scorecard
from monitor.review.sound import Spectrogram

WIDTH, GUTTER, RIGHT = 1120.0, 108.0, 14.0
LANE, LANE_GAP = 20.0, 6.0
MARK = 8.0
PLOT, PLOT_GAP = 104.0, 26.0
SOUND, SOUND_GAP = 64.0, 8.0
INKS: dict[Channel, tuple[int, int, int]] = {"agent": (63, 143, 208), "caller": (168, 108, 199)}
"""Colours of the spectrograms, visible on the light and on the dark page."""
LEVEL_REACH, LEVEL_NORMAL = 16.0, 3.0
"""Decibels against the speaker's baseline: the range of the plot, and the band drawn as normal."""
PITCH_REACH, PITCH_NORMAL = 12.0, 2.0
"""The same in semitones."""
APART = 17.0
"""Least distance in units of two alerts in the same row."""

STEPS = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)
MOST_TICKS = 12


class Shape(NamedTuple):
    """An SVG element: its tag, attributes, title, text, and the elements inside it."""

    tag: str
    attributes: dict[str, str]
    title: str = ""
    text: str = ""
    inside: tuple["Shape", ...] = ()


ALERT_SHAPES: dict[AlertKind, Shape] = {
    "info": Shape("circle", {"r": "5.5"}),
    "warn": Shape("path", {"d": "M0-7.5 7.5 0 0 7.5-7.5 0Z"}),
    "critical": Shape("path", {"d": "M0-7.5 7.5 6H-7.5Z"}),
    "praise": Shape("path", {"d": "M-7 .5-4.5-2-1.5 1 4.5-5 7-2.5-1.5 6Z"}),
}

Scale = Callable[[float], float]


def timeline_plot(card: Scorecard, sound: Mapping[Channel, Spectrogram] | None = None) -> Shape:
    """Builds the SVG element; ``sound`` adds the spectrograms of the sides that it contains."""
    span = max(card.seconds, 1e-3)
    parts: list[Shape] = []

    def x(at: float) -> float:
        return GUTTER + (WIDTH - GUTTER - RIGHT) * min(max(at / span, 0.0), 1.0)

    rows = alert_rows([x(story.opened) for story in card.alerts])
    y = 14.0
    parts += _alerts(card.alerts, rows, x, y)
    y += 18.0 * (max(rows, default=0) + 1) + 6.0
    if card.marks:
        parts += _marks(card, x, y)
        y += MARK + PLOT_GAP / 2
    parts += _speech(card, x, y)
    y += 2 * LANE + LANE_GAP + PLOT_GAP
    for title, reach, normal, unit, value in (
        ("Level", LEVEL_REACH, LEVEL_NORMAL, "dB", _level),
        ("Pitch", PITCH_REACH, PITCH_NORMAL, "st", _pitch),
    ):
        parts += _against_normal(title, unit, reach, normal, card.curves, value, x, y)
        y += PLOT + PLOT_GAP
    if sound:
        parts += _sound(card, sound, x, y)
        y += len(sound) * (SOUND + SOUND_GAP) - SOUND_GAP + PLOT_GAP
    bottom = y - PLOT_GAP + 8
    grid, labels = _axis(card.seconds, x, bottom)
    height = bottom + 24
    summary = (
        f"Timeline of {clock_text(card.seconds)}: alerts, speech of both sides, level and pitch against each "
        "speaker's own normal. The tables and the transcript below say the same in words."
    )
    attributes = {
        "class": "timeline",
        "viewBox": f"0 0 {WIDTH:.0f} {height:.0f}",
        "role": "img",
        "aria-label": summary,
    }
    return Shape("svg", attributes, inside=(*grid, *parts, *labels))


def alert_rows(places: Sequence[float]) -> list[int]:
    """The row of each alert, so that neighbours do not cover each other."""
    ends: list[float] = []
    rows = []
    for place in places:
        row = next((row for row, end in enumerate(ends) if place - end >= APART), len(ends))
        ends[row:] = [place, *ends[row + 1 :]]
        rows.append(row)
    return rows


def _alerts(stories: Sequence[AlertStory], rows: Sequence[int], x: Scale, y: float) -> Iterator[Shape]:
    yield _label("Alerts", y + 4)
    for number, (story, row) in enumerate(zip(stories, rows, strict=True), 1):
        title = f"{clock_text(story.opened)} {story.kind}: {story.event.message}"
        place = f"translate({x(story.opened):.1f} {y + 18 * row:.1f})"
        mark = {"class": f"mark {story.kind}", "transform": place}
        inside = Shape("g", mark, title, inside=(ALERT_SHAPES[story.kind],))
        yield Shape("a", {"href": f"#alert-{number}", "aria-label": title}, inside=(inside,))


def _marks(card: Scorecard, x: Scale, y: float) -> Iterator[Shape]:
    """The marks other than speech: raised voices, holds, and other detector events."""
    yield _label("Found", y + MARK)
    for mark in card.marks:
        end = card.seconds if mark.end is None else mark.end
        of = f" of the {mark.channel}" if mark.channel else ""
        title = f"{clock_text(mark.start)} to {clock_text(end)} {mark.name.replace('_', ' ')}{of}"
        width = max(x(end) - x(mark.start), 2.0)
        yield _box(f"found {mark.channel or 'both'}", x(mark.start), y, width, MARK, title)


def _speech(card: Scorecard, x: Scale, y: float) -> Iterator[Shape]:
    tops: dict[Channel, float] = {"agent": y, "caller": y + LANE + LANE_GAP}
    for side, top in tops.items():
        yield _label(side.capitalize(), top + LANE / 2 + 4, side)
        yield _box("lane", x(0), top, x(card.seconds) - x(0), LANE)
        for span in card.speech[side]:
            title = f"{side} speaks {clock_text(span.start)} to {clock_text(span.end)}"
            yield _box(f"talk {side}", x(span.start), top, x(span.end) - x(span.start), LANE, title)
    for overlap in card.overlaps:
        kind = overlap.kind.replace("_", " ")
        title = f"{clock_text(overlap.start)} {kind} by the {overlap.by}, {overlap.seconds:g} s"
        left, width = x(overlap.start), x(overlap.end) - x(overlap.start)
        yield _box("both", left, y, width, 2 * LANE + LANE_GAP, title)
    for cut in card.cut_ins:
        at, top = x(cut.start), tops[cut.by]
        edge, tip = (top + LANE + 9, top + LANE + 1) if cut.by == "caller" else (top - 9, top - 1)
        title = f"{clock_text(cut.at)} the {cut.by} cut the {cut.of} off"
        arrow = f"M{at - 5:.1f} {edge:.1f}h10L{at:.1f} {tip:.1f}Z"
        yield _path("cut", arrow, title)


def _against_normal(
    title: str,
    unit: str,
    reach: float,
    normal: float,
    curves: dict[Channel, Curve],
    value: Callable[[Point], float | None],
    x: Scale,
    top: float,
) -> Iterator[Shape]:
    def y(shift: float) -> float:
        return top + PLOT / 2 - PLOT / 2 * min(max(shift / reach, -1.0), 1.0)

    left, width = GUTTER, WIDTH - GUTTER - RIGHT
    yield _label(title, top + 10)
    yield _text("unit", 0, top + 25, f"{unit} against")
    yield _text("unit", 0, top + 38, "own normal")
    yield _box("frame", left, top, width, PLOT)
    yield _box("normal", left, y(normal), width, y(-normal) - y(normal))
    for shift in (reach / 2, 0.0, -reach / 2):
        yield _path("zero" if shift == 0 else "rule", f"M{left} {y(shift):.1f}h{width}")
        yield _text("tick end", left - 6, y(shift) + 3.5, f"{shift:+.0f}" if shift else "0")
    for side in reversed(CHANNELS):
        for run in _runs(curves[side], value):
            points = [(x(at), y(shift)) for at, shift in run]
            line = "L".join(f"{px:.1f} {py:.1f}" for px, py in points)
            # A line through one point would be invisible, so a dash of the length of its interval is drawn.
            yield _path(f"curve {side}", f"M{line}{'h3' if len(points) == 1 else ''}")


def _sound(card: Scorecard, sound: Mapping[Channel, Spectrogram], x: Scale, top: float) -> Iterator[Shape]:
    """The spectrograms, the agent's first, as in the lanes of speech."""
    for side in (side for side in CHANNELS if side in sound):
        picture = sound[side]
        title = f"Spectrogram of the {side}: {picture.lowest:.0f} to {picture.highest:.0f} Hz"
        width = x(picture.loud.shape[1] * picture.step) - x(0)
        yield _label("Sound", top + 12)
        yield _label(side.capitalize(), top + 27, side)
        yield _text("unit", 0, top + 42, f"to {picture.highest / 1000:.1f} kHz")
        yield _box("lane", x(0), top, x(card.seconds) - x(0), SOUND)
        image = {
            "x": f"{x(0):.1f}",
            "y": f"{top:.1f}",
            "width": f"{width:.1f}",
            "height": f"{SOUND:.1f}",
            "preserveAspectRatio": "none",
            "href": picture.png(INKS[side]),
        }
        yield Shape("image", image, title)
        top += SOUND + SOUND_GAP


def _runs(curve: Curve, value: Callable[[Point], float | None]) -> Iterator[list[tuple[float, float]]]:
    """The curve's points as polylines, interrupted where the side was silent."""
    run: list[tuple[float, float]] = []
    for point in curve.points:
        shift = value(point)
        if shift is None:
            continue
        if run and point.at - run[-1][0] > 2.2 * curve.step:
            yield run
            run = []
        run.append((point.at, shift))
    if run:
        yield run


def _axis(seconds: float, x: Scale, bottom: float) -> tuple[list[Shape], list[Shape]]:
    step = next((step for step in STEPS if seconds / step <= MOST_TICKS), STEPS[-1])
    grid, labels = [], []
    for at in range(0, int(seconds) + 1, step):
        grid.append(_path("grid", f"M{x(at):.1f} 4V{bottom:.1f}"))
        labels.append(_text("tick mid", x(at), bottom + 15, clock_text(at)))
    return grid, labels


def _level(point: Point) -> float | None:
    return point.level_db


def _pitch(point: Point) -> float | None:
    return point.pitch_st


def _label(text: str, y: float, kind: str = "") -> Shape:
    return _text(f"label {kind}".strip(), 0, y, text)


def _text(kind: str, x: float, y: float, text: str) -> Shape:
    return Shape("text", {"class": kind, "x": f"{x:.1f}", "y": f"{y:.1f}"}, text=text)


def _path(kind: str, line: str, title: str = "") -> Shape:
    return Shape("path", {"class": kind, "d": line}, title)


def _box(kind: str, x: float, y: float, width: float, height: float, title: str = "") -> Shape:
    sizes = {"x": x, "y": y, "width": max(width, 0.8), "height": height, "rx": min(3.0, width / 2)}
    return Shape("rect", {"class": kind} | {name: f"{size:.1f}" for name, size in sizes.items()}, title)
