"""Exercises of lesson 01: the stride of a map, intersection over union, the vote of a cell, what survives."""

import math
import random
from collections.abc import Iterator

import numpy as np

from deeplab_lessons import metrics
from deeplab_lessons.classroom import redrawing
from deeplab_lessons.classroom.exercises.framework import exercise, misconception
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX


def _map(rng: random.Random, height: int, width: int, void: float) -> np.ndarray:
    pixels = [IGNORE_INDEX if rng.random() < void else rng.randrange(3) for _ in range(height * width)]
    return np.array(pixels, dtype=np.uint8).reshape(height, width)


def _areas(prediction: np.ndarray, labels: np.ndarray, label: int) -> tuple[int, int, int]:
    """Pixels of `label`, void left out: predicted, true, and both."""
    judged = labels != IGNORE_INDEX
    predicted, true = (prediction == label) & judged, (labels == label) & judged
    return int(predicted.sum()), int(true.sum()), int((predicted & true).sum())


@exercise
class OutputStride:
    """Warm-up: how many pixels lie between neighbouring cells after a list of strides."""

    reference = redrawing.output_stride
    hints = (
        "Follow one step of one cell. After a layer of stride 2, neighbouring cells lie 2 pixels apart. "
        "A second layer of stride 2 keeps every second one of these cells.",
        "Two such layers: 2 cells of 2 pixels each. Which operation on 2 and 2, and then on 2, 2 and 2?",
    )

    def cases(rng: random.Random) -> Iterator[tuple]:
        yield from (([2],), ([2, 2],), ([1, 2, 1],), ([2, 2, 2],))
        while True:
            yield ([rng.choice((1, 1, 2, 2, 3, 4)) for _ in range(rng.randint(1, 8))],)

    @misconception(
        "This adds the strides. A later stride steps over cells that already lie several pixels apart, "
        "so strides multiply: two layers of stride 2 give 4 by luck, three give 8 and not 6."
    )
    def sum_of_strides(strides):
        return sum(strides)

    @misconception(
        "This takes every layer to have stride 2. A layer of stride 1 leaves the spacing as it is."
    )
    def every_stride_two(strides):
        return 2 ** len(strides)

    @misconception("This counts 2 for every striding layer and adds. The strides multiply.")
    def two_per_striding_layer(strides):
        return 2 * sum(stride > 1 for stride in strides)

    @misconception(
        "This takes the largest stride. Every stride counts: each one widens the steps of all before it."
    )
    def largest_stride(strides):
        return max(strides)

    @misconception(
        "This is the last layer's own stride, in cells of its input. The question is for input pixels."
    )
    def last_stride(strides):
        return strides[-1]


