"""Lesson 10: right answers in many styles, and wrong ones."""

import functools
import itertools
import math

import numpy as np
import pytest
import torch
from answers import assert_accepted, assert_rejected, exercise_of, listed, says
from torch import nn
from torch.nn import functional as F

from deeplab_lessons.arithmetic import Layer, receptive_fields


class FrozenBlockRight:
    def switched_off(x, weight, mean, variance, factor, shift):
        y = F.conv2d(x, weight)
        y = F.batch_norm(y, mean, variance, factor, shift, training=False)
        return F.relu(x + y)

    def default_mode(x, weight, mean, variance, factor, shift):
        return torch.relu(x + F.batch_norm(F.conv2d(x, weight), mean, variance, factor, shift))

    def formula(x, weight, mean, variance, factor, shift):
        mean, variance, factor, shift = (v[None, :, None, None] for v in (mean, variance, factor, shift))
        y = (F.conv2d(x, weight) - mean) / torch.sqrt(variance + 1e-5) * factor + shift
        return (x + y).clamp(min=0)

    def scale_and_shift(x, weight, mean, variance, factor, shift):
        scale = factor / (variance + 1e-5) ** 0.5
        y = F.conv2d(x, weight) * scale.view(-1, 1, 1) + (shift - mean * scale).view(-1, 1, 1)
        return F.relu(x + y)

    def folded_into_the_weight(x, weight, mean, variance, factor, shift):
        scale = factor * torch.rsqrt(variance + 1e-5)
        y = F.conv2d(x, weight * scale[:, None, None, None], shift - mean * scale)
        return F.relu(y + x)

    def einsum(x, weight, mean, variance, factor, shift):
        y = torch.einsum("oi,nihw->nhwo", weight[:, :, 0, 0], x)
        y = (y - mean) / (variance + 1e-5).sqrt() * factor + shift
        return torch.maximum(x + y.permute(0, 3, 1, 2), torch.zeros(()))

    def image_by_image(x, weight, mean, variance, factor, shift):
        answers = []
        for image in x:
            y = F.batch_norm(F.conv2d(image[None], weight), mean, variance, factor, shift)
            answers.append(F.relu(image + y[0]))
        return torch.stack(answers)

    def a_layer(x, weight, mean, variance, factor, shift):
        norm = nn.BatchNorm2d(len(mean), dtype=x.dtype).eval()
        norm.load_state_dict(
            {"running_mean": mean, "running_var": variance, "weight": factor, "bias": shift}, strict=False
        )
        return F.relu(x + norm(F.conv2d(x, weight)))

    def channel_by_channel(x, weight, mean, variance, factor, shift):
        y = F.conv2d(x, weight)
        maps = [
            (y[:, c] - mean[c]) * factor[c] / math.sqrt(variance[c] + 1e-5) + shift[c]
            for c in range(len(mean))
        ]
        return F.relu(x + torch.stack(maps, 1))


