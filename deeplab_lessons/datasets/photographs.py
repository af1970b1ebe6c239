"""Photographs that come inside scikit-image's wheel, so they need no network."""

import numpy as np

from deeplab_lessons.datasets.pairs import check_choice

_COLOUR = ("astronaut", "chelsea", "coffee", "motorcycle", "rocket")
_GREY = ("brick", "camera", "coins", "grass", "gravel", "moon")


def photograph_names() -> tuple[str, ...]:
    """Return the names that `photograph` knows; the colour pictures first."""
    return _COLOUR + _GREY


def photograph(name: str) -> np.ndarray:
    """Return one of scikit-image's photographs, uint8 [H, W, 3]; grey ones have three equal channels.

    "chelsea" is a cat. Raises ValueError, with the choices, for any other name, and ImportError without
    scikit-image.
    """
    check_choice("photograph", name, photograph_names())
    try:
        from skimage import data
    except ImportError as error:
        raise ImportError(
            "the photographs, and the scenes made of them, come with scikit-image, which is not installed: "
            'pip install "deeplab-lessons[lab]"'
        ) from error
    if name == "motorcycle":
        return data.stereo_motorcycle()[0]  # a stereo pair and its disparities: the left picture is enough
    picture = getattr(data, name)()
    return np.repeat(picture[..., None], 3, axis=2) if picture.ndim == 2 else picture
