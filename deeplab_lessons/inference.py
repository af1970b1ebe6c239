"""From a coarse map of scores to labels of the picture's own size, and how good they are."""

import contextlib
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from deeplab_lessons import metrics, parallel
from deeplab_lessons.datasets import Pairs, as_picture, transforms, voc_colours
from deeplab_lessons.datasets.palettes import few
from deeplab_lessons.datasets.report import lacking
from deeplab_lessons.files import whole_file
from deeplab_lessons.grid import PIXELS, Grid, grid_of, logits_of, upsample
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX
from deeplab_lessons.models.multi_scale import rescaled

#: Anything that makes logits [N, C, h, w] from images [N, 3, H, W].
Model = Callable[[torch.Tensor], torch.Tensor]
_SOFTWARE = "deeplab-lessons segment"  # in every overlay


class ManyViews(torch.nn.Module):
    """A trained network that is shown every picture at several `scales`, and with `flip` mirrored, too.

    Normalised images [N, 3, H, W] -> log-probabilities [N, C, H, W]: the mean of the views' probabilities. For
    measuring only. `grid`: for a network that does not state its own. Raises ValueError for scales that are not
    positive.
    Source: DeepLab v3, section 4.1 (mean over scales and mirror images).
    """

    grid = PIXELS

    def __init__(
        self,
        model: torch.nn.Module,
        scales: Sequence[float] = (1.0,),
        flip: bool = False,
        grid: Grid | None = None,
    ):
        super().__init__()
        if not scales or min(scales) <= 0:
            raise ValueError(f"scales must be positive shares of the picture's size, got {tuple(scales)}")
        self.model, self.scales, self.flip = model, tuple(scales), flip
        self.model_grid = grid_of(model, grid)
        self.training = model.training  # and not `train`, which would set the mode of every module inside

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Log-probabilities of all views together."""
        views = [self.view(images, scale) for scale in self.scales]
        if self.flip:
            views += [self.view(images.flip(-1), scale).flip(-1) for scale in self.scales]
        fused = torch.stack(views).mean(0)
        return (fused / fused.sum(1, keepdim=True)).clamp(min=torch.finfo(fused.dtype).tiny).log()

    def view(self, images: torch.Tensor, scale: float) -> torch.Tensor:
        """Probabilities [N, C, H, W] found on the images at one scale."""
        logits = logits_of(self.model(rescaled(images, scale))).float()
        return upsample(logits, images.shape[2:], self.model_grid.at_scale(scale)).softmax(1)


@contextlib.contextmanager
def own_modes(model: Model) -> Iterator[None]:
    """Within this block anything may switch modes, and what learns; afterwards both are as they were."""
    modes = [(part, part.training) for part in getattr(model, "modules", tuple)()]
    learn = [(weight, weight.requires_grad) for weight in getattr(model, "parameters", tuple)()]
    try:
        yield
    finally:
        for part, training in modes:  # by a network's own `train`, for what it does beside setting modes
            if part.training != training:
                part.train(training)
        for part, training in modes:
            part.training = training
        for weight, learns in learn:
            weight.requires_grad_(learns)


def scores(model: Model, image: torch.Tensor, grid: Grid | None = None) -> torch.Tensor:
    """Return the scores of one normalised image [3, H, W] at its own size: [C, H, W], on the model's device."""
    grid, device = grid_of(model, grid), torch.device("cpu")
    with own_modes(model), torch.inference_mode():
        if isinstance(model, torch.nn.Module):
            device = next((p.device for p in model.parameters()), device)
            if any(part.training for part in model.modules()):
                model.eval()
        logits = logits_of(model(image.as_subclass(torch.Tensor)[None].to(device)))
        return upsample(logits.float(), image.shape[1:], grid)[0]


def check_image(image: torch.Tensor) -> None:
    """Raise ValueError unless `image` is a float tensor [3, H, W]."""
    if image.ndim != 3 or len(image) != 3 or not image.is_floating_point():
        raise ValueError(
            f"an image tensor must be float [3, H, W] and normalised, got {image.dtype} {list(image.shape)}: "
            "datasets.transforms.normalise makes one from a picture, a numpy array uint8 [H, W, 3]"
        )


