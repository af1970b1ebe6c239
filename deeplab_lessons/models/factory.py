"""One door to every version: `deeplab("v3plus", backbone="resnet101", output_stride=16)`."""

import inspect
from collections.abc import Callable

from torch import nn

from deeplab_lessons.models.v1 import deeplab_v1
from deeplab_lessons.models.v2 import deeplab_v2
from deeplab_lessons.models.v3 import deeplab_v3
from deeplab_lessons.models.v3plus import deeplab_v3plus

VERSIONS: dict[str, Callable[..., nn.Module]] = {
    "v1": deeplab_v1,
    "v2": deeplab_v2,
    "v3": deeplab_v3,
    "v3plus": deeplab_v3plus,
}


def deeplab(version: str, num_classes: int = 21, **options) -> nn.Module:
    """Any DeepLab: "v1", "v2", "v3" or "v3plus", with that version's own options.

    The network takes pictures [N, 3, H, W] and gives logits [N, num_classes, h, w] at its `output_stride`, not
    enlarged. Every version has `backbone`, `weights` and `width`; the others are in the docstrings of `deeplab_v1`,
    `deeplab_v2`, `deeplab_v3` and `deeplab_v3plus`. Raises ValueError for an unknown version or an option that
    it has not, naming those that exist.
    """
    if version not in VERSIONS:
        choices = ", ".join(f'"{known}"' for known in VERSIONS)
        raise ValueError(f"unknown version {version!r}: choose from {choices}")
    known = {name: inspect.signature(build).parameters for name, build in VERSIONS.items()}
    unknown = [option for option in options if option not in known[version]]
    if unknown:
        owners = ", ".join(name for name in VERSIONS if unknown[0] in known[name])
        raise ValueError(
            f"DeepLab {version} has no option {', '.join(unknown)}"
            f"{f' ({unknown[0]} belongs to {owners})' if owners else ''}; it has {', '.join(known[version])}"
        )
    return VERSIONS[version](num_classes, **options)
