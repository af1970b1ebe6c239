"""Lesson 11: right answers in many styles, and wrong ones."""

import itertools

import numpy as np
import pytest
import torch
from answers import assert_accepted, assert_rejected, exercise_of, listed, says
from torch import nn
from torch.nn import functional as F

from deeplab_lessons.classroom import stacks


class BlockRatesRight:
    def loop(output_stride, multi_grid, cascade):
        rates = []
        undilated = 32
        for _ in range(4, cascade + 1):
            r = undilated // output_stride if undilated > output_stride else 1
            rates.append((r * multi_grid[0], r * multi_grid[1], r * multi_grid[2]))
            undilated *= 2
        return rates

    def comprehension(output_stride, multi_grid, cascade):
        return [
            [max(1, 2 ** (n + 1) // output_stride) * m for m in multi_grid] for n in range(4, cascade + 1)
        ]

    def numpy(output_stride, multi_grid, cascade):
        rates = np.maximum(1, 32 * 2 ** np.arange(cascade - 3) // output_stride)
        return np.outer(rates, multi_grid)

    def tensor(output_stride, multi_grid, cascade):
        rates = (2 ** torch.arange(5, cascade + 2) // output_stride).clamp(min=1)
        return rates[:, None] * torch.tensor(multi_grid)

    def true_division(output_stride, multi_grid, cascade):
        return [
            tuple(max(1.0, 32 * 2**k / output_stride) * m for m in multi_grid) for k in range(cascade - 3)
        ]

    def stepping(output_stride, multi_grid, cascade):
        found, reached, rate = [], 16, 1
        for _ in range(cascade - 3):
            if reached * 2 > output_stride:
                rate = rate * 2 * reached // output_stride if reached > output_stride else rate * 2
                reached = output_stride
            else:
                reached *= 2
            found.append(tuple(rate * m for m in multi_grid))
        return found

    def shifts(output_stride, multi_grid, cascade):
        return [
            tuple((1 << max(0, n + 1 - output_stride.bit_length() + 1)) * m for m in multi_grid)
            for n in range(4, cascade + 1)
        ]

    def a_tuple_of_arrays(output_stride, multi_grid, cascade):
        grid = np.array(multi_grid)
        return tuple(max(1, 2 ** (n + 1) // output_stride) * grid for n in range(4, cascade + 1))


class BlockRatesWrong:
    @says("only the unit rates")
    def grid(output_stride, multi_grid, cascade):
        return [multi_grid for _ in range(4, cascade + 1)]

    @says("ignores `multi_grid`")
    def no_grid(output_stride, multi_grid, cascade):
        return [(max(1, 2 ** (n + 1) // output_stride),) * 3 for n in range(4, cascade + 1)]

    @says("adds")
    def added(output_stride, multi_grid, cascade):
        return [
            tuple(max(1, 2 ** (n + 1) // output_stride) + m for m in multi_grid)
            for n in range(4, cascade + 1)
        ]

    @says("power")
    def power(output_stride, multi_grid, cascade):
        return [
            tuple(m ** max(1, 2 ** (n + 1) // output_stride) for m in multi_grid)
            for n in range(4, cascade + 1)
        ]

    @says("block4's dilation")
    def block4(output_stride, multi_grid, cascade):
        return [tuple(max(1, 32 // output_stride) * m for m in multi_grid) for n in range(4, cascade + 1)]

    @says("only at output stride 16")
    def sixteen(output_stride, multi_grid, cascade):
        return [tuple(2 ** (n - 3) * m for m in multi_grid) for n in range(4, cascade + 1)]

    @says("dilation 0")
    def zero(output_stride, multi_grid, cascade):
        return [tuple(2 ** (n + 1) // output_stride * m for m in multi_grid) for n in range(4, cascade + 1)]

    def fractions(output_stride, multi_grid, cascade):
        return [tuple(2 ** (n + 1) / output_stride * m for m in multi_grid) for n in range(4, cascade + 1)]

    @says("twice too large")
    def twice(output_stride, multi_grid, cascade):
        return [
            tuple(max(1, 2 ** (n + 2) // output_stride) * m for m in multi_grid)
            for n in range(4, cascade + 1)
        ]

    @says("one block too late")
    def late(output_stride, multi_grid, cascade):
        return [tuple(max(1, 2**n // output_stride) * m for m in multi_grid) for n in range(4, cascade + 1)]

    @says("last block")
    def too_few(output_stride, multi_grid, cascade):
        return BlockRatesRight.loop(output_stride, multi_grid, cascade)[:-1]

    @says("a count of blocks")
    def too_many(output_stride, multi_grid, cascade):
        return [tuple(max(1, 32 * 2**n // output_stride) * m for m in multi_grid) for n in range(cascade)]

    def strides_added(output_stride, multi_grid, cascade):
        return [
            tuple(max(1, 32 * (n - 3) // output_stride) * m for m in multi_grid)
            for n in range(4, cascade + 1)
        ]

    def first_unit_only(output_stride, multi_grid, cascade):
        return [(max(1, 2 ** (n + 1) // output_stride) * multi_grid[0],) * 3 for n in range(4, cascade + 1)]

    def multi_grid_clamped_too(output_stride, multi_grid, cascade):
        return [
            tuple(max(1, 2 ** (n + 1) * m // output_stride) for m in multi_grid)
            for n in range(4, cascade + 1)
        ]

    def flat(output_stride, multi_grid, cascade):
        return [rate for block in BlockRatesRight.loop(output_stride, multi_grid, cascade) for rate in block]

    def last_block_only(output_stride, multi_grid, cascade):
        return BlockRatesRight.loop(output_stride, multi_grid, cascade)[-1]

    def grid_in_block4_only(output_stride, multi_grid, cascade):
        first, *others = BlockRatesRight.loop(output_stride, multi_grid, cascade)
        return [first, *((max(1, 2 ** (n + 1) // output_stride),) * 3 for n, _ in enumerate(others, 5))]

    def doubled_where_nothing_went(output_stride, multi_grid, cascade):
        return [tuple(max(1, 32 // output_stride) * 2**k * m for m in multi_grid) for k in range(cascade - 3)]

    def up_to_block7(output_stride, multi_grid, cascade):
        return BlockRatesRight.loop(output_stride, multi_grid, 7)


class ValidSharesRight:
    def formulas(size, dilation):
        three = max(0, size - 2 * dilation)
        one = min(size, max(0, 2 * dilation - size))
        two = size - three - one
        return [(n / size) ** 2 for n in (three, two, one)]

    def every_cell(size, dilation):
        if size > 20:
            return ValidSharesRight.formulas(size, dilation)
        counts = {9: 0, 4: 0, 1: 0}
        for i in range(size):
            for j in range(size):
                taps = sum(
                    0 <= i + a * dilation < size and 0 <= j + b * dilation < size
                    for a in (-1, 0, 1)
                    for b in (-1, 0, 1)
                )
                if taps in counts:
                    counts[taps] += 1
        return [counts[k] / size**2 for k in (9, 4, 1)]

    def convolution(size, dilation):
        ones = torch.ones(1, 1, size, size)
        taps = F.conv2d(ones, torch.ones(1, 1, 3, 3), padding=dilation, dilation=dilation)
        return [(taps == k).float().mean() for k in (9, 4, 1)]

    def numpy(size, dilation):
        place = np.arange(size)
        axis = 1 + (place >= dilation) + (place + dilation < size)
        taps = np.outer(axis, axis)
        return np.array([(taps == k).mean() for k in (9, 4, 1)])

    def the_calculator(size, dilation):
        shares = stacks.tap_shares(size, dilation=dilation)
        return [shares[9], shares[4], shares[1]]

    def tuple_of_products(size, dilation):
        axis = [sum(0 <= p + s < size for s in (-dilation, 0, dilation)) for p in range(size)]
        return tuple(axis.count(k) * axis.count(k) / (size * size) for k in (3, 2, 1))

    def numpy_float32(size, dilation):
        axis = [sum(0 <= p + s < size for s in (-dilation, 0, dilation)) for p in range(size)]
        return [np.float32(axis.count(k) / size) ** 2 for k in (3, 2, 1)]

    def histogram(size, dilation):
        place = torch.arange(size)
        axis = 1 + (place >= dilation).long() + (place + dilation < size).long()
        return (torch.bincount(axis, minlength=4)[[3, 2, 1]] / size) ** 2


class ValidSharesWrong:
    @says("along one axis")
    def axis(size, dilation):
        axis = stacks.taps_on_map(size, 3, dilation)
        return [axis.count(k) / size for k in (3, 2, 1)]

    @says("Divide by size")
    def counts(size, dilation):
        axis = stacks.taps_on_map(size, 3, dilation)
        return [axis.count(k) ** 2 for k in (3, 2, 1)]

    @says("per cent")
    def per_cent(size, dilation):
        return [100 * share for share in ValidSharesRight.formulas(size, dilation)]

    @says("too far")
    def too_far(size, dilation):
        axis = [1 + (p > dilation) + (p + dilation < size - 1) for p in range(size)]
        return [(axis.count(k) / size) ** 2 for k in (3, 2, 1)]

    @says("too short")
    def too_short(size, dilation):
        axis = [1 + (p >= dilation - 1) + (p + dilation <= size) for p in range(size)]
        return [(axis.count(k) / size) ** 2 for k in (3, 2, 1)]

    def one_side_too_short(size, dilation):
        axis = [1 + (p >= dilation) + (p + dilation <= size) for p in range(size)]
        return [(axis.count(k) / size) ** 2 for k in (3, 2, 1)]

    @says("ignores the dilation")
    def no_dilation(size, dilation):
        return ValidSharesRight.formulas(size, 1)

    @says("starts the kernel")
    def not_centred(size, dilation):
        axis = [sum(p + k * dilation < size for k in range(3)) for p in range(size)]
        return [(axis.count(k) / size) ** 2 for k in (3, 2, 1)]

    @says("six taps")
    def six(size, dilation):
        axis = stacks.taps_on_map(size, 3, dilation)
        taps = [a * b for a, b in itertools.product(axis, axis)]
        return [taps.count(k) / len(taps) for k in (9, 6, 1)]

    @says("wrong order")
    def upside_down(size, dilation):
        return ValidSharesRight.formulas(size, dilation)[::-1]

    @says("one border")
    def one_border(size, dilation):
        _, four, one = ValidSharesRight.formulas(size, dilation)
        return [(max(0, size - dilation) / size) ** 2, four, one]

    @says("negative")
    def negative(size, dilation):
        _, four, one = ValidSharesRight.formulas(size, dilation)
        return [((size - 2 * dilation) / size) ** 2, four, one]

    @says("count four by itself")
    def the_rest(size, dilation):
        nine, _, one = ValidSharesRight.formulas(size, dilation)
        return [nine, 1 - nine - one, one]

    def one_only_beyond_the_map(size, dilation):
        nine, four, _ = ValidSharesRight.formulas(size, dilation)
        return [nine, four, 1.0 if dilation >= size else 0.0]

    def one_not_limited(size, dilation):
        nine, four, _ = ValidSharesRight.formulas(size, dilation)
        return [nine, four, (max(0, 2 * dilation - size) / size) ** 2]

    def four_at_corners(size, dilation):
        nine, _, one = ValidSharesRight.formulas(size, dilation)
        return [nine, (2 * dilation / size) ** 2 if 2 * dilation < size else 0, one]

    @says("dict")
    def dictionary(size, dilation):
        return stacks.tap_shares(size, dilation=dilation)

    def rounded(size, dilation):
        return [round(share, 2) for share in ValidSharesRight.formulas(size, dilation)]

    def whole_division(size, dilation):
        axis = stacks.taps_on_map(size, 3, dilation)
        return [(axis.count(k) // size) ** 2 for k in (3, 2, 1)]

    @says("got 2")
    def two(size, dilation):
        return ValidSharesRight.formulas(size, dilation)[:2]


class ThreeDilationsRight:
    def widest():
        return [1, 3, 8]

    def threes():
        return [1, 3, 7]

    def narrowest():
        return (1, 3, 6)

    def two_and_seven():
        return [1, 2, 7]

    def falling():
        return [8, 3, 1]

    def mixed():
        return [3, 1, 8]

    def numpy_numbers():
        return list(np.array([7, 1, 2]))


class ThreeDilationsWrong:
    @says("15 cells")
    def multi_grid():
        return [1, 2, 4]

    @says("reads 15 of 29 cells")
    def multi_grid_at_stride_16():
        return [2, 4, 8]

    @says("0.207")
    def powers_of_three():
        return [1, 3, 9]

    @says("reads 7 of 25 cells")
    def all_alike():
        return [4, 4, 4]

    def one_step_too_wide():
        return [1, 2, 8]

    def two_ones():
        return [1, 1, 8]

    def no_one():
        return [2, 3, 6]

    @says("0.000")
    def aspp():
        return [6, 12, 18]

    @says("19 cells")
    def two_cells_short():
        return [1, 3, 5]

    def whole_map():
        return [33, 33, 33]

    @says("three whole numbers")
    def two():
        return [3, 8]

    @says("three whole numbers")
    def four():
        return [1, 2, 4, 8]

    @says("three whole numbers")
    def zero():
        return [0, 3, 8]

    @says("three whole numbers")
    def floats():
        return [1.0, 3.0, 8.0]

    @says("three whole numbers")
    def huge():
        return [1, 3, 10**9]

    @says("three whole numbers")
    def one_number():
        return 8

    @says("three whole numbers")
    def truth():
        return [True, 3, 8]


class ImagePoolingRight:
    def pooled_first(x, weight, factor, shift):
        y = F.adaptive_avg_pool2d(x, 1)
        y = F.conv2d(y, weight[:, :, None, None])
        y = F.relu(y * factor[:, None, None] + shift[:, None, None])
        return y.expand(-1, -1, x.shape[2], x.shape[3])

    def pooled_before_the_norm(x, weight, factor, shift):
        y = F.conv2d(x, weight[:, :, None, None]).mean((2, 3), keepdim=True)
        y = F.relu(y * factor[:, None, None] + shift[:, None, None])
        return y.expand(-1, -1, *x.shape[2:])

    def pooled_before_the_relu(x, weight, factor, shift):
        y = F.conv2d(x, weight[:, :, None, None]) * factor[:, None, None] + shift[:, None, None]
        return F.relu(y.mean((2, 3), keepdim=True)).expand(-1, -1, *x.shape[2:])

    def bilinear(x, weight, factor, shift):
        y = torch.relu(F.linear(x.mean((2, 3)), weight) * factor + shift)
        return F.interpolate(y[:, :, None, None], x.shape[2:], mode="bilinear", align_corners=True)

    def repeated(x, weight, factor, shift):
        n, c, h, w = x.shape
        y = (x.view(n, c, -1).mean(-1) @ weight.T * factor + shift).clamp(min=0)
        return y.view(n, -1, 1, 1).repeat(1, 1, h, w)

    def einsum(x, weight, factor, shift):
        mean = torch.einsum("nchw->nc", x) / (x.shape[2] * x.shape[3])
        y = torch.relu(torch.einsum("kc,nc->nk", weight, mean) * factor + shift)
        return torch.einsum("nk,hw->nkhw", y, torch.ones(x.shape[2:], dtype=x.dtype))

    def image_by_image(x, weight, factor, shift):
        answers = []
        for image in x:
            y = F.relu(weight @ image.mean((1, 2)) * factor + shift)
            answers.append(y[:, None, None] * torch.ones_like(image[:1]))
        return torch.stack(answers)

    def layers(x, weight, factor, shift):
        conv = nn.Conv2d(weight.shape[1], weight.shape[0], 1, bias=False, dtype=x.dtype)
        with torch.no_grad():
            conv.weight.copy_(weight[:, :, None, None])
            y = conv(nn.AdaptiveAvgPool2d(1)(x))
            y = F.batch_norm(y, torch.zeros_like(shift), torch.ones_like(shift), factor, shift, eps=0)
        return nn.ReLU()(y).expand(-1, -1, *x.shape[2:])

    def loops(x, weight, factor, shift):
        out = torch.zeros(len(x), len(weight), *x.shape[2:])
        for n in range(len(x)):
            for k in range(len(weight)):
                total = sum(weight[k, c] * x[n, c].mean() for c in range(x.shape[1]))
                out[n, k] = max(0, total * factor[k] + shift[k])
        return out


class ImagePoolingWrong:
    @says("too large")
    def as_it_stands(x, weight, factor, shift):
        y = F.conv2d(x, weight[:, :, None, None])
        y = F.relu(y * factor[:, None, None] + shift[:, None, None])
        return y.mean((2, 3), keepdim=True).expand(-1, -1, *x.shape[2:])

    @says("sums over the map")
    def summed(x, weight, factor, shift):
        y = F.relu(x.sum((2, 3)) @ weight.T * factor + shift)
        return y[:, :, None, None].expand(-1, -1, *x.shape[2:])

    @says("maximum")
    def maximum(x, weight, factor, shift):
        y = F.relu(F.adaptive_max_pool2d(x, 1).flatten(1) @ weight.T * factor + shift)
        return y[:, :, None, None].expand(-1, -1, *x.shape[2:])

    @says("averages over the batch")
    def batch(x, weight, factor, shift):
        y = F.relu(x.mean((0, 2, 3)) @ weight.T * factor + shift)
        return y[None, :, None, None].expand(len(x), -1, *x.shape[2:])

    def first_image(x, weight, factor, shift):
        y = F.relu(x[:1].mean((2, 3)) @ weight.T * factor + shift)
        return y[:, :, None, None].expand(len(x), -1, *x.shape[2:])

    def one_image_back(x, weight, factor, shift):
        y = F.relu(x.mean((2, 3)) @ weight.T * factor + shift)
        return y[:1, :, None, None].expand(-1, -1, *x.shape[2:])

    @says("each row by itself")
    def rows(x, weight, factor, shift):
        y = F.conv2d(x.mean(3, keepdim=True), weight[:, :, None, None])
        y = F.relu(y * factor[:, None, None] + shift[:, None, None])
        return y.expand(-1, -1, *x.shape[2:])

    @says("omits the ReLU")
    def no_relu(x, weight, factor, shift):
        y = x.mean((2, 3)) @ weight.T * factor + shift
        return y[:, :, None, None].expand(-1, -1, *x.shape[2:])

    @says("ReLU before batch norm")
    def relu_first(x, weight, factor, shift):
        y = F.relu(x.mean((2, 3)) @ weight.T) * factor + shift
        return y[:, :, None, None].expand(-1, -1, *x.shape[2:])

    @says("leaves batch norm out")
    def no_norm(x, weight, factor, shift):
        y = F.relu(x.mean((2, 3)) @ weight.T)
        return y[:, :, None, None].expand(-1, -1, *x.shape[2:])

    def factor_after_shift(x, weight, factor, shift):
        y = F.relu((x.mean((2, 3)) @ weight.T + shift) * factor)
        return y[:, :, None, None].expand(-1, -1, *x.shape[2:])

    def norm_of_one_value(x, weight, factor, shift):
        y = x.mean((2, 3)) @ weight.T
        y = F.relu((y - y.mean(0)) / (y.var(0, unbiased=False) + 1e-5).sqrt() * factor + shift)
        return y[:, :, None, None].expand(-1, -1, *x.shape[2:])

    @says("one cell")
    def one_cell(x, weight, factor, shift):
        return F.relu(x.mean((2, 3)) @ weight.T * factor + shift)[:, :, None, None]

    @says("Expected the shape")
    def vectors(x, weight, factor, shift):
        return F.relu(x.mean((2, 3)) @ weight.T * factor + shift)

    def square(x, weight, factor, shift):
        y = F.relu(x.mean((2, 3)) @ weight.T * factor + shift)[:, :, None, None]
        return F.interpolate(y, (x.shape[-1], x.shape[-1]), mode="bilinear", align_corners=True)

    @says("Rows come first")
    def swapped(x, weight, factor, shift):
        y = F.relu(x.mean((2, 3)) @ weight.T * factor + shift)[:, :, None, None]
        return y.expand(-1, -1, x.shape[3], x.shape[2])

    @says("doesn't pool")
    def not_pooled(x, weight, factor, shift):
        y = F.conv2d(x, weight[:, :, None, None])
        return F.relu(y * factor[:, None, None] + shift[:, None, None])

    def zeros_elsewhere(x, weight, factor, shift):
        y = F.relu(x.mean((2, 3)) @ weight.T * factor + shift)[:, :, None, None]
        return F.pad(y, (0, x.shape[3] - 1, 0, x.shape[2] - 1))

    @says("The values are right, but they are in a numpy array")
    def numpy(x, weight, factor, shift):
        y = np.maximum(0, x.numpy().mean((2, 3)) @ weight.numpy().T * factor.numpy() + shift.numpy())
        return np.broadcast_to(y[:, :, None, None], (*y.shape, *x.shape[2:]))


class OneClassifierRight:
    def concatenated(weights, biases):
        return torch.cat(weights, 1), sum(biases)

    def stacked(weights, biases):
        return torch.hstack(weights), torch.stack(biases).sum(dim=0)

    def a_list(weights, biases):
        bias = torch.zeros_like(biases[0])
        for b in biases:
            bias = bias + b
        return [torch.cat(tuple(weights), dim=-1), bias]

    def einsum(weights, biases):
        stacked = torch.einsum("bkc->kbc", torch.stack(weights))
        return stacked.reshape(len(biases[0]), -1), torch.einsum("bk->k", torch.stack(biases))

    def filled(weights, biases):
        classes, channels = weights[0].shape
        weight = torch.empty(classes, channels * len(weights), dtype=weights[0].dtype)
        for i, w in enumerate(weights):
            weight[:, i * channels : (i + 1) * channels] = w
        return weight, torch.stack(biases, dim=1).sum(1)

    def rows(weights, biases):
        rows = [torch.cat([w[k] for w in weights]) for k in range(len(weights[0]))]
        return torch.stack(rows), torch.stack([sum(b[k] for b in biases) for k in range(len(rows))])

    def transposed(weights, biases):
        return torch.cat([w.T for w in weights]).T, torch.cat([b[None] for b in biases]).sum(0)

    def numpy_inside(weights, biases):
        weight = np.concatenate([w.numpy() for w in weights], axis=1)
        return torch.from_numpy(weight), torch.from_numpy(np.sum([b.numpy() for b in biases], axis=0))


class OneClassifierWrong:
    @says("on top of each other")
    def below(weights, biases):
        return torch.cat(weights), sum(biases)

    @says("adds the weights.")
    def added(weights, biases):
        return sum(weights), sum(biases)

    @says("interleaves")
    def interleaved(weights, biases):
        return torch.stack(weights, -1).reshape(len(weights[0]), -1), sum(biases)

    @says("reverse order")
    def reverse(weights, biases):
        return torch.cat(weights[::-1], dim=1), sum(biases)

    @says("averages the biases")
    def mean_bias(weights, biases):
        return torch.cat(weights, dim=1), sum(biases) / len(biases)

    @says("only the first branch's bias")
    def first_bias(weights, biases):
        return torch.cat(weights, dim=1), biases[0]

    def last_bias(weights, biases):
        return torch.cat(weights, dim=1), biases[-1]

    @says("concatenates the biases")
    def bias_concatenated(weights, biases):
        return torch.cat(weights, dim=1), torch.cat(biases)

    @says("one number")
    def total_bias(weights, biases):
        return torch.cat(weights, dim=1), torch.stack(biases).sum()

    @says("mean of the branches' scores")
    def mean(weights, biases):
        n = len(weights)
        return torch.cat(weights, dim=1) / n, sum(biases) / n

    def transposed(weights, biases):
        return torch.cat(weights, dim=1).T, sum(biases)

    def flipped(weights, biases):
        return sum(biases), torch.cat(weights, dim=1)

    @says("Expected a tuple of length 2")
    def weight_only(weights, biases):
        return {"weight": torch.cat(weights, dim=1)}

    def two_branches(weights, biases):
        return torch.cat(weights[:2], dim=1), sum(biases[:2])

    def with_kernel_axes(weights, biases):
        return torch.cat(weights, dim=1)[:, :, None, None], sum(biases)

    @says("The values are right, but they are in a numpy array")
    def numpy(weights, biases):
        return np.concatenate([w.numpy() for w in weights], 1), np.sum([b.numpy() for b in biases], 0)

    def largest_bias(weights, biases):
        return torch.cat(weights, dim=1), torch.stack(biases).amax(0)

    def no_bias(weights, biases):
        return torch.cat(weights, dim=1), torch.zeros_like(biases[0])

    def written_into_the_first(weights, biases):
        for b in biases[1:]:
            biases[0] += b
        return torch.cat(weights, dim=1), biases[0]


@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Right"))
def test_right_answers_in_any_style_are_accepted(name, answer):
    assert_accepted(exercise_of("lesson11", name), answer)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Wrong"))
def test_wrong_answers_are_rejected(name, answer):
    assert_rejected(exercise_of("lesson11", name), answer)
