"""Lesson 09: right answers in many styles, and wrong ones."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from answers import assert_accepted, assert_rejected, exercise_of, listed, says
from torch import nn
from torch.nn import functional as F

from deeplab_lessons import arithmetic


class BranchFieldRight:
    def formula(trunk_field, stride, rate, kernel_size=3):
        return trunk_field + (kernel_size - 1) * rate * stride

    def covered(trunk_field, stride, rate, kernel_size=3):
        cells = kernel_size + (kernel_size - 1) * (rate - 1)
        return trunk_field + (cells - 1) * stride

    def from_the_first_tap_to_the_last(trunk_field, stride, rate, kernel_size=3):
        taps = range(0, kernel_size * rate, rate)
        return taps[-1] * stride + trunk_field

    def recursion(trunk_field, stride, rate, kernel_size=3):
        trunk = arithmetic.Field(size=trunk_field, jump=stride)
        return arithmetic.extend(trunk, arithmetic.Layer(kernel_size, dilation=rate)).size

    def gap_by_gap(trunk_field, stride, rate, kernel_size=3):
        field = trunk_field
        for _ in range(1, kernel_size):
            field += rate * stride
        return field

    def numpy(trunk_field, stride, rate, kernel_size=3):
        first = np.arange(kernel_size) * rate * stride
        return (first + trunk_field).max()

    def tensor(trunk_field, stride, rate, kernel_size=3):
        return torch.tensor(trunk_field) + (kernel_size - 1) * rate * stride

    def pixels_in_a_set(trunk_field, stride, rate, kernel_size=3):
        seen = {tap * rate * stride + pixel for tap in range(kernel_size) for pixel in (0, trunk_field - 1)}
        return max(seen) - min(seen) + 1

    def floats(trunk_field, stride, rate, kernel_size=3):
        return trunk_field + 2.0 * (kernel_size - 1) / 2 * rate * stride


class BranchFieldWrong:
    @says("gaps in cells")
    def cells(t, s, r, k=3):
        return t + (k - 1) * r

    @says("one gap too many")
    def taps(t, s, r, k=3):
        return t + k * r * s

    @says("only the window")
    def window(t, s, r, k=3):
        return ((k - 1) * r + 1) * s

    @says("ignores the dilation")
    def no_dilation(t, s, r, k=3):
        return t + (k - 1) * s

    @says("zeros between")
    def zeros(t, s, r, k=3):
        return t + (k - 1) * (r - 1) * s

    @says("what the kernel covers")
    def covered(t, s, r, k=3):
        return t + (k + (k - 1) * (r - 1)) * s

    @says("side by side")
    def tiles(t, s, r, k=3):
        return t * ((k - 1) * r + 1)

    @says("only for 3 taps")
    def three_taps(t, s, r, k=3):
        return t + 2 * r * s

    @says("on one side")
    def one_side(t, s, r, k=3):
        return t + k // 2 * r * s if k % 2 else t + (k - 1) // 2 * r * s

    def odd_kernels(t, s, r, k=3):
        return t + 2 * (k // 2) * r * s

    def new_jump(t, s, r, k=3):
        return t + (k - 1) * r * s * r

    def vgg(t, s, r, k=3):
        return 227 + (k - 1) * r * s

    def stride_eight(t, s, r, k=3):
        return t + (k - 1) * r * 8

    def another_default(t, s, r, k=5):
        return t + (k - 1) * r * s

    def without_the_trunk(t, s, r, k=3):
        return (k - 1) * r * s + 1

    def trunk_per_cell(t, s, r, k=3):
        return t + (k - 1) * r * t

    def off_by_one(t, s, r, k=3):
        return t + (k - 1) * r * s + 1

    def with_two_axes(t, s, r, k=3):
        return (BranchFieldRight.formula(t, s, r, k),) * 2

    @says("leaves out the backbone")
    def gaps_only(t, s, r, k=3):
        return r * s * (k - 1)

    @says("adds 1 for the first tap")
    def plus_one(t, s, r, k=3):
        return t + s * r * (k - 1) + 1


def enlarged(maps, **how):
    how = {"mode": "bilinear", "align_corners": True} | how
    return [F.interpolate(each[None], maps[-1].shape[1:], **how)[0] for each in maps]


class FuseScalesRight:
    def stacked(maps):
        return torch.stack(enlarged(maps)).amax(0)

    def values_of_max(maps):
        return torch.stack(enlarged(maps)).max(dim=0).values

    def one_by_one(maps):
        found = enlarged(maps)
        fused = found[0]
        for each in found[1:]:
            fused = torch.maximum(fused, each)
        return fused

    def upsample_module(maps):
        up = nn.UpsamplingBilinear2d(size=maps[-1].shape[-2:])  # aligns the corners
        return torch.cat([up(each.unsqueeze(0)) for each in maps]).max(0)[0]

    def grid_sample(maps):
        rows, columns = maps[-1].shape[1:]
        y = torch.linspace(-1, 1, rows, dtype=maps[-1].dtype) if rows > 1 else torch.zeros(1).to(maps[-1])
        x = torch.linspace(-1, 1, columns, dtype=maps[-1].dtype)
        places = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1)[None]
        found = [F.grid_sample(each[None], places, mode="bilinear", align_corners=True) for each in maps]
        return torch.cat(found).amax(0)

    def numpy(maps):
        def along(values, size):  # the last axis
            old = values.shape[-1]
            places = np.linspace(0, old - 1, size)
            rows = [np.interp(places, np.arange(old), row) for row in values.reshape(-1, old)]
            return np.reshape(rows, (*values.shape[:-1], size))

        _, rows, columns = maps[-1].shape
        found = [along(each.double().numpy(), columns).swapaxes(1, 2) for each in maps]
        return torch.from_numpy(np.max([along(each, rows).swapaxes(1, 2) for each in found], axis=0))

    def matrices(maps):
        def weights(new, old):
            places = torch.arange(new) * (old - 1) / max(new - 1, 1)
            return (1 - (places[:, None] - torch.arange(old)).abs()).clamp(min=0)

        size = maps[-1].shape[1:]
        found = []
        for each in maps:
            rows, columns = (weights(new, old) for new, old in zip(size, each.shape[1:], strict=True))
            found.append(torch.einsum("yi,cij,xj->cyx", rows, each.float(), columns))
        return torch.stack(found).amax(0)

    def largest_left_alone(maps):
        *smaller, last = maps
        size = tuple(last.shape[1:])
        found = [F.interpolate(each[None], size, mode="bilinear", align_corners=True)[0] for each in smaller]
        return torch.stack([*found, last]).amax(dim=0)

    def class_by_class(maps):
        found = torch.stack(enlarged(maps))
        return torch.stack([found[:, label].amax(0) for label in range(found.shape[1])])


class FuseScalesWrong:
    @says("In the middle of the image the scales agree")
    def as_given(maps):
        size = maps[-1].shape[1:]
        enlarged = [F.interpolate(each[None], size, mode="bilinear") for each in maps]
        return torch.cat(enlarged).amax(0)

    @says("In the middle of the image the scales agree")
    def edges_on_edges(maps):
        return torch.stack(enlarged(maps, align_corners=False)).amax(0)

    @says("interpolated several times")
    def in_steps(maps):
        fused = maps[0][None]
        for each in maps[1:]:
            fused = F.interpolate(fused, each.shape[1:], mode="bilinear", align_corners=True)
            fused = torch.maximum(fused, each[None])
        return fused[0]

    @says("What only the largest map shows is lost")
    def fused_while_small(maps):
        small = enlarged(maps[::-1])
        fused = torch.stack(small).amax(0)[None]
        return F.interpolate(fused, maps[-1].shape[1:], mode="bilinear", align_corners=True)[0]

    def fused_before_one_size(maps):
        return torch.stack(list(maps)).amax(0)

    def cut_to_one_size(maps):
        rows, columns = maps[0].shape[1:]
        return torch.stack([each[:, :rows, :columns] for each in maps]).amax(0)

    def padded_to_one_size(maps):
        _, rows, columns = maps[-1].shape
        padded = [F.pad(each, (0, columns - each.shape[2], 0, rows - each.shape[1])) for each in maps]
        return torch.stack(padded).amax(0)

    @says("mean over the scales")
    def mean(maps):
        return torch.stack(enlarged(maps)).mean(0)

    @says("adds the scales")
    def total(maps):
        return sum(enlarged(maps))

    @says("over the classes too")
    def over_all(maps):
        return torch.stack(enlarged(maps)).amax((0, 1))

    @says("over the classes.")
    def over_classes(maps):
        return torch.stack(enlarged(maps)).amax(1)

    @says("repeats each cell")
    def nearest(maps):
        return torch.stack(enlarged(maps, mode="nearest", align_corners=None)).amax(0)

    def bicubic(maps):
        return torch.stack(enlarged(maps, mode="bicubic")).amax(0)

    @says("never goes below 0")
    def zeros_among_them(maps):
        return torch.stack([*enlarged(maps), torch.zeros_like(maps[-1])]).amax(0)

    @says("returns the last scale")
    def last(maps):
        return maps[-1]

    @says("returns which scale wins")
    def winner(maps):
        return torch.stack(enlarged(maps)).argmax(0)

    @says("got a pair")
    def pair(maps):
        return torch.stack(enlarged(maps)).max(0)

    @says("probabilities first")
    def probabilities(maps):
        return torch.stack(enlarged(maps)).softmax(1).amax(0)

    def first_and_last(maps):
        return torch.stack(enlarged([maps[0], maps[-1]])).amax(0)

    def two_scales(maps):
        return torch.stack(enlarged(maps[-2:])).amax(0)

    def three_scales(maps):
        return torch.stack(enlarged(maps[-3:])).amax(0)

    def square(maps):
        side = maps[-1].shape[2]
        return torch.stack(enlarged([*maps[:-1], maps[-1][:, :side, :side]])).amax(0)[:, :side]

    def strongest(maps):
        found = torch.stack(enlarged(maps))
        return found.gather(0, found.abs().argmax(0, keepdim=True))[0]

    def smallest(maps):
        return torch.stack(enlarged(maps)).amin(0)

    def one_class(maps):
        return torch.stack(enlarged(maps)).amax(0)[:1]

    def with_a_batch(maps):
        return torch.stack(enlarged(maps)).amax(0)[None]

    def labels(maps):
        return torch.stack(enlarged(maps)).amax(0).argmax(0)

    @says("repeats each cell")
    def nearest_exact(maps):
        size = maps[-1].shape[1:]
        return torch.cat([F.interpolate(each[None], size, mode="nearest-exact") for each in maps]).amax(0)


def each_branch(x, weights, biases, rates):
    return [
        F.conv2d(x, w, b, padding=rate, dilation=rate)
        for w, b, rate in zip(weights, biases, rates, strict=True)
    ]


class SummedAsppRight:
    def loop(x, weights, biases, rates):
        total = 0
        for w, b, rate in zip(weights, biases, rates, strict=True):
            total = total + F.conv2d(x, w, b, padding=rate, dilation=rate)
        return total

    def stacked(x, weights, biases, rates):
        return torch.stack(each_branch(x, weights, biases, rates)).sum(dim=0)

    def modules(x, weights, biases, rates):
        total = torch.zeros((), dtype=x.dtype)
        for i, rate in enumerate(rates):
            classes, channels = weights[i].shape[:2]
            layer = nn.Conv2d(channels, classes, 3, padding=rate, dilation=rate, dtype=x.dtype)
            layer.load_state_dict({"weight": weights[i], "bias": biases[i]})
            total = total + layer(x)
        return total.detach()

    def padded_first(x, weights, biases, rates):
        found = [
            F.conv2d(F.pad(x, (r, r, r, r)), weights[i], biases[i], dilation=r) for i, r in enumerate(rates)
        ]
        return sum(found)

    def same(x, weights, biases, rates):
        return sum(
            F.conv2d(x, w, b, padding="same", dilation=r)
            for w, b, r in zip(weights, biases, rates, strict=True)
        )

    def biases_at_the_end(x, weights, biases, rates):
        found = sum(F.conv2d(x, w, padding=r, dilation=(r, r)) for w, r in zip(weights, rates, strict=True))
        return found + sum(biases).view(1, -1, 1, 1)

    def tap_by_tap(x, weights, biases, rates):
        images, _, rows, columns = x.shape
        total = torch.stack(list(biases)).sum(0).view(1, -1, 1, 1).expand(images, -1, rows, columns)
        for w, rate in zip(weights, rates, strict=True):
            padded = F.pad(x, [rate] * 4)
            for i in range(3):
                for j in range(3):
                    seen = padded[:, :, i * rate : i * rate + rows, j * rate : j * rate + columns]
                    total = total + torch.einsum("nchw,kc->nkhw", seen, w[:, :, i, j])
        return total

    def unfolded(x, weights, biases, rates):
        found = 0
        for w, b, rate in zip(weights, biases, rates, strict=True):
            columns = F.unfold(x, 3, dilation=rate, padding=rate)
            found = found + (w.flatten(1) @ columns + b[:, None]).view(len(x), len(w), *x.shape[2:])
        return found

    def doubles(x, weights, biases, rates):
        return sum(
            each_branch(x.double(), [w.double() for w in weights], [b.double() for b in biases], rates)
        )


class SummedAsppWrong:
    @says("the maximum of the branches")
    def maximum(x, weights, biases, rates):
        return torch.stack(each_branch(x, weights, biases, rates)).amax(0)

    @says("got a pair")
    def pair(x, weights, biases, rates):
        return torch.stack(each_branch(x, weights, biases, rates)).max(0)

    @says("takes the mean")
    def mean(x, weights, biases, rates):
        return torch.stack(each_branch(x, weights, biases, rates)).mean(0)

    @says("concatenates")
    def concatenated(x, weights, biases, rates):
        return torch.cat(each_branch(x, weights, biases, rates), 1)

    @says("ignores the dilation")
    def no_dilation(x, weights, biases, rates):
        return sum(each_branch(x, weights, biases, [1] * len(rates)))

    @says("shares one kernel")
    def shared(x, weights, biases, rates):
        return sum(each_branch(x, [weights[0]] * len(rates), [biases[0]] * len(rates), rates))

    def shared_weights_only(x, weights, biases, rates):
        return sum(each_branch(x, [weights[0]] * len(rates), biases, rates))

    @says("adds only one bias")
    def one_bias(x, weights, biases, rates):
        found = sum(F.conv2d(x, w, padding=r, dilation=r) for w, r in zip(weights, rates, strict=True))
        return found + biases[0].view(1, -1, 1, 1)

    @says("ignores the biases")
    def no_biases(x, weights, biases, rates):
        return sum(F.conv2d(x, w, padding=r, dilation=r) for w, r in zip(weights, rates, strict=True))

    @says("returns the last branch")
    def last(x, weights, biases, rates):
        for w, b, rate in zip(weights, biases, rates, strict=True):
            y = F.conv2d(x, w, b, padding=rate, dilation=rate)
        return y

    @says("scores of the first image")
    def first_image(x, weights, biases, rates):
        return sum(each_branch(x[:1], weights, biases, rates))

    @says("negative scores")
    def rectified(x, weights, biases, rates):
        return sum(map(F.relu, each_branch(x, weights, biases, rates)))

    def rectified_at_the_end(x, weights, biases, rates):
        return F.relu(sum(each_branch(x, weights, biases, rates)))

    def chain(x, weights, biases, rates):
        for w, b, rate in zip(weights, biases, rates, strict=True):
            x = F.conv2d(x, w, b, padding=rate, dilation=rate)
        return x

    def padding_of_one(x, weights, biases, rates):
        return sum(
            F.conv2d(x, w, b, padding=1, dilation=r) for w, b, r in zip(weights, biases, rates, strict=True)
        )

    def stride_for_dilation(x, weights, biases, rates):
        return sum(
            F.conv2d(x, w, b, padding=r, stride=r) for w, b, r in zip(weights, biases, rates, strict=True)
        )

    def border_repeated(x, weights, biases, rates):
        found = 0
        for w, b, r in zip(weights, biases, rates, strict=True):
            found = found + F.conv2d(F.pad(x, (r, r, r, r), mode="replicate"), w, b, dilation=r)
        return found

    def flipped(x, weights, biases, rates):
        return sum(each_branch(x, [w.flip(2, 3) for w in weights], biases, rates))

    def transposed(x, weights, biases, rates):
        return sum(each_branch(x, [w.mT for w in weights], biases, rates))

    def rates_sorted(x, weights, biases, rates):
        return sum(each_branch(x, weights, biases, sorted(rates)))

    def without_a_repeated_rate(x, weights, biases, rates):
        by_rate = {r: (w, b) for w, b, r in zip(weights, biases, rates, strict=True)}
        return sum(F.conv2d(x, w, b, padding=r, dilation=r) for r, (w, b) in by_rate.items())

    def two_branches(x, weights, biases, rates):
        return sum(each_branch(x, weights[:2], biases[:2], rates[:2]))

    def four_branches(x, weights, biases, rates):
        return sum(each_branch(x, weights[:4], biases[:4], rates[:4]))

    def batch_averaged(x, weights, biases, rates):
        return sum(each_branch(x, weights, biases, rates)).mean(0, keepdim=True)

    def first_channel(x, weights, biases, rates):
        return sum(each_branch(x[:, :1], [w[:, :1] for w in weights], biases, rates))

    def probabilities(x, weights, biases, rates):
        return sum(each.softmax(1) for each in each_branch(x, weights, biases, rates))

    def taps_off_the_map_dropped(x, weights, biases, rates):
        found = 0
        for w, b, r in zip(weights, biases, rates, strict=True):
            if r < max(x.shape[2:]):
                found = found + F.conv2d(x, w, b, padding=r, dilation=r)
        return found

    @says("Expected the shape [1, 1, 3, 4], got [1, 1, 1, 2].")
    def no_padding(x, weights, biases, rates):
        return sum(F.conv2d(x, w, b, dilation=r) for w, b, r in zip(weights, biases, rates, strict=True))


class PyramidDilationsRight:
    def smallest():
        return [1, 4, 7, 14]

    def largest():
        return [2, 5, 9, 16]

    def even_steps():
        return (1, 6, 11, 15)

    def any_order():
        return [15, 2, 10, 6]

    def shuffled():
        return (4, 14, 1, 9)

    def numpy():
        return list(np.array([1, 5, 10, 15]))

    def the_other_third():
        return [3, 6, 9, 14]


class PyramidDilationsWrong:
    @says("3 branches")
    def three():
        return [2, 7, 14]

    @says("5 branches")
    def five():
        return [1, 4, 7, 10, 14]

    @says("291 pixels")
    def nothing_near():
        return [4, 7, 10, 14]

    @says("419 pixels")
    def small_pyramid():
        return [2, 4, 8, 12]

    @says("50.4%")
    def large_pyramid():
        return [6, 12, 18, 24]

    @says("16 pixels")
    def two_alike():
        return [1, 4, 5, 14]

    @says("0 pixels")
    def twice_the_same():
        return [2, 2, 8, 14]

    @says("2 of 12 taps in a row off the map")
    def one_step_too_far():
        return [1, 4, 7, 17]

    @says("69.8%")
    def too_many_off_the_map():
        return [2, 5, 11, 16]

    def halves_of_the_large_one():
        return [3, 6, 9, 12]

    @says("dilation must be at least 1")
    def zero():
        return [0, 4, 8, 14]

    @says("dilation must be at least 1")
    def negative():
        return [-2, 4, 8, 14]

    @says("whole numbers, got")
    def fractions():
        return [1.5, 5, 9, 14]

    @says("whole numbers, got")
    def fields():
        return "243, 291, 355, 451"

    @says("whole numbers, got")
    def nested():
        return [[2], [6], [10], [15]]

    @says("whole numbers, got")
    def nothing():
        return []


class MatchingScaleRight:
    def formula(trunk_field, stride, rate, wanted_rate):
        return (trunk_field - 1 + 2 * rate * stride) / (trunk_field - 1 + 2 * wanted_rate * stride)

    def by_two_fields(trunk_field, stride, rate, wanted_rate):
        own, wanted = (trunk_field + 2 * each * stride for each in (rate, wanted_rate))
        return (own - 1) / (wanted - 1)

    def fraction(trunk_field, stride, rate, wanted_rate):
        return Fraction(trunk_field + 2 * rate * stride - 1, trunk_field + 2 * wanted_rate * stride - 1)

    def numpy(trunk_field, stride, rate, wanted_rate):
        steps = trunk_field - 1 + 2 * stride * np.array([rate, wanted_rate])
        return np.divide(*steps)

    def single_precision(trunk_field, stride, rate, wanted_rate):
        return np.float32(trunk_field + 2 * rate * stride - 1) / np.float32(
            trunk_field + 2 * wanted_rate * stride - 1
        )

    def tensor(trunk_field, stride, rate, wanted_rate):
        steps = torch.tensor([rate, wanted_rate]) * 2 * stride + trunk_field - 1
        return steps[0] / steps[1]

    def halved_intervals(trunk_field, stride, rate, wanted_rate):
        low, high = 0.0, 1.0
        for _ in range(60):
            scale = (low + high) / 2
            reach = (trunk_field + 2 * rate * stride - 1) / scale + 1
            if reach > trunk_field + 2 * wanted_rate * stride:
                low = scale
            else:
                high = scale
        return scale

    def layers(trunk_field, stride, rate, wanted_rate):
        trunk = arithmetic.Field(size=trunk_field, jump=stride)
        sizes = [arithmetic.extend(trunk, arithmetic.Layer(3, dilation=d)).size for d in (rate, wanted_rate)]
        return (sizes[0] - 1) / (sizes[1] - 1)


class MatchingScaleWrong:
    @says("divides the dilations")
    def dilations(t, s, r, w):
        return r / w

    @says("divides the fields")
    def fields(t, s, r, w):
        return (t + 2 * r * s) / (t + 2 * w * s)

    @says("upside down")
    def upside_down(t, s, r, w):
        return (t + 2 * w * s - 1) / (t + 2 * r * s - 1)

    @says("in cells")
    def cells(t, s, r, w):
        return (t + 2 * r - 1) / (t + 2 * w - 1)

    @says("one gap")
    def one_gap(t, s, r, w):
        return (t + r * s - 1) / (t + w * s - 1)

    @says("three gaps")
    def three_gaps(t, s, r, w):
        return (t + 3 * r * s - 1) / (t + 3 * w * s - 1)

    @says("fraction of the pixels")
    def pixels(t, s, r, w):
        return ((t + 2 * r * s - 1) / (t + 2 * w * s - 1)) ** 2

    def square_root(t, s, r, w):
        return ((t + 2 * r * s - 1) / (t + 2 * w * s - 1)) ** 0.5

    def plus_one(t, s, r, w):
        return (t + 2 * r * s + 1) / (t + 2 * w * s + 1)

    def without_the_trunk(t, s, r, w):
        return (2 * r * s) / (2 * w * s)

    def zeros(t, s, r, w):
        return (t + 2 * (r - 1) * s - 1) / (t + 2 * (w - 1) * s - 1) if t + 2 * r * s > 1 + 2 * s else 0

    def stride_eight(t, s, r, w):
        return (t + 16 * r - 1) / (t + 16 * w - 1)

    def vgg(t, s, r, w):
        return (226 + 2 * r * s) / (226 + 2 * w * s)

    def per_cent(t, s, r, w):
        return 100 * (t + 2 * r * s - 1) / (t + 2 * w * s - 1)

    def difference(t, s, r, w):
        return 1 - 2 * (w - r) * s / (t + 2 * w * s)

    def whole(t, s, r, w):
        return (t + 2 * r * s - 1) // (t + 2 * w * s - 1)

    @says("rounded to 2 places")
    def rounded(t, s, r, w):
        return round((t + 2 * r * s - 1) / (t + 2 * w * s - 1), 2)

    def one_of_msc(t, s, r, w):
        exact = (t + 2 * r * s - 1) / (t + 2 * w * s - 1)
        return min((0.5, 0.75, 1.0), key=lambda scale: abs(scale - exact))

    @says("upside down")
    def fields_upside_down(t, s, r, w):
        return (t + 2 * w * s) / (t + 2 * r * s)


@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Right"))
def test_right_answers_in_any_style_are_accepted(name, answer):
    assert_accepted(exercise_of("lesson09", name), answer)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Wrong"))
def test_wrong_answers_are_rejected(name, answer):
    assert_rejected(exercise_of("lesson09", name), answer)
