"""Lesson 05: right answers in many styles, and wrong ones."""

import math

import numpy as np
import pytest
import torch
from answers import assert_accepted, assert_rejected, exercise_of, listed, says
from torch import nn
from torch.nn import functional as F


class PolyRight:
    def formula(iteration, iterations, power=0.9):
        return (1 - iteration / iterations) ** power

    def what_is_left(iteration, iterations, power=0.9):
        return ((iterations - iteration) / iterations) ** power

    def math_pow(iteration, iterations, power=0.9):
        return math.pow(1 - iteration / iterations, power)

    def logarithm(iteration, iterations, power=0.9):
        return math.exp(power * math.log(1 - iteration / iterations))

    def numpy(iteration, iterations, power=0.9):
        return np.power(1 - np.divide(iteration, iterations), power)

    def single_precision(iteration, iterations, power=0.9):
        return np.float32(1 - iteration / iterations) ** np.float32(power)

    def tensor(iteration, iterations, power=0.9):
        return (1 - torch.tensor(iteration) / iterations) ** power

    def two_powers(iteration, iterations, power=0.9):
        return (iterations - iteration) ** power / iterations**power


class PolyWrong:
    @says("straight line")
    def linear(iteration, iterations, power=0.9):
        return 1 - iteration / iterations

    @says("part that is done")
    def done(iteration, iterations, power=0.9):
        return 1 - (iteration / iterations) ** power

    @says("rises from 0 to 1")
    def rising(iteration, iterations, power=0.9):
        return (iteration / iterations) ** power

    @says("only the default")
    def fixed(iteration, iterations, power=0.9):
        return (1 - iteration / iterations) ** 0.9

    def another_default(iteration, iterations, power=1.0):
        return (1 - iteration / iterations) ** power

    @says("multiplies by the power")
    def times(iteration, iterations, power=0.9):
        return (1 - iteration / iterations) * power

    @says("drops the fraction")
    def whole(iteration, iterations, power=0.9):
        return (1 - iteration // iterations) ** power

    @says("reaches 0")
    def to_zero(iteration, iterations, power=0.9):
        return (1 - iteration / (iterations - 1)) ** power

    @says("per cent")
    def hundred(iteration, iterations, power=0.9):
        return 100 * (1 - iteration / iterations) ** power

    def from_one(iteration, iterations, power=0.9):
        return (1 - (iteration + 1) / iterations) ** power

    @says("rounded to 3 places")
    def rounded(iteration, iterations, power=0.9):
        return round((1 - iteration / iterations) ** power, 3)

    def a_rate(iteration, iterations, power=0.9):
        return 0.001 * (1 - iteration / iterations) ** power

    def arguments_exchanged(iterations, iteration, power=0.9):
        return (1 - iteration / iterations) ** power

    def no_power(iteration, iterations):
        return (1 - iteration / iterations) ** 0.9

    def root(iteration, iterations, power=0.9):
        return (1 - iteration / iterations) ** (1 / power)

    @says("Expected one number, got a list")
    def the_whole_schedule(iteration, iterations, power=0.9):
        return [(1 - each / iterations) ** power for each in range(min(iterations, 30))]

    @says("counts iterations from 1")
    def one_ahead(iteration, iterations, power=0.9):
        return ((iterations - iteration - 1) / iterations) ** power

    @says("number of iterations that are left")
    def not_divided(iteration, iterations, power=0.9):
        return (iterations - iteration) ** power


class CoarseLabelsRight:
    def nearest_exact(labels, stride):
        size = (labels.shape[1] // stride, labels.shape[2] // stride)
        return F.interpolate(labels[:, None].float(), size, mode="nearest-exact")[:, 0].long()

    def slices(labels, stride):
        return labels[:, stride // 2 :: stride, stride // 2 :: stride]

    def two_steps(labels, stride):
        rows = labels[:, stride // 2 :: stride]
        return rows[..., stride // 2 :: stride]

    def reshaped(labels, stride):
        n, h, w = labels.shape
        cells = labels.reshape(n, h // stride, stride, w // stride, stride)
        return cells[:, :, stride // 2, :, stride // 2]

    def loops(labels, stride):
        n, h, w = labels.shape
        small = torch.zeros(n, h // stride, w // stride, dtype=torch.long)
        for i in range(h // stride):
            for j in range(w // stride):
                small[:, i, j] = labels[:, i * stride + stride // 2, j * stride + stride // 2]
        return small

    def index_grid(labels, stride):
        rows = torch.arange(labels.shape[1] // stride) * stride + stride // 2
        columns = torch.arange(labels.shape[2] // stride) * stride + stride // 2
        return labels[:, rows[:, None], columns]

    def one_tap(labels, stride):
        tap = torch.zeros(1, 1, stride, stride)
        tap[..., stride // 2, stride // 2] = 1
        return F.conv2d(labels[:, None].float(), tap, stride=stride)[:, 0].long()

    def scale_factor(labels, stride):
        numbers = labels[:, None].double()
        return F.interpolate(numbers, scale_factor=1 / stride, mode="nearest-exact")[:, 0].to(labels.dtype)

    def byte_labels(labels, stride):
        return labels[:, stride // 2 :: stride, stride // 2 :: stride].to(torch.uint8)

    def numbers_with_a_point(labels, stride):
        return labels[:, stride // 2 :: stride, stride // 2 :: stride].float()


class CoarseLabelsWrong:
    @says("cells of class 2")
    def as_handed_out(labels, stride):
        size = (labels.shape[1] // stride, labels.shape[2] // stride)
        return F.interpolate(labels[:, None].float(), size, mode="bilinear")[:, 0].round().long()

    def rounded_down(labels, stride):
        size = (labels.shape[1] // stride, labels.shape[2] // stride)
        return F.interpolate(labels[:, None].float(), size, mode="bilinear")[:, 0].long()

    def corners_aligned(labels, stride):
        size = (labels.shape[1] // stride, labels.shape[2] // stride)
        numbers = labels[:, None].float()
        return F.interpolate(numbers, size, mode="bilinear", align_corners=True)[:, 0].round().long()

    def bicubic(labels, stride):
        size = (labels.shape[1] // stride, labels.shape[2] // stride)
        return F.interpolate(labels[:, None].float(), size, mode="bicubic")[:, 0].round().long()

    @says("corner of each cell")
    def nearest(labels, stride):
        size = (labels.shape[1] // stride, labels.shape[2] // stride)
        return F.interpolate(labels[:, None].float(), size, mode="nearest")[:, 0].long()

    @says("last pixel")
    def last(labels, stride):
        return labels[:, stride - 1 :: stride, stride - 1 :: stride]

    @says("before the middle")
    def before(labels, stride):
        return labels[:, (stride - 1) // 2 :: stride, (stride - 1) // 2 :: stride]

    def after(labels, stride):
        return labels[:, (stride + 1) // 2 :: stride, (stride + 1) // 2 :: stride]

    @says("averages the labels")
    def averaged(labels, stride):
        size = (labels.shape[1] // stride, labels.shape[2] // stride)
        return F.adaptive_avg_pool2d(labels.double(), size).round().long()

    @says("vote")
    def voted(labels, stride):
        n, h, w = labels.shape
        small = torch.full((n, h // stride, w // stride), 255)
        for each, i, j in np.ndindex(*small.shape):
            cell = labels[each, i * stride : (i + 1) * stride, j * stride : (j + 1) * stride].flatten()
            votes = cell[cell != 255]
            if len(votes):
                small[each, i, j] = torch.bincount(votes).argmax()
        return small

    @says("largest label")
    def largest(labels, stride):
        return F.max_pool2d(labels.double(), stride).long()

    def void_as_background(labels, stride):
        small = labels[:, stride // 2 :: stride, stride // 2 :: stride]
        return small.where(small != 255, 0)

    def rows(labels, stride):
        return labels[:, stride // 2 :: stride]

    def always_four(labels, stride):
        return labels[:, 4::8, 4::8]

    def first_image(labels, stride):
        return labels[:1, stride // 2 :: stride, stride // 2 :: stride]

    def transposed(labels, stride):
        return labels[:, stride // 2 :: stride, stride // 2 :: stride].mT

    def with_a_channel(labels, stride):
        return labels[:, None, stride // 2 :: stride, stride // 2 :: stride]

    @says("still interpolates")
    def corners_kept(labels, stride):
        size = (labels.shape[1] // stride, labels.shape[2] // stride)
        small = F.interpolate(labels[:, None].float(), size, mode="bilinear", align_corners=True)
        return small[:, 0].round().long()

    @says("still interpolates")
    def not_rounded(labels, stride):
        size = (labels.shape[1] // stride, labels.shape[2] // stride)
        return F.interpolate(labels[:, None].float(), size, mode="bilinear")[:, 0].long()

    @says("still interpolates")
    def smoother(labels, stride):
        size = (labels.shape[1] // stride, labels.shape[2] // stride)
        return F.interpolate(labels[:, None].float(), size, mode="bicubic")[:, 0].round().long()


def trained_by_hand(x, labels, trained, classes, steps, lr, rates=(0.1, 1)):
    """Losses of a training without an optimiser."""
    backbone = trained.clone().requires_grad_()
    classifier = torch.zeros(classes, len(trained), 1, 1, requires_grad=True)
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(F.conv2d(F.conv2d(x, backbone), classifier), labels, ignore_index=255)
        slopes = torch.autograd.grad(loss, (backbone, classifier))
        with torch.no_grad():
            for weight, rate, slope in zip((backbone, classifier), rates, slopes, strict=True):
                weight -= lr * rate * slope
        losses.append(loss.item())
    return losses


def trained_by(optimiser_of, forward=None):
    """Losses of a training with the optimiser that a function makes of both layers and the rate."""

    def answer(x, labels, trained, classes, steps, lr):
        layers = nn.Sequential(
            nn.Conv2d(x.shape[1], len(trained), 1, bias=False),
            nn.Conv2d(len(trained), classes, 1, bias=False),
        )
        layers[0].weight.data, layers[1].weight.data = trained.clone(), torch.zeros_like(layers[1].weight)
        optimiser, losses = optimiser_of(layers, lr), []
        for _ in range(steps):
            scores = forward(layers, x) if forward else layers(x)
            loss = F.cross_entropy(scores, labels, ignore_index=255)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        return losses

    return lambda x, labels, trained, classes, steps, lr: answer(x, labels, trained, classes, steps, lr)


def two_groups(layers, lr, **options):
    groups = [{"params": layers[0].parameters(), "lr": lr / 10}, {"params": layers[1].parameters()}]
    return torch.optim.SGD(groups, lr, **options)


class FineTuneRight:
    by_hand = trained_by_hand
    two_modules = trained_by(two_groups)

    def optimiser_moved_down(x, labels, trained, classes, steps, lr):
        backbone = torch.nn.Parameter(trained.clone())
        classifier = torch.nn.Parameter(torch.zeros(classes, len(trained), 1, 1))
        sgd = torch.optim.SGD([{"params": [backbone], "lr": lr / 10}, {"params": [classifier]}], lr)
        losses = []
        for _ in range(steps):
            scores = F.conv2d(F.conv2d(x, backbone), classifier)
            loss = F.cross_entropy(scores, labels, ignore_index=255)
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            losses.append(loss.item())
        return losses

    def another_group_added(x, labels, trained, classes, steps, lr):
        backbone = torch.nn.Parameter(trained.clone())
        sgd = torch.optim.SGD([backbone], lr / 10)
        classifier = torch.nn.Parameter(torch.zeros(classes, len(trained), 1, 1))
        sgd.add_param_group({"params": [classifier], "lr": lr})
        losses = []
        for _ in range(steps):
            loss = F.cross_entropy(F.conv2d(F.conv2d(x, backbone), classifier), labels, ignore_index=255)
            loss.backward()
            sgd.step()
            sgd.zero_grad()
            losses.append(loss.detach())
        return torch.stack(losses)

    def two_optimisers(x, labels, trained, classes, steps, lr):
        weights = [trained.clone(), torch.zeros(classes, len(trained), 1, 1)]
        weights = [nn.Parameter(weight) for weight in weights]
        both = [torch.optim.SGD([weights[0]], lr / 10), torch.optim.SGD([weights[1]], lr)]
        losses = []
        for _ in range(steps):
            for each in both:
                each.zero_grad()
            loss = F.cross_entropy(F.conv2d(F.conv2d(x, weights[0]), weights[1]), labels, ignore_index=255)
            loss.backward()
            for each in both:
                each.step()
            losses.append(loss.item())
        return losses

    def numpy_numbers(x, labels, trained, classes, steps, lr):
        return np.array(trained_by_hand(x, labels, trained, classes, steps, lr))

    def double(x, labels, trained, classes, steps, lr):
        weights = [trained.double(), torch.zeros(classes, len(trained), 1, 1, dtype=torch.float64)]
        losses = []
        for _ in range(steps):
            backbone, classifier = (weight.detach().requires_grad_() for weight in weights)
            scores = F.conv2d(F.conv2d(x.double(), backbone), classifier)
            loss = F.cross_entropy(scores, labels, ignore_index=255)
            loss.backward()
            weights = [backbone - lr / 10 * backbone.grad, classifier - lr * classifier.grad]
            losses.append(loss.item())
        return losses


class FineTuneWrong:
    @says("logarithm of the number of classes")
    def as_handed_out(x, labels, trained, classes, steps, lr):
        return [math.log(classes)] * steps

    frozen = says("only the classifier")(
        trained_by(lambda layers, lr: torch.optim.SGD(layers[1].parameters(), lr))
    )
    detached = says("only the classifier")(
        trained_by(two_groups, lambda layers, x: layers[1](layers[0](x).detach()))
    )
    one_rate = says("one learning rate")(
        trained_by(lambda layers, lr: torch.optim.SGD(layers.parameters(), lr))
    )
    all_slow = trained_by(lambda layers, lr: torch.optim.SGD(layers.parameters(), lr / 10))
    momentum = trained_by(lambda layers, lr: two_groups(layers, lr, momentum=0.9))
    decay = trained_by(lambda layers, lr: two_groups(layers, lr, weight_decay=0.05))
    two_softmaxes = says("softmax before the cross-entropy")(
        trained_by(two_groups, lambda layers, x: layers(x).softmax(1))
    )
    relu_between = trained_by(two_groups, lambda layers, x: layers[1](layers[0](x).relu()))

    @says("swaps the two learning rates")
    def rates_exchanged(x, labels, trained, classes, steps, lr):
        return trained_by_hand(x, labels, trained, classes, steps, lr, rates=(1, 0.1))

    def backbone_ten_times_faster(x, labels, trained, classes, steps, lr):
        return trained_by_hand(x, labels, trained, classes, steps, lr, rates=(10, 1))

    @says("never resets the gradients")
    def gradients_pile_up(x, labels, trained, classes, steps, lr):
        weights = nn.ParameterList([trained.clone(), torch.zeros(classes, len(trained), 1, 1)])
        sgd = torch.optim.SGD([{"params": [weights[0]], "lr": lr / 10}, {"params": [weights[1]]}], lr)
        losses = []
        for _ in range(steps):
            loss = F.cross_entropy(F.conv2d(F.conv2d(x, weights[0]), weights[1]), labels, ignore_index=255)
            loss.backward()
            sgd.step()
            losses.append(loss.item())
        return losses

    def one_step_more(x, labels, trained, classes, steps, lr):
        return trained_by_hand(x, labels, trained, classes, steps + 1, lr)

    def first_loss_left_out(x, labels, trained, classes, steps, lr):
        return trained_by_hand(x, labels, trained, classes, steps + 1, lr)[1:]

    def last_loss_only(x, labels, trained, classes, steps, lr):
        return trained_by_hand(x, labels, trained, classes, steps, lr)[-1]

    def void_as_background(x, labels, trained, classes, steps, lr):
        return trained_by_hand(x, labels.where(labels != 255, 0), trained, classes, steps, lr)

    def backbone_from_zero(x, labels, trained, classes, steps, lr):
        return trained_by_hand(x, labels, torch.zeros_like(trained), classes, steps, lr)

    @says("changed its input")
    def in_place(x, labels, trained, classes, steps, lr):
        losses = trained_by_hand(x, labels, trained, classes, steps, lr)
        trained += 1
        return losses

    def a_thousand_classes(x, labels, trained, classes, steps, lr):
        return trained_by_hand(x, labels, trained, 1000, steps, lr)

    @says("the classifier for 1000 classes")
    def new_classifier_deleted(x, labels, trained, classes, steps, lr):
        backbone = torch.nn.Parameter(trained.clone())
        classifier = torch.nn.Parameter(torch.zeros(1000, len(trained), 1, 1))
        sgd = torch.optim.SGD([{"params": [backbone], "lr": lr / 10}, {"params": [classifier]}], lr)
        losses = []
        for _ in range(steps):
            loss = F.cross_entropy(F.conv2d(F.conv2d(x, backbone), classifier), labels, ignore_index=255)
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            losses.append(loss.item())
        return losses


class MeanIouRight:
    def nanmean(confusion):
        both = confusion.diagonal()
        return (both / (confusion.sum(0) + confusion.sum(1) - both)).nanmean().item()

    def loop(confusion):
        ious = []
        for c in range(len(confusion)):
            both = confusion[c, c]
            union = confusion[c].sum() + confusion[:, c].sum() - both
            if union > 0:
                ious.append(both / union)
        return sum(ious) / len(ious)

    def present(confusion):
        both = confusion.diag()
        union = confusion.sum(dim=0) + confusion.sum(dim=1) - both
        return (both[union > 0] / union[union > 0]).mean()

    def numpy(confusion):
        m = confusion.numpy()
        both = np.diag(m)
        union = m.sum(0) + m.sum(1) - both
        return np.mean(both[union > 0] / union[union > 0])

    def pure_python(confusion):
        m = confusion.tolist()
        ious = []
        for c, row in enumerate(m):
            union = sum(row) + sum(other[c] for other in m) - row[c]
            if union:
                ious.append(row[c] / union)
        return sum(ious) / len(ious)

    def single_precision(confusion):
        both = confusion.float().diagonal()
        union = confusion.float().sum(0) + confusion.float().sum(1) - both
        return float((both / union)[~torch.isnan(both / union)].mean())

    def mistakes(confusion):
        hits = torch.diagonal(confusion).double()
        missed, painted = confusion.sum(1) - hits, confusion.sum(0) - hits
        seen = (hits + missed + painted) != 0
        return ((hits / (hits + missed + painted).clamp(min=1)).sum() / seen.sum()).item()


class MeanIouWrong:
    @says("nowhere in the labels")
    def labelled_classes(confusion):
        both = confusion.diagonal()
        iou = both / (confusion.sum(0) + confusion.sum(1) - both)
        return iou[confusion.sum(1) > 0].mean().item()

    def predicted_classes(confusion):
        both = confusion.diagonal()
        iou = both / (confusion.sum(0) + confusion.sum(1) - both)
        return iou[confusion.sum(0) > 0].mean().item()

    def right_classes(confusion):
        both = confusion.diagonal()
        iou = both / (confusion.sum(0) + confusion.sum(1) - both)
        return iou[both > 0].mean().nan_to_num().item()

    def last_class_left_out(confusion):
        both = confusion.diagonal()
        iou = both / (confusion.sum(0) + confusion.sum(1) - both)
        return (iou[:-1] if iou[-1].isnan() else iou).mean().item()

    @says("neither there nor predicted as 0")
    def absent_is_zero(confusion):
        both = confusion.diagonal()
        return (both / (confusion.sum(0) + confusion.sum(1) - both).clamp(min=1)).mean().item()

    def absent_is_one(confusion):
        both = confusion.diagonal()
        return (both / (confusion.sum(0) + confusion.sum(1) - both)).nan_to_num(1.0).mean().item()

    @says("NaN")
    def plain_mean(confusion):
        both = confusion.diagonal()
        return (both / (confusion.sum(0) + confusion.sum(1) - both)).mean().item()

    @says("pixel accuracy")
    def accuracy(confusion):
        return (confusion.trace() / confusion.sum()).item()

    @says("mean recall")
    def recall(confusion):
        return (confusion.diag() / confusion.sum(1)).nanmean().item()

    @says("mean precision")
    def precision(confusion):
        return (confusion.diag() / confusion.sum(0)).nanmean().item()

    @says("Dice")
    def dice(confusion):
        return (2 * confusion.diag() / (confusion.sum(0) + confusion.sum(1))).nanmean().item()

    @says("counts the intersection twice")
    def diagonal_twice(confusion):
        return (confusion.diag() / (confusion.sum(0) + confusion.sum(1))).nanmean().item()

    @says("per cent")
    def per_cent(confusion):
        return MeanIouRight.nanmean(confusion) * 100

    @says("weights the classes")
    def weighted(confusion):
        both = confusion.diagonal()
        iou = both / (confusion.sum(0) + confusion.sum(1) - both)
        return (iou * confusion.sum(1) / confusion.sum()).nansum().item()

    def of_the_sums(confusion):
        both = confusion.diagonal()
        return (both.sum() / (confusion.sum(0) + confusion.sum(1) - both).sum()).item()

    def without_background(confusion):
        both = confusion.diagonal()
        return (both / (confusion.sum(0) + confusion.sum(1) - both))[1:].nanmean().nan_to_num().item()

    @says("tensor of shape")
    def each_class(confusion):
        both = confusion.diagonal()
        return both / (confusion.sum(0) + confusion.sum(1) - both)

    @says("rounded to 3 places")
    def rounded(confusion):
        return round(MeanIouRight.nanmean(confusion), 3)

    def thirty_two_bits(confusion):
        m = confusion.to(torch.int32)
        both = m.diagonal()
        product = m.sum(0, dtype=torch.int32) * 16 + m.sum(1, dtype=torch.int32) * 16 - 16 * both
        return (16.0 * both / product).nanmean().item()

    @says("neither there nor predicted as 1")
    def perfect_where_absent(confusion):
        both = confusion.diagonal().double()
        union = confusion.sum(0) + confusion.sum(1) - both
        return torch.where(union == 0, 1, both / union).mean().item()

    @says("every class with an IoU of 0")
    def only_where_right(confusion):
        both = confusion.diagonal().double()
        iou = both / (confusion.sum(0) + confusion.sum(1) - both)
        return iou[both > 0].mean().item()

    @says("leaves out class 0")
    def no_background(confusion):
        both = confusion.diagonal().double()
        return (both / (confusion.sum(0) + confusion.sum(1) - both))[1:].nanmean().item()

    @says("before it divides")
    def sum_over_sum(confusion):
        both = confusion.diagonal().double()
        return (both.sum() / (confusion.sum(0) + confusion.sum(1) - both).sum()).item()


class CrossEntropyRight:
    def torch_functional(logits, labels):
        return F.cross_entropy(logits, labels, ignore_index=255)

    def summed_and_divided(logits, labels):
        total = F.cross_entropy(logits, labels, ignore_index=255, reduction="sum")
        return total / (labels != 255).sum()

    def gathered(logits, labels):
        judged = labels != 255
        log_p = torch.log_softmax(logits, 1)
        picked = log_p.gather(1, torch.where(judged, labels, 0).unsqueeze(1)).squeeze(1)
        return -(picked * judged).sum() / judged.sum()

    def one_hot(logits, labels):
        judged = labels != 255
        target = F.one_hot(labels.clamp(max=logits.shape[1] - 1), logits.shape[1]).permute(0, 3, 1, 2)
        costs = -(target * logits.log_softmax(1)).sum(1)
        return costs[judged].mean()

    def rows(logits, labels):
        scores = logits.permute(0, 2, 3, 1)[labels != 255]
        classes = labels[labels != 255]
        chosen = scores[torch.arange(len(classes)), classes]
        return (torch.logsumexp(scores, dim=1) - chosen).mean()

    def maximum_subtracted(logits, labels):
        shifted = logits - logits.max(1, keepdim=True).values
        log_p = shifted - shifted.exp().sum(1, keepdim=True).log()
        judged = labels != 255
        picked = torch.take_along_dim(log_p, (labels * judged)[:, None], 1)[:, 0]
        return -picked[judged].mean()

    def loops(logits, labels):
        costs = []
        for n in range(labels.shape[0]):
            for i in range(labels.shape[1]):
                for j in range(labels.shape[2]):
                    if labels[n, i, j] != 255:
                        log_p = F.log_softmax(logits[n, :, i, j], dim=0)
                        costs.append(-log_p[labels[n, i, j]])
        return sum(costs) / len(costs)

    def nll(logits, labels):
        return F.nll_loss(F.log_softmax(logits, dim=1), labels, ignore_index=255)


class CrossEntropyWrong:
    @says("exp(logits)")
    def overflows(logits, labels):
        p = torch.exp(logits) / torch.exp(logits).sum(1, keepdim=True)
        judged = labels != 255
        right = p.gather(1, (labels * judged)[:, None])[:, 0]
        return -torch.log(right[judged]).mean()

    @says("finished softmax")
    def logarithm_of_zero(logits, labels):
        judged = labels != 255
        right = F.softmax(logits, 1).gather(1, (labels * judged)[:, None])[:, 0]
        return -torch.log(right[judged]).mean()

    def a_small_number_added(logits, labels):
        judged = labels != 255
        right = F.softmax(logits, 1).gather(1, (labels * judged)[:, None])[:, 0]
        return -torch.log(right[judged] + 1e-8).mean()

    @says("softmax twice")
    def two_softmaxes(logits, labels):
        return F.cross_entropy(F.softmax(logits, dim=1), labels, ignore_index=255)

    def softmax_of_the_logarithm(logits, labels):
        return F.nll_loss(F.softmax(logits, dim=1), labels, ignore_index=255)

    @says("no gradient")
    def no_gradient(logits, labels):
        return F.cross_entropy(logits.detach(), labels, ignore_index=255)

    @says("they are in a float")
    def a_number(logits, labels):
        return F.cross_entropy(logits, labels, ignore_index=255).item()

    @says("no gradient")
    def a_new_tensor(logits, labels):
        return torch.tensor(F.cross_entropy(logits, labels, ignore_index=255).item())

    @says("the gradient that flows back to the inputs is not")
    def half_detached(logits, labels):
        right = logits.gather(1, (labels * (labels != 255))[:, None])[:, 0]
        costs = torch.logsumexp(logits, 1).detach() - right
        return costs[labels != 255].mean()

    @says("no gradient can flow back")
    def a_new_leaf(logits, labels):
        loss = F.cross_entropy(logits, labels, ignore_index=255)
        return torch.tensor(loss.item(), requires_grad=True)

    @says("no gradient can flow back")
    def through_numpy(logits, labels):
        scores = logits.detach().numpy()
        scores = scores - scores.max(1, keepdims=True)
        logs = torch.from_numpy(scores - np.log(np.exp(scores).sum(1, keepdims=True)))
        return F.nll_loss(logs, labels, ignore_index=255).requires_grad_()

    @says("the gradient that flows back to the inputs is not")
    def numpy_tied_to_the_logits(logits, labels):
        loss = F.cross_entropy(logits, labels, ignore_index=255).item()
        return loss + 0 * logits.sum()

    @says("PyTorch cannot compute their gradient")
    def overwritten(logits, labels):
        q = logits.softmax(1)
        loss = F.cross_entropy(logits, labels, ignore_index=255) + 0 * q.sum()
        q.mul_(2)
        return loss

    @says("returns the sum")
    def summed(logits, labels):
        return F.cross_entropy(logits, labels, ignore_index=255, reduction="sum")

    @says("counts void positions")
    def divided_by_all(logits, labels):
        return F.cross_entropy(logits, labels, ignore_index=255, reduction="none").mean()

    @says("background")
    def background(logits, labels):
        return F.cross_entropy(logits, torch.where(labels == 255, 0, labels))

    def void_is_a_class(logits, labels):
        return F.cross_entropy(logits, labels)

    @says("mean of each image")
    def image_by_image(logits, labels):
        losses = [
            F.cross_entropy(scores[None], each[None], ignore_index=255)
            for scores, each in zip(logits, labels, strict=True)
            if (each != 255).any()
        ]
        return sum(losses) / len(losses)

    def first_image(logits, labels):
        return F.cross_entropy(logits[:1], labels[:1], ignore_index=255)

    @says("sign")
    def sign(logits, labels):
        return -F.cross_entropy(logits, labels, ignore_index=255)

    @says("base 2")
    def bits(logits, labels):
        return F.cross_entropy(logits, labels, ignore_index=255) / math.log(2)

    def over_the_rows(logits, labels):
        return F.nll_loss(F.log_softmax(logits, dim=2), labels, ignore_index=255)

    def smoothed(logits, labels):
        return F.cross_entropy(logits, labels, ignore_index=255, label_smoothing=0.1)

    def each_place(logits, labels):
        return F.cross_entropy(logits, labels, ignore_index=255, reduction="none")

    def hinge(logits, labels):
        judged = labels != 255
        right = logits.gather(1, (labels * judged)[:, None])
        return (logits - right).clamp(min=0).sum(1)[judged].mean()

    @says("mean over the classes as well")
    def one_hot_mean(logits, labels):
        labelled = labels != 255
        one_hot = F.one_hot(labels * labelled, logits.shape[1]).permute(0, 3, 1, 2)
        costs = -(one_hot * F.log_softmax(logits, dim=1))
        return costs[labelled[:, None].expand_as(costs)].mean()

    @says("expects logarithms of probabilities")
    def nll_of_scores(logits, labels):
        return F.nll_loss(logits, labels, ignore_index=255)


@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Right"))
def test_right_answers_in_any_style_are_accepted(name, answer):
    assert_accepted(exercise_of("lesson05", name), answer)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Wrong"))
def test_wrong_answers_are_rejected(name, answer):
    assert_rejected(exercise_of("lesson05", name), answer)
