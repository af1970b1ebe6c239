"""The live curve: what it shows of a training in a notebook, and when."""

import io

import IPython.display
import numpy as np
import pytest
from PIL import Image
from small_training import bright_squares, run, same_weights, tiny

from deeplab_lessons import inference
from deeplab_lessons.classroom import drawing
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
    run(tiny(), validation=bright_squares(2), validate_every=6, iterations=12, progress=LiveCurve(seconds=60))
    assert [kind for kind, _ in shown] == ["new", "again", "again", "again"], "first, 6, 12, end"
    assert shown[-1][1].startswith("Loss and mIoU over iterations: 12 iterations, loss 0.")


def test_every_training_gets_a_figure_of_its_own(shown):
    curve = LiveCurve(seconds=60)
    for _ in range(2):
        run(tiny(), iterations=2, progress=curve)
    assert [kind for kind, _ in shown].count("new") == 2


def test_nothing_is_drawn_where_nothing_was_learned(shown):
    LiveCurve().close(History())
    assert shown == []


def test_pictures_are_asked_for_at_each_drawing_and_shown_next_to_the_curves(shown, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "deeplab_lessons.classroom.live_curve.show_image",
        lambda ax, picture, title: drawn.append((title, int(picture.max()))),
    )
    now = iter(range(10))
    curve = LiveCurve(seconds=60, pictures=lambda: {"predicted": np.full((8, 8, 3), next(now), np.uint8)})
    run(tiny(), validation=bright_squares(2), validate_every=6, iterations=12, progress=curve)
    assert drawn == [("predicted", number) for number in range(4)], "first, 6, 12, end"
    assert shown[-1][0] == "again" and shown[-1][1].endswith("; predicted")


def test_pictures_are_in_the_figure_before_and_after_a_validation():
    pictures = {"one": np.full((8, 8, 3), (255, 0, 0), np.uint8), "two": np.zeros((8, 8, 3), np.uint8)}
    sizes = set()
    for history in (History(loss=[2.0, 1.0]), History(loss=[2.0, 1.0], mean_iou={2: 0.5})):
        with Image.open(io.BytesIO(curves(history, pictures))) as figure:
            pixels = np.array(figure.convert("RGB"))
            sizes.add(figure.size)
        rows, columns = np.nonzero((pixels == (255, 0, 0)).all(2))
        assert len(rows) > 10_000 and columns.min() > figure.width / 2 and rows.max() < figure.height / 2
    assert len(sizes) == 1, "the figure keeps its size"


def test_looking_at_a_training_does_not_change_it():
    watched, alone = tiny(), tiny()
    image = bright_squares(1)[0][0]
    seen = lambda: {"now": drawing.colour_labels(inference.predict(watched, image))}  # noqa: E731
    one = run(watched, iterations=2, progress=LiveCurve(seconds=0, pictures=seen))
    assert one == run(alone, iterations=2) and same_weights(watched, alone)


def test_where_drawing_is_slow_it_is_rarer(shown, monkeypatch):
    """On a busy machine most of the time still goes into the training."""
    clock = [100.0]
    monkeypatch.setattr("deeplab_lessons.classroom.live_curve.time.monotonic", lambda: clock[0])

    def slow():
        clock[0] += 1
        return {}

    curve, drawn = LiveCurve(seconds=2, pictures=slow), []
    for _ in range(30):
        clock[0] += 1
        before = len(shown)
        curve.update(History(loss=[1.0]))
        drawn += [clock[0]] * (len(shown) > before)
    assert drawn == [102, 113, 124], "a drawing takes one second: nine without one follow"
