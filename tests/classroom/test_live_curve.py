"""The live curve: what it shows of a training in a notebook, and when."""

import io

import IPython.display
import pytest
from PIL import Image
from small_training import bright_squares, run, tiny

from deeplab_lessons.classroom.live_curve import LiveCurve, curves
from deeplab_lessons.training import History


@pytest.mark.slow
def test_a_curve_is_drawn():
    png = curves(run(tiny(), validation=bright_squares(2)))
    assert png.startswith(b"\x89PNG") and len(png) > 5000
    with Image.open(io.BytesIO(png)) as both, Image.open(io.BytesIO(curves(run(tiny())))) as loss:
        assert both.width == 2 * loss.width, "without validation there is no empty panel"


@pytest.fixture
def shown(monkeypatch):
    """What a notebook would show: new figures and what replaces them."""
    seen = []

    class Handle:
        def update(self, image):
            seen.append(("again", image.alt))

    def display(image, display_id):
        assert display_id and image.data.startswith(b"\x89PNG")
        seen.append(("new", image.alt))
        return Handle()

    monkeypatch.setattr(IPython.display, "display", display)
    return seen


def test_one_figure_is_redrawn_at_validations_and_at_the_end(shown):
    history = run(
        tiny(), validation=bright_squares(2), validate_every=6, iterations=12, progress=LiveCurve(seconds=60)
    )
    assert [kind for kind, _ in shown] == ["new", "again", "again", "again"], "first, 6, 12, end"
    assert shown[-1][1] == f"Loss and mIoU over iterations: {history!r}"


def test_every_training_gets_a_figure_of_its_own(shown):
    curve = LiveCurve(seconds=60)
    for _ in range(2):
        run(tiny(), iterations=2, progress=curve)
    assert [kind for kind, _ in shown].count("new") == 2


def test_nothing_is_drawn_where_nothing_was_learned(shown):
    LiveCurve().close(History())
    assert shown == []
