"""Exercises of lesson 01: the stride of a map, IoU of an image and of a set, the vote of a cell, what survives."""

import math
import random
from collections.abc import Iterator

import numpy as np

from deeplab_lessons.classroom import objects, redrawing
from deeplab_lessons.classroom.exercises.framework import exercise, fault, misconception
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX


def _map(rng: random.Random, height: int, width: int, void: float, classes=range(3)) -> np.ndarray:
    pixels = [IGNORE_INDEX if rng.random() < void else rng.choice(classes) for _ in range(height * width)]
    return np.array(pixels, dtype=rng.choice((np.uint8, np.int64))).reshape(height, width)


def _pair(rows: list[list[int]]) -> list[np.ndarray]:
    """Label maps of one row each."""
    return [np.array([row], np.uint8) for row in rows]


def _areas(prediction: np.ndarray, labels: np.ndarray, label: int) -> tuple[int, int, int]:
    """Pixels of `label`, void left out: predicted, true, and both."""
    judged = labels != IGNORE_INDEX
    predicted, true = (prediction == label) & judged, (labels == label) & judged
    return int(predicted.sum()), int(true.sum()), int((predicted & true).sum())


@exercise
class OutputStride:
    """Warm-up: how many pixels lie between neighbouring cells after a list of strides."""

    package = redrawing.output_stride
    hints = (
        "How far apart are cells after one layer of stride 2? Two pixels. A second such layer keeps every second one.",
        "Two such layers: 2 cells of 2 pixels each. Which operation on 2 and 2, and then on 2, 2 and 2?",
    )

    def output_stride(strides):
        pixels = 1
        for stride in strides:
            pixels *= stride
        return pixels

    def cases(rng: random.Random) -> Iterator[tuple]:
        yield from (([2],), ([2, 2],), ([1, 2, 1],), ([2, 2, 2],), ([3],), ([3, 2],), ([2, 1, 3],), ([1, 1],))
        yield ([4] * 9,)  # more than 16 bits hold
        while True:
            yield ([rng.choice((1, 1, 2, 2, 3, 4)) for _ in range(rng.randint(1, 8))],)

    @misconception(
        "Your code adds the strides. A later stride steps over cells that already lie several pixels apart, "
        "so strides multiply: two layers of stride 2 give 4 by luck, three give 8 and not 6."
    )
    def sum_of_strides(strides):
        return sum(strides)

    @misconception(
        "Your code treats every layer as if it had stride 2. A layer of stride 1 leaves the spacing as it is."
    )
    def every_stride_two(strides):
        return 2 ** len(strides)

    @misconception(
        "Your code counts a factor of 2 for every layer that strides. A layer of stride 3 or 4 widens the spacing by "
        "3 or 4: multiply the strides themselves."
    )
    def twice_for_every_stride(strides):
        return 2 ** sum(stride > 1 for stride in strides)

    @misconception(
        "Your code counts equal strides once. Every layer widens the spacing again: multiply all strides of the list."
    )
    def different_strides_only(strides):
        return math.prod(set(strides))

    @misconception("Your code counts 2 for every striding layer and adds. The strides multiply.")
    def two_per_striding_layer(strides):
        return 2 * sum(stride > 1 for stride in strides)

    @misconception(
        "Your code takes the largest stride. Every stride counts: each one widens the steps of all before it."
    )
    def largest_stride(strides):
        return max(strides)

    @misconception(
        "Your code returns the last layer's own stride, in cells of its input. The question asks for input pixels."
    )
    def last_stride(strides):
        return strides[-1]


