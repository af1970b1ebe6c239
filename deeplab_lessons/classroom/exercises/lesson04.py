"""Exercises of lesson 04: the dilation that keeps a field, counting weights, the order of the surgery, decimation."""

import random
from collections.abc import Iterator
from itertools import product

import torch

from deeplab_lessons import backbones
from deeplab_lessons.classroom import stacks
from deeplab_lessons.classroom.exercises.cases import torch_generator
from deeplab_lessons.classroom.exercises.framework import exercise, fault, misconception
from deeplab_lessons.classroom.exercises.orders import order


@exercise
class RateThatKeepsField:
    """Warm-up: the dilation with which fewer taps span the same field."""

    package = stacks.rate_that_keeps_field
    hints = (
        "How many cells is it from the first tap of the old kernel to its last? Count gaps, not taps.",
        "7 taps have 6 gaps of 4 cells each, so 24 cells from first to last. The new kernel has kernel_size - 1 gaps.",
        "(old_kernel_size - 1) * old_rate // (kernel_size - 1)",
    )

    def rate_that_keeps_field(kernel_size, old_kernel_size=7, old_rate=4):
        cells = (old_kernel_size - 1) * old_rate
        return cells // (kernel_size - 1)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """(kernel_size, old_kernel_size, old_rate) for which the dilation is a whole number, the papers' own first."""
        yield from ((3, 7, 4), (4, 7, 4), (7, 7, 4), (2, 7, 4), (3, 5, 1), (3, 5, 2), (2, 3, 1), (5, 3, 2))
        yield from ((3,), (4,), (2,), (3, 5), (5, 2), (2, 9))
        while True:
            kernel_size, old, rate = rng.randint(2, 9), rng.randint(2, 9), rng.randint(1, 12)
            if (old - 1) * rate % (kernel_size - 1) == 0:
                yield kernel_size, old, rate

    @misconception(
        "Your code shares out taps. A kernel reaches from its first tap to its last, and k taps have only k - 1 gaps. "
        "Share out the gaps."
    )
    def taps_not_gaps(k, old=7, rate=4):
        return old * rate // k

    @misconception(
        "Your code keeps the dilation, so the field shrinks with the number of taps, as in the paper's 4×4 with "
        "dilation 4. Share the old distance among the new gaps."
    )
    def unchanged(k, old=7, rate=4):
        return rate

    @misconception(
        "Your code ignores the old dilation. The gaps of the old kernel were already `old_rate` cells wide. Multiply "
        "its gaps by `old_rate`."
    )
    def old_rate_forgotten(k, old=7, rate=4):
        return (old - 1) // (k - 1)

    @misconception(
        "Your code shares out the covered cells. These include the first tap's own cell, one too many. Share only the "
        "distance from the first tap to the last."
    )
    def covered_cells(k, old=7, rate=4):
        return ((old - 1) * rate + 1) // (k - 1)

    @misconception(
        "Your code shares the covered cells among the taps. There is one gap less than there are taps. Share the "
        "distance from the first tap to the last among the gaps."
    )
    def covered_cells_among_taps(k, old=7, rate=4):
        return ((old - 1) * rate + 1) // k


def _count(k2: int, c: int, n: int, i: int, biases: int = 1) -> int:
    return (i * k2 * c) + c * c + c * n + biases * (c + c + n)


