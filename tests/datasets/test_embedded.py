"""The built-in scenes as a data set, kept in memory."""

import hashlib

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


def test_an_unknown_split_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="unknown split 'dev': choose from train, val, test"):
        Embedded("dev")


def test_the_edition_is_raised_when_scenes_change():
    """The digest is of edition 1. Where it differs, raise `embedded.EDITION`, and write the new digest here."""
    digest = hashlib.sha256()
    for index, split in enumerate(scenes.SPLITS):
        digest.update(np.dstack(datasets.scene(index, 64, split)).tobytes())
    assert (embedded.EDITION, digest.hexdigest()[:16]) == (1, "d4ff0f1e9bbeba78")
