"""Files that are whole or absent."""

import os

import pytest

from deeplab_lessons.files import explained, whole_file


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


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_a_disk_that_is_really_full_is_explained():
    with (
        pytest.raises(OSError, match="could not write state: the disk is full"),
        explained("state"),
        open("/dev/full", "wb") as file,
    ):
        file.write(bytes(100_000))
