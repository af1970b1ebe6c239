"""Lesson 01: right answers in many styles, and wrong ones."""

import math
from collections import Counter
from functools import reduce

import numpy as np
import pytest
import torch
from answers import assert_accepted, assert_rejected, exercise_of, listed, says

from deeplab_lessons import metrics
from deeplab_lessons.classroom import objects


class OutputStrideRight:
    def loop(strides):
        product = 1
        for stride in strides:
            product *= stride
        return product

    def math_prod(strides):
        return math.prod(strides)

    def numpy(strides):
        return np.prod(strides)

    def torch_prod(strides):
        return torch.tensor(strides).prod()

    def recursion(strides):
        return strides[0] * OutputStrideRight.recursion(strides[1:]) if strides else 1

    def reduced(strides):
        return reduce(lambda a, b: a * b, strides)

    def cumulative(strides):
        return np.cumprod(strides)[-1]

    def logarithms(strides):
        return round(math.exp(sum(math.log(stride) for stride in strides)))


class OutputStrideWrong:
    @says("strides multiply")
    def added(strides):
        total = 0
        for stride in strides:
            total += stride
        return total

    @says("factor of 2 for every layer that strides")
    def doubled(strides):
        product = 1
        for stride in strides:
            if stride != 1:
                product *= 2
        return product

    @says("largest stride")
    def largest(strides):
        return sorted(strides)[-1]

    def first(strides):
        return strides[0]

    def first_and_last(strides):
        return strides[0] * strides[-1]

    def without_the_last(strides):
        return math.prod(strides[:-1])

    def without_the_first(strides):
        return math.prod(strides[1:])

    @says("equal strides once")
    def distinct(strides):
        return int(np.prod(np.unique(strides)))

    def common_multiple(strides):
        return math.lcm(*strides)

    def a_byte(strides):
        return np.prod(np.array(strides, dtype=np.uint8), dtype=np.uint8)

    def sixteen_bits(strides):
        return np.prod(strides, dtype=np.int16)

    def steps(strides):
        return 1 + sum(stride - 1 for stride in strides)

    def only_twos(strides):
        return 2 ** strides.count(2)


class ClassIouRight:
    def masks(prediction, labels, label):
        valid = labels != 255
        a, b = (prediction == label) & valid, (labels == label) & valid
        return (a & b).sum() / (a | b).sum()

    def flat(prediction, labels, label):
        keep = labels != 255
        p, t = prediction[keep], labels[keep]
        both = np.sum((p == label) & (t == label))
        return both / np.sum((p == label) | (t == label))

    def loops(prediction, labels, label):
        both = either = 0
        for row_p, row_t in zip(prediction, labels, strict=True):
            for p, t in zip(row_p, row_t, strict=True):
                if t != 255:
                    both += p == label and t == label
                    either += p == label or t == label
        return int(both) / int(either)

    def areas(prediction, labels, label):
        valid = labels != 255
        a = np.count_nonzero((prediction == label) & valid)
        b = np.count_nonzero(labels == label)
        both = np.count_nonzero((prediction == label) & (labels == label))
        return both / (a + b - both)

    def sets(prediction, labels, label):
        valid = set(zip(*np.where(labels != 255), strict=True))
        a = set(zip(*np.where(prediction == label), strict=True)) & valid
        b = set(zip(*np.where(labels == label), strict=True))
        return len(a & b) / len(a | b)

    def torch_logical(prediction, labels, label):
        p, t = torch.from_numpy(prediction), torch.from_numpy(labels)
        a, b = torch.logical_and(p == label, t != 255), t == label
        return (a & b).sum() / (a | b).sum()

    def mistakes(prediction, labels, label):
        hit = ((prediction == label) & (labels == label)).sum()
        missed = ((prediction != label) & (labels == label)).sum()
        painted = ((prediction == label) & (labels != label) & (labels != 255)).sum()
        return float(hit / (hit + missed + painted))

    def single_precision(prediction, labels, label):
        a = ((prediction == label) & (labels != 255)).astype(np.float32)
        b = (labels == label).astype(np.float32)
        return (a * b).sum() / np.maximum(a, b).sum()


