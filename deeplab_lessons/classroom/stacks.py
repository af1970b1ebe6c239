"""Stacks of layers that the lessons and the explorer share, as lists of `arithmetic.Layer`."""

from dataclasses import replace

from deeplab_lessons.arithmetic import Layer, path_counts, receptive_fields


def plain(depth: int = 3) -> list[Layer]:
    """Return `depth` undilated 3-tap convolutions."""
    return [Layer(3, padding=1, name=f"conv{i}") for i in range(1, depth + 1)]


def dilated(*rates: int) -> list[Layer]:
    """Return a 3-tap convolution per dilation, size kept: `dilated(1, 2, 4)` covers, `dilated(2, 2, 2)` grids."""
    return [Layer(3, padding=rate, dilation=rate, name=f"conv{i}") for i, rate in enumerate(rates, 1)]


def holes(layers: list[Layer]) -> int:
    """Return how many pixels inside a unit's box reach the unit by no path.

    Raises ValueError for a box of more than 1,000 pixels.
    """
    size = receptive_fields(layers)[-1].size
    if size > 1000:
        raise ValueError(f"the field must have at most 1,000 pixels to count its holes, got {size}")
    inside = [replace(layer, padding=0) for layer in layers]
    return path_counts(inside, 0, input_size=size).count(0)


def vgg16() -> list[Layer]:
    """Return VGG16 up to fc6 read as a 7-tap convolution: stride 32."""
    return _vgg(pool4=Layer(2, 2, name="pool4"), pool5=Layer(2, 2, name="pool5"), fc6=Layer(7, name="fc6"))


def deeplab_v1(kernel_size: int = 7, rate: int = 4, dilated_pool5: bool = True) -> list[Layer]:
    """Return DeepLab v1 on VGG16 up to fc6: pool4 and pool5 at stride 1, conv5 at dilation 2, stride 8.

    The four rows of the paper's table are (7, 4), (4, 4), (4, 8) and (3, 12). The two pools add their missing
    cells at the end, so that unit 4j sees what unit j of VGG16 sees. Source: DeepLab v1, section 3.1 and table
    2; the dilated pool5 is what makes the conversion of 2x2 pools exact.
    """
    step = 2 if dilated_pool5 else 1
    return _vgg(
        pool4=Layer(2, 1, (0, 1), name="pool4"),
        pool5=Layer(2, 1, (0, step), dilation=step, name="pool5"),
        fc6=Layer(kernel_size, dilation=rate, name="fc6"),
        rate5=2,
    )


def _vgg(pool4: Layer, pool5: Layer, fc6: Layer, rate5: int = 1) -> list[Layer]:
    pools = [*(Layer(2, 2, name=f"pool{block}") for block in (1, 2, 3)), pool4, pool5]
    layers = []
    for block, (convs, pool) in enumerate(zip((2, 2, 3, 3, 3), pools, strict=True), 1):
        rate = rate5 if block == 5 else 1
        layers += [Layer(3, 1, rate, rate, name=f"conv{block}_{i}") for i in range(1, convs + 1)]
        layers.append(pool)
    return [*layers, fc6]