@exercise
class HeadParameters:
    """The weights and biases of fc6, fc7 and fc8."""

    trials = 100
    hints = (
        "How many numbers does one convolution have? It's inputs × taps × outputs weights, and one bias per output.",
        "fc6 has kernel_size² taps, and fc7 and fc8 have one tap each. fc7 goes from channels to channels.",
        "fc6: in_channels * kernel_size**2 * channels + channels. fc7: channels * channels + channels. "
        "fc8: channels * num_classes + num_classes.",
    )

    def head_parameters(kernel_size, channels, num_classes=21, in_channels=512):
        fc6 = in_channels * kernel_size**2 * channels + channels
        fc7 = channels * channels + channels
        fc8 = channels * num_classes + num_classes
        return fc6 + fc7 + fc8

    def cases(rng: random.Random) -> Iterator[tuple]:
        """(kernel_size, channels, num_classes, in_channels), small ones first, then the paper's."""
        yield from ((1, 1, 1, 1), (1, 2, 1, 1), (1, 1, 2, 3), (2, 1, 1, 1), (3, 2, 1, 2), (3, 4, 2, 3))
        yield from ((1, 1), (2, 3), (1, 1, 2), (3, 2, 5), (3, 1024), (3, 1024, 21, 512))
        while True:
            yield rng.randint(1, 7), rng.randint(1, 64), rng.randint(1, 30), rng.randint(1, 64)

    @misconception(
        "Your code leaves out the biases. Every convolution here has one per output channel. Add them for all "
        "three layers."
    )
    def no_biases(k, c, n=21, i=512):
        return _count(k * k, c, n, i, biases=0)

    @misconception(
        "Your code counts one bias per input channel. A convolution adds one number to each of its outputs. Count one "
        "bias per output."
    )
    def bias_for_every_input(k, c, n=21, i=512):
        return _count(k * k, c, n, i, biases=0) + i + c + c

    @misconception(
        "Your code gives fc6 kernel_size taps. An image has two axes, and so does a kernel. Count kernel_size × "
        "kernel_size taps."
    )
    def one_axis(k, c, n=21, i=512):
        return _count(k, c, n, i)

    @misconception(
        "Your code gives fc7 as many taps as fc6, but fc7 has only one tap. Count fc7 as a 1×1 convolution."
    )
    def fc7_with_taps(k, c, n=21, i=512):
        return _count(k * k, c, n, i) + (k * k - 1) * c * c

    @misconception(
        "Your code leaves out fc7. Between fc6 and fc8 there is a 1×1 convolution from channels to channels. Add "
        "its weights and biases."
    )
    def no_fc7(k, c, n=21, i=512):
        return i * k * k * c + c + c * n + n

    @misconception(
        "Your code returns only fc6. The head has fc7 and fc8 as well. Add their weights and biases."
    )
    def fc6_only(k, c, n=21, i=512):
        return i * k * k * c + c

    @misconception("Your code leaves out fc8's biases. It has one per class. Add num_classes.")
    def no_fc8_biases(k, c, n=21, i=512):
        return _count(k * k, c, n, i) - n


def _numbered(*shape: int) -> torch.Tensor:
    return torch.arange(1.0, 1 + torch.Size(shape).numel()).view(shape)


@order
class Surgery:
    """The steps of the surgery, on one row of taps."""

    hints = (
        "What does each step read that another step has to make first? Begin with the step that reads nothing.",
        "The dilations come from strides that are gone, and only a kernel has taps that can move apart.",
        "Decimation multiplies a dilation that must already be there, and a new layer mustn't be overwritten.",
    )
    needs = {
        "read_as_kernels": ("load",),
        "dilate": ("read_as_kernels", "remove_strides"),
        "decimate": ("dilate",),
        "new_classes": ("load",),
    }
    why = {
        ("read_as_kernels", "load"): "Loading brings the matrix back, so the kernel would be lost.",
        (
            "dilate",
            "read_as_kernels",
        ): "A matrix has no taps that could move apart, so fc6 would stay undilated.",
        (
            "dilate",
            "remove_strides",
        ): "Before a stride is removed, the product of removed strides is 1, so nothing would be dilated.",
        (
            "decimate",
            "dilate",
        ): "Three times dilation 1 is 3, and the step that dilates would then replace this 3.",
        ("new_classes", "load"): "Loading would put the layer with 1000 classes back.",
    }

    def start():
        layers = {"pool4": 2, "conv5": 1, "pool5": 2}
        return {"strides": layers, "removed": {}, "dilations": {}, "fc6 matrix": [0] * 7, "fc8 classes": 0}

    def load(state):
        """Load the weights that the classifier learned on ImageNet."""
        state["fc6 matrix"], state["fc8 classes"] = [3, 1, 4, 1, 5, 9, 2], 1000
        state.pop("fc6 taps", None)

    def read_as_kernels(state):
        """Read the matrices of fc6, fc7 and fc8 as kernels of convolutions."""
        state["fc6 taps"] = state.pop("fc6 matrix")

    def remove_strides(state):
        """Let pool4 and pool5 move by one cell instead of two."""
        for pool in ("pool4", "pool5"):
            state["removed"][pool], state["strides"][pool] = state["strides"][pool], 1

    def dilate(state):
        """Give each layer with several taps the product of the strides removed before it as its dilation."""
        product = 1
        for name in ("pool4", "conv5", "pool5", *["fc6"] * ("fc6 taps" in state)):
            state["dilations"][name] = product
            product *= state["removed"].get(name, 1)

    def decimate(state):
        """Keep taps 0, 3 and 6 of fc6 along each axis, and multiply its dilation by 3."""
        state["fc6 taps"] = state["fc6 taps"][::3]
        state["dilations"]["fc6"] = 3 * state["dilations"].get("fc6", 1)

    def new_classes(state):
        """Replace fc8 with a new layer for 21 classes."""
        state["fc8 classes"] = 21


