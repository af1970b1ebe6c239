"""From a coarse map of scores to labels of the picture's own size, and how good they are."""

import contextlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from deeplab_lessons import metrics, overlays, parallel
from deeplab_lessons.datasets import Pairs, as_picture, transforms, voc_colours
from deeplab_lessons.datasets.palettes import few
from deeplab_lessons.datasets.report import lacking
from deeplab_lessons.files import overlay_paths, save_png
from deeplab_lessons.grid import PIXELS, Grid, bilinear_weights, grid_of, logits_of, upsample
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX
from deeplab_lessons.models.multi_scale import rescaled
from deeplab_lessons.overlays import overlay

#: Anything that makes logits [N, C, h, w] from images [N, 3, H, W].
Model = Callable[[torch.Tensor], torch.Tensor]
#: Of photos, for a network that does not say what it was trained on. VOC's MobileNetV2 on 25 photos enlarged to 1024
#: has mIoU 62.8% when it is shown 320 pixels, 68.9% with 512, 67.9% with 768, and 63.5% with all 1024.
LONGEST_SIDE = 512
_AT_ONCE = 2**24  # scores that are enlarged together


class ManyViews(torch.nn.Module):
    """A trained network that is shown every picture at several `scales`, and with `flip` also mirrored.

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
            raise ValueError(f"scales must be positive fractions of the picture's size, got {tuple(scales)}")
        self.model, self.scales, self.flip = model, tuple(scales), flip
        self.model_grid = grid_of(model, grid)
        self.training = model.training  # and not `train`, which would set the mode of every module inside

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return log-probabilities of all views together."""
        views = [self.view(images, scale) for scale in self.scales]
        if self.flip:
            views += [self.view(images.flip(-1), scale).flip(-1) for scale in self.scales]
        fused = torch.stack(views).mean(0)
        return (fused / fused.sum(1, keepdim=True)).clamp(min=torch.finfo(fused.dtype).tiny).log()

    def view(self, images: torch.Tensor, scale: float) -> torch.Tensor:
        """Return probabilities [N, C, H, W] found on the images at one scale."""
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


def _logits(model: Model, image: torch.Tensor) -> torch.Tensor:
    """The model's logits [C, h, w], float32, of one normalised image [3, H, W], on the model's device."""
    device = torch.device("cpu")
    with own_modes(model), torch.inference_mode():
        if isinstance(model, torch.nn.Module):
            device = next((p.device for p in model.parameters()), device)
            if any(part.training for part in model.modules()):
                model.eval()
        return logits_of(model(image.as_subclass(torch.Tensor)[None].to(device))).float()[0]


def scores(model: Model, image: torch.Tensor, grid: Grid | None = None) -> torch.Tensor:
    """Return the scores of one normalised image [3, H, W] at its own size: [C, H, W], on the model's device."""
    grid = grid_of(model, grid)
    return upsample(_logits(model, image)[None], image.shape[1:], grid)[0]


def check_image(image: torch.Tensor) -> None:
    """Raise ValueError unless `image` is a float tensor [3, H, W]."""
    if image.ndim != 3 or len(image) != 3 or not image.is_floating_point():
        raise ValueError(
            f"an image tensor must be float [3, H, W] and normalised, got {image.dtype} {list(image.shape)}: "
            "datasets.transforms.normalise makes one from a picture, a numpy array uint8 [H, W, 3]"
        )


def predict(
    model: Model,
    image: torch.Tensor | np.ndarray | Image.Image | str | Path,
    grid: Grid | None = None,
    longest_side: int | None = None,
) -> np.ndarray:
    """Return the best class of each pixel, uint8 [H, W], at the picture's own size.

    `image` is a normalised tensor [3, H, W], a picture uint8 [H, W, 3], a PIL image or a path; `grid`: if the model
    states none. `longest_side`: a larger picture (no tensor) is shown to the network reduced to it, in pixels, and the
    scores are enlarged. Raises ValueError for anything else, FileNotFoundError or ValueError for a file that is no
    picture.
    """
    size: Sequence[int] | None = None
    if not isinstance(image, torch.Tensor):
        picture = as_picture(image)
        size, image = picture.shape[:2], transforms.normalise(transforms.reduced(picture, longest_side))
    check_image(image)
    return _best_classes(model, image, size or image.shape[1:], grid_of(model, grid))


def _best_classes(model: Model, image: torch.Tensor, size: Sequence[int], grid: Grid) -> np.ndarray:
    """The best class, uint8 [H, W], of each of `size` pixels of the picture that `image` shows, also reduced.

    A few rows at a time: 60 classes at each pixel of a 12-megapixel photo would take 2.9 GB.
    """
    logits, shown = _logits(model, image), image.shape[1:]
    grid.check(shown, logits.shape[1:])
    rows, columns = (
        bilinear_weights(pixels, cells, grid.enlarged(pixels / seen)).to(logits)
        for pixels, seen, cells in zip(size, shown, logits.shape[1:], strict=True)
    )
    strips = rows.split(max(_AT_ONCE // (len(logits) * size[1]), 1))
    best = [(strip @ logits @ columns.T).max(0).indices.to(torch.uint8).cpu() for strip in strips]
    return torch.cat(best).numpy()


def segment(
    model: Model,
    path: str | Path,
    output: str | Path | None = None,
    palette: np.ndarray | None = None,
    opacity: float = 0.6,
    grid: Grid | None = None,
    overwrite: bool = False,
    *,
    classes: Sequence[str] = (),
    kind: str = "overlay",
    longest_side: int | None = LONGEST_SIDE,
    legend: bool = True,
) -> Path:
    """Write the picture at `path` with the predicted classes in colour; return the file written, a PNG.

    `output` and `overwrite` as in `overlay_paths`, `opacity` as in `overlay`. `palette`: [C, 3], PASCAL VOC's colours
    by default. `classes`: the names for the `legend`; a first one such as "background" is left without colour.
    `kind` "labels" writes the class numbers instead, as a PNG with the palette, which `datasets.Folder` reads.
    `longest_side` as in `predict`: best that of the training images; None shows every picture at its own size.
    Raises what `overlay_paths` and `predict` raise.
    """
    if Path(path).is_dir():
        raise IsADirectoryError(f"{path} is a folder: pass the pictures in it")
    ((_, output),) = overlay_paths([path], output, overwrite, kind).items()
    picture, palette = as_picture(path), voc_colours() if palette is None else palette
    labels = predict(model, picture, grid, longest_side)
    if kind == "labels":
        drawn = Image.fromarray(labels)
        drawn.putpalette(overlays.padded(palette).tobytes())
    else:
        background = overlays.background_of(classes)
        coloured = overlay(picture, labels, palette, opacity, background)
        if legend and classes and opacity:
            names = overlays.legend_of(labels, classes, overlays.bright(palette), background)
            coloured = overlays.with_legend(coloured, names)
        drawn = Image.fromarray(coloured)
    save_png(drawn, output)
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
        """Fraction of the labelled pixels with the right class."""
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