def predict(
    model: Model, image: torch.Tensor | np.ndarray | Image.Image | str | Path, grid: Grid | None = None
) -> np.ndarray:
    """Return the best class of each pixel, uint8 [H, W], at the picture's own size.

    `image` is a normalised tensor [3, H, W], a picture uint8 [H, W, 3], a PIL image or a path; `grid`: if the model
    states none. Raises ValueError for anything else, FileNotFoundError or ValueError for a file that is no picture.
    """
    if not isinstance(image, torch.Tensor):
        image = transforms.normalise(as_picture(image))
    check_image(image)
    return scores(model, image, grid).argmax(0).to(torch.uint8).cpu().numpy()


def overlay(picture: np.ndarray, labels: np.ndarray, palette: np.ndarray, opacity: float = 0.6) -> np.ndarray:
    """Lay the colours of `labels` [H, W] over `picture` uint8 [H, W, 3]; `opacity` 1 hides it. uint8 [H, W, 3]."""
    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity is between 0 (the picture alone) and 1 (the labels alone), got {opacity}")
    mixed = (1 - opacity) * picture + opacity * np.asarray(palette)[labels]
    return mixed.round().astype(np.uint8)


def overlay_paths(
    pictures: Sequence[str | Path], output: str | Path | None = None, overwrite: bool = False
) -> list[Path]:
    """Return the PNG that `segment` writes for each of `pictures`, once it is certain that nothing is lost by it.

    `output` is a file that ends in .png, or a folder for files `NAME-segmented.png`; None puts them beside the
    pictures. Raises ValueError where a picture or another overlay would be replaced, FileExistsError where any other
    file would be (with `overwrite` only what `segment` has not written), and PermissionError for a folder in which
    nothing can be written.
    """
    paths = [Path(picture).parent / f"{Path(picture).stem}-segmented.png" for picture in pictures]
    if output is not None and (Path(output).is_dir() or not Path(output).suffix):
        paths = [Path(output) / path.name for path in paths]
    elif output is not None:
        if Path(output).suffix.lower() != ".png" or len(paths) > 1:
            raise ValueError(f"{output} is neither a folder nor, for one picture, a PNG: pass another output")
        paths = [Path(output)]
    taken = {_place(picture): f"the picture {picture}" for picture in pictures}
    for path, picture in zip(paths, pictures, strict=True):
        if (replaced := taken.get(_place(path))) is not None:
            way_out = "pass another output, or one picture at a time"
            raise ValueError(f"the overlay of {picture} would replace {replaced}: {way_out}")
        taken[_place(path)] = f"the overlay of {picture}"
        if os.path.lexists(path) and not overwrite:
            raise FileExistsError(f"{path} is there already: pass overwrite=True or another output")
        if os.path.lexists(path) and not _is_overlay(path):
            raise FileExistsError(f"{path} is not an overlay that was written here: pass another output")
        folder = next(parent for parent in path.absolute().parents if parent.exists())
        if not (folder.is_dir() and os.access(folder, os.W_OK)):
            raise PermissionError(f"{path} cannot be written in {folder}: pass another output")
    return paths


def _is_overlay(path: Path) -> bool:
    """Whether `segment` has written a file: it says so in it."""
    try:
        with Image.open(path) as image:
            return image.info.get("Software") == _SOFTWARE
    except (OSError, ValueError):
        return False


def _place(path: str | Path) -> str:
    """The file that a name leads to, through links, and on a disk that does not tell capitals from small letters."""
    return os.path.realpath(path).casefold()


def segment(
    model: Model,
    path: str | Path,
    output: str | Path | None = None,
    palette: np.ndarray | None = None,
    opacity: float = 0.6,
    grid: Grid | None = None,
    overwrite: bool = False,
) -> Path:
    """Write the picture at `path` with the predicted classes in colour; return the file written, a PNG.

    `output` and `overwrite` as in `overlay_paths`. `palette` is uint8 [256, 3], PASCAL VOC's colours by default.
    Raises what `overlay_paths` and `predict` raise.
    """
    if Path(path).is_dir():
        raise IsADirectoryError(f"{path} is a folder: pass the pictures in it")
    (output,), picture = overlay_paths([path], output, overwrite), as_picture(path)
    labels = predict(model, picture, grid)
    coloured = overlay(picture, labels, voc_colours() if palette is None else palette, opacity)
    with whole_file(output) as part:
        mark = PngInfo()
        mark.add_text("Software", _SOFTWARE)
        Image.fromarray(coloured).save(part, "PNG", pnginfo=mark)
    return output


