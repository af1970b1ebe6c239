"""Exercises of lesson 05: the falling rate, labels for a coarse map, mIoU from a confusion matrix, the loss."""

import random
from collections.abc import Iterator

import numpy as np
import torch
from torch.nn import functional as F

from deeplab_lessons import metrics
from deeplab_lessons.classroom import redrawing
from deeplab_lessons.classroom.exercises.cases import torch_generator
from deeplab_lessons.classroom.exercises.framework import exercise, misconception
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX
from deeplab_lessons.training import losses, schedules


def _costs(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(logits, labels, ignore_index=IGNORE_INDEX, reduction="none")


@exercise
class Poly:
    """Warm-up: the share of the first learning rate that is left."""

    reference = schedules.poly
    hints = (
        "At the first iteration (0) the share is 1, and after the last one it would be 0. What is left of the "
        "way, as a share?",
        "`1 - iteration / iterations` is what is left. Raise that to the power.",
    )

    def cases(rng: random.Random) -> Iterator[tuple]:
        yield from ((0, 10), (5, 10), (9, 10), (1, 4))
        while True:
            iterations = rng.randint(2, 20000)
            yield rng.randrange(iterations), iterations

    @misconception(
        "This is a straight line. Poly raises what is left of the way to the power 0.9, which keeps the "
        "rate a little higher nearly all the way."
    )
    def straight_line(iteration, iterations):
        return 1 - iteration / iterations

    @misconception(
        "The power is applied to the part that is done. It belongs to the part that is left: first subtract "
        "from 1, then raise to the power."
    )
    def power_of_the_done_part(iteration, iterations):
        return 1 - (iteration / iterations) ** 0.9

    @misconception("This rises from 0 to 1. The rate starts at its largest value and falls.")
    def rising(iteration, iterations):
        return (iteration / iterations) ** 0.9

    @misconception(
        "This reaches 0 at the last iteration, which would learn nothing. Divide by the number of "
        "iterations: 0 would come right after the last one."
    )
    def reaches_zero(iteration, iterations):
        return (1 - iteration / (iterations - 1)) ** 0.9

    @misconception("// drops the fraction, so this stays at 1. A share needs /.")
    def whole_division(iteration, iterations):
        return (1 - iteration // iterations) ** 0.9


@exercise
class Subsample:
    """Labels for a coarse map: one pixel of each cell."""

    reference = redrawing.subsample
    hints = (
        "Slices with a step: `labels[first::stride, first::stride]`. Which pixel of each cell comes first?",
        "The middle of a cell of 8 pixels lies between pixels 3 and 4. The course takes the one after it: "
        "`stride // 2`.",
    )

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Maps whose sides are multiples of the stride, all labels different where they can be."""
        yield np.arange(16, dtype=np.uint8).reshape(4, 4), 4
        yield np.arange(16, dtype=np.uint8).reshape(4, 4), 2
        while True:
            stride, rows, columns = rng.choice((2, 3, 4, 8)), rng.randint(1, 4), rng.randint(1, 4)
            pixels = [rng.choice((0, 1, 2, 3, IGNORE_INDEX)) for _ in range(rows * columns * stride * stride)]
            yield np.array(pixels, np.uint8).reshape(rows * stride, columns * stride), stride

    @misconception(
        "This takes the corner of each cell. The score of a cell is enlarged as if it stood in the middle, "
        "so its label must come from there: otherwise everything the network draws is shifted by half a cell."
    )
    def corner(labels, stride):
        return labels[::stride, ::stride]

    @misconception(
        "This takes the last pixel of each cell. The label must come from the middle, where the score is "
        "thought to stand."
    )
    def last_pixel(labels, stride):
        return labels[stride - 1 :: stride, stride - 1 :: stride]

    @misconception(
        "This lets all pixels of a cell vote. The exercise asks for the label of one pixel, the middle one, "
        "as DeepLab v1 takes it."
    )
    def majority(labels, stride):
        return redrawing.majority(labels, stride, IGNORE_INDEX)

    @misconception(
        "This averages labels. Labels are names, not amounts: the mean of class 1 and class 3 is not class 2, "
        "and void (255) spoils every mean."
    )
    def mean_of_labels(labels, stride):
        return labels.reshape(labels.shape[0] // stride, stride, -1, stride).mean((1, 3)).astype(labels.dtype)


@exercise
class MeanIou:
    """mIoU from a confusion matrix."""

    reference = metrics.mean_iou
    hints = (
        "The diagonal holds what is right: predicted and true. A row sum counts the true pixels of a class, "
        "a column sum the predicted ones.",
        "Union = row sum + column sum - diagonal, because the diagonal is in both sums.",
        "A class with a union of 0 gives 0 / 0 = nan. `tensor.nanmean()` leaves it out; `.item()` makes a number.",
    )

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Square matrices of counts; in some a class is neither there nor predicted."""
        yield (torch.tensor([[3, 1], [0, 2]]),)
        yield (torch.tensor([[3, 1, 0], [2, 2, 0], [0, 0, 0]]),)
        while True:
            classes = rng.randint(2, 5)
            confusion = torch.tensor([[rng.randint(0, 9) for _ in range(classes)] for _ in range(classes)])
            confusion[0, 0] += 1
            if rng.random() < 0.4:
                confusion[-1, :] = confusion[:, -1] = 0
            yield (confusion,)

    @misconception(
        "This is pixel accuracy: a large class hides a lost small one. Divide class by class, then take the "
        "mean."
    )
    def pixel_accuracy(confusion):
        return (confusion.diagonal().sum() / confusion.sum()).item()

    @misconception(
        "This is the mean recall: it divides by the true pixels alone and forgives everything painted too "
        "much. The union holds the predicted pixels too."
    )
    def mean_recall(confusion):
        return (confusion.diagonal() / confusion.sum(1)).double().nanmean().item()

    @misconception(
        "This is the mean precision: it divides by the predicted pixels alone and forgives everything missed."
    )
    def mean_precision(confusion):
        return (confusion.diagonal() / confusion.sum(0)).double().nanmean().item()

    @misconception(
        "The union counts the intersection twice: the diagonal stands in the row sum and in the column sum. "
        "Take it off once."
    )
    def double_union(confusion):
        return (confusion.diagonal() / (confusion.sum(0) + confusion.sum(1))).double().nanmean().item()

    @misconception(
        "A class that is neither there nor predicted is counted as 0 here. It has no union to divide by; "
        "leave it out of the mean."
    )
    def absent_class_counted(confusion):
        return metrics.iou_per_class(confusion).nan_to_num(0).mean().item()


@exercise
class CrossEntropy:
    """Stretch: the loss over judged positions."""

    reference = losses.cross_entropy
    hints = (
        "`F.log_softmax(logits, dim=1)` gives the logarithm of each class's probability at each place.",
        "`.gather(1, index)` picks one class at each place; the index needs the shape [N, 1, h, w] and no 255 in "
        "it, so put a 0 there first. Or let `F.cross_entropy(..., reduction='none', ignore_index=255)` do it.",
        "Keep the judged places, `labels != 255`, and take the mean over them alone.",
    )

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Logits [N, C, h, w] and labels [N, h, w]: some void, at least one place judged."""
        yield torch.tensor([2.0, 0.0]).view(1, 2, 1, 1), torch.tensor([[[0]]])
        yield (
            torch.tensor([[2.0, 1.0, 5.0], [0.0, 1.0, 0.0]]).view(1, 2, 1, 3),
            torch.tensor([[[0, 1, IGNORE_INDEX]]]),
        )
        while True:
            shape, classes = (rng.randint(1, 2), rng.randint(1, 3), rng.randint(2, 3)), rng.randint(2, 4)
            numbers = torch_generator(rng)
            logits = torch.randn(shape[0], classes, *shape[1:], generator=numbers)
            labels = torch.randint(0, classes, shape, generator=numbers)
            labels[torch.rand(shape, generator=numbers) < 0.3] = IGNORE_INDEX
            labels[0, 0, 0] = 0
            yield logits, labels

    @misconception(
        "This is the sum, as the paper's text says. Its size, and with it every step, grows with the number "
        "of judged places. Divide by that number, as the released code does."
    )
    def summed(logits, labels):
        return _costs(logits, labels).sum()

    @misconception(
        "Void places cost nothing, but they are still counted when you divide. Divide by the number of "
        "judged places only."
    )
    def void_in_divisor(logits, labels):
        return _costs(logits, labels).mean()

    @misconception(
        "Void is treated as a class here. Nobody judged those places: they must have no part in the loss."
    )
    def void_as_last_class(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The loss as it goes wrong when void is taken for the last class."""
        return F.cross_entropy(logits, labels.clamp(max=logits.shape[1] - 1))

    @misconception(
        "This is the mean probability of being wrong. Cross-entropy takes the logarithm: being sure and "
        "wrong costs much more than being unsure."
    )
    def probability(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """One minus the probability of the right class, averaged over judged places."""
        right = torch.exp(-_costs(logits, labels))
        return (1 - right)[labels != IGNORE_INDEX].mean()

    @misconception(
        "The sign is turned around. The logarithm of a probability is negative, and a loss must fall when "
        "the probability rises."
    )
    def wrong_sign(logits, labels):
        return -losses.cross_entropy(logits, labels)

    @misconception("This is in bits (logarithm to base 2). The loss uses the natural logarithm.")
    def bits(logits, labels):
        return losses.cross_entropy(logits, labels) / np.log(2)