class FrozenBlockWrong:
    @says("no gradient can flow back")
    def weight_frozen_as_well(x, weight, mean, variance, factor, shift):
        y = F.batch_norm(F.conv2d(x, weight.detach()), mean, variance, factor, shift)
        return F.relu(x + y).requires_grad_()

    @says("the gradient that flows back to the inputs is not")
    def half_detached(x, weight, mean, variance, factor, shift):
        y = F.conv2d(x, weight) / 2 + F.conv2d(x, weight).detach() / 2
        return F.relu(x + F.batch_norm(y, mean, variance, factor, shift))

    @says("other images in its batch")
    def as_it_stands(x, weight, mean, variance, factor, shift):
        y = F.batch_norm(F.conv2d(x, weight), mean, variance, factor, shift, training=True)
        return F.relu(x + y)

    def momentum_zero(x, weight, mean, variance, factor, shift):
        y = F.batch_norm(F.conv2d(x, weight), mean, variance, factor, shift, training=True, momentum=0)
        return F.relu(x + y)

    def no_statistics(x, weight, mean, variance, factor, shift):
        return F.relu(x + F.batch_norm(F.conv2d(x, weight), None, None, factor, shift, True))

    @says("other images in its batch")
    def by_hand(x, weight, mean, variance, factor, shift):
        y = F.conv2d(x, weight)
        own, spread = y.mean((0, 2, 3), keepdim=True), y.var((0, 2, 3), keepdim=True, unbiased=False)
        y = (y - own) / (spread + 1e-5).sqrt() * factor[:, None, None] + shift[:, None, None]
        return F.relu(x + y)

    @says("each image by itself")
    def instance_norm(x, weight, mean, variance, factor, shift):
        y = F.conv2d(x, weight)
        own, spread = y.mean((2, 3), keepdim=True), y.var((2, 3), keepdim=True, unbiased=False)
        y = (y - own) / (spread + 1e-5).sqrt() * factor[:, None, None] + shift[:, None, None]
        return F.relu(x + y)

    @says("leaves batch norm out")
    def no_norm(x, weight, mean, variance, factor, shift):
        return F.relu(x + F.conv2d(x, weight))

    @says("no gradient")
    def nothing_learns(x, weight, mean, variance, factor, shift):
        with torch.no_grad():
            y = F.batch_norm(F.conv2d(x, weight), mean, variance, factor, shift)
        return F.relu(x + y)

    @says("no gradient")
    def detached(x, weight, mean, variance, factor, shift):
        y = F.batch_norm(F.conv2d(x, weight.detach()), mean, variance, factor, shift)
        return F.relu(x + y)

    @says("loses the shortcut")
    def no_shortcut(x, weight, mean, variance, factor, shift):
        return F.relu(F.batch_norm(F.conv2d(x, weight), mean, variance, factor, shift))

    @says("ReLU before the sum")
    def relu_first(x, weight, mean, variance, factor, shift):
        return x + F.relu(F.batch_norm(F.conv2d(x, weight), mean, variance, factor, shift))

    def no_relu(x, weight, mean, variance, factor, shift):
        return x + F.batch_norm(F.conv2d(x, weight), mean, variance, factor, shift)

    @says("divides by the variance")
    def no_root(x, weight, mean, variance, factor, shift):
        y = F.conv2d(x, weight) - mean[:, None, None]
        y = y / (variance[:, None, None] ** 2 + 1e-5).sqrt()
        return F.relu(x + y * factor[:, None, None] + shift[:, None, None])

    @says("`factor` and `shift`")
    def no_factor(x, weight, mean, variance, factor, shift):
        return F.relu(x + F.batch_norm(F.conv2d(x, weight), mean, variance))

    @says("leaves out the 1e-5")
    def no_epsilon(x, weight, mean, variance, factor, shift):
        y = (F.conv2d(x, weight) - mean[:, None, None]) / variance.sqrt()[:, None, None]
        return F.relu(x + y * factor[:, None, None] + shift[:, None, None])

    def epsilon_outside(x, weight, mean, variance, factor, shift):
        y = (F.conv2d(x, weight) - mean[:, None, None]) / (variance.sqrt() + 1e-5)[:, None, None]
        return F.relu(x + y * factor[:, None, None] + shift[:, None, None])

    def awake_in_the_mean(x, weight, mean, variance, factor, shift):
        y = F.conv2d(x, weight)
        return F.relu(x + F.batch_norm(y, y.mean((0, 2, 3)), variance, factor, shift))

    def in_the_wrong_order(x, weight, mean, variance, factor, shift):
        return F.relu(x + F.batch_norm(F.conv2d(x, weight), mean, variance, shift, factor))

    def norm_after_the_sum(x, weight, mean, variance, factor, shift):
        return F.relu(F.batch_norm(x + F.conv2d(x, weight), mean, variance, factor, shift))

    def written_into_the_weight(x, weight, mean, variance, factor, shift):
        weight.data *= factor[:, None, None, None] / (variance + 1e-5).sqrt()[:, None, None, None]
        y = F.conv2d(x, weight) - (mean * factor / (variance + 1e-5).sqrt() - shift)[:, None, None]
        return F.relu(x + y)


def plan(trained=0.0005, iterations=10000, power=0.9, factors=(1, 10, 20)):
    return {"lr": [factor * trained for factor in factors], "iterations": iterations, "power": power}


class TrainingPlanRight:
    def paper_in_half_the_time():
        return plan()

    def a_straight_line():
        return plan(power=1)

    def fewer_iterations():
        return plan(iterations=9600)

    def smaller():
        return plan(0.00048)

    def another_power():
        return plan(power=0.83, iterations=np.int64(9501))

    def a_tuple():
        return plan(np.float64(0.00049)) | {"lr": (0.00049, 0.0049, 0.0098)}

    def rounded():
        return {"power": 0.9, "lr": [5e-4, 0.00500000001, 0.01], "iterations": 10000}


