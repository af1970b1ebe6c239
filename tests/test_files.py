"""Files that are whole or absent, and names that replace nothing."""

import os
import warnings

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from deeplab_lessons.files import SOFTWARE, overlay_paths, seen_below, whole_file


def test_a_whole_file_is_the_old_one_or_the_new_one(tmp_path):
    path = tmp_path / "state"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), whole_file(path) as part:
        part.write_text("ha")
        raise KeyboardInterrupt
    assert path.read_text() == "old" and [file.name for file in tmp_path.iterdir()] == ["state"]
    with whole_file(path) as part:
        part.write_text("new")
    assert path.read_text() == "new" and [file.name for file in tmp_path.iterdir()] == ["state"]


def photo(path):
    path.parent.mkdir(exist_ok=True, parents=True)
    Image.fromarray(np.full((8, 9, 3), 90, np.uint8)).save(path)
    return path


def test_no_two_overlays_get_one_name(tmp_path):
    pictures = [photo(tmp_path / name) for name in ("a/x.jpg", "b/x.jpg", "b/X.png")]
    beside = ["a/x-segmented.png", "b/x-segmented.png"]
    assert overlay_paths(pictures[:2]) == dict(
        zip(pictures, [tmp_path / name for name in beside], strict=False)
    )
    for clash in (pictures[:2], pictures[1:]):
        with pytest.raises(ValueError, match="would replace the overlay of"):
            overlay_paths(clash, tmp_path / "out")
    (tmp_path / "c").symlink_to(tmp_path / "b")
    with pytest.raises(ValueError, match="would replace the overlay of"):
        overlay_paths([pictures[1], tmp_path / "c" / "x.gif"])


def test_a_folder_means_all_pictures_below_it(tmp_path):
    album = tmp_path / "album"
    for name in ("a.JPG", "town/a.png", "town/street/b.webp", ".trash/old.png", "town/._a.png"):
        photo(album / name)
    expected = {"a.JPG": "a", "town/a.png": "town/a", "town/street/b.webp": "town/street/b"}
    for kind, word in (("overlay", "segmented"), ("labels", "labels")):
        for output, folder in (
            (None, album),
            (tmp_path / "out", tmp_path / "out"),
            (album / "out.v2", album / "out.v2"),
        ):
            if folder.name == "out.v2":
                folder.mkdir(exist_ok=True)
            found = overlay_paths([album], output, kind=kind)
            assert found == {album / key: folder / f"{value}-{word}.png" for key, value in expected.items()}
    assert overlay_paths([photo(tmp_path / "one.png"), album / "town"], tmp_path / "out") == {
        tmp_path / "one.png": tmp_path / "out/one-segmented.png",
        album / "town/a.png": tmp_path / "out/a-segmented.png",
        album / "town/street/b.webp": tmp_path / "out/street/b-segmented.png",
    }
    with pytest.raises(ValueError, match="neither a folder nor, for one picture"):
        overlay_paths([album], tmp_path / "one-more.png")


def test_what_was_written_here_is_no_picture_of_a_folder(tmp_path):
    source = photo(tmp_path / "a.png")
    (target,) = overlay_paths([tmp_path]).values()
    mark = PngInfo()
    mark.add_text("Software", SOFTWARE)
    Image.new("RGB", (9, 8)).save(target, pnginfo=mark)
    assert list(overlay_paths([tmp_path], overwrite=True)) == [source]


def test_files_that_are_left_out_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no picture \(it is empty\): pass another folder"):
        overlay_paths([tmp_path])
    for name in ("1.heic", "2.heic", "notes.txt"):
        (tmp_path / name).write_text("x")
    with pytest.raises(FileNotFoundError, match=r"holds no picture \(2 \.heic, 1 \.txt\)"):
        overlay_paths([tmp_path])
    photo(tmp_path / "3.jpg")
    with pytest.warns(UserWarning, match=r"left out what cannot be read as a picture, 2 \.heic, 1 \.txt"):
        assert list(overlay_paths([tmp_path])) == [tmp_path / "3.jpg"]
    with warnings.catch_warnings(action="error"):
        overlay_paths([tmp_path / "3.jpg"])


def test_a_linked_folder_is_entered_once_and_a_circle_never(tmp_path):
    photo(tmp_path / "real" / "a.jpg"), (tmp_path / "seen").mkdir()
    (tmp_path / "seen" / "town").symlink_to(tmp_path / "real", target_is_directory=True)
    (tmp_path / "real" / "again").symlink_to(tmp_path / "real", target_is_directory=True)
    assert seen_below(tmp_path / "seen") == [tmp_path / "seen" / "town" / "a.jpg"]


def test_a_folder_that_may_not_be_read_is_not_empty(tmp_path, monkeypatch):
    photo(tmp_path / "a.jpg"), photo(tmp_path / "closed" / "b.jpg")
    scandir = os.scandir

    def closed(folder):
        if str(folder).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(PermissionError, match="closed"):
        seen_below(tmp_path)
