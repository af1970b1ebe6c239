"""The built-in scenes: shapes with photographic textures, made on the spot and without a network.

Objects over an 8:1 range of sizes, thin poles and wires, sharp boundaries, a border of void around all. Of discs,
boxes and triangles the colour of the rim and the outline show the class, while the inside is a photograph picked at
random: the middle of a large sign cannot be classified without seeing its rim. The same index gives the same scene at
every size and on every machine.
"""

import math
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

from deeplab_lessons.checks import check_choice
from deeplab_lessons.datasets import SETS, Pairs
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX
from deeplab_lessons.overlays import padded

CLASSES = ("background", "disc", "box", "triangle", "pole", "wire")
SPLITS = ("train", "val", "test")
SMALLEST, LARGEST = 1 / 16, 1 / 2  # diameter of an object, as a share of the scene's side
BORDER = 1 / 128  # width of the void border around a shape, as a share of the scene's side
RIM = 0.09  # width of a sign's rim, as a share of its diameter
RIM_COLOURS = {1: (0, 114, 178), 2: (213, 94, 0), 3: (0, 158, 115)}  # disc, box, triangle
GREYS = {4: (190, 0.25), 5: (20, 0.15)}  # pole, wire: darkest grey, and how much of the texture is added

#: A shape: signed distance to its outline at points (x, y), negative inside; the unit is the scene's side.
Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]

COUNTS = {"train": 1000, "val": 200, "test": 200}

#: Raise it by 1 whenever `scene` draws anything else for an index and a size (other shapes, other draws,
#: other photographs): kept networks carry it in their name, so one that saw older scenes is not taken again.
EDITION = 1