class TrainingPlanWrong:
    @says("2.632")
    def the_paper():
        return plan(0.00025, 20000)

    def half_the_iterations_alone():
        return plan(0.00025)

    @says("up to 0.02")
    def too_large():
        return plan(0.001, 5000)

    def power_of_two():
        return plan(power=2)

    def power_one_half():
        return plan(power=0.5)

    def one_group():
        return plan(factors=(1, 1, 1))

    @says("10 and 10 times")
    def biases_with_weights():
        return plan(factors=(1, 10, 10))

    def classifier_first():
        return plan(factors=(20, 10, 1))

    def too_few():
        return plan(iterations=9000)

    @says("Expected {")
    def a_list():
        return [0.0005, 10000, 0.9]

    @says("Expected {")
    def one_learning_rate():
        return {"lr": 0.0005, "iterations": 10000, "power": 0.9}

    @says("Expected {")
    def other_names():
        return {"learning_rate": [0.0005, 0.005, 0.01], "iterations": 10000, "power": 0.9}

    @says("Expected {")
    def a_string():
        return {"lr": [0.0005, 0.005, 0.01], "iterations": "10000", "power": 0.9}

    @says("n a whole number")
    def a_float():
        return plan(iterations=1e4)

    @says("Expected {")
    def without_end():
        return plan(iterations=10**12)

    @says("Expected {")
    def rising():
        return plan(power=-0.9)

    @says("Expected {")
    def not_a_number():
        return plan(power=math.nan)


