"""The course's networks, each a backbone and a head: `deeplab` builds any of them by the name of its version.

`V1_TABLE` has the rows of v1's table 2; `MultiScale` wraps a network for inputs at three sizes (v2);
`torchvision_deeplab_v3` and the small `mobile_deeplab_v3` come trained.
"""

import inspect
from collections.abc import Callable

from torch import nn

from deeplab_lessons.checks import check_choice
from deeplab_lessons.models.multi_scale import MultiScale
from deeplab_lessons.models.v1 import V1_TABLE, DeepLabV1, deeplab_v1
from deeplab_lessons.models.v2 import DeepLabV2, deeplab_v2
from deeplab_lessons.models.v3 import DeepLabV3, deeplab_v3, mobile_deeplab_v3, torchvision_deeplab_v3
from deeplab_lessons.models.v3plus import DeepLabV3Plus, deeplab_v3plus

__all__ = [
    "V1_TABLE", "DeepLabV1", "DeepLabV2", "DeepLabV3", "DeepLabV3Plus", "MultiScale", "deeplab", "deeplab_v1",
    "deeplab_v2", "deeplab_v3", "deeplab_v3plus", "mobile_deeplab_v3", "torchvision_deeplab_v3",
]  # fmt: skip

VERSIONS: dict[str, Callable] = {
    "v1": deeplab_v1,
    "v2": deeplab_v2,
    "v3": deeplab_v3,
    "v3plus": deeplab_v3plus,
}


def deeplab(version: str, num_classes: int = 21, **options) -> nn.Module:
    """Build any DeepLab: "v1", "v2", "v3" or "v3plus", with that version's own options.

    The network takes images [N, 3, H, W] and gives logits [N, num_classes, h, w] at its `output_stride`, sizes
    rounded up, not enlarged. Every version has `backbone`, `weights` (the backbone's) and `width`, as in
    `backbones`; the others are in the docstrings of `deeplab_v1`, `deeplab_v2`, `deeplab_v3` and `deeplab_v3plus`.
    The network remembers all of them except the weights as `arguments`: `deeplab(**model.arguments)` builds it again.
    Raises ValueError for an unknown version, an option that it has not (naming those that exist) or values that
    do not go together.
    """
    check_choice("version", version, VERSIONS)
    known = {name: inspect.signature(build).parameters for name, build in VERSIONS.items()}
    unknown = [option for option in options if option not in known[version]]
    if unknown:
        owners = ", ".join(name for name in VERSIONS if unknown[0] in known[name])
        raise ValueError(
            f"DeepLab {version} has no option {', '.join(unknown)}"
            f"{f' ({unknown[0]} belongs to {owners})' if owners else ''}; it has {', '.join(known[version])}"
        )
    model = VERSIONS[version](num_classes, **options)
    defaults = {name: each.default for name, each in known[version].items() if name != "weights"}
    given = {name: value for name, value in options.items() if name != "weights"}
    model.arguments = {"version": version, **defaults, "num_classes": num_classes, **given}
    return model
