"""Exercises of lesson 10: strides into dilations, rates of the groups, who learns how fast, the field of a ResNet."""

import random
from collections import OrderedDict
from collections.abc import Iterator, Sequence

import torch
from torch import nn

from deeplab_lessons.arithmetic import Layer, receptive_fields
from deeplab_lessons.classroom.exercises.compare import show
from deeplab_lessons.classroom.exercises.framework import exercise, misconception
from deeplab_lessons.models import DeepLabV2
from deeplab_lessons.training.schedules import poly


def _network(classifiers: int, frozen: bool, shift: bool = True) -> nn.Module:
    """A convolution and a batch norm as the backbone; a head with fc7 and fc8, or with `classifiers` in parallel."""
    with torch.device("meta"):  # names without numbers
        backbone = nn.Sequential(OrderedDict(conv1=nn.Conv2d(3, 4, 3, bias=shift), bn1=nn.BatchNorm2d(4)))
        if classifiers == 1:
            head = nn.Sequential(OrderedDict(fc7=nn.Conv2d(4, 4, 1), fc8=nn.Conv2d(4, 2, 1)))
        else:
            head = nn.ModuleList(nn.Conv2d(4, 2, 3, padding=d, dilation=d) for d in range(1, classifiers + 1))
    backbone.bn1.requires_grad_(not frozen)
    return nn.ModuleDict({"backbone": backbone, "head": head})


def _show(value: object) -> str:
    """A network as the list of its parameters, with a word for frozen ones."""
    if not isinstance(value, nn.Module):
        return show(value)
    told = [name + ("" if p.requires_grad else " (frozen)") for name, p in value.named_parameters()]
    return f"a network with {', '.join(told)}"


def _plan(strides, output_stride, then):
    """A plan with one thing done wrong: `then(dilation, stride)` is the dilation after a stride was taken out."""
    plan, reached, dilation = [], 1, 1
    for stride in strides:
        if reached * stride > output_stride:
            dilation, stride = then(dilation, stride), 1
        reached *= stride
        plan.append((stride, dilation))
    return plan


def _grouped(
    model, classifiers, bias=20, old_bias=1, new=None, keep=lambda parameter: parameter.requires_grad
):
    """The three lists, with one thing done wrong."""
    found = {1: [], 10: [], 20: []}
    for name, parameter in model.named_parameters():
        layer, _, kind = name.rpartition(".")
        fresh = new(layer) if new else layer in classifiers
        factor = (bias if fresh else old_bias) if kind == "bias" else (10 if fresh else 1)
        if keep(parameter):
            found[factor].append(name)
    return list(found.values())


def _in_order(layers) -> int:
    """A field with the jump taken after the layer."""
    size = jump = 1
    for kernel_size, stride in layers:
        jump *= stride
        size += (kernel_size - 1) * jump
    return size


def _layers(blocks, stride_in):
    layers = [(7, 2), (3, 2)]
    for stage, count in enumerate(blocks):
        for block in range(count):
            step = 2 if stage and not block else 1
            layers += [(1, step), (3, 1)] if stride_in == "1x1" else [(1, 1), (3, step)]
    return layers


def _field(layers) -> int:
    return receptive_fields([Layer(kernel_size, stride=stride) for kernel_size, stride in layers])[-1].size


