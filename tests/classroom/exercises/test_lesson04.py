"""Lesson 04: right answers in many styles, and wrong ones."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from answers import assert_accepted, assert_rejected, exercise_of, listed, says
from torch import nn
from torch.nn import functional as F

from deeplab_lessons.backbones import SameMaxPool2d
from deeplab_lessons.classroom.atrous import dilate_kernel


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

    @says("keeps the dilation")
    def unchanged(k, old=7, rate=4):
        return rate

    @says("ignores the old dilation")
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
    @says("leaves out the biases")
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

    @says("leaves out fc7")
    def no_fc7(k, c, n=21, i=512):
        return i * k * k * c + c + c * n + n

    @says("returns only fc6")
    def fc6(k, c, n=21, i=512):
        return i * k * k * c + c

    @says("one bias per input channel")
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


def letters(*steps):
    """An answer to the surgery: the letters of these steps."""
    surgery = exercise_of("lesson04", "surgery")
    found = {step.__name__: letter for letter, step in surgery.letters.items()}
    return lambda: "".join(found[step] for step in steps)


class SurgeryRight:
    as_declared = letters("load", "read_as_kernels", "remove_strides", "dilate", "decimate", "new_classes")
    as_the_lesson_goes = letters(
        "load", "read_as_kernels", "remove_strides", "dilate", "new_classes", "decimate"
    )
    classes_first = letters("load", "new_classes", "read_as_kernels", "remove_strides", "dilate", "decimate")
    strides_first = letters("remove_strides", "load", "read_as_kernels", "dilate", "decimate", "new_classes")
    strides_second = letters("load", "remove_strides", "new_classes", "read_as_kernels", "dilate", "decimate")

    def with_commas():
        return ", ".join(SurgeryRight.as_declared())

    def as_a_list():
        return list(SurgeryRight.as_declared().lower())


class SurgeryWrong:
    @says("B")
    def alphabet():
        return "ABCDEF"

    kernels_before_weights = says("the kernel would be lost")(
        letters("read_as_kernels", "load", "remove_strides", "dilate", "decimate", "new_classes")
    )
    holes_in_a_matrix = says("no taps that could move apart")(
        letters("load", "remove_strides", "dilate", "read_as_kernels", "decimate", "new_classes")
    )
    holes_before_strides = says("product of removed strides is 1")(
        letters("load", "read_as_kernels", "dilate", "remove_strides", "decimate", "new_classes")
    )
    decimation_before_holes = says("Three times dilation 1")(
        letters("load", "read_as_kernels", "remove_strides", "decimate", "dilate", "new_classes")
    )
    classes_before_weights = says("1000 classes back")(
        letters("new_classes", "load", "read_as_kernels", "remove_strides", "dilate", "decimate")
    )
    everything_before_weights = letters(
        "new_classes", "read_as_kernels", "remove_strides", "dilate", "decimate", "load"
    )

    def backwards():
        return SurgeryRight.as_declared()[::-1]

    @says("missing")
    def five_letters():
        return SurgeryRight.as_declared()[:-1]

    @says("more than once")
    def one_twice():
        return SurgeryRight.as_declared() + "A"

    def numbers():
        return [4, 6, 3, 2, 5, 1]

    def names():
        return "load, read, remove, dilate, decimate, replace"


def pooled(x, dilation=1):
    """The larger of each cell and the one `dilation` further, along both axes."""
    for axis in (2, 3):
        kept = max(x.shape[axis] - dilation, 0)
        further = torch.full_like(x, -torch.inf)
        further.narrow(axis, 0, kept).copy_(x.narrow(axis, x.shape[axis] - kept, kept))
        x = torch.maximum(x, further)
    return x


class DenseScoresRight:
    def dilation_of_pool5(x, conv5, fc6):
        x = SameMaxPool2d(2, stride=1)(x)
        x = torch.conv2d(x, conv5, padding="same", dilation=2)
        x = SameMaxPool2d(2, stride=1, dilation=2)(x)
        return torch.conv2d(x, fc6, dilation=4)

    def functional(x, conv5, fc6):
        x = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=float("-inf")), 2, stride=1)
        x = F.conv2d(x, conv5, padding="same", dilation=2)
        x = F.max_pool2d(F.pad(x, (0, 2, 0, 2), value=float("-inf")), 2, stride=1, dilation=2)
        return F.conv2d(x, fc6, dilation=4)

    def padding_in_numbers(x, conv5, fc6):
        rows, columns = conv5.shape[2] - 1, conv5.shape[3] - 1
        x = SameMaxPool2d(2, stride=1)(x)
        x = F.conv2d(x, conv5, padding=(rows, columns), dilation=2)
        x = SameMaxPool2d(2, stride=1, dilation=2)(x)
        return F.conv2d(x, fc6, dilation=(4, 4))

    def modules(x, conv5, fc6):
        layers = nn.Sequential(
            SameMaxPool2d(2, 1),
            nn.Conv2d(1, 1, conv5.shape[2:], padding="same", dilation=2, bias=False),
            SameMaxPool2d(2, 1, dilation=2),
            nn.Conv2d(1, 1, fc6.shape[2:], dilation=4, bias=False),
        )
        layers[1].weight, layers[3].weight = nn.Parameter(conv5), nn.Parameter(fc6)
        return layers(x).detach()

    def by_hand(x, conv5, fc6):
        x = F.conv2d(pooled(x), conv5, padding="same", dilation=2)
        return F.conv2d(pooled(x, 2), fc6, dilation=4)

    def zeros_between_the_taps(x, conv5, fc6):
        x = SameMaxPool2d(2, stride=1)(x)
        x = F.conv2d(x, dilate_kernel(conv5, 2), padding="same")
        return F.conv2d(SameMaxPool2d(2, stride=1, dilation=2)(x), dilate_kernel(fc6, 4))

    def double(x, conv5, fc6):
        return DenseScoresRight.functional(x.double(), conv5.double(), fc6.double())


def with_dilations(pool4=1, conv5=2, pool5=2, fc6=4):
    """Four layers with these dilations."""

    def answer(x, conv5_weight, fc6_weight):
        x = torch.conv2d(pooled(x, pool4), conv5_weight, padding="same", dilation=conv5)
        return torch.conv2d(pooled(x, pool5), fc6_weight, dilation=fc6)

    return lambda x, conv5, fc6: answer(x, conv5, fc6)


class DenseScoresWrong:
    @says("read at every fourth row and column")
    def as_handed_out(x, conv5, fc6):
        x = SameMaxPool2d(2, stride=1)(x)
        x = torch.conv2d(x, conv5, padding="same", dilation=2)
        x = SameMaxPool2d(2, stride=1)(x)
        return torch.conv2d(x, fc6, dilation=4)

    pool5_by_4 = says("by its own stride as well")(with_dilations(pool5=4))
    both_pools = says("dilates pool4 too")(with_dilations(pool4=2))
    other_pool = says("pool4 instead of pool5")(with_dilations(pool4=2, pool5=1))
    fc6_by_2 = says("gives fc6 the dilation 2")(with_dilations(fc6=2))
    conv5_undilated = with_dilations(conv5=1)
    conv5_by_4 = with_dilations(conv5=4)
    fc6_by_8 = with_dilations(fc6=8)
    nothing_dilated = with_dilations(1, 1, 1, 1)
    pool5_by_3 = with_dilations(pool5=3)

    @says("stride again")
    def strides_back(x, conv5, fc6):
        x = torch.max_pool2d(x, (min(2, x.shape[2]), 2), 2)
        x = torch.max_pool2d(torch.conv2d(x, conv5, padding="same"), (min(2, x.shape[2]), 2), 2)
        return torch.conv2d(x, fc6)

    def pool5_by_3_cells(x, conv5, fc6):
        x = torch.conv2d(pooled(x), conv5, padding="same", dilation=2)
        return torch.conv2d(SameMaxPool2d(3, stride=1)(x), fc6, dilation=4)

    def pool5_left_out(x, conv5, fc6):
        return torch.conv2d(torch.conv2d(pooled(x), conv5, padding="same", dilation=2), fc6, dilation=4)

    def zeros_beyond_the_border(x, conv5, fc6):
        x = F.max_pool2d(F.pad(x, (0, 1, 0, 1)), 2, stride=1)
        x = torch.conv2d(x, conv5, padding="same", dilation=2)
        x = F.max_pool2d(F.pad(x, (0, 2, 0, 2)), 2, stride=1, dilation=2)
        return torch.conv2d(x, fc6, dilation=4)

    def padded_fc6(x, conv5, fc6):
        x = torch.conv2d(pooled(x), conv5, padding="same", dilation=2)
        return torch.conv2d(pooled(x, 2), fc6, padding="same", dilation=4)

    def averages(x, conv5, fc6):
        x = torch.conv2d(F.avg_pool2d(F.pad(x, (0, 1, 0, 1)), 2, 1), conv5, padding="same", dilation=2)
        return torch.conv2d(pooled(x, 2), fc6, dilation=4)

    def with_relu(x, conv5, fc6):
        x = torch.conv2d(pooled(x), conv5, padding="same", dilation=2).relu()
        return torch.conv2d(pooled(x, 2), fc6, dilation=4)

    def only_the_fourth(x, conv5, fc6):
        return DenseScoresRight.functional(x, conv5, fc6)[..., ::4, ::4]


def test_the_repaired_network_contains_the_strided_one():
    exercise, seen, spoiled = exercise_of("lesson04", "dense_scores"), 0, 0
    for x, conv5, fc6 in exercise.arguments():
        if x.shape[2] % 4 == x.shape[3] % 4 == 0 and fc6.shape[-1] <= min(x.shape[2:]) // 4:
            strided = F.conv2d(F.max_pool2d(x, 2), conv5, padding="same")
            strided = F.conv2d(F.max_pool2d(strided, 2), fc6)
            rows, columns = strided.shape[2:]
            found = exercise.reference(x, conv5, fc6)[..., ::4, ::4]
            assert torch.equal(found[..., :rows, :columns], strided)
            seen += 1
            spoiled += not torch.equal(exercise.fault.answer(x, conv5, fc6)[..., ::4, ::4], found)
    assert seen >= spoiled >= 2


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

    @says("decimates only the rows")
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
