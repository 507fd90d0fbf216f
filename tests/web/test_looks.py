"""Everybody can use the page: axe-core in both themes and on a phone; it fits; it stays quick."""

from collections.abc import Callable

import pytest

from monitor.events import EvidenceItem
from tests.web.browsing import Visit
from tests.web.calling import difficult, opened, said, spoke, voice
from tests.web.stage import Stage, started

pytestmark = pytest.mark.real
Open = Callable[..., Visit]
PHONE = {"width": 320, "height": 740}
"""As narrow as WCAG 1.4.10 asks for."""
SPACED = (
    "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }"
)
"""The text spacing of WCAG 1.4.12."""


@pytest.fixture
def busy(stage: Stage) -> Stage:
    """Three calls: one very difficult, one with a hint, one quiet."""
    for call, agent in (("c1", "Amira K."), ("c2", "Tom R."), ("c3", "Jo P.")):
        stage.say(call, started(call, agent, "Billing"), *spoke("agent", 1, 4), *spoke("caller", 3, 7))
    stage.say("c1", said(1, "caller", 1, "nobody does anything"), said(2, "agent", 4, "sorry so sorry"))
    stage.say("c1", said(3, "caller", 6, "so what are", final=False), difficult(7, 74))
    stage.say(
        "c1",
        opened(
            "apology.excess", 5, words=(EvidenceItem(start=4, end=5, channel="agent", text="sorry so sorry"),)
        ),
    )
    stage.say("c1", opened("caller.not_heard", 6, "critical"), opened("calm.credit", 7, "info"))
    stage.say("c2", opened("vent.hold", 5, "info"), difficult(5, 55))
    return stage


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", ["desk", "phone"])
def test_axe_finds_nothing_serious(visit: Open, busy: Stage, theme: str, width: str) -> None:
    size = {"viewport": PHONE} if width == "phone" else {}
    seen = visit(color_scheme=theme, **size)
    seen.wait_text("#rows .alerts", "Caller vents")
    assert seen.axe() == []
    seen.page.evaluate("location.hash = 'call=c1'")
    seen.wait_text(".said .alert .title", "Caller not heard")
    busy.say("c1", *(voice("caller", n / 10, 5, 3) for n in range(70, 90)))
    seen.wait_text(".plots .now", "caller: level +5.0 dB")
    assert seen.axe() == []
    wide = "document.documentElement.scrollWidth - innerWidth"
    assert seen.page.evaluate(wide) <= 0, "the page must not scroll sideways"
    seen.page.evaluate(ADOPT, SPACED)
    assert seen.page.evaluate(wide) <= 0, "nor with wider text"


ADOPT = """(text) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_every_target_is_large_enough_to_hit(visit: Open, busy: Stage, width: str) -> None:
    """WCAG 2.2, 2.5.8: 24 by 24 CSS pixels; axe looks at this only where targets lie close together."""
    seen = visit("#call=c1", **({"viewport": PHONE} if width == "phone" else {}))
    seen.wait_text(".said .alert .title", "Caller not heard")
    assert seen.page.evaluate(SMALL) == []
    if width == "phone":
        seen.page.keyboard.press("Escape")
        seen.page.get_by_role("button", name="Filters").click()
        seen.wait_text("#rows .alerts", "Caller vents")
        assert seen.page.evaluate(SMALL) == []


SMALL = """() => [...document.querySelectorAll("button, select, input, summary, .row:has(a)")]
    .filter(one => one.checkVisibility())
    .map(one => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
    .filter(([, box]) => box.width < 24 || box.height < 24)
    .map(([what, box]) => `${what} ${box.width}x${box.height}`)"""


def test_what_has_the_focus_is_never_hidden_behind_what_stays_in_place(visit: Open, stage: Stage) -> None:
    """WCAG 2.2, 2.4.11: the row that the keys reach stands clear of the heads of the columns."""
    for n in range(40):
        stage.say(f"c{n:02d}", started(f"c{n:02d}", f"Agent {n:02d}"))
    seen = visit()
    seen.wait("() => document.querySelectorAll('#rows .row').length === 40")
    for key in ("Tab", "Enter", "End", *["ArrowUp"] * 25):
        seen.page.keyboard.press(key)
        if key != "Tab":
            assert seen.page.evaluate(CLEAR), key


CLEAR = """() => {
  const row = document.activeElement.closest(".row").getBoundingClientRect();
  const heads = document.querySelector(".heads").getBoundingClientRect();
  return row.top >= heads.bottom - 1 && row.bottom <= innerHeight;
}"""


def test_the_theme_is_the_systems_until_it_is_chosen(visit: Open) -> None:
    seen = visit(color_scheme="dark")
    ground = "getComputedStyle(document.body).color"
    dark = seen.page.evaluate(ground)
    seen.page.get_by_role("button", name="Light theme").click()
    assert seen.page.evaluate(ground) != dark
    seen.page.reload()
    assert seen.page.evaluate(ground) != dark


def test_the_empty_and_the_token_state_have_nothing_serious_either(visit: Open) -> None:
    seen = visit()
    seen.wait_text("#state h2", "No calls just now")
    assert seen.axe() == []


def test_two_hundred_calls_are_all_there_and_go_on(visit: Open, stage: Stage) -> None:
    calls = [f"call-{n:03d}" for n in range(200)]
    for n, call in enumerate(calls):
        stage.say(call, started(call, f"Agent {n:03d}", "Billing"), *spoke("caller", 1, 4))
    seen = visit()
    seen.wait_text("#counts", "200 calls")
    seen.wait("() => document.querySelectorAll('#rows .row').length === 200")
    for call in calls:
        stage.say(call, voice("caller", 5.0), *spoke("agent", 5, 8))
    seen.wait_text("#rows .row:first-child .talk", "50 : 50")
    stage.say(calls[150], opened("caller.not_heard", 9, "critical"))
    seen.wait_text("#rows .row:first-child .who a", "Agent 150")  # help needed first
    seen.wait(
        "() => [...document.querySelectorAll('#rows .talk')].every(e => e.textContent.includes('50 : 50'))"
    )