class ClassIouWrong:
    @says("whatever the class")
    def accuracy(prediction, labels, label):
        keep = labels != 255
        return (prediction[keep] == labels[keep]).mean()

    @says("counts void pixels")
    def void_counts(prediction, labels, label):
        return np.sum((prediction == label) & (labels == label)) / np.sum(
            (prediction == label) | (labels == label)
        )

    @says("background")
    def void_as_background(prediction, labels, label):
        labels = labels.copy()
        labels[labels == 255] = 0
        a, b = prediction == label, labels == label
        return (a & b).sum() / (a | b).sum()

    @says("Dice")
    def dice(prediction, labels, label):
        keep = labels != 255
        a, b = prediction[keep] == label, labels[keep] == label
        return 2 * (a & b).sum() / (a.sum() + b.sum())

    @says("per cent")
    def per_cent(prediction, labels, label):
        return ClassIouRight.masks(prediction, labels, label) * 100

    @says("rounded to 2 places")
    def rounded(prediction, labels, label):
        return round(float(ClassIouRight.masks(prediction, labels, label)), 2)

    @says("recall")
    def recall(prediction, labels, label):
        true = (labels == label).sum()
        return ((prediction == label) & (labels == label)).sum() / true if true else 0

    @says("parentheses")
    def no_parentheses(prediction, labels, label):
        both = prediction == label & labels == label
        return both.sum() / ((prediction == label) | (labels == label)).sum()

    @says("parentheses")
    def word_and(prediction, labels, label):
        both = prediction == label and labels == label
        return both.sum()

    def always_class_one(prediction, labels, label):
        return ClassIouRight.masks(prediction, labels, 1) if (prediction == 1).any() else 0.0

    def pixels_that_differ(prediction, labels, label):
        a, b = (prediction == label) & (labels != 255), labels == label
        return (a ^ b).sum() / (a | b).sum()

    def symmetric_difference(prediction, labels, label):
        a, b = (prediction == label) & (labels != 255), labels == label
        return (a & b).sum() / max((a ^ b).sum(), 1)

    def of_all_pixels(prediction, labels, label):
        return ((prediction == label) & (labels == label)).sum() / (labels != 255).sum()

    def counted_in_a_byte(prediction, labels, label):
        a, b = (prediction == label) & (labels != 255), labels == label
        return (a & b).sum(dtype=np.uint8) / max(1, (a | b).sum(dtype=np.uint8))

    def smoothed(prediction, labels, label):
        a, b = (prediction == label) & (labels != 255), labels == label
        return ((a & b).sum() + 1) / ((a | b).sum() + 1)

    @says("Expected one number, got a bool")
    def a_truth_value(prediction, labels, label):
        return bool(ClassIouRight.masks(prediction, labels, label) > 0.5)


class VoteRight:
    def bincount(cell):
        votes = cell[cell != 255]
        return int(np.argmax(np.bincount(votes))) if len(votes) else 255

    def unique(cell):
        classes, counts = np.unique(cell[cell != 255], return_counts=True)
        return classes[counts.argmax()] if classes.size else 255

    def dictionary(cell):
        counts = {}
        for pixel in cell.flatten().tolist():
            if pixel != 255:
                counts[pixel] = counts.get(pixel, 0) + 1
        if not counts:
            return 255
        return max(sorted(counts), key=counts.get)

    def counter(cell):
        counts = Counter(int(pixel) for pixel in cell.ravel() if pixel != 255)
        return min(counts, key=lambda label: (-counts[label], label), default=255)

    def every_class(cell):
        best, most = 255, 0
        for label in range(255):
            if (cell == label).sum() > most:
                best, most = label, (cell == label).sum()
        return best

    def torch_mode(cell):
        votes = torch.from_numpy(cell.astype(np.int64))
        votes = votes[votes != 255]
        return torch.bincount(votes).argmax() if votes.numel() else torch.tensor(255)

    def void_struck_out(cell):
        counts = np.bincount(cell.ravel(), minlength=256)
        counts[255] = 0
        return int(counts.argmax()) if counts.any() else 255


