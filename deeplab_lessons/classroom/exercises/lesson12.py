"""Exercises of lesson 12: a separable convolution's cost and its dense kernel, the decoder, the nearest one."""

import random
from collections.abc import Iterator

import torch
from torch import nn
from torch.nn import functional as F

from deeplab_lessons.classroom.exercises.cases import torch_generator
from deeplab_lessons.classroom.exercises.compare import show
from deeplab_lessons.classroom.exercises.framework import exercise, misconception
from deeplab_lessons.grid import Grid, upsample
from deeplab_lessons.heads import Decoder


def _decoder(seed: int, factor: int) -> Decoder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Decoder(6, 4, 2, factor, low_level_channels=4, channels=4).eval().requires_grad_(False)


def _map(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(1, *shape, generator=torch.Generator().manual_seed(seed)).relu()


def _show(value: object) -> str:
    """A decoder in words."""
    if not isinstance(value, Decoder):
        return show(value)
    return f"a decoder (factor {value.factor}) with .reduce, .refine and .classifier"


def _laid_over(decoder):
    """The right way to enlarge: cell i of the coarse map on the finer cell `factor * i`."""
    return lambda x, size: upsample(x, size, Grid(decoder.factor, 0.0))


def _decoded(decoder, x, low, enlarge=None, order=1):
    """The decoder with one thing done wrong."""
    low = decoder.reduce(low)
    x = (enlarge or _laid_over(decoder))(x, low.shape[2:])
    return decoder.classifier(decoder.refine(torch.cat([x, low][::order], dim=1)))


def _stretched(decoder, x, low, mode, **options):
    """The decoder with a wrong way to enlarge: one call of interpolate to the early map's size."""
    return _decoded(decoder, x, low, lambda x, size: F.interpolate(x, size, mode=mode, **options))


def _rank_one(matrices):
    left, sizes, right = torch.linalg.svd(matrices, full_matrices=False)
    return left[..., :, :1] * sizes[..., None, :1] * right[..., :1, :]


@exercise
class SeparableCost:
    """Warm-up: weights and multiply-adds of a separable convolution."""

    hints = (
        "The depthwise part has one kernel of k × k for each channel that comes in: no channel sees another.",
        "The pointwise part is a dense 1 × 1 convolution: each channel out has one weight for each channel in.",
        "Without stride each weight is used once at every cell of the map: multiply-adds are weights times cells.",
    )

    def separable_cost(kernel_size: int, in_channels: int, out_channels: int, cells: int) -> tuple[int, int]:
        """Weights and multiply-adds of a separable convolution on a map of `cells` cells; no bias, no batch norm.

        Source: DeepLab v3+, section 3.1, figure 3.
        """
        depthwise = kernel_size * kernel_size * in_channels
        pointwise = in_channels * out_channels
        return depthwise + pointwise, (depthwise + pointwise) * cells

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Kernel, channels in and out, cells: small ones first."""
        yield from (
            (3, 1, 1, 1),
            (3, 2, 4, 1),
            (1, 2, 3, 4),
            (3, 4, 2, 9),
            (5, 8, 16, 100),
            (3, 2048, 256, 1089),
        )
        while True:
            channels = rng.choice((8, 16, 64, 728)), rng.choice((8, 32, 256, 1024))
            yield rng.choice((1, 3, 5, 7)), *channels, rng.choice((4, 81, 1089, 16641))

    @misconception("The pointwise part is missing. Without it no channel would ever meet another.")
    def no_pointwise(k, i, o, cells):
        return (k * k * i, k * k * i * cells)

    @misconception("The depthwise part is missing. It is small, but it is the one that looks around.")
    def no_depthwise(k, i, o, cells):
        return (i * o, i * o * cells)

    @misconception(
        "The depthwise part is counted as a dense one here, with C · C' kernels. It has one kernel for each "
        "channel that comes in: k · k · C."
    )
    def dense_depthwise(k, i, o, cells):
        return (k * k * i * o + i * o, (k * k * i * o + i * o) * cells)

    @misconception(
        "This is the dense convolution: k · k · C · C'. A separable one adds where this one multiplies."
    )
    def dense(k, i, o, cells):
        return (k * k * i * o, k * k * i * o * cells)

    @misconception("A kernel has k rows of k taps: square the k.")
    def one_axis(k, i, o, cells):
        return (k * i + i * o, (k * i + i * o) * cells)

    @misconception(
        "The second part is counted as one k × k kernel for each channel out. It is a 1 × 1 convolution from all "
        "channels to all channels: C · C'."
    )
    def depthwise_twice(k, i, o, cells):
        return (k * k * i + k * k * o, (k * k * i + k * k * o) * cells)

    @misconception(
        "The depthwise part comes first: it has one kernel for each channel that comes in, not out."
    )
    def depthwise_of_outputs(k, i, o, cells):
        return (k * k * o + i * o, (k * k * o + i * o) * cells)

    @misconception("Both numbers are right, in the other order: weights first, then multiply-adds.")
    def swapped(k, i, o, cells):
        return ((k * k * i + i * o) * cells, k * k * i + i * o)

    @misconception("The weights are right. Multiply-adds count each weight once for every cell of the map.")
    def weights_twice(k, i, o, cells):
        return (k * k * i + i * o, k * k * i + i * o)

    @misconception("`cells` is the number of all cells already, rows times columns. Don't square it.")
    def cells_squared(k, i, o, cells):
        return (k * k * i + i * o, (k * k * i + i * o) * cells * cells)


@exercise
class DenseKernel:
    """The dense kernel of a separable convolution."""

    hints = (
        "Follow one weight of the input: channel c, tap (y, x). The depthwise part multiplies it by "
        "`depthwise[c, 0, y, x]`, and the pointwise part takes that to output o with `pointwise[o, c, 0, 0]`.",
        "Entry (o, c, y, x) is the product of the two. Broadcasting does it: [O, C, 1, 1] times [C, k, k].",
    )

    def dense_kernel(depthwise: torch.Tensor, pointwise: torch.Tensor) -> torch.Tensor:
        """Kernel [O, C, k, k] of the one dense convolution that both parts make, one after the other.

        `depthwise` is [C, 1, k, k], `pointwise` [O, C, 1, 1].
        """
        return pointwise * depthwise[:, 0]

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Depthwise and pointwise kernels."""
        yield torch.arange(1.0, 10).view(1, 1, 3, 3), torch.tensor([2.0, -1]).view(2, 1, 1, 1)
        yield (
            torch.arange(1.0, 19).view(2, 1, 3, 3),
            torch.tensor([[1.0, 0], [0, 10], [1, 10]]).view(3, 2, 1, 1),
        )
        while True:
            numbers = torch_generator(rng)
            size, inside, outside = rng.choice((1, 3, 5)), rng.randint(1, 4), rng.randint(1, 4)
            depthwise = torch.randn(inside, 1, size, size, generator=numbers)
            yield depthwise, torch.randn(outside, inside, 1, 1, generator=numbers)

    @misconception("The parts are added. One comes after the other, so the factors multiply.")
    def added(depthwise, pointwise):
        return pointwise + depthwise[:, 0]

    @misconception("Output and input channels have changed places. A kernel of torch is [out, in, k, k].")
    def channels_swapped(depthwise, pointwise):
        return (pointwise * depthwise[:, 0]).transpose(0, 1)

    @misconception(
        "The channels are summed into one. Summing is what the convolution does, later, with values of the map; "
        "the kernel keeps one shape for each channel in."
    )
    def channels_summed(depthwise, pointwise):
        return (pointwise * depthwise[:, 0]).sum(1, keepdim=True)

    @misconception("The depthwise kernel is turned around. torch's convolution does not flip kernels.")
    def flipped(depthwise, pointwise):
        return pointwise * depthwise[:, 0].flip(1, 2)

    @misconception("Rows and columns of the taps have changed places.")
    def taps_transposed(depthwise, pointwise):
        return (pointwise * depthwise[:, 0]).transpose(2, 3)

    @misconception("All channels get the kernel of channel 0. Each has one of its own.")
    def first_channel_only(depthwise, pointwise):
        return pointwise * depthwise[:1, 0]


@exercise
class Decode:
    """The decoder's forward pass."""

    parts = (Decoder.forward, upsample)
    trials = 25
    show = _show
    hints = (
        "Four steps: `decoder.reduce` for the early map; `upsample(x, (rows, columns), Grid(decoder.factor, 0.0))` "
        "for the coarse one; `torch.cat` along the channels; then `decoder.refine` and `decoder.classifier`.",
        "The size to which x is enlarged is that of the early map: `low.shape[2:]`.",
        "The coarse map comes first in `torch.cat`, as in lesson and package: [x, low], dim=1.",
    )

    def decode(decoder: nn.Module, x: torch.Tensor, low: torch.Tensor) -> torch.Tensor:
        """Logits at the early map's cells from the pyramid's map x and the early map `low`.

        Source: DeepLab v3+, section 3.1, figure 2.
        """
        low = decoder.reduce(low)
        x = upsample(x, low.shape[2:], Grid(decoder.factor, 0.0))
        both = torch.cat([x, low], dim=1)
        return decoder.classifier(decoder.refine(both))

    def same(got: torch.Tensor, expected: torch.Tensor) -> bool:
        """Same shape, and equal but for rounding."""
        return got.shape == expected.shape and torch.allclose(got, expected, atol=1e-4, rtol=1e-3)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Small decoders, a coarse and an early map with as many channels, so that their order can be missed."""
        yield _decoder(0, 4), _map(0, 4, 2, 2), _map(1, 6, 5, 5)
        yield _decoder(1, 4), _map(2, 4, 2, 2), _map(3, 6, 8, 8)
        while True:
            seed, factor = rng.randrange(10**6), rng.choice((2, 4))
            rows, columns = rng.randint(2, 3), rng.randint(2, 3)
            fine = [factor * (cells - 1) + 1 + rng.randrange(factor) for cells in (rows, columns)]
            yield _decoder(seed, factor), _map(seed + 1, 4, rows, columns), _map(seed + 2, 6, *fine)

    @misconception(
        "The two maps are concatenated in the other order. The channels sum up all the same, so nothing "
        "complains, but each weight meets another channel than the one it was trained on: the coarse map comes "
        "first."
    )
    def other_order(decoder, x, low):
        return _decoded(decoder, x, low, order=-1)

    @misconception(
        "The coarse map is stretched over the whole fine one (align_corners=False). That moves it: its cell i "
        "must lie on the finer cell `factor * i`. `upsample` with `Grid(decoder.factor, 0.0)` does that."
    )
    def stretched_by_edges(decoder, x, low):
        return _stretched(decoder, x, low, "bilinear", align_corners=False)

    @misconception(
        "This is right where the fine map has factor · (h - 1) + 1 cells, as 129 = 4 · 32 + 1. On 128 it pulls the "
        "last cell to the edge, and everything before it with it. `upsample` repeats the last cell instead."
    )
    def stretched_by_corners(decoder, x, low):
        return _stretched(decoder, x, low, "bilinear", align_corners=True)

    @misconception("Each coarse cell is repeated as it is here. The decoder enlarges bilinearly.")
    def repeated_cells(decoder, x, low):
        return _stretched(decoder, x, low, "nearest")

    @misconception(
        "The early map is thinned out to the coarse one. Then its details are gone, and the logits are as coarse "
        "as v3's. Enlarge the coarse map instead."
    )
    def on_the_coarse_map(decoder, x, low):
        low = decoder.reduce(low)[..., :: decoder.factor, :: decoder.factor]
        return decoder.classifier(decoder.refine(torch.cat([x, low], dim=1)))

    @misconception(
        "Everything happens on the coarse map, and only the logits are enlarged. The 3 × 3 convolutions must see "
        "the details of the early map: enlarge first, then concatenate."
    )
    def enlarged_late(decoder, x, low):
        return _laid_over(decoder)(Decode.on_the_coarse_map(decoder, x, low), low.shape[2:])

    @misconception("These are the refined features. The classifier is still missing.")
    def no_classifier(decoder, x, low):
        return decoder.refine(torch.cat([_laid_over(decoder)(x, low.shape[2:]), decoder.reduce(low)], dim=1))


@exercise
class NearestSeparable:
    """Stretch: the separable convolution closest to a dense one."""

    trials = 60
    hints = (
        "Take one channel c: `kernel[:, c]` is [O, k, k]. In a separable convolution all its O kernels are multiples "
        "of one shape. As a matrix [O, k · k], all rows are multiples of one row: its rank is 1.",
        "The closest matrix of rank 1 is the first part of the singular value decomposition: "
        "`left[:, :1] * sizes[0] * right[:1]`.",
        "`torch.linalg.svd` takes many matrices at once, here [C, O, k · k]; `full_matrices=False`. Afterwards bring "
        "the axes back in order: [O, C, k, k].",
    )

    def nearest_separable(kernel: torch.Tensor) -> torch.Tensor:
        """The kernel [O, C, k, k] of a separable convolution that lies closest to a dense one of the same shape.

        Closest: the sum of squared differences is least. By Eckart and Young that is the largest singular part of each
        channel's matrix [O, k · k].
        """
        shapes = kernel.flatten(2).transpose(0, 1)  # [C, O, k * k]: what all outputs do with one channel
        left, sizes, right = torch.linalg.svd(shapes, full_matrices=False)
        best = left[:, :, :1] * sizes[:, None, :1] * right[:, :1]
        return best.transpose(0, 1).reshape(kernel.shape)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Dense kernels in double precision: separable ones first, then any."""
        one = torch.arange(1.0, 10, dtype=torch.float64).view(1, 1, 3, 3)
        yield (torch.cat([one, -2 * one]),)
        yield (torch.cat([one, one.transpose(2, 3)]),)
        while True:
            numbers = torch_generator(rng)
            shape = rng.randint(2, 5), rng.randint(2, 4), 3, 3
            yield (torch.randn(shape, generator=numbers, dtype=torch.float64),)

    @misconception(
        "Here each *output* has one shape for all channels. The depthwise part belongs to the channels that come "
        "in: one shape for each of them, which all outputs share."
    )
    def shape_of_each_output(kernel):
        return _rank_one(kernel.flatten(2)).reshape(kernel.shape)

    @misconception(
        "This leaves one pattern for the whole kernel, and all outputs are multiples of each other. Take each "
        "input channel for itself: a matrix [O, k · k]."
    )
    def one_pattern(kernel):
        return _rank_one(kernel.flatten(1)).reshape(kernel.shape)

    @misconception(
        "Each single k × k kernel is split into a column and a row here. That is another kind of separable: in "
        "height and width. Ours separates taps from channels."
    )
    def rows_and_columns(kernel):
        return _rank_one(kernel)

    @misconception(
        "This is the kernel itself. As soon as two outputs use different shapes on one channel, no separable "
        "convolution has it."
    )
    def unchanged(kernel):
        return kernel

    @misconception(
        "The best parts are found. They are still [C, O, k · k], and `.reshape` does not bring axes back in order: "
        "`.transpose(0, 1)` first."
    )
    def axes_not_back(kernel):
        return _rank_one(kernel.flatten(2).transpose(0, 1)).reshape(kernel.shape)

    @misconception(
        "The shapes and strengths are right but for their size: the largest singular value is missing."
    )
    def without_sizes(kernel):
        left, _, right = torch.linalg.svd(kernel.flatten(2).transpose(0, 1), full_matrices=False)
        return (left[:, :, :1] * right[:, :1]).transpose(0, 1).reshape(kernel.shape)

    @misconception(
        "The shape of each channel is the mean over the outputs. It is a separable kernel, but not the closest: "
        "outputs of opposite sign cancel in a mean. The singular value decomposition finds the best shape."
    )
    def mean_shape(kernel):
        """The mean shape of each channel, fitted to each output."""
        shape = kernel.mean(0)
        strength = (kernel * shape).sum((2, 3), keepdim=True) / (shape * shape).sum((1, 2), keepdim=True)
        return strength * shape

    @misconception(
        "All outputs have the same kernel here. The pointwise part may give each its own strength and sign."
    )
    def one_kernel_for_all(kernel):
        return kernel.mean(0, keepdim=True).expand_as(kernel).clone()