@exercise
class DenseScores:
    """Repair: two strides are gone, and the scores have changed."""

    trials = 60
    hints = (
        "Which cells does each layer of the strided network read, counted in cells of x?",
        "Which strides were removed before conv5, before pool5 and before fc6? Their product is the layer's dilation.",
        "A pool has taps too, and pool5 comes after pool4: `backbones.SameMaxPool2d(2, stride=1, dilation=2)`.",
    )

    def dense_scores(x, conv5, fc6):
        x = backbones.SameMaxPool2d(2, stride=1)(x)
        x = torch.conv2d(x, conv5, padding="same", dilation=2)
        x = backbones.SameMaxPool2d(2, stride=1, dilation=2)(x)
        return torch.conv2d(x, fc6, dilation=4)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """(x [N, C, h, w], conv5 [D, C, k, k], fc6 [O, D, k, k]): one row of cells first, some below 0."""
        for row, conv5, fc6 in (
            ([5, 1, 2, 7, 0, 3, 9, 4], [0, 1, 0], [1, 0]),
            ([2, 0, 0, 6, 0, 0, 1, 0], [0, 1, 0], [0, 1]),
            ([3, 0, 2, 8, 1, 0, 5, 4], [1, 2, 0], [1, 1]),
            ([-5, -1, -7, -2, -8, -3, -9, -4], [0, 1, 1], [1, 2]),
            ([9, 0, 0, 0, 0, 0, 0, 0], [1, 1, 1], [1]),
        ):
            yield tuple(
                torch.tensor(values, dtype=torch.float32)[None, None, None] for values in (row, conv5, fc6)
            )
        while True:
            numbers, taps, dtype = (
                torch_generator(rng),
                rng.choice((1, 2, 3)),
                rng.choice((torch.float32, torch.float64)),
            )
            batch, channels, features, outputs = (rng.randint(1, 3) for _ in range(4))
            sides = (4 * taps + rng.randint(1, 4), 4 * taps + rng.randint(0, 5))
            shapes = ((batch, channels, *sides), (features, channels, 3, 3), (outputs, features, taps, taps))
            yield tuple(torch.randint(-5, 6, shape, generator=numbers).to(dtype) for shape in shapes)

    @fault(
        "The map has the right size, but read at every fourth row and column it does not have the strided network's "
        "scores."
    )
    def as_handed_out(x, conv5, fc6):
        x = backbones.SameMaxPool2d(2, stride=1)(x)
        x = torch.conv2d(x, conv5, padding="same", dilation=2)
        x = backbones.SameMaxPool2d(2, stride=1)(x)
        return torch.conv2d(x, fc6, dilation=4)

    @misconception(
        "Your code dilates pool5 by its own stride as well. A layer's dilation is the product of the strides removed "
        "before it. For pool5, use only pool4's stride."
    )
    def own_stride_counted(x, conv5, fc6):
        return _dense(x, conv5, fc6, pool5=4)

    @misconception(
        "Your code dilates pool4 too. No stride was removed before pool4, so its two taps stay together. Give it "
        "dilation 1."
    )
    def pool4_dilated(x, conv5, fc6):
        return _dense(x, conv5, fc6, pool4=2)

    @misconception(
        "Your code dilates pool4 instead of pool5. No stride was removed before pool4, but one was removed before "
        "pool5. Dilate pool5."
    )
    def other_pool(x, conv5, fc6):
        return _dense(x, conv5, fc6, pool4=2, pool5=1)

    @misconception(
        "Your code gives fc6 the dilation 2. Two strides were removed before it, pool4's and pool5's. Use their "
        "product as its dilation."
    )
    def one_stride_for_fc6(x, conv5, fc6):
        return _dense(x, conv5, fc6, fc6_dilation=2)

    @misconception(
        "Your code lets both pools stride again. That is the network before the surgery, whose map is four times "
        "coarser. Leave the strides at 1, and dilate instead."
    )
    def strides_back(x, conv5, fc6):
        x = torch.max_pool2d(x, (min(2, x.shape[2]), 2), 2)
        x = torch.conv2d(x, conv5, padding="same")
        return torch.conv2d(torch.max_pool2d(x, (min(2, x.shape[2]), 2), 2), fc6)