@exercise
class StagePlan:
    """Strides turned into dilations, for an output stride."""

    hints = (
        "Walk through the stages and keep two numbers: the stride reached so far, and the dilation. Both begin at 1.",
        "If `reached * stride` would be more than `output_stride`, the stage's stride becomes 1, and the dilation is "
        "multiplied by the stride that went.",
        "A dilation never becomes smaller again: all later stages were trained on cells that lay farther apart.",
    )

    def stage_plan(strides: Sequence[int], output_stride: int) -> list[tuple[int, int]]:
        """(stride, dilation) of each stage of a network that is to end at `output_stride`.

        `strides` are the stages' own, in order. A stage whose stride would pass `output_stride` stays at stride 1, and
        from then on every convolution is dilated by the strides that were taken out. The dilation is that of the
        convolutions behind the place where the stage steps. Source: DeepLab v2, section 3.1.
        """
        plan, reached, dilation = [], 1, 1
        for stride in strides:
            if reached * stride > output_stride:
                stride, dilation = 1, dilation * stride
            reached *= stride
            plan.append((stride, dilation))
        return plan

    def cases(rng: random.Random) -> Iterator[tuple]:
        """ResNet's stem and stages at every output stride, VGG16's pools, and stages that nobody has built."""
        yield [4, 1, 2, 2, 2], 32
        yield [4, 1, 2, 2, 2], 16
        yield [4, 1, 2, 2, 2], 8
        yield [4, 1, 2, 2, 2], 4
        yield [2, 2, 2, 2, 2], 8
        while True:
            strides = [rng.choice((1, 2, 2)) for _ in range(rng.randint(2, 6))]
            yield [2, *strides], 2 ** rng.randint(1, 5)

    @misconception(
        "Each stage is dilated by its own stride alone. But a later stage misses the strides of all stages "
        "before it, too: the factors multiply, 2 and then 2 · 2 = 4."
    )
    def own_stride_only(strides, output_stride):
        return _plan(strides, output_stride, lambda dilation, stride: stride)

    @misconception(
        "The strides that went are added. Cells that lie twice as close, and twice as close again, lie four "
        "times as close: multiply."
    )
    def added(strides, output_stride):
        return _plan(strides, output_stride, lambda dilation, stride: dilation + stride)

    @misconception("An undilated convolution has dilation 1, not 0: its taps are neighbours.")
    def from_zero(strides, output_stride):
        return [(stride, dilation - 1) for stride, dilation in StagePlan.stage_plan(strides, output_stride)]

    @misconception(
        "The strides are right, but nothing is dilated. Without holes the trained weights read the wrong cells "
        "(lesson 04, edit 2)."
    )
    def nothing_dilated(strides, output_stride):
        return [(stride, 1) for stride, _ in StagePlan.stage_plan(strides, output_stride)]

    @misconception(
        "The dilations are right, but the strides are still there. A stride that becomes a dilation must go."
    )
    def strides_kept(strides, output_stride):
        return [
            (stride, dilation)
            for stride, (_, dilation) in zip(
                strides, StagePlan.stage_plan(strides, output_stride), strict=True
            )
        ]

    @misconception(
        "The dilation begins one stage too late. The stage whose stride goes is dilated itself: its convolutions "
        "behind that place were trained on the coarse map."
    )
    def late(strides, output_stride):
        """The dilation begins one stage too late."""
        right = StagePlan.stage_plan(strides, output_stride)
        return [(stride, before) for (stride, _), (_, before) in zip(right, [(1, 1), *right], strict=False)]

    @misconception(
        "Here the first strides go, and the last ones stay. That gives the same output stride, but maps of the "
        "picture's full size from the beginning, and much more work. The last strides go."
    )
    def first_strides_go(strides, output_stride):
        """The first strides taken out, not the last."""
        whole = StagePlan.stage_plan(list(reversed(strides)), output_stride)
        dilation, plan = 1, []
        for (stride, _), own in zip(reversed(whole), strides, strict=True):
            dilation *= own // stride
            plan.append((stride, dilation))
        return plan