@exercise
class ClassIou:
    """Intersection over union of one class, from two label maps."""

    package = objects.class_iou
    hints = (
        "Which pixels are predicted as the class, which ones are of the class, and which ones are labelled at all? "
        "Make a mask of each.",
        "`&` and `|` join masks pixel by pixel, and `.sum()` counts. Apply the mask `labels != 255` before counting.",
        "The union is everything that is in at least one of the two masks; a pixel in both counts once.",
    )

    def class_iou(prediction, labels, label):
        labelled = labels != 255
        predicted = (prediction == label) & labelled
        true = (labels == label) & labelled
        return (predicted & true).sum() / (predicted | true).sum()

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Prediction (no void in it), labels (some void) and a class that one of them holds in a labelled pixel."""
        for row, true, label in (
            ([1, 1], [1, 0], 1),
            ([1, 0], [1, 1], 1),
            ([1, 1, 1], [1, 0, 0], 1),
            ([1, 1, 1], [1, 0, IGNORE_INDEX], 1),
            ([0, 0, 1], [0, IGNORE_INDEX, 0], 0),
            ([7, 0], [0, 7], 7),
            ([2, 0], [1, 1], 2),
        ):
            yield np.array([row], np.uint8), np.array([true], np.uint8), label
        large = np.zeros((18, 17), np.uint8)  # more pixels than a byte counts
        yield large, np.where(np.arange(17) < 5, 1, large), 0
        for trial in range(1000):
            height, width = rng.randint(1, 2 + trial // 20), rng.randint(2, 3 + trial // 20)
            classes = rng.choice(((0, 1, 2), (0, 1), (0, 14, 20), (3, 254)))
            prediction = _map(rng, height, width, 0, classes)
            labels = _map(rng, height, width, rng.choice((0, 0.25, 0.6)), classes)
            label = rng.choice(classes)
            if not math.isnan(objects.class_iou(prediction, labels, label)):
                yield prediction, labels, label

    @misconception(
        "Your code returns pixel accuracy: how often the two maps agree, whatever the class. IoU asks for one "
        "class, and pixels that both call something else do not count."
    )
    def pixel_accuracy(prediction, labels, label):
        return float((prediction == labels)[labels != IGNORE_INDEX].mean())

    @misconception(
        "Your code counts void pixels. A pixel labelled 255 has no class, so it is neither a mistake nor a success: "
        "remove it from both masks before you count."
    )
    def void_counted(prediction: np.ndarray, labels: np.ndarray, label: int) -> float:
        predicted, true = prediction == label, labels == label
        return float((predicted & true).sum() / (predicted | true).sum())

    @misconception(
        "Your code counts the intersection twice in the union, because area A and area B both contain it: "
        "subtract it once."
    )
    def double_union(prediction: np.ndarray, labels: np.ndarray, label: int) -> float:
        predicted, true, both = _areas(prediction, labels, label)
        return both / (predicted + true)

    @misconception(
        "Your code returns the Dice score (F1), 2·common / (A + B). It ranks like IoU, but it is larger: "
        "IoU divides by the union."
    )
    def dice(prediction: np.ndarray, labels: np.ndarray, label: int) -> float:
        return 2 * ClassIou.double_union(prediction, labels, label)

    @misconception(
        "Your code treats void as background, class 0. A pixel labelled 255 has no class: leave it out of both masks, "
        "whatever class it gets."
    )
    def void_as_background(prediction, labels, label):
        return objects.class_iou(prediction, np.where(labels == IGNORE_INDEX, 0, labels), label)

    @misconception("Your code returns IoU in per cent. The check expects a fraction from 0 to 1.")
    def per_cent(*case):
        return 100 * objects.class_iou(*case)

    @misconception(
        "Your code returns recall, the fraction of the true area that was found. It ignores false positives, whereas "
        "IoU divides by the union."
    )
    def recall(prediction: np.ndarray, labels: np.ndarray, label: int) -> float:
        _, true, both = _areas(prediction, labels, label)
        return both / true if true else 0.0

    @misconception(
        "Your code returns precision: the fraction of the predicted area that is right. It forgives every missed "
        "pixel; IoU divides by the union."
    )
    def precision(prediction: np.ndarray, labels: np.ndarray, label: int) -> float:
        predicted, _, both = _areas(prediction, labels, label)
        return both / predicted if predicted else 0.0


@exercise
class IouOfSet:
    """Repair: intersection over union of one class, over all images of a set."""

    trials = 150
    hints = (
        "How much should an image with 2 pixels of the class count, next to one with 2,000?",
        "The lesson counts pixels over all images of a set before it divides. How often does this function divide?",
        "Keep two sums over the images, the common pixels and the union, and divide once, after the loop.",
    )

    def iou_of_set(predictions, labels, label):
        common = union = 0
        for prediction, truth in zip(predictions, labels):
            labelled = truth != 255
            predicted = (prediction == label) & labelled
            true = (truth == label) & labelled
            common += (predicted & true).sum()
            union += (predicted | true).sum()
        return common / union

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Predictions, label maps of the same sizes, and a class that is in the union of at least one pair."""
        for predictions, labels, label in (
            ([[1, 1]], [[1, 0]], 1),
            ([[1, 1], [1, 0]], [[1, 1], [0, 0]], 1),
            ([[1], [0, 1, 1]], [[1], [1, 1, 0]], 1),
            ([[1, 1], [0, 0]], [[1, 1], [0, 0]], 1),
            ([[1, 1], [1, 1, 1]], [[1, 0], [1, IGNORE_INDEX, 1]], 1),
            ([[0, 3], [3, 0]], [[0, 0], [3, 0]], 0),
        ):
            yield _pair(predictions), _pair(labels), label
        while True:
            classes, sizes = rng.choice(((0, 1, 2), (0, 1), (0, 14, 20), (3, 254))), range(rng.randint(1, 4))
            sizes = [(rng.randint(1, 6), rng.randint(1, 9)) for _ in sizes]
            predictions = [_map(rng, *size, 0, classes) for size in sizes]
            labels = [_map(rng, *size, rng.choice((0, 0.3, 0.9)), classes) for size in sizes]
            label = rng.choice(classes)
            if any(
                np.any((p == label) & (t != IGNORE_INDEX)) for p, t in zip(predictions, labels, strict=True)
            ):
                yield predictions, labels, label

    @fault(
        "The result of a set changes when one of its images is cut in two. The same pixels with the same predictions "
        "should give the same IoU, however they are spread over images."
    )
    def image_by_image(predictions, labels, label):
        scores = []
        for prediction, truth in zip(predictions, labels):
            labelled = truth != 255
            predicted = (prediction == label) & labelled
            true = (truth == label) & labelled
            if (predicted | true).any():
                scores.append((predicted & true).sum() / (predicted | true).sum())
        return sum(scores) / len(scores)

    @misconception(
        "Your code still averages over the images, and gives 0 to those without the class. Sum the common pixels and "
        "the union over all images, then divide once."
    )
    def zero_without_the_class(predictions, labels, label):
        scores = [objects.class_iou(p, t, label) for p, t in zip(predictions, labels, strict=True)]
        return float(np.nan_to_num(scores).mean())

    @misconception(
        "Your code weighs each image's IoU by its number of pixels. The union of the class decides how much an image "
        "counts: sum common pixels and unions, then divide once."
    )
    def weighed_by_size(predictions, labels, label):
        scores = [objects.class_iou(p, t, label) for p, t in zip(predictions, labels, strict=True)]
        sizes = [truth.size for truth in labels]
        seen = [pair for pair in zip(scores, sizes, strict=True) if not math.isnan(pair[0])]
        return sum(score * size for score, size in seen) / sum(size for _, size in seen)

    @misconception(
        "Your code returns the IoU of the last image. Add every image to the sums, with `+=` instead of `=`. Divide "
        "after the loop."
    )
    def last_image(predictions, labels, label):
        return objects.class_iou(predictions[-1], labels[-1], label)

    @misconception(
        "Your code counts void pixels. A pixel labelled 255 has no class, so it is neither right nor wrong."
    )
    def void_counted(predictions, labels, label):
        pairs = [(p == label, t == label) for p, t in zip(predictions, labels, strict=True)]
        return float(sum((p & t).sum() for p, t in pairs) / sum((p | t).sum() for p, t in pairs))

    @misconception(
        "Your code counts the intersection twice in the union, because both areas contain it. Join the masks with `|`, "
        "or subtract the common pixels once."
    )
    def double_union(predictions, labels, label):
        areas = [_areas(p, t, label) for p, t in zip(predictions, labels, strict=True)]
        return sum(both for _, _, both in areas) / sum(predicted + true for predicted, true, _ in areas)

    @misconception("Your code returns IoU in per cent. The check expects a fraction from 0 to 1.")
    def per_cent(predictions, labels, label):
        return 100 * IouOfSet.iou_of_set(predictions, labels, label)


