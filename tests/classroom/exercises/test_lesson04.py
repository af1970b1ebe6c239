"""Lesson 04: right answers in many styles, and wrong ones."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from answers import assert_accepted, assert_rejected, exercise_of, listed, says
from torch import nn
from torch.nn import functional as F


class RateThatKeepsFieldRight:
    def formula(kernel_size, old_kernel_size=7, old_rate=4):
        return ((old_kernel_size - 1) * old_rate) // (kernel_size - 1)

    def float_division(kernel_size, old_kernel_size=7, old_rate=4):
        return (old_kernel_size - 1) * old_rate / (kernel_size - 1)

    def of_covered_cells(kernel_size, old_kernel_size=7, old_rate=4):
        covered = old_kernel_size + (old_kernel_size - 1) * (old_rate - 1)
        return (covered - 1) // (kernel_size - 1)

    def tried(kernel_size, old_kernel_size=7, old_rate=4):
        for rate in range(1, 1000):
            if (kernel_size - 1) * rate == (old_kernel_size - 1) * old_rate:
                return rate

    def numpy(kernel_size, old_kernel_size=7, old_rate=4):
        return np.diff(np.linspace(0, (old_kernel_size - 1) * old_rate, kernel_size))[0].round()

    def fraction(kernel_size, old_kernel_size=7, old_rate=4):
        return Fraction(old_kernel_size - 1, kernel_size - 1) * old_rate

    def tensor(kernel_size, old_kernel_size=7, old_rate=4):
        return torch.tensor((old_kernel_size - 1) * old_rate).div(kernel_size - 1).round()


class RateThatKeepsFieldWrong:
    @says("shares out taps")
    def taps(k, old=7, rate=4):
        return old * rate // k

    @says("stays as it was")
    def unchanged(k, old=7, rate=4):
        return rate

    @says("ignores the old rate")
    def no_old_rate(k, old=7, rate=4):
        return (old - 1) // (k - 1)

    @says("covered cells")
    def covered(k, old=7, rate=4):
        return ((old - 1) * rate + 1) // (k - 1)

    def always_seven(k, old=7, rate=4):
        return 6 * rate // (k - 1)

    def always_four(k, old=7, rate=4):
        return (old - 1) * 4 // (k - 1)

    def another_default(k, old=7, rate=8):
        return (old - 1) * rate // (k - 1)

    def upside_down(k, old=7, rate=4):
        return (k - 1) * rate // (old - 1)

    def halved_first(k, old=7, rate=4):
        return (old - 1) // (k - 1) * rate

    def zeros_between(k, old=7, rate=4):
        return (old - 1) * (rate - 1) // (k - 1)

    def one_less(k, old=7, rate=4):
        return (old - 1) * rate // (k - 1) - 1

    def rounded_up(k, old=7, rate=4):
        return -(-(old * rate) // k)


class HeadParametersRight:
    def formula(kernel_size, channels, num_classes=21, in_channels=512):
        fc6 = (in_channels * kernel_size * kernel_size + 1) * channels
        fc7 = (channels + 1) * channels
        return fc6 + fc7 + (channels + 1) * num_classes

    def modules(kernel_size, channels, num_classes=21, in_channels=512):
        head = nn.Sequential(
            nn.Conv2d(in_channels, channels, kernel_size),
            nn.Conv2d(channels, channels, 1),
            nn.Conv2d(channels, num_classes, 1),
        )
        return sum(parameter.numel() for parameter in head.parameters())

    def loop(kernel_size, channels, num_classes=21, in_channels=512):
        total = 0
        layers = ((in_channels, channels, kernel_size), (channels, channels, 1), (channels, num_classes, 1))
        for ins, outs, taps in layers:
            total += ins * outs * taps**2 + outs
        return total

    def numpy(kernel_size, channels, num_classes=21, in_channels=512):
        ins = np.array([in_channels * kernel_size**2, channels, channels])
        outs = np.array([channels, channels, num_classes])
        return (ins * outs + outs).sum()

    def tensor(kernel_size, channels, num_classes=21, in_channels=512):
        ins = torch.tensor([in_channels * kernel_size**2, channels, channels])
        return (ins + 1) @ torch.tensor([channels, channels, num_classes])

    def linear_layers(kernel_size, channels, num_classes=21, in_channels=512):
        with torch.device("meta"):
            layers = (
                nn.Linear(in_channels * kernel_size**2, channels),
                nn.Linear(channels, channels),
                nn.Linear(channels, num_classes),
            )
        return sum(layer.weight.numel() + layer.bias.numel() for layer in layers)


class HeadParametersWrong:
    @says("biases are missing")
    def no_biases(k, c, n=21, i=512):
        return i * k * k * c + c * c + c * n

    @says("fc8's biases")
    def no_last_biases(k, c, n=21, i=512):
        return i * k * k * c + c + c * c + c + c * n

    @says("two axes")
    def one_axis(k, c, n=21, i=512):
        return i * k * c + c + c * c + c + c * n + n

    @says("1×1 convolution.")
    def taps_in_fc7(k, c, n=21, i=512):
        return i * k * k * c + c + k * k * c * c + c + c * n + n

    @says("fc7 is missing")
    def no_fc7(k, c, n=21, i=512):
        return i * k * k * c + c + c * n + n

    @says("fc6 alone")
    def fc6(k, c, n=21, i=512):
        return i * k * k * c + c

    @says("each weight a bias")
    def biases_for_inputs(k, c, n=21, i=512):
        return i * k * k * c + i + c * c + c + c * n + c

    def taps_in_fc8(k, c, n=21, i=512):
        return i * k * k * c + c + c * c + c + k * k * c * n + n

    def always_voc(k, c, n=21, i=512):
        return i * k * k * c + c + c * c + c + c * 21 + 21

    def always_conv5(k, c, n=21, i=512):
        return 512 * k * k * c + c + c * c + c + c * n + n

    def twenty_classes(k, c, n=20, i=512):
        return i * k * k * c + c + c * c + c + c * n + n

    def default_of_three(k, c, n=21, i=3):
        return i * k * k * c + c + c * c + c + c * n + n

    def one_bias_a_layer(k, c, n=21, i=512):
        return i * k * k * c + c * c + c * n + 3

    def in_millions(k, c, n=21, i=512):
        return HeadParametersRight.formula(k, c, n, i) / 1e6


class AsKernelRight:
    def reshape(weight, kernel_size):
        return weight.reshape(weight.shape[0], -1, kernel_size, kernel_size)

    def view(weight, kernel_size):
        o, n = weight.shape
        return weight.view(o, n // kernel_size**2, kernel_size, kernel_size)

    def unflatten(weight, kernel_size):
        return weight.unflatten(1, (-1, kernel_size, kernel_size))

    def loops(weight, kernel_size):
        o, n = weight.shape
        kernel = torch.zeros(o, n // kernel_size**2, kernel_size, kernel_size)
        for place in range(n):
            channel, tap = divmod(place, kernel_size**2)
            row, column = divmod(tap, kernel_size)
            kernel[:, channel, row, column] = weight[:, place]
        return kernel

    def stacked(weight, kernel_size):
        return torch.stack([row.view(-1, kernel_size, kernel_size) for row in weight])

    def numpy(weight, kernel_size):
        return torch.from_numpy(weight.numpy().reshape(len(weight), -1, kernel_size, kernel_size).copy())

    def double(weight, kernel_size):
        return weight.double().reshape(len(weight), -1, kernel_size, kernel_size)


class AsKernelWrong:
    @says("fastest axis")
    def channels_last(weight, kernel_size):
        return weight.reshape(len(weight), kernel_size, kernel_size, -1).permute(0, 3, 1, 2)

    @says("mirrored")
    def mirrored(weight, kernel_size):
        return AsKernelRight.reshape(weight, kernel_size).mT

    @says("turned round")
    def flipped(weight, kernel_size):
        return AsKernelRight.reshape(weight, kernel_size).flip((-1, -2))

    def columns_flipped(weight, kernel_size):
        return AsKernelRight.reshape(weight, kernel_size).flip(-1)

    def channels_reversed(weight, kernel_size):
        return AsKernelRight.reshape(weight, kernel_size).flip(1)

    def outputs_reversed(weight, kernel_size):
        return AsKernelRight.reshape(weight, kernel_size).flip(0)

    def channels_first(weight, kernel_size):
        return weight.reshape(-1, len(weight), kernel_size, kernel_size)

    def channels_first_moved(weight, kernel_size):
        return weight.reshape(-1, len(weight), kernel_size, kernel_size).transpose(0, 1)

    def one_channel(weight, kernel_size):
        return weight[:, : kernel_size**2].reshape(len(weight), 1, kernel_size, kernel_size)

    def positive(weight, kernel_size):
        return AsKernelRight.reshape(weight, kernel_size).abs()

    def scaled(weight, kernel_size):
        return AsKernelRight.reshape(weight, kernel_size) / kernel_size**2

    def flat(weight, kernel_size):
        return weight.reshape(len(weight), -1, kernel_size**2)

    def taps_last(weight, kernel_size):
        return weight[..., None, None].expand(*weight.shape, kernel_size, kernel_size)

    def whole(weight, kernel_size):
        return AsKernelRight.reshape(weight, kernel_size).round()


class DecimateRight:
    def steps(weight, kernel_size):
        step = (weight.shape[2] - 1) // (kernel_size - 1)
        return weight[:, :, ::step, ::step]

    def linspace(weight, kernel_size):
        taps = torch.linspace(0, weight.shape[-1] - 1, kernel_size).round().long()
        return weight[:, :, taps][:, :, :, taps]

    def index_select(weight, kernel_size):
        taps = torch.arange(kernel_size) * (weight.shape[-1] - 1) // (kernel_size - 1)
        return weight.index_select(2, taps).index_select(3, taps)

    def loops(weight, kernel_size):
        step = (weight.shape[-1] - 1) // (kernel_size - 1)
        kept = torch.zeros(*weight.shape[:2], kernel_size, kernel_size)
        for row in range(kernel_size):
            for column in range(kernel_size):
                kept[..., row, column] = weight[..., row * step, column * step]
        return kept

    def numpy(weight, kernel_size):
        taps = np.linspace(0, weight.shape[-1] - 1, kernel_size).astype(int)
        return torch.tensor(weight.numpy()[:, :, taps[:, None], taps])

    def corners_aligned(weight, kernel_size):
        return F.interpolate(weight, size=(kernel_size, kernel_size), mode="bilinear", align_corners=True)

    def pooled(weight, kernel_size):
        step = (weight.shape[-1] - 1) // (kernel_size - 1)
        one = torch.ones(1, 1, 1, 1, dtype=weight.dtype)
        each = weight.reshape(-1, 1, *weight.shape[2:])
        return F.conv2d(each, one, stride=step).reshape(*weight.shape[:2], kernel_size, kernel_size)


class DecimateWrong:
    @says("corner of the kernel")
    def corner(weight, kernel_size):
        return weight[:, :, :kernel_size, :kernel_size]

    @says("middle of the kernel")
    def middle(weight, kernel_size):
        skip = (weight.shape[-1] - kernel_size) // 2
        return weight[:, :, skip : skip + kernel_size, skip : skip + kernel_size]

    @says("rows are decimated")
    def rows(weight, kernel_size):
        return weight[:, :, :: (weight.shape[-1] - 1) // (kernel_size - 1)]

    @says("divides taps by taps")
    def taps(weight, kernel_size):
        step = weight.shape[-1] // kernel_size
        return weight[:, :, ::step, ::step]

    @says("averages taps")
    def averaged(weight, kernel_size):
        return F.adaptive_avg_pool2d(weight, kernel_size)

    @says("not evenly spaced")
    def nearest(weight, kernel_size):
        return F.interpolate(weight, kernel_size)

    def bilinear(weight, kernel_size):
        return F.interpolate(weight, kernel_size, mode="bilinear")

    def largest(weight, kernel_size):
        return F.adaptive_max_pool2d(weight, kernel_size)

    def shifted(weight, kernel_size):
        step = (weight.shape[-1] - 1) // (kernel_size - 1)
        return weight[:, :, step - 1 :: step, step - 1 :: step]

    def every_third(weight, kernel_size):
        return weight[:, :, ::3, ::3]

    def every_second(weight, kernel_size):
        return weight[:, :, ::2, ::2]

    def other_axes(weight, kernel_size):
        step = (weight.shape[-1] - 1) // (kernel_size - 1)
        return weight[::step, ::step]

    def first_filter(weight, kernel_size):
        step = (weight.shape[-1] - 1) // (kernel_size - 1)
        return weight[:1, :1, ::step, ::step]

    def transposed(weight, kernel_size):
        return DecimateRight.steps(weight, kernel_size).mT

    def positive(weight, kernel_size):
        return DecimateRight.steps(weight, kernel_size).abs()

    def rescaled(weight, kernel_size):
        return DecimateRight.steps(weight, kernel_size) * (weight.shape[-1] / kernel_size) ** 2


@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Right"))
def test_right_answers_in_any_style_are_accepted(name, answer):
    assert_accepted(exercise_of("lesson04", name), answer)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Wrong"))
def test_wrong_answers_are_rejected(name, answer):
    assert_rejected(exercise_of("lesson04", name), answer)
