"""Exercises of lesson 05: a falling learning rate, two trainings to repair, mIoU from a confusion matrix, the loss."""

import random
from collections.abc import Iterator

import numpy as np
import torch
from torch.nn import functional as F

from deeplab_lessons import metrics
from deeplab_lessons.classroom import redrawing
from deeplab_lessons.classroom.exercises.cases import torch_generator
from deeplab_lessons.classroom.exercises.framework import exercise, fault, misconception
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX
from deeplab_lessons.training import losses, schedules


def _costs(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(logits, labels, ignore_index=IGNORE_INDEX, reduction="none")


@exercise
class Poly:
    """Warm-up: the fraction of the first learning rate that is left."""

    package = schedules.poly
    hints = (
        "At iteration 0 the fraction is 1, and after the last one it would be 0. What fraction of the "
        "way is left?",
        "`1 - iteration / iterations` is what's left. Raise that to the power.",
    )

    def poly(iteration, iterations, power=0.9):
        return (1 - iteration / iterations) ** power

    def cases(rng: random.Random) -> Iterator[tuple]:
        yield from ((0, 10), (5, 10), (9, 10), (1, 4), (1, 2, 2), (3, 4, 1), (1, 5, 0.5))
        while True:
            iterations = rng.randint(2, 20000)
            iteration = rng.randrange(iterations)
            yield rng.choice(
                ((iteration, iterations), (iteration, iterations, rng.choice((0.5, 0.9, 1, 2, 3))))
            )

    @misconception(
        "Your code falls along a straight line, which is poly with the power 1. Raise what is left to `power`."
    )
    def straight_line(iteration, iterations, power=0.9):
        return 1 - iteration / iterations

    @misconception(
        "Your code raises the part that is done to the power. Poly does so with the part that is left. "
        "First subtract from 1, then raise to the power."
    )
    def power_of_the_done_part(iteration, iterations, power=0.9):
        return 1 - (iteration / iterations) ** power

    @misconception(
        "Your code rises from 0 to 1. The learning rate starts at its largest value and falls. Subtract "
        "the part that is done from 1 first."
    )
    def rising(iteration, iterations, power=0.9):
        return (iteration / iterations) ** power

    @misconception(
        "Your code reaches 0 at the last iteration, which would then learn nothing. Divide by the number "
        "of iterations, so that 0 would come right after the last one."
    )
    def reaches_zero(iteration, iterations, power=0.9):
        return (1 - iteration / (iterations - 1)) ** power

    @misconception(
        "Your code always uses the power 0.9. That is only the default. Raise to the argument `power`."
    )
    def power_ignored(iteration, iterations, power=0.9):
        return (1 - iteration / iterations) ** 0.9

    @misconception(
        "Your code multiplies by the power. Poly raises what is left to the power. Use ** instead of *."
    )
    def times_the_power(iteration, iterations, power=0.9):
        return (1 - iteration / iterations) * power

    @misconception(
        "Your code returns per cent. The fraction is a number from 0 to 1. Do not multiply by 100."
    )
    def per_cent(iteration, iterations, power=0.9):
        return 100 * (1 - iteration / iterations) ** power

    @misconception(
        "Your code divides with //, which drops the fraction, so the result is always 1. Divide with /."
    )
    def whole_division(iteration, iterations, power=0.9):
        return (1 - iteration // iterations) ** power

    @misconception(
        "Your code counts iterations from 1, so the last one has the fraction 0 and learns nothing. `iteration` begins "
        "at 0: use it as it is."
    )
    def counted_from_one(iteration, iterations, power=0.9):
        return (1 - (iteration + 1) / iterations) ** power

    @misconception(
        "Your code raises the number of iterations that are left. The power applies to the fraction that is left: "
        "divide by `iterations` first."
    )
    def number_that_is_left(iteration, iterations, power=0.9):
        return (iterations - iteration) ** power


_INTERPOLATES = (
    "Your code still interpolates, so it returns means of labels. Labels are names, and a mean of two names isn't a "
    "name. Use a mode that copies one pixel."
)


def _interpolated(labels: torch.Tensor, stride: int, **options) -> torch.Tensor:
    """The labels as amounts, on a coarse map."""
    size = labels.shape[1] // stride, labels.shape[2] // stride
    return F.interpolate(labels[:, None].float(), size, **options)[:, 0]


@exercise
class CoarseLabels:
    """Repair: labels for a coarse map, among them classes that no pixel has."""

    hints = (
        "Labels are names, not amounts. What does this function compute from the labels around a "
        "cell's centre?",
        "One pixel must answer for each cell, the middle one. Which value of `mode` takes a pixel as "
        "it is, and the middle one?",
        "Slices do it too: labels[:, stride // 2 :: stride, stride // 2 :: stride].",
    )

    def coarse_labels(labels, stride):
        size = (labels.shape[1] // stride, labels.shape[2] // stride)
        small = F.interpolate(labels[:, None].float(), size, mode="nearest-exact")
        return small[:, 0].long()

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Labels [N, H, W] whose sides are multiples of the stride, all labels different where they can be."""
        yield torch.tensor([[[1, 1], [1, 3]]]), 2
        for rows, columns, stride in ((4, 4, 4), (4, 4, 2), (3, 3, 3), (2, 4, 2), (6, 3, 3), (2, 3, 1)):
            yield torch.arange(rows * columns).view(1, rows, columns), stride
        yield torch.tensor([[[0, 1], [2, IGNORE_INDEX]]]), 2
        while True:
            stride, batch = rng.choice((2, 3, 4, 5, 6, 7, 8)), rng.randint(1, 3)
            shape = (batch, rng.randint(1, 4) * stride, rng.randint(1, 4) * stride)
            classes = torch.tensor((0, 1, 2, 3, 20, IGNORE_INDEX))
            yield classes[torch.randint(0, 6, shape, generator=torch_generator(rng))], stride

    @fault(
        "Between pixels of class 1 and class 3 the map has cells of class 2, and next to void it has "
        "classes that do not exist."
    )
    def as_handed_out(labels, stride):
        size = (labels.shape[1] // stride, labels.shape[2] // stride)
        small = F.interpolate(labels[:, None].float(), size, mode="bilinear")
        return small[:, 0].round().long()

    @misconception(
        "Your code takes the corner of each cell, as the mode 'nearest' does. Scores are enlarged from "
        "the middle, so everything that the network draws would be shifted. Begin at stride // 2."
    )
    def corner(labels, stride):
        return labels[:, ::stride, ::stride]

    @misconception(
        "Your code takes the pixel before the middle where the stride is even. The exercise wants the one "
        "after it. Begin at stride // 2."
    )
    def before_the_middle(labels, stride):
        return labels[:, (stride - 1) // 2 :: stride, (stride - 1) // 2 :: stride]

    @misconception(
        "Your code takes the last pixel of each cell. Scores are enlarged from the middle, so the label "
        "must come from there. Begin at stride // 2."
    )
    def last_pixel(labels, stride):
        return labels[:, stride - 1 :: stride, stride - 1 :: stride]

    @misconception(
        "Your code lets all pixels of a cell vote. DeepLab v1 takes the label of one pixel, and so does "
        "the exercise. Take the middle one."
    )
    def majority(labels, stride):
        voted = [redrawing.majority(each.numpy(), stride, IGNORE_INDEX) for each in labels]
        return torch.from_numpy(np.stack(voted)).long()

    @misconception(
        "Your code averages the labels of a cell. Labels are names, so the mean of class 1 and class 3 is "
        "not class 2, and void (255) spoils every mean. Take one pixel as it is."
    )
    def mean_of_labels(labels, stride):
        return F.avg_pool2d(labels.double(), stride).round().long()

    @misconception(
        "Your code takes the largest label of each cell. Labels are names, not amounts, and void (255) "
        "would win everywhere. Take the pixel in the middle."
    )
    def largest_label(labels, stride):
        return F.max_pool2d(labels.double(), stride).long()

    @misconception(_INTERPOLATES)
    def corners_aligned(labels, stride):
        return _interpolated(labels, stride, mode="bilinear", align_corners=True).round().long()

    @misconception(_INTERPOLATES)
    def rounded_down(labels, stride):
        return _interpolated(labels, stride, mode="bilinear").long()

    @misconception(_INTERPOLATES)
    def bicubic(labels, stride):
        return _interpolated(labels, stride, mode="bicubic").round().long()


def _fine_tune(x, labels, trained, classes, steps, lr, *, rates=(0.1, 1), resets=True, change=None):
    """FineTune with other learning rates of backbone and classifier, without resets, or with changed scores."""
    backbone = torch.nn.Parameter(trained.clone())
    classifier = torch.nn.Parameter(torch.zeros(classes, len(trained), 1, 1))
    groups = zip((backbone, classifier), rates, strict=True)
    sgd = torch.optim.SGD([{"params": [weight], "lr": lr * rate} for weight, rate in groups], lr)
    losses = []
    for _ in range(steps):
        scores = F.conv2d(F.conv2d(x, backbone), classifier)
        loss = F.cross_entropy(change(scores) if change else scores, labels, ignore_index=IGNORE_INDEX)
        if resets:
            sgd.zero_grad()
        loss.backward()
        sgd.step()
        losses.append(loss.item())
    return losses


@exercise
class FineTune:
    """Repair: a training whose loss never falls."""

    trials = 40
    hints = (
        "Which weights have moved after three steps? Print those of the backbone and the classifier "
        "before and after.",
        "An optimiser moves the objects that it was given. Is the layer that makes the scores among them?",
        "Build the optimiser after the new classifier, so that it's given the layer that's really used.",
    )

    def fine_tune(x, labels, trained, classes, steps, lr):
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

    def cases(rng: random.Random) -> Iterator[tuple]:
        """(x [N, C, h, w], labels [N, h, w], trained [D, C, 1, 1], classes, steps, lr), four cells and rate 1 first."""
        for cells, labels, weight, classes, steps in (
            ([1, -1, 2, -1], [0, 1, 0, 0], 1, 2, 4),
            ([1, 2, 0, -1], [0, 1, 2, IGNORE_INDEX], 2, 3, 5),
        ):
            x, weight = (
                torch.tensor(values, dtype=torch.float32).view(1, 1, 1, -1) for values in (cells, weight)
            )
            yield x, torch.tensor(labels).view(1, 1, -1), weight, classes, steps, 1
        while True:
            numbers, classes = torch_generator(rng), rng.randint(2, 5)
            batch, channels, features, rows, columns = (rng.randint(1, 3) for _ in range(5))
            labels = torch.randint(0, classes, (batch, rows, columns), generator=numbers)
            labels[torch.rand(labels.shape, generator=numbers) < rng.choice((0, 0.3))] = IGNORE_INDEX
            if (labels != IGNORE_INDEX).any():
                x = torch.randn(batch, channels, rows, columns, generator=numbers)
                trained = torch.randn(features, channels, 1, 1, generator=numbers)
                yield x, labels, trained, classes, rng.randint(1, 6), rng.choice((0.1, 0.5, 1))

    @fault(
        "The loss stays where it began, at the logarithm of the number of classes, however many steps are "
        "made: nothing is learned."
    )
    def as_handed_out(x, labels, trained, classes, steps, lr):
        backbone = torch.nn.Parameter(trained.clone())
        classifier = torch.nn.Parameter(torch.zeros(1000, len(trained), 1, 1))
        sgd = torch.optim.SGD([{"params": [backbone], "lr": lr / 10}, {"params": [classifier]}], lr)
        classifier = torch.nn.Parameter(torch.zeros(classes, len(trained), 1, 1))
        losses = []
        for _ in range(steps):
            scores = F.conv2d(F.conv2d(x, backbone), classifier)
            loss = F.cross_entropy(scores, labels, ignore_index=255)
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            losses.append(loss.item())
        return losses

    @misconception(
        "Your code trains only the classifier, and the backbone stays as it was. It should learn as well, "
        "but slowly. Pass both to the optimiser, the backbone with a tenth of the learning rate."
    )
    def backbone_frozen(x, labels, trained, classes, steps, lr):
        return _fine_tune(x, labels, trained, classes, steps, lr, rates=(0, 1))

    @misconception(
        "Your code trains both layers at one learning rate. The trained backbone should move ten times "
        "more slowly than the new classifier. Give it lr / 10."
    )
    def one_rate(x, labels, trained, classes, steps, lr):
        return _fine_tune(x, labels, trained, classes, steps, lr, rates=(1, 1))

    @misconception(
        "Your code swaps the two learning rates. The new classifier has everything to learn. Give it "
        "lr, and the trained backbone lr / 10."
    )
    def rates_exchanged(x, labels, trained, classes, steps, lr):
        return _fine_tune(x, labels, trained, classes, steps, lr, rates=(1, 0.1))

    @misconception(
        "Your code trains, but never resets the gradients. PyTorch adds those of each step to the earlier "
        "ones. Call zero_grad once in every step."
    )
    def gradients_pile_up(x, labels, trained, classes, steps, lr):
        return _fine_tune(x, labels, trained, classes, steps, lr, resets=False)

    @misconception(
        "Your code applies a softmax before the cross-entropy, which contains one. The loss then sees "
        "milder probabilities than the network has. Pass it the scores."
    )
    def double_softmax(x, labels, trained, classes, steps, lr):
        return _fine_tune(x, labels, trained, classes, steps, lr, change=lambda scores: scores.softmax(1))

    @misconception(
        "Your code trains the classifier for 1000 classes, so the loss begins at the logarithm of 1000. Train the one "
        "for the new `classes` instead."
    )
    def old_classifier(x, labels, trained, classes, steps, lr):
        return _fine_tune(x, labels, trained, 1000, steps, lr)


@exercise
class MeanIou:
    """mIoU from a confusion matrix."""

    package = metrics.mean_iou
    trials = 100
    hints = (
        "The diagonal counts the pixels predicted correctly. What do the sum of a row and the sum of "
        "a column count?",
        "Union = row sum + column sum - diagonal, because the diagonal is in both sums.",
        "A class with a union of 0 gives 0 / 0 = nan. `tensor.nanmean()` leaves it out; `.item()` "
        "makes a number.",
    )

    def mean_iou(confusion):
        right = confusion.diagonal()
        union = confusion.sum(0) + confusion.sum(1) - right
        return (right / union).nanmean().item()

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Square matrices of counts; any class may be absent, only true, only predicted, or never right."""
        yield (torch.tensor([[3, 1], [0, 2]]),)
        yield (torch.tensor([[3, 1, 0], [2, 2, 0], [0, 0, 0]]),)
        yield (torch.tensor([[0, 0], [0, 2]]),)
        yield (torch.tensor([[2, 0], [2, 0]]),)
        yield (torch.tensor([[2, 2], [0, 0]]),)
        yield (torch.tensor([[2, 1, 0], [0, 1, 0], [0, 0, 0]]) * 90_000_000,)
        while True:
            classes = rng.choice((2, 3, 4, 5, 6, 21))
            confusion = torch.tensor([[rng.randint(0, 9) for _ in range(classes)] for _ in range(classes)])
            for label in rng.sample(range(classes), rng.randint(0, classes - 1)):
                fate = rng.choice(("absent", "absent", "only true", "only predicted", "never right"))
                if fate in ("absent", "only predicted"):
                    confusion[label, :] = 0
                if fate in ("absent", "only true"):
                    confusion[:, label] = 0
                if fate == "never right":
                    confusion[label, label] = 0
            if confusion.sum():
                yield (confusion.to(rng.choice((torch.int64, torch.int64, torch.float64))),)

    @misconception(
        "Your code returns pixel accuracy, in which a large class hides a small one that was lost. Divide "
        "class by class, then take the mean."
    )
    def pixel_accuracy(confusion):
        return (confusion.diagonal().sum() / confusion.sum()).item()

    @misconception(
        "Your code returns the mean recall: it divides only by the true pixels and forgives every false "
        "positive. Divide by the union, which holds the predicted pixels as well."
    )
    def mean_recall(confusion):
        return (confusion.diagonal() / confusion.sum(1)).double().nanmean().item()

    @misconception(
        "Your code returns the mean precision: it divides only by the predicted pixels and forgives "
        "every missed pixel. Divide by the union, which holds the true pixels as well."
    )
    def mean_precision(confusion):
        return (confusion.diagonal() / confusion.sum(0)).double().nanmean().item()

    @misconception(
        "Your code counts the intersection twice, because the diagonal is in the row sum and in the "
        "column sum. Subtract it once."
    )
    def double_union(confusion):
        return (confusion.diagonal() / (confusion.sum(0) + confusion.sum(1))).double().nanmean().item()

    @misconception(
        "Your code leaves out every class that is nowhere in the labels, even if it is predicted. Such a "
        "class has a union and an IoU of 0. Leave out only a union of 0."
    )
    def predicted_only_left_out(confusion):
        return metrics.iou_per_class(confusion)[confusion.sum(1) > 0].mean().item()

    @misconception(
        "Your code computes the mean Dice score, twice the diagonal over the sum of both areas. IoU "
        "divides by the union: row sum + column sum - diagonal."
    )
    def dice(confusion):
        return (2 * confusion.diagonal() / (confusion.sum(0) + confusion.sum(1))).double().nanmean().item()

    @misconception(
        "Your code weights the classes by their pixels. In mIoU each class counts the same, however small "
        "it is. Take the plain mean."
    )
    def weighted(confusion):
        return (metrics.iou_per_class(confusion) * confusion.sum(1) / confusion.sum()).nansum().item()

    @misconception(
        "Your code returns per cent. The exercise wants a fraction from 0 to 1. Do not multiply by 100."
    )
    def per_cent(confusion):
        return 100 * metrics.mean_iou(confusion)

    @misconception(
        "Your code counts a class that is neither there nor predicted as 0. Such a class has no union to "
        "divide by. Leave it out of the mean."
    )
    def absent_class_counted(confusion):
        return metrics.iou_per_class(confusion).nan_to_num(0).mean().item()

    @misconception(
        "Your code counts a class that is neither there nor predicted as 1. It was not tested, so it isn't a success: "
        "leave it out of the mean."
    )
    def absent_class_as_success(confusion):
        return metrics.iou_per_class(confusion).nan_to_num(1).mean().item()

    @misconception(
        "Your code leaves out every class with an IoU of 0. Such a class is there, or was predicted, and was never "
        "right: it counts as 0. Leave out only a union of 0."
    )
    def failed_class_left_out(confusion):
        per_class = metrics.iou_per_class(confusion)
        return per_class[per_class > 0].mean().item()

    @misconception(
        "Your code leaves out class 0. Background is a class like any other in mIoU. Take the mean over all classes "
        "that have a union."
    )
    def background_left_out(confusion):
        return metrics.iou_per_class(confusion)[1:].nanmean().item()

    @misconception(
        "Your code adds up the classes before it divides, so large classes count for most. Divide class by class, then "
        "take the mean."
    )
    def divided_once(confusion):
        common = confusion.diagonal().sum().double()
        return (common / (2 * confusion.sum() - common)).item()


@exercise
class CrossEntropy:
    """Stretch: the loss over labelled positions."""

    package = losses.cross_entropy
    trials = 100
    hints = (
        "The loss needs the logarithm of the right class's probability. Which function gives these logarithms even "
        "for logits of 200?",
        "`F.log_softmax(logits, dim=1)`. Then `.gather(1, index)` picks one class per position: the index is [N, 1, "
        "h, w] and holds no 255, so put 0 there.",
        "Keep the labelled positions, `labels != 255`, and take the mean over only those.",
    )

    def cross_entropy(logits, labels):
        labelled = labels != 255
        logs = F.log_softmax(logits, dim=1)
        index = labels.masked_fill(~labelled, 0)
        costs = -logs.gather(1, index[:, None])[:, 0]
        return costs[labelled].mean()

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Logits [N, C, h, w] with a gradient and labels [N, h, w]: some void, at least one position labelled."""
        for scores, labels in (
            ([[2.0], [0.0]], [0]),
            ([[2.0, 1.0, 5.0], [0.0, 1.0, 0.0]], [0, 1, IGNORE_INDEX]),
            ([[200.0], [0.0]], [1]),
            ([[-200.0], [0.0]], [0]),
        ):
            logits = torch.tensor(scores)[None, :, None]
            yield logits.requires_grad_(), torch.tensor(labels)[None, None]
        two_images = torch.tensor([[2.0, 1.0], [0.0, 1.0], [1.0, 3.0], [0.0, 0.0]]).view(2, 2, 1, 2)
        yield two_images.requires_grad_(), torch.tensor([[[0, 1]], [[1, IGNORE_INDEX]]])
        while True:
            shape, classes = (rng.randint(1, 3), rng.randint(1, 3), rng.randint(2, 4)), rng.randint(2, 5)
            numbers = torch_generator(rng)
            logits = torch.randn(shape[0], classes, *shape[1:], generator=numbers) * rng.choice((1, 3, 80))
            labels = torch.randint(0, classes, shape, generator=numbers)
            labels[torch.rand(shape, generator=numbers) < rng.choice((0, 0.3, 0.8))] = IGNORE_INDEX
            if (labels != IGNORE_INDEX).any():
                yield logits.to(rng.choice((torch.float32, torch.float64))).requires_grad_(), labels

    @misconception(
        "Your code returns the sum, as the paper's text says. Its size, and with it every step, grows "
        "with the number of labelled positions. Divide by that number, as the released code does."
    )
    def summed(logits, labels):
        return _costs(logits, labels).sum()

    @misconception(
        "Your code counts void positions when it divides, although they cost nothing. Divide only by the "
        "number of labelled positions."
    )
    def void_in_divisor(logits, labels):
        return _costs(logits, labels).mean()

    @misconception(
        "Your code treats void as a class. Those positions have no label. Leave them out of the loss."
    )
    def void_as_last_class(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The loss as it goes wrong when void is treated as the last class."""
        return F.cross_entropy(logits, labels.clamp(max=logits.shape[1] - 1))

    @misconception(
        "Your code treats void as background, class 0. Those positions have no label. Leave them out of "
        "the loss, and out of the number that you divide by."
    )
    def void_as_background(logits, labels):
        return F.cross_entropy(logits, labels.where(labels != IGNORE_INDEX, 0))

    @misconception(
        "Your code applies softmax twice, because `F.cross_entropy` and `F.log_softmax` contain one. Pass "
        "them the logits themselves, or take the logarithm of one softmax."
    )
    def double_softmax(logits, labels):
        return losses.cross_entropy(logits.softmax(1), labels)

    @misconception(
        "Your code computes exp(logits), which is infinite for large logits and 0 for very negative ones. "
        "`F.log_softmax(logits, dim=1)` is the same formula without the overflow."
    )
    def overflows(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        probabilities = logits.exp() / logits.exp().sum(1, keepdim=True)
        index = labels.where(labels != IGNORE_INDEX, 0)[:, None]
        return -probabilities.gather(1, index)[:, 0].log()[labels != IGNORE_INDEX].mean()

    @misconception(
        "Your code takes the logarithm of a finished softmax, which is 0 for classes with a score far "
        "below the best. `F.log_softmax(logits, dim=1)` never computes that 0."
    )
    def log_of_softmax(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        index = labels.where(labels != IGNORE_INDEX, 0)[:, None]
        return -logits.softmax(1).gather(1, index)[:, 0].log()[labels != IGNORE_INDEX].mean()

    @misconception(
        "Your code takes the mean of each image first. An image with few labelled positions then counts "
        "as much as one with many. Take one mean over all labelled positions of the batch."
    )
    def mean_of_means(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        labelled = labels != IGNORE_INDEX
        means = _costs(logits, labels).sum((1, 2)) / labelled.sum((1, 2))
        return means.nanmean()

    @misconception(
        "Your code returns the mean probability of being wrong. Cross-entropy takes a logarithm, so that "
        "being confidently wrong costs much more than being unsure. Take the logarithm of the right "
        "class's probability."
    )
    def probability(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """One minus the probability of the right class, averaged over labelled positions."""
        right = torch.exp(-_costs(logits, labels))
        return (1 - right)[labels != IGNORE_INDEX].mean()

    @misconception(
        "Your code has the wrong sign. The logarithm of a probability is negative, and a loss must fall "
        "when the probability rises. Put a minus in front."
    )
    def wrong_sign(logits, labels):
        return -losses.cross_entropy(logits, labels)

    @misconception(
        "Your code measures in bits, with a logarithm to base 2. The loss uses the natural logarithm."
    )
    def bits(logits, labels):
        return losses.cross_entropy(logits, labels) / np.log(2)

    @misconception(
        "Your code takes the mean over the classes as well, so the loss is too small by their number. Add over the "
        "classes, and take the mean only over the labelled positions."
    )
    def mean_over_classes(logits, labels):
        return losses.cross_entropy(logits, labels) / logits.shape[1]

    @misconception(
        "Your code passes scores to a loss that expects logarithms of probabilities, as `F.nll_loss` does. Take "
        "`F.log_softmax(logits, dim=1)` first."
    )
    def scores_as_logarithms(logits, labels):
        return F.nll_loss(logits, labels, ignore_index=IGNORE_INDEX)
