"""Exercises of lesson 10: frozen batch norm, a plan, strides into dilations, who learns how fast, a ResNet's field."""

import math
import numbers
import random
from collections.abc import Iterator

import torch
from torch import nn
from torch.nn import functional as F

from deeplab_lessons.classroom.exercises.cases import torch_generator
from deeplab_lessons.classroom.exercises.compare import show
from deeplab_lessons.classroom.exercises.designs import design, wanted
from deeplab_lessons.classroom.exercises.framework import exercise, fault, misconception
from deeplab_lessons.training import schedules


def _network(layers: dict[str, str], frozen: tuple[str, ...] = ()) -> nn.Module:
    """A network of layers, full name -> "conv", "bare conv" (no bias) or "norm"; `frozen` begins frozen names."""
    model = nn.Module()
    for name, kind in layers.items():
        *parents, last = name.split(".")
        part = model
        for each in parents:
            if each not in part._modules:
                part.add_module(each, nn.Module())
            part = part.get_submodule(each)
        with torch.device("meta"):  # names without numbers
            layer = nn.BatchNorm2d(1) if kind == "norm" else nn.Conv2d(1, 1, 1, bias=kind == "conv")
        part.add_module(last, layer)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not name.startswith(frozen))
    return model


def _show(value: object) -> str:
    """A network as the list of its parameters, which says what is frozen."""
    if not isinstance(value, nn.Module):
        return show(value)
    told = [name + ("" if p.requires_grad else " (frozen)") for name, p in value.named_parameters()]
    return f"a network with {', '.join(told)}"


def _plan(strides, output_stride, then, too_far=lambda reached, limit: reached > limit):
    """A plan with one thing done wrong: `then(dilation, stride)` is the dilation after a stride was taken out."""
    plan, reached, dilation = [], 1, 1
    for stride in strides:
        if too_far(reached * stride, output_stride):
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


def _grown(layers, add=lambda kernel_size, stride, jump: (kernel_size - 1) * jump) -> int:
    """A field that grows by `add` at each layer."""
    size = jump = 1
    for kernel_size, stride in layers:
        size += add(kernel_size, stride, jump)
        jump *= stride
    return size


def _layers(blocks, stride_in, steps=lambda stage, block: stage > 0 and block == 0):
    layers = [(7, 2), (3, 2)]
    for stage, count in enumerate(blocks):
        for block in range(count):
            step = 2 if steps(stage, block) else 1
            layers += [(1, step), (3, 1)] if stride_in == "1x1" else [(1, 1), (3, step)]
    return layers


def _normalised(x, weight, mean, variance, factor, shift):
    """A block's end with these statistics, [C] or [N, C, 1, 1]."""
    mean, variance, factor, shift = (
        each if each.dim() > 1 else each[:, None, None] for each in (mean, variance, factor, shift)
    )
    return F.relu(x + (F.conv2d(x, weight) - mean) / (variance + 1e-5).sqrt() * factor + shift)


