"""The stacks that the explorer offers, taken from `deeplab_lessons.classroom.stacks`."""

from deeplab_lessons.arithmetic import Layer
from deeplab_lessons.classroom import stacks

_RATES = (6, 12, 18, 24)  # of ASPP-L; `heads.ASPP_RATES` would bring torch along


def aspp_branch(rate: int) -> list[Layer]:
    """One branch of ASPP on the stride-8 VGG16: a 3-tap convolution of dilation `rate`, size kept.

    Source: DeepLab v2, section 3.2 (the rates of ASPP-L); 2x2 pools as in `stacks.deeplab_v1`.
    """
    return [*stacks.deeplab_v1()[:-1], Layer(3, 1, rate, rate, name=f"aspp, {rate}")]


def preset_table() -> dict[str, dict]:
    """Key of each preset -> its label, group, layers (as `Layer`) and a fitting input size in pixels."""
    small, nets, branches = "Small stacks", "Networks", "ASPP branches on VGG16"
    table = {
        "plain": ("plain 3×3, three layers", small, stacks.plain(3), 21),
        "dilated-1-2-4": ("dilated 1-2-4", small, stacks.dilated(1, 2, 4), 25),
        "gridding-2-2-2": ("gridding 2-2-2", small, stacks.dilated(2, 2, 2), 21),
        "vgg16": ("VGG16 up to fc6", nets, stacks.vgg16(), 513),
        "deeplab-v1": ("DeepLab v1, CRF-7x7", nets, stacks.deeplab_v1(), 513),
        "deeplab-v1-largefov": ("DeepLab v1, LargeFOV", nets, stacks.deeplab_v1(3, 12), 513),
    }
    for rate in _RATES:
        table[f"aspp-{rate}"] = (f"ASPP, rate {rate}", branches, aspp_branch(rate), 513)
    keys = ("label", "group", "layers", "input_size")
    return {name: dict(zip(keys, row, strict=True)) for name, row in table.items()}
