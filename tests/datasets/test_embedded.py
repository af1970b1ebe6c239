"""The built-in scenes as a data set, kept in memory or on disk."""

import errno
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from deeplab_lessons import datasets
from deeplab_lessons.datasets import (
    Embedded,
    embedded,
    scenes,
)


@pytest.mark.slow
def test_splits_share_no_scene():
    seen = {Embedded(split, 20, size=32).pair(i)[0].tobytes() for split in scenes.SPLITS for i in range(20)}
    assert len(seen) == 60


def test_an_unknown_split_or_cache_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="unknown split 'dev': choose from train, val, test"):
        Embedded("dev")
    with pytest.raises(ValueError, match="cache must be None"):
        Embedded("train", cache="ram")


def test_on_disk_the_set_is_the_same_and_is_read_next_time(tmp_path, monkeypatch):
    plain = Embedded("val", 4, size=32)
    Embedded("val", 4, size=32, cache="disk", folder=tmp_path)
    monkeypatch.setattr(scenes, "scene", None)  # calling it again would fail
    stored = Embedded("val", 4, size=32, cache="disk", folder=tmp_path)
    monkeypatch.undo()
    for i in range(4):
        assert all(np.array_equal(a, b) for a, b in zip(stored.pair(i), plain.pair(i), strict=True))
    assert [path.suffix for path in tmp_path.iterdir()] == [".npy"]


def test_a_file_of_scenes_cut_off_is_made_again(tmp_path):
    Embedded("val", 2, size=32, cache="disk", folder=tmp_path)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    Embedded("val", 2, size=32, cache="disk", folder=tmp_path)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.ENOSPC, "disk is full"), (errno.EACCES, "not allowed"), (errno.EROFS, "read-only")],
)
def test_a_disk_that_takes_no_more_scenes_is_explained(tmp_path, monkeypatch, code, words):
    def refuse(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(OSError, match=rf"could not write .*val-1x32.*{words}.*DEEPLAB_LESSONS_DATA"):
        Embedded("val", 1, size=32, cache="disk", folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_data_folder_that_cannot_be_made_is_explained(tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(OSError, match="could not make the folder"):
        Embedded("val", 1, size=32, cache="disk", folder=tmp_path / "data" / "embedded")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_folder_without_rights_is_explained(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OSError, match="not allowed"):
            Embedded("val", 1, size=32, cache="disk", folder=tmp_path / "embedded")
    finally:
        tmp_path.chmod(0o700)


def test_the_edition_names_the_file_and_is_raised_when_scenes_change(tmp_path, monkeypatch):
    """The digest is of edition 1. Where it differs, raise `embedded.EDITION`, and write the new digest here."""
    digest = hashlib.sha256()
    for index, split in enumerate(scenes.SPLITS):
        digest.update(np.dstack(datasets.scene(index, 64, split)).tobytes())
    assert (embedded.EDITION, digest.hexdigest()[:16]) == (1, "d4ff0f1e9bbeba78")
    Embedded("val", 1, size=32, cache="disk", folder=tmp_path)
    monkeypatch.setattr(embedded, "EDITION", 2)
    Embedded("val", 1, size=32, cache="disk", folder=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        f"val-1x32-edition{number}.npy" for number in (1, 2)
    }
