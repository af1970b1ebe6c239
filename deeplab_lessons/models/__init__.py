"""The course's networks, each a backbone and a head, and what they cost.

- `deeplab_v1`: DeepLab v1 and the rows of its table 2 (`V1_TABLE`).
- `deeplab_v2`: DeepLab v2, with `MultiScale` around it for the inputs at three sizes.
- `mobile_deeplab_v3`: a small DeepLab v3 that comes trained.
- `describe`, `milliseconds`: a network's row in a table, and its time.
"""

from deeplab_lessons.models.measured import describe, milliseconds
from deeplab_lessons.models.mobile import MobileDeepLabV3, mobile_deeplab_v3
from deeplab_lessons.models.multi_scale import MultiScale
from deeplab_lessons.models.v1 import V1_TABLE, DeepLabV1, deeplab_v1
from deeplab_lessons.models.v2 import DeepLabV2, deeplab_v2

__all__ = [
    "V1_TABLE",
    "DeepLabV1",
    "DeepLabV2",
    "MobileDeepLabV3",
    "MultiScale",
    "deeplab_v1",
    "deeplab_v2",
    "describe",
    "milliseconds",
    "mobile_deeplab_v3",
]
