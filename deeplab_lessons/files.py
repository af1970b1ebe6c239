"""Files that are whole or absent, and names for results, which never replace a file of yours."""

import os
import secrets
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from deeplab_lessons.checks import check_choice

#: What `inference.segment` writes -> the last word of the file's name.
KINDS = {"overlay": "segmented", "labels": "labels"}
#: What it writes into each file, so that it knows its own.
SOFTWARE = "deeplab-lessons segment"


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield the name of a file next to `path`, this writer's own, which becomes `path` if the block ends well.

    At `path` is the old file or the new one, never half of one: the new one is forced to the disk and renamed in one
    step. After an error or Ctrl-C the unfinished file is removed.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        with open(part, "rb+") as file:
            os.fsync(file.fileno())  # on the disk before it gets its name
        os.replace(part, path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def overlay_paths(
    pictures: Sequence[str | Path], output: str | Path | None = None, overwrite=False, kind: str = "overlay"
) -> dict[Path, Path]:
    """Return {picture: PNG that `segment` writes for it}, once it is certain that nothing is lost by it.

    `pictures` are files, and folders for all pictures below them. `output` is a file that ends in .png, or a folder
    for files `NAME-segmented.png` (`kind` "labels": `NAME-labels.png`) in the same subfolders; None puts them next to
    the pictures. Raises ValueError where a picture or another overlay would be replaced, FileExistsError where any
    other file would be (with `overwrite` only what `segment` has not written), FileNotFoundError for a folder without
    pictures, and PermissionError for a folder in which nothing can be written.
    """
    check_choice("kind", kind, KINDS)
    one = Path(output) if output is not None and Path(output).suffix and not Path(output).is_dir() else None
    paths = list[tuple[Path, Path]]()
    for given in map(Path, pictures):
        for picture in pictures_below(given) if given.is_dir() else [given]:
            inside = picture.parent.relative_to(given) if given.is_dir() else ""
            folder = picture.parent if output is None else Path(output, inside)
            paths.append((picture, one or folder / f"{picture.stem}-{KINDS[kind]}.png"))
    if one and (one.suffix.lower() != ".png" or len(paths) > 1):
        raise ValueError(f"{output} is neither a folder nor, for one picture, a PNG: pass another output")
    taken = {_place(picture): f"the picture {picture}" for picture, _ in paths}
    for picture, path in paths:
        if (replaced := taken.get(_place(path))) is not None:
            way_out = "pass another output, or one picture at a time"
            raise ValueError(f"the overlay of {picture} would replace {replaced}: {way_out}")
        taken[_place(path)] = f"the overlay of {picture}"
        check_free(path, overwrite)
    return dict(paths)


def seen_below(folder: Path) -> list[Path]:
    """Return the files in a folder and below it, also through links, in the order of names, without hidden ones."""
    found, errors = list[Path](), list[OSError]()
    for top, folders, names in os.walk(folder, onerror=errors.append, followlinks=True):
        above = {here := Path(top).resolve(), *here.parents}  # a link to one of these would lead in a circle
        folders[:] = [f for f in folders if not (f.startswith(".") or Path(top, f).resolve() in above)]
        found += [Path(top, name) for name in names if not name.startswith(".")]
    for error in errors[:1]:
        raise error
    return [path for path in sorted(found) if path.is_file()]


def picture_endings() -> set[str]:
    """Return the endings of the files that Pillow reads: {".png", ".jpg", …}."""
    Image.init()
    return {ending for ending, kind in Image.registered_extensions().items() if kind in Image.OPEN}


def pictures_below(folder: Path) -> list[Path]:
    """Return the pictures in a folder and below it, but for hidden ones and what `segment` has written.

    Warns of files of other kinds; raises FileNotFoundError if there is no picture.
    """
    kinds, seen = picture_endings(), [path for path in seen_below(folder) if not _is_ours(path)]
    others = Counter(path.suffix or "without ending" for path in seen if path.suffix.lower() not in kinds)
    inside = ", ".join(f"{count} {ending}" for ending, count in others.most_common(5))
    if len(seen) == others.total():
        raise FileNotFoundError(f"{folder} holds no picture ({inside or 'it is empty'}): pass another folder")
    if inside:
        warnings.warn(f"{folder}: left out what cannot be read as a picture, {inside}", stacklevel=3)
    return [path for path in seen if path.suffix.lower() in kinds]


def save_png(image: Image.Image, path: Path) -> None:
    """Write a complete PNG or none, and into it that it was written here."""
    mark = PngInfo()
    mark.add_text("Software", SOFTWARE)
    with whole_file(path) as part:
        image.save(part, "PNG", pnginfo=mark)


def check_free(path: Path, overwrite: bool) -> None:
    """Raise FileExistsError or PermissionError if a result may not be, or cannot be, written to `path`."""
    if os.path.lexists(path) and not overwrite:
        raise FileExistsError(f"{path} is there already: pass overwrite=True or another output")
    if os.path.lexists(path) and not _is_ours(path):
        raise FileExistsError(f"{path} is not an overlay that was written here: pass another output")
    if folder := closed_above(path):
        raise PermissionError(f"{path} cannot be written in {folder}: pass another output")


def closed_above(path: Path) -> Path | None:
    """Return the folder, or file, because of which nothing can be written to `path`, or None."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    return None if folder.is_dir() and os.access(folder, os.W_OK) else folder


def _is_ours(path: Path) -> bool:
    """Whether `segment` has written a file: it says so in it."""
    try:
        with Image.open(path) as image:
            return image.info.get("Software") == SOFTWARE
    except (OSError, ValueError, Image.DecompressionBombError):
        return False


def _place(path: str | Path) -> str:
    """The file that a name leads to, through links, and on a disk that does not tell capitals from small letters."""
    return os.path.realpath(path).casefold()
