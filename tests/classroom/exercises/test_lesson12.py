"""Lesson 12: right answers in many styles, and wrong ones."""

import numpy as np
import pytest
import torch
from answers import assert_accepted, assert_rejected, exercise_of, listed, says
from torch import nn
from torch.nn import functional as F

from deeplab_lessons.grid import Grid, upsample
from deeplab_lessons.layers.separable import SeparableConv2d


class SeparableCostRight:
    def formula(kernel_size, in_channels, out_channels, cells):
        weights = in_channels * (kernel_size * kernel_size + out_channels)
        return weights, cells * weights

    def modules(kernel_size, in_channels, out_channels, cells):
        with torch.device("meta"):
            parts = [
                nn.Conv2d(in_channels, in_channels, kernel_size, groups=in_channels, bias=False),
                nn.Conv2d(in_channels, out_channels, 1, bias=False),
            ]
        weights = sum(part.weight.numel() for part in parts)
        return weights, weights * cells

    def loop(kernel_size, in_channels, out_channels, cells):
        weights = 0
        for _ in range(in_channels):
            weights += kernel_size**2 + out_channels
        return [weights, weights * cells]

    def numpy(kernel_size, in_channels, out_channels, cells):
        weights = np.int64(kernel_size) ** 2 * in_channels + in_channels * out_channels
        return np.array([weights, weights * cells])

    def tensor(kernel_size, in_channels, out_channels, cells):
        weights = torch.tensor([kernel_size**2, out_channels]).sum() * in_channels
        return weights, weights * cells

    def from_the_ratio(kernel_size, in_channels, out_channels, cells):
        dense = kernel_size**2 * in_channels * out_channels
        weights = round(dense * (1 / out_channels + 1 / kernel_size**2))
        return weights, weights * cells

    def floats(kernel_size, in_channels, out_channels, cells):
        weights = float(kernel_size**2 * in_channels + in_channels * out_channels)
        return weights, weights * cells


class SeparableCostWrong:
    @says("leaves out the pointwise part")
    def depthwise(k, i, o, cells):
        return k**2 * i, k**2 * i * cells

    @says("leaves out the depthwise part")
    def pointwise(k, i, o, cells):
        return i * o, i * o * cells

    @says("counts the dense convolution")
    def dense(k, i, o, cells):
        return k**2 * i * o, k**2 * i * o * cells

    @says("square the k")
    def row(k, i, o, cells):
        return i * (k + o), i * (k + o) * cells

    @says("for each channel out")
    def depthwise_of_outputs(k, i, o, cells):
        return o * (k * k + i), o * (k * k + i) * cells

    @says("one kernel for all channels")
    def one_kernel(k, i, o, cells):
        return k * k + i * o, (k * k + i * o) * cells

    @says("without a bias")
    def biases(k, i, o, cells):
        weights = (k * k + 1) * i + (i + 1) * o
        return weights, weights * cells

    def biases_of_outputs(k, i, o, cells):
        weights = k * k * i + (i + 1) * o
        return weights, weights * cells

    @says("in the other order")
    def swapped(k, i, o, cells):
        return i * (k * k + o) * cells, i * (k * k + o)

    @says("repeats them as multiply-adds")
    def weights_twice(k, i, o, cells):
        return (i * (k * k + o),) * 2

    @says("squares `cells`")
    def side(k, i, o, cells):
        return i * (k * k + o), i * (k * k + o) * cells**2

    @says("two operations")
    def operations(k, i, o, cells):
        return i * (k * k + o), 2 * i * (k * k + o) * cells

    def side_of_the_square(k, i, o, cells):
        return i * (k * k + o), i * (k * k + o) * int(cells**0.5)

    @says("Expected a tuple of length 2")
    def weights_only(k, i, o, cells):
        return i * (k * k + o)

    def kernels_of_three(k, i, o, cells):
        return i * (9 + o), i * (9 + o) * cells

    def parts_multiplied(k, i, o, cells):
        return k * k * i * i * o, k * k * i * i * o * cells

    def doubled_kernel(k, i, o, cells):
        return i * (2 * k + o), i * (2 * k + o) * cells

    def in_millions(k, i, o, cells):
        return i * (k * k + o) / 1e6, i * (k * k + o) * cells / 1e6

    @says("one weight in the pointwise part")
    def outputs_only(k, i, o, cells):
        weights = k**2 * i + o
        return weights, weights * cells


