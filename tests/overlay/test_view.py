"""What the agent sees, event by event; call time is the only clock."""

import pytest

from monitor.config import RulesSettings
from monitor.events import (
    AlertClosed,
    AlertOpened,
    AlertUpdated,
    CallEnded,
    CallStarted,
    CommandApplied,
    Event,
    OpenCall,
    Prosody,
    Snapshot,
    SpeechEnded,
    SpeechStarted,
)
from monitor.overlay.card import CARD_SECONDS, CARD_WAIT
from monitor.overlay.shown import BAND_SECONDS, Shown
from monitor.overlay.view import View
from tests.alerts import made

CALL = "c"


def alert(number: int, at: float, kind: type = AlertOpened, **fields) -> Event:
    given = {"alert": f"a{number}", "message": f"Say {number}.", "summary": "Twice.", "to": ("agent",)}
    return made(kind, at, **{**given, **fields})


def started(call: str = CALL) -> CallStarted:
    return CallStarted(
        call=call, sources=(), rate=8000, band="narrow", model="none", rules_hash="", profile="default"
    )


def seen(*events: Event, until: float | None = None) -> View:
    view = View()
    view.connected()
    view.take(CALL, started())
    for event in events:
        view.take(CALL, event)
    if until is not None:
        view.advance(until)
    return view


def card(shown: Shown) -> str | None:
    return shown.card.say if shown.card else None


def test_a_card_is_shown_at_once_and_goes_after_its_time():
    view = seen(alert(1, 10.0))
    assert card(view.shown) == "Say 1."
    view.advance(17.9)
    assert card(view.shown) == "Say 1."
    view.advance(18.0)
    assert card(view.shown) is None


def test_the_screen_keeps_the_times_of_the_core():
    settings = RulesSettings()
    assert (settings.card_seconds, settings.card_wait) == (CARD_SECONDS, CARD_WAIT)


def test_the_reason_comes_a_little_later_and_is_what_happened():
    view = seen(alert(1, 10.0))
    assert not view.shown.why
    view.advance(10.8)
    assert view.shown.why
    assert view.shown.card.why == "Twice."


def test_an_alert_that_the_core_held_back_is_no_card():
    assert card(seen(alert(1, 10.0, card=False)).shown) is None


def test_an_alert_for_supervisors_alone_is_no_card():
    assert card(seen(alert(1, 10.0, to=("supervisor",))).shown) is None


def test_a_held_back_alert_becomes_a_card_when_the_core_says_so():
    view = seen(alert(1, 10.0, card=False), alert(1, 12.0, AlertUpdated))
    assert card(view.shown) == "Say 1."


def test_a_card_waits_while_the_agent_speaks_and_comes_at_the_pause():
    view = seen(SpeechStarted(detected_at=9.0, channel="agent", at=8.8), alert(1, 10.0))
    assert card(view.shown) is None
    view.take(CALL, SpeechEnded(detected_at=14.0, channel="agent", start=8.8, end=13.7))
    assert card(view.shown) == "Say 1."


def test_a_card_that_found_no_pause_for_long_is_dropped():
    view = seen(SpeechStarted(detected_at=9.0, channel="agent", at=8.8), alert(1, 10.0), until=31.0)
    view.take(CALL, SpeechEnded(detected_at=32.0, channel="agent", start=8.8, end=31.7))
    assert card(view.shown) is None


def test_something_critical_does_not_wait_and_takes_the_place_of_a_hint():
    view = seen(SpeechStarted(detected_at=9.0, channel="agent", at=8.8), alert(1, 10.0, level="critical"))
    assert card(view.shown) == "Say 1."
    view = seen(alert(1, 10.0, level="info"), alert(2, 11.0, level="critical"))
    assert card(view.shown) == "Say 2."


def test_one_card_at_a_time():
    view = seen(alert(1, 10.0), alert(2, 11.0))
    assert card(view.shown) == "Say 1."
    view.advance(18.1)
    assert card(view.shown) == "Say 2."


def test_an_acknowledged_alert_goes_at_once_a_cleared_one_softly():
    closed = alert(1, 10.5, AlertClosed, reason="acknowledged")
    assert card(seen(alert(1, 10.0), closed).shown) is None
    view = seen(alert(1, 10.0), alert(1, 10.5, AlertClosed, reason="cleared"))
    assert card(view.shown) == "Say 1."
    view.advance(12.6)
    assert card(view.shown) is None


