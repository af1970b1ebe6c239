"""The embedded set: scenes of shapes with photographic textures, made on the spot and without a network.

Each scene holds what makes segmentation hard: objects over an 8:1 range of sizes, thin poles and wires,
sharp boundaries, and a border of void pixels around everything. A shape has a texture picked at random, so
that only its outline tells its class. The same index gives the same scene at every size and on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

from deeplab_lessons.datasets.photographs import photograph

CLASSES = ("background", "disc", "box", "triangle", "pole", "wire")
IGNORE_INDEX = 255  # void: pixels that no loss and no score may count

SPLITS = ("train", "val", "test")
SMALLEST, LARGEST = 1 / 16, 1 / 2  # diameter of an object, as a share of the scene's side
BORDER = 1 / 128  # width of the void border around a shape, as a share of the scene's side

#: A shape: signed distance to its outline at points (x, y), negative inside; the unit is the scene's side.
Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]

_GROUNDS = ("grass", "gravel", "brick", "moon")
_SURFACES = ("astronaut", "chelsea", "coffee", "motorcycle", "rocket", "coins")


def scene(index: int, size: int = 128, split: str = "train") -> tuple[np.ndarray, np.ndarray]:
    """Scene number `index` of a split: picture, uint8 [size, size, 3], and labels, uint8 [size, size].

    Labels are indices into `CLASSES`, and 255 (void) in a thin border around each shape. Raises ValueError
    for an unknown split, a negative index or a size below 16 pixels.
    """
    if split not in SPLITS:
        raise ValueError(f"no split named {split!r}; there are: {', '.join(SPLITS)}")
    if index < 0 or size < 16:
        raise ValueError(f"a scene needs an index from 0 and a size from 16 pixels, got {index} and {size}")
    rng = np.random.default_rng([SPLITS.index(split), index])
    place = (np.arange(size, dtype=np.float32) + 0.5) / size
    x, y = place[None, :], place[:, None]
    picture, labels = _texture(rng, _GROUNDS, size), np.zeros((size, size), np.uint8)
    for label, outline in _shapes(rng):
        distance, surface = outline(x, y), _texture(rng, _SURFACES, size)
        labels[distance <= BORDER] = IGNORE_INDEX
        labels[distance <= 0] = label
        picture[distance <= 0] = surface[distance <= 0]
    return picture, labels


def _shapes(rng: np.random.Generator) -> Iterator[tuple[int, Distance]]:
    """Class and outline of each shape, hindmost first: poles, objects from large to small, wires."""
    for _ in range(rng.integers(1, 3)):
        yield CLASSES.index("pole"), _pole(rng)
    spread = math.log(LARGEST / SMALLEST)
    diameters = SMALLEST * np.exp(spread * rng.random(rng.integers(4, 8)))  # every octave equally often
    for diameter in sorted(diameters.tolist(), reverse=True):
        kind = int(rng.integers(3))
        yield CLASSES.index("disc") + kind, (_disc, _box, _triangle)[kind](rng, diameter / 2)
    for _ in range(rng.integers(1, 3)):
        yield CLASSES.index("wire"), _wire(rng)


def _disc(rng: np.random.Generator, radius: float) -> Distance:
    cx, cy = rng.random(2).tolist()
    return lambda x, y: np.sqrt((x - cx) ** 2 + (y - cy) ** 2) - radius


def _polygon(rng: np.random.Generator, corners: int, inner: float) -> Distance:
    """A regular polygon whose sides lie `inner` from its centre: the farthest of its half-planes decides."""
    (cx, cy), turn = rng.random(2).tolist(), rng.random() * math.tau
    sides = [turn + math.tau * i / corners for i in range(corners)]

    def distance(x, y):
        planes = [math.cos(a) * (x - cx) + math.sin(a) * (y - cy) for a in sides]
        return np.maximum.reduce(planes) - inner

    return distance


def _box(rng: np.random.Generator, radius: float) -> Distance:
    return _polygon(rng, 4, radius * math.cos(math.pi / 4))


def _triangle(rng: np.random.Generator, radius: float) -> Distance:
    return _polygon(rng, 3, radius * math.cos(math.pi / 3))


def _pole(rng: np.random.Generator) -> Distance:
    """A nearly upright bar from some height down to the lower edge, 1/50 to 1/28 of the side wide."""
    foot, top, lean = rng.random(), 0.1 + 0.4 * rng.random(), rng.normal(0, 0.05)
    half = (1 / 50 + (1 / 28 - 1 / 50) * rng.random()) / 2
    return lambda x, y: np.maximum(np.abs(x - foot - lean * (1 - y)) - half, top - y)


def _wire(rng: np.random.Generator) -> Distance:
    """A sagging line from edge to edge, 1/80 to 1/60 of the side wide."""
    left, right = (0.05 + 0.6 * rng.random(2)).tolist()
    sag, half = 0.25 * rng.random(), (1 / 80 + (1 / 60 - 1 / 80) * rng.random()) / 2

    def distance(x, y):
        slope = right - left + 4 * sag * (1 - 2 * x)
        height = left + (right - left) * x + 4 * sag * x * (1 - x)
        return np.abs(y - height) / np.sqrt(1 + slope**2) - half

    return distance


@cache
def _tile(name: str) -> np.ndarray:
    """The middle of a photograph, uint8 [288, 288, 3]."""
    picture = photograph(name)
    top, left = (picture.shape[0] - 288) // 2, (picture.shape[1] - 288) // 2
    return np.ascontiguousarray(picture[top : top + 288, left : left + 288])


def _texture(rng: np.random.Generator, names: tuple[str, ...], size: int) -> np.ndarray:
    """A random window of a random photograph in a random tint, uint8 [size, size, 3]."""
    tile = _tile(names[rng.integers(len(names))])
    window = 144 + 144 * rng.random()
    top, left = (rng.random(2) * (288 - window)).tolist()
    steps = np.arange(size) * (window / size)
    tint = np.arange(256)[:, None] * (0.55 + 0.45 * rng.random(3))  # per channel, for every grey value
    patch = tile[(top + steps).astype(int)[:, None], (left + steps).astype(int)[None, :]]
    return np.stack([tint.astype(np.uint8)[:, c][patch[..., c]] for c in range(3)], axis=-1)