class DecoderStepsRight:
    def reduced_first():
        return "FEBDAC"

    def enlarged_first():
        return ["E", "F", "B", "D", "A", "C"]

    def with_arrows():
        return "f → e → b → d → a → c"


class DecoderStepsWrong:
    @says("fewer cells")
    def concatenated_too_early():
        return "FBEDAC"

    @says("All 256 channels")
    def never_reduced_in_time():
        return "EBFDAC"

    @says("Labels would be enlarged")
    def labels_enlarged():
        return "FEBDCA"

    @says("16 times as much")
    def refined_on_all_pixels():
        return "FEBADC"

    @says("together")
    def refined_apart():
        return "FEDBAC"

    @says("Labels would be enlarged")
    def backwards():
        return "CADBEF"

    @says("missing: C")
    def no_label():
        return "FEBDA"

    @says("more than once: A")
    def enlarged_twice():
        return "FEABDAC"


def reduced(low, reduce):
    return F.conv2d(low, reduce).relu()


def corners(x):
    return [4 * (cells - 1) + 1 for cells in x.shape[2:]]


class FuseRight:
    def with_grid(x, low, reduce):
        return torch.cat([upsample(x, low.shape[2:], Grid(4, 0.0)), reduced(low, reduce)], dim=1)

    def padded(x, low, reduce):
        x = F.interpolate(x, corners(x), mode="bilinear", align_corners=True)
        x = F.pad(x, (0, low.shape[-1] - x.shape[-1], 0, low.shape[-2] - x.shape[-2]), mode="replicate")
        return torch.cat((x, reduced(low, reduce)), 1)

    def one_more_cell_and_cut(x, low, reduce):
        x = F.pad(x, (0, 1, 0, 1), mode="replicate")
        x = F.interpolate(x, corners(x), mode="bilinear", align_corners=True)
        x = x[:, :, : low.shape[2], : low.shape[3]]
        return torch.cat([x, torch.relu(F.conv2d(low, reduce))], dim=1)

    def last_cells_repeated(x, low, reduce):
        x = F.interpolate(x, corners(x), mode="bilinear", align_corners=True)
        while x.shape[2] < low.shape[2]:
            x = torch.cat([x, x[:, :, -1:]], dim=2)
        while x.shape[3] < low.shape[3]:
            x = torch.cat([x, x[:, :, :, -1:]], dim=3)
        return torch.cat([x, reduced(low, reduce)], dim=1)

    def weights(x, low, reduce):
        for axis in (2, 3):
            place = torch.arange(low.shape[axis]).div(4).clamp(max=x.shape[axis] - 1)
            before, part = place.long(), place.frac().to(x)
            after = (before + 1).clamp(max=x.shape[axis] - 1)
            part = part.view(-1, 1) if axis == 2 else part
            x = x.index_select(axis, before) * (1 - part) + x.index_select(axis, after) * part
        return torch.cat([x, reduced(low, reduce)], dim=1)

    def numpy(x, low, reduce):
        maps = x.numpy()
        for axis in (2, 3):
            wanted, known = np.arange(low.shape[axis]), 4 * np.arange(maps.shape[axis])
            maps = np.apply_along_axis(lambda row, w=wanted, k=known: np.interp(w, k, row), axis, maps)
        low = np.einsum("oi,nihw->nohw", reduce.numpy()[:, :, 0, 0], low.numpy()).clip(min=0)
        return torch.from_numpy(np.concatenate([maps, low], axis=1))

    def grid_sample(x, low, reduce):
        rows, columns = (
            2 * torch.arange(fine).clamp(max=4 * (coarse - 1)) / max(4 * (coarse - 1), 1) - 1
            for fine, coarse in zip(low.shape[2:], x.shape[2:], strict=True)
        )
        places = torch.stack(torch.meshgrid(rows, columns, indexing="ij")[::-1], dim=-1).to(x)
        x = F.grid_sample(x, places.expand(len(x), -1, -1, -1), align_corners=True, padding_mode="border")
        return torch.cat([x, reduced(low, reduce)], dim=1)

    def filled(x, low, reduce):
        low = torch.einsum("oi,nihw->nohw", reduce.flatten(1), low).clamp(min=0)
        fused = torch.zeros(len(x), x.shape[1] + low.shape[1], *low.shape[2:], dtype=x.dtype)
        fused[:, : x.shape[1]] = upsample(x, low.shape[2:], Grid(4, 0.0), by_torch=True)
        fused[:, x.shape[1] :] = low
        return fused


