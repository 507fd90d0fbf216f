"""What a terminal shows of a call."""

from io import StringIO

import pytest
from rich.console import Console

from monitor.events import CallEnded, Event, Quality, Silence
from monitor.sinks import Line
from monitor.sinks.console import ConsoleSink

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