def test_an_alert_that_closed_while_it_waited_is_never_shown():
    view = seen(SpeechStarted(detected_at=9.0, channel="agent", at=8.8), alert(1, 10.0),
                alert(1, 11.0, AlertClosed, reason="cleared"),
                SpeechEnded(detected_at=14.0, channel="agent", start=8.8, end=13.7))  # fmt: skip
    assert card(view.shown) is None


def test_an_alert_that_is_still_open_leaves_its_shape_on_the_strip():
    view = seen(alert(1, 10.0), until=30.0)
    assert card(view.shown) is None
    assert view.shown.open_card.kind == "warn"
    view.take(CALL, alert(1, 31.0, AlertClosed, reason="cleared"))
    assert view.shown.open_card is None


def test_praise_has_a_kind_of_its_own():
    assert seen(alert(1, 10.0, level="info", praise=True)).shown.card.kind == "praise"


def test_a_supervisors_words_are_quoted_with_who_and_when():
    view = seen(CommandApplied(detected_at=74.0, at=74.0, kind="message", text="Refund is fine.", by="Dana"))
    assert (card(view.shown), view.shown.card.why) == ("“Refund is fine.”", "From Dana, 01:14")


def test_a_supervisors_words_are_not_lost_in_a_long_speech():
    speaks = SpeechStarted(detected_at=9.0, channel="agent", at=8.8)
    view = seen(
        speaks, CommandApplied(detected_at=10.0, at=10.0, kind="message", text="Go ahead."), until=29.0
    )
    assert card(view.shown) is None
    view.advance(30.5)
    assert card(view.shown) == "“Go ahead.”"


def test_talk_share_is_that_of_the_speech_so_far():
    view = seen(SpeechEnded(detected_at=5.0, channel="agent", start=1.0, end=4.0))
    assert view.shown.share is None
    view.take(CALL, SpeechEnded(detected_at=20.0, channel="caller", start=6.0, end=15.0))
    assert view.shown.share == pytest.approx(0.25)


def test_the_bands_show_the_last_half_minute_and_who_speaks_now():
    view = seen(SpeechEnded(detected_at=5.0, channel="agent", start=1.0, end=4.0),
                SpeechStarted(detected_at=40.0, channel="caller", at=39.5), until=42.0)  # fmt: skip
    assert view.shown.sides["agent"].speech == ()
    assert view.shown.sides["caller"].speech == ((39.5, 42.0),)
    assert view.shown.sides["caller"].speaks
    assert BAND_SECONDS < 42.0 - 4.0


def test_a_level_is_shown_against_normal_and_not_after_the_voice_has_gone():
    view = seen(Prosody(detected_at=5.0, channel="caller", at=4.9, level_dbfs=-20.0, level_db=7.5))
    assert view.shown.sides["caller"].level_db == 7.5
    view.advance(6.0)
    assert view.shown.sides["caller"].level_db is None


def test_after_a_broken_line_the_snapshot_tells_what_is_open():
    view = seen(alert(1, 10.0))
    view.lost()
    assert view.shown.connection == "lost"
    hint, warning = alert(2, 20.0, level="info"), alert(3, 22.0)
    open_call = OpenCall(call=CALL, agent=None, team=None, seconds=50.0, alerts=(hint, warning))
    view.take("hub", Snapshot(sequence=9, calls=(open_call,)))
    assert view.shown.connection == "live"
    assert (view.shown.now, card(view.shown)) == (50.0, "Say 3.")


def test_a_supervisors_words_said_while_the_line_was_down_are_shown_when_it_is_back():
    view = seen(alert(1, 10.0), until=12.0)
    view.lost()
    view.connected(resumed=True)
    view.take(
        CALL, CommandApplied(detected_at=14.0, at=14.0, kind="message", text="Refund is fine.", by="Dana")
    )
    view.take(CALL, SpeechEnded(detected_at=60.0, channel="caller", start=50.0, end=59.0))
    assert card(view.shown) == "Say 1."  # nothing changes on the screen until all that was missed is told
    view.caught_up()
    assert (card(view.shown), view.shown.now) == ("“Refund is fine.”", 60.0)


