"""One door to every version: `deeplab("v3plus", backbone="resnet101", output_stride=16)`."""

import inspect

from torch import nn

from deeplab_lessons.models.v1 import deeplab_v1
from deeplab_lessons.models.v2 import deeplab_v2
from deeplab_lessons.models.v3 import deeplab_v3
from deeplab_lessons.models.v3plus import deeplab_v3plus

VERSIONS = {"v1": deeplab_v1, "v2": deeplab_v2, "v3": deeplab_v3, "v3plus": deeplab_v3plus}


def deeplab(version: str, num_classes: int = 21, **options) -> nn.Module:
    """Any DeepLab: "v1", "v2", "v3" or "v3plus", with that version's own options.

    The network takes pictures [N, 3, H, W] and gives logits [N, num_classes, h, w] at its `output_stride`, not
    enlarged. Every version has `backbone`, `weights` and `width`; the others are in the docstrings of `deeplab_v1`,
    `deeplab_v2`, `deeplab_v3` and `deeplab_v3plus`. Raises ValueError for an unknown version or an option that
    it has not, naming those that exist.
    """
    if version not in VERSIONS:
        known = ", ".join(f'"{known}"' for known in VERSIONS)
        raise ValueError(f"version must be one of {known}; got {version!r}")
    build = VERSIONS[version]
    known = inspect.signature(build).parameters
    unknown = [name for name in options if name not in known]
    if unknown:
        raise ValueError(
            f"DeepLab {version} has no option {', '.join(unknown)}"
            f"{_elsewhere(unknown[0])}; it has {', '.join(known)}"
        )
    return build(num_classes, **options)


def _elsewhere(option: str) -> str:
    """Which versions have an option, in brackets; nothing where none has."""
    names = [name for name, build in VERSIONS.items() if option in inspect.signature(build).parameters]
    return f" ({option} belongs to {', '.join(names)})" if names else ""
