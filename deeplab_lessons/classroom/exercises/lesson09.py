"""Exercises of lesson 09: a branch's field, fused scales, the pyramid and its dilations, two ways to one field."""

import random
from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from torch.nn import functional as F

from deeplab_lessons.arithmetic import Field, Layer, extend
from deeplab_lessons.classroom.exercises.cases import torch_generator
from deeplab_lessons.classroom.exercises.compare import show
from deeplab_lessons.classroom.exercises.designs import design, list_of, wanted
from deeplab_lessons.classroom.exercises.framework import exercise, fault, misconception
from deeplab_lessons.classroom.stacks import tap_shares


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
        "Which number is the jump here? In lesson 03 a layer adds (taps - 1) · dilation · jump pixels to the field.",
        "Between `kernel_size` taps there are `kernel_size - 1` gaps of `rate` cells each, and neighbouring cells are "
        "`stride` pixels apart.",
        "`trunk_field + (kernel_size - 1) * rate * stride`",
    )

    def branch_field(trunk_field, stride, rate, kernel_size=3):
        gaps = kernel_size - 1
        return trunk_field + gaps * rate * stride

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Backbones' fields, strides and dilations; first a map that is the image itself, then VGG16's."""
        yield from ((1, 1, 1), (1, 1, 2), (10, 4, 3, 5), (10, 4, 3, 2), (5, 2, 1, 1))
        yield from ((227, 8, 6), (227, 8, 24), (212, 8, 12))
        while True:
            stride, kernel_size = rng.choice((1, 2, 4, 8, 16)), rng.choice(((), (), (3,), (5,), (7,), (4,)))
            yield rng.randint(1, 1000), stride, rng.randint(1, 24), *kernel_size

    @misconception(
        "Your code adds gaps in cells to a field in pixels. A cell is `stride` pixels from the next: multiply."
    )
    def cells_as_pixels(trunk_field, stride, rate, kernel_size=3):
        return trunk_field + (kernel_size - 1) * rate

    @misconception(
        "Your code counts one gap too many. Between `kernel_size` taps there are `kernel_size - 1`."
    )
    def one_gap_too_many(trunk_field, stride, rate, kernel_size=3):
        return trunk_field + kernel_size * rate * stride

    @misconception(
        "Your code measures only the window of the branch, with tiles of `stride` pixels for cells. Each of these "
        "cells already sees `trunk_field` pixels."
    )
    def window_only(trunk_field, stride, rate, kernel_size=3):
        return ((kernel_size - 1) * rate + 1) * stride

    @misconception("Your code ignores the dilation: neighbouring taps are `rate` cells apart.")
    def no_dilation(trunk_field, stride, rate, kernel_size=3):
        return trunk_field + (kernel_size - 1) * stride

    @misconception(
        "Your code counts the zeros between the taps. From one tap to the next there are `rate` steps, one more than "
        "there are zeros."
    )
    def zeros_between(trunk_field, stride, rate, kernel_size=3):
        return trunk_field + (kernel_size - 1) * (rate - 1) * stride

    @misconception(
        "Your code adds what the kernel covers, including the first tap's own cell. That cell's field is already "
        "`trunk_field`: count only the gaps."
    )
    def covered_cells(trunk_field, stride, rate, kernel_size=3):
        return trunk_field + ((kernel_size - 1) * rate + 1) * stride

    @misconception(
        "Your code lays the fields of neighbouring cells side by side. They overlap: each is only `stride` pixels from "
        "the next."
    )
    def fields_side_by_side(trunk_field, stride, rate, kernel_size=3):
        return trunk_field * ((kernel_size - 1) * rate + 1)

    @misconception("Your code counts two gaps, which is right only for 3 taps. Use `kernel_size - 1` gaps.")
    def three_taps_only(trunk_field, stride, rate, kernel_size=3):
        return trunk_field + 2 * rate * stride

    @misconception("Your code adds the taps on one side of the middle. There are as many on the other side.")
    def one_side_only(trunk_field, stride, rate, kernel_size=3):
        return trunk_field + (kernel_size - 1) // 2 * rate * stride

    @misconception(
        "Your code leaves out the backbone. The cell under the first tap already sees `trunk_field` pixels: add them."
    )
    def no_backbone(trunk_field, stride, rate, kernel_size=3):
        return (kernel_size - 1) * rate * stride

    @misconception(
        "Your code adds 1 for the first tap's own cell. That cell's field is `trunk_field` and already counted."
    )
    def one_pixel_more(trunk_field, stride, rate, kernel_size=3):
        return trunk_field + (kernel_size - 1) * rate * stride + 1


_REPEATS = (
    "Your code repeats each cell. Between two cells, scores are interpolated linearly along both axes: "
    "`mode='bilinear'`."
)


@exercise
class FuseScales:
    """Repair: score maps of several sizes that do not line up."""

    show = _shown
    trials = 120
    hints = (
        "Enlarge [0, 1, 2] to five cells on paper. Which values must come out if the first and the last stay in place?",
        "Those are 0, 0.5, 1, 1.5 and 2. One argument of `F.interpolate` decides where the corners are.",
        "`F.interpolate(…, mode='bilinear', align_corners=True)`",
    )

    def fuse_scales(maps):
        size = maps[-1].shape[1:]
        enlarged = [F.interpolate(each[None], size, mode="bilinear", align_corners=True) for each in maps]
        return torch.cat(enlarged).amax(0)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Maps of one image at growing sizes; their scores may all be negative."""
        disc, box = torch.tensor([[[0.0, 4.0, 0.0]]]), torch.tensor([[[3.0, 0.0, 0.0]]])
        yield ([disc, torch.ones(1, 1, 5)],)
        yield ([torch.cat([disc, box]), torch.ones(2, 1, 5)],)
        yield ([disc, torch.zeros(1, 1, 4), torch.zeros(1, 1, 7)],)
        yield ([-disc, torch.full((1, 1, 5), -2.0)],)
        yield ([box, torch.zeros(1, 1, 4)],)
        yield ([disc],)
        while True:
            numbers, classes = torch_generator(rng), rng.randint(1, 5)
            dtype = rng.choice((torch.float32, torch.float32, torch.float64))
            rows, columns = rng.randint(2, 4), rng.randint(2, 4)
            sizes = [(rows, columns)]
            for _ in range(rng.randint(0, 3)):
                rows, columns = rows + rng.randint(0, 3), columns + rng.randint(1, 4)
                sizes.append((rows, columns))
            lift = rng.choice((0, 0, -20, 200))
            yield ([torch.randn(classes, *each, generator=numbers, dtype=dtype) + lift for each in sizes],)

    @fault(
        "In the middle of the image the scales agree. Towards its borders, what the smaller maps show is too far "
        "inside."
    )
    def edges_on_edges(maps):
        size = maps[-1].shape[1:]
        enlarged = [F.interpolate(each[None], size, mode="bilinear") for each in maps]
        return torch.cat(enlarged).amax(0)

    @misconception(
        "Your code enlarges the fused map again at each scale, so the smallest is interpolated several times. Enlarge "
        "each map to the last size at once."
    )
    def step_by_step(maps):
        fused = maps[0]
        for each in maps[1:]:
            larger = F.interpolate(fused[None], each.shape[1:], mode="bilinear", align_corners=True)[0]
            fused = torch.maximum(larger, each)
        return fused

    @misconception(
        "Your code fuses at the size of the first map and enlarges the result. What only the largest map shows is "
        "lost. Enlarge first, then fuse."
    )
    def fused_at_the_smallest(maps):
        small = [
            F.interpolate(each[None], maps[0].shape[1:], mode="bilinear", align_corners=True) for each in maps
        ]
        fused = torch.cat(small).amax(0, keepdim=True)
        return F.interpolate(fused, maps[-1].shape[1:], mode="bilinear", align_corners=True)[0]

    @misconception(
        "Your code takes the mean over the scales. MSC takes the largest score: one confident scale is enough."
    )
    def mean(maps):
        return _enlarged(maps).mean(0)

    @misconception(
        "Your code adds the scales, as ASPP adds its branches. MSC takes the largest score of each class at each "
        "position."
    )
    def total(maps):
        return _enlarged(maps).sum(0)

    @misconception(
        "Your code takes the maximum over the classes too, so the result no longer says which class won. Every class "
        "has its own maximum over the scales."
    )
    def maximum_over_all(maps):
        return _enlarged(maps).amax((0, 1))

    @misconception(
        "Your code takes the maximum over the classes. Take it over the scales, and leave [C, h, w]."
    )
    def maximum_over_classes(maps):
        return _enlarged(maps).amax(1)

    @misconception(_REPEATS)
    def nearest(maps):
        return _enlarged(maps, mode="nearest", align_corners=None).amax(0)

    @misconception(_REPEATS)
    def nearest_exact(maps):
        return _enlarged(maps, mode="nearest-exact", align_corners=None).amax(0)

    @misconception(
        "Your code never goes below 0, as if there were a map of zeros among the others. Scores may all be negative."
    )
    def never_negative(maps):
        return _enlarged(maps).amax(0).clamp(min=0)

    @misconception("Your code returns the last scale. Enlarge the others too, and take the maximum.")
    def last_scale(maps):
        return maps[-1]

    @misconception("Your code returns which scale wins instead of its score. Use `amax` or `.max(0).values`.")
    def winner_only(maps):
        return _enlarged(maps).argmax(0)

    @misconception(
        "Your code turns scores into probabilities first. v2 takes the maximum of the scores themselves."
    )
    def probabilities(maps):
        return _enlarged(maps).softmax(1).amax(0)