def test_of_what_was_missed_only_the_gravest_that_is_still_open_is_shown():
    view = seen(alert(1, 10.0), until=30.0)
    view.lost()
    view.connected(resumed=True)
    for event in (alert(2, 31.0, level="critical"), alert(3, 32.0), alert(4, 33.0, level="info"),
                  alert(2, 40.0, AlertClosed, reason="cleared")):  # fmt: skip
        view.take(CALL, event)
    view.take(CALL, Prosody(detected_at=90.0, channel="caller", at=90.0, level_dbfs=-20.0))
    assert card(view.shown) == "Say 3."
    view.advance(98.5)
    assert card(view.shown) is None, "the others are over, and what was open before has been shown before"


def test_a_line_that_breaks_while_it_catches_up_forgets_nothing():
    view = seen(until=10.0)
    view.lost()
    view.connected(resumed=True)
    view.take(CALL, alert(1, 12.0))
    view.lost()
    view.connected(resumed=True)
    view.caught_up()
    assert card(view.shown) == "Say 1."


def test_a_card_goes_after_its_time_also_while_the_line_is_down():
    view = seen(alert(1, 10.0))
    view.lost()
    assert view.talks
    view.advance(18.1)
    assert card(view.shown) is None
    assert not view.talks


def test_of_several_calls_the_youngest_is_shown():
    view = View()
    calls = tuple(
        OpenCall(call=name, agent=None, team=None, seconds=at) for name, at in (("old", 300.0), ("new", 9.0))
    )
    view.take("hub", Snapshot(sequence=1, calls=calls))
    assert view.shown.call == "new"
    view.take("old", alert(1, 301.0))
    assert card(view.shown) is None
    view.take("next", started("next"))
    assert view.shown.call == "next"


def test_when_the_call_ends_nothing_of_it_stays():
    ended = CallEnded(
        detected_at=60.0, seconds=60.0, talk={}, overlap=0.0, silence=0.0, interruptions={}, alerts={}
    )
    view = seen(alert(1, 59.0), ended)
    assert view.shown == Shown(connection="waiting")
    assert not view.talks
    assert view.order("acknowledge") is None


def test_orders_are_about_the_card_on_the_screen_or_the_one_still_open():
    view = seen(alert(1, 10.0))
    assert view.order("wrong")[1].alert == "a1"
    view.advance(30.0)
    call, order = view.order("acknowledge")
    assert (call, order.kind, order.alert) == (CALL, "acknowledge", "a1")
    assert view.order("snooze")[1].seconds == 300.0


def test_a_snooze_is_shown_while_it_lasts():
    view = seen(CommandApplied(detected_at=10.0, at=10.0, kind="snooze", seconds=300.0))
    assert view.shown.snoozed
    view.advance(310.0)
    assert not view.shown.snoozed


def test_a_screen_reader_hears_the_level_the_step_and_the_reason():
    assert seen(alert(1, 10.0, level="critical")).shown.card.spoken == "Critical: Say 1. Twice."


def test_who_listens_instead_of_looking_finds_how_the_call_stands():
    view = View()
    assert view.shown.spoken == "No hub yet – trying"
    view.connected()
    assert view.shown.spoken == "Waiting for a call"
    view = seen(
        alert(1, 10.0, level="info"), SpeechEnded(detected_at=20.0, channel="agent", start=2.0, end=19.0)
    )
    view.advance(30.0)
    assert view.shown.spoken == "A call is heard; you speak 100 % of the time; still open: Say 1."
    view.lost()
    assert view.shown.spoken.startswith("The line to the hub is lost")


def joined(*messages: CommandApplied, call: str = CALL) -> View:
    view = View()
    view.connected()
    open_call = OpenCall(
        call=call,
        agent=None,
        team=None,
        seconds=100.0,
        talk={"agent": 30.0, "caller": 10.0},
        messages=messages,
    )
    view.take("hub", Snapshot(sequence=1, calls=(open_call,)))
    return view


def words_of_a_supervisor(at: float) -> CommandApplied:
    return CommandApplied(detected_at=at, at=at, kind="message", text="Refund is fine.")


def test_an_overlay_that_has_just_come_shows_what_a_supervisor_said_a_moment_ago():
    assert card(joined(words_of_a_supervisor(80.0)).shown) == "“Refund is fine.”"
    assert card(joined(words_of_a_supervisor(20.0)).shown) is None


def test_the_snapshot_tells_how_long_each_side_has_talked():
    assert joined().shown.share == 0.75
