"""Exercises of lesson 11: dilations of a cascade, valid taps, three dilations, image pooling, sum and concatenation."""

import numbers
import random
from collections import Counter
from collections.abc import Iterator, Sequence

import torch
from torch.nn import functional as F

from deeplab_lessons import arithmetic
from deeplab_lessons.arithmetic import Layer
from deeplab_lessons.classroom import stacks
from deeplab_lessons.classroom.exercises.cases import torch_generator
from deeplab_lessons.classroom.exercises.compare import show
from deeplab_lessons.classroom.exercises.designs import design, wanted
from deeplab_lessons.classroom.exercises.framework import exercise, fault, misconception


def _rates(output_stride, multi_grid, cascade, rate=None, unit=lambda rate, unit: rate * unit, first=4):
    """Dilations with one thing done wrong: `rate(undilated stride)` of a block, or `unit(rate, its number)`."""
    rate = rate or (lambda undilated: max(1, undilated // output_stride))
    found = [rate(32 * 2 ** (number - first)) for number in range(4, cascade + 1)]
    return [tuple(unit(each, own) for own in multi_grid) for each in found]


def _axis(size: int, dilation: int) -> list[int]:
    return [1 + (place >= dilation) + (place + dilation < size) for place in range(size)]


def _found(axis: Sequence[int], others: Sequence[int] | None = None, taps: Sequence[int] = (9, 4, 1)) -> list:
    """Fractions of the cells with these products of two axes' numbers of taps."""
    cells = Counter(a * b for a in axis for b in (axis if others is None else others))
    return [cells[count] / cells.total() for count in taps]


def _pooled(x, weight, factor, shift, pool=lambda x: x.mean((2, 3)), after=F.relu):
    """The branch with another way to pool, or another end."""
    mixed = after(pool(x) @ weight.T * factor + shift)
    return mixed[:, :, None, None].expand(-1, -1, *x.shape[2:])


def _answer(weights, biases, weight=None, bias=None):
    right = OneClassifier.one_classifier(weights, biases)
    return right[0] if weight is None else weight, right[1] if bias is None else bias


@exercise
class BlockRates:
    """Warm-up: dilations of a cascade with multi-grid."""

    hints = (
        "At which output stride does block4 end without any dilation, and at which does each block after it end?",
        "block4 ends at 32, block5 at 64. The strides that are removed become the block's dilation: for block5 at 16,"
        " 64 / 16 = 4. It's never below 1.",
        "`rate = max(1, undilated // output_stride)`, then multiply by each of the three numbers of `multi_grid`.",
    )

    def block_rates(output_stride, multi_grid, cascade):
        found = []
        for number in range(4, cascade + 1):
            undilated = 32 * 2 ** (number - 4)
            rate = max(1, undilated // output_stride)
            found.append(tuple(rate * unit for unit in multi_grid))
        return found

    def cases(rng: random.Random) -> Iterator[tuple]:
        """The paper's settings first, then any."""
        yield 32, (1, 1, 1), 4
        yield 16, (1, 1, 1), 4
        yield 16, (1, 2, 4), 4
        yield 8, (1, 2, 4), 4
        yield 16, (1, 1, 1), 7
        yield 256, (1, 2, 1), 7
        yield 64, (1, 2, 1), 7
        while True:
            grid = tuple(rng.choice((1, 2, 3, 4)) for _ in range(3))
            yield 2 ** rng.randint(3, 8), grid, rng.randint(4, 7)

    @misconception(
        "Your code returns only the unit rates. A stride that is removed dilates the whole block: multiply by that too."
    )
    def multi_grid_only(output_stride, multi_grid, cascade):
        return [tuple(multi_grid)] * (cascade - 3)

    @misconception(
        "Your code ignores `multi_grid`. The dilations of the blocks are right, but each of the three convolutions has "
        "its own unit rate: multiply by it."
    )
    def no_multi_grid(output_stride, multi_grid, cascade):
        return _rates(output_stride, multi_grid, cascade, unit=lambda rate, unit: rate)

    @misconception(
        "Your code adds the block's dilation and the unit rate. They multiply: 2 · (1, 2, 4) = (2, 4, 8), section "
        "3.2.1."
    )
    def added(output_stride, multi_grid, cascade):
        return _rates(output_stride, multi_grid, cascade, unit=lambda rate, unit: rate + unit)

    @misconception(
        "Your code raises the unit rate to a power. The block's dilation doubles from block to block, but the unit "
        "rates stay the same: multiply the two."
    )
    def power_of_the_unit(output_stride, multi_grid, cascade):
        return _rates(output_stride, multi_grid, cascade, unit=lambda rate, unit: unit**rate)

    @misconception(
        "Your code gives all blocks block4's dilation. Each further block would halve the map once more: double the "
        "dilation from block to block."
    )
    def block4_everywhere(output_stride, multi_grid, cascade):
        return _rates(output_stride, multi_grid, cascade, rate=lambda undilated: max(1, 32 // output_stride))

    @misconception(
        "Your code is right only at output stride 16, with 2, 4, 8, 16. At 8 every dilation is twice as large, and at "
        "64 block4 and block5 have none: use `output_stride`."
    )
    def stride_16_only(output_stride, multi_grid, cascade):
        return _rates(output_stride, multi_grid, cascade, rate=lambda undilated: undilated // 16)

    @misconception(
        "Your code returns the dilation 0 where no stride was removed. An undilated convolution has dilation 1."
    )
    def from_zero(output_stride, multi_grid, cascade):
        return _rates(output_stride, multi_grid, cascade, rate=lambda undilated: undilated // output_stride)

    @misconception(
        "Your code makes every dilation twice too large, except those that stay at 1. Without dilation, block4 ends at "
        "output stride 32, not 64."
    )
    def twice_too_large(output_stride, multi_grid, cascade):
        return _rates(output_stride, multi_grid, cascade, first=3)

    @misconception(
        "Your code starts doubling one block too late. block4 ends at output stride 32, so at 16 it already has "
        "dilation 2."
    )
    def one_block_late(output_stride, multi_grid, cascade):
        return _rates(output_stride, multi_grid, cascade, first=5)

    @misconception(
        "Your code leaves out the last block. `cascade` is its number and belongs to the list: `range(4, cascade + 1)`."
    )
    def last_block_left_out(output_stride, multi_grid, cascade):
        return _rates(output_stride, multi_grid, cascade - 1)

    @misconception(
        "Your code treats `cascade` as a count of blocks. It is the number of the last block: with cascade = 4 there "
        "is only block4."
    )
    def number_of_blocks(output_stride, multi_grid, cascade):
        return _rates(output_stride, multi_grid, cascade + 3)


@exercise
class ValidShares:
    """How much of a map sees nine, four or one tap."""

    trials = 80
    hints = (
        "How many taps does a position have along one axis? Is position - dilation at least 0, and position + dilation "
        "below size?",
        "A cell has a row and a column: 2 taps down and 2 across make 2 · 2 = 4. Which pairs make nine?",
        "Count the positions with 3, 2 and 1 taps. The fraction of cells with nine is (positions with 3 / size)², and "
        "so on.",
    )

    def valid_shares(size, dilation):
        positions = {1: 0, 2: 0, 3: 0}
        for position in range(size):
            taps = 1 + (position - dilation >= 0) + (position + dilation < size)
            positions[taps] += 1
        return [(positions[taps] / size) ** 2 for taps in (3, 2, 1)]

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Small maps first, then figure 4's, then any."""
        yield from (
            (3, 1),
            (3, 2),
            (3, 3),
            (5, 1),
            (5, 3),
            (6, 2),
            (6, 3),
            (1, 1),
            (65, 12),
            (65, 24),
            (65, 64),
        )
        while True:
            yield rng.randint(1, 70), rng.randint(1, 70)

    @misconception(
        "Your code returns the fractions along one axis, with 3, 2 and 1 taps. A cell has the taps of its row "
        "times those of its column, so these fractions are squared."
    )
    def one_axis(size, dilation):
        return _found(_axis(size, dilation), [1], taps=(3, 2, 1))

    @misconception("Your code returns numbers of cells. Divide by size · size to get fractions.")
    def counts(size, dilation):
        return [share * size**2 for share in ValidShares.valid_shares(size, dilation)]

    @misconception(
        "Your code returns per cent. The check expects fractions from 0 to 1: don't multiply by 100."
    )
    def per_cent(size, dilation):
        return [100 * share for share in ValidShares.valid_shares(size, dilation)]

    @misconception(
        "Your code reaches one cell too far. With dilation d a tap is d cells from its neighbour, not d + 1: dilation "
        "1 is the undilated kernel."
    )
    def one_step_too_far(size, dilation):
        return ValidShares.valid_shares(size, dilation + 1)

    @misconception(
        "Your code reaches one cell too short. With dilation d a tap is d cells from its neighbour: position - "
        "dilation and position + dilation."
    )
    def one_step_too_short(size, dilation):
        return _found(_axis(size, dilation - 1))

    @misconception("Your code ignores the dilation. These are the fractions of an undilated kernel.")
    def no_dilation(size, dilation):
        return ValidShares.valid_shares(size, 1)

    @misconception(
        "Your code starts the kernel at the cell. It is centred on the cell: one tap is before it, and one after it."
    )
    def not_centred(size, dilation):
        return _found(
            [sum(place + step < size for step in (0, dilation, 2 * dilation)) for place in range(size)]
        )

    @misconception(
        "Your code returns the fraction with six taps second. The paper's figure 4 shows four: two rows of taps and "
        "two columns."
    )
    def six_taps(size, dilation):
        return _found(_axis(size, dilation), taps=(9, 6, 1))

    @misconception(
        "Your code has the right numbers in the wrong order: nine taps first, then four, then one."
    )
    def reversed_order(size, dilation):
        return _found(_axis(size, dilation), taps=(1, 4, 9))

    @misconception(
        "Your code subtracts one border for nine taps. There are two, of `dilation` cells each: size - 2 · dilation."
    )
    def one_border(size, dilation):
        return [
            max(0, size - dilation) ** 2 / size**2,
            *ValidShares.valid_shares(size, dilation)[1:],
        ]

    @misconception(
        "Your code squares a negative number. Where the kernel is larger than the map, (size - 2 · dilation)² grows "
        "again: use max(0, …)."
    )
    def squared_negative(size, dilation):
        return [
            (size - 2 * dilation) ** 2 / size**2,
            *ValidShares.valid_shares(size, dilation)[1:],
        ]

    @misconception(
        "Your code gives four taps to every cell that has neither nine nor one. Some cells have six or two: count four "
        "by itself."
    )
    def four_is_the_rest(size, dilation):
        nine, _, one = ValidShares.valid_shares(size, dilation)
        return [nine, 1 - nine - one, one]


@design
class ThreeDilations:
    """Design: three convolutions without holes, for v3's training map."""

    hints = (
        "How wide is the window? Each 3 × 3 adds two gaps, so it has 1 + 2 · (sum of the dilations) cells.",
        "Which dilation leaves no hole? It's at most as large as the window that the other layers fill already.",
        "What is the largest dilation with all nine taps at enough cells? (33 - 2r)² / 33² is at least 0.25 up to "
        "r = 8.",
    )

    def takes(dilations):
        if (
            isinstance(dilations, (list, tuple))
            and len(dilations) == 3
            and all(isinstance(each, numbers.Integral) and not isinstance(each, bool) for each in dilations)
            and all(1 <= each <= 33 for each in dilations)
        ):
            return None
        return f"Expected a list of three whole numbers from 1 to 33, got {show(dilations)}."

    def three_dilations():
        return [1, 3, 8]

    @wanted("a window of at least 21 cells")
    def window(dilations):
        size = arithmetic.receptive_fields([Layer(3, dilation=each) for each in dilations])[-1].size
        return size >= 21, f"{size} cells"

    @wanted("no hole: a unit reads every cell of its window")
    def no_hole(dilations):
        layers = [Layer(3, padding="same", dilation=each) for each in dilations]
        size = arithmetic.receptive_fields(layers)[-1].size
        read = sum(count > 0 for count in stacks.path_counts(layers, size // 2, input_size=size))
        return read == size, f"reads {read} of {size} cells"

    @wanted("on 33 × 33 cells each convolution has all nine taps at 0.25 of the cells or more")
    def whole_kernels(dilations):
        fraction = min(stacks.tap_shares(33, dilation=each)[9] for each in dilations)
        return fraction >= 0.25, f"{fraction:.3f} at the widest"


@exercise
class ImagePooling:
    """Repair: the image pooling branch."""

    trials = 60
    hints = (
        "In which order does the paper build this branch: what comes first, the mean or the convolution?",
        "The mean of a ReLU isn't the ReLU of the mean, because negative values are gone before they could count.",
        "Begin with `mean = x.mean((2, 3), keepdim=True)`, and pass `mean` to the convolution. Batch norm, ReLU and "
        "`.expand` follow.",
    )

    def image_pooling(x, weight, factor, shift):
        mean = x.mean((2, 3), keepdim=True)
        y = F.conv2d(mean, weight[:, :, None, None])
        y = F.relu(y * factor[:, None, None] + shift[:, None, None])
        return y.expand(-1, -1, *x.shape[2:])

    def cases(rng: random.Random) -> Iterator[tuple]:
        """One image with one channel first, then batches of any size."""

        def case(x, weight=((1.0,),), factor=(1.0,), shift=(0.0,)):
            return tuple(map(torch.tensor, (x, weight, factor, shift)))

        yield case([[[[1.0, 3.0]]]])
        yield case([[[[-3.0, 1.0]]]])
        yield case([[[[1.0], [5.0]]]], ((-1.0,),), (1.0,), (4.0,))
        yield case([[[[1.0, 3.0]]]], ((1.0,),), (2.0,), (1.0,))
        yield case([[[[1.0, 3.0]]], [[[0.0, -2.0]]]], ((-1.0,), (2.0,)), (1.0, 1.0), (3.0, 0.0))
        while True:
            noise = torch_generator(rng)
            images, inside, out = rng.randint(1, 3), rng.randint(1, 4), rng.randint(1, 4)
            shapes = (images, inside, rng.randint(1, 5), rng.randint(1, 5)), (out, inside), (out,), (out,)
            dtype = rng.choice((torch.float32, torch.float64))
            yield tuple(torch.randn(*shape, generator=noise).to(dtype) for shape in shapes)

    @fault("On a map of one constant value the branch is right. On a photo its numbers are too large.")
    def pooled_last(x, weight, factor, shift):
        y = F.conv2d(x, weight[:, :, None, None])
        y = F.relu(y * factor[:, None, None] + shift[:, None, None])
        return y.mean((2, 3), keepdim=True).expand(-1, -1, *x.shape[2:])

    @misconception("Your code sums over the map. A sum grows with the image: take the mean.")
    def total(x, weight, factor, shift):
        return _pooled(x, weight, factor, shift, lambda x: x.sum((2, 3)))

    @misconception("Your code takes the maximum. v3 takes the average: global average pooling.")
    def maximum(x, weight, factor, shift):
        return _pooled(x, weight, factor, shift, lambda x: x.amax((2, 3)))

    @misconception(
        "Your code averages over the batch as well, so every image depends on the others. Take one mean for each image."
    )
    def mean_over_batch(x, weight, factor, shift):
        return _pooled(x, weight, factor, shift, lambda x: x.mean((0, 2, 3))[None].expand(len(x), -1))

    @misconception(
        "Your code averages each row by itself. The branch describes the whole image: take the mean over both axes."
    )
    def mean_of_rows(x, weight, factor, shift):
        mean = x.mean(3)
        mixed = torch.einsum("kc,nch->nkh", weight, mean) * factor[:, None] + shift[:, None]
        return F.relu(mixed)[..., None].expand(-1, -1, *x.shape[2:])

    @misconception(
        "Your code omits the ReLU. Like every other branch, this one ends with it: apply it after batch norm."
    )
    def no_relu(x, weight, factor, shift):
        return _pooled(x, weight, factor, shift, after=lambda y: y)

    @misconception(
        "Your code applies the ReLU before batch norm. The order is convolution, batch norm, ReLU."
    )
    def norm_last(x, weight, factor, shift):
        mixed = F.relu(x.mean((2, 3)) @ weight.T) * factor + shift
        return mixed[:, :, None, None].expand(-1, -1, *x.shape[2:])

    @misconception(
        "Your code returns one cell, [N, K, 1, 1]. The other branches have h · w cells, and concatenation needs the "
        "same size: expand it to [N, K, h, w]."
    )
    def one_cell(x, weight, factor, shift):
        return _pooled(x, weight, factor, shift)[:, :, :1, :1]

    @misconception(
        "Your code returns a map [w, h]. Rows come first: the result has the shape [N, K, h, w], as `x.shape[2:]` says."
    )
    def sides_swapped(x, weight, factor, shift):
        return _pooled(x, weight, factor, shift).transpose(2, 3)

    @misconception("Your code leaves batch norm out: multiply by `factor`, then add `shift`.")
    def no_norm(x, weight, factor, shift):
        return _pooled(x, weight, torch.ones_like(factor), torch.zeros_like(shift))

    @misconception("Your code doesn't pool, so it is ASPP's 1 × 1 branch. Take the mean over the map first.")
    def not_pooled(x, weight, factor, shift):
        return F.relu(torch.einsum("kc,nchw->nkhw", weight, x) * factor[:, None, None] + shift[:, None, None])


@exercise
class OneClassifier:
    """Stretch: a sum of classifiers as one classifier on concatenated branches."""

    trials = 60
    hints = (
        "What is the sum for one cell? W₁ f₁ + b₁ + W₂ f₂ + b₂. The concatenated cell is f₁ above f₂.",
        "A row of the large matrix must hold W₁'s row, then W₂'s row, and so on: put the matrices side by side.",
        "`torch.cat(list_of_matrices, dim=1)` does that. The biases don't depend on f: add them.",
    )

    def one_classifier(weights, biases):
        return torch.cat(weights, dim=1), torch.stack(biases).sum(0)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Two branches with one channel and one class first, then any."""

        def case(weights, biases):
            return list(map(torch.tensor, weights)), list(map(torch.tensor, biases))

        yield case([[[1.0]], [[2.0]]], [[1.0], [3.0]])
        yield case([[[1.0, 2.0]], [[3.0, 4.0]]], [[1.0], [5.0]])
        yield case([[[1.0], [2.0]], [[3.0], [4.0]], [[5.0], [6.0]]], [[1.0, -1.0], [0.0, 2.0], [4.0, 3.0]])
        while True:
            noise = torch_generator(rng)
            dtype = rng.choice((torch.float32, torch.float64))
            branches, classes, channels = rng.randint(1, 5), rng.randint(1, 4), rng.randint(1, 3)
            weights = torch.randn(branches, classes, channels, generator=noise).to(dtype)
            yield list(weights), list(torch.randn(branches, classes, generator=noise).to(dtype))

    @misconception(
        "Your code stacks the matrices on top of each other. That makes more classes: put them side by side (dim=1), "
        "which makes room for more channels."
    )
    def below_one_another(weights, biases):
        return _answer(weights, biases, weight=torch.cat(weights, dim=0))

    @misconception(
        "Your code adds the weights. That would be right if all branches gave the same features: let each branch keep "
        "its own columns."
    )
    def weights_added(weights, biases):
        return _answer(weights, biases, weight=torch.stack(weights).sum(0))

    @misconception(
        "Your code interleaves the columns: channel 0 of all branches first. Concatenation puts all channels of branch "
        "0 first, then all of branch 1."
    )
    def interleaved(weights, biases):
        return _answer(weights, biases, weight=torch.stack(weights, dim=2).flatten(1))

    @misconception(
        "Your code puts the branches in reverse order. The first branch's channels come first, so its matrix does too."
    )
    def reversed_branches(weights, biases):
        return _answer(weights, biases, weight=torch.cat(weights[::-1], dim=1))

    @misconception(
        "Your code averages the biases. The weights are right, but in a sum of scores the biases add up: add them."
    )
    def biases_averaged(weights, biases):
        return _answer(weights, biases, bias=torch.stack(biases).mean(0))

    @misconception(
        "Your code keeps only the first branch's bias. The weights are right, but every branch adds its own bias: add "
        "all of them."
    )
    def first_bias_only(weights, biases):
        return _answer(weights, biases, bias=biases[0].clone())

    @misconception(
        "Your code concatenates the biases. The weights are right, but there is one score for each class: add them up."
    )
    def biases_concatenated(weights, biases):
        return _answer(weights, biases, bias=torch.cat(biases))

    @misconception(
        "Your code adds all biases into one number. Each class has its own sum: add over the branches, `sum(biases)`."
    )
    def one_bias(weights, biases):
        return _answer(weights, biases, bias=torch.stack(biases).sum())

    @misconception("Your code returns the mean of the branches' scores. v2 adds them: don't divide.")
    def mean_of_scores(weights, biases):
        return torch.cat(weights, dim=1) / len(weights), torch.stack(biases).mean(0)
