"""Ground truth files: read strictly, found beside their recording."""

from pathlib import Path

import pytest

from monitor.errors import BadInput
from monitor.review.truth import load_truth, recordings, truth_beside


@pytest.mark.parametrize("name", ["call.wav", "call.caller.wav", "call.agent.flac", "call.json"])
def test_the_truth_lies_beside_the_recording(name: str):
    assert truth_beside(Path("calls") / name) == Path("calls/call.json")


def test_the_recordings_of_a_pair_are_found_again(project: Path):
    path = project / "fixtures/audio/argument.json"
    files = recordings(load_truth(path), path)
    assert [file.name for file in files] == ["argument.caller.wav", "argument.agent.wav"]
    assert all(file.is_file() for file in files)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "There is no ground truth at"),
        ("{", "is not well-formed JSON"),
        ('{"call": "x"}', "missing required field"),
        ('{"call": "x", "colour": "red"}', "unknown field `colour`"),
    ],
)
def test_a_bad_truth_file_gets_one_sentence_with_its_name(tmp_path: Path, content: str | None, says: str):
    path = tmp_path / "call.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BadInput, match=says) as caught:
        load_truth(path.with_suffix(".wav"))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
