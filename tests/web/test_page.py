"""What a supervisor sees and does on the page, in a real browser against a real hub."""

from collections.abc import Callable

import msgspec
import pytest

from monitor.events import Event, EvidenceItem
from tests.overlay.desktop import until
from tests.web.browsing import Visit
from tests.web.calling import closed, difficult, opened, said, spoke, voice
from tests.web.stage import Stage, started

pytestmark = pytest.mark.real
Open = Callable[..., Visit]

LABELLED = "(text) => document.querySelector('#rows .voice canvas').getAttribute('aria-label').includes(text)"


def named(events: list[Event], call: str, agent: str) -> list[Event]:
    """A replayed call under another id, with an agent."""
    return [msgspec.structs.replace(events[0], call=call, agent=agent, team="Billing"), *events[1:]]


def test_a_call_grows_a_row_and_every_part_of_it(visit: Open, stage: Stage) -> None:
    seen = visit()
    seen.wait_text("#state h2", "No calls just now")
    stage.say("c1", started("c1", "Amira K.", "Billing"), *spoke("agent", 1, 4), *spoke("caller", 3, 6))
    stage.say("c1", difficult(6.5, 74), opened("apology.excess", 7))
    seen.wait_text(".row .who a", "Amira K.")
    seen.wait_text(".row .alerts", "Many apologies ×3")
    seen.wait_text(".row .hard", "▲ 74")
    seen.wait_text(".row .talk", "50 : 50")
    seen.wait_text("#counts", "1 call, 1 with a warning")
    seen.wait_text("#connection", "live")
    seen.wait_drawn("#rows .band canvas")
    for at in (7.2, 7.7):
        stage.say("c1", voice("caller", at, level=10 * (at - 7), pitch=4), voice("agent", at))
        seen.wait(LABELLED, f"caller: level +{10 * (at - 7):.1f} dB, pitch +4.0 semitones")
    seen.wait_drawn("#rows .voice canvas")
    stage.say("c1", closed("apology.excess", 8))
    seen.wait_text("#rows .alerts", "quiet")


def test_the_bundled_call_opens_to_its_transcript_plots_and_alerts(
    visit: Open, stage: Stage, difficult_call: list[Event]
) -> None:
    before = [event for event in difficult_call if event.detected_at <= 40]
    stage.say("d1", *named(before, "d1", "Amira K."))
    stage.answer("d1")
    seen = visit("#call=d1&role=agent")
    seen.wait_text(".said li", "Please let me finish!")
    seen.wait_text(".said .alert .title", "▲ Caller not heard")
    seen.wait_text(".said mark", "Please let me finish!")
    seen.wait_text(".said .evidence", "clears when the count is below 1")
    seen.wait_text(".call .parts", "anger 20")
    final = [event for event in before if event.name == "utterance" and event.final]  # type: ignore[attr-defined]
    assert len(seen.texts('.said li[data-kind="said"]')) == len(final)
    for event in (event for event in difficult_call if 40 < event.detected_at <= 43):
        stage.say("d1", event)
    seen.wait_text(".said li", "I can only tell")
    seen.wait("() => document.querySelectorAll('.plot canvas').length === 2")
    seen.wait_text(".plots .now", "agent: level")
    seen.wait_drawn(".plot .uplot:nth-child(1) canvas")
    seen.wait_drawn(".plot .uplot:nth-child(2) canvas")


def test_partial_words_are_grey_until_they_are_final(visit: Open, stage: Stage) -> None:
    stage.say("c1", started("c1", "Tom R."), said(1, "caller", 1, "so what are", final=False))
    seen = visit("#call=c1")
    seen.wait_text(".call h2", "Tom R.")
    until(lambda: stage.hub.listeners >= 2, "the list's and the call's lines")  # a partial is told only once
    stage.say("c1", said(1, "caller", 1, "so what are you going", final=False, revision=2))
    seen.wait_text(".said .partial", "so what are you going")
    stage.say("c1", said(1, "caller", 1, "so what are you going to do?", revision=3))
    seen.wait_text(".said p", "so what are you going to do?")
    assert seen.page.locator(".said .partial").count() == 0
    assert len(seen.texts('.said li[data-kind="said"]')) == 1


