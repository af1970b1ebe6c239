"""Exercises of lesson 09: the field of a branch, maps of several sizes fused, the pyramid, two ways to one field."""

import random
from collections.abc import Iterator, Sequence

import torch
from torch.nn import functional as F

from deeplab_lessons.classroom.exercises.cases import torch_generator
from deeplab_lessons.classroom.exercises.compare import show
from deeplab_lessons.classroom.exercises.framework import exercise, misconception


def _shown(value: object) -> str:
    """As `show`, and a list of tensors tensor by tensor."""
    if isinstance(value, list) and all(isinstance(each, torch.Tensor) for each in value):
        return f"[{', '.join(map(show, value))}]"
    return show(value)


def _enlarged(maps: Sequence[torch.Tensor], **how) -> torch.Tensor:
    """All maps at the last one's size, [scales, C, h, w]; bilinear with aligned corners unless told otherwise."""
    how = {"mode": "bilinear", "align_corners": True} | how
    return torch.stack([F.interpolate(each[None], maps[-1].shape[1:], **how)[0] for each in maps])


def _each_branch(x, weights, biases, rates, paddings=None) -> list[torch.Tensor]:
    paddings = rates if paddings is None else paddings
    each = zip(weights, biases, rates, paddings, strict=True)
    return [F.conv2d(x, w, b, padding=padding, dilation=rate) for w, b, rate, padding in each]