@exercise
class SummedAspp:
    """ASPP as DeepLab v2 has it: branches that are added."""

    show = _shown
    trials = 100
    hints = (
        "What does one branch compute? All of them read the same x, each with its own weights, bias and dilation.",
        "A 3 x 3 kernel with dilation r needs r zeros on each side to keep the size of the map.",
        "Add up, in a loop over the lists, `F.conv2d(x, weights[i], biases[i], padding=rates[i], dilation=rates[i])`.",
    )

    def summed_aspp(x, weights, biases, rates):
        total = 0
        for i, rate in enumerate(rates):
            total = total + F.conv2d(x, weights[i], biases[i], padding=rate, dilation=rate)
        return total

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Maps and the weights, biases and dilations of one to six branches; some taps fall outside the map."""
        one, two = torch.ones(1, 1, 3, 3), -torch.ones(1, 1, 3, 3)
        two[..., 1, 1] = 3
        zero, ten = torch.tensor([0.0]), torch.tensor([10.0])
        yield torch.arange(1.0, 13).view(1, 1, 3, 4), [one], [zero], [1]  # fits a kernel without padding
        yield torch.tensor([1.0, 2, 3]).view(1, 1, 1, 3), [one, two], [zero, ten], [1, 2]
        yield torch.tensor([1.0, 5]).view(2, 1, 1, 1), [two], [ten], [3]
        yield torch.arange(1.0, 6).view(1, 1, 1, 5), [one, two], [zero, -ten], [2, 1]
        yield torch.tensor([1.0, 2, 3]).view(1, 1, 3, 1), [one, two], [ten, zero], [2, 2]
        while True:
            numbers, dtype = torch_generator(rng), rng.choice((torch.float32, torch.float64))
            channels, classes, count = rng.randint(1, 4), rng.randint(1, 4), rng.randint(1, 6)
            size = rng.randint(1, 3), channels, rng.randint(1, 7), rng.randint(1, 7)
            x = torch.randn(size, generator=numbers, dtype=dtype)
            weights = list(torch.randn(count, classes, channels, 3, 3, generator=numbers, dtype=dtype))
            biases = list(torch.randn(count, classes, generator=numbers, dtype=dtype))
            yield x, weights, biases, [rng.randint(1, 8) for _ in range(count)]

    @misconception(
        "Your code takes the maximum of the branches. That is how MSC fuses its scales; ASPP adds its branches."
    )
    def maximum(x, weights, biases, rates):
        return torch.stack(_each_branch(x, weights, biases, rates)).amax(0)

    @misconception(
        "Your code takes the mean. Each pixel gets the same label, but other scores, and the loss sees the scores. "
        "ASPP adds."
    )
    def mean(x, weights, biases, rates):
        return torch.stack(_each_branch(x, weights, biases, rates)).mean(0)

    @misconception(
        "Your code concatenates the branches, as DeepLab v3 does, which needs one more layer to mix them. v2 adds."
    )
    def concatenated(x, weights, biases, rates):
        return torch.cat(_each_branch(x, weights, biases, rates), dim=1)

    @misconception("Your code ignores the dilation: all branches look at the same nine neighbours.")
    def no_dilation(x, weights, biases, rates):
        return sum(_each_branch(x, weights, biases, [1] * len(rates), [1] * len(rates)))

    @misconception(
        "Your code shares one kernel among all branches. That is MSC's idea; in ASPP every branch has its own."
    )
    def shared_kernel(x, weights, biases, rates):
        return sum(_each_branch(x, [weights[0]] * len(rates), [biases[0]] * len(rates), rates))

    @misconception("Your code adds only one bias. Every branch has its own: add all of them.")
    def one_bias(x, weights, biases, rates):
        return sum(_each_branch(x, weights, [biases[0]] + [None] * (len(rates) - 1), rates))

    @misconception("Your code ignores the biases. Each branch adds its own.")
    def no_biases(x, weights, biases, rates):
        return sum(_each_branch(x, weights, [None] * len(rates), rates))

    @misconception("Your code returns the last branch only. Add all of them.")
    def last_branch(x, weights, biases, rates):
        return _each_branch(x, weights, biases, rates)[-1]

    @misconception("Your code returns the scores of the first image. A batch holds N of them: keep all.")
    def first_image(x, weights, biases, rates):
        return sum(_each_branch(x[:1], weights, biases, rates))

    @misconception(
        "Your code sets negative scores of a branch to 0. A branch may argue against a class: add its scores as they "
        "are."
    )
    def rectified(x, weights, biases, rates):
        return sum(each.relu() for each in _each_branch(x, weights, biases, rates))


def _branch_fields(dilations: Sequence[int]) -> list[int]:
    """Fields in pixels, smallest first: 3 x 3 taps on a map whose cells see 227 pixels and are 8 pixels apart."""
    return sorted(extend(Field(size=227, jump=8), Layer(3, dilation=each)).size for each in dilations)


@design
class PyramidDilations:
    """Design: four dilations that see near and far, and whose taps stay on a small map."""

    hints = (
        "How wide is the field at dilation d? It is 227 + 16 d pixels: solve that for the narrowest and the widest "
        "branch.",
        "From the middle of 33 cells there are 16 to each side. Which dilations are left for the widest branch?",
        "Taps leave the map more often as dilations grow: keep the two in between small, but 3 apart.",
    )
    takes = list_of(int)

    def pyramid_dilations():
        return [2, 6, 10, 15]

    @wanted("four branches")
    def four(dilations):
        return len(dilations) == 4, f"{len(dilations)} branches"

    @wanted("the narrowest branch sees at most 275 pixels")
    def near(dilations):
        field = _branch_fields(dilations)[0]
        return field <= 275, f"{field} pixels"

    @wanted("the widest branch sees at least 450 pixels")
    def far(dilations):
        field = _branch_fields(dilations)[-1]
        return field >= 450, f"{field} pixels"

    @wanted("fields of at least 48 pixels' difference between any two branches")
    def apart(dilations):
        fields = _branch_fields(dilations)
        least = min((b - a for a, b in pairwise(fields)), default=0)
        return least >= 48, f"{least} pixels"

    @wanted("from the middle of the map, every tap of every branch on the map")
    def middle(dilations):
        taps = [tap for each in dilations for tap in Layer(3, padding="same", dilation=each).taps(16)]
        off = sum(not 0 <= tap < 33 for tap in taps)
        return off == 0, "every tap" if off == 0 else f"{off} of {len(taps)} taps in a row off the map"

    @wanted("70% of all taps on the map, over all cells and branches")
    def on_the_map(dilations):
        counts = [tap_shares(33, dilation=each) for each in dilations]
        fraction = sum(taps * cells for each in counts for taps, cells in each.items()) / 9 / len(counts)
        return fraction >= 0.7, f"{fraction:.1%}"


_UPSIDE_DOWN = (
    "Your code is upside down: it divides the larger field by the smaller one. To see more of the image, shrink it: "
    "the scale is below 1."
)


@exercise
class MatchingScale:
    """Stretch: the scale at which one dilation sees as far as another."""

    hints = (
        "How far does each branch see at scale 1? Write both fields down, as in the first exercise.",
        "At scale s the smaller field reaches (field - 1) / s + 1 pixels of the original. Set that equal to the larger "
        "field.",
        "Solve for s. The + 1 goes away on both sides: (own - 1) / (wanted - 1).",
    )

    def matching_scale(trunk_field, stride, rate, wanted_rate):
        own = trunk_field + 2 * rate * stride
        wanted = trunk_field + 2 * wanted_rate * stride
        return (own - 1) / (wanted - 1)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """A backbone, a dilation, and a larger one that is to be matched."""
        yield from ((1, 1, 1, 2), (9, 8, 1, 2), (227, 8, 12, 24), (227, 8, 6, 24))
        while True:
            rate = rng.randint(1, 12)
            yield rng.randint(1, 1000), rng.choice((1, 2, 4, 8, 16)), rate, rate + rng.randint(1, 12)

    @misconception(
        "Your code divides the dilations. The image shrinks for the whole network, so the field of the backbone grows "
        "too, and not only the gaps between the taps."
    )
    def ratio_of_rates(trunk_field, stride, rate, wanted_rate):
        return rate / wanted_rate

    @misconception(
        "Your code divides the fields. n pixels in a row are n - 1 steps from first to last, and the steps are what is "
        "stretched. Use (n - 1) / s + 1."
    )
    def ratio_of_fields(trunk_field, stride, rate, wanted_rate):
        return (trunk_field + 2 * rate * stride) / (trunk_field + 2 * wanted_rate * stride)

    @misconception(_UPSIDE_DOWN)
    def upside_down_fields(trunk_field, stride, rate, wanted_rate):
        return (trunk_field + 2 * wanted_rate * stride) / (trunk_field + 2 * rate * stride)

    @misconception(_UPSIDE_DOWN)
    def upside_down(trunk_field, stride, rate, wanted_rate):
        return (trunk_field + 2 * wanted_rate * stride - 1) / (trunk_field + 2 * rate * stride - 1)

    @misconception(
        "Your code counts the gaps between the taps in cells. A cell is `stride` pixels from the next: multiply."
    )
    def cells_as_pixels(trunk_field, stride, rate, wanted_rate):
        return (trunk_field + 2 * rate - 1) / (trunk_field + 2 * wanted_rate - 1)

    @misconception("Your code gives each kernel one gap. Three taps in a row have two.")
    def one_gap(trunk_field, stride, rate, wanted_rate):
        return (trunk_field + rate * stride - 1) / (trunk_field + wanted_rate * stride - 1)

    @misconception("Your code gives each kernel three gaps. Three taps in a row have two.")
    def three_gaps(trunk_field, stride, rate, wanted_rate):
        return (trunk_field + 3 * rate * stride - 1) / (trunk_field + 3 * wanted_rate * stride - 1)

    @misconception(
        "Your code returns the fraction of the pixels, and so of the work. The scale is the fraction of one side."
    )
    def fraction_of_pixels(trunk_field, stride, rate, wanted_rate):
        return ((trunk_field + 2 * rate * stride - 1) / (trunk_field + 2 * wanted_rate * stride - 1)) ** 2
