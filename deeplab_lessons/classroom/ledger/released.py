"""The multiply-adds that DeepLab v3+ prints, what lies between them and ours, and what others change."""

import math

import torch

from deeplab_lessons.backbones.resnet import DEPTHS, STEM_STRIDE
from deeplab_lessons.heads import atrous_rates
from deeplab_lessons.models.v3plus import deeplab_v3plus
from deeplab_lessons.receptive_field import Row, trace

#: Multiply-adds in 10⁹ for one image, by backbone, output stride of the encoder, decoder, separable.
#: Source: DeepLab v3+, tables 3 and 5.
PRINTED = {
    ("resnet101", 32, False, False): 52.43, ("resnet101", 32, True, False): 74.20,
    ("resnet101", 16, False, False): 81.02, ("resnet101", 16, True, False): 101.28,
    ("resnet101", 8, False, False): 276.18, ("resnet101", 8, True, False): 297.92,
    ("xception", 16, False, False): 68.00, ("xception", 16, True, False): 89.76,
    ("xception", 8, False, False): 240.85, ("xception", 8, True, False): 262.59,
    ("xception", 16, True, True): 54.17, ("xception", 8, True, True): 177.10,
}  # fmt: skip
SIZE = 513  # pixels per side. Source: DeepLab v3+, section 4.
#: What well-known re-implementations do differently, as options of `deeplab_v3plus` at output stride 16.
DEVIATIONS = {
    "one 3 x 3 in the decoder": {"decoder_convolutions": 1},
    "rates of output stride 8": {"rates": atrous_rates(8)},
    "no multi-grid": {"multi_grid": None},
}


def account(
    backbone: str = "resnet101", output_stride: int = 16, decoder: bool = True, separable: bool = False
) -> dict[str, float]:
    """Multiply-adds in 10⁹ of one row of the paper's tables: ours, what the released form adds, and the print.

    "ours": our network, counted by `trace` at 513 pixels. "backbone": what the released ResNet-101 needs more, with
    three 3 x 3 for the first 7 x 7, and with the stride at the end of a stage (`released_resnet101`). "filling": what
    TensorFlow computes outside the map (`filling`). "sum" of the three; "printed" in the paper. They agree within
    0.4 %, but for ResNet-101 at 16 with decoder: the paper prints 1.5 less there than its other rows lead to.
    Raises KeyError for a row that is not in `PRINTED`.
    """
    printed = PRINTED[backbone, output_stride, decoder, separable]
    with torch.device("meta"):
        model = deeplab_v3plus(21, backbone, output_stride, decoder=decoder, separable=separable)
    table = trace(model, SIZE)
    parts = {"ours": table.multiply_adds, "backbone": 0}
    if backbone == "resnet101":
        own = sum(row.multiply_adds for row in table.rows if row.name.startswith("backbone."))
        parts["backbone"] = released_resnet101(output_stride) - own
    parts["filling"] = sum(filling(row) for row in table)
    parts["sum"] = sum(parts.values())
    return {name: number / 1e9 for name, number in parts.items()} | {"printed": printed}


def filling(row: Row) -> int:
    """Multiply-adds of a dilated convolution outside its map, as TensorFlow runs it.

    It cuts the map into one small map for each place of the dilation's grid and fills it up to a multiple of the
    dilation first: 33 cells become 36 at a dilation of 18, and a fifth of the work is for nothing.
    """
    if not row.dilation or max(row.dilation) == 1:
        return 0
    filled = math.prod(math.ceil(n / d) * d for n, d in zip(row.map_size, row.dilation, strict=True))
    return row.multiply_adds // math.prod(row.map_size) * (filled - math.prod(row.map_size))


def released_resnet101(output_stride: int, size: int = SIZE) -> int:
    """Multiply-adds of the released ResNet-101 on an image of `size` pixels per side.

    Its stem is three 3 x 3 (64, 64, 128 channels), and a stage has its stride in its last block's 3 x 3, so that the
    blocks' 1 x 1 after it work on the smaller map. Source: the released code, `resnet_v1_101_beta`.
    """
    half = math.ceil(size / 2)
    total = half**2 * 9 * (3 * 64 + 64 * 64 + 64 * 128)
    cells, stride, before = math.ceil(half / 2), STEM_STRIDE, 128
    for stage, count in enumerate(DEPTHS[101][1]):
        wide = 64 * 2**stage
        for block in range(count):
            steps = block == count - 1 and stage < 3 and stride < output_stride
            after = math.ceil(cells / 2) if steps else cells
            shortcut = before * 4 * wide if block == 0 else 0
            total += cells**2 * before * wide + after**2 * (9 * wide * wide + wide * 4 * wide + shortcut)
            cells, stride, before = after, stride * 2 if steps else stride, 4 * wide
    return total