@exercise
class RatesAt:
    """Warm-up: the learning rates of the three groups in one iteration."""

    hints = (
        "`training.poly(iteration, iterations)` is the share of the first rate. It is the same for all groups.",
        "The factors 1, 10 and 20 multiply `lr` times that share.",
    )

    def rates_at(lr: float, iteration: int, iterations: int) -> list[float]:
        """Rates of the three groups of DeepLab v2 in one iteration under poly: trained, new weights, new biases.

        `lr` is the first rate of the trained weights; iterations are counted from 0. Source: DeepLab v2, section
        4.1.2, and its released networks.
        """
        share = poly(iteration, iterations)
        return [factor * lr * share for factor in (1, 10, 20)]

    def cases(rng: random.Random) -> Iterator[tuple]:
        """A first rate and a moment of a training."""
        yield from ((1.0, 0, 10), (1.0, 5, 10), (0.00025, 10000, 20000), (0.001, 9, 10))
        while True:
            iterations = rng.randint(2, 20000)
            yield rng.choice((0.00025, 0.001, 0.01)), rng.randrange(iterations), iterations

    @misconception(
        "These are the first rates, and they never fall. Multiply by poly's share. (A share needs /; with // it "
        "would stay at 1.)"
    )
    def never_fall(lr, iteration, iterations):
        return [factor * lr for factor in (1, 10, 20)]

    @misconception(
        "All groups have the same rate here. The classifier is new: its weights have 10 times the rate, its "
        "biases 20 times."
    )
    def one_rate(lr, iteration, iterations):
        return [lr * poly(iteration, iterations)] * 3

    @misconception("The classifier's biases have 20 times the rate, not 10.")
    def biases_at_ten(lr, iteration, iterations):
        return [factor * lr * poly(iteration, iterations) for factor in (1, 10, 10)]

    @misconception(
        "Iterations are counted from 0: the first one has the whole rate. Counted from 1, the last one would "
        "have a rate of 0 and learn nothing."
    )
    def counted_from_one(lr, iteration, iterations):
        return [factor * lr * poly(iteration + 1, iterations) for factor in (1, 10, 20)]

    @misconception(
        "The power belongs to what is left of the way, not to what is done: subtract from 1 first."
    )
    def power_of_the_done_part(lr, iteration, iterations):
        return [factor * lr * (1 - (iteration / iterations) ** 0.9) for factor in (1, 10, 20)]

    @misconception("This is a straight line. Poly raises what is left of the way to the power 0.9.")
    def straight_line(lr, iteration, iterations):
        return [factor * lr * (1 - iteration / iterations) for factor in (1, 10, 20)]

    @misconception(
        "The power is taken of everything. It belongs to the share of the way alone; rate and factor multiply "
        "the result."
    )
    def power_of_everything(lr, iteration, iterations):
        return [(factor * lr * (1 - iteration / iterations)) ** 0.9 for factor in (1, 10, 20)]


