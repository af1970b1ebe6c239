"""Pictures and labels changed together, on torchvision's `transforms.v2`.

All randomness is drawn from torch's global generator: `torch.manual_seed(n)` before a sample fixes that sample, in
whichever worker process it is made. So a training that seeds each iteration can stop, resume, or use other workers.
"""

import numpy as np
import torch
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode, v2

from deeplab_lessons.datasets.reading import as_picture
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX

#: Mean and standard deviation of ImageNet's pictures, for red, green and blue in 0 … 1 (torchvision's).
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class RandomScale(v2.Transform):
    """Resize picture and labels by one factor, drawn evenly from `scale`: (smallest, largest).

    Pictures are resized bilinearly, labels by "nearest-exact": torch's older "nearest" shifts them by half a pixel.
    Source: DeepLab v2, section 4.1.2 ("randomly scaling the input images (from 0.5 to 1.5)"). Raises ValueError for
    factors that are not positive or in the wrong order.
    """

    def __init__(self, scale: tuple[float, float] = (0.5, 1.5)):
        super().__init__()
        if not 0 < scale[0] <= scale[1]:
            raise ValueError(f"scale must be (smallest, largest) with 0 < smallest <= largest, got {scale}")
        self.scale = scale

    def make_params(self, flat_inputs):
        """Draw the factor, and with it the new size in pixels."""
        image = next(x for x in flat_inputs if isinstance(x, tv_tensors.Image))
        height, width = v2.functional.get_size(image)
        factor = torch.empty(()).uniform_(*self.scale).item()
        return {"size": [max(1, round(height * factor)), max(1, round(width * factor))]}

    def transform(self, inpt, params):
        """Resize one picture or one label map."""
        way = InterpolationMode.NEAREST_EXACT
        if isinstance(inpt, tv_tensors.Image):
            way = InterpolationMode.BILINEAR
        resized = v2.functional.resize_image(inpt.as_subclass(torch.Tensor)[None], params["size"], way)[0]
        return tv_tensors.wrap(resized, like=inpt)


def train(
    size: int | tuple[int, int], scale: tuple[float, float] | None = (0.5, 1.5), flip: float = 0.5
) -> v2.Compose:
    """Return the transform for training: random scale, random crop of `size` (side, or (H, W)), flip, normalise.

    A picture smaller than the crop is padded with ImageNet's mean colour (0 after normalising) and void labels (255).
    `scale=None` leaves the size, `flip=0` never mirrors.
    """
    mean = tuple(round(255 * value) for value in IMAGENET_MEAN)
    fill = {tv_tensors.Image: mean, tv_tensors.Mask: IGNORE_INDEX}
    steps: list[v2.Transform] = [] if scale is None else [RandomScale(scale)]
    steps += [v2.RandomCrop(size, pad_if_needed=True, fill=fill), v2.RandomHorizontalFlip(flip)]
    return v2.Compose([*steps, evaluate()])


def evaluate() -> v2.Compose:
    """Return the transform for measuring: the picture at its own size, normalised; nothing random, nothing cut."""
    dtypes = {tv_tensors.Image: torch.float32, tv_tensors.Mask: torch.int64, "others": None}
    return v2.Compose([v2.ToDtype(dtypes, scale=True), v2.Normalize(IMAGENET_MEAN, IMAGENET_STD)])


def reduced(picture: np.ndarray, longest_side: int | None) -> np.ndarray:
    """Return a picture, uint8 [H, W, 3], with no side above `longest_side` pixels; a smaller one as it is."""
    if longest_side is not None and longest_side < 1:
        raise ValueError(
            f"longest_side must be at least 1 pixel, got {longest_side!r}: pass None for all of it"
        )
    factor = (longest_side or 0) / max(picture.shape[:2])
    if not 0 < factor < 1:
        return picture
    height, width = (max(round(factor * side), 1) for side in picture.shape[:2])
    return np.array(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX))


def normalise(picture: np.ndarray) -> torch.Tensor:
    """Return a picture, uint8 [H, W, 3], as a network takes it: float32 [3, H, W], less mean, over deviation."""
    image = tv_tensors.Image(torch.from_numpy(np.ascontiguousarray(as_picture(picture))).permute(2, 0, 1))
    return evaluate()(image).as_subclass(torch.Tensor)


def denormalise(image: torch.Tensor) -> np.ndarray:
    """Undo `normalise`, to look at what a network was given: [3, H, W] to uint8 [H, W, 3]."""
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    picture = (image.as_subclass(torch.Tensor).cpu().float() * std + mean).clamp(0, 1)
    return (255 * picture).round().to(torch.uint8).permute(1, 2, 0).numpy()
