"""The schedules explorer: its areas, its curves, its words, and what it refuses."""

import re

import numpy as np
import pytest
import traitlets

from deeplab_lessons.classroom.widgets.schedules import SchedulesExplorer
from deeplab_lessons.training import poly, step


@pytest.fixture
def explorer():
    return SchedulesExplorer(iterations=1000, lr=0.02)


def curves(widget):
    """Points (x, y) of both polylines, poly's first."""
    found = re.findall(r'<polyline points="([^"]+)"', widget._picture.value)
    return [np.array([point.split(",") for point in line.split()], float) for line in found]


def test_areas_are_sums_of_the_packages_schedules(explorer):
    assert explorer.poly_area == pytest.approx(sum(poly(i, 1000) for i in range(1000)) / 10)
    assert explorer.step_area == pytest.approx(sum(step(i, 1000) for i in range(1000)) / 10)
    explorer.power, explorer.parts, explorer.factor = 2.0, 2, 0.5
    assert explorer.poly_area == pytest.approx(sum(poly(i, 1000, 2) for i in range(1000)) / 10)
    assert explorer.step_area == pytest.approx(sum(step(i, 1000, 2, 0.5) for i in range(1000)) / 10)


def test_the_papers_schedules_come_first():
    widget = SchedulesExplorer()
    assert (widget.power, widget.parts, widget.factor) == (0.9, 3, 0.1)
    assert repr(widget) == (
        "SchedulesExplorer(power=0.9, parts=3, factor=0.1, poly_area=52.6 %, step_area=37.0 %)"
    )


def test_sliders_and_traits_are_one(explorer):
    explorer._sliders["power"].value = 1.5
    explorer._sliders["parts"].value = 5
    assert (explorer.power, explorer.parts) == (1.5, 5)
    explorer.factor = 0.3
    assert explorer._sliders["factor"].value == 0.3


def test_the_curves_fall_from_the_same_point_and_step_jumps_upright(explorer):
    falling, steps = curves(explorer)
    assert (falling[0] == steps[0]).all()
    for line in (falling, steps):
        assert (np.diff(line[:, 0]) >= 0).all() and (np.diff(line[:, 1]) >= 0).all()
    heights = np.unique(steps[:, 1])
    assert len(heights) == 3
    drops = np.diff(steps, axis=0)[np.diff(steps[:, 1]) > 1]
    assert len(drops) == 2 and (drops[:, 0] < 1).all()


def test_picture_and_words_follow(explorer):
    before = explorer._picture.value
    explorer.parts = 1
    assert explorer._picture.value != before and explorer.step_area == 100
    assert "constant learning rate" in explorer.caption
    for part in ('role="img"', 'role="status"', 'fill="white"', "0.02", "1,000"):
        assert part in explorer._picture.value
    assert f'aria-label="{explorer.caption}"' in explorer._picture.value


@pytest.mark.parametrize(("name", "value"), [("power", 0), ("power", 5), ("parts", 0), ("factor", 1.2)])
def test_values_outside_the_sliders_are_refused(explorer, name, value):
    with pytest.raises(traitlets.TraitError):
        setattr(explorer, name, value)


def test_impossible_trainings_are_refused():
    with pytest.raises(ValueError, match="iterations must be at least 10"):
        SchedulesExplorer(iterations=3)
    with pytest.raises(ValueError, match="lr above 0"):
        SchedulesExplorer(lr=0)
    with pytest.raises(traitlets.TraitError):
        SchedulesExplorer(100).poly_area = 1.0
