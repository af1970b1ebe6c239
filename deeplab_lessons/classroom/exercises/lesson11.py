"""Exercises of lesson 11: dilations of a cascade, valid taps, the image pooling branch, sum and concatenation."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence

import torch
from torch.nn import functional as F

from deeplab_lessons import arithmetic
from deeplab_lessons.classroom.exercises.framework import exercise, misconception
from deeplab_lessons.heads import ImagePooling


def _rates(output_stride, multi_grid, cascade, rate=None, unit=lambda rate, unit: rate * unit, first=4):
    """Dilations with one thing done wrong: `rate(undilated stride)` of a block, or `unit(rate, its number)`."""
    rate = rate or (lambda undilated: max(1, undilated // output_stride))
    found = [rate(32 * 2 ** (number - first)) for number in range(4, cascade + 1)]
    return [tuple(unit(each, own) for own in multi_grid) for each in found]


def _axis(size: int, dilation: int) -> list[int]:
    return arithmetic.taps_on_map(size, 3, dilation)


def _found(axis: Sequence[int], others: Sequence[int] | None = None, taps: Sequence[int] = (9, 4, 1)) -> list:
    """Shares of the cells with these products of two axes' numbers of taps."""
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
        "Without any dilation block4 ends at output stride 32, block5 at 64, block6 at 128, block7 at 256.",
        "The strides that must go for `output_stride` become the block's dilation: 64 / 16 = 4 for block5 at 16. It "
        "is never below 1.",
        "Then multiply by each of the three numbers of `multi_grid`.",
    )

    def block_rates(output_stride: int, multi_grid: Sequence[int], cascade: int) -> list[tuple[int, ...]]:
        """Dilations of the three 3 x 3 convolutions of block4, block5, … up to block number `cascade`.

        Undilated, block4 ends at output stride 32 and each block after it doubles the stride. A block whose stride
        went has the dilation 2, 4, 8, … that makes up for it, times `multi_grid`. Source: DeepLab v3, section 3.2.
        """
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
        "These are the unit rates alone. Where a stride went, the whole block is dilated by it: multiply."
    )
    def multi_grid_only(output_stride, multi_grid, cascade):
        return [tuple(multi_grid)] * (cascade - 3)

    @misconception(
        "The dilations of the blocks are right, but multi-grid is not used: each of the three convolutions has "
        "its own number to multiply by."
    )
    def no_multi_grid(output_stride, multi_grid, cascade):
        return _rates(output_stride, multi_grid, cascade, unit=lambda rate, unit: rate)

    @misconception("Rate and multi-grid are added. They multiply: 2 · (1, 2, 4) = (2, 4, 8), section 3.2.1.")
    def added(output_stride, multi_grid, cascade):
        return _rates(output_stride, multi_grid, cascade, unit=lambda rate, unit: rate + unit)

    @misconception(
        "All blocks have block4's dilation. Each block of the cascade would step once more, so its dilation "
        "doubles."
    )
    def block4_everywhere(output_stride, multi_grid, cascade):
        return _rates(output_stride, multi_grid, cascade, rate=lambda undilated: max(1, 32 // output_stride))

    @misconception(
        "2, 4, 8, 16 is right at output stride 16. The output stride decides: at 8 every dilation is twice as "
        "large, and at 64 block4 and block5 have none."
    )
    def stride_16_only(output_stride, multi_grid, cascade):
        return _rates(output_stride, multi_grid, cascade, rate=lambda undilated: undilated // 16)

    @misconception("Where nothing went the dilation comes out as 0. An undilated convolution has dilation 1.")
    def from_zero(output_stride, multi_grid, cascade):
        return _rates(output_stride, multi_grid, cascade, rate=lambda undilated: undilated // output_stride)

    @misconception("Everything is twice too large: block4 alone ends at output stride 32, not 64.")
    def twice_too_large(output_stride, multi_grid, cascade):
        return _rates(output_stride, multi_grid, cascade, first=3)

    @misconception(
        "The doubling begins one block too late. block4 ends at output stride 32, so at 16 it is dilated by 2 "
        "already."
    )
    def one_block_late(output_stride, multi_grid, cascade):
        return _rates(output_stride, multi_grid, cascade, first=5)


@exercise
class ValidShares:
    """How much of a map sees nine, four or one tap."""

    parts = (arithmetic.tap_shares, arithmetic.taps_on_map)
    trials = 80
    hints = (
        "Begin with one axis. For each place: is place - dilation still at least 0, and place + dilation still below "
        "size? With the middle tap that makes 1, 2 or 3 taps.",
        "A cell has a row and a column: 2 taps down and 2 across make 2 · 2 = 4. All nine need 3 and 3, one needs 1 "
        "and 1.",
        "How many of the `size` places have 3, 2, 1 taps? The share of cells with nine taps is (places with 3 / "
        "size)², and so on.",
    )

    def valid_shares(size: int, dilation: int) -> list[float]:
        """Shares of the cells of a map [size, size] at which nine, four and one taps of a 3 x 3 kernel are on the map.

        Source: DeepLab v3, figure 4.
        """
        shares = arithmetic.tap_shares(size, 3, dilation)
        return [shares[taps] for taps in (9, 4, 1)]

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Small maps first, then figure 4's, then any."""
        yield from ((3, 1), (3, 2), (3, 3), (5, 1), (5, 3), (6, 2), (65, 12), (65, 24), (65, 64))
        while True:
            yield rng.randint(1, 70), rng.randint(1, 70)

    @misconception(
        "These are the shares along one axis, with 3, 2 and 1 taps. The map has two: the taps of a cell are those "
        "of its row times those of its column, so these shares are squared."
    )
    def one_axis(size, dilation):
        return _found(_axis(size, dilation), [1], taps=(3, 2, 1))

    @misconception("These are numbers of cells. Divide by size · size to have shares.")
    def counts(size, dilation):
        return [share * size**2 for share in ValidShares.valid_shares(size, dilation)]

    @misconception(
        "One step too far. With dilation d a tap lies d cells from its neighbour, not d + 1: dilation 1 is the "
        "undilated kernel."
    )
    def one_step_too_far(size, dilation):
        return ValidShares.valid_shares(size, dilation + 1)

    @misconception("The dilation is not used: these are the shares of an undilated kernel.")
    def no_dilation(size, dilation):
        return ValidShares.valid_shares(size, 1)

    @misconception(
        "The kernel begins at the cell here. It is centred on it: one tap lies before the cell, one behind it."
    )
    def not_centred(size, dilation):
        return _found(
            [sum(place + step < size for step in (0, dilation, 2 * dilation)) for place in range(size)]
        )

    @misconception(
        "The second number is the share of cells with six taps. Four taps is what figure 4 shows: two rows of "
        "taps and two columns of them."
    )
    def six_taps(size, dilation):
        return _found(_axis(size, dilation), taps=(9, 6, 1))

    @misconception("The right numbers in the wrong order: nine taps first, then four, then one.")
    def reversed_order(size, dilation):
        return _found(_axis(size, dilation), taps=(1, 4, 9))

    @misconception(
        "For nine taps only one border was taken off. There are two, `dilation` cells each: size - 2 · dilation."
    )
    def one_border(size, dilation):
        return [
            max(0, size - dilation) ** 2 / size**2,
            *ValidShares.valid_shares(size, dilation)[1:],
        ]

    @misconception(
        "(size - 2 · dilation)² grows again where the kernel is larger than the map: a negative number squared. "
        "There are never fewer than 0 such places."
    )
    def squared_negative(size, dilation):
        return [
            (size - 2 * dilation) ** 2 / size**2,
            *ValidShares.valid_shares(size, dilation)[1:],
        ]


@exercise
class ImagePooling:
    """The image pooling branch."""

    parts = (ImagePooling.forward,)
    trials = 60
    hints = (
        "`x.mean((2, 3))` is the mean over rows and columns: [N, C].",
        "A 1×1 convolution on a single cell is a product of matrices: `mean @ weight.T` is [N, K]. Then batch norm: "
        "times `factor`, plus `shift`. Then ReLU.",
        "`y[:, :, None, None]` has the shape [N, K, 1, 1]; `.expand(-1, -1, h, w)` lays it over every cell.",
    )

    def image_pooling(
        x: torch.Tensor, weight: torch.Tensor, factor: torch.Tensor, shift: torch.Tensor
    ) -> torch.Tensor:
        """The image pooling branch of a network that predicts: [N, C, h, w] -> [N, K, h, w].

        The mean of the map; a 1 x 1 convolution with `weight` [K, C]; batch norm, which is a fixed `factor` and `shift`
        [K] then; ReLU; and the result at every cell. Source: DeepLab v3, section 3.3.
        """
        mean = x.mean((2, 3))
        mixed = F.relu(mean @ weight.T * factor + shift)
        return mixed[:, :, None, None].expand(-1, -1, *x.shape[2:])

    def cases(rng: random.Random) -> Iterator[tuple]:
        """One picture with one channel first, then batches."""
        yield torch.tensor([[[[1.0, 3.0]]]]), torch.ones(1, 1), torch.ones(1), torch.zeros(1)
        yield torch.tensor([[[[1.0, 3.0]]]]), -torch.ones(1, 1), torch.ones(1), torch.zeros(1)
        while True:
            noise = torch.Generator().manual_seed(rng.getrandbits(32))
            pictures, inside, out = rng.randint(1, 3), rng.randint(1, 4), rng.randint(1, 4)
            x = torch.randn(pictures, inside, rng.randint(1, 5), rng.randint(1, 5), generator=noise)
            yield x, *(torch.randn(*shape, generator=noise) for shape in ((out, inside), (out,), (out,)))

    @misconception("This is the sum over the map. It would grow with the picture; take the mean.")
    def total(x, weight, factor, shift):
        return _pooled(x, weight, factor, shift, lambda x: x.sum((2, 3)))

    @misconception("This takes the maximum. v3 uses the average: global average pooling.")
    def maximum(x, weight, factor, shift):
        return _pooled(x, weight, factor, shift, lambda x: x.amax((2, 3)))

    @misconception(
        "The mean runs over the batch, too, so that every picture hears of the others. One mean for each "
        "picture."
    )
    def mean_over_batch(x, weight, factor, shift):
        return _pooled(x, weight, factor, shift, lambda x: x.mean((0, 2, 3))[None].expand(len(x), -1))

    @misconception("The ReLU at the end is missing.")
    def no_relu(x, weight, factor, shift):
        return _pooled(x, weight, factor, shift, after=lambda y: y)

    @misconception("The ReLU comes before batch norm here. The order is convolution, batch norm, ReLU.")
    def norm_last(x, weight, factor, shift):
        mixed = F.relu(x.mean((2, 3)) @ weight.T) * factor + shift
        return mixed[:, :, None, None].expand(-1, -1, *x.shape[2:])

    @misconception(
        "The convolution and the ReLU come first and the mean last. Through the ReLU this is another number: pool "
        "first, as the paper does. (It is also h · w times the work.)"
    )
    def mean_last(x, weight, factor, shift):
        """The mean of the finished unit in place of the unit of the mean."""
        mixed = torch.einsum("kc,nchw->nkhw", weight, x) * factor[:, None, None] + shift[:, None, None]
        return F.relu(mixed).mean((2, 3), keepdim=True).expand(-1, -1, *x.shape[2:])

    @misconception(
        "One cell is left, [N, K, 1, 1]. To be concatenated with the other branches it must lie at every cell, "
        "[N, K, h, w]."
    )
    def one_cell(x, weight, factor, shift):
        return _pooled(x, weight, factor, shift)[:, :, :1, :1]

    @misconception("Batch norm is missing: times `factor`, plus `shift`.")
    def no_norm(x, weight, factor, shift):
        return _pooled(x, weight, torch.ones_like(factor), torch.zeros_like(shift))

    @misconception("Nothing is pooled: this is the 1×1 branch of ASPP. Take the mean over the map first.")
    def not_pooled(x, weight, factor, shift):
        return F.relu(torch.einsum("kc,nchw->nkhw", weight, x) * factor[:, None, None] + shift[:, None, None])


@exercise
class OneClassifier:
    """Stretch: a sum of classifiers as one classifier on concatenated branches."""

    trials = 60
    hints = (
        "Write the sum for one cell: W₁ f₁ + b₁ + W₂ f₂ + b₂ + … The concatenated cell is f₁ above f₂ above f₃.",
        "A row of the large matrix must hold W₁'s row, then W₂'s row, then …: put the matrices side by side.",
        "`torch.cat(list_of_matrices, dim=1)` does that. What does not depend on f is added up.",
    )

    def one_classifier(
        weights: Sequence[torch.Tensor], biases: Sequence[torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Weight and bias of the one 1 x 1 classifier on concatenated branches that gives the sum of their scores.

        Branch i alone would have the classifier `weights[i]` [classes, channels] with `biases[i]` [classes]. So v2's
        sum is one of the things that concatenation and a 1 x 1 can do. Source: DeepLab v2, figure 7; v3, section 3.3.
        """
        return torch.cat(list(weights), dim=1), torch.stack(list(biases)).sum(0)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Two branches with one channel and one class first, then any."""
        yield [torch.tensor([[1.0]]), torch.tensor([[2.0]])], [torch.tensor([1.0]), torch.tensor([3.0])]
        while True:
            noise = torch.Generator().manual_seed(rng.getrandbits(32))
            branches, classes, channels = rng.randint(1, 4), rng.randint(1, 3), rng.randint(1, 3)
            weights = [torch.randn(classes, channels, generator=noise) for _ in range(branches)]
            yield weights, [torch.randn(classes, generator=noise) for _ in range(branches)]

    @misconception(
        "The matrices stand below one another. That makes more classes; side by side (dim=1) they make room for "
        "more channels."
    )
    def below_one_another(weights, biases):
        return _answer(weights, biases, weight=torch.cat(list(weights), dim=0))

    @misconception(
        "The weights are added up. That would be right if all branches gave the same features. Each branch keeps "
        "its own columns."
    )
    def weights_added(weights, biases):
        return _answer(weights, biases, weight=torch.stack(list(weights)).sum(0))

    @misconception(
        "The columns are interleaved: channel 0 of all branches first. Concatenation puts all channels of branch "
        "0 first, then all of branch 1."
    )
    def interleaved(weights, biases):
        return _answer(weights, biases, weight=torch.stack(list(weights), dim=2).flatten(1))

    @misconception("The weights are right. The biases are averaged; in a sum of scores they add up.")
    def biases_averaged(weights, biases):
        return _answer(weights, biases, bias=torch.stack(list(biases)).mean(0))

    @misconception("The weights are right, but only the first branch's bias is there. They add up.")
    def first_bias_only(weights, biases):
        return _answer(weights, biases, bias=biases[0].clone())

    @misconception(
        "The weights are right. The biases are concatenated, but there is one score for each class: add them up."
    )
    def biases_concatenated(weights, biases):
        return _answer(weights, biases, bias=torch.cat(list(biases)))

    @misconception("This gives the mean of the branches' scores. v2 adds them.")
    def mean_of_scores(weights, biases):
        return (
            torch.cat(list(weights), dim=1) / len(weights),
            torch.stack(list(biases)).mean(0),
        )
