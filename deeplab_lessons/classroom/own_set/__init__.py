"""The set of lesson 13: twelve photographs that installed packages ship, with outlines drawn for the course.

    images, labels = own_set.write("my_photos")
    train = datasets.Folder(images, labels, own_set.CLASSES, split="train")

The photographs come from scikit-image and matplotlib, unchanged; those of coins are four parts of one, enlarged twice.
The outlines are labelme's files, next to this one: points placed by hand, moved to the nearest edge by a program, and
looked at; those of the second motorcycle are the first one's, carried over by the disparities that come with the pair.
`RULES` says what they hold, as you would explain it to an annotator.
"""

from pathlib import Path
from typing import NamedTuple

import matplotlib
import skimage
from PIL import Image

from deeplab_lessons.files import whole_file

CLASSES = ("background", "person", "coin", "motorcycle")

RULES = """\
person: body, hair and what is worn; not what is held (helmet, camera, tripod)
coin: to its rim
motorcycle: with mirrors, stand and wheels; also between the spokes; not the gap between the forks
void: where hand and tripod head cannot be told apart
background: everything else, the cat included"""


class Photograph(NamedTuple):
    """Where a photograph comes from: package, path in it, what its package says on rights, and the part of it."""

    package: str
    path: str
    rights: str
    part: tuple[int, int, int, int] | None = None  # left, top, right, bottom, in pixels


_COINS = "Greek coins from Pompeii, Brooklyn Museum: no known copyright restrictions"
_MOTORCYCLE = "Middlebury stereo benchmark 2014 (Scharstein et al., GCPR 2014): the package names no licence"

#: By name: the split's folder and the file. Three degrees of independence are meant: the people are three, the coins
#: of a part are others on the same table, and the motorcycle is one, seen by a camera 19 cm further to the right.
PHOTOGRAPHS = {
    "train/astronaut": Photograph("skimage", "astronaut.png", "Eileen Collins, NASA: public domain"),
    "train/cameraman": Photograph("skimage", "camera.png", "Lav Varshney: CC0"),
    "train/coffee": Photograph("skimage", "coffee.png", "Rachel Michetti: CC0"),
    "train/coins_1": Photograph("skimage", "coins.png", _COINS, (0, 0, 184, 150)),
    "train/coins_2": Photograph("skimage", "coins.png", _COINS, (184, 0, 384, 150)),
    "train/motorcycle_1": Photograph("skimage", "motorcycle_left.png", _MOTORCYCLE),
    "train/rocket": Photograph("skimage", "rocket.jpg", "SpaceX: public domain"),
    "val/coins_3": Photograph("skimage", "coins.png", _COINS, (0, 150, 182, 303)),
    "val/motorcycle_2": Photograph("skimage", "motorcycle_right.png", _MOTORCYCLE),
    "val/officer": Photograph("matplotlib", "grace_hopper.jpg", "Grace Hopper, US Navy: public domain"),
    "test/cat": Photograph("skimage", "chelsea.png", "Stefan van der Walt: CC0"),
    "test/coins_4": Photograph("skimage", "coins.png", _COINS, (207, 150, 384, 303)),
}

#: Kept apart: never trained on, never measured on while training.
UNSEEN = tuple(name for name in PHOTOGRAPHS if name.startswith("test/"))


def write(folder: str | Path) -> tuple[Path, Path]:
    """Write photographs and outlines to `folder`/images and `folder`/labels, say so, and return these two folders.

    In each are train, val and test. Files that are there as they should be are left. Raises FileExistsError, before
    anything is written, where a file of these names holds something else; FileNotFoundError for a package without its
    photograph.
    """
    images, labels = Path(folder) / "images", Path(folder) / "labels"
    files: dict[Path, bytes | Image.Image] = {}
    for name, photograph in PHOTOGRAPHS.items():
        source = _source(photograph)
        files[images / f"{name}{source.suffix}"] = _content(source, photograph.part)
        files[labels / f"{name}.json"] = (Path(__file__).parent / f"{Path(name).name}.json").read_bytes()
    new = [path for path, content in files.items() if not _is_there(path, content)]
    for path in new:
        with whole_file(path) as part:
            content = files[path]
            part.write_bytes(content) if isinstance(content, bytes) else content.save(part, "PNG")
    there = f", {len(files) - len(new)} were there" if len(new) < len(files) else ""
    print(f"{folder}: {len(PHOTOGRAPHS)} photographs and their outlines; files written: {len(new)}{there}")
    return images, labels


def _source(photograph: Photograph) -> Path:
    folders = {
        "skimage": Path(skimage.__file__).parent / "data",
        "matplotlib": Path(matplotlib.get_data_path()) / "sample_data",
    }
    path = folders[photograph.package] / photograph.path
    if not path.is_file():
        raise FileNotFoundError(
            f"{photograph.package} has no {path}: install it again, it ships this photograph"
        )
    return path


def _content(source: Path, part: tuple[int, int, int, int] | None) -> bytes | Image.Image:
    """The file as it is, or a part of the photograph at twice its size."""
    if part is None:
        return source.read_bytes()
    with Image.open(source) as whole:
        cut = whole.crop(part)
    return cut.resize((2 * cut.width, 2 * cut.height), Image.Resampling.BICUBIC)


def _is_there(path: Path, content: bytes | Image.Image) -> bool:
    """Whether `path` holds `content`; FileExistsError if it holds something else."""
    if not path.exists():
        return False
    if (path.read_bytes() if isinstance(content, bytes) else _pixels(path)) != content:
        raise FileExistsError(
            f"{path} is there and is not this set's: nothing was written. Pass another folder, or move that file"
        )
    return True


def _pixels(path: Path) -> Image.Image | None:
    """The image in a file, None if there is none: a PNG's bytes depend on who wrote it."""
    try:
        with Image.open(path) as image:
            return image.copy()
    except OSError:
        return None
