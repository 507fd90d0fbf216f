"""Outcomes of expectations, as events and as counts for the scores."""

from collections import Counter
from collections.abc import Iterable, Iterator

from monitor.events import Channel, Event, Expectation
from monitor.judge.engine import RuleInstance
from monitor.rules.expectation import ExpectationTrigger, JudgedExpectation
from monitor.timeline import Mark, Timeline, seconds

VOICE_MOMENTS = ("raised", "raised_voice", "calmed", "mirrored")
"""Cues and answers that describe how a voice sounds."""


MOST_ANSWERS = 6


class ExpectationLog:
    """Collects the outcomes from the triggers. ``kept`` and ``broken`` count by rule over the whole call."""

    def __init__(
        self, watches: Iterable[RuleInstance], line: Timeline, *, hide_agent_voice: bool = False
    ) -> None:
        self._line = line
        self._triggers = [
            (watch, watch.trigger) for watch in watches if isinstance(watch.trigger, ExpectationTrigger)
        ]
        self._hidden: Channel | None = "agent" if hide_agent_voice else None
        self.kept: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()

    def take(self) -> list[Event]:
        """The events of the outcomes since the last call of this method."""
        return [
            event
            for watch, trigger in self._triggers
            if trigger.judged
            for event in self._told(watch, trigger)
        ]

    def _told(self, watch: RuleInstance, trigger: ExpectationTrigger) -> Iterator[Event]:
        judged, trigger.judged = trigger.judged, []
        for one in judged:
            event = self._event(watch, trigger, one)
            self.kept[event.rule] += event.outcome == "kept"
            self.broken[event.rule] += event.outcome == "broken"
            if not watch.rule.private and not self._is_hidden(one):
                yield event

    def _event(self, watch: RuleInstance, trigger: ExpectationTrigger, one: JudgedExpectation) -> Expectation:
        deaf = any(self._line.troubled(("dead_channel",), side) for side in sorted(trigger.expected))
        return Expectation(
            detected_at=seconds(self._line.now),
            rule=watch.rule.rule,
            outcome="unheard" if deaf and not one.answers else one.outcome,
            channel=one.cue.channel,
            start=seconds(one.cue.start),
            end=seconds(one.cue.end),
            of=one.cue.kind,
            text=one.cue.text,
            deadline=seconds(one.deadline),
            expected=tuple(dict.fromkeys(kind for kind, _ in trigger.expect.wanted)),
            answers=tuple(mark.cited() for mark in _apart(one.answers)),
            score=watch.rule.score,
        )

    def _is_hidden(self, one: JudgedExpectation) -> bool:
        """Whether the outcome describes the agent's voice and the profile keeps that private."""
        marks = (one.cue, *one.answers)
        return any(mark.channel == self._hidden and mark.kind in VOICE_MOMENTS for mark in marks)


def _apart(answers: Iterable[Mark]) -> list[Mark]:
    """The latest ``MOST_ANSWERS`` answers, less approximate matches that overlap certain ones."""
    marks = list(answers)
    sure = [mark for mark in marks if mark.certain]
    apart = [mark for mark in marks if mark.certain or not any(mark.meets(one) for one in sure)]
    return apart[-MOST_ANSWERS:]
