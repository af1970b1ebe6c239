"""Exercises of lesson 12: a separable convolution's cost and kernels, the decoder's steps and its two maps."""

import random
from collections.abc import Iterator
from functools import partial

import torch
from torch.nn import functional as F

from deeplab_lessons.classroom.exercises.cases import torch_generator
from deeplab_lessons.classroom.exercises.framework import exercise, fault, misconception
from deeplab_lessons.classroom.exercises.orders import order
from deeplab_lessons.grid import Grid, upsample


@exercise
class SeparableCost:
    """Warm-up: weights and multiply-adds of a separable convolution."""

    trials = 100
    hints = (
        "How many kernels does the depthwise part have, and how large is each? No channel sees another there.",
        "It has one kernel of k × k for each channel in. The pointwise part is a dense 1 × 1: each channel out has "
        "one weight for each channel in.",
        "`weights = kernel_size**2 * in_channels + in_channels * out_channels`. Without stride, every cell uses each "
        "weight once.",
    )

    def separable_cost(kernel_size, in_channels, out_channels, cells):
        depthwise = kernel_size**2 * in_channels
        pointwise = in_channels * out_channels
        weights = depthwise + pointwise
        return weights, weights * cells

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Kernel, channels in and out, cells: small ones first, then the papers' sizes."""
        yield from ((3, 1, 1, 1), (3, 2, 4, 1), (1, 2, 3, 4), (3, 4, 2, 9), (2, 3, 5, 6), (5, 8, 16, 100))
        yield 3, 2048, 256, 1089
        while True:
            channels = rng.choice((3, 8, 64, 728)), rng.choice((1, 21, 32, 256))
            yield rng.randint(1, 7), *channels, rng.choice((4, 81, 1089, 16641))

    @misconception(
        "Your code leaves out the pointwise part. Without it no channel would ever meet another: add the 1 × 1."
    )
    def no_pointwise(k, i, o, cells):
        return (k * k * i, k * k * i * cells)

    @misconception(
        "Your code leaves out the depthwise part. It is small, but it is the one that looks around."
    )
    def no_depthwise(k, i, o, cells):
        return (i * o, i * o * cells)

    @misconception(
        "Your code counts the depthwise part as a dense one, with C · C' kernels. It has one kernel for each channel "
        "that comes in: k · k · C."
    )
    def dense_depthwise(k, i, o, cells):
        return (k * k * i * o + i * o, (k * k * i * o + i * o) * cells)

    @misconception(
        "Your code counts the dense convolution: k · k · C · C'. A separable one adds where the dense one multiplies."
    )
    def dense(k, i, o, cells):
        return (k * k * i * o, k * k * i * o * cells)

    @misconception("Your code counts a row of k taps. A kernel has k rows of them: square the k.")
    def one_axis(k, i, o, cells):
        return (k * i + i * o, (k * i + i * o) * cells)

    @misconception(
        "Your code counts the second part as one k × k kernel for each channel out. It is a 1 × 1 convolution from "
        "all channels to all channels: C · C'."
    )
    def depthwise_twice(k, i, o, cells):
        return (k * k * i + k * k * o, (k * k * i + k * k * o) * cells)

    @misconception(
        "Your code gives the depthwise part a kernel for each channel out. It comes first, so it has one for each "
        "channel in."
    )
    def depthwise_of_outputs(k, i, o, cells):
        return (k * k * o + i * o, (k * k * o + i * o) * cells)

    @misconception(
        "Your code gives the depthwise part one kernel for all channels. Each channel has a kernel of its own."
    )
    def one_depthwise_kernel(k, i, o, cells):
        return (k * k + i * o, (k * k + i * o) * cells)

    @misconception(
        "Your code counts a bias for each output of both parts. The exercise asks for convolutions without a bias."
    )
    def with_biases(k, i, o, cells):
        return (k * k * i + i * o + i + o, (k * k * i + i * o + i + o) * cells)

    @misconception("Both numbers are right, in the other order: weights first, then multiply-adds.")
    def swapped(k, i, o, cells):
        return ((k * k * i + i * o) * cells, k * k * i + i * o)

    @misconception(
        "The weights are right. Your code repeats them as multiply-adds, which count each weight once for every cell "
        "of the map."
    )
    def weights_twice(k, i, o, cells):
        return (k * k * i + i * o, k * k * i + i * o)

    @misconception("Your code squares `cells`. It counts all cells already, rows times columns.")
    def cells_squared(k, i, o, cells):
        return (k * k * i + i * o, (k * k * i + i * o) * cells * cells)

    @misconception(
        "The weights are right. Your code counts two operations for each weight and cell. A multiply-add is one: a "
        "product and its sum together."
    )
    def two_operations(k, i, o, cells):
        return (k * k * i + i * o, 2 * (k * k * i + i * o) * cells)

    @misconception(
        "Your code gives each channel out one weight in the pointwise part. A channel out reads every channel in: "
        "C · C' weights."
    )
    def pointwise_without_inputs(k, i, o, cells):
        return (k * k * i + o, (k * k * i + o) * cells)