@exercise
class Groups:
    """Which parameters learn how fast."""

    parts = (DeepLabV2.parameter_groups,)
    trials = 25
    show = _show
    hints = (
        "`for name, parameter in model.named_parameters()` gives every parameter once, with a name such as "
        "`head.fc8.weight`.",
        "`name.rpartition('.')` splits off the last part: the layer `head.fc8` and the kind `weight`. Is the layer "
        "among the classifiers?",
        "A frozen parameter has `requires_grad` False. Leave it out.",
    )

    def groups(model: nn.Module, classifiers: Sequence[str]) -> list[list[str]]:
        """Names of the parameters that learn at 1, 10 and 20 times the rate, three lists, each name once.

        `classifiers` are the names of the layers that start from random numbers: their weights have 10, their biases
        20. Source: DeepLab v2, section 4.1.1, for 10; its released networks for 20.
        """
        found = {1: [], 10: [], 20: []}
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                layer, _, kind = name.rpartition(".")
                factor = {"weight": 10, "bias": 20}[kind] if layer in classifiers else 1
                found[factor].append(name)
        return list(found.values())

    def same(got, expected):
        return [sorted(names) for names in got] == [sorted(names) for names in expected]

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Small networks: some layers frozen, one or more classifiers, sometimes a layer before the classifier."""
        yield _network(1, frozen=False), ["head.fc8"]
        yield _network(1, frozen=True), ["head.fc8"]
        yield _network(2, frozen=True), ["head.0", "head.1"]
        while True:
            count = rng.randint(1, 4)
            names = ["head.fc8"] if count == 1 else [f"head.{number}" for number in range(count)]
            yield _network(count, rng.random() < 0.6, rng.random() < 0.5), names

    @misconception("Frozen parameters are in it, too. They don't learn, so no optimiser should see them.")
    def frozen_too(model, classifiers):
        return _grouped(model, classifiers, keep=lambda parameter: True)

    @misconception(
        "The classifier's biases are beside its weights. In the released networks they have twice the rate of "
        "the weights: 20, the third list."
    )
    def biases_with_weights(model, classifiers):
        return _grouped(model, classifiers, bias=10)

    @misconception(
        "All biases are in the third list. Only the classifier's belong there: the others come from ImageNet "
        "and have the plain rate."
    )
    def all_biases(model, classifiers):
        return _grouped(model, classifiers, old_bias=20)

    @misconception(
        "Everything in the head is taken for new. In VGG16's form fc6 and fc7 stand in the head, and they come "
        "from ImageNet. Only the layers in `classifiers` are new."
    )
    def whole_head(model, classifiers):
        return _grouped(model, classifiers, new=lambda layer: layer.startswith("head"))

    @misconception(
        "Only the classifiers are there. The trained layers learn as well, in the first list: without them the "
        "backbone would be frozen."
    )
    def classifiers_only(model, classifiers):
        return [[], *_grouped(model, classifiers)[1:]]

    @misconception(
        "The classifiers are in two lists: the first one holds everything. PyTorch refuses a parameter that is in "
        "two groups."
    )
    def twice(model, classifiers):
        return [
            [name for name, p in model.named_parameters() if p.requires_grad],
            *_grouped(model, classifiers)[1:],
        ]

    @misconception("Only the first classifier is taken for new. ASPP has one in each branch.")
    def first_classifier_only(model, classifiers):
        return _grouped(model, classifiers, new=lambda layer: layer == classifiers[0])


@exercise
class ResnetField:
    """Stretch: the field of a ResNet's last map."""

    hints = (
        "Lesson 03's recursion: `size += (kernel_size - 1) * jump`, then `jump *= stride`. The stem first: 7 with "
        "stride 2, then 3 with stride 2.",
        "A 1×1 convolution adds nothing to the size, but it may carry the stride, and then the 3×3 behind it takes "
        "larger steps. The shortcut never sees more than the way through the block.",
        "The first stage does not step. `enumerate(blocks)` tells you which one is the first.",
    )

    def resnet_field(blocks: Sequence[int], stride_in: str = "3x3") -> int:
        """Receptive field of a ResNet's last map, in pixels; `blocks` are the bottlenecks of its stages.

        A convolution of 7 and a pool of 3, both with stride 2, come first. The first block of each stage but the first
        steps by 2: in its "3x3", or in its first "1x1" (Caffe).
        """
        layers = [Layer(7, stride=2), Layer(3, stride=2)]
        for stage, count in enumerate(blocks):
            for block in range(count):
                step = 2 if stage and not block else 1
                first, middle = (step, 1) if stride_in == "1x1" else (1, step)
                layers += [Layer(1, stride=first), Layer(3, stride=middle), Layer(1)]
        return receptive_fields(layers)[-1].size

    def cases(rng: random.Random) -> Iterator[tuple]:
        """The smallest networks first, then ResNet-50 and ResNet-101, then any."""
        yield from (((1,), "3x3"), ((1, 1), "3x3"), ((1, 1), "1x1"), ((2, 2), "1x1"), ((3, 4, 6, 3), "3x3"))
        yield from (((3, 4, 6, 3), "1x1"), ((3, 4, 23, 3), "3x3"), ((3, 4, 23, 3), "1x1"))
        while True:
            yield tuple(rng.randint(1, 6) for _ in range(rng.randint(1, 4))), rng.choice(("3x3", "1x1"))

    @misconception(
        "The two layouts are swapped. In Caffe's (1x1) the jump has doubled already when the 3×3 comes."
    )
    def layouts_swapped(blocks, stride_in):
        return _field(_layers(blocks, "3x3" if stride_in == "1x1" else "1x1"))

    @misconception(
        "This is right for torchvision's layout. Where the first 1×1 steps, the 3×3 behind it works on the "
        "coarser map and sees farther: the order of stride and taps matters."
    )
    def torchvision_only(blocks, stride_in):
        return _field(_layers(blocks, "3x3"))

    @misconception(
        "This is right for Caffe's layout. Where the 3×3 itself steps, its taps still lie on the finer map: the "
        "jump before the layer counts."
    )
    def caffe_only(blocks, stride_in):
        return _field(_layers(blocks, "1x1"))

    @misconception(
        "The max pool of the stem is missing: 3 taps, stride 2. It doubles the jump of everything behind it."
    )
    def no_pool(blocks, stride_in):
        return _field([(7, 2), *_layers(blocks, stride_in)[2:]])

    @misconception("Here the first stage steps as well. It does not: the pool before it has done that.")
    def all_step(blocks, stride_in):
        """Every stage steps, the first one too."""
        layers = _layers((1, *blocks), stride_in)
        return _field(layers[:2] + layers[4:])

    @misconception(
        "The jump is multiplied before the layer's taps are counted. Taps lie on the layer's input: first the "
        "size, then the jump."
    )
    def jump_first(blocks, stride_in):
        return _in_order(_layers(blocks, stride_in))

    @misconception(
        "The stages never step here. Each one but the first halves its map, and the taps behind it reach twice "
        "as far."
    )
    def never_steps(blocks, stride_in):
        return _field([(7, 2), (3, 2), *[(3, 1)] * sum(blocks)])