class VoteWrong:
    @says("lets void win the vote")
    def void_votes(cell):
        classes, counts = np.unique(cell, return_counts=True)
        return int(classes[counts.argmax()])

    def three_classes(cell):
        counts = [(cell == label).sum() for label in range(3)]
        return int(np.argmax(counts)) if max(counts) else 255

    def twenty_one_classes(cell):
        counts = [(cell == label).sum() for label in range(21)]
        return int(np.argmax(counts)) if max(counts) else 255

    @says("comes first in the cell")
    def most_common(cell):
        counts = Counter(pixel for pixel in cell.ravel().tolist() if pixel != 255)
        return counts.most_common(1)[0][0] if counts else 255

    def a_set(cell):
        votes = [pixel for pixel in cell.ravel().tolist() if pixel != 255]
        return max(set(votes), key=votes.count) if votes else 255

    @says("larger class wins")
    def last_of_a_tie(cell):
        best, most = 255, 0
        for label in range(255):
            if (cell == label).sum() >= max(most, 1):
                best, most = label, (cell == label).sum()
        return best

    @says("class 0")
    def background_for_void(cell):
        votes = cell[cell != 255]
        return int(np.bincount(votes).argmax()) if votes.size else 0

    @says("NaN")
    def not_a_number_for_void(cell):
        votes = cell[cell != 255]
        return int(np.bincount(votes).argmax()) if votes.size else math.nan

    @says("without return")
    def nothing_for_void(cell):
        votes = cell[cell != 255]
        return int(np.bincount(votes).argmax()) if votes.size else None

    @says("how many pixels the winner has")
    def the_count(cell):
        votes = cell[cell != 255]
        return np.bincount(votes).max() if votes.size else 255

    @says("more than half")
    def strict_majority(cell):
        votes = cell[cell != 255]
        for label in np.unique(votes):
            if (votes == label).sum() * 2 > votes.size:
                return int(label)
        return 255

    def largest_class(cell):
        votes = cell[cell != 255]
        return votes.max() if votes.size else 255

    def smallest_class(cell):
        return cell.min()

    def void_if_any(cell):
        return 255 if (cell == 255).any() else int(np.bincount(cell.ravel()).argmax())

    def mean(cell):
        votes = cell[cell != 255]
        return int(votes.mean()) if votes.size else 255

    def row_by_row(cell):
        rows = [VoteRight.bincount(row) for row in cell]
        return VoteRight.bincount(np.array(rows))


class IouOfSetRight:
    def two_sums(predictions, labels, label):
        both = either = 0
        for p, t in zip(predictions, labels, strict=True):
            both += np.sum((p == label) & (t == label))
            either += np.sum(((p == label) | (t == label)) & (t != 255))
        return both / either

    def one_long_row(predictions, labels, label):
        p = np.concatenate([each.ravel() for each in predictions])
        t = np.concatenate([each.ravel() for each in labels])
        p, t = p[t != 255] == label, t[t != 255] == label
        return (p & t).sum() / (p | t).sum()

    def the_courses_iou_of_one_long_row(predictions, labels, label):
        p = np.concatenate([each.reshape(1, -1) for each in predictions], axis=1)
        return objects.class_iou(p, np.concatenate([each.reshape(1, -1) for each in labels], axis=1), label)

    def counted(predictions, labels, label):
        pixels = [
            (p, t)
            for a, b in zip(predictions, labels, strict=True)
            for p, t in zip(a.flat, b.flat, strict=True)
        ]
        judged = [(p == label, t == label) for p, t in pixels if t != 255]
        return judged.count((True, True)) / sum(p or t for p, t in judged)

    def areas(predictions, labels, label):
        total = np.zeros(3)
        for p, t in zip(predictions, labels, strict=True):
            p = np.where(t == 255, 255, p)
            total += ((p == label).sum(), (t == label).sum(), ((p == t) & (t == label)).sum())
        return total[2] / (total[0] + total[1] - total[2])

    def torch_in_single_precision(predictions, labels, label):
        both = either = torch.tensor(0.0)
        for p, t in zip(predictions, labels, strict=True):
            p, t = torch.from_numpy(p.astype(int)), torch.from_numpy(t.astype(int))
            both = both + ((p == label) & (t == label)).sum()
            either = either + (((p == label) | (t == label)) & (t != 255)).sum()
        return both / either

    def generators(predictions, labels, label):
        pairs = list(zip(predictions, labels, strict=True))
        both = sum(((p == label) & (t == label)).sum() for p, t in pairs)
        wrong = sum((((p == label) ^ (t == label)) & (t != 255)).sum() for p, t in pairs)
        return both / (both + wrong)