@order
class DecoderSteps:
    """Order: from the two maps of the encoder to a label for each pixel."""

    hints = (
        "Which steps need only a map of the encoder? Those may come in either order.",
        "What must two maps have in common before one can be put on the other?",
        "The largest score is taken last: a label can't be enlarged, because a mean of labels isn't a label.",
    )
    needs = {
        "concatenate": ("reduce", "enlarge"),
        "score": ("concatenate",),
        "upsample": ("score",),
        "label": ("upsample",),
    }
    why = {
        ("concatenate", "reduce"): (
            "All 256 channels of the early map would go in, where the 3 × 3 expects the few that the 1 × 1 leaves."
        ),
        (
            "concatenate",
            "enlarge",
        ): "The pyramid's map still has fewer cells: two maps of different sizes do not fit.",
        ("score", "concatenate"): "The 3 × 3 convolutions refine both maps together, so both must be there.",
        ("upsample", "score"): (
            "The 3 × 3 convolutions work on the cells of the early map. On all pixels they would cost 16 times as much."
        ),
        ("label", "upsample"): (
            "Labels would be enlarged instead of scores, and between two classes a mean of their numbers would appear."
        ),
    }

    def start():
        numbers = torch.Generator().manual_seed(3)
        shapes = {"pyramid": (1, 1, 2, 3), "early": (1, 2, 5, 9), "1x1": (1, 2, 1, 1), "3x3": (3, 2, 3, 3)}
        return {name: torch.randn(shape, generator=numbers) for name, shape in shapes.items()}

    def result(state):
        return state["scores"]

    def reduce(state):
        """Reduce the early map to fewer channels with a 1 × 1."""
        state["early"] = F.conv2d(state["early"], state["1x1"]).relu()

    def enlarge(state):
        """Enlarge the pyramid's map to the cells of the early map."""
        state["pyramid"] = upsample(state["pyramid"], state["early"].shape[2:], Grid(4, 0.0))

    def concatenate(state):
        """Concatenate the pyramid's map and the early map."""
        state["both"] = torch.cat([state["pyramid"], state["early"]], dim=1)

    def score(state):
        """Refine with 3 × 3 convolutions, and turn the features of each cell into scores."""
        state["scores"] = F.conv2d(state["both"], state["3x3"], padding=1)

    def upsample(state):
        """Enlarge the result bilinearly to the pixels of the image."""
        state["scores"] = upsample(state["scores"], (17, 33), Grid(4, 0.0))

    def label(state):
        """Take the class with the largest score."""
        state["scores"] = state["scores"].argmax(1, keepdim=True).float()


def _fused(x, low, reduce, enlarge, order=1):
    """Both maps on the fine cells, with another way to enlarge or another order."""
    low = F.conv2d(low, reduce).relu()
    return torch.cat([enlarge(x, low.shape[2:]), low][::order], dim=1)


def _on_fine_cells(x, size):
    """The right way to enlarge: cell i of the coarse map on fine cell 4 i."""
    return upsample(x, size, Grid(4, 0.0))


def _padded(x, size, before):
    """Another way: a fraction `before` of the missing cells is added before the first row and column."""
    x = _on_fine_cells(x, [4 * n - 3 for n in x.shape[2:]])
    down, right = size[0] - x.shape[2], size[1] - x.shape[3]
    above, left = int(before * down), int(before * right)
    return F.pad(x, (left, right - left, above, down - above), mode="replicate")


