"""The report's page: everything said is text, nothing is loaded, every link has its target."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from markupsafe import escape

from monitor.events import (
    AlertOpened,
    CallStarted,
    Event,
    EvidenceItem,
    Phrase,
    Quality,
    SpeechEnded,
    Utterance,
    Word,
)
from monitor.playback import replay_events
from monitor.review.page import report_page
from monitor.review.scorecard import scorecard
from monitor.review.sound import PIECE, pictures
from monitor.review.timeline_plot import APART, alert_rows
from monitor.sources.recording import open_recording
from tests.alerts import made

NASTY = "<script>alert(1)</script>"


class Seen(HTMLParser):
    """The tags, ids and addresses of a page, and whether its tags are balanced."""

    VOID = frozenset({"meta", "br", "hr", "img", "link", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.headings: list[int] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.addresses += [
            value for name, value in attrs if name in ("href", "src", "srcset", "action") and value
        ]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(page: str) -> Seen:
    seen = Seen()
    seen.feed(page)
    seen.close()
    assert seen.open == []
    return seen


@pytest.fixture(scope="module")
def page(project) -> str:
    events = replay_events([project / "fixtures/audio/difficult-call.flac"], model="script")
    return report_page(scorecard(events))


def test_the_page_loads_nothing_and_runs_nothing(page):
    seen = parsed(page)
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(seen.tags)
    assert all(address.startswith("#") for address in seen.addresses)
    assert "url(" not in page
    assert "default-src 'none'" in page


def test_every_link_has_one_target(page):
    seen = parsed(page)
    assert len(seen.ids) == len(set(seen.ids))
    assert {address[1:] for address in seen.addresses} <= set(seen.ids)


def test_headings_do_not_skip_a_level(page):
    headings = parsed(page).headings
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(headings))


def test_the_figures_of_the_card_stand_on_the_page(page, project):
    card = scorecard(replay_events([project / "fixtures/audio/difficult-call.flac"], model="script"))
    text = re.sub("<[^>]+>", "", page)
    assert f"{100 * card.talk_share['agent']:.0f} %" in text
    assert f"{card.interruptions['agent']} by agent" in text
    assert f"{card.promises_dated} of {len(card.promises)}" in text
    assert f"{card.feelings_met} of {len(card.feelings)}" in text


def test_the_sound_is_drawn_into_the_page_itself(project):
    path = project / "fixtures/audio/calm.wav"
    card = scorecard(replay_events([path]))
    recording = open_recording([path])
    sound = pictures(recording.blocks(PIECE), recording.rate, card.seconds)
    seen = parsed(report_page(card, sound))
    drawn = [address for address in seen.addresses if not address.startswith("#")]
    assert len(drawn) == 2
    assert all(address.startswith("data:image/png;base64,") for address in drawn)
    assert len(re.findall(r"\burl\(|https?:", report_page(card, sound))) == 0


def test_a_trouble_with_the_sound_stands_on_the_page_and_what_to_do_about_exchanged_sides():
    started = nasty_events()[0]
    quality = Quality(kind="swapped", channel=None, start=0.0, detected_at=9.0, say=f"Exchanged? {NASTY}")
    bleed = [Quality.of("crosstalk", "agent", 2.0, end=end, detected_at=5.0) for end in (None, 4.0)]
    card = scorecard([started, quality, *bleed])
    assert [(one.kind, one.start, one.end) for one in card.troubles] == [
        ("swapped", 0, None),
        ("crosstalk", 2, 4),
    ]
    page = report_page(card)
    parsed(page)
    assert page.count("Exchanged?") == 1
    assert page.count(str(escape(bleed[0].say))) == 1
    assert "<script" not in page


def nasty_events() -> list[Event]:
    words = tuple(
        Word(text=text, start=at, end=at + 0.4) for at, text in enumerate((NASTY, "I", "am", "sorry."))
    )
    text = " ".join(word.text for word in words)
    started = CallStarted(
        call=NASTY, sources=(NASTY,), rate=8000, band="narrow", model="base.en", rules_hash=NASTY,
        profile=NASTY, agent=NASTY, team=NASTY, notice=NASTY,
    )  # fmt: skip
    said = Utterance(
        detected_at=4.0, channel="agent", utterance=1, revision=1, start=0.0, end=4.0, text=text, words=words,
        final=True,
    )  # fmt: skip
    sorry = Phrase(detected_at=4.0, channel="agent", start=0.0, end=4.0, of="apology", text=text, utterance=1)
    texts = ("rule", "rule_hash", "title", "message", "summary", "rationale", "clears_when", "measure")
    alert = made(
        AlertOpened, 4.0, **dict.fromkeys(texts, NASTY), unit=NASTY, level="critical",
        card=False, withheld=NASTY,
        evidence=(EvidenceItem(start=1.0, end=2.0, text=NASTY), EvidenceItem(start=2.0, end=2.0, kind=NASTY)),
    )  # fmt: skip
    return [started, SpeechEnded(detected_at=4.0, channel="agent", start=0.0, end=4.0), said, sorry, alert]


def test_an_alert_is_told_by_its_title_what_happened_and_against_what():
    started = nasty_events()[0]
    alerts = [
        made(AlertOpened, 4.0, measure="talk_share", measured=0.72, threshold=0.65, comparison="more_than",
             unit="share"),
        made(AlertOpened, 5.0, alert="b", level="info", praise=True, title="Well done"),
    ]  # fmt: skip
    page = report_page(scorecard([started, *alerts]))
    for told in (
        alerts[0].title, f"“{alerts[0].message}”", f"{alerts[0].summary} {alerts[0].rationale}",
        "talk share <b>72 %</b>", "alert above 65 %", f"Clears when {alerts[0].clears_when}.",
    ):  # fmt: skip
        assert told in page
    assert page.count('<span class="level praise">') == 1


def test_a_caller_who_says_script_is_shown_as_text():
    page = report_page(scorecard(nasty_events()))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    parsed(page)


def test_an_empty_call_has_a_report_too():
    started = CallStarted(
        call="c", sources=(), rate=8000, band="narrow", model="none", rules_hash="", profile="default"
    )
    page = report_page(scorecard([started]))
    parsed(page)
    assert "No recogniser listened" in page


def test_alerts_that_stand_close_get_rows_of_their_own():
    assert alert_rows([0.0, APART - 1, APART + 1, 2 * APART]) == [0, 1, 0, 1]
    assert alert_rows([5.0, 5.0, 5.0]) == [0, 1, 2]
