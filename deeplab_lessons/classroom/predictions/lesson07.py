"""Predictions of lesson 07: what a matrix needs, a splat, corners, vertices, the order of the blurs, a line's ends."""

from itertools import product

import numpy as np
import torch

from deeplab_lessons import crf
from deeplab_lessons.classroom import line_filter, readable_lattice, tiny_crf
from deeplab_lessons.classroom.drawing import lattice as drawing
from deeplab_lessons.classroom.pictures import sketch
from deeplab_lessons.classroom.predictions.framework import Answer, choice, number


@number(
    "How many gigabytes does the matrix of one kernel need, with 4 bytes for every entry?",
    unit="GB",
    tolerance=2,
    slips={
        (500 * 375) ** 2 / 1e9: "You counted the entries, in billions. Each of them has 4 bytes.",
        (500 * 375) ** 2 / 2e9 * 4: "You counted each pair once. The matrix has both (i, j) and (j, i).",
        500 * 375 * 4 / 1e9: "That's one number per pixel. The matrix has one for each pair.",
        21 * (500 * 375) ** 2 * 4 / 1e9: "You counted a matrix for each class. All classes share one kernel.",
    },
)
def gigabytes_of_a_kernel():
    pixels = 500 * 375
    entry = tiny_crf.exact_kernel(crf.spatial_features((2, 3), 1)).element_size()
    return Answer(round(entry * pixels**2 / 1e9), shows=f"{entry * pixels**2 / 1e9:.0f} GB")


@number(
    "How much of a value of 8 at position 2.25, in grid steps, does grid point 2 get?",
    slips={
        0.75: "That's the fraction. The grid point gets this fraction of the value 8.",
        8 * 0.25: "That's what grid point 3 gets. The nearer one, 2, gets more.",
        8 / 2: "You shared it equally. The position is nearer to 2 than to 3.",
        8: "You gave all of it to the nearest grid point. The two around the position share it.",
        2.25 * 8: "You multiplied the value by its position. Only the distance to the grid point counts.",
    },
)
def splat_at_two():
    shared = line_filter.splat(np.array([8.0]), np.array([2.25]), size=6)
    return Answer(shared[2], shows=f"{shared[2]:g}. {shared[3]:g}.")


@number(
    "Between how many corners of a grid of cubes is a value shared in five dimensions?",
    unit="corners",
    slips={
        2 * 5: "You added 2 for each dimension. Each one doubles the corners.",
        5**2: "You exchanged the numbers. Two ends in each of five dimensions make a power of 2.",
        2**4: "That's the number in four dimensions.",
        5 + 1: "That's a simplex. A cube has more corners than one for each dimension.",
        8: "That's the number in three dimensions. Two more dimensions double it twice.",
    },
)
def corners_of_a_cube():
    return len(list(product((0, 1), repeat=5)))


def _in_the_plane() -> tuple:
    """Points all over a part of the plane, and the value 1 at one of them, as in the lesson."""
    plane = drawing.plane(-6, 6, -6, 6, 0.15)
    value = torch.zeros(1, plane.shape[1], dtype=torch.float64)
    value[0, int(((plane - torch.tensor([[0.2], [0.5]])) ** 2).sum(0).argmin())] = 1
    return readable_lattice.Lattice(plane), value


@number(
    "If one value is on three vertices, how many hold something after the blur along the first direction?",
    unit="vertices",
    slips={
        3: "You counted those that had something before. The blur gives half to both neighbours as well.",
        3
        * 3: "You counted all neighbours. Two of the three vertices are neighbours along the direction, and share.",
        3 + 2: "You gave neighbours to one vertex only. All three pass something on.",
        3 * 2: "You counted neighbours only. The vertices keep what they have.",
        5
        + 3: "You perhaps saw one overlap. Two of the three vertices are neighbours, so each gives to the other.",
    },
)
def vertices_after_one_blur():
    lattice, value = _in_the_plane()
    _, table = drawing.steps(lattice, value)[1]
    count = int((table > 0).sum())
    return Answer(count, shows=f"{count} vertices")


ALWAYS, NONE_MISSING, NEVER = "always", "only where no vertex is missing", "never"


@choice(
    "When are the results the same if we blur along the directions in the opposite order?",
    (ALWAYS, NONE_MISSING, NEVER),
    slips={
        ALWAYS: "One way from vertex to vertex may cross a missing one, and what flows there is lost.",
        NEVER: "Two steps along two directions lead to the same vertex in either order.",
    },
)
def opposite_order():
    picture, _ = sketch("astronaut")
    row = torch.tensor(picture[80, 110:410].mean(1))
    pixels = readable_lattice.Lattice(torch.stack([torch.arange(300) / 18, row / 45]))
    same = []
    for lattice, value in (_in_the_plane(), (pixels, torch.ones(1, 300, dtype=torch.float64))):
        table = lattice.splat(value)
        same.append(torch.allclose(lattice.blur(table), lattice.blur(table, transpose=True)))
    answer = {(True, True): ALWAYS, (True, False): NONE_MISSING, (False, False): NEVER}[tuple(same)]
    return Answer(answer, shows=tuple(f"the same: {each}" for each in same))


EVERYWHERE, INSIDE, NOWHERE = "everywhere", "inside, and not near the two ends", "nowhere"


@choice(
    "Where does the lattice on a line give the same answers as our grid?",
    (EVERYWHERE, INSIDE, NOWHERE),
    slips={
        EVERYWHERE: "Beyond the ends the lattice stores nothing, so what flows out there is lost.",
        NOWHERE: "On a line a simplex is the piece between two grid points, and the three steps are the same.",
    },
)
def same_as_the_grid():
    positions = np.sort(np.random.default_rng(0).uniform(0, 20, 2000))
    positions, ones = positions - positions.min(), np.ones(2000)
    lattice = readable_lattice.Lattice(torch.tensor(positions)[None])
    found = lattice.filter(torch.tensor(ones)[None])[0].numpy()
    difference = np.abs(found - line_filter.gaussian_filter(ones, positions)) / found
    middle = difference[(positions > 3) & (positions < positions.max() - 3)].max()
    answer = NOWHERE if middle > 0.001 else INSIDE if difference.max() > 0.001 else EVERYWHERE
    return Answer(answer, shows=f"{middle:.6f} inside, {difference.max():.2f} near the ends")
