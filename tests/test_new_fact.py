"""A new fact in the sound costs four files: its event, its detector, a line in the call, and a rule.

The test adds one to a copy of the package, and sees it in the events, in an alert, in a rule's own test and
in the report. Nothing else is edited: not the wire, not the timeline, not the measures, not the page.
"""

import json
import os
import shutil
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

RATE = 8000
THUMPS = (3.0, 6.0)
"""Seconds of the call at which the caller's side is hit hard, for 0.3 s each."""

EVENT = '''
class Thump(Event, frozen=True, kw_only=True):
    """Something hit a side's microphone from ``start`` to ``end``."""

    name: ClassVar[str] = "thump"
    channel: Channel
    start: float
    end: float


def is_stretch('''

DETECTOR = '''
"""Thumps: frames of 20 ms that are louder than any voice."""

import numpy as np

from monitor.audio.frames import FrameBlock, seconds
from monitor.events import CHANNELS, Thump

LOUD = 0.5
"""The root mean square, of full scale 1.0, from which a frame is part of a thump."""


class ThumpDetector:
    """Finds thumps on both sides; each is told when it is over."""

    def __init__(self):
        self._since = [None, None]

    def feed(self, block):
        """The thumps that ended in these frames."""
        frames = block.pcm.reshape(2, block.frames, block.samples_per_frame)
        loud = np.sqrt((frames**2).mean(axis=2)) >= LOUD
        found = []
        for row, channel in enumerate(CHANNELS):
            for place in range(block.frames):
                now = block.first + place
                if loud[row, place] and self._since[row] is None:
                    self._since[row] = now
                elif not loud[row, place] and self._since[row] is not None:
                    start, self._since[row] = seconds(self._since[row]), None
                    known, end = seconds(now + 1), seconds(now)
                    found.append(Thump(detected_at=known, channel=channel, start=start, end=end))
        return found
'''

RULE = """
- rule: line.thumps
  title: Thumps
  rationale: Somebody who hits the desk has had enough.
  measure: {count: {of: thump, by: caller, window: 60s}}
  at_least: 2
  level: warn
  message: Give them a moment.
  tests:
    - {call: ["caller 0-2 well", "event thump caller 3-3.3", "event thump caller 6-6.3"], alerts: [6.3]}
    - {call: ["caller 0-2 well", "event thump caller 3-3.3", "event thump agent 6-6.3"], alerts: []}
"""

IMPORT, BEGIN, FEED = (
    "from monitor.audio.vad import",
    "        self._frames = 0\n",
    "            *activity.events,\n",
)
CALL_LINES = {
    IMPORT: "from monitor.audio.thump import ThumpDetector\n" + IMPORT,
    BEGIN: "        self._thumps = ThumpDetector()\n" + BEGIN,
    FEED: FEED + "            *self._thumps.feed(block),\n",
}


def edit(path: Path, changes: dict[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for before, after in changes.items():
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Path:
    """The package with the new fact in it: four files."""
    folder = tmp_path_factory.mktemp("copy")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(project / "monitor", folder / "monitor", ignore=ignored)
    shutil.copytree(project / "configs", folder / "configs", ignore=ignored)
    shutil.copytree(project / "models" / "silero", folder / "models" / "silero", ignore=ignored)
    edit(folder / "monitor" / "events.py", {"\ndef is_stretch(": EVENT})
    (folder / "monitor" / "audio" / "thump.py").write_text(DETECTOR.lstrip(), encoding="utf-8")
    edit(folder / "monitor" / "call.py", CALL_LINES)
    (folder / "configs" / "rules" / "thump.yaml").write_text(RULE, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def recording(copy: Path) -> Path:
    """Twelve seconds of a quiet line on which the caller's side is hit twice."""
    pcm = np.zeros((12 * RATE, 2))
    for start in THUMPS:
        first = round(start * RATE)
        pcm[first : first + round(0.3 * RATE), 0] = 0.9 * np.sign(np.sin(np.arange(round(0.3 * RATE)) / 5))
    path = copy / "thumps.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((pcm * 32767).astype("<i2").tobytes())
    return path


def run(copy: Path, *words: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "monitor", *words], cwd=copy, env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True, text=True, encoding="utf-8", timeout=300, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_tests_of_its_rule_pass_and_can_fail(copy: Path, tmp_path: Path):
    assert "0 failed" in run(copy, "rules", "check")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(RULE.replace("line.thumps", "line.wrong").replace("alerts: [6.3]", "alerts: []"))
    ran = subprocess.run(
        [sys.executable, "-m", "monitor", "rules", "check", str(wrong)], cwd=copy, timeout=300, check=False,
        env={**os.environ, "PYTHONPATH": str(copy)}, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    assert ran.returncode != 0
    assert "there was an alert at 6.3 s" in ran.stdout + ran.stderr


def test_it_goes_over_the_wire_and_raises_its_alert(copy: Path, recording: Path):
    lines = [
        json.loads(line)
        for line in run(copy, "replay", str(recording), "--model", "none", "--json").splitlines()
    ]
    thumps = [line["data"] for line in lines if line["type"] == "monitor.thump"]
    assert [(one["channel"], one["start"], one["end"]) for one in thumps] == [
        ("caller", start, pytest.approx(start + 0.3, abs=0.021)) for start in THUMPS
    ]
    (alert,) = [
        line["data"]
        for line in lines
        if line["type"] == "monitor.alert.opened" and line["data"]["rule"] == "line.thumps"
    ]
    assert alert["measured"] == 2
    assert [one["kind"] for one in alert["evidence"]] == ["thump", "thump"]


def test_the_report_names_it(copy: Path, recording: Path):
    card = json.loads(run(copy, "report", str(recording), "--model", "none", "--json"))
    assert [(one["name"], one["start"]) for one in card["marks"] if one["name"] == "thump"] == [
        ("thump", start) for start in THUMPS
    ]
    run(copy, "report", str(recording), "--model", "none", "--out", str(copy / "report.html"))
    assert (copy / "report.html").read_text(encoding="utf-8").count("<td>thump</td>") == 2
