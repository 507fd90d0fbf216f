"""The layout, without a screen: levels differ in shape, nothing leaves the panel, the strip stays put."""

import pytest

from monitor.overlay.card import MOST_WHY, Card, shortened
from monitor.overlay.look import (
    CONTRAST,
    SHADE,
    SHADOW,
    STRIP,
    WIDTH,
    Box,
    Dot,
    DrawnShape,
    DrawnText,
    Picture,
    icon,
    in_contrast,
    picture,
)
from monitor.overlay.shown import Shown, ShownSide


def measure(text: str, size: float, _weight: int, width: float) -> float:
    """Text of a font whose letters are all half as wide as high."""
    lines = -(-len(text) * size / 2 // width)
    return max(1.0, lines) * size * 1.3


def drawn(kind: str = "warn", *, fade: float = 1.0, top: bool = False, **shown) -> Picture:
    card = Card(kind, "Let them land the sentence.", "You came in twice.", 10.0, "a1")
    state = Shown(**{"connection": "live", "call": "c", "now": 61.0, **shown})
    return picture(state, measure, card=card, fade=fade, why=1.0, top=top)


def outline(kind: str) -> tuple:
    """The kind of parts of an icon and how many corners each has."""
    return tuple((type(part), len(getattr(part, "points", ()))) for part in icon(kind, 0, 0, 15))


def test_levels_differ_in_shape_and_not_only_in_colour():
    outlines = {kind: outline(kind) for kind in ("info", "warn", "critical", "praise")}
    assert len(set(outlines.values())) == 4
    assert outlines["warn"][0] == (DrawnShape, 4)
    assert outlines["critical"][0] == (DrawnShape, 3)


@pytest.mark.parametrize("top", [False, True])
@pytest.mark.parametrize("fade", [0.05, 0.5, 1.0])
def test_nothing_but_a_fading_card_leaves_the_panel(top, fade):
    panel = drawn(fade=fade, top=top)
    for part in panel.parts:
        if isinstance(part, Box) and part.colour != SHADOW:
            assert 0 <= part.x <= part.x + part.width <= WIDTH
            assert -0.01 <= part.y <= part.y + part.height <= panel.height + 0.01
        if isinstance(part, DrawnText):
            assert part.x + part.width <= WIDTH


def test_the_strip_stands_at_the_edge_of_the_screen():
    clock = next(
        part for part in drawn(top=True).parts if isinstance(part, DrawnText) and part.text == "01:01"
    )
    assert clock.y == 0
    below = drawn(top=False)
    clock = next(part for part in below.parts if isinstance(part, DrawnText) and part.text == "01:01")
    assert clock.y + STRIP == pytest.approx(below.height)


def test_a_longer_text_makes_a_taller_card():
    shown = Shown(connection="live", call="c")
    short, long = (
        picture(shown, measure, card=Card("warn", "Go.", why, 0.0), fade=1.0, why=1.0, top=False).height
        for why in ("Short.", "A much longer reason that needs more than a line. " * 3)
    )
    assert long > short > STRIP


def test_without_a_card_only_the_strip_is_there():
    rest = picture(Shown(connection="live", call="c"), measure, card=None, fade=0.0, why=0.0, top=False)
    assert rest.height == STRIP


def test_the_dot_tells_the_line_by_shape_too():
    dots = {}
    for connection in ("lost", "waiting", "live"):
        strip = picture(Shown(connection=connection), measure, card=None, fade=0.0, why=0.0, top=False)
        dots[connection] = next(part for part in strip.parts if isinstance(part, Dot))
    assert dots["live"].ring == 0
    assert dots["waiting"].ring > 0
    assert dots["waiting"].colour != dots["lost"].colour


def test_without_a_hub_the_strip_says_so():
    strip = picture(Shown(), measure, card=None, fade=0.0, why=0.0, top=False)
    assert [part.text for part in strip.parts if isinstance(part, DrawnText)] == ["No hub yet – trying"]


def test_the_strip_says_when_the_line_is_lost_or_cards_are_snoozed():
    def words(**shown) -> list[str]:
        strip = picture(Shown(call="c", **shown), measure, card=None, fade=0.0, why=0.0, top=False)
        return [part.text for part in strip.parts if isinstance(part, DrawnText)]

    assert words(connection="lost", share=0.4) == ["00:00", "no line"]
    assert words(connection="refused", share=0.4) == ["00:00", "not let in"]
    assert words(connection="live", share=0.4, snoozed=True) == ["00:00", "snoozed"]
    assert words(connection="live", share=0.4) == ["00:00", "you 40 %"]


def test_a_long_text_is_set_smaller_and_a_long_reason_is_cut_at_a_word():
    sizes = [
        part.size
        for say in ("Go.", "A long word from the supervisor. " * 4)
        for part in picture(
            Shown(), measure, card=Card("message", say, "", 0.0), fade=1, why=1, top=False
        ).parts
        if isinstance(part, DrawnText) and part.text == say
    ]
    assert sizes[1] < sizes[0]
    cut = shortened("one two " * 40)
    assert len(cut) <= MOST_WHY + 2
    assert cut.endswith(("two …", "one …"))


def test_a_louder_voice_reaches_further_to_the_right_and_warns():
    def meters(level: float) -> list[Box]:
        sides = {"caller": ShownSide(level_db=level), "agent": ShownSide()}
        bare = picture(Shown(connection="live", call="c"), measure, card=None, fade=0, why=0, top=False).parts
        shown = picture(
            Shown(connection="live", call="c", sides=sides), measure, card=None, fade=0, why=0, top=False
        )
        return [part for part in shown.parts if part not in bare]

    (soft,), (normal,), (loud,) = meters(-4.0), meters(4.0), meters(9.0)
    assert soft.x + soft.width <= normal.x
    assert normal.x == loud.x
    assert loud.width > normal.width
    assert loud.colour != normal.colour


def test_the_shadow_stays_within_the_window():
    panel = drawn()
    shadows = [part for part in panel.parts if isinstance(part, Box) and part.colour == SHADOW]
    assert shadows
    for part in shadows:
        assert -SHADE <= part.x <= part.x + part.width <= WIDTH + SHADE
        assert -SHADE <= part.y <= part.y + part.height <= panel.height + SHADE


def test_in_contrast_words_are_white_on_black_and_the_shapes_are_the_same():
    plain = drawn()
    strong = in_contrast(plain)
    assert [type(part) for part in strong.parts] == [type(part) for part in plain.parts]
    words = {part.colour for part in strong.parts if isinstance(part, DrawnText) and part.text != "!"}
    assert words == {"#ffffffff"}
    assert not {part.colour for part in strong.parts} & set(CONTRAST)
