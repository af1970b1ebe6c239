"""Files that are whole or absent."""

import pytest

from deeplab_lessons.files import whole_file


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