def test_markup_that_a_caller_says_is_text(visit: Open, stage: Stage) -> None:
    nasty = "<script>document.title='owned'</script> <img src=x onerror=alert(1)>"
    stage.say("c1", started("c1", "<b>Tom</b>", "<i>T</i>"), said(1, "caller", 1, nasty))
    stage.say("c1", opened("x.y", 3, words=(EvidenceItem(start=1, end=1.2, channel="caller", text=nasty),)))
    seen = visit("#call=c1")
    seen.wait_text('.said li[data-kind="said"]', nasty)
    seen.wait_text("#rows .who a", "<b>Tom</b>")
    assert seen.page.locator("main script, main img, main b:not(.side), main i:not(.bar i)").count() == 0
    assert "owned" not in seen.page.title()


def test_a_message_reaches_the_agent_and_its_arrival_is_shown(visit: Open, stage: Stage) -> None:
    stage.say("c1", started("c1", "Amira K."), said(1, "agent", 1, "one moment please"))
    stage.answer("c1")
    seen = visit("#call=c1")
    seen.wait_text(".said li", "one moment")
    seen.page.get_by_label("Message to the agent").fill("Offer the refund now")
    seen.page.get_by_role("button", name="Send").click()
    seen.wait_text(".message .arrived", "✓ Arrived at 00:12: “Offer the refund now”")
    seen.wait_text(".said .told", "Offer the refund now")
    assert [(call, order.kind, order.text) for call, order in stage.orders] == [
        ("c1", "message", "Offer the refund now")
    ]


def test_a_message_that_cannot_arrive_says_why(visit: Open, stage: Stage) -> None:
    stage.say("c1", started("c1", "Amira K."))
    seen = visit("#call=c1")
    seen.wait_text(".call h2", "Amira K.")
    seen.page.get_by_label("Message to the agent").fill("hello")
    seen.page.get_by_role("button", name="Send").click()
    seen.wait_text(".message .failed", "The monitor of this call is not connected just now.")


def test_alerts_are_acknowledged_and_called_wrong_in_place(visit: Open, stage: Stage) -> None:
    stage.say("c1", started("c1", "Amira K."), opened("apology.excess", 3), opened("lang.blame", 4))
    stage.answer("c1")
    seen = visit("#call=c1")
    seen.page.get_by_role("button", name="Acknowledge: Many apologies").click()
    seen.page.get_by_role("button", name="This is wrong: blaming words").click()
    seen.wait_text(".actions", "sent …")
    stage.say("c1", closed("apology.excess", 5, "acknowledged"), closed("lang.blame", 5, "wrong"))
    seen.wait_text(".alert.closed", "acknowledged 00:05")
    seen.wait_text(".alert.closed", "said to be wrong 00:05")
    assert {(order.kind, order.alert) for _, order in stage.orders} == {
        ("acknowledge", "apology.excess-1"), ("wrong", "lang.blame-1")}  # fmt: skip


def test_filters_narrow_the_list_and_live_in_the_address(visit: Open, stage: Stage) -> None:
    for call, agent, team in (
        ("c1", "Amira K.", "Billing"),
        ("c2", "Tom R.", "Billing"),
        ("c3", "Jo P.", "Sales"),
    ):
        stage.say(call, started(call, agent, team))
    stage.say("c1", opened("apology.excess", 3))
    stage.say("c3", opened("caller.not_heard", 3, "critical"), difficult(3, 80))
    seen = visit()
    names = "#rows .who a"
    seen.wait("() => document.querySelectorAll('#rows .row').length === 3")
    assert seen.texts(names) == ["Jo P.", "Amira K.", "Tom R."]  # help needed first
    seen.page.get_by_role("combobox", name="Team", exact=True).select_option("Billing")
    seen.wait("() => document.querySelectorAll('#rows .row').length === 2")
    seen.page.get_by_role("combobox", name="Level", exact=True).select_option("warn")
    seen.wait("() => document.querySelectorAll('#rows .row').length === 1")
    assert seen.texts(names) == ["Amira K."]
    assert "team=Billing" in seen.page.url
    assert "level=warn" in seen.page.url
    seen.page.get_by_role("combobox", name="Agent", exact=True).select_option("Tom R.")
    seen.wait_text("#state h2", "No call fits these filters")
    seen.page.get_by_role("button", name="Show every call").click()
    seen.wait("() => document.querySelectorAll('#rows .row').length === 3")
    seen.page.get_by_role("combobox", name="Rule", exact=True).select_option("caller.not_heard")
    seen.wait("() => document.querySelectorAll('#rows .row').length === 1")
    again = visit(seen.page.url.rpartition("/")[2])
    again.wait("() => document.querySelectorAll('#rows .row').length === 1")
    assert again.texts(names) == ["Jo P."]


