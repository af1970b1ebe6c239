"""Pictures on their way into a widget: checked, cut to a square, side by side, inside their own address."""

import base64
import io

import numpy as np
from PIL import Image


def checked_picture(name: str, picture: np.ndarray, largest: int | None = None) -> np.ndarray:
    """Return the picture as an array. Raises ValueError if it isn't uint8 [H, W, 3] of at most `largest` pixels."""
    picture = np.asarray(picture)
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(f"{name} must be uint8 [H, W, 3], got {picture.dtype} {list(picture.shape)}")
    if largest is not None and max(picture.shape[:2]) > largest:
        raise ValueError(
            f"{name} may have at most {largest} pixels per side here, got {list(picture.shape[:2])}: "
            "pass a part of yours, or a smaller copy"
        )
    return picture


def middle_square(picture: np.ndarray, side: int, resample: int = Image.Resampling.BICUBIC) -> np.ndarray:
    """Return the largest square in the middle of a picture, `side` pixels per side: uint8 [side, side, 3]."""
    image = Image.fromarray(picture)
    least = min(image.size)
    left, top = (image.width - least) // 2, (image.height - least) // 2
    return np.asarray(image.crop((left, top, left + least, top + least)).resize((side, side), resample))


def data_url(image: np.ndarray | Image.Image, kind: str, **options) -> str:
    """Return an image inside its own address: it lives in a stored notebook and on a page without a server.

    `image` is uint8 [H, W, 3] or [H, W], or a PIL image; `kind` is "jpeg" or "png", `options` PIL's own.
    """
    file = io.BytesIO()
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    image.save(file, kind, **options)
    return f"data:image/{kind};base64," + base64.b64encode(file.getvalue()).decode()
