"""Lines of a rule's test that name what a detector found."""

import pytest

from monitor.errors import BadInput
from monitor.events import SpeechEnded
from monitor.rules.script import compile_script


def test_an_event_has_a_side_and_one_moment_or_two():
    script = compile_script(("event speech.ended caller 7-8.5", "event speech.ended agent 12"))
    assert [
        (one.channel, one.start, one.end, one.detected_at)
        for one in script.facts
        if isinstance(one, SpeechEnded)
    ] == [
        ("caller", 7.0, 8.5, 8.5),
        ("agent", 12.0, 12.0, 12.0),
    ]
    assert script.end == 17.0


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("event yodel caller 7", "names no event of a detector"),
        ("event floor caller 7", "names no event of a detector"),
        ("event raised_voice caller 7-9", "names no event of a detector"),
        ("event alert.opened caller 7", "names no event of a detector"),
        ("event utterance caller 7-9", "more than a side and times"),
        ("event speech.ended caller 9-7", "ends before it begins"),
        ("event speech.ended 7", "cannot be read"),
    ],
)
def test_what_no_detector_finds_is_refused(line: str, told: str):
    with pytest.raises(BadInput, match=told):
        compile_script((line,))
