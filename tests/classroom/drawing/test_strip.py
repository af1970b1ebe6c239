"""The strip of versions: what it says is what the networks are, and colour marks what changed."""

import matplotlib.pyplot as plt
import pytest
from matplotlib.colors import to_hex

from deeplab_lessons import models
from deeplab_lessons.classroom.drawing import strip
from deeplab_lessons.receptive_field import trace


@pytest.fixture
def drawn():
    plt.switch_backend("agg")
    strip.draw_strip("v3")
    yield plt.gca()
    plt.close("all")


def test_parts_and_numbers_are_the_papers_networks():
    says = strip.papers_versions()
    assert list(says) == ["v1", "v2", "v3", "v3+"]
    assert says["v1"]["backbone"] == "VGG16\noutput stride 8"
    assert says["v1"]["head"] == "LargeFOV\ndilation 12"
    assert says["v2"]["head"] == "ASPP, summed\ndilation 6, 12, 18, 24"
    assert says["v3"]["head"] == says["v3+"]["head"] == "ASPP\ndilation 6, 12, 18\nimage pooling"
    assert "decoder" not in says["v3"]
    assert says["v3+"]["decoder"] == "decoder\noutput stride 4"
    assert says["v1"]["field"] == "field: 404 px"
    assert says["v3"]["field"] == "field: the whole image"


def test_numbers_are_counted_on_the_network():
    """Another width, other dilations: nothing in the words is fixed."""
    network = models.deeplab("v2", backbone="resnet101", rates=(2, 5), width=1 / 16)
    says, table = strip.describe(network, 129), trace(network, 129)
    assert says["head"] == "ASPP, summed\ndilation 2, 5"
    weights = sum(weight.numel() for weight in network.parameters())
    assert says["parameters"] == f"{weights / 1e6:.1f} million parameters"
    assert says["field"] == f"field: {table.rows[-1].size} px"


def test_colour_marks_what_changed(drawn):
    boxes = [patch for patch in drawn.patches if hasattr(patch, "get_xy") and hasattr(patch, "get_width")]
    coloured = {
        (round(b.get_x() + b.get_width() / 2), round(b.get_y() + b.get_height() / 2))
        for b in boxes
        if to_hex(b.get_facecolor()).upper() == strip._CHANGED
    }
    assert coloured == {(1, 0), (1, 1), (2, 0), (2, 1), (3, 2)}
    assert sum(b.get_linewidth() > 2 for b in boxes) == 2, "the current version's boxes have the heavy frame"


def test_an_unknown_version_is_refused():
    with pytest.raises(ValueError, match="v4"):
        strip.draw_strip("v4")
