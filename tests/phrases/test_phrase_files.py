"""Files of phrases: what they may say, and what is wrong with them in one sentence."""

from pathlib import Path

import pytest

from monitor.errors import BadInput
from monitor.events import Word
from monitor.phrases.lexicon import Lexicon
from monitor.phrases.phrase_files import folder, read

GOOD = "class: sorry\nabout: Says sorry.\nphrases: |\n  # a comment\n  sorry\n  my <fault>\n"
SETS = "sets:\n  fault: mistake fault\n"


def written(place: Path, **files: str) -> Path:
    for name, text in files.items():
        (place / f"{name}.yaml").write_text(text)
    return place


def test_a_class_is_read_with_the_lines_of_its_phrases(tmp_path: Path) -> None:
    source = read([written(tmp_path, sorry=GOOD, sets=SETS)])
    assert [entry.id for entry in source.entries] == ["sorry:5", "sorry:6"]
    assert source.sets["fault"] == {"mistake", "fault"}


def test_a_gloss_follows_an_equals_sign(tmp_path: Path) -> None:
    text = "class: jargon\nabout: x\nphrases: |\n  rma = return number\n"
    assert read([written(tmp_path, jargon=text)]).entries[0].gloss == "return number"


def test_a_core_counts_as_perhaps_only(tmp_path: Path) -> None:
    own = "class: jargon\nabout: Ours.\nphrases: |\n  flux capacitor\nperhaps: |\n  flux\n"
    lexicon = Lexicon.load("en", (written(tmp_path, jargon=own),))
    words = [Word(text, float(at), at + 0.9) for at, text in enumerate(["the", "flux", "is", "low"])]
    assert [(match.cls, match.certain) for match in lexicon.find(words)] == [("jargon", False)]


def test_a_teams_folder_replaces_a_class(tmp_path: Path) -> None:
    own = "class: jargon\nabout: Ours.\nphrases: |\n  flux capacitor = the part that matters\n"
    lexicon = Lexicon.load("en", (written(tmp_path, jargon=own),))
    assert {entry.gloss for entry in lexicon.source.entries if entry.cls == "jargon"} == {
        "the part that matters"
    }
    assert "apology" in lexicon.classes


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("class: a\nabout: x\nphrase: |\n  sorry\n", "phrase"),
        ("class: a\nphrases: |\n  sorry\n", "about"),
        ("class: a\nabout: x\nphrases: |\n  (sorry\n", "line 4: '(' is never closed"),
        ("class: a\nabout: x\nphrases: |\n  sorry\n\n  sorry\n", "line 6: says the same as line 4"),
        ("class: a\nabout: x\nphrases: |\n  in <weeks>\n", "there is no set <weeks>"),
        ("class: a\nabout: x\noverrides: [b]\nphrases: |\n  sorry\n", "no class 'b'"),
        ("class: a\nabout: x\nposition: middle\nphrases: |\n  sorry\n", "position"),
        ("class: a\n\tabout: x\n", "tabs"),
    ],
)
def test_a_broken_file_is_told_with_its_name(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(BadInput) as told:
        read([written(tmp_path, broken=text)])
    assert part in str(told.value)
    assert "broken.yaml" in str(told.value)


def test_two_files_for_one_class_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="already has a file"):
        read([written(tmp_path, one=GOOD, two=GOOD, sets=SETS)])


def test_a_language_without_phrases_is_told_with_those_there_are() -> None:
    with pytest.raises(BadInput, match="en"):
        folder("xx")