def _dense(x, conv5, fc6, pool4=1, pool5=2, fc6_dilation=4):
    """DenseScores with other dilations."""
    x = backbones.SameMaxPool2d(2, stride=1, dilation=pool4)(x)
    x = torch.conv2d(x, conv5, padding="same", dilation=2)
    return torch.conv2d(backbones.SameMaxPool2d(2, stride=1, dilation=pool5)(x), fc6, dilation=fc6_dilation)


@exercise
class Decimate:
    """Stretch: a smaller kernel of evenly spaced taps."""

    package = backbones.decimate
    hints = (
        "The first and the last tap must stay, or the field shrinks. Which taps are evenly spaced between them?",
        "7 taps have 6 gaps. With 3 taps, 2 gaps remain, each as long as 3 old ones: taps 0, 3 and 6.",
        "`step = (taps - 1) // (kernel_size - 1)`, then `weight[..., ::step, ::step]`.",
    )

    def decimate(weight, kernel_size):
        taps = weight.shape[-1]
        step = (taps - 1) // (kernel_size - 1)
        return weight[:, :, ::step, ::step]

    def cases(rng: random.Random) -> Iterator[tuple]:
        """(weight [O, I, k, k], new kernel size) with evenly spaced taps."""
        for taps, kept in (
            (3, 2),
            (3, 3),
            (5, 3),
            (7, 3),
            (7, 4),
            (7, 2),
            (7, 7),
            (5, 2),
            (9, 3),
            (9, 2),
            (2, 2),
        ):
            yield _numbered(1, 1, taps, taps) - 3, kept
        yield _numbered(2, 2, 2, 2), 2
        for outs, ins, (taps, kept) in product((1, 2), (1, 3), ((5, 3), (7, 4), (7, 3), (9, 5))):
            yield torch.randn(outs, ins, taps, taps, generator=torch_generator(rng)), kept

    @misconception(
        "Your code keeps the corner of the kernel, and with it a smaller field. The kept taps must reach from the "
        "first to the last. Take every step-th tap."
    )
    def corner(w, k):
        return w[..., :k, :k]

    @misconception(
        "Your code keeps the middle of the kernel, and with it a smaller field. Decimation keeps the outermost taps. "
        "Leave out taps in between."
    )
    def middle(weight: torch.Tensor, kept: int) -> torch.Tensor:
        first = (weight.shape[-1] - kept) // 2
        return weight[..., first : first + kept, first : first + kept]

    @misconception(
        "Your code divides taps by taps, but the step counts gaps: 7 taps have 6 gaps and 3 taps have 2. Divide gaps "
        "by gaps, here 6 // 2 = 3."
    )
    def step_of_taps(w, k):
        step = w.shape[-1] // k
        return w[..., ::step, ::step]

    @misconception("Your code decimates only the rows. A kernel has two axes. Decimate the columns as well.")
    def rows_only(w, k):
        return w[..., :: (w.shape[-1] - 1) // (k - 1), :]

    @misconception(
        "Your code averages taps, which makes new weights. Decimation keeps some weights as they are and drops the "
        "others. Index the taps that stay."
    )
    def averaged(w, k):
        return torch.nn.functional.adaptive_avg_pool2d(w, k)

    @misconception(
        "Your code keeps taps that are not evenly spaced from the first to the last, so the last row and column are "
        "lost. Use one step for all gaps."
    )
    def nearest(w, k):
        return torch.nn.functional.interpolate(w, size=(k, k), mode="nearest")
