"""One interface for every data set: a picture with its labels, read safely, checked, and made fit for a network."""

import warnings
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch.utils.data import Dataset
from torchvision import tv_tensors

from deeplab_lessons.datasets import transforms as _transforms
from deeplab_lessons.datasets.palettes import few
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX


class Pairs(Dataset):
    """Base of the data sets, which say how to `read` one pair.

    - `dataset[i]` is what a network takes: picture, float32 [3, H, W], normalised, and labels,
      `tv_tensors.Mask` int64 [H, W]. `transforms` makes them; None means `transforms.evaluate()`.
    - `dataset.pair(i)` is what a person looks at: picture, uint8 [H, W, 3], and labels, uint8 [H, W].
    - `.classes` (names) and `.palette` (uint8 [256, 3]); void is 255 in every set.

    `dataset[i]` depends on `i` and on torch's global generator only.
    """

    classes: tuple[str, ...]
    palette: np.ndarray

    def __init__(self, transforms: Callable | None = None):
        self.transforms = _transforms.evaluate() if transforms is None else transforms

    def __len__(self) -> int:
        raise NotImplementedError

    def read(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Read picture, uint8 [H, W, 3], and labels, uint8 [H, W]."""
        raise NotImplementedError

    def pair(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return picture, uint8 [H, W, 3], and labels, uint8 [H, W], to look at; don't change them in place."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"there is no pair {index}: this set has {len(self)}, numbered from 0")
        return self.read(index % len(self))

    def labels(self, index: int) -> np.ndarray:
        """Return only the labels of a pair, uint8 [H, W]."""
        return self.pair(index)[1]

    def __getitem__(self, index: int) -> tuple[torch.Tensor, tv_tensors.Mask]:
        picture, labels = self.pair(index)
        image = torch.tensor(picture).permute(2, 0, 1).contiguous()  # a copy: transforms may write
        return self.transforms(tv_tensors.Image(image), tv_tensors.Mask(torch.tensor(labels)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} pairs, {len(self.classes)} classes)"


def check_label_maps(dataset: Sequence | Pairs, use: str, most: int = 1_000_000) -> None:
    """Raise ValueError if no pixel is labelled; warn if void (255) looks like a class that never occurs.

    `use`: "train" or "measure". Up to `most` label maps, spread over the set, are read until every class has occurred;
    with others unread, the error is a warning. Void looks like a class next to one class only, or on over a third of
    three or more maps: void borders of real sets are neither, while parts of these sets often lack a class.
    """
    counts, classes = Counter[int](), tuple(getattr(dataset, "classes", ())) or ("", "")
    read = range(0, len(dataset), max(-(-len(dataset) // most), 1))
    for i in read:
        labels = dataset.labels(i) if isinstance(dataset, Pairs) else torch.as_tensor(dataset[i][1]).cpu()
        values, pixels = np.unique(labels, return_counts=True)
        counts.update(dict(zip(values.tolist(), pixels.tolist(), strict=True)))
        if len(counts.keys() - {IGNORE_INDEX}) >= max(len(classes), 2):
            return
    share, seen = counts[IGNORE_INDEX] / max(counts.total(), 1), counts.keys() - {IGNORE_INDEX}
    if not share or (len(seen) > 1 and (len(read) < 3 or share <= 1 / 3)):
        return
    missing = few([f"{label} {name}".strip() for label, name in enumerate(classes) if label not in seen])
    message = (
        f"of {len(dataset)} label maps to {use} on, none of the {len(read)} read has a pixel of "
        f"{f'class {missing or 1}' if seen else 'any class'}, and {100 * share:.3g} % of their pixels are void (255), "
        "which is ignored. If 255 is a class in the files, pass ids to LabelMapFolder: ids={0: 0, 255: 1} for masks of "
        "0 and 255"
    )
    if not seen and len(read) == len(dataset):
        raise ValueError(message)
    warnings.warn(message, stacklevel=1)  # always from here: Python does not repeat it at each validation