@exercise
class ClassIou:
    """Intersection over union of one class, from two label maps."""

    reference = metrics.class_iou
    hints = (
        "Make three masks: pixels predicted as the class, pixels that are the class, and judged pixels "
        "(labels != 255).",
        "`&` and `|` join masks pixel by pixel, and `.sum()` counts. Apply the judged mask before counting.",
        "The union is everything that is in at least one of the two masks; a pixel in both counts once.",
    )

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Prediction (no void in it), labels (some void) and a class that one of them holds in a judged pixel."""
        yield np.array([[1, 1]], np.uint8), np.array([[1, 0]], np.uint8), 1
        for trial in range(1000):
            height, width = rng.randint(1, 2 + trial // 20), rng.randint(2, 3 + trial // 20)
            prediction, labels = _map(rng, height, width, void=0), _map(rng, height, width, void=0.25)
            label = rng.randrange(3)
            if not math.isnan(metrics.class_iou(prediction, labels, label)):
                yield prediction, labels, label

    @misconception(
        "This is pixel accuracy: how often the two maps agree, whatever the class. IoU asks for one "
        "class, and pixels that both call something else do not count."
    )
    def pixel_accuracy(prediction, labels, label):
        return float((prediction == labels)[labels != IGNORE_INDEX].mean())

    @misconception(
        "Void pixels are counted. Where the label is 255 nobody judged: such a pixel is neither a "
        "mistake nor a success. Remove it from both masks before you count."
    )
    def void_counted(prediction: np.ndarray, labels: np.ndarray, label: int) -> float:
        predicted, true = prediction == label, labels == label
        return float((predicted & true).sum() / (predicted | true).sum())

    @misconception(
        "The union counts the intersection twice. Area A plus area B holds their common part two times: "
        "take it off once."
    )
    def double_union(prediction: np.ndarray, labels: np.ndarray, label: int) -> float:
        predicted, true, both = _areas(prediction, labels, label)
        return both / (predicted + true)

    @misconception(
        "This is the Dice score (F1), 2·common / (A + B). It ranks like IoU, but it is larger: "
        "IoU divides by the union."
    )
    def dice(prediction: np.ndarray, labels: np.ndarray, label: int) -> float:
        return 2 * ClassIou.double_union(prediction, labels, label)

    @misconception("This is IoU in per cent. The check expects a share between 0 and 1.")
    def per_cent(*case):
        return 100 * metrics.class_iou(*case)

    @misconception(
        "This is recall: the share of the true area that was found. It forgives every pixel painted too "
        "much; IoU divides by the union."
    )
    def recall(prediction: np.ndarray, labels: np.ndarray, label: int) -> float:
        _, true, both = _areas(prediction, labels, label)
        return both / true if true else 0.0

    @misconception(
        "This is precision: the share of the painted area that is right. It forgives every pixel missed; "
        "IoU divides by the union."
    )
    def precision(prediction: np.ndarray, labels: np.ndarray, label: int) -> float:
        predicted, _, both = _areas(prediction, labels, label)
        return both / predicted if predicted else 0.0


@exercise
class Vote:
    """The class that the pixels of one cell agree on."""

    reference = redrawing.vote
    hints = (
        "Take the void pixels out first: `cell[cell != 255]` is a flat array of those that vote.",
        "`np.bincount` counts them by class, and `.argmax()` names the first class with the largest count: "
        "at a tie that is the smaller class, as wanted.",
        "One case is left: nobody votes. Return 255 then.",
    )

    def cases(rng: random.Random) -> Iterator[tuple]:
        yield (np.array([[0, 1], [1, 2]], np.uint8),)
        yield (np.array([[IGNORE_INDEX, IGNORE_INDEX], [IGNORE_INDEX, 1]], np.uint8),)
        while True:
            side = rng.randint(2, 4)
            yield (_map(rng, side, side, void=rng.choice((0.2, 0.5, 0.8, 1.0))),)

    @misconception(
        "Void wins the vote here. 255 says that nobody judged the pixel: it is no class and has no vote."
    )
    def void_votes(cell: np.ndarray) -> int:
        """The vote as it goes wrong when void pixels vote too."""
        return int(np.bincount(cell.ravel()).argmax())

    @misconception("This takes the middle pixel, which is subsampling. A vote asks all pixels of the cell.")
    def middle_pixel(cell):
        return int(cell[cell.shape[0] // 2, cell.shape[1] // 2])

    @misconception("This takes the first pixel, which is subsampling. A vote asks all pixels of the cell.")
    def first_pixel(cell):
        return int(cell[0, 0])

    @misconception(
        "A cell of void alone comes out as class 0 here, because the largest of no votes is the first "
        "one. Nobody voted, so the cell is void: 255."
    )
    def all_void_is_background(cell):
        return int(np.bincount(cell[cell != IGNORE_INDEX], minlength=1).argmax())

    @misconception(
        "At a tie the larger class wins here. Perhaps a `>=` should be a `>`: the smaller class wins a tie."
    )
    def last_winner(cell: np.ndarray) -> int:
        """The vote with ties given to the larger class."""
        votes = np.bincount(cell[cell != IGNORE_INDEX])
        return int(len(votes) - 1 - votes[::-1].argmax()) if votes.size else IGNORE_INDEX

    @misconception(
        "This is the median. Classes are names, not amounts: a class between two others is no compromise."
    )
    def median(cell):
        return int(np.median(cell[cell != IGNORE_INDEX])) if (cell != IGNORE_INDEX).any() else IGNORE_INDEX


@exercise
class SurvivingWidth:
    """Stretch: the width from which a bar survives every vote."""

    reference = redrawing.surviving_width
    hints = (
        "Where does the bar have the hardest time? Put it so that it lies half in one cell and half in the "
        "next.",
        "In a cell of 4 pixels the bar needs 3 to win, because 2 against 2 is a tie, and a tie goes to the "
        "background. How wide must the bar be so that one of the two cells gets 3, however it is cut?",
        "Or try it out: for growing widths, try every position with a row of zeros and ones.",
    )

    def cases(rng: random.Random) -> Iterator[tuple]:
        yield from ((stride,) for stride in (1, 2, 3, 4, 5, 8))
        while True:
            yield (rng.randint(1, 64),)

    @misconception(
        "This width wins only if the bar lies inside one cell. Over a border it is cut in two, and "
        "neither part has the majority."
    )
    def majority_of_one_cell(stride):
        return stride // 2 + 1

    @misconception(
        "Nearly: with an even stride the bar may be cut into two equal halves. Each is half a cell, "
        "a tie, and a tie goes to the background."
    )
    def one_cell(stride):
        return stride

    @misconception(
        "This always survives, but with an odd stride one pixel less is enough: an odd bar cannot be cut "
        "into two equal parts."
    )
    def one_more_than_a_cell(stride):
        return stride + 1

    @misconception(
        "This is wide enough to fill a whole cell, nearly. The bar has to win a cell, not to fill it."
    )
    def two_cells(stride):
        return 2 * stride

    @misconception(
        "This width fills one whole cell wherever it lies. The bar has to win a cell, not to fill it."
    )
    def a_whole_cell_inside(stride):
        return 2 * stride - 1
