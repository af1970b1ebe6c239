"""Photographs that come inside scikit-image's wheel, hence need no network."""

import numpy as np

_COLOUR = ("astronaut", "chelsea", "coffee", "motorcycle", "rocket")
_GREY = ("brick", "camera", "coins", "grass", "gravel", "moon")


def photograph_names() -> tuple[str, ...]:
    """Names that `photograph` knows; the colour pictures first."""
    return _COLOUR + _GREY


def photograph(name: str) -> np.ndarray:
    """One of scikit-image's photographs, uint8 [H, W, 3]; grey ones have three equal channels.

    "chelsea" is a cat. Raises ValueError, with the names there are, for any other name.
    """
    from skimage import data

    if name not in photograph_names():
        raise ValueError(f"no photograph named {name!r}; there are: {', '.join(photograph_names())}")
    if name == "motorcycle":
        return data.stereo_motorcycle()[0]  # a stereo pair and its disparities: the left picture is enough
    picture = getattr(data, name)()
    return np.repeat(picture[..., None], 3, axis=2) if picture.ndim == 2 else picture
