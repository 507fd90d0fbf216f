"""The overlay comes back to where it stood."""

import pytest

from monitor.overlay.place import CORNERS, OverlayPosition, load_place, save_place, top_left


@pytest.mark.parametrize("corner", CORNERS)
def test_every_corner_is_inside_its_screen(corner):
    left, top = top_left(corner, (1920, 30, 1280, 690), (360, 110))
    assert 1920 < left < left + 360 < 3200
    assert 30 < top < top + 110 < 720
    assert ("left" in corner) == (left < 1920 + 640 - 180)
    assert ("top" in corner) == (top < 30 + 345 - 55)


def test_a_place_is_kept(tmp_path):
    path = tmp_path / "deep" / "overlay.json"
    save_place(path, OverlayPosition(corner="top-left", screen="HDMI-1"))
    assert load_place(path) == OverlayPosition(corner="top-left", screen="HDMI-1")


@pytest.mark.parametrize("content", [b"", b"[]", b'{"corner": "middle"}', b"\xff"])
def test_a_file_that_is_broken_gives_the_default_place(tmp_path, content):
    path = tmp_path / "overlay.json"
    path.write_bytes(content)
    assert load_place(path) == OverlayPosition()


def test_a_place_that_cannot_be_kept_does_no_harm(tmp_path):
    (tmp_path / "file").write_text("")
    save_place(tmp_path / "file" / "overlay.json", OverlayPosition())
    assert load_place(tmp_path / "file" / "overlay.json") == OverlayPosition()
