"""What a terminal shows of a call."""

from io import StringIO

import pytest
from rich.console import Console

from monitor.events import AlertOpened, AlertUpdated, CallEnded, Event, Quality, Silence
from monitor.sinks import Line
from monitor.sinks.console import ConsoleSink
from tests.alerts import made

HEARD = Quality.of("clipping", "agent", 2.0, detected_at=12.0)
OVER = Quality.of("clipping", "agent", 2.0, end=20.0, detected_at=20.0)
LATER = Silence(detected_at=24.0, start=20.0, end=24.0)


def ended(known: float) -> CallEnded:
    return CallEnded(
        detected_at=known, seconds=known, talk={}, overlap=0.0, silence=0.0, interruptions={}, alerts={}
    )


@pytest.mark.parametrize(
    ("events", "over"), [([HEARD, OVER, LATER, ended(24.0)], 1), ([HEARD, OVER, ended(20.0)], 0)]
)
def test_a_trouble_that_lasts_to_the_end_of_the_call_is_never_called_over(events: list[Event], over: int):
    shown = StringIO()
    sink = ConsoleSink(Console(file=shown, width=100))
    for number, event in enumerate(events, 1):
        sink.take([Line("c", number, event)])
    sink.close()
    assert shown.getvalue().count(HEARD.say) == 1
    assert shown.getvalue().count(OVER.say) == over


def shown(*events: Event) -> str:
    """What a pipe is told of these events, without the breaks of lines."""
    out = StringIO()
    sink = ConsoleSink(Console(file=out, width=200))
    sink.take([Line("c", number, event) for number, event in enumerate(events, 1)])
    sink.close()
    return " ".join(out.getvalue().split())


def test_an_alert_is_told_with_its_next_step_what_happened_and_the_advice():
    alert = made(AlertOpened, 61.0, card=False, withheld="waiting for a pause")
    assert shown(alert) == (
        f"◆ {alert.message} {alert.summary} {alert.rationale} "
        "interrupt.agent · 01:01 · no card: waiting for a pause"
    )


def test_praise_has_a_shape_of_its_own():
    assert shown(made(AlertOpened, 1.0, level="info", praise=True)).startswith("✓ ")
    assert shown(made(AlertOpened, 1.0, level="info")).startswith("● ")


def test_an_open_alert_is_told_again_when_it_is_more_serious_or_becomes_a_card():
    alert = made(AlertOpened, 61.0, card=False)
    graver = made(AlertUpdated, 70.0, level="critical", card=False)
    assert shown(alert, made(AlertUpdated, 65.0, card=False)) == shown(alert)
    assert shown(alert, graver).count("▲") == 1
    told = f"01:05 now on the agent's screen: {alert.message}"
    assert shown(alert, made(AlertUpdated, 65.0)).endswith(told)
