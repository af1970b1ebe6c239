"""Photographs that need no network."""

import sys
from importlib import metadata

import numpy as np
import pytest

from deeplab_lessons import datasets


@pytest.mark.parametrize("name", datasets.photograph_names())
def test_photographs_are_colour_pictures(name):
    picture = datasets.photograph(name)
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
    assert min(picture.shape[:2]) >= 288  # the textures of the scenes need that much
    assert picture.std() > 5


@pytest.mark.parametrize("name", datasets.photograph_names())
def test_photographs_lie_inside_the_wheel(name):
    """A picture that scikit-image would have to download is no use in a room without a network."""
    inside = {file.stem for file in metadata.files("scikit-image") if file.parent.name == "data"}
    needed = ("motorcycle_left", "motorcycle_right", "motorcycle_disp") if name == "motorcycle" else (name,)
    assert inside.issuperset(needed)


def test_an_unknown_photograph_lists_the_names():
    with pytest.raises(ValueError, match=r"'dog'.*astronaut.*chelsea"):
        datasets.photograph("dog")


def test_without_scikit_image_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(ImportError, match=r"deeplab-lessons\[lab\]"):
        datasets.photograph("chelsea")
