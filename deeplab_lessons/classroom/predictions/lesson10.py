"""Predictions of lesson 10: a block's weights and fields, who is dilated, a branch's field, poly halfway."""

import torch

from deeplab_lessons import arithmetic, backbones
from deeplab_lessons.arithmetic import Field, Layer
from deeplab_lessons.classroom.predictions.framework import Answer, choice, number
from deeplab_lessons.training import schedules


@number(
    "Two 3 × 3 convolutions on 1024 channels have how many times the weights of the left block?",
    unit="times",
    tolerance=0.5,
    slips={
        4: "You compared the channels. A convolution's weights grow with the inputs times the outputs.",
        4**2: "You compared one 3 × 3 with the other. Count two, and also the two 1 × 1 of the bottleneck.",
        2 * 4**2: "You counted only the 3 × 3 of the bottleneck. Its two 1 × 1 also have weights.",
        8.5: "You counted one of the two 3 × 3 convolutions.",
    },
)
def times_the_weights():
    with torch.device("meta"):
        block = backbones.resnet(50, output_stride=32, blocks=(1, 1, 2, 1)).layer3[1]
    bottleneck = sum(conv.weight.numel() for conv in (block.conv1, block.conv2, block.conv3))
    times = 2 * 3 * 3 * block.conv1.in_channels**2 / bottleneck
    return Answer(round(times), shows=f"{times:.0f} times")


@number(
    "One way to the last map takes only shortcuts. How many pixels does a unit see along it?",
    unit="pixels",
    slips={
        1: "You left out the stem: the first convolution and the pool have no shortcut around them.",
        7: "You left out the pool. Its three taps follow the 7 × 7 convolution, with a jump of 2.",
        7
        + 2: "You counted the pool's gaps as single pixels. After a stride of 2 each gap is two pixels wide.",
        7 + 3: "You added the kernels. A layer adds its gaps, times the jump before it.",
        7 * 3: "You multiplied the kernels. A layer adds its gaps, times the jump before it.",
        7 + 2 * 4: "You used the jump after the pool. Its taps are on its input, where the jump is 2.",
        971: "That is the way through every block. The shortcuts go around all of them.",
    },
)
def smallest_field():
    size = arithmetic.receptive_fields([Layer(7, stride=2), Layer(3, stride=2)])[-1].size
    return Answer(size, shows=f"from {size} to")


@number(
    "In Caffe's layout the first 1 × 1 has stride 2. What percentage of the map's cells does it read?",
    unit="%",
    slips={
        50: "You stepped along one axis. The stride skips every second row and every second column.",
        100: "You counted cells as in torchvision's layout. A 1 × 1 has no neighbouring taps: what it skips is lost.",
        75: "You counted the cells that it throws away.",
        100 / 9: "You divided by the taps of a 3 × 3. A 1 × 1 has one tap, and its stride is 2.",
    },
    tolerance=0.5,
)
def cells_read():
    kept = arithmetic.output_size(16, kernel_size=1, stride=2)
    return Answer(100 * kept**2 / 16**2, shows=f"{kept**2 / 16**2:.0%}")


@choice(
    "The first block of layer3 loses its stride. Which dilation does its own 3 × 3 get?",
    (
        "1 in torchvision's layout, 2 in Caffe's",
        "2 in torchvision's layout, 1 in Caffe's",
        "1 in both layouts",
        "2 in both layouts",
    ),
    slips={
        "2 in both layouts": (
            "You dilated the whole stage. In torchvision's layout this 3 × 3 had the stride itself: its taps still "
            "read the fine map."
        ),
        "1 in both layouts": (
            "You dilated only later blocks. In Caffe's layout the 1 × 1 before it had the stride, so this 3 × 3 comes "
            "after."
        ),
        "2 in torchvision's layout, 1 in Caffe's": (
            "You swapped the two. Dilation begins after the convolution that had the stride: the 1 × 1 in Caffe's "
            "layout."
        ),
    },
)
def dilation_of_the_first():
    found = {}
    for layout, stride_in in (("torchvision's", "3x3"), ("Caffe's", "1x1")):
        with torch.device("meta"):
            net = backbones.resnet(50, output_stride=8, blocks=(1, 1, 2, 1), stride_in=stride_in)
        found[layout] = net.layer3[0].conv2.dilation[0]
    here, there = found["torchvision's"], found["Caffe's"]
    both = f"{here} in both layouts"
    apart = f"{here} in torchvision's layout, {there} in Caffe's"
    return Answer(both if here == there else apart, shows=(str(here), str(there)))


@number(
    "A unit sees 1027 pixels at jump 8. How many does it see after a 3 × 3 with dilation 24?",
    unit="pixels",
    slips={
        1027 + 24 * 8: "You counted one gap. A kernel with three taps has two.",
        1027 + 3 * 24 * 8: "You counted three gaps. Between three taps there are two.",
        1027 + 2 * 24: "You counted gaps in cells. Each cell of the map stands for a step of 8 pixels.",
        2 * 24 * 8: "That is what the branch adds. The 1027 pixels from before remain.",
        1027 + 2 * 23 * 8: "You took one off the dilation. At dilation 24 the taps are 24 cells apart.",
        1027 + 2 * 8: "You left out the dilation: the taps are 24 cells apart, not one.",
    },
)
def field_of_the_branch():
    before = Field(size=1027, jump=8)
    return arithmetic.extend(before, Layer(3, dilation=24)).size


@number(
    "Half of the iterations are done. What fraction of the first learning rate does poly leave?",
    tolerance=0.01,
    slips={
        0.5: "That is a straight line, power 1. The power 0.9 keeps the learning rate a little higher.",
        1 - 0.5**0.9: "You raised the part that is done to the power. Poly raises the part that is left.",
        0.1: "That is step, after the first of its two drops. Poly falls smoothly.",
        0.5 * 0.9: "You multiplied by 0.9. It is a power: 0.5 to the power 0.9.",
        0.9: "You took the power itself. It is an exponent: 0.5 to the power 0.9.",
    },
)
def poly_halfway():
    left = schedules.poly(10000, 20000)
    return Answer(round(left, 2), shows=f"{left:.2f}")