@exercise
class BranchField:
    """Warm-up: the field of one branch on a backbone."""

    hints = (
        "Lesson 03: a layer adds (taps - 1) · dilation · jump pixels to the field. Which number is the jump here?",
        "Neighbouring taps lie `rate` cells apart, and a cell is `stride` pixels from the next. From the first tap "
        "to the last there are `kernel_size - 1` such gaps.",
    )

    def branch_field(trunk_field: int, stride: int, rate: int, kernel_size: int = 3) -> int:
        """Field in pixels of a convolution with `kernel_size` taps and dilation `rate` on a backbone's last map.

        A cell of that map sees `trunk_field` pixels, and its cells lie `stride` pixels apart.
        """
        return trunk_field + (kernel_size - 1) * rate * stride

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Backbones' fields, strides and rates; first a map that is the picture itself, then VGG16's."""
        yield from (
            (1, 1, 1),
            (1, 1, 2),
            (10, 4, 3, 5),
            (227, 8, 6),
            (227, 8, 24),
            (212, 8, 12),
            (5, 2, 1, 1),
        )
        while True:
            stride, kernel_size = rng.choice((1, 2, 4, 8, 16)), rng.choice((3, 3, 3, 5, 7, 4))
            yield rng.randint(1, 1000), stride, rng.randint(1, 24), kernel_size

    @misconception(
        "The gaps between taps are counted in cells here. The field is measured in pixels, and a cell is "
        "`stride` pixels from the next."
    )
    def cells_as_pixels(trunk_field, stride, rate, kernel_size=3):
        return trunk_field + (kernel_size - 1) * rate

    @misconception("One gap too many: between `kernel_size` taps there are `kernel_size - 1` gaps.")
    def one_gap_too_many(trunk_field, stride, rate, kernel_size=3):
        return trunk_field + kernel_size * rate * stride

    @misconception(
        "This is the window of the branch alone, with a cell taken for a tile of `stride` pixels. Each of its "
        "cells sees `trunk_field` pixels already."
    )
    def window_only(trunk_field, stride, rate, kernel_size=3):
        return ((kernel_size - 1) * rate + 1) * stride

    @misconception("The dilation is forgotten: neighbouring taps lie `rate` cells apart.")
    def no_dilation(trunk_field, stride, rate, kernel_size=3):
        return trunk_field + (kernel_size - 1) * stride

    @misconception(
        "Fields of neighbouring cells overlap. They are shifted by `stride` pixels, not laid side by side."
    )
    def fields_side_by_side(trunk_field, stride, rate, kernel_size=3):
        return trunk_field * ((kernel_size - 1) * rate + 1)

    @misconception("This is right for 3 taps only. Let `kernel_size` say how many gaps there are.")
    def three_taps_only(trunk_field, stride, rate, kernel_size=3):
        return trunk_field + 2 * rate * stride

    @misconception("This adds the taps on one side of the middle only. There are as many on the other side.")
    def one_side_only(trunk_field, stride, rate, kernel_size=3):
        return trunk_field + (kernel_size - 1) // 2 * rate * stride


@exercise
class FuseScales:
    """Score maps of several sizes fused by their maximum."""

    show = _shown
    hints = (
        "First bring every map to the rows and columns of the last one, `maps[-1].shape[1:]`. `F.interpolate` wants "
        "a batch: [1, C, h, w].",
        "The first cells of all maps lie on one pixel, and so do the last ones: `mode='bilinear', "
        "align_corners=True`.",
        "Stack the enlarged maps, [scales, C, h, w], and take the maximum over the first axis: `.amax(0)`.",
    )

    def fuse_scales(maps: Sequence[torch.Tensor]) -> torch.Tensor:
        """Largest score over the scales, [C, h, w]: each map is first enlarged to the size of the last.

        `maps` holds scores [C, h_i, w_i] of the same picture at growing sizes. The first cells of all maps lie on one
        pixel, and so do the last cells. Source: DeepLab v2, section 3.2.
        """
        size = maps[-1].shape[1:]
        enlarged = [F.interpolate(each[None], size, mode="bilinear", align_corners=True)[0] for each in maps]
        return torch.stack(enlarged).amax(0)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Maps of one picture at growing sizes: with 2 h - 1 cells each old cell lies on a new one."""
        disc, box = torch.tensor([[[0.0, 4.0, 0.0]]]), torch.tensor([[[3.0, 0.0, 0.0]]])
        yield ([disc, torch.ones(1, 1, 5)],)
        yield ([torch.cat([disc, box]), torch.ones(2, 1, 5)],)
        while True:
            numbers = torch_generator(rng)
            classes, rows, columns = rng.randint(2, 3), rng.randint(2, 4), rng.randint(2, 4)
            sizes = [(rows, columns), (2 * rows - 1, 2 * columns - 1)]
            if rng.random() < 0.5:
                sizes.insert(1, (rows + rows // 2, columns + columns // 2))
            yield ([torch.randn(classes, *size, generator=numbers) for size in sizes],)

    @misconception(
        "This is the mean over the scales. MSC takes the largest score: one scale that is sure is enough."
    )
    def mean(maps):
        return _enlarged(maps).mean(0)

    @misconception(
        "This adds the scales, as ASPP adds its branches. MSC takes the largest score of each class at each "
        "place."
    )
    def total(maps):
        return _enlarged(maps).sum(0)

    @misconception(
        "The maximum runs over the classes too, so nobody knows any more which class it was. Keep the axis of "
        "the classes: every class has its own maximum over the scales."
    )
    def maximum_over_all(maps):
        return _enlarged(maps).amax((0, 1))

    @misconception("The maximum runs over the classes. It must run over the scales, and leave [C, h, w].")
    def maximum_over_classes(maps):
        return _enlarged(maps).amax(1)

    @misconception(
        "The maps are enlarged as if their outer edges lay on one another (`align_corners=False`). Here it is "
        "the centres of the corner cells: all first cells lie on pixel 0. Otherwise the small maps are shifted."
    )
    def corners_not_aligned(maps):
        return _enlarged(maps, align_corners=False).amax(0)

    @misconception(
        "Each cell is repeated here. Scores between two cells are mixed bilinearly, the nearer cell counting "
        "more."
    )
    def nearest(maps):
        return _enlarged(maps, mode="nearest", align_corners=None).amax(0)

    @misconception("This is the last scale alone. The others must have a say: enlarge them first.")
    def last_scale(maps):
        return maps[-1]

    @misconception("This says which scale has won, not with what score: `amax` or `.max(0).values`.")
    def winner_only(maps):
        return _enlarged(maps).argmax(0)

    @misconception(
        "The scores were turned into probabilities first. v2 takes the maximum of the scores themselves."
    )
    def probabilities(maps):
        return _enlarged(maps).softmax(1).amax(0)


@exercise
class SummedAspp:
    """ASPP as DeepLab v2 has it: branches that are added."""

    show = _shown
    hints = (
        "One branch: `F.conv2d(x, weights[i], biases[i], padding=…, dilation=rates[i])`. All branches read the same "
        "x.",
        "A 3 x 3 kernel with dilation r keeps the size of the map when it gets r zeros on each side.",
        "Add the branches: `sum(…)` over the three lists side by side.",
    )

    def summed_aspp(
        x: torch.Tensor, weights: Sequence[torch.Tensor], biases: Sequence[torch.Tensor], rates: Sequence[int]
    ) -> torch.Tensor:
        """ASPP as DeepLab v2 has it on ResNet-101: map [N, C, h, w] -> scores [N, classes, h, w].

        Branch i is a 3 x 3 convolution with `weights[i]` [classes, C, 3, 3], `biases[i]` [classes] and dilation
        `rates[i]` that keeps the size of the map; the branches' scores are added.
        """
        branches = zip(weights, biases, rates, strict=True)
        return sum(F.conv2d(x, w, b, padding=rate, dilation=rate) for w, b, rate in branches)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """A map and the weights, biases and rates of two to four branches; some taps fall outside the map."""
        one, two = torch.ones(1, 1, 3, 3), -torch.ones(1, 1, 3, 3)
        x = torch.arange(1.0, 10.0).view(1, 1, 3, 3)
        yield x, [one, two], [torch.tensor([0.0]), torch.tensor([10.0])], (1, 2)
        while True:
            numbers = torch_generator(rng)
            channels, classes, count = rng.randint(1, 2), rng.randint(2, 3), rng.randint(2, 4)
            x = torch.randn(1, channels, rng.randint(4, 7), rng.randint(4, 7), generator=numbers)
            weights = list(torch.randn(count, classes, channels, 3, 3, generator=numbers))
            biases = list(torch.randn(count, classes, generator=numbers))
            yield x, weights, biases, tuple(sorted(rng.sample(range(1, 6), count)))

    @misconception(
        "The branches' maximum is taken. That is how MSC fuses its scales; ASPP adds its branches."
    )
    def maximum(x, weights, biases, rates):
        return torch.stack(_each_branch(x, weights, biases, rates)).amax(0)

    @misconception(
        "This is the mean. Every pixel gets the same label, but not the same score, and the loss sees scores. "
        "ASPP adds."
    )
    def mean(x, weights, biases, rates):
        return torch.stack(_each_branch(x, weights, biases, rates)).mean(0)

    @misconception(
        "The branches are concatenated. So does DeepLab v3, and needs one more layer to mix them. v2 adds."
    )
    def concatenated(x, weights, biases, rates):
        return torch.cat(_each_branch(x, weights, biases, rates), dim=1)

    @misconception(
        "The dilation is missing: all branches look at the same nine neighbours, and might as well be one."
    )
    def no_dilation(x, weights, biases, rates):
        return sum(_each_branch(x, weights, biases, [1] * len(rates), [1] * len(rates)))

    @misconception(
        "All branches share one kernel here. That is MSC's idea; in ASPP every branch has its own."
    )
    def shared_kernel(x, weights, biases, rates):
        return sum(_each_branch(x, [weights[0]] * len(rates), [biases[0]] * len(rates), rates))

    @misconception("Only one bias is added. Every branch has its own.")
    def one_bias(x, weights, biases, rates):
        return sum(_each_branch(x, weights, [biases[0]] + [None] * (len(rates) - 1), rates))

    @misconception("The biases are forgotten.")
    def no_biases(x, weights, biases, rates):
        return sum(_each_branch(x, weights, [None] * len(rates), rates))

    @misconception("This is the last branch alone.")
    def last_branch(x, weights, biases, rates):
        return _each_branch(x, weights, biases, rates)[-1]


@exercise
class MatchingScale:
    """Stretch: the scale at which one dilation sees as far as another."""

    hints = (
        "Write down both fields, as in the first exercise. At scale s the smaller one reaches (field - 1) / s + 1 "
        "pixels of the original picture.",
        "Set that equal to the larger field and solve for s. The + 1 goes away on both sides.",
    )

    def matching_scale(trunk_field: int, stride: int, rate: int, wanted_rate: int) -> float:
        """Scale of the picture at which a branch with `rate` sees as far as one with `wanted_rate` at scale 1.

        Both have 3 x 3 taps. A field of n pixels of a picture at scale s is (n - 1) / s + 1 pixels of the original.
        """
        own, wanted = (trunk_field + 2 * each * stride for each in (rate, wanted_rate))
        return (own - 1) / (wanted - 1)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """A backbone, a rate, and a larger one that is to be matched."""
        yield from ((1, 1, 1, 2), (9, 8, 1, 2), (227, 8, 12, 24), (227, 8, 6, 24))
        while True:
            rate = rng.randint(1, 12)
            yield rng.randint(2, 1000), rng.choice((2, 4, 8, 16)), rate, rate + rng.randint(1, 12)

    @misconception(
        "This is the ratio of the dilations. But the picture shrinks for the whole network: the field of the "
        "backbone grows too, not the gaps between the taps alone."
    )
    def ratio_of_rates(trunk_field, stride, rate, wanted_rate):
        return rate / wanted_rate

    @misconception(
        "Nearly. n pixels in a row are n - 1 steps from first to last, and it is the steps that are stretched. "
        "Use (n - 1) / s + 1."
    )
    def ratio_of_fields(trunk_field, stride, rate, wanted_rate):
        return (trunk_field + 2 * rate * stride) / (trunk_field + 2 * wanted_rate * stride)

    @misconception(
        "Upside down: this is larger than 1. To see more of the picture, the picture must be made smaller."
    )
    def upside_down(trunk_field, stride, rate, wanted_rate):
        return (trunk_field + 2 * wanted_rate * stride - 1) / (trunk_field + 2 * rate * stride - 1)

    @misconception("The gaps between the taps are counted in cells. A cell is `stride` pixels from the next.")
    def cells_as_pixels(trunk_field, stride, rate, wanted_rate):
        return (trunk_field + 2 * rate - 1) / (trunk_field + 2 * wanted_rate - 1)

    @misconception("This is the share of the pixels, and so of the work. The scale is the share of one side.")
    def share_of_pixels(trunk_field, stride, rate, wanted_rate):
        return ((trunk_field + 2 * rate * stride - 1) / (trunk_field + 2 * wanted_rate * stride - 1)) ** 2
