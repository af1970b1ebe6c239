"""One point on its way into the lattice: the numbers are the lattice's, and each step says its own."""

import re

import pytest
import torch
import traitlets

from deeplab_lessons.classroom.readable_lattice import Lattice
from deeplab_lessons.classroom.widgets.lattice import LATTICE, OTHERS, STEPS, LatticeExplorer

POINTS = [(0.4, 0.5), (-1.0, 0.2), (2.6, -1.5), (-2.6, 1.5), (0.0, 0.0), (1.3, 0.9), (-0.7, -1.1)]


@pytest.mark.parametrize("x, y", POINTS)
def test_corners_and_weights_are_those_of_the_lattice(x, y):
    found = LatticeExplorer(x=x, y=y).found()
    lattice = Lattice(torch.tensor([[x], [y]], dtype=torch.float64))
    expected = {
        tuple(lattice.vertices[:, corner].tolist()): weight
        for corner, weight in zip(lattice.vertex[:, 0].tolist(), lattice.weights[:, 0].tolist(), strict=True)
    }
    corners = map(tuple, found["corners"].tolist())
    assert dict(zip(corners, found["weights"].tolist(), strict=True)) == pytest.approx(expected)


@pytest.mark.parametrize("x, y", POINTS)
def test_the_steps_can_be_followed_by_hand(x, y):
    """Round to multiples of 3, step back onto the plane, and take differences of what is left: as the words say."""
    f = LatticeExplorer(x=x, y=y).found()
    rounded, origin = f["rounded"].tolist(), f["rounded"].clone()
    if sum(rounded):
        change = torch.argmin(f["rest"]) if sum(rounded) > 0 else torch.argmax(f["rest"])
        origin[change] -= 3 if sum(rounded) > 0 else -3
    assert torch.equal(origin, f["origin"].double())
    first, middle, last = ((f["elevated"] - origin).sort(descending=True)[0] / 3).tolist()
    weights = [1 - first + last, middle - last, first - middle]
    assert f["weights"].tolist() == pytest.approx(weights)


def test_some_places_round_beside_the_plane_and_the_words_say_so():
    seen = set()
    for x in range(-26, 27, 2):
        for y in range(-15, 16, 3):
            widget = LatticeExplorer(x=x / 10, y=y / 10)
            total = int(widget.found()["rounded"].sum())
            seen.add(total)
            lines = widget.lines()
            assert (LATTICE["in"] in lines[2]) == (total == 0) and (LATTICE["beside"] in lines[2]) == (
                total != 0
            )
            assert (LATTICE["down"] in lines[3]) == (total > 0) and (LATTICE["up"] in lines[3]) == (total < 0)
    assert seen == {-3, 0, 3}


def test_what_is_stored_is_found_and_nothing_else():
    for x, y in OTHERS.T.tolist():
        assert LatticeExplorer(x=x, y=y).found()["stored"] == [True] * 3
    far = LatticeExplorer(x=2.6, y=-1.5)
    assert far.found()["stored"] == [False] * 3 and far.lines()[-1].count("is new") == 3


def test_each_step_draws_more_and_reads_out_its_own_numbers():
    widget = LatticeExplorer()
    for step, name in enumerate(STEPS):
        widget.step = step
        assert widget.caption == f"Step {step}, {name}: {widget.lines()[step]}"
        page = widget._picture.value
        assert page.count("</li>") == step + 1 and 'role="img"' in page and 'role="status"' in page
        assert ("polygon" in page) == (step >= STEPS.index("rank"))
        assert page.count("font-weight=") == (3 if step >= STEPS.index("weigh") else 0)
        assert len(page) < 10_000  # it is stored in the notebook
    written = [float(number) for number in re.findall(r'"bold">(\d\.\d\d) ', widget._picture.value)]
    assert sum(written) == pytest.approx(1, abs=0.02)


def test_sliders_and_traits_are_one_and_wrong_values_are_refused():
    widget = LatticeExplorer(x=1, step=2)
    sliders = widget.children[0].children
    assert [slider.value for slider in sliders] == [1, 0.5, 2]
    sliders[2].value = 4
    assert widget.step == 4 and repr(widget) == "LatticeExplorer(x=1.0, y=0.5, step=4: weigh)"
    with pytest.raises(traitlets.TraitError, match="step"):
        widget.step = 7
    with pytest.raises(TypeError, match="unknown slider 'z': choose from x, y, step"):
        LatticeExplorer(z=1)
