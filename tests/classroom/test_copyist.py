"""The copyist: perfect on what it has seen, no better than its nearest frame elsewhere."""

import numpy as np
import pytest

from deeplab_lessons.classroom import built_in
from deeplab_lessons.classroom.copyist import by_copying, frames_of_clips


def test_frames_are_windows_that_move_two_pixels():
    first, second, *others = frames_of_clips(clips=1, frames=3, size=64)
    image, labels = built_in.scene(0, 128, "train")
    assert (first[0] == image[:64, :64]).all() and (second[1] == labels[2:66, 2:66]).all()
    assert len(others) == 1 and len(frames_of_clips(2, 3, 64)) == 6


def test_what_was_seen_is_copied_without_a_mistake():
    frames = frames_of_clips(clips=2, frames=2, size=64)
    assert by_copying(frames, [0, 1, 2, 3], [1, 3]) == 100


def test_the_labels_of_the_most_similar_frame_are_handed_over():
    dark, bright = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 200, np.uint8)
    ones, twos, void = (np.full((2, 2), label, np.uint8) for label in (1, 2, 255))
    frames = [(dark, ones), (bright, twos), (dark + 9, ones), (bright - 9, ones), (dark + 8, void)]
    assert by_copying(frames, [0, 1], [2]) == 100
    assert by_copying(frames, [0, 1], [2, 3]) == pytest.approx(100 * (1 / 2 + 0) / 2)
    assert by_copying(frames, [1, 4], [2]) == 0, "void is copied as background"


def test_a_split_at_random_leaks_and_one_by_clips_does_not():
    frames = frames_of_clips(clips=4, frames=4)
    order = [0, 2, 3, 4, 5, 7, 9, 10, 11, 12, 13, 14]
    rest = [1, 6, 8, 15]
    assert by_copying(frames, order, rest) > 3 * by_copying(frames, [*range(12)], [*range(12, 16)])
