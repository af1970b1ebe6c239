"""Exercises of lesson 04: the rate that keeps a field, counting weights, and carrying them over."""

import random
from collections.abc import Iterator
from itertools import product

import torch

from deeplab_lessons import backbones, heads
from deeplab_lessons.classroom.exercises.cases import torch_generator
from deeplab_lessons.classroom.exercises.framework import exercise, misconception


@exercise
class RateThatKeepsField:
    """Warm-up: the dilation with which fewer taps span the same field."""

    package = heads.rate_that_keeps_field
    hints = (
        "How many cells lie between the first tap and the last of the old kernel? Count gaps, not taps.",
        "7 taps have 6 gaps of 4 cells each: 24 cells from the first tap to the last. The new kernel has "
        "kernel_size - 1 gaps to share them.",
        "(old_kernel_size - 1) * old_rate // (kernel_size - 1)",
    )

    def rate_that_keeps_field(kernel_size, old_kernel_size=7, old_rate=4):
        cells = (old_kernel_size - 1) * old_rate
        return cells // (kernel_size - 1)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """(kernel_size, old_kernel_size, old_rate) for which a whole rate exists, the papers' own first."""
        yield from ((3, 7, 4), (4, 7, 4), (7, 7, 4), (2, 7, 4), (3, 5, 1), (3, 5, 2), (2, 3, 1), (5, 3, 2))
        yield from ((3,), (4,), (2,), (3, 5), (5, 2), (2, 9))
        while True:
            kernel_size, old, rate = rng.randint(2, 9), rng.randint(2, 9), rng.randint(1, 12)
            if (old - 1) * rate % (kernel_size - 1) == 0:
                yield kernel_size, old, rate

    @misconception(
        "Your code shares out taps. A field spans from the first tap to the last, and k taps have only "
        "k - 1 gaps between them."
    )
    def taps_not_gaps(k, old=7, rate=4):
        return old * rate // k

    @misconception(
        "The rate stays as it was, and the field shrinks with the number of taps. That is the row 4×4 with "
        "rate 4 of the paper's table, whose field is smaller."
    )
    def unchanged(k, old=7, rate=4):
        return rate

    @misconception(
        "Your code ignores the old rate: the gaps of the old kernel were old_rate cells wide already."
    )
    def old_rate_forgotten(k, old=7, rate=4):
        return (old - 1) // (k - 1)

    @misconception(
        "Your code shares out the covered cells, the first tap's own cell among them. Only the distance from the first "
        "tap to the last is shared."
    )
    def covered_cells(k, old=7, rate=4):
        return ((old - 1) * rate + 1) // (k - 1)

    @misconception(
        "Your code shares the covered cells among the taps. Share the distance from the first tap to the last "
        "among the gaps: there is one gap less than there are taps."
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
        "A convolution has inputs × taps × outputs weights, and one bias for each output.",
        "fc6 has kernel_size² taps; fc7 and fc8 have one tap each. fc7 goes from channels to channels.",
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

    @misconception("The biases are missing: every convolution here has one for each of its output channels.")
    def no_biases(k, c, n=21, i=512):
        return _count(k * k, c, n, i, biases=0)

    @misconception(
        "Your code gives each weight a bias. A convolution adds one number to each of its output maps: one bias for "
        "each output."
    )
    def bias_for_every_input(k, c, n=21, i=512):
        return _count(k * k, c, n, i, biases=0) + i + c + c

    @misconception("fc6 has kernel_size × kernel_size taps: a picture has two axes.")
    def one_axis(k, c, n=21, i=512):
        return _count(k, c, n, i)

    @misconception("Your code gives fc7 as many taps as fc6. fc7 is a 1×1 convolution.")
    def fc7_with_taps(k, c, n=21, i=512):
        return _count(k * k, c, n, i) + (k * k - 1) * c * c

    @misconception(
        "fc7 is missing. Between fc6 and fc8 there is a 1×1 convolution from channels to channels."
    )
    def no_fc7(k, c, n=21, i=512):
        return i * k * k * c + c + c * n + n

    @misconception("Your code returns fc6 alone. The head has fc7 and fc8 as well.")
    def fc6_only(k, c, n=21, i=512):
        return i * k * k * c + c

    @misconception("fc8's biases are missing: it has one for each class.")
    def no_fc8_biases(k, c, n=21, i=512):
        return _count(k * k, c, n, i) - n


def _numbered(*shape: int) -> torch.Tensor:
    return torch.arange(1.0, 1 + torch.Size(shape).numel()).view(shape)


@exercise
class AsKernel:
    """A fully connected layer's weight as a convolution's kernel."""

    package = backbones.as_kernel
    trials = 60
    hints = (
        "torch.flatten walks through a map [C, k, k] with the last axis fastest: along a row, then from row to "
        "row, then from channel to channel.",
        "So the inputs of the layer are already in the order (channel, row, column). The numbers need no moving.",
        "weight.reshape(O, C, k, k) with O = weight.shape[0] and C = weight.shape[1] // (k * k).",
    )

    def as_kernel(weight, kernel_size):
        outs, ins = weight.shape
        return weight.reshape(outs, ins // kernel_size**2, kernel_size, kernel_size)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """(weight [O, C k k], kernel_size), numbered so that a misplaced number is seen."""
        for outs, ins, k in ((1, 1, 2), (1, 2, 2), (2, 1, 2), (2, 3, 2), (1, 2, 3), (3, 2, 3), (2, 4, 7)):
            yield _numbered(outs, ins * k * k) - 3, k  # some below 0
        while True:
            outs, ins, k = rng.randint(1, 4), rng.randint(1, 4), rng.randint(1, 4)
            yield torch.randn(outs, ins * k * k, generator=torch_generator(rng)), k

    @misconception(
        "Your code treats the channel as the fastest axis. PyTorch's maps are [C, H, W]: flattened, the columns "
        "run fastest and the channels slowest."
    )
    def channels_fastest(w, k):
        return w.reshape(w.shape[0], k, k, -1).permute(0, 3, 1, 2)

    @misconception("Rows and columns are exchanged: the kernel is mirrored at its diagonal.")
    def transposed_taps(w, k):
        return w.reshape(w.shape[0], -1, k, k).transpose(2, 3)

    @misconception(
        "The kernel is turned round. What torch calls convolution does not turn its kernel: tap (0, 0) "
        "reads the first cell."
    )
    def flipped(w, k):
        return w.reshape(w.shape[0], -1, k, k).flip(2, 3)

    @misconception(
        "The weight is transposed first. nn.Linear keeps it as [outputs, inputs], and a kernel begins with "
        "the outputs too."
    )
    def transposed_weight(w, k):
        return w.T.reshape(w.shape[0], -1, k, k)


@exercise
class Decimate:
    """Stretch: a smaller kernel of evenly spaced taps."""

    package = backbones.decimate
    hints = (
        "Keep the first tap and the last one, or the field shrinks. Which taps lie evenly between them?",
        "7 taps in a row have 6 gaps. With 3 taps, 2 gaps remain, each as long as 3 old ones: taps 0, 3 and 6.",
        "step = (taps - 1) // (kernel_size - 1), then weight[..., ::step, ::step].",
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
        "Your code keeps the corner of the kernel. The kept taps must spread over the whole of it, from "
        "the first to the last."
    )
    def corner(w, k):
        return w[..., :k, :k]

    @misconception(
        "Your code keeps the middle of the kernel, and with it a smaller field. Decimation keeps the outermost taps "
        "and leaves out taps in between."
    )
    def middle(weight: torch.Tensor, kept: int) -> torch.Tensor:
        first = (weight.shape[-1] - kept) // 2
        return weight[..., first : first + kept, first : first + kept]

    @misconception(
        "Your code divides taps by taps. The step counts gaps: 7 taps have 6 gaps and 3 taps have 2, so the step is "
        "6 // 2 = 3."
    )
    def step_of_taps(w, k):
        step = w.shape[-1] // k
        return w[..., ::step, ::step]

    @misconception("The rows are decimated, the columns are not. A kernel has two axes.")
    def rows_only(w, k):
        return w[..., :: (w.shape[-1] - 1) // (k - 1), :]

    @misconception("Your code averages taps. Decimation keeps some weights as they are and drops the others.")
    def averaged(w, k):
        return torch.nn.functional.adaptive_avg_pool2d(w, k)

    @misconception(
        "The taps are not evenly spaced from the first to the last: the last row and column are lost."
    )
    def nearest(w, k):
        return torch.nn.functional.interpolate(w, size=(k, k), mode="nearest")
