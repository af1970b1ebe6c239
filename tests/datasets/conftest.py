"""A folder that several tests of data sets read."""

import pytest
from label_files import save_labels, save_picture


@pytest.fixture
def folder(tmp_path):
    """A label-map folder with one pair, classes 0 to 2 and void."""
    save_picture(tmp_path / "images" / "one.jpg")
    save_labels(tmp_path / "labels" / "one.png")
    return tmp_path