@exercise
class Fuse:
    """Repair: the decoder's two maps, one on the other."""

    trials = 40
    hints = (
        "On which fine cell should coarse cell 1 be, and where is it here? Try 2 coarse cells on 8 fine ones.",
        "Corners coincide only at 4 · (h − 1) + 1 fine cells. Enlarge to that size first; the missing cells come "
        "after that.",
        'The decoder repeats its last row and column there: `F.pad(x, (0, right, 0, down), mode="replicate")`.',
    )

    def fuse(x, low, reduce):
        low = F.conv2d(low, reduce).relu()
        rows, columns = 4 * x.shape[2] - 3, 4 * x.shape[3] - 3
        x = F.interpolate(x, (rows, columns), mode="bilinear", align_corners=True)
        x = F.pad(x, (0, low.shape[3] - columns, 0, low.shape[2] - rows), mode="replicate")
        return torch.cat([x, low], dim=1)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Coarse map, early map with 1 to 4 fine cells from the last coarse one on, kernel of the 1 × 1."""
        one, two = torch.ones(1, 1, 1, 1), torch.tensor([[[[0.0, 12]]]])
        for columns in (5, 8, 6, 7):
            yield two, torch.arange(columns).float().view(1, 1, 1, columns) - 3, one
        yield two.mT - 6, torch.arange(8.0).view(1, 1, 8, 1) - 3, -2 * one
        while True:
            numbers, dtype = torch_generator(rng), rng.choice((torch.float32, torch.float64))
            batch, (coarse, early, reduced) = rng.randint(1, 3), rng.choices((1, 2, 3), k=3)
            rows, columns = rng.randint(1, 3), rng.randint(1, 4)
            fine = (4 * (cells - 1) + rng.randint(1, 4) for cells in (rows, columns))
            x = torch.randn(batch, coarse, rows, columns, generator=numbers)
            low = torch.randn(batch, early, *fine, generator=numbers)
            reduce = torch.randn(reduced, early, 1, 1, generator=numbers)
            yield x.to(dtype), low.to(dtype), reduce.to(dtype)

    @fault(
        "What is drawn is too far to the right and too low, and more so towards that edge of the image. On images "
        "of 16 n + 1 pixels nothing is wrong."
    )
    def corners_always(x, low, reduce):
        low = F.conv2d(low, reduce).relu()
        x = F.interpolate(x, low.shape[2:], mode="bilinear", align_corners=True)
        return torch.cat([x, low], dim=1)

    @misconception(
        "Your code stretches the coarse map from edge to edge (align_corners=False). Its cells then miss every fourth "
        "fine cell on maps of any size. Keep the corners, and look at the size."
    )
    def from_edge_to_edge(x, low, reduce):
        return _fused(x, low, reduce, lambda x, s: F.interpolate(x, s, mode="bilinear", align_corners=False))

    @misconception(
        "Your code makes four fine cells of each coarse one and cuts off the rest. Coarse cell i then lies on fine "
        "cell 4 i + 1.5. Keep the corners, and look at the size."
    )
    def four_times_and_cut(x, low, reduce):
        def cut(x, size):
            large = F.interpolate(x, scale_factor=4, mode="bilinear", align_corners=False)
            return large[..., : size[0], : size[1]]

        return _fused(x, low, reduce, cut)

    @misconception(
        "Your code repeats coarse cells as they are. The decoder enlarges bilinearly; it is the size to which it "
        "enlarges that is at fault."
    )
    def repeated(x, low, reduce):
        return _fused(x, low, reduce, F.interpolate)

    @misconception(
        "Your code gives the fine cells after the last coarse one the value 0, as if nothing were there. The decoder "
        "repeats the last row and column."
    )
    def zeros_at_the_end(x, low, reduce):
        def padded(x, size):
            x = upsample(x, [4 * n - 3 for n in x.shape[2:]], Grid(4, 0.0))
            return F.pad(x, (0, size[1] - x.shape[3], 0, size[0] - x.shape[2]))

        return _fused(x, low, reduce, padded)

    @misconception(
        "Your code cuts the early map to the cells up to the last coarse one. The scores must cover the whole image: "
        "keep all fine cells."
    )
    def early_map_cut(x, low, reduce):
        rows, columns = (4 * n - 3 for n in x.shape[2:])
        return _fused(x, low[..., :rows, :columns], reduce, _on_fine_cells)

    @misconception(
        "Your code puts the early map first. The channels sum up all the same, so nothing complains, but each weight "
        "after it meets another channel: the coarse map comes first."
    )
    def other_order(x, low, reduce):
        return _fused(x, low, reduce, _on_fine_cells, order=-1)

    @misconception(
        "Your code drops the ReLU after the 1 × 1, so the early map has negative values. The ReLU was right."
    )
    def no_relu(x, low, reduce):
        return torch.cat([_on_fine_cells(x, low.shape[2:]), F.conv2d(low, reduce)], dim=1)

    @misconception(
        "Your code applies the ReLU to both maps. Only the early one needs it here: negative values of x must stay."
    )
    def relu_on_both(x, low, reduce):
        return _fused(x, low, reduce, _on_fine_cells).relu()

    @misconception(
        "Your code thins out the early map to the coarse one. Then its details are gone: enlarge x instead."
    )
    def on_the_coarse_cells(x, low, reduce):
        return torch.cat([x, F.conv2d(low, reduce).relu()[..., ::4, ::4]], dim=1)

    @misconception(
        "Your code enlarges to four times the size with corners on corners, so coarse cells are more than four fine "
        "cells apart. Enlarge to 4 · (h − 1) + 1 cells."
    )
    def four_times_with_corners(x, low, reduce):
        def cut(x, size):
            large = F.interpolate(x, scale_factor=4, mode="bilinear", align_corners=True)
            return large[..., : size[0], : size[1]]

        return _fused(x, low, reduce, cut)

    @misconception(
        "Your code adds the missing cells before the first row and column, which moves all coarse cells. Coarse cell 0 "
        "is on fine cell 0: add them after the last."
    )
    def padded_at_the_start(x, low, reduce):
        return _fused(x, low, reduce, partial(_padded, before=1))

    @misconception(
        "Your code shares the missing cells between both ends, which moves the coarse cells. Coarse cell 0 is on fine "
        "cell 0: add all of them after the last."
    )
    def padded_on_both_sides(x, low, reduce):
        return _fused(x, low, reduce, partial(_padded, before=0.5))


@exercise
class DenseKernel:
    """The dense convolution of depthwise part, batch norm and pointwise part."""

    trials = 60
    hints = (
        "Follow one weight of the input, channel c and tap (y, x): which three numbers multiply it on its way to "
        "output o?",
        "`depthwise[c, 0, y, x]`, `scale[c]` and `pointwise[o, c, 0, 0]`. Broadcasting multiplies all: "
        "[O, C, 1, 1] times [C, k, k].",
        "What comes out of an input of zeros is the bias: `pointwise.flatten(1) @ shift`.",
    )

    def dense_kernel(depthwise, scale, shift, pointwise):
        scaled = scale[:, None, None] * depthwise[:, 0]
        kernel = pointwise * scaled
        bias = pointwise.flatten(1) @ shift
        return kernel, bias

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Depthwise kernel, scale and shift, pointwise kernel: numbered small ones first, then any."""
        taps = torch.arange(1.0, 9).view(2, 1, 2, 2)
        one, many = torch.tensor([2.0]), torch.tensor([1.0, -2.0])
        yield taps[:1], one, one + 1, torch.tensor([3.0, -1.0]).view(2, 1, 1, 1)
        yield taps, many, torch.zeros(2), torch.tensor([3.0, -1.0]).view(1, 2, 1, 1)
        yield taps, many, torch.tensor([5.0, 3.0]), torch.tensor([[1.0, 10], [0, 2]]).view(2, 2, 1, 1)
        while True:
            numbers, dtype = torch_generator(rng), rng.choice((torch.float32, torch.float64))
            size, inside, outside = rng.choice((1, 2, 3, 5)), rng.randint(1, 4), rng.randint(1, 4)
            depthwise = torch.randn(inside, 1, size, size, generator=numbers, dtype=dtype)
            scale, shift = torch.randn(2, inside, generator=numbers, dtype=dtype)
            yield depthwise, scale, shift, torch.randn(outside, inside, 1, 1, generator=numbers, dtype=dtype)

    @misconception(
        "Your code adds the two kernels. One part works on what the other returns, so their factors multiply."
    )
    def added(depthwise, scale, shift, pointwise):
        return pointwise + scale[:, None, None] * depthwise[:, 0], pointwise.flatten(1) @ shift

    @misconception(
        "Your code leaves batch norm out of the kernel. Its scale multiplies everything that goes through a channel."
    )
    def no_scale(depthwise, scale, shift, pointwise):
        return pointwise * depthwise[:, 0], pointwise.flatten(1) @ shift

    @misconception(
        "Your code swaps the kernel's output and input channels. A kernel in PyTorch is [out, in, k, k]."
    )
    def channels_swapped(depthwise, scale, shift, pointwise):
        kernel, bias = DenseKernel.dense_kernel(depthwise, scale, shift, pointwise)
        return kernel.transpose(0, 1), bias

    @misconception(
        "Your code sums the kernel over the channels in. The convolution does that later, with the map's values. "
        "Keep one kernel for each channel in."
    )
    def channels_summed(depthwise, scale, shift, pointwise):
        kernel, bias = DenseKernel.dense_kernel(depthwise, scale, shift, pointwise)
        return kernel.sum(1, keepdim=True), bias

    @misconception(
        "Your code flips the depthwise kernel. A convolution in PyTorch does not flip its kernel: leave it as it is."
    )
    def flipped(depthwise, scale, shift, pointwise):
        return DenseKernel.dense_kernel(depthwise.flip(2, 3), scale, shift, pointwise)

    @misconception(
        "Your code swaps rows and columns of the taps. Keep their order: [out, in, rows, columns]."
    )
    def taps_transposed(depthwise, scale, shift, pointwise):
        return DenseKernel.dense_kernel(depthwise.mT, scale, shift, pointwise)

    @misconception("Your code gives all channels the depthwise kernel of channel 0. Each has one of its own.")
    def first_channel_only(depthwise, scale, shift, pointwise):
        return DenseKernel.dense_kernel(depthwise[:1].expand_as(depthwise), scale, shift, pointwise)

    @misconception(
        "The kernel is right. Your code returns the shift as it is, one number for each channel in. The pointwise "
        "part mixes the shifts too, into one number for each output."
    )
    def shift_not_mixed(depthwise, scale, shift, pointwise):
        return DenseKernel.dense_kernel(depthwise, scale, shift, pointwise)[0], shift

    @misconception(
        "The kernel is right. Your code multiplies the shift by the scale. Batch norm multiplies first and adds the "
        "shift afterwards."
    )
    def shift_scaled(depthwise, scale, shift, pointwise):
        return DenseKernel.dense_kernel(depthwise, scale, scale * shift, pointwise)

    @misconception(
        "The kernel is right. Your code sends the shift through the depthwise kernel. Batch norm comes after that "
        "part: only the pointwise one is left."
    )
    def shift_through_both(depthwise, scale, shift, pointwise):
        kernel, _ = DenseKernel.dense_kernel(depthwise, scale, shift, pointwise)
        return kernel, (kernel * shift[:, None, None]).sum((1, 2, 3))

    @misconception(
        "The kernel is right. Your code ignores the shift. An input of zeros shows it, as the bias."
    )
    def no_bias(depthwise, scale, shift, pointwise):
        kernel, bias = DenseKernel.dense_kernel(depthwise, scale, shift, pointwise)
        return kernel, torch.zeros_like(bias)

    @misconception(
        "Your code returns the kernel only. Return a pair, with the bias that the shift leads to as the second."
    )
    def kernel_only(depthwise, scale, shift, pointwise):
        return DenseKernel.dense_kernel(depthwise, scale, shift, pointwise)[0]

    @misconception("Both answers are right, in the other order: the kernel first, then the bias.")
    def bias_first(depthwise, scale, shift, pointwise):
        return DenseKernel.dense_kernel(depthwise, scale, shift, pointwise)[::-1]

    @misconception(
        "The kernel is right. Your code multiplies the shifts by the pointwise weights, but does not add them up. An "
        "output sums over the channels in, so there is one bias for each output."
    )
    def shift_not_added_up(depthwise, scale, shift, pointwise):
        return DenseKernel.dense_kernel(depthwise, scale, shift, pointwise)[0], pointwise.flatten(1) * shift