@dataclass(frozen=True)
class Scores:
    """What a model got right: `confusion` int64 [C, C] (rows true, columns predicted); shares are 0 … 1.

    `trimap` maps the width of a band around the boundaries, in pixels, to the confusion inside it.
    """

    confusion: torch.Tensor
    classes: tuple[str, ...] = ()
    trimap: dict[int, torch.Tensor] = field(default_factory=dict)

    @property
    def iou(self) -> dict[str, float]:
        """Intersection over union of each class; NaN for one that is neither there nor predicted."""
        names = self.classes or [str(label) for label in range(len(self.confusion))]
        return dict(zip(names, metrics.iou_per_class(self.confusion).tolist(), strict=True))

    @property
    def missing(self) -> list[str]:
        """The classes that are neither there nor predicted, which the mean is without."""
        return [name for name, value in self.iou.items() if value != value]

    @property
    def mean_iou(self) -> float:
        """Mean of the classes' IoU, NaN left out."""
        return metrics.mean_iou(self.confusion)

    @property
    def pixel_accuracy(self) -> float:
        """Share of judged pixels with the right class."""
        return metrics.pixel_accuracy(self.confusion)

    @property
    def trimap_mean_iou(self) -> dict[int, float]:
        """Mean IoU inside each band: {width in pixels: share}."""
        return {width: metrics.mean_iou(confusion) for width, confusion in self.trimap.items()}

    def __repr__(self) -> str:
        total, missing = len(self.confusion), self.missing
        over = f" over {total - len(missing)} of {total} classes (without {few(missing)})" if missing else ""
        lines = [f"mIoU {100 * self.mean_iou:.1f} %{over}, pixel accuracy {100 * self.pixel_accuracy:.1f} %"]
        lines += [f"  {name:<14}{100 * value:5.1f} %" for name, value in self.iou.items()]
        bands = self.trimap_mean_iou.items()
        lines += [f"  within {width:>2} px{'':<4}{100 * value:5.1f} %" for width, value in bands]
        return "\n".join(lines)


def evaluate(
    model: Model,
    dataset: Sequence | Pairs,
    trimap: Iterable[int] | None = None,
    progress: bool = False,
    grid: Grid | None = None,
) -> Scores:
    """Compare `model` with every pair (image, mask) of `dataset`, each at the size of its labels.

    `trimap`: widths of bands around label boundaries, in pixels, to measure inside as well. `model` may also return a
    dict with the entry "out"; `grid` is for one that does not state its own. Inside `parallel.process_group` each
    process takes every n-th picture, and all of them get the whole result. Raises ValueError for a data set that is
    empty or all void, labels that the model does not know, and a map that cannot lie on its grid.
    """
    from tqdm.auto import tqdm

    if len(dataset) < 1:
        raise ValueError("nothing to evaluate: the data set is empty")
    shared = parallel.world_size() <= len(dataset)
    share = range(len(dataset))[parallel.rank() :: parallel.world_size()] if shared else range(len(dataset))
    confusion, void, bands = torch.tensor(0), torch.tensor(0), dict.fromkeys(trimap or (), torch.tensor(0))
    for index in tqdm(share, desc="evaluating", disable=not progress):
        image, mask = dataset[index]
        found, labels = scores(model, image, grid), np.asarray(mask)
        num_classes, drawn = len(found), found.argmax(0).cpu().numpy()
        void += int((labels == IGNORE_INDEX).sum())
        confusion = confusion + metrics.confusion_matrix(drawn, labels, num_classes, IGNORE_INDEX)
        if bands:
            inside = metrics.trimap_confusions(drawn, labels, num_classes, bands)
            bands = {width: bands[width] + matrix for width, matrix in inside.items()}
    if shared:
        confusion, void = parallel.sum_over_processes(confusion), parallel.sum_over_processes(void)
        bands = {width: parallel.sum_over_processes(matrix) for width, matrix in bands.items()}
    classes = tuple(getattr(dataset, "classes", ()))
    counts = dict(enumerate(confusion.sum(1).tolist())) | {IGNORE_INDEX: int(void)}
    if doubt := lacking(counts, classes, len(dataset)):
        if not confusion.any():
            raise ValueError(doubt)
        warnings.warn(doubt, stacklevel=1)  # always from here: Python does not repeat it at each validation
    return Scores(confusion, classes if len(classes) == len(confusion) else (), bands)
