"""Comparisons of versions draw the numbers that they get."""

import base64
import io

import numpy as np
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from deeplab_lessons.classroom.drawing import versions

RUNS = {
    "v1": [
        {"trimap": {"1": 20, "4": 40}, "iou": {"road": 90, "pole": 0}},
        {"trimap": {"1": 30, "4": 44}, "iou": {"road": 92, "pole": 2}},
    ],
    "v3+": [{"trimap": {"1": 35, "4": 50}, "iou": {"road": 95, "pole": 8}}],
}


def test_bands_have_the_means_over_the_seeds_and_their_spread(ax):
    versions.show_bands(ax, RUNS, "boundaries")
    two, one = ax.containers
    assert two.lines[0].get_xydata().tolist() == [[1, 25], [4, 42]]
    assert one.lines[0].get_xydata().tolist() == [[1, 35], [4, 50]]
    low, high = two.lines[2][0].get_segments()[0][:, 1]
    assert high - 25 == 25 - low == pytest.approx(np.std([20, 30], ddof=1))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["v1", "v3+"]
    versions.show_bands(ax, RUNS, dashed=["v3+"])
    assert [each.lines[0].get_linestyle() for each in ax.containers] == ["-", "-", "-", "--"]


def test_classes_have_a_point_for_each_version_next_to_each_other(ax):
    versions.show_classes(ax, RUNS)
    points = [container.lines[0].get_xydata() for container in ax.containers]
    assert [list(each[:, 1]) for each in points] == [[91, 1], [95, 8]]
    assert all(points[0][:, 0] < points[1][:, 0]) and points[0][:, 0].round().tolist() == [0, 1]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["road", "pole"]


@pytest.mark.parametrize("known", [True, False])
def test_the_image_and_its_labels_are_shown_only_where_they_are_there(known):
    palette, labels = np.full((256, 3), 9, np.uint8), np.zeros((2, 3), np.uint8)
    given = (np.zeros((2, 3, 3), np.uint8), labels) if known else ()
    versions.show_versions({name: labels for name in ("v1", "v2", "v3", "v3+")}, palette, *given)
    titles = [ax.get_title() for ax in plt.gcf().axes if ax.axison]
    assert titles == (
        ["image", "v1", "v2", "v3", "v3+", "true labels"] if known else ["v1", "v2", "v3", "v3+"]
    )


def test_stored_labels_come_back():
    labels, file = np.arange(6, dtype=np.uint8).reshape(2, 3), io.BytesIO()
    Image.fromarray(labels).save(file, "PNG")
    assert (versions.stored_labels(base64.b64encode(file.getvalue()).decode()) == labels).all()