class StagePlanRight:
    def loop(strides, output_stride):
        total, d, plan = 1, 1, []
        for s in strides:
            if total * s <= output_stride:
                total *= s
                plan.append((s, d))
            else:
                d *= s
                plan.append((1, d))
        return plan

    def lists_for_pairs(strides, output_stride):
        plan, reached, dilation = [], 1, 1
        for i in range(len(strides)):
            if reached * strides[i] > output_stride:
                dilation *= strides[i]
                plan += [[1, dilation]]
            else:
                reached *= strides[i]
                plan += [[strides[i], dilation]]
        return plan

    def products(strides, output_stride):
        plan, before = [], 1
        for total in itertools.accumulate(strides, lambda a, b: a * b):
            reached = min(total, output_stride)
            plan.append((reached // before, total // reached))
            before = reached
        return plan

    def true_division(strides, output_stride):
        total, plan = 1, []
        for stride in strides:
            total *= stride
            plan.append((stride if total <= output_stride else 1, max(1, total / output_stride)))
        return plan

    def numpy(strides, output_stride):
        totals = np.cumprod(strides)
        kept = np.where(totals <= output_stride, strides, 1)
        return np.stack([kept, np.cumprod(np.where(totals <= output_stride, 1, strides))], axis=1)

    def tensors(strides, output_stride):
        strides = torch.tensor(strides)
        gone = strides.cumprod(0) > output_stride
        return torch.stack([strides.where(~gone, 1), strides.where(gone, 1).cumprod(0)], 1)

    def two_lists(strides, output_stride):
        kept, dilations = [], []
        for stride in strides:
            fits = math.prod(kept) * stride <= output_stride
            kept.append(stride if fits else 1)
            dilations.append((dilations or [1])[-1] * (1 if fits else stride))
        return list(zip(kept, dilations, strict=True))

    def recursion(strides, output_stride, dilation=1):
        if not strides:
            return []
        first, *rest = strides
        if first > output_stride:
            return [(1, dilation * first), *StagePlanRight.recursion(rest, 1, dilation * first)]
        return [(first, dilation), *StagePlanRight.recursion(rest, output_stride // first, dilation)]

    def reduced(strides, output_stride):
        def step(state, stride):
            plan, reached, dilation = state
            if reached * stride > output_stride:
                return (*plan, (1, dilation * stride)), reached, dilation * stride
            return (*plan, (stride, dilation)), reached * stride, dilation

        return functools.reduce(step, strides, ((), 1, 1))[0]


class StagePlanWrong:
    @says("doubles the dilation")
    def doubled(strides, output_stride):
        plan, reached, dilation = [], 1, 1
        for stride in strides:
            if reached * stride > output_stride:
                stride = 1
                dilation *= 2
            reached *= stride
            plan.append((stride, dilation))
        return plan

    @says("only by its own stride")
    def own(strides, output_stride):
        plan, reached, dilation = [], 1, 1
        for stride in strides:
            if reached * stride > output_stride:
                dilation, stride = stride, 1
            reached *= stride
            plan.append((stride, dilation))
        return plan

    def dilation_of_that_stage_only(strides, output_stride):
        plan, reached = [], 1
        for stride in strides:
            if reached * stride > output_stride:
                plan.append((1, stride))
            else:
                reached *= stride
                plan.append((stride, 1))
        return plan

    @says("adds the strides")
    def added(strides, output_stride):
        plan, reached, dilation = [], 1, 1
        for stride in strides:
            if reached * stride > output_stride:
                dilation, stride = dilation + stride, 1
            reached *= stride
            plan.append((stride, dilation))
        return plan

    @says("one stride too many")
    def at_least(strides, output_stride):
        plan, reached, dilation = [], 1, 1
        for stride in strides:
            if reached * stride >= output_stride:
                dilation, stride = dilation * stride, 1
            reached *= stride
            plan.append((stride, dilation))
        return plan

    def after_it_is_reached(strides, output_stride):
        plan, reached, dilation = [], 1, 1
        for stride in strides:
            if reached > output_stride:
                dilation, stride = dilation * stride, 1
            reached *= stride
            plan.append((stride, dilation))
        return plan

    def dilation_after_the_stride(strides, output_stride):
        plan, reached, dilation = [], 1, 1
        for stride in strides:
            if reached * stride > output_stride:
                stride = 1
                dilation *= stride
            reached *= stride
            plan.append((stride, dilation))
        return plan

    @says("counts from 0")
    def from_zero(strides, output_stride):
        return [(s, d - 1) for s, d in StagePlanRight.loop(strides, output_stride)]

    @says("dilates nothing")
    def none(strides, output_stride):
        return [(s, 1) for s, d in StagePlanRight.loop(strides, output_stride)]

    @says("keeps all strides")
    def kept(strides, output_stride):
        return [
            (s, d) for s, (_, d) in zip(strides, StagePlanRight.loop(strides, output_stride), strict=True)
        ]

    @says("one stage too late")
    def late(strides, output_stride):
        plan, reached, dilation = [], 1, 1
        for stride in strides:
            before = dilation
            if reached * stride > output_stride:
                dilation, stride = dilation * stride, 1
            reached *= stride
            plan.append((stride, before))
        return plan

    @says("(stride, dilation)")
    def swapped(strides, output_stride):
        return [(d, s) for s, d in StagePlanRight.loop(strides, output_stride)]

    def only_resnet(strides, output_stride):
        return {32: [4, 1, 2, 2, 2], 16: [4, 1, 2, 2, 1], 8: [4, 1, 2, 1, 1]}.get(output_stride, strides)

    @says("dict")
    def a_dictionary(strides, output_stride):
        return dict(enumerate(StagePlanRight.loop(strides, output_stride)))

    def strides_only(strides, output_stride):
        return [s for s, d in StagePlanRight.loop(strides, output_stride)]

    def stages_of_stride_one_are_dilated(strides, output_stride):
        plan, reached, dilation = [], 1, 1
        for stride in strides:
            if reached * stride >= output_stride and plan:
                dilation, stride = dilation * 2, 1
            reached *= stride
            plan.append((stride, dilation))
        return plan


class GroupsRight:
    def loop(model, classifiers):
        old, weights, biases = [], [], []
        for name, p in model.named_parameters():
            if not p.requires_grad:
                continue
            layer, kind = name.rsplit(".", 1)
            if layer not in classifiers:
                old.append(name)
            elif kind == "weight":
                weights.append(name)
            else:
                biases.append(name)
        return [old, weights, biases]

    def tuples(model, classifiers):
        learn = [name for name, p in model.named_parameters() if p.requires_grad]
        weights = {f"{c}.weight" for c in classifiers}
        biases = {f"{c}.bias" for c in classifiers}
        return (
            tuple(n for n in learn if n not in weights | biases),
            tuple(n for n in learn if n in weights),
            tuple(n for n in learn if n in biases),
        )

    def removed(model, classifiers):
        names = [name for name, p in model.named_parameters() if p.requires_grad]
        new = [name for name in names if ".".join(name.split(".")[:-1]) in classifiers]
        old = [name for name in names if name not in new]
        return [
            old,
            [name for name in new if name.endswith(".weight")],
            [name for name in new if name.endswith(".bias")],
        ]

    def by_identity(model, classifiers):
        layers = [model.get_submodule(name) for name in classifiers]
        weights = {id(layer.weight) for layer in layers}
        biases = {id(layer.bias) for layer in layers if layer.bias is not None}
        found = [[], [], []]
        for name, p in model.named_parameters():
            if p.requires_grad:
                found[1 if id(p) in weights else 2 if id(p) in biases else 0].append(name)
        return found

    def by_modules(model, classifiers):
        found = {1: [], 10: [], 20: []}
        for layer, module in model.named_modules():
            for kind, p in module.named_parameters(recurse=False):
                if p.requires_grad:
                    factor = 1 if layer not in classifiers else 10 if kind == "weight" else 20
                    found[factor].append(f"{layer}.{kind}")
        return [found[1], found[10], found[20]]

    def filtered(model, classifiers):
        learn = dict(filter(lambda pair: pair[1].requires_grad, model.named_parameters()))

        def factor(name):
            if name[: name.rindex(".")] not in set(classifiers):
                return 1
            return 20 if name.endswith("bias") else 10

        return [[name for name in learn if factor(name) == each] for each in (1, 10, 20)]

    def numpy_text(model, classifiers):
        return [[np.str_(name) for name in names] for names in GroupsRight.loop(model, classifiers)]


class GroupsWrong:
    @says("begins with")
    def begins(model, classifiers):
        found = [[], [], []]
        for name, p in model.named_parameters():
            if p.requires_grad:
                new = any(name.startswith(c) for c in classifiers)
                found[0 if not new else 2 if name.endswith(".bias") else 1].append(name)
        return found

    @says("contains")
    def contains(model, classifiers):
        found = [[], [], []]
        for name, p in model.named_parameters():
            if p.requires_grad:
                new = any(c in name for c in classifiers)
                found[0 if not new else 2 if name.endswith(".bias") else 1].append(name)
        return found

    def ends_with_the_layer(model, classifiers):
        found = [[], [], []]
        for name, p in model.named_parameters():
            if p.requires_grad:
                layer = name.rpartition(".")[0]
                new = any(layer.endswith(c.rpartition(".")[2]) for c in classifiers)
                found[0 if not new else 2 if name.endswith(".bias") else 1].append(name)
        return found

    def bias_anywhere(model, classifiers):
        found = [[], [], []]
        for name, p in model.named_parameters():
            if p.requires_grad:
                new = name.rpartition(".")[0] in classifiers
                found[0 if not new else 2 if "bias" in name else 1].append(name)
        return found

    def weight_anywhere(model, classifiers):
        found = [[], [], []]
        for name, p in model.named_parameters():
            if p.requires_grad:
                new = name.rpartition(".")[0] in classifiers
                found[0 if not new else 1 if "weight" in name else 2].append(name)
        return found

    @says("set")
    def sets(model, classifiers):
        return [set(names) for names in GroupsRight.loop(model, classifiers)]

    @says("turns the order around")
    def backwards(model, classifiers):
        return [names[::-1] for names in GroupsRight.loop(model, classifiers)]

    def groups_backwards(model, classifiers):
        return GroupsRight.loop(model, classifiers)[::-1]

    def alphabetical(model, classifiers):
        return [sorted(names) for names in GroupsRight.loop(model, classifiers)]

    @says("order of `classifiers`")
    def order_of_classifiers(model, classifiers):
        learn = {name: p for name, p in model.named_parameters() if p.requires_grad}
        weights = [f"{c}.weight" for c in classifiers if f"{c}.weight" in learn]
        biases = [f"{c}.bias" for c in classifiers if f"{c}.bias" in learn]
        return [[name for name in learn if name not in weights + biases], weights, biases]

    @says("lists frozen parameters")
    def frozen(model, classifiers):
        found = [[], [], []]
        for name, _ in model.named_parameters():
            layer, _, kind = name.rpartition(".")
            found[0 if layer not in classifiers else 1 if kind == "weight" else 2].append(name)
        return found

    def frozen_in_new_layers(model, classifiers):
        found = [[], [], []]
        for name, p in model.named_parameters():
            layer, _, kind = name.rpartition(".")
            if layer in classifiers:
                found[1 if kind == "weight" else 2].append(name)
            elif p.requires_grad:
                found[0].append(name)
        return found

    def without_batch_norm(model, classifiers):
        return [
            [name for name in names if "bn" not in name] for names in GroupsRight.loop(model, classifiers)
        ]

    @says("next to their weights")
    def two_lists_really(model, classifiers):
        old, weights, biases = GroupsRight.loop(model, classifiers)
        new = [name for name, _ in model.named_parameters() if name in weights + biases]
        return [old, new, []]

    @says("got 2")
    def two_lists(model, classifiers):
        old, weights, biases = GroupsRight.loop(model, classifiers)
        return [old, weights + biases]

    @says("all biases")
    def all_biases(model, classifiers):
        found = [[], [], []]
        for name, p in model.named_parameters():
            layer, _, kind = name.rpartition(".")
            if p.requires_grad:
                found[2 if kind == "bias" else 1 if layer in classifiers else 0].append(name)
        return found

    @says("whole head")
    def whole_head(model, classifiers):
        found = [[], [], []]
        for name, p in model.named_parameters():
            if p.requires_grad:
                layer, _, kind = name.rpartition(".")
                new = layer.startswith("head") or layer in classifiers
                found[0 if not new else 1 if kind == "weight" else 2].append(name)
        return found

    @says("only the first classifier")
    def first(model, classifiers):
        return GroupsRight.loop(model, classifiers[:1])

    @says("twice")
    def everything_first(model, classifiers):
        _, weights, biases = GroupsRight.loop(model, classifiers)
        return [[n for n, p in model.named_parameters() if p.requires_grad], weights, biases]

    @says("only new layers")
    def new_ones_only(model, classifiers):
        return [[], *GroupsRight.loop(model, classifiers)[1:]]

    def tensors(model, classifiers):
        found = dict(model.named_parameters())
        return [[found[name] for name in names] for names in GroupsRight.loop(model, classifiers)]

    def layers(model, classifiers):
        return [[name.rpartition(".")[0] for name in names] for names in GroupsRight.loop(model, classifiers)]

    def buffers_too(model, classifiers):
        found = [[], [], []]
        for name in model.state_dict():
            layer, _, kind = name.rpartition(".")
            found[0 if layer not in classifiers else 1 if kind == "weight" else 2].append(name)
        return found

    def one_string(model, classifiers):
        return [" ".join(names) for names in GroupsRight.loop(model, classifiers)]


class ResnetFieldRight:
    def layers(blocks, stride_in):
        found = [Layer(7, stride=2), Layer(3, stride=2)]
        for stage, count in enumerate(blocks):
            for block in range(count):
                step = 2 if stage > 0 and block == 0 else 1
                if stride_in == "1x1":
                    found += [Layer(1, stride=step), Layer(3), Layer(1)]
                else:
                    found += [Layer(1), Layer(3, stride=step), Layer(1)]
        return receptive_fields(found)[-1].size

    def the_table(blocks, stride_in):
        size, jump = 11, 4
        for stage, count in enumerate(blocks):
            if stage == 0:
                size += count * 2 * jump
            elif stride_in == "3x3":
                size += 2 * jump + (count - 1) * 4 * jump
                jump *= 2
            else:
                jump *= 2
                size += count * 2 * jump
        return size

    def a_sum(blocks, stride_in):
        caffe = 11 + sum(8 * 2**i * n for i, n in enumerate(blocks))
        return caffe - (0 if stride_in == "1x1" else sum(8 * 2 ** (i - 1) for i in range(1, len(blocks))))

    def numpy(blocks, stride_in):
        jumps = 4 * 2 ** np.arange(len(blocks))
        size = 11 + 2 * (jumps * np.array(blocks)).sum()
        return size - (stride_in == "3x3") * jumps[1:].sum()

    def tensor(blocks, stride_in):
        jumps = 4 * 2 ** torch.arange(len(blocks))
        size = 11 + 2 * (jumps * torch.tensor(blocks)).sum()
        return size - jumps[1:].sum() if stride_in == "3x3" else size

    def backwards(blocks, stride_in):
        size = 1
        for stage in reversed(range(len(blocks))):
            for block in reversed(range(blocks[stage])):
                step = 2 if stage and not block else 1
                size = (size - 1) * step + 3 if stride_in == "3x3" else (size + 2 - 1) * step + 1
        size = (size - 1) * 2 + 3
        return (size - 1) * 2 + 7

    def floats(blocks, stride_in):
        size, jump = 7.0, 2.0
        size, jump = size + 2 * jump, jump * 2
        for stage, count in enumerate(blocks):
            for block in range(count):
                new = jump * (2.0 if stage and not block else 1.0)
                size += 2 * (new if stride_in == "1x1" else jump)
                jump = new
        return size


class ResnetFieldWrong:
    @says("torchvision's layout only")
    def torchvision(blocks, stride_in):
        return ResnetFieldRight.the_table(blocks, "3x3")

    @says("Caffe's layout only")
    def caffe(blocks, stride_in):
        return ResnetFieldRight.the_table(blocks, "1x1")

    @says("swaps the two layouts")
    def swapped(blocks, stride_in):
        return ResnetFieldRight.the_table(blocks, "1x1" if stride_in == "3x3" else "3x3")

    @says("max pool")
    def no_pool(blocks, stride_in):
        size, jump = 7, 2
        for stage, count in enumerate(blocks):
            for block in range(count):
                step = 2 if stage and not block else 1
                size += 2 * jump * (step if stride_in == "1x1" else 1)
                jump *= step
        return size

    @says("in the first stage as well")
    def all_step(blocks, stride_in):
        size, jump = 11, 4
        for count in blocks:
            for block in range(count):
                step = 2 if not block else 1
                size += 2 * jump * (step if stride_in == "1x1" else 1)
                jump *= step
        return size

    @says("every block")
    def each_block(blocks, stride_in):
        size, jump = 11, 4
        for stage, count in enumerate(blocks):
            for _ in range(count):
                step = 2 if stage else 1
                size += 2 * jump * (step if stride_in == "1x1" else 1)
                jump *= step
        return size

    @says("multiplies the jump before")
    def jump_first(blocks, stride_in):
        size, jump = 1, 1
        for k in (7, 3):
            jump *= 2
            size += (k - 1) * jump
        for stage, count in enumerate(blocks):
            for block in range(count):
                jump *= 2 if stage and not block else 1
                size += 2 * jump
        return size

    @says("adds all taps")
    def taps(blocks, stride_in):
        size, jump = 1 + 7 + 3 * 2, 4
        for stage, count in enumerate(blocks):
            for block in range(count):
                step = 2 if stage and not block else 1
                if stride_in == "1x1":
                    size, jump = size + jump, jump * step
                    size += 3 * jump
                else:
                    size, jump = size + jump, jump
                    size, jump = size + 3 * jump, jump * step
        return size

    @says("never halves")
    def no_strides(blocks, stride_in):
        return 11 + 8 * sum(blocks)

    def three_by_three_everywhere(blocks, stride_in):
        size, jump = 11, 4
        for stage, count in enumerate(blocks):
            for block in range(count):
                size += 6 * jump
                jump *= 2 if stage and not block else 1
        return size

    def one_less(blocks, stride_in):
        return ResnetFieldRight.the_table(blocks, stride_in) - 1

    def resnet_101(blocks, stride_in):
        return {"3x3": 971, "1x1": 1027}[stride_in]

    def four_stages(blocks, stride_in):
        a, b, c, d = (*blocks, 0, 0, 0)[:4]
        size = 11 + 8 * a + 16 * b + 32 * c + 64 * d
        return size - (56 if stride_in == "3x3" else 0)

    @says("list")
    def every_stage(blocks, stride_in):
        return [ResnetFieldRight.the_table(blocks[: n + 1], stride_in) for n in range(len(blocks))]

    def pixels_squared(blocks, stride_in):
        return (ResnetFieldRight.the_table(blocks, stride_in),) * 2

    def last_stage_without_a_stride(blocks, stride_in):
        size, jump = 11, 4
        for stage, count in enumerate(blocks):
            for block in range(count):
                step = 2 if 0 < stage < 3 and not block else 1
                size += 2 * jump * (step if stride_in == "1x1" else 1)
                jump *= step
        return size


@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Right"))
def test_right_answers_in_any_style_are_accepted(name, answer):
    assert_accepted(exercise_of("lesson10", name), answer)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Wrong"))
def test_wrong_answers_are_rejected(name, answer):
    assert_rejected(exercise_of("lesson10", name), answer)
