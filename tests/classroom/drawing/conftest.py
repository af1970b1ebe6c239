"""No test of a figure opens a window, leaves a figure open or the style changed; every figure can be put into words."""

import matplotlib
import pytest
from matplotlib import pyplot as plt

from deeplab_lessons.classroom.drawing import describe


@pytest.fixture(autouse=True)
def no_window_and_the_style_restored():
    with matplotlib.rc_context():
        plt.switch_backend("agg")
        yield
        plt.close("all")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call():
    """After each test, every figure that it drew must have words that say something."""
    result = yield
    for figure in map(plt.figure, plt.get_fignums()):
        if any(ax.has_data() or ax.patches for ax in figure.axes):
            text = describe(figure)
            assert len(text) > 20, f"say(ax, …) what the function draws: {text!r}"
    return result
