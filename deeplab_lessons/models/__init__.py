"""The course's networks, each a backbone and a head, and what they cost.

- `deeplab_v1`: DeepLab v1 and the rows of its table 2 (`V1_TABLE`).
- `deeplab_v2`: DeepLab v2, with `MultiScale` around it for the inputs at three sizes.
- `deeplab_v3`: DeepLab v3; `torchvision_deeplab_v3` is torchvision's, with its trained weights.
- `deeplab_v3plus`: DeepLab v3+.
- `deeplab`: any of them by the name of its version.
- `mobile_deeplab_v3`: a small DeepLab v3 that comes trained.
"""

from deeplab_lessons.models.factory import deeplab
from deeplab_lessons.models.mobile import MobileDeepLabV3, mobile_deeplab_v3
from deeplab_lessons.models.multi_scale import MultiScale
from deeplab_lessons.models.v1 import V1_TABLE, DeepLabV1, deeplab_v1
from deeplab_lessons.models.v2 import DeepLabV2, deeplab_v2
from deeplab_lessons.models.v3 import DeepLabV3, deeplab_v3, torchvision_deeplab_v3
from deeplab_lessons.models.v3plus import DeepLabV3Plus, deeplab_v3plus

__all__ = [
    "V1_TABLE",
    "DeepLabV1",
    "DeepLabV2",
    "DeepLabV3",
    "DeepLabV3Plus",
    "MobileDeepLabV3",
    "MultiScale",
    "deeplab",
    "deeplab_v1",
    "deeplab_v2",
    "deeplab_v3",
    "deeplab_v3plus",
    "mobile_deeplab_v3",
    "torchvision_deeplab_v3",
]
