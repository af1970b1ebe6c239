"""A reader's picture, whatever it is stored as: upright, red, green and blue."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps


def as_picture(source: str | Path | bytes | np.ndarray | Image.Image) -> np.ndarray:
    """A picture uint8 [H, W, 3] from a path, the bytes of a file, a PIL image or an array of that form.

    The camera's note on how it was held (EXIF) is followed, transparent places become white, grey becomes three
    equal channels, 16 bits become 8. Raises FileNotFoundError, and ValueError for what is no picture.
    """
    if isinstance(source, np.ndarray):
        if source.ndim != 3 or source.shape[2] != 3 or source.dtype != np.uint8:
            raise ValueError(
                f"a picture must be uint8 [H, W, 3], got {source.dtype} {list(source.shape)}; "
                "a normalised image goes in as a torch tensor [3, H, W]"
            )
        return source
    image = source if isinstance(source, Image.Image) else _opened(source)
    return np.array(_in_three_channels(ImageOps.exif_transpose(image)))


def _opened(source: str | Path | bytes) -> Image.Image:
    """A PIL image from a path or from the bytes of a file, read to its end."""
    raw = isinstance(source, (bytes, bytearray, memoryview))
    name = "the file" if raw else str(source)
    try:
        image = Image.open(io.BytesIO(bytes(source)) if raw else Path(source).expanduser())
        image.load()
        return image
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no picture {name}") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = str(error).partition("<")[0].strip()
        raise ValueError(
            f"{name} cannot be read as a picture ({reason}). JPEG and PNG work; phones may save HEIC, which does "
            "not: export the photograph as JPEG first"
        ) from None


def _in_three_channels(image: Image.Image) -> Image.Image:
    """Any mode as RGB: white where it is transparent, and 16 bits brought down to 8."""
    if image.mode.startswith("I"):
        return Image.fromarray((np.array(image).astype(np.uint32) >> 8).astype(np.uint8)).convert("RGB")
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")
