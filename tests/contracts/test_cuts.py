"""Law 1: the same audio, cut into other blocks, gives the same events, byte for byte."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitor.call import Call, CallInfo, rejudge
from monitor.events import Block, Event
from monitor.playback import play
from monitor.rules.rule_set import RuleSet, load_rules
from monitor.sources.recording import open_recording
from tests.examples import examples

AUDIO = Path(__file__).resolve().parent.parent.parent / "fixtures" / "audio"
SECONDS = 30
CALLS = ("interruptions.flac", "raised.wav", "bleed.wav", "broken-line.wav")

_encoder = msgspec.json.Encoder()


@pytest.fixture(scope="module")
def book() -> RuleSet:
    return load_rules()


def sound(name: str) -> tuple[NDArray[np.float32], int]:
    recording = open_recording([AUDIO / name])
    pcm = np.concatenate([block.pcm for block in recording.blocks(1.0)], axis=1)
    return pcm[:, : SECONDS * recording.rate], recording.rate


def said(pcm: NDArray[np.float32], rate: int, cuts: list[int], book: RuleSet) -> list[Event]:
    call = Call(CallInfo("c", ("c",), rate, "wide", "none"), book)
    return [event for events in play(call, blocks(pcm, cuts), None) for event in events]


def blocks(pcm: NDArray[np.float32], cuts: list[int]) -> Iterator[Block]:
    edges = [0, *sorted(cut for cut in cuts if cut < pcm.shape[1]), pcm.shape[1]]
    for start, end in pairwise(edges):
        yield Block(start, pcm[:, start:end])


def as_bytes(events: list[Event]) -> list[bytes]:
    return [event.name.encode() + _encoder.encode(event) for event in events]


@pytest.fixture(scope="module", params=CALLS)
def whole(request: pytest.FixtureRequest, book: RuleSet) -> tuple[NDArray[np.float32], int, list[bytes]]:
    pcm, rate = sound(request.param)
    return pcm, rate, as_bytes(said(pcm, rate, [], book))


@examples(8, fixtures=True)
@given(cuts=st.lists(st.integers(1, SECONDS * 16000), max_size=60))
def test_random_cuts_change_nothing(whole, book: RuleSet, cuts: list[int]):
    pcm, rate, expected = whole
    assert as_bytes(said(pcm, rate, cuts, book)) == expected


@pytest.mark.parametrize("step", [160, 333, 640])
def test_even_cuts_as_a_sound_card_makes_them_change_nothing(whole, book: RuleSet, step: int):
    pcm, rate, expected = whole
    assert as_bytes(said(pcm, rate, list(range(step, pcm.shape[1], step)), book)) == expected


def test_the_same_sound_says_the_same_twice(whole, book: RuleSet):
    pcm, rate, expected = whole
    assert as_bytes(said(pcm, rate, [], book)) == expected


def test_the_facts_alone_give_the_same_alerts_again(whole, book: RuleSet):
    pcm, rate, expected = whole
    events = said(pcm, rate, [], book)
    again = [event for batch in rejudge(events, book) for event in batch]
    assert as_bytes(again) == expected


def test_nothing_is_said_about_sound_that_was_not_heard_yet(whole, book: RuleSet):
    """Causality: what is known at a time does not change with what comes after it."""
    pcm, rate, _ = whole
    half = pcm.shape[1] // 2 // (rate // 50) * (rate // 50)
    changed = pcm.copy()
    changed[:, half:] = 0.0
    limit = half / rate
    first = [event for event in said(pcm, rate, [half], book) if event.detected_at <= limit]
    second = [event for event in said(changed, rate, [half], book) if event.detected_at <= limit]
    assert as_bytes(first) == as_bytes(second)