@exercise
class Vote:
    """The class with most pixels in a cell."""

    package = redrawing.vote
    hints = (
        "Which pixels of the cell may vote?",
        "`cell[cell != 255]` is a flat array of them. `np.bincount` counts them by class, and `.argmax()` finds the "
        "first class with the largest count.",
        "At a tie that is the smaller class, as wanted. One case is left: no pixel votes. Return 255 then.",
    )

    def vote(cell):
        labelled = cell[cell != 255]
        if labelled.size == 0:
            return 255
        return np.bincount(labelled).argmax()

    def cases(rng: random.Random) -> Iterator[tuple]:
        void = IGNORE_INDEX
        for pixels in (
            [0, 1, 1, 2],
            [void, void, void, 1],
            [2, 1, 1, 2],
            [9, 8, 8, 9],
            [7],
            [void],
            [5, void, void, void],
        ):
            side = math.isqrt(len(pixels))
            yield (np.array(pixels, np.uint8).reshape(side, side),)
        while True:
            side, classes = (
                rng.randint(1, 4),
                rng.choice(((0, 1, 2), (3, 8, 14, 20), (1, 2), range(21), (9, 150, 254))),
            )
            yield (_map(rng, side, side, rng.choice((0, 0.2, 0.5, 0.8, 1.0)), classes),)

    @misconception(
        "Your code lets void win the vote. 255 means that the pixel has no label: it isn't a class, so leave it out."
    )
    def void_votes(cell: np.ndarray) -> int:
        """The vote as it goes wrong when void pixels vote too."""
        return int(np.bincount(cell.ravel()).argmax())

    @misconception(
        "Your code takes the middle pixel, which is subsampling. A vote counts all pixels of the cell."
    )
    def middle_pixel(cell):
        return int(cell[cell.shape[0] // 2, cell.shape[1] // 2])

    @misconception(
        "Your code takes the first pixel, which is subsampling. A vote counts all pixels of the cell."
    )
    def first_pixel(cell):
        return int(cell[0, 0])

    @misconception(
        "Your code returns class 0 for a cell that is entirely void, because the largest of no votes is the first one. "
        "No pixel votes there, so return 255."
    )
    def all_void_is_background(cell):
        return int(np.bincount(cell[cell != IGNORE_INDEX], minlength=1).argmax())

    @misconception(
        "In your code the larger class wins a tie, and it should be the smaller one. Perhaps a `>=` should be a `>`."
    )
    def last_winner(cell: np.ndarray) -> int:
        """The vote with ties given to the larger class."""
        votes = np.bincount(cell[cell != IGNORE_INDEX])
        return int(len(votes) - 1 - votes[::-1].argmax()) if votes.size else IGNORE_INDEX

    @misconception(
        "Your code gives a tie to the class that comes first in the cell. The smaller class wins a tie, wherever its "
        "pixels are: compare classes, not positions."
    )
    def first_in_the_cell(cell):
        labelled = cell[cell != IGNORE_INDEX].tolist()
        return max(labelled, key=labelled.count) if labelled else IGNORE_INDEX

    @misconception(
        "Your code returns how many pixels the winner has. The question is which class wins: use `.argmax()`, not "
        "`.max()`."
    )
    def votes_of_the_winner(cell):
        labelled = cell[cell != IGNORE_INDEX]
        return int(np.bincount(labelled).max()) if labelled.size else IGNORE_INDEX

    @misconception(
        "Your code asks for more than half of the pixels. The class with most pixels wins, even if they are few: only "
        "a cell without any label is void."
    )
    def more_than_half(cell):
        winner = redrawing.vote(cell)
        return winner if 2 * (cell == winner).sum() > (cell != IGNORE_INDEX).sum() else IGNORE_INDEX

    @misconception(
        "Your code returns the median. Classes are names, not amounts: a class between two others is not a compromise."
    )
    def median(cell):
        return int(np.median(cell[cell != IGNORE_INDEX])) if (cell != IGNORE_INDEX).any() else IGNORE_INDEX


@exercise
class SurvivingWidth:
    """Stretch: the width from which a bar survives every vote."""

    package = redrawing.surviving_width
    trials = 40
    hints = (
        "Where is it hardest for the bar to win? Put it so that half of it is in one cell and half in the next.",
        "In a cell of 4 pixels the bar needs 3 to win. How wide must it be so that one of two cells gets 3, however "
        "it's cut?",
        "Or try it out: for growing widths, try every position with a row of zeros and ones.",
    )

    def surviving_width(stride):
        return stride // 2 * 2 + 1

    def cases(rng: random.Random) -> Iterator[tuple]:
        yield from ((stride,) for stride in (2, 1, 3, 4, 5, 8, 16, 32))
        while True:
            yield (rng.randint(1, 40),)

    @misconception(
        "Your width wins only if the bar lies inside one cell. Over a border it is cut in two, and "
        "neither part has the majority."
    )
    def majority_of_one_cell(stride):
        return stride // 2 + 1

    @misconception(
        "Your width fails only at even strides: there the bar may be cut into two equal halves. Each is half a cell, "
        "a tie, and a tie goes to the background."
    )
    def one_cell(stride):
        return stride

    @misconception(
        "Your bar always survives, but with an odd stride one pixel fewer is enough: an odd bar cannot be cut "
        "into two equal parts."
    )
    def one_more_than_a_cell(stride):
        return stride + 1

    @misconception(
        "Your width fills a whole cell wherever it lies, and has a pixel to spare. The bar has to win a cell, not to "
        "fill it."
    )
    def two_cells(stride):
        return 2 * stride

    @misconception(
        "Your width fills one whole cell wherever it lies. The bar has to win a cell, not to fill it."
    )
    def a_whole_cell_inside(stride):
        return 2 * stride - 1