def _rank_one(matrices):
    left, sizes, right = torch.linalg.svd(matrices, full_matrices=False)
    return left[..., :, :1] * sizes[..., None, :1] * right[..., :1, :]


def _clear(kernel: torch.Tensor) -> bool:
    """Whether each channel's best shape is far ahead of its second: there is one nearest kernel, easy to find."""
    sizes = torch.linalg.svdvals(kernel.flatten(2).transpose(0, 1))
    return sizes.shape[1] == 1 or bool((sizes[:, 1] < 0.8 * sizes[:, 0]).all())


@exercise
class NearestSeparable:
    """Stretch: the separable convolution closest to a dense one."""

    trials = 60
    hints = (
        "What do the O kernels of one channel have in common in a separable convolution? All are multiples of one "
        "shape.",
        "As a matrix [O, k · k] they have rank 1. The closest such matrix is the first part of the singular value "
        "decomposition.",
        "`torch.linalg.svd` takes many matrices at once, here `kernel.flatten(2).transpose(0, 1)`. The first part is "
        "`left[:, :, :1] * sizes[:, None, :1] * right[:, :1]`.",
    )

    def nearest_separable(kernel):
        shapes = kernel.flatten(2).transpose(0, 1)  # [C, O, k * k]: what all outputs do with one channel
        left, sizes, right = torch.linalg.svd(shapes, full_matrices=False)
        best = left[:, :, :1] * sizes[:, None, :1] * right[:, :1]
        return best.transpose(0, 1).reshape(kernel.shape)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Dense kernels in double precision: whole numbers first; separable ones and single outputs among them."""
        for outputs in (
            [[[2, 0, 0, 0]], [[0, 0, 1, 0]]],
            [[[0, 2, 0, 0], [0, 0, 4, 0]], [[1, 0, 0, 0], [0, 0, 0, 1]]],
            [[[2, 0, 0, 0], [0, 0, 0, 1]], [[0, 0, 1, 0], [0, 4, 0, 0]]],
            [[[2, 0, 0, 2]], [[0, 1, -1, 0]]],
            [[[1, 2, 3, 5]], [[-2, -4, -6, -10]]],
            [[[2, 0, 0, 0], [0, 3, 0, 0]]],
        ):
            yield (torch.tensor(outputs, dtype=torch.float64).unflatten(2, (2, 2)),)
        while True:
            shape = rng.randint(1, 6), rng.randint(1, 4), *[rng.choice((1, 2, 3, 5))] * 2
            kernel = torch.randn(shape, generator=torch_generator(rng), dtype=torch.float64)
            if _clear(kernel):
                yield (kernel,)

    @misconception(
        "Your code finds one shape for each output. The depthwise part belongs to the channels that come in: one "
        "shape for each of them, which all outputs share."
    )
    def shape_of_each_output(kernel):
        return _rank_one(kernel.flatten(2)).reshape(kernel.shape)

    @misconception(
        "Your code leaves one pattern for the whole kernel, so all outputs are multiples of each other. Take each "
        "input channel for itself: a matrix [O, k · k]."
    )
    def one_pattern(kernel):
        return _rank_one(kernel.flatten(1)).reshape(kernel.shape)

    @misconception(
        "Your code splits each single k × k kernel into a column and a row. That is separable in height and width. "
        "Ours separates taps from channels."
    )
    def rows_and_columns(kernel):
        return _rank_one(kernel)

    @misconception(
        "Your code returns the kernel itself. As soon as two outputs use different shapes on one channel, no separable "
        "convolution has it."
    )
    def unchanged(kernel):
        return kernel

    @misconception(
        "Your code finds the best parts. They are still [C, O, k · k], and `.reshape` does not put axes back in order: "
        "`.transpose(0, 1)` first."
    )
    def axes_not_back(kernel):
        return _rank_one(kernel.flatten(2).transpose(0, 1)).reshape(kernel.shape)

    @misconception(
        "The shapes and strengths are right except for their size: your code leaves out the largest singular value."
    )
    def without_sizes(kernel):
        left, _, right = torch.linalg.svd(kernel.flatten(2).transpose(0, 1), full_matrices=False)
        return (left[:, :, :1] * right[:, :1]).transpose(0, 1).reshape(kernel.shape)

    @misconception(
        "Your code gives all channels the singular value of channel 0. Each channel's matrix has its own: "
        "`sizes[:, None, :1]`."
    )
    def first_size_for_all(kernel):
        left, sizes, right = torch.linalg.svd(kernel.flatten(2).transpose(0, 1), full_matrices=False)
        return (left[:, :, :1] * sizes[0, 0] * right[:, :1]).transpose(0, 1).reshape(kernel.shape)

    @misconception(
        "Your code takes the mean over the outputs as the shape of a channel. Outputs of opposite sign cancel in a "
        "mean. The singular value decomposition finds the best shape."
    )
    def mean_shape(kernel):
        """The mean shape of each channel, fitted to each output."""
        shape = kernel.mean(0)
        strength = (kernel * shape).sum((2, 3), keepdim=True) / (shape * shape).sum((1, 2), keepdim=True)
        return strength * shape

    @misconception(
        "Your code gives all outputs the same kernel. The pointwise part may give each its own strength and sign."
    )
    def one_kernel_for_all(kernel):
        return kernel.mean(0, keepdim=True).expand_as(kernel).clone()
