"""One interface for every data set: a picture with its labels, read safely, checked, and made fit for a network."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset
from torchvision import tv_tensors

from deeplab_lessons.datasets import transforms as _transforms

_KEPT = 2**30  # bytes of reduced pairs in memory


class Pairs(Dataset):
    """Base of the data sets, which say how to `read` one pair.

    - `dataset[i]` is what a network takes: picture, float32 [3, H, W], normalised, and labels,
      `tv_tensors.Mask` int64 [H, W]. `transforms` makes them; None means `transforms.evaluate()`.
    - `dataset.pair(i)` is what a person looks at: picture, uint8 [H, W, 3], and labels, uint8 [H, W].
    - `.classes` (names) and `.palette` (uint8 [256, 3]); void is 255 in every set.
    - `.longest_side`: larger pictures are reduced to it, with their labels, and kept in memory; None leaves them.

    `dataset[i]` depends on `i` and on torch's global generator only.
    """

    classes: tuple[str, ...]
    palette: np.ndarray
    longest_side: int | None = None

    def __init__(self, transforms: Callable | None = None):
        self._reduced: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}
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
        index %= len(self)
        if self.longest_side is None:
            return self.read(index)
        if (key := (index, self.longest_side)) in self._reduced:
            return self._reduced[key]
        picture, labels = self.read(index)
        picture = _transforms.reduced(picture, self.longest_side)
        size = picture.shape[1], picture.shape[0]
        labels = np.array(Image.fromarray(labels).resize(size, Image.Resampling.NEAREST))
        if len(self._reduced) * 4 * self.longest_side**2 < _KEPT:
            self._reduced[key] = picture, labels
        return picture, labels

    def labels(self, index: int) -> np.ndarray:
        """Return only the labels of a pair, uint8 [H, W]."""
        return self.pair(index)[1]

    def __getitem__(self, index: int) -> tuple[torch.Tensor, tv_tensors.Mask]:
        picture, labels = self.pair(index)
        image = torch.tensor(picture).permute(2, 0, 1).contiguous()  # a copy: transforms may write
        return self.transforms(tv_tensors.Image(image), tv_tensors.Mask(torch.tensor(labels)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} pairs, {len(self.classes)} classes)"


Data = Sequence | Pairs  #: what can be trained and measured on; a sequence holds (image, mask)