@exercise
class FrozenBlock:
    """Warm-up, repair: the end of a bottleneck block, with batch norm frozen."""

    trials = 60
    hints = (
        "Whose mean and variance does the batch norm use: those of ImageNet, or those of the batch?",
        "`F.batch_norm` has two modes. In one it uses the statistics that you pass; in the other it computes new "
        "ones and updates yours.",
        "Write `training=False`. The weight still learns, because the gradient flows through a fixed factor and shift.",
    )

    def frozen_block(x, weight, mean, variance, factor, shift):
        y = F.conv2d(x, weight)
        y = F.batch_norm(y, mean, variance, factor, shift, training=False)
        return F.relu(x + y)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Two images of one cell first, then any; the weight learns, and a channel may have no variance."""

        def case(x, weight, mean, variance, factor, shift):
            weight = torch.tensor(weight)[:, :, None, None].requires_grad_()
            return torch.tensor(x), weight, *map(torch.tensor, (mean, variance, factor, shift))

        yield case([[[[0.0]]], [[[2.0]]]], [[1.0]], [0.0], [1.0], [1.0], [0.0])
        yield case([[[[1.0, 3.0]]]], [[1.0]], [1.0], [4.0], [2.0], [0.0])
        yield case([[[[1.0, 3.0]]]], [[-2.0]], [0.0], [1.0], [1.0], [2.0])
        yield case([[[[1.0, 3.0]]]], [[1.0]], [0.0], [0.0], [1.0], [0.0])
        yield case(
            [[[[1.0, 2.0]], [[3.0, 5.0]]]],
            [[0.0, 1.0], [1.0, 0.0]],
            [0.0, 2.0],
            [4.0, 1.0],
            [3.0, 1.0],
            [0.0, 1.0],
        )
        while True:
            images, channels, height, width = (
                rng.randint(*ends) for ends in ((1, 3), (1, 4), (1, 4), (2, 4))
            )
            noise = torch_generator(rng)
            dtype = rng.choice((torch.float32, torch.float64))
            x, weight = (
                torch.randn(images, channels, height, width, generator=noise),
                torch.randn(channels, channels, 1, 1, generator=noise),
            )
            mean, factor, shift = torch.randn(3, channels, generator=noise)
            variance = torch.rand(channels, generator=noise) * rng.choice((1, 4)) + 0.01
            x, weight, *rest = (each.to(dtype) for each in (x, weight, mean, variance, factor, shift))
            yield x, weight.requires_grad_(), *rest

    @fault("An image's answer depends on the other images in its batch.")
    def awake(x, weight, mean, variance, factor, shift):
        y = F.conv2d(x, weight)
        y = F.batch_norm(y, mean, variance, factor, shift, training=True)
        return F.relu(x + y)

    @misconception(
        "Your code normalises each image by itself. Frozen batch norm uses the same `mean` and `variance` for every "
        "image, those that ImageNet left."
    )
    def of_the_image(x, weight, mean, variance, factor, shift):
        y = F.conv2d(x, weight)
        own, spread = y.mean((2, 3), keepdim=True), y.var((2, 3), unbiased=False, keepdim=True)
        return _normalised(x, weight, own, spread, factor, shift)

    @misconception(
        "Your code leaves batch norm out. Frozen, it is still a factor and a shift for each channel, and the weights "
        "after it expect both."
    )
    def left_out(x, weight, mean, variance, factor, shift):
        return F.relu(x + F.conv2d(x, weight))

    @misconception(
        "Your code normalises, but ignores the learned `factor` and `shift`. They are part of what ImageNet left."
    )
    def no_factor(x, weight, mean, variance, factor, shift):
        return _normalised(x, weight, mean, variance, torch.ones_like(factor), torch.zeros_like(shift))

    @misconception(
        "Your code leaves out the 1e-5 that batch norm adds to the variance before the root. Without it a channel of "
        "variance 0 is divided by 0: add it."
    )
    def no_epsilon(x, weight, mean, variance, factor, shift):
        return _normalised(x, weight, mean, variance - 1e-5, factor, shift)

    @misconception("Your code loses the shortcut. A block adds its input before the ReLU: x + y.")
    def no_shortcut(x, weight, mean, variance, factor, shift):
        return F.relu(F.batch_norm(F.conv2d(x, weight), mean, variance, factor, shift))

    @misconception(
        "Your code applies the ReLU before the sum. The correction y may be negative: add x first, then take the ReLU."
    )
    def relu_first(x, weight, mean, variance, factor, shift):
        return x + F.relu(F.batch_norm(F.conv2d(x, weight), mean, variance, factor, shift))

    @misconception("Your code divides by the variance. Batch norm divides by its square root.")
    def no_root(x, weight, mean, variance, factor, shift):
        return _normalised(x, weight, mean, variance**2, factor, shift)


@design
class TrainingPlan:
    """Design: a fine-tuning in half of the paper's iterations."""

    hints = (
        "Which number decides how much is left? Poly leaves `0.5 ** power` halfway, `0.1 ** power` after nine tenths.",
        "How large may the first learning rate be? Twenty times as much must not pass 0.01.",
        "All learning rates of the trained layers add up to about `lr * iterations / (power + 1)`.",
    )

    def takes(plan):
        def number(value):
            return isinstance(value, numbers.Real) and not isinstance(value, bool) and 0 < value < math.inf

        if (
            isinstance(plan, dict)
            and plan.keys() == {"lr", "iterations", "power"}
            and isinstance(plan["lr"], (list, tuple))
            and len(plan["lr"]) == 3
            and all(map(number, [*plan["lr"], plan["power"]]))
            and isinstance(plan["iterations"], numbers.Integral)
            and 10 <= plan["iterations"] <= 100_000
        ):
            return None
        return (
            'Expected {"lr": [trained, new weights, new biases], "iterations": n, "power": p}, with positive '
            f"numbers and n a whole number from 10 to 100,000, got {show(plan)}."
        )

    def training_plan():
        return {"lr": [0.0005, 0.005, 0.01], "iterations": 10000, "power": 0.9}

    @wanted("at most 10,000 iterations")
    def quick(plan):
        return plan["iterations"] <= 10_000, f"{plan['iterations']:,}"

    @wanted("new weights learn 10 times as fast as trained layers, new biases 20 times")
    def groups(plan):
        times = [each / plan["lr"][0] for each in plan["lr"]]
        met = all(map(lambda one, other: math.isclose(one, other, rel_tol=1e-6), times, (1, 10, 20)))
        return met, f"{times[1]:g} and {times[2]:g} times"

    @wanted("no learning rate above 0.01")
    def careful(plan):
        largest = max(plan["lr"])
        return largest <= 0.01 * (1 + 1e-9), f"up to {largest:g}"

    @wanted("halfway, at least 0.5 of the first learning rate is left")
    def still_learns_halfway(plan):
        left = schedules.poly(plan["iterations"] // 2, plan["iterations"], plan["power"])
        return left >= 0.5, f"{left:.3f}"

    @wanted("after nine tenths of the iterations, at most 0.15 is left")
    def settles(plan):
        left = schedules.poly(9 * plan["iterations"] // 10, plan["iterations"], plan["power"])
        return left <= 0.15, f"{left:.3f}"

    @wanted("all learning rates of the trained layers add up to at least 2.5")
    def goes_far(plan):
        every = range(plan["iterations"])
        total = plan["lr"][0] * sum(schedules.poly(each, len(every), plan["power"]) for each in every)
        return total >= 2.5, f"{total:.3f}"


@exercise
class StagePlan:
    """Strides turned into dilations, for an output stride."""

    hints = (
        "Which two numbers must you carry from stage to stage, and with which values do they begin?",
        "The stride reached so far and the dilation, both from 1. If `reached * stride` is more than `output_stride`,"
        " the stage's stride becomes 1. By what does the dilation grow?",
        "By the stride that goes: `dilation *= stride`, and only then `stride = 1`. The dilation never shrinks again.",
    )

    def stage_plan(strides, output_stride):
        plan, reached, dilation = [], 1, 1
        for stride in strides:
            if reached * stride > output_stride:
                stride, dilation = 1, dilation * stride
            reached *= stride
            plan.append((stride, dilation))
        return plan

    def cases(rng: random.Random) -> Iterator[tuple]:
        """ResNet's stem and stages, VGG16's pools, and stages that nobody has built, with strides of 3 and 4.

        The output stride is always one that some stage reaches, so that strides go as a whole, or more than all reach.
        """
        yield [2, 2], 2
        yield [2, 3], 2
        yield [4, 1, 2, 2, 2], 32
        yield [4, 1, 2, 2, 2], 16
        yield [4, 1, 2, 2, 2], 8
        yield [4, 1, 2, 2, 2], 4
        yield [2, 2, 2, 2, 2], 8
        yield [2, 2], 8
        while True:
            strides = [rng.choice((1, 2, 2, 3, 4)) for _ in range(rng.randint(1, 6))]
            reached = 1
            for stride in strides[: rng.randint(0, len(strides))]:
                reached *= stride
            yield strides, reached

    @misconception(
        "Your code dilates each stage only by its own stride. A later stage also misses the strides before it: the "
        "factors multiply, 2 and then 2 · 2 = 4."
    )
    def own_stride_only(strides, output_stride):
        return _plan(strides, output_stride, lambda dilation, stride: stride)

    @misconception(
        "Your code adds the strides that go. Cells twice as close, and twice as close again, are four times as "
        "close: multiply."
    )
    def added(strides, output_stride):
        return _plan(strides, output_stride, lambda dilation, stride: dilation + stride)

    @misconception(
        "Your code doubles the dilation whatever stride goes. A stage that had the stride 3 or 4 needs three or four "
        "times the dilation: multiply by its stride."
    )
    def always_doubled(strides, output_stride):
        return _plan(strides, output_stride, lambda dilation, stride: dilation * 2)

    @misconception(
        "Your code takes one stride too many. A stage may reach `output_stride` exactly: its stride goes only if it "
        "would pass it."
    )
    def one_too_many(strides, output_stride):
        return _plan(
            strides,
            output_stride,
            lambda dilation, stride: dilation * stride,
            lambda reached, limit: reached >= limit,
        )

    @misconception(
        "Your code counts from 0. An undilated convolution has dilation 1, because its taps are neighbours."
    )
    def from_zero(strides, output_stride):
        return [(stride, dilation - 1) for stride, dilation in StagePlan.stage_plan(strides, output_stride)]

    @misconception(
        "Your code dilates nothing. The strides are right, but without dilation the trained weights read the wrong "
        "cells (lesson 04, edit 2)."
    )
    def nothing_dilated(strides, output_stride):
        return [(stride, 1) for stride, _ in StagePlan.stage_plan(strides, output_stride)]

    @misconception(
        "Your code keeps all strides. The dilations are right, but a stride that becomes a dilation must go."
    )
    def strides_kept(strides, output_stride):
        plan = StagePlan.stage_plan(strides, output_stride)
        return [(stride, dilation) for stride, (_, dilation) in zip(strides, plan, strict=True)]

    @misconception(
        "Your code dilates one stage too late. The stage whose stride goes is dilated itself: its convolutions after "
        "the stride were trained on the coarse map."
    )
    def late(strides, output_stride):
        """The dilation begins one stage too late."""
        right = StagePlan.stage_plan(strides, output_stride)
        return [(stride, before) for (stride, _), (_, before) in zip(right, [(1, 1), *right], strict=False)]

    @misconception(
        "Your code takes out the first strides. That gives the same output stride, but maps of the image's full size "
        "from the beginning, and much more work. The last strides go."
    )
    def first_strides_go(strides, output_stride):
        """The first strides taken out, not the last."""
        whole = StagePlan.stage_plan(list(reversed(strides)), output_stride)
        dilation, plan = 1, []
        for (stride, _), own in zip(reversed(whole), strides, strict=True):
            dilation *= own // stride
            plan.append((stride, dilation))
        return plan

    @misconception("Your code returns (dilation, stride). The text asks for (stride, dilation).")
    def swapped(strides, output_stride):
        return [(dilation, stride) for stride, dilation in StagePlan.stage_plan(strides, output_stride)]


@exercise
class Groups:
    """Which parameters learn how fast."""

    trials = 60
    show = _show
    hints = (
        "How do you find every parameter once, with its name?",
        "`for name, parameter in model.named_parameters()`. Is its layer new? `name.rpartition('.')` splits "
        "`head.fc8.weight` into the layer `head.fc8` and the kind `weight`.",
        "Does it learn at all? A frozen parameter has `requires_grad` False: leave it out.",
    )

    def groups(model, classifiers):
        found = {1: [], 10: [], 20: []}
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                layer, _, kind = name.rpartition(".")
                factor = {"weight": 10, "bias": 20}[kind] if layer in classifiers else 1
                found[factor].append(name)
        return list(found.values())

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Small networks: anything may be frozen, names begin with or contain other names, new layers in any order."""
        old = {"conv1": "conv", "bn1": "norm"}
        yield _network({"conv1": "conv", "fc8": "conv"}), ["fc8"]
        yield _network({**old, "fc8": "conv"}, frozen=("bn1",)), ["fc8"]
        yield _network({"conv1": "conv", "head.fc7": "conv", "head.fc8": "conv"}), ["head.fc8"]
        yield _network({"conv1": "conv", "head.0": "conv", "head.1": "conv"}), ["head.1", "head.0"]
        yield _network({"fc8": "conv", "conv1": "conv", "fc80": "conv"}), ["fc8"]
        yield _network({"conv1": "conv", "old.fc8": "conv", "fc8": "conv"}), ["fc8"]
        yield _network({"fc8.old": "conv", "old.fc8": "conv", "head.fc8": "conv"}), ["head.fc8"]
        yield _network({"conv1": "bare conv", "bias_net": "conv", "weight_net": "conv"}), ["weight_net"]
        yield _network({"conv1": "conv", "fc8": "conv"}, frozen=("fc8.bias", "conv1.weight")), ["fc8"]
        while True:
            names = [f"backbone.{name}" for name in ("conv1", "bn1", "layer1.conv1", "layer1.fc8")]
            names += [f"head.{name}" for name in ("fc7", "fc8", "fc80", "bias", "1", "10", "1b.fc8")]
            names = rng.sample(names, rng.randint(3, 8))
            kinds = ("conv", "conv", "bare conv")
            layers = {name: "norm" if "bn" in name else rng.choice(kinds) for name in names}
            new = rng.sample([name for name in names if "bn" not in name], rng.randint(1, 2))
            yield _network(layers, tuple(rng.sample(names, rng.randint(0, 2)))), new

    @misconception(
        "Your code also lists frozen parameters. They don't learn, so no optimiser should see them: check "
        "`requires_grad`."
    )
    def frozen_too(model, classifiers):
        return _grouped(model, classifiers, keep=lambda parameter: True)

    @misconception(
        "Your code puts the new biases next to their weights. In the released networks they learn twice as fast "
        "as the weights: 20, the third list."
    )
    def biases_with_weights(model, classifiers):
        return _grouped(model, classifiers, bias=10)

    @misconception(
        "Your code puts all biases into the third list. Only those of new layers belong there: the others come from "
        "ImageNet and belong to the first list."
    )
    def all_biases(model, classifiers):
        return _grouped(model, classifiers, old_bias=20)

    @misconception(
        "Your code treats the whole head as new. In VGG16's form fc6 and fc7 are in the head, and they come from "
        "ImageNet. Only the layers in `classifiers` are new."
    )
    def whole_head(model, classifiers):
        return _grouped(
            model, classifiers, new=lambda layer: layer in classifiers or layer.startswith("head")
        )

    @misconception(
        "Your code asks whether a name begins with a new layer's name. Then `fc80` belongs to `fc8`. Split off "
        "the last part and compare whole names."
    )
    def begins_with(model, classifiers):
        return _grouped(model, classifiers, new=lambda layer: layer.startswith(tuple(classifiers)))

    @misconception(
        "Your code asks whether a name contains a new layer's name. Then `fc80` and `old_fc8` belong to `fc8`. Split "
        "off the last part and compare whole names."
    )
    def contains(model, classifiers):
        return _grouped(model, classifiers, new=lambda layer: any(each in layer for each in classifiers))

    @misconception(
        "Your code compares only the last part of a layer's name. Then every layer called `fc8` counts as new. Compare "
        "the whole name."
    )
    def last_part(model, classifiers):
        last = [each.rpartition(".")[2] for each in classifiers]
        return _grouped(model, classifiers, new=lambda layer: layer.rpartition(".")[2] in last)

    @misconception(
        "Your code lists only new layers. The trained ones learn as well, in the first list: without them the "
        "backbone would stay as it is."
    )
    def classifiers_only(model, classifiers):
        return [[], *_grouped(model, classifiers)[1:]]

    @misconception(
        "Your code lists new parameters twice: the first list holds everything. PyTorch refuses a parameter that is "
        "in two groups."
    )
    def twice(model, classifiers):
        return [
            [name for name, p in model.named_parameters() if p.requires_grad],
            *_grouped(model, classifiers)[1:],
        ]

    @misconception("Your code treats only the first classifier as new. ASPP has one in each branch.")
    def first_classifier_only(model, classifiers):
        return _grouped(model, classifiers, new=lambda layer: layer == classifiers[0])

    @misconception(
        "Your code lists new layers in the order of `classifiers`. The text asks for the model's order: walk through "
        "`model.named_parameters()` once."
    )
    def order_of_classifiers(model, classifiers):
        learn = [name for name, p in model.named_parameters() if p.requires_grad]
        new = [[f"{layer}.{kind}" for layer in classifiers] for kind in ("weight", "bias")]
        return [
            _grouped(model, classifiers)[0],
            *([name for name in names if name in learn] for names in new),
        ]

    @misconception(
        "Your code turns the order around. The text asks for the model's order, as `model.named_parameters()` gives it."
    )
    def backwards(model, classifiers):
        return [names[::-1] for names in _grouped(model, classifiers)]


@exercise
class ResnetField:
    """Stretch: the field of a ResNet's last map."""

    hints = (
        "What does each layer add in lesson 03's recursion? Begin with the stem: 7, then 3, both with stride 2.",
        "A 1 × 1 adds nothing, but it may carry the stride: then the 3 × 3 works on the coarser map.",
        "For each layer `size += (kernel_size - 1) * jump`, then `jump *= stride`. The order matters.",
        "The first stage has no stride. `for stage, count in enumerate(blocks)` shows which one is the first.",
    )

    def resnet_field(blocks, stride_in):
        size, jump = 11, 4  # the stem: 7 × 7 and pool
        for stage, count in enumerate(blocks):
            for block in range(count):
                step = 2 if stage and not block else 1
                size += 2 * jump * (step if stride_in == "1x1" else 1)
                jump *= step
        return size

    def cases(rng: random.Random) -> Iterator[tuple]:
        """The smallest networks first, then ResNet-50 and ResNet-101, then any."""
        yield from (((1,), "3x3"), ((1, 1), "3x3"), ((1, 1), "1x1"), ((2, 2), "1x1"), ((3, 4, 6, 3), "3x3"))
        yield from (((3, 4, 6, 3), "1x1"), ((3, 4, 23, 3), "3x3"), ((3, 4, 23, 3), "1x1"))
        while True:
            yield tuple(rng.randint(1, 6) for _ in range(rng.randint(1, 5))), rng.choice(("3x3", "1x1"))

    @misconception(
        "Your code swaps the two layouts. In Caffe's (1x1) the jump has already doubled before the 3 × 3."
    )
    def layouts_swapped(blocks, stride_in):
        return _grown(_layers(blocks, "3x3" if stride_in == "1x1" else "1x1"))

    @misconception(
        "Your code is right for torchvision's layout only. Where the first 1 × 1 has the stride, the 3 × 3 after it "
        "works on the coarser map and sees farther."
    )
    def torchvision_only(blocks, stride_in):
        return _grown(_layers(blocks, "3x3"))

    @misconception(
        "Your code is right for Caffe's layout only. Where the 3 × 3 has the stride, its own taps are still on "
        "the finer map: use the jump before the layer."
    )
    def caffe_only(blocks, stride_in):
        return _grown(_layers(blocks, "1x1"))

    @misconception(
        "Your code lacks the stem's max pool: 3 taps, stride 2. It doubles the jump of everything after it."
    )
    def no_pool(blocks, stride_in):
        return _grown([(7, 2), *_layers(blocks, stride_in)[2:]])

    @misconception(
        "Your code halves the map in the first stage as well. That stage has stride 1, because the pool before it "
        "has done the halving."
    )
    def all_step(blocks, stride_in):
        """Every stage has the stride, also the first one."""
        return _grown(_layers(blocks, stride_in, lambda stage, block: block == 0))

    @misconception(
        "Your code halves the map in every block of a stage. Only the stage's first block has the stride."
    )
    def every_block(blocks, stride_in):
        return _grown(_layers(blocks, stride_in, lambda stage, block: stage > 0))

    @misconception(
        "Your code multiplies the jump before it counts the layer's taps. Taps are on the layer's input: first the "
        "size, then the jump."
    )
    def jump_first(blocks, stride_in):
        return _grown(
            _layers(blocks, stride_in), lambda kernel_size, stride, jump: (kernel_size - 1) * jump * stride
        )

    @misconception(
        "Your code adds all taps of a layer. The first tap is in the field already: add the gaps, `kernel_size - 1`, "
        "times the jump."
    )
    def taps_not_gaps(blocks, stride_in):
        return _grown(_layers(blocks, stride_in), lambda kernel_size, stride, jump: kernel_size * jump)

    @misconception(
        "Your code never halves the map in a stage. Each stage but the first does, and the taps after it reach twice "
        "as far."
    )
    def never_steps(blocks, stride_in):
        return _grown(_layers(blocks, stride_in, lambda stage, block: False))