def stretched(x, low, reduce, **options):
    return torch.cat([F.interpolate(x, low.shape[2:], **options), reduced(low, reduce)], dim=1)


class FuseWrong:
    @says("too far to the right and too low")
    def as_it_stands(x, low, reduce):
        return stretched(x, low, reduce, mode="bilinear", align_corners=True)

    @says("from edge to edge")
    def edges(x, low, reduce):
        return stretched(x, low, reduce, mode="bilinear")

    @says("repeats coarse cells")
    def nearest(x, low, reduce):
        return stretched(x, low, reduce, mode="nearest")

    def bicubic(x, low, reduce):
        return stretched(x, low, reduce, mode="bicubic", align_corners=True)

    def exact_nearest(x, low, reduce):
        return stretched(x, low, reduce, mode="nearest-exact")

    @says("as if nothing were there")
    def zeros(x, low, reduce):
        x = F.interpolate(x, corners(x), mode="bilinear", align_corners=True)
        x = F.pad(x, (0, low.shape[3] - x.shape[3], 0, low.shape[2] - x.shape[2]))
        return torch.cat([x, reduced(low, reduce)], dim=1)

    @says("put")
    def early_first(x, low, reduce):
        return torch.cat([reduced(low, reduce), FuseRight.with_grid(x, low, reduce)[:, : x.shape[1]]], dim=1)

    @says("drops the ReLU")
    def no_relu(x, low, reduce):
        return torch.cat([upsample(x, low.shape[2:], Grid(4, 0.0)), F.conv2d(low, reduce)], dim=1)

    @says("both maps")
    def relu_at_the_end(x, low, reduce):
        return torch.cat([upsample(x, low.shape[2:], Grid(4, 0.0)), F.conv2d(low, reduce)], dim=1).relu()

    @says("thins out")
    def coarse(x, low, reduce):
        return torch.cat([x, reduced(low, reduce)[..., ::4, ::4]], dim=1)

    @says("cuts the early map")
    def cut(x, low, reduce):
        x = F.interpolate(x, corners(x), mode="bilinear", align_corners=True)
        return torch.cat([x, reduced(low, reduce)[..., : x.shape[2], : x.shape[3]]], dim=1)

    def first_of_the_batch(x, low, reduce):
        return FuseRight.with_grid(x[:1], low[:1], reduce)

    def not_reduced(x, low, reduce):
        return torch.cat([upsample(x, low.shape[2:], Grid(4, 0.0)), low.relu()], dim=1)

    def centred(x, low, reduce):
        return torch.cat([upsample(x, low.shape[2:], Grid(4, None)), reduced(low, reduce)], dim=1)

    def rows_only(x, low, reduce):
        x = F.interpolate(x, (corners(x)[0], low.shape[3]), mode="bilinear", align_corners=True)
        x = F.pad(x, (0, 0, 0, low.shape[2] - x.shape[2]), mode="replicate")
        return torch.cat([x, reduced(low, reduce)], dim=1)

    def zeros_before(x, low, reduce):
        x = F.interpolate(x, corners(x), mode="bilinear", align_corners=True)
        x = F.pad(x, (low.shape[3] - x.shape[3], 0, low.shape[2] - x.shape[2], 0), mode="replicate")
        return torch.cat([x, reduced(low, reduce)], dim=1)

    def added(x, low, reduce):
        return upsample(x, low.shape[2:], Grid(4, 0.0)) + reduced(low, reduce)[:, :1]

    def relu_first(x, low, reduce):
        x = upsample(x, low.shape[2:], Grid(4, 0.0))
        return torch.cat([x, F.conv2d(low.relu(), reduce)], dim=1)

    def scaled(x, low, reduce):
        x = F.interpolate(x, scale_factor=4, mode="bilinear", align_corners=True)
        x = x[..., : low.shape[2], : low.shape[3]]
        return torch.cat([x, reduced(low, reduce)], dim=1)

    def always_129(x, low, reduce):
        x = F.interpolate(x, (129, 129), mode="bilinear", align_corners=True)
        return torch.cat([x[..., : low.shape[2], : low.shape[3]], reduced(low, reduce)], dim=1)

    @says("more than four fine cells apart")
    def cut_after_corners(x, low, reduce):
        low = F.conv2d(low, reduce).relu()
        large = F.interpolate(x, scale_factor=4, mode="bilinear", align_corners=True)
        return torch.cat([large[..., : low.shape[2], : low.shape[3]], low], dim=1)

    @says("before the first row and column")
    def pad_in_the_other_order(x, low, reduce):
        low = F.conv2d(low, reduce).relu()
        rows, columns = 4 * x.shape[2] - 3, 4 * x.shape[3] - 3
        x = F.interpolate(x, (rows, columns), mode="bilinear", align_corners=True)
        x = F.pad(x, (low.shape[3] - columns, 0, low.shape[2] - rows, 0), mode="replicate")
        return torch.cat([x, low], dim=1)

    @says("between both ends")
    def ends_share(x, low, reduce):
        low = F.conv2d(low, reduce).relu()
        rows, columns = 4 * x.shape[2] - 3, 4 * x.shape[3] - 3
        x = F.interpolate(x, (rows, columns), mode="bilinear", align_corners=True)
        down, right = low.shape[2] - rows, low.shape[3] - columns
        sides = (right // 2, (right + 1) // 2, down // 2, (down + 1) // 2)
        return torch.cat([F.pad(x, sides, mode="replicate"), low], dim=1)


class DenseKernelRight:
    def broadcast(depthwise, scale, shift, pointwise):
        kernel = pointwise * (depthwise * scale.view(-1, 1, 1, 1)).transpose(0, 1)
        return kernel, (pointwise[..., 0, 0] * shift).sum(1)

    def einsum(depthwise, scale, shift, pointwise):
        kernel = torch.einsum("oc,c,cyx->ocyx", pointwise[:, :, 0, 0], scale, depthwise[:, 0])
        return kernel, torch.einsum("oc,c->o", pointwise[:, :, 0, 0], shift)

    def loops(depthwise, scale, shift, pointwise):
        outputs, channels, side = *pointwise.shape[:2], depthwise.shape[-1]
        kernel = torch.zeros(outputs, channels, side, side, dtype=depthwise.dtype)
        bias = torch.zeros(outputs, dtype=depthwise.dtype)
        for o in range(outputs):
            for c in range(channels):
                kernel[o, c] = pointwise[o, c, 0, 0] * scale[c] * depthwise[c, 0]
                bias[o] += pointwise[o, c, 0, 0] * shift[c]
        return kernel, bias

    def by_impulses(depthwise, scale, shift, pointwise):
        channels, side = len(depthwise), depthwise.shape[-1]
        inputs = torch.zeros(channels * side * side + 1, channels, side, side, dtype=depthwise.dtype)
        inputs[:-1] = torch.eye(channels * side * side, dtype=depthwise.dtype).view(-1, channels, side, side)
        x = F.conv2d(inputs, depthwise, groups=channels)
        x = x * scale[:, None, None] + shift[:, None, None]
        x = F.conv2d(x, pointwise)[:, :, 0, 0]
        return (x[:-1] - x[-1]).T.reshape(-1, channels, side, side), x[-1]

    def numpy(depthwise, scale, shift, pointwise):
        mixing = pointwise.numpy()[:, :, 0, 0]
        kernel = mixing[:, :, None, None] * (scale.numpy()[:, None, None] * depthwise.numpy()[:, 0])
        return torch.from_numpy(kernel), torch.from_numpy(mixing @ shift.numpy())

    def single_precision(depthwise, scale, shift, pointwise):
        kernel = pointwise.float() * (scale.float()[:, None, None] * depthwise.float().squeeze(1))
        return [kernel, pointwise.float().flatten(1) @ shift.float()]

    def scale_into_pointwise(depthwise, scale, shift, pointwise):
        mixing = pointwise * scale[None, :, None, None]
        return mixing * depthwise[:, 0], F.conv2d(shift[None, :, None, None], pointwise).flatten()

    def with_the_package(depthwise, scale, shift, pointwise):
        layer = SeparableConv2d(len(depthwise), len(pointwise), 1, batch_norm=False)
        layer.depthwise.weight = nn.Parameter(depthwise * scale[:, None, None, None])
        layer.pointwise.weight = nn.Parameter(pointwise)
        return layer.dense_kernel(), pointwise.squeeze((2, 3)) @ shift


class DenseKernelWrong:
    @says("adds the two kernels")
    def added(depthwise, scale, shift, pointwise):
        return pointwise + scale[:, None, None] * depthwise[:, 0], pointwise[:, :, 0, 0] @ shift

    @says("leaves batch norm out")
    def no_scale(depthwise, scale, shift, pointwise):
        return pointwise * depthwise[:, 0], pointwise[:, :, 0, 0] @ shift

    @says("output and input channels")
    def swapped(depthwise, scale, shift, pointwise):
        kernel, bias = DenseKernelRight.broadcast(depthwise, scale, shift, pointwise)
        return kernel.transpose(0, 1), bias

    @says("sums the kernel")
    def summed(depthwise, scale, shift, pointwise):
        kernel, bias = DenseKernelRight.broadcast(depthwise, scale, shift, pointwise)
        return kernel.sum(1, keepdim=True), bias

    @says("flips the depthwise kernel")
    def flipped(depthwise, scale, shift, pointwise):
        kernel, bias = DenseKernelRight.broadcast(depthwise, scale, shift, pointwise)
        return kernel.flip((-1, -2)), bias

    @says("rows and columns")
    def transposed(depthwise, scale, shift, pointwise):
        kernel, bias = DenseKernelRight.broadcast(depthwise, scale, shift, pointwise)
        return kernel.mT, bias

    @says("of channel 0")
    def first_kernel(depthwise, scale, shift, pointwise):
        return pointwise * scale[:, None, None] * depthwise[0, 0], pointwise[:, :, 0, 0] @ shift

    @says("as it is")
    def shift_itself(depthwise, scale, shift, pointwise):
        return DenseKernelRight.broadcast(depthwise, scale, shift, pointwise)[0], shift

    @says("multiplies the shift by the scale")
    def shift_scaled(depthwise, scale, shift, pointwise):
        kernel, _ = DenseKernelRight.broadcast(depthwise, scale, shift, pointwise)
        return kernel, pointwise[:, :, 0, 0] @ (scale * shift)

    @says("through the depthwise kernel")
    def shift_first(depthwise, scale, shift, pointwise):
        kernel, _ = DenseKernelRight.broadcast(depthwise, scale, shift, pointwise)
        return kernel, torch.einsum("ocyx,c->o", kernel, shift)

    def shift_through_taps(depthwise, scale, shift, pointwise):
        kernel, _ = DenseKernelRight.broadcast(depthwise, scale, shift, pointwise)
        return kernel, pointwise[:, :, 0, 0] @ (shift * depthwise.sum((1, 2, 3)))

    @says("ignores the shift")
    def no_bias(depthwise, scale, shift, pointwise):
        return DenseKernelRight.broadcast(depthwise, scale, shift, pointwise)[0], torch.zeros(len(pointwise))

    @says("in the other order")
    def bias_first(depthwise, scale, shift, pointwise):
        return DenseKernelRight.broadcast(depthwise, scale, shift, pointwise)[::-1]

    @says("the kernel only")
    def kernel_only(depthwise, scale, shift, pointwise):
        return DenseKernelRight.broadcast(depthwise, scale, shift, pointwise)[0]

    def shifts_added_up(depthwise, scale, shift, pointwise):
        kernel, _ = DenseKernelRight.broadcast(depthwise, scale, shift, pointwise)
        return kernel, shift.sum().expand(len(pointwise))

    def scale_of_size_only(depthwise, scale, shift, pointwise):
        return DenseKernelRight.broadcast(depthwise, scale.abs(), shift, pointwise)

    def shift_subtracted(depthwise, scale, shift, pointwise):
        kernel, bias = DenseKernelRight.broadcast(depthwise, scale, shift, pointwise)
        return kernel, -bias

    def scale_of_the_first(depthwise, scale, shift, pointwise):
        return DenseKernelRight.broadcast(depthwise, scale[:1].expand_as(scale), shift, pointwise)

    @says("does not add them up")
    def shift_by_broadcasting(depthwise, scale, shift, pointwise):
        return scale[:, None, None] * depthwise[:, 0] * pointwise, shift * pointwise[:, :, 0, 0]


def parts(kernel):
    return torch.linalg.svd(kernel.flatten(2).transpose(0, 1), full_matrices=False)


def back(shapes, kernel):
    return shapes.transpose(0, 1).reshape(kernel.shape)


class NearestSeparableRight:
    def svd(kernel):
        left, sizes, right = parts(kernel)
        return back(left[..., :1] @ (sizes[:, :1, None] * right[:, :1]), kernel)

    def channel_by_channel(kernel):
        nearest = torch.zeros_like(kernel)
        for c in range(kernel.shape[1]):
            left, sizes, right = torch.linalg.svd(kernel[:, c].flatten(1))
            nearest[:, c] = (sizes[0] * torch.outer(left[:, 0], right[0])).view_as(kernel[:, c])
        return nearest

    def numpy(kernel):
        channels = []
        for channel in kernel.numpy().transpose(1, 0, 2, 3):
            left, sizes, right = np.linalg.svd(channel.reshape(len(channel), -1))
            channels.append((left[:, :1] * sizes[0] @ right[:1]).reshape(channel.shape))
        return torch.from_numpy(np.stack(channels, axis=1))

    def sizes_set_to_zero(kernel):
        left, sizes, right = parts(kernel)
        sizes[:, 1:] = 0
        return back(left @ torch.diag_embed(sizes) @ right, kernel)

    def projected(kernel):
        _, _, right = parts(kernel)
        shape = right[:, 0]
        strength = (kernel.flatten(2) * shape).sum(-1)
        return (strength[..., None] * shape).view_as(kernel)

    def eigenvectors(kernel):
        matrices = kernel.flatten(2).transpose(0, 1)
        shape = torch.linalg.eigh(matrices.mT @ matrices).eigenvectors[..., -1:]
        return back(matrices @ shape @ shape.mT, kernel)

    def single_precision(kernel):
        left, sizes, right = parts(kernel.float())
        return back(torch.einsum("co,c,ck->cok", left[:, :, 0], sizes[:, 0], right[:, 0]), kernel)

    def by_turns(kernel):
        matrices = kernel.flatten(2).transpose(0, 1)
        shape = matrices.abs().sum(1, keepdim=True) + torch.rand(1, 1, matrices.shape[2])
        for _ in range(300):
            strength = (matrices @ shape.mT) / (shape * shape).sum(-1, keepdim=True)
            shape = (strength.mT @ matrices) / (strength * strength).sum(1, keepdim=True)
        return back(strength @ shape, kernel)

    def lowrank(kernel):
        u, s, v = torch.svd(kernel.permute(1, 0, 2, 3).flatten(2))
        return back(u[:, :, 0:1] * s[:, 0:1, None] @ v[:, :, 0:1].transpose(1, 2), kernel)


class NearestSeparableWrong:
    @says("for each output")
    def of_outputs(kernel):
        left, sizes, right = torch.linalg.svd(kernel.flatten(2), full_matrices=False)
        return (left[:, :, :1] * sizes[:, None, :1] * right[:, :1]).view_as(kernel)

    @says("one pattern")
    def of_the_whole(kernel):
        left, sizes, right = torch.linalg.svd(kernel.flatten(1), full_matrices=False)
        return (left[:, :1] * sizes[0] * right[:1]).view_as(kernel)

    @says("a column and a row")
    def of_each_kernel(kernel):
        left, sizes, right = torch.linalg.svd(kernel)
        return left[..., :1] * sizes[..., None, :1] * right[..., :1, :]

    @says("the kernel itself")
    def itself(kernel):
        return kernel.clone()

    @says("put axes back")
    def view(kernel):
        left, sizes, right = parts(kernel)
        return (left[:, :, :1] * sizes[:, None, :1] * right[:, :1]).reshape(kernel.shape)

    @says("leaves out the largest singular value")
    def unit(kernel):
        left, _, right = parts(kernel)
        return back(left[:, :, :1] * right[:, :1], kernel)

    @says("of channel 0")
    def first_size(kernel):
        left, sizes, right = parts(kernel)
        return back(left[:, :, :1] * sizes[0, 0] * right[:, :1], kernel)

    @says("mean over the outputs")
    def mean_shape(kernel):
        shape = kernel.mean(0)
        return shape * ((kernel * shape).sum((2, 3)) / shape.square().sum((1, 2)))[..., None, None]

    @says("all outputs the same kernel")
    def mean(kernel):
        return kernel.mean(0).repeat(len(kernel), 1, 1, 1)

    def three_by_three(kernel):
        left, sizes, right = torch.linalg.svd(
            kernel.reshape(*kernel.shape[:2], -1)[..., :9].transpose(0, 1), full_matrices=False
        )
        best = left[:, :, :1] * sizes[:, None, :1] * right[:, :1]
        return best.transpose(0, 1).reshape(*kernel.shape[:2], 3, 3)

    def two_parts(kernel):
        left, sizes, right = parts(kernel)
        return back((left[..., :2] * sizes[:, None, :2]) @ right[:, :2], kernel)

    def smallest_part(kernel):
        left, sizes, right = parts(kernel)
        return back(left[:, :, -1:] * sizes[:, None, -1:] * right[:, -1:], kernel)

    def eigenvalues_for_sizes(kernel):
        left, sizes, right = parts(kernel)
        return back(left[:, :, :1] * sizes[:, None, :1] ** 2 * right[:, :1], kernel)

    def positive(kernel):
        return NearestSeparableRight.svd(kernel).abs()

    def first_output_as_shape(kernel):
        shape = kernel[0]
        return shape * ((kernel * shape).sum((2, 3)) / shape.square().sum((1, 2)))[..., None, None]

    def middle_taps(kernel):
        nearest, middle = torch.zeros_like(kernel), kernel.shape[-1] // 2
        nearest[..., middle, middle] = kernel[..., middle, middle]
        return nearest

    def rank_one_of_pairs(kernel):
        shapes = kernel.flatten(2).permute(1, 2, 0)
        left, sizes, right = torch.linalg.svd(shapes, full_matrices=False)
        return (left[:, :, :1] * sizes[:, None, :1] * right[:, :1]).transpose(0, 1).reshape(kernel.shape)

    def mean_of_squares(kernel):
        return kernel.square().mean(0, keepdim=True).sqrt() * kernel.sum((2, 3), keepdim=True).sign()


@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Right"))
def test_right_answers_in_any_style_are_accepted(name, answer):
    assert_accepted(exercise_of("lesson12", name), answer)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Wrong"))
def test_wrong_answers_are_rejected(name, answer):
    assert_rejected(exercise_of("lesson12", name), answer)