def test_a_call_that_ends_says_so_and_takes_no_more_messages(
    visit: Open, stage: Stage, difficult_call: list[Event]
) -> None:
    stage.say("d1", *named(difficult_call, "d1", "Amira K."))
    seen = visit("#call=d1&role=agent")
    seen.wait_text(".facts", "Ended after 01:50")
    assert seen.page.get_by_label("Message to the agent").is_disabled()
    assert seen.page.locator(".actions").count() == 0
    seen.wait_text(".said .alert.closed", "open to the end")


def test_a_call_that_nobody_knows_is_said_to_be_unknown(visit: Open) -> None:
    seen = visit("#call=nowhere")
    seen.wait_text(".facts", "Nothing is known of this call here")


def test_everything_is_reached_by_keys(visit: Open, stage: Stage) -> None:
    for n in (1, 2, 3):
        stage.say(f"c{n}", started(f"c{n}", f"Agent {n}"), said(1, "caller", 1, f"words of call {n}"))
    stage.say("c1", opened("apology.excess", 3))
    stage.answer("c1")
    seen = visit()
    seen.wait("() => document.querySelectorAll('#rows .row').length === 3")
    keys = seen.page.keyboard
    keys.press("Tab")
    assert focused(seen) == "Skip to the calls"
    keys.press("Enter")
    assert focused(seen) == "Agent 1"
    keys.press("ArrowDown")
    keys.press("j")
    assert focused(seen) == "Agent 3"
    keys.press("k")
    keys.press("Home")
    assert focused(seen) == "Agent 1"
    keys.press("Enter")
    seen.wait_text(".said li", "words of call 1")
    seen.wait("() => document.querySelector('[aria-label=\"Acknowledge: Many apologies\"]')")
    assert focused(seen) == "Agent 1"  # the heading of the call
    reached = []
    for _ in range(8):
        keys.press("Tab")
        reached.append(seen.page.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert "Acknowledge: Many apologies" in reached
    assert "Message to the agent" in reached
    seen.page.get_by_label("Message to the agent").focus()
    keys.type("go on")
    keys.press("Escape")
    assert seen.page.get_by_label("Message to the agent").input_value() == "go on", (
        "a draft is not thrown away"
    )
    keys.press("Enter")
    seen.wait_text(".message .arrived", "go on")
    keys.press("Escape")
    assert seen.page.locator("#call").is_hidden()
    assert focused(seen) == "Agent 1"


def focused(seen: Visit) -> str:
    """The text of what has the focus."""
    return str(seen.page.evaluate("document.activeElement.textContent"))


def test_new_warnings_are_said_to_those_who_listen_and_sound_is_off(visit: Open, stage: Stage) -> None:
    stage.say("c1", started("c1", "Amira K."))
    seen = visit()
    seen.wait_text("#rows .who a", "Amira K.")
    stage.say("c1", opened("repeat.hint", 2, "info"), opened("caller.not_heard", 3, "critical"))
    seen.wait_text('#news[aria-live="polite"]', "Amira K.: critical, Caller not heard")
    assert "hint" not in seen.texts("#news")[0]
    button = seen.page.get_by_role("button", name="Sound")
    assert button.get_attribute("aria-pressed") == "false"


def test_the_page_forbids_everything_from_elsewhere(visit: Open) -> None:
    seen = visit()
    policy = seen.page.request.get(seen.page.url).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
