"""The drawing of the four structures."""

import matplotlib
import pytest
from matplotlib import pyplot as plt

from deeplab_lessons.classroom import drawing


@pytest.fixture(autouse=True)
def no_window_and_the_style_restored():
    with matplotlib.rc_context():
        plt.switch_backend("agg")
        yield
        plt.close("all")


def test_four_structures_are_all_drawn():
    figure = drawing.structures.four_structures()
    titles = [ax.get_title().replace("\n", " ") for ax in figure.axes]
    assert titles == ["image pyramid", "encoder–decoder", "context module", "spatial pyramid pooling"]
    assert all(len(ax.patches) >= 6 for ax in figure.axes)
