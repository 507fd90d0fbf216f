"""Measures of talk, turns and pauses: at every moment the answer equals the slow formula."""

import random

import pytest

from monitor.events import CHANNELS, Floor, Interruption, SpeechEnded, SpeechStarted
from monitor.rules.measures import MEASURES
from monitor.rules.script import compile_script
from monitor.timeline import Timeline, TimelineView, ms


def ask(line, name, **params):
    """The answer of a measure now; ``now`` of the call is in ms, and so are the times of the answer."""
    return MEASURES[name].ask(TimelineView(line), **MEASURES[name].read(params))


@pytest.fixture(scope="module")
def script():
    rng, lines, now = random.Random(9), [], 0.0  # noqa: S311 - a script, not a secret
    while now < 300:
        for side in ("caller", "agent"):
            end = round(now + rng.uniform(0.5, 15), 1)
            lines.append(f"{side} {now}-{end}")
            now = round(max(0.0, end + rng.uniform(-1.0, 4.0)), 1)
    return compile_script(tuple(lines))


def prefixes(script, every=7.3):
    """The timeline after each of many prefixes of the call, with what was fed so far."""
    line, fed, moment = Timeline(words=False), [], every
    for fact in script.facts:
        while fact.detected_at > moment:
            line.advance(ms(moment))
            yield line, fed, ms(moment)
            moment += every
        line.advance(ms(fact.detected_at))
        line.take(fact)
        fed.append(fact)


def spoken(fed, now, channel):
    """This side's stretches up to now, from the facts alone."""
    done = [(ms(f.start), ms(f.end)) for f in fed if isinstance(f, SpeechEnded) and f.channel == channel]
    begun = [ms(f.at) for f in fed if isinstance(f, SpeechStarted) and f.channel == channel]
    return done + [(at, now) for at in begun[len(done) :]]


def test_the_share_of_talk(script):
    for line, fed, now in prefixes(script):
        sums = {c: sum(max(0, e - max(s, now - 120_000)) for s, e in spoken(fed, now, c)) for c in CHANNELS}
        got = ask(line, "talk_share", by="agent", window="120s", least=60)
        if sum(sums.values()) < 60_000:
            assert got.value is None
        else:
            assert got.value == pytest.approx(sums["agent"] / sum(sums.values()))


def test_interruptions_in_a_window(script):
    for line, fed, now in prefixes(script):
        for by in CHANNELS:
            slow = [f for f in fed if isinstance(f, Interruption) and f.by == by and ms(f.at) > now - 60_000]
            assert ask(line, "count", of="interruption", by=by, window="60s").value == len(slow)
            whole = [f for f in fed if isinstance(f, Interruption) and f.by == by]
            assert ask(line, "count", of="interruption", by=by, window="call").value == len(whole)


def test_running_silence(script):
    for line, fed, now in prefixes(script):
        ends = [max((e for _, e in spoken(fed, now, c)), default=0) for c in CHANNELS]
        assert ask(line, "silence").value == max(0, now - max(ends))


def test_the_length_of_a_turn_counts_from_the_last_long_pause(script):
    for line, fed, now in prefixes(script):
        floors = [f for f in fed if isinstance(f, Floor)]
        holder = floors[-1].holder if floors else None
        for by in CHANNELS:
            value = ask(line, "turn_length", by=by, pause="1.5s").value
            if by != holder:
                assert value == 0
                continue
            begin = now
            for start, end in sorted(spoken(fed, now, by), reverse=True):
                if begin - end >= 1_500 or end <= line.talk.turns[-1].start:
                    break
                begin = max(start, line.talk.turns[-1].start)
            assert value == now - begin


def test_a_view_notes_when_a_count_will_change_by_itself(script):
    for line, _, now in prefixes(script):
        view = TimelineView(line)
        got = MEASURES["count"].ask(view, of=("interruption",), by="agent", window=60_000)
        if got.value:
            first = line.marks.of(("interruption",), "agent", now - 60_000)[0]
            assert now < view.changes_at == first.end + 60_000


def test_measures_do_not_change_what_they_look_at(script):
    for line, _, _ in prefixes(script, every=41.0):
        for name, measure in MEASURES.items():
            required = [
                k
                for k in measure.kinds
                if k in ("by", "of", "against", "close_to", "before", "issue", "cue", "field")
            ]
            given = {k: "agent" if k == "by" else "brief" if k == "field" else "apology" for k in required}
            first = ask(line, name, **given)
            assert ask(line, name, **given) == first, name
