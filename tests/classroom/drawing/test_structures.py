"""The drawing of the four structures."""

from deeplab_lessons.classroom import drawing


def test_four_structures_are_all_drawn():
    figure = drawing.structures.four_structures()
    titles = [ax.get_title().replace("\n", " ") for ax in figure.axes]
    assert titles == ["image pyramid", "encoder–decoder", "context module", "spatial pyramid pooling"]
    assert all(len(ax.patches) >= 6 for ax in figure.axes)
