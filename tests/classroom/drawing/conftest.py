"""No test of a figure opens a window, leaves a figure open or leaves the style changed."""

import matplotlib
import pytest
from matplotlib import pyplot as plt


@pytest.fixture(autouse=True)
def no_window_and_the_style_restored():
    with matplotlib.rc_context():
        plt.switch_backend("agg")
        yield
        plt.close("all")