class IouOfSetWrong:
    @says("cut in two")
    def as_it_was(predictions, labels, label):
        scores = [objects.class_iou(p, t, label) for p, t in zip(predictions, labels, strict=True)]
        return np.nanmean(scores)

    @says("gives 0 to those without the class")
    def zeros(predictions, labels, label):
        scores = [objects.class_iou(p, t, label) for p, t in zip(predictions, labels, strict=True)]
        return sum(0 if math.isnan(score) else score for score in scores) / len(scores)

    @says("by its number of pixels")
    def weighed(predictions, labels, label):
        scores = np.array([objects.class_iou(p, t, label) for p, t in zip(predictions, labels, strict=True)])
        sizes = np.array([t.size for t in labels])
        return np.nansum(scores * sizes) / sizes[~np.isnan(scores)].sum()

    def weighed_by_labelled_pixels(predictions, labels, label):
        scores = np.array([objects.class_iou(p, t, label) for p, t in zip(predictions, labels, strict=True)])
        sizes = np.array([(t != 255).sum() for t in labels])
        return np.nansum(scores * sizes) / sizes[~np.isnan(scores)].sum()

    @says("the last image")
    def written_over(predictions, labels, label):
        for p, t in zip(predictions, labels, strict=True):
            both = ((p == label) & (t == label)).sum()
            either = (((p == label) | (t == label)) & (t != 255)).sum()
        return both / either if either else math.nan

    def the_first_image(predictions, labels, label):
        return objects.class_iou(predictions[0], labels[0], label)

    @says("counts void pixels")
    def void(predictions, labels, label):
        pairs = list(zip(predictions, labels, strict=True))
        both = sum(((p == label) & (t == label)).sum() for p, t in pairs)
        return both / sum(((p == label) | (t == label)).sum() for p, t in pairs)

    @says("counts the intersection twice")
    def both_areas(predictions, labels, label):
        pairs = list(zip(predictions, labels, strict=True))
        both = sum(((p == label) & (t == label)).sum() for p, t in pairs)
        return both / sum(((p == label) & (t != 255)).sum() + (t == label).sum() for p, t in pairs)

    @says("in per cent")
    def per_cent(predictions, labels, label):
        return 100 * IouOfSetRight.two_sums(predictions, labels, label)

    def dice(predictions, labels, label):
        iou = IouOfSetRight.two_sums(predictions, labels, label)
        return 2 * iou / (1 + iou)

    def union_without_true(predictions, labels, label):
        pairs = list(zip(predictions, labels, strict=True))
        both = sum(((p == label) & (t == label)).sum() for p, t in pairs)
        return both / max(sum(((p == label) & (t != 255)).sum() for p, t in pairs), 1)

    def all_classes(predictions, labels, label):
        confusion = sum(metrics.confusion_matrix(p, t, 256) for p, t in zip(predictions, labels, strict=True))
        return metrics.mean_iou(confusion)

    def largest_image(predictions, labels, label):
        largest = max(range(len(labels)), key=lambda i: labels[i].size)
        return objects.class_iou(predictions[largest], labels[largest], label)

    def median(predictions, labels, label):
        scores = [objects.class_iou(p, t, label) for p, t in zip(predictions, labels, strict=True)]
        return np.nanmedian(scores)

    def the_same_size(predictions, labels, label):
        return objects.class_iou(np.concatenate(predictions), np.concatenate(labels), label)


class SurvivingWidthRight:
    def parity(stride):
        if stride % 2 == 0:
            return stride + 1
        return stride

    def twice_the_half(stride):
        return 2 * (stride // 2) + 1

    def an_odd_number(stride):
        return stride | 1

    def ceiling(stride):
        return 2 * math.ceil((stride + 1) / 2) - 1

    def numpy(stride):
        return np.where(np.arange(stride + 1) % 2, np.arange(stride + 1), np.arange(stride + 1) + 1)[-1]

    def by_trying(stride):
        def wins(width, place):
            row = np.zeros(4 * stride, int)
            row[place : place + width] = 1
            return (2 * row.reshape(-1, stride).sum(1) > stride).any()

        width = 1
        while not all(wins(width, place) for place in range(stride)):
            width += 1
        return width

    def a_float(stride):
        return 2.0 * math.floor(stride / 2) + 1.0


class SurvivingWidthWrong:
    @says("inside one cell")
    def majority(stride):
        return math.floor(stride / 2) + 1

    @says("two equal halves")
    def a_cell(stride):
        return stride

    @says("odd stride")
    def a_cell_and_one(stride):
        return stride + 1

    def two_majorities(stride):
        return 2 * (stride // 2 + 1)

    def two_majorities_less_one(stride):
        return 2 * ((stride + 1) // 2 + 1) - 1

    @says("whole cell")
    def whole_cell(stride):
        return stride + stride - 1

    def ties_win(stride):
        return 2 * ((stride + 1) // 2) - 1

    def half(stride):
        return stride / 2

    def odd_only(stride):
        return stride if stride % 2 else stride - 1

    def a_table(stride):
        return {1: 1, 2: 3, 3: 3, 4: 5, 5: 5, 8: 9, 16: 17, 32: 33}.get(stride, stride + 1)


@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Right"))
def test_right_answers_in_any_style_are_accepted(name, answer):
    assert_accepted(exercise_of("lesson01", name), answer)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Wrong"))
def test_wrong_answers_are_rejected(name, answer):
    assert_rejected(exercise_of("lesson01", name), answer)