#: Colours of the classes: grey ground, then Okabe and Ito's, distinct for colour-blind readers too.
CLASS_COLOURS = ((217, 217, 217), (0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (0, 0, 0))

_COLOUR = ("astronaut", "chelsea", "coffee", "motorcycle", "rocket")
_GREY = ("brick", "camera", "coins", "grass", "gravel", "moon")
_GROUNDS = ("grass", "gravel", "brick", "moon")
_SURFACES = (*_COLOUR, "coins")
PHOTOGRAPHS = _COLOUR + _GREY  # what `photograph` knows


def photograph(name: str) -> np.ndarray:
    """Return one of scikit-image's photographs, uint8 [H, W, 3]; grey ones have three equal channels.

    "chelsea" is a cat. Raises ValueError, with the choices, for any other name, and ImportError without scikit-image.
    """
    check_choice("photograph", name, PHOTOGRAPHS)
    try:
        from skimage import data
    except ImportError as error:
        raise ImportError(
            "the photographs, and the scenes made of them, come with scikit-image, which is not installed: "
            'pip install "deeplab-lessons[lab]"'
        ) from error
    if name == "motorcycle":
        return data.stereo_motorcycle()[0]  # a stereo pair and its disparities: the left picture is enough
    picture = getattr(data, name)()
    return np.repeat(picture[..., None], 3, axis=2) if picture.ndim == 2 else picture


def scene(index: int, size: int = 128, split: str = "train") -> tuple[np.ndarray, np.ndarray]:
    """Draw scene number `index` of a split: picture, uint8 [size, size, 3], and labels, uint8 [size, size].

    Labels are indices into `CLASSES`, and 255 (void) in a thin border around each shape. Raises ValueError
    for an unknown split, a negative index or a size below 16 pixels.
    """
    check_choice("split", split, SPLITS)
    if index < 0 or size < 16:
        raise ValueError(f"a scene's index must be at least 0 and its size 16 pixels, got {index} and {size}")
    rng = np.random.default_rng([SPLITS.index(split), index])
    place = (np.arange(size, dtype=np.float32) + 0.5) / size
    x, y = place[None, :], place[:, None]
    picture, labels = _grey(_texture(rng, _GROUNDS, size)), np.zeros((size, size), np.uint8)
    for label, outline, rim in _shapes(rng):
        distance, surface = outline(x, y), _texture(rng, _SURFACES, size)
        inside = distance <= 0
        labels[distance <= BORDER] = IGNORE_INDEX
        labels[inside] = label
        picture[inside] = _painted(surface[inside], label, distance[inside] > -rim)
    return picture, labels


def _painted(surface: np.ndarray, label: int, at_rim: np.ndarray) -> np.ndarray:
    """A shape's pixels, uint8 [N, 3], as its class wears them: a sign with its rim, or a grey pole or wire."""
    if label in GREYS:
        darkest, share = GREYS[label]
        return (darkest + share * _grey(surface)).astype(np.uint8)
    surface[at_rim] = 0.3 * surface[at_rim] + 0.7 * np.array(RIM_COLOURS[label])
    return surface


def _grey(picture: np.ndarray) -> np.ndarray:
    """The mean of the three channels in each of them, uint8 [..., 3]."""
    grey = picture.sum(axis=-1, keepdims=True, dtype=np.uint16) // 3
    return np.repeat(grey.astype(np.uint8), 3, axis=-1)


def _shapes(rng: np.random.Generator) -> Iterator[tuple[int, Distance, float]]:
    """Class, outline and rim width of each shape, hindmost first: poles, signs from large to small, wires."""
    for _ in range(rng.integers(1, 3)):
        yield CLASSES.index("pole"), _pole(rng), 0.0
    spread = math.log(LARGEST / SMALLEST)
    diameters = SMALLEST * np.exp(spread * rng.random(rng.integers(4, 8)))  # every octave equally often
    for diameter in sorted(diameters.tolist(), reverse=True):
        kind = int(rng.integers(3))
        outline = _polygon(rng, 5 - kind, diameter / 2) if kind else _disc(rng, diameter / 2)
        yield CLASSES.index("disc") + kind, outline, RIM * diameter  # a disc, or a box, or a triangle
    for _ in range(rng.integers(1, 3)):
        yield CLASSES.index("wire"), _wire(rng), 0.0


def _disc(rng: np.random.Generator, radius: float) -> Distance:
    cx, cy = rng.random(2).tolist()
    return lambda x, y: np.sqrt((x - cx) ** 2 + (y - cy) ** 2) - radius


def _polygon(rng: np.random.Generator, corners: int, radius: float) -> Distance:
    """A regular polygon: of its half-planes, each `inner` from the centre, the farthest decides."""
    (cx, cy), turn = rng.random(2).tolist(), rng.random() * math.tau
    sides = [turn + math.tau * i / corners for i in range(corners)]
    inner = radius * math.cos(math.pi / corners)

    def distance(x, y):
        planes = [math.cos(a) * (x - cx) + math.sin(a) * (y - cy) for a in sides]
        return np.maximum.reduce(planes) - inner

    return distance


def _pole(rng: np.random.Generator) -> Distance:
    """A nearly vertical bar from some height down to the lower edge, 1/50 to 1/28 of the side wide."""
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


class Embedded(Pairs):
    """`count` scenes of a split ("train", "val" or "test"), `size` x `size` pixels: see `scene`.

    A scene takes size * size * 4 bytes; worker processes share what is made before they start. Raises ValueError for
    an unknown split.
    """

    classes = CLASSES
    palette = padded(CLASS_COLOURS)

    def __init__(
        self,
        split: str = "train",
        count: int | None = None,
        size: int = 128,
        transforms: Callable | None = None,
    ):
        check_choice("split", split, SPLITS)
        super().__init__(transforms)
        self.split, self.size = split, size
        self.count = COUNTS[split] if count is None else count
        self._kept: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def __len__(self) -> int:
        return self.count

    def read(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Make scene `index`, once: picture, uint8 [size, size, 3], and labels, uint8 [size, size]."""
        if index not in self._kept:
            self._kept[index] = scene(index, self.size, self.split)
        return self._kept[index]


SETS["embedded"] = (Embedded, "train", "val")
