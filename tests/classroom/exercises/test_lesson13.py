"""Lesson 13: right answers in many styles, and wrong ones."""

import math
from itertools import groupby

import numpy as np
import pytest
import torch
from answers import assert_accepted, assert_rejected, exercise_of, listed, says
from PIL import Image, ImageOps
from torch.nn import functional as F


class ClassNumbersRight:
    def table(numbers, ids):
        table = np.full(256, 255, np.uint8)
        for number, label in ids.items():
            table[number] = label
        return table[numbers]

    def where(numbers, ids):
        labels = np.full(numbers.shape, 255)
        for number, label in ids.items():
            labels = np.where(numbers == number, label, labels)
        return labels

    def loops(numbers, ids):
        return np.array([[ids.get(int(number), 255) for number in row] for row in numbers], dtype=np.uint8)

    def vectorised(numbers, ids):
        return np.vectorize(lambda number: ids.get(number, 255), otypes=[np.uint8])(numbers)

    def select(numbers, ids):
        conditions, choices = (
            [numbers == number for number in ids],
            [np.uint8(label) for label in ids.values()],
        )
        return np.select(conditions, choices, np.uint8(255)) if ids else np.full_like(numbers, 255)

    def tensor(numbers, ids):
        table = torch.full((256,), 255, dtype=torch.uint8)
        for number, label in ids.items():
            table[number] = label
        return table[torch.from_numpy(numbers).long()]

    def pillow(numbers, ids):
        return np.array(Image.fromarray(numbers).point([ids.get(number, 255) for number in range(256)]))

    def copy_to_read_from(numbers, ids):
        labels, read = np.full(numbers.shape, 255, np.int64), numbers.copy()
        for number, label in ids.items():
            labels[read == number] = label
        return labels


class ClassNumbersWrong:
    def as_handed_out(numbers, ids):
        labels = numbers.copy()
        labels[~np.isin(labels, list(ids))] = 255
        for number, label in ids.items():
            labels[labels == number] = label
        return labels

    @says("another order")
    def from_the_end(numbers, ids):
        labels = numbers.copy()
        labels[~np.isin(labels, list(ids))] = 255
        for number, label in reversed(ids.items()):
            labels[labels == number] = label
        return labels

    def sorted_first(numbers, ids):
        labels = numbers.copy()
        labels[~np.isin(labels, list(ids))] = 255
        for number in sorted(ids):
            labels[labels == number] = ids[number]
        return labels

    @says("leaves all others as they were")
    def others_kept(numbers, ids):
        return np.array([[ids.get(int(number), number) for number in row] for row in numbers])

    @says("into class 0")
    def others_zero(numbers, ids):
        return np.array([[ids.get(int(number), 0) for number in row] for row in numbers])

    @says("even where")
    def white_stays_void(numbers, ids):
        return np.array([[ids.get(int(n), 255) if n != 255 else 255 for n in row] for row in numbers])

    @says("only the last one")
    def begins_again(numbers, ids):
        for number, label in ids.items():
            labels = np.full_like(numbers, 255)
            labels[numbers == number] = label
        return labels if ids else np.full_like(numbers, 255)

    @says("backwards")
    def values_and_keys(numbers, ids):
        return ClassNumbersRight.loops(numbers, {label: number for number, label in ids.items()})

    @says("changed its input")
    def in_place(numbers, ids):
        numbers[:] = ClassNumbersRight.table(numbers, ids)
        return numbers

    def divided(numbers, ids):
        return numbers // 255

    def void_removed(numbers, ids):
        return ClassNumbersRight.table(numbers, ids) % 255

    def first_row(numbers, ids):
        return ClassNumbersRight.table(numbers, ids)[0]

    def by_position(numbers, ids):
        return ClassNumbersRight.loops(numbers, {number: place for place, number in enumerate(ids)})


class UprightRight:
    def rot90(pixels, orientation):
        return np.rot90(pixels, {1: 0, 3: 2, 6: -1, 8: 1}[orientation])

    def branches(pixels, orientation):
        if orientation == 3:
            return np.rot90(np.rot90(pixels))
        if orientation == 6:
            return np.rot90(pixels, axes=(1, 0))
        if orientation == 8:
            return np.rot90(pixels)
        return pixels

    def slices(pixels, orientation):
        turned = pixels.transpose(1, 0, 2)
        return {1: pixels, 3: pixels[::-1, ::-1], 6: turned[:, ::-1], 8: turned[::-1]}[orientation]

    def flips(pixels, orientation):
        if orientation in (6, 8):
            pixels = np.swapaxes(pixels, 0, 1)
        if orientation in (3, 6):
            pixels = np.fliplr(pixels)
        return np.flipud(pixels) if orientation in (3, 8) else pixels

    def pillow(pixels, orientation):
        ways = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_270, 8: Image.Transpose.ROTATE_90}
        image = Image.fromarray(pixels)
        return np.array(image.transpose(ways[orientation]) if orientation in ways else image)

    def exif(pixels, orientation):
        image = Image.fromarray(pixels)
        image.getexif()[0x0112] = orientation
        return np.asarray(ImageOps.exif_transpose(image))

    def tensor(pixels, orientation):
        return torch.rot90(torch.from_numpy(pixels), (0, 0, 0, 2, 0, 0, 3, 0, 1)[orientation], (0, 1))

    def loops(pixels, orientation):
        rows = pixels.tolist()
        for _ in range({1: 0, 6: 1, 3: 2, 8: 3}[orientation]):  # quarters to the right
            rows = [list(row) for row in zip(*rows[::-1], strict=True)]
        return np.array(rows, dtype=np.uint8)


class UprightWrong:
    @says("as they were stored")
    def stored(pixels, orientation):
        return pixels.copy()

    @says("swaps 6 and 8")
    def other_way(pixels, orientation):
        return np.rot90(pixels, {1: 0, 3: 2, 6: 1, 8: -1}[orientation])

    @says("rows and columns for 6 and 8")
    def transposed(pixels, orientation):
        if orientation == 3:
            return np.rot90(pixels, 2)
        return pixels.transpose(1, 0, 2) if orientation > 3 else pixels

    @says("from top to bottom")
    def upside_down(pixels, orientation):
        return np.flipud(pixels) if orientation == 3 else UprightRight.rot90(pixels, orientation)

    @says("from left to right")
    def mirrored(pixels, orientation):
        return np.fliplr(pixels) if orientation == 3 else UprightRight.rot90(pixels, orientation)

    @says("leaves orientation 3")
    def no_three(pixels, orientation):
        return np.rot90(pixels, {6: 3, 8: 1}.get(orientation, 0))

    @says("same quarter. One of them")
    def to_the_right(pixels, orientation):
        return np.rot90(pixels, {3: 2, 6: 3, 8: 3}.get(orientation, 0))

    @says("to the left. Only 8 needs that")
    def to_the_left(pixels, orientation):
        return np.rot90(pixels, {3: 2, 6: 1, 8: 1}.get(orientation, 0))

    @says("as many quarters as its number")
    def by_number(pixels, orientation):
        return np.rot90(pixels, orientation)

    def stored_as_it_was_held(pixels, orientation):
        return UprightRight.rot90(UprightRight.rot90(pixels, orientation), orientation)

    def always_to_the_right(pixels, orientation):
        return np.rot90(pixels, -1) if orientation != 1 else pixels

    def channels_too(pixels, orientation):
        return UprightRight.rot90(pixels, orientation)[..., ::-1]

    def reshaped(pixels, orientation):
        rows, columns, _ = pixels.shape
        return pixels.reshape(columns, rows, 3) if orientation in (6, 8) else pixels

    @says("Expected the shape")
    def grey(pixels, orientation):
        return UprightRight.rot90(pixels, orientation).mean(2)

    def wrong_axes(pixels, orientation):
        return np.rot90(pixels, {1: 0, 3: 2, 6: -1, 8: 1}[orientation], axes=(1, 2))

    def fractions(pixels, orientation):
        return UprightRight.rot90(pixels, orientation) / 255


class PhotoToOverlayRight:
    def letters():
        return "BFDEAC"

    def small_letters():
        return "b f d e a c"

    def listed():
        return list("BFDEAC")


class PhotoToOverlayWrong:
    @says("lie on its side")
    def turned_later():
        return "FBDEAC"

    @says("lie on its side")
    def turned_last():
        return "FDEACB"

    @says("normalised numbers")
    def not_normalised():
        return "BDFEAC"

    @says("Labels would be enlarged")
    def labels_enlarged():
        return "BFDAEC"

    @says("no scores of cells")
    def photo_enlarged():
        return "BFEDAC"

    @says("belongs to a class")
    def colours_first():
        return "BFDECA"

    @says("missing: E")
    def never_enlarged():
        return "BFDAC"

    @says("not letters of steps: G")
    def another_letter():
        return "BFDEACG"


def bilinear(photo, factor):
    size = [factor * side for side in photo.shape[:2]]
    return np.array(Image.fromarray(photo).resize(size[::-1], Image.Resampling.BILINEAR))


def copied(labels, factor):
    return labels.repeat(factor, 0).repeat(factor, 1)


class EnlargeRight:
    def nearest(photo, labels, factor):
        size = factor * labels.shape[1], factor * labels.shape[0]
        return bilinear(photo, factor), np.array(Image.fromarray(labels).resize(size, Image.NEAREST))

    def repeated(photo, labels, factor):
        return bilinear(photo, factor), copied(labels, factor)

    def kron(photo, labels, factor):
        return bilinear(photo, factor), np.kron(labels, np.ones((factor, factor), labels.dtype))

    def loops(photo, labels, factor):
        rows, columns = labels.shape
        large = np.zeros((rows * factor, columns * factor), dtype=int)
        for i in range(rows * factor):
            for j in range(columns * factor):
                large[i, j] = labels[i // factor, j // factor]
        return [bilinear(photo, factor), large]

    def indices(photo, labels, factor):
        rows, columns = (np.arange(side * factor) // factor for side in labels.shape)
        return bilinear(photo, factor), labels[rows[:, None], columns]

    def in_torch(photo, labels, factor):
        image = torch.from_numpy(photo).permute(2, 0, 1)[None].float()
        image = F.interpolate(image, scale_factor=factor, mode="bilinear")[0].permute(1, 2, 0)
        labels = torch.from_numpy(labels)[None, None].float()
        return image.round().byte().numpy(), F.interpolate(labels, scale_factor=factor)[0, 0].long().numpy()

    def exact_nearest(photo, labels, factor):
        size = [factor * side for side in labels.shape]
        large = F.interpolate(torch.tensor(labels)[None, None], size, mode="nearest-exact")
        return bilinear(photo, factor), large[0, 0]

    def lists(photo, labels, factor):
        rows = [[int(label) for label in row for _ in range(factor)] for row in labels]
        return bilinear(photo, factor), [row for row in rows for _ in range(factor)]

    def best_of_the_classes(photo, labels, factor):
        names = np.unique(labels)
        masks = [Image.fromarray(np.uint8(255 * (labels == name))) for name in names]
        size = factor * labels.shape[1], factor * labels.shape[0]
        masks = [np.array(mask.resize(size, Image.NEAREST)) for mask in masks]
        return bilinear(photo, factor), names[np.argmax(masks, axis=0)]


class EnlargeWrong:
    @says("which nobody has labelled")
    def as_it_stands(photo, labels, factor):
        return bilinear(photo, factor), bilinear(labels, factor)

    @says("another smooth filter")
    def bicubic(photo, labels, factor):
        size = factor * labels.shape[1], factor * labels.shape[0]
        return bilinear(photo, factor), np.array(Image.fromarray(labels).resize(size, Image.BICUBIC))

    @says("another smooth filter")
    def lanczos(photo, labels, factor):
        size = factor * labels.shape[1], factor * labels.shape[0]
        return bilinear(photo, factor), np.array(Image.fromarray(labels).resize(size, Image.LANCZOS))

    @says("makes it blocky")
    def both_nearest(photo, labels, factor):
        return copied(photo, factor), copied(labels, factor)

    @says("Swap the two")
    def wrong_one(photo, labels, factor):
        return copied(photo, factor), bilinear(labels, factor)

    @says("turns void (255) into background")
    def no_void(photo, labels, factor):
        return bilinear(photo, factor), copied(np.where(labels == 255, 0, labels), factor)

    @says("as small as they were")
    def labels_kept(photo, labels, factor):
        return bilinear(photo, factor), labels

    @says("width and height")
    def swapped_sides(photo, labels, factor):
        size = factor * labels.shape[0], factor * labels.shape[1]
        photo = Image.fromarray(photo).resize(size, Image.BILINEAR)
        return np.array(photo), np.array(Image.fromarray(labels).resize(size, Image.NEAREST))

    @says("in the other order")
    def labels_first(photo, labels, factor):
        return copied(labels, factor), bilinear(photo, factor)

    def rounded_means(photo, labels, factor):
        labels = torch.from_numpy(labels)[None, None].float()
        large = F.interpolate(labels, scale_factor=factor, mode="bilinear")[0, 0]
        return bilinear(photo, factor), large.round().byte().numpy()

    def box(photo, labels, factor):
        small = Image.fromarray(labels).resize(labels.shape[::-1], Image.BOX)
        size = factor * labels.shape[1], factor * labels.shape[0]
        return bilinear(photo, factor), np.array(small.resize(size, Image.HAMMING))

    def strangers_as_void(photo, labels, factor):
        large = bilinear(labels, factor)
        return bilinear(photo, factor), np.where(np.isin(large, labels), large, 255)

    def void_last(photo, labels, factor):
        large = bilinear(np.where(labels == 255, 0, labels).astype(np.uint8), factor)
        return bilinear(photo, factor), np.where(copied(labels, factor) == 255, 255, large)

    def tiled(photo, labels, factor):
        return bilinear(photo, factor), np.tile(labels, (factor, factor))

    def rows_only(photo, labels, factor):
        return bilinear(photo, factor), labels.repeat(factor, 0)

    def always_twice(photo, labels, factor):
        return bilinear(photo, 2), copied(labels, 2)

    def transposed(photo, labels, factor):
        return bilinear(photo, factor), copied(labels, factor).T

    def corners(photo, labels, factor):
        image = torch.from_numpy(photo).permute(2, 0, 1)[None].float()
        image = F.interpolate(image, scale_factor=factor, mode="bilinear", align_corners=True)
        return image[0].permute(1, 2, 0).round().numpy(), copied(labels, factor)

    def photo_bicubic(photo, labels, factor):
        size = factor * labels.shape[1], factor * labels.shape[0]
        return np.array(Image.fromarray(photo).resize(size, Image.BICUBIC)), copied(labels, factor)


def of_clips(clips, measured):
    chosen = [clip in measured for clip in clips]
    return [i for i, c in enumerate(chosen) if not c], [i for i, c in enumerate(chosen) if c]


class SplitByClipRight:
    def popping(clips, fraction):
        names, measured = list(dict.fromkeys(clips)), []
        while sum(map(clips.count, measured)) < fraction * len(clips):
            measured.append(names.pop())
        return of_clips(clips, measured)

    def first_frames(clips, fraction):
        names = sorted(set(clips), key=clips.index, reverse=True)
        taken, measured = 0, set()
        for name in names:
            if taken / len(clips) >= fraction:
                break
            measured.add(name)
            taken += clips.count(name)
        return of_clips(clips, measured)

    def sets_of_frames(clips, fraction):
        frames = {}
        for number, clip in enumerate(clips):
            frames.setdefault(clip, []).append(number)
        second = []
        for clip in list(frames)[::-1]:
            if len(second) < fraction * len(clips):
                second += frames[clip]
        return sorted(set(range(len(clips))) - set(second)), sorted(second)

    def numpy(clips, fraction):
        names, first, numbers = np.unique(clips, return_index=True, return_inverse=True)
        order = np.argsort(-first)
        counts = np.bincount(numbers, minlength=len(names))[order]
        before = np.cumsum(counts) - counts
        measured = np.isin(numbers, order[before < fraction * len(clips)])
        return np.flatnonzero(~measured), np.flatnonzero(measured)

    def recursive(clips, fraction):
        def taken(names, measured):
            if sum(clip in measured for clip in clips) >= fraction * len(clips):
                return measured
            return taken(names[:-1], [*measured, names[-1]])

        return of_clips(clips, taken(list(dict.fromkeys(clips)), []))

    def lists(clips, fraction):
        names = []
        for clip in clips:
            if clip not in names:
                names.append(clip)
        for number in range(len(names), -1, -1):
            measured = names[number:]
            if len([clip for clip in clips if clip in measured]) >= fraction * len(clips):
                return list(of_clips(clips, measured))

    def ceiling(clips, fraction):
        needed, measured = math.ceil(fraction * len(clips)), []
        for clip in list(dict.fromkeys(clips))[::-1]:
            if needed > 0:
                measured.append(clip)
                needed -= clips.count(clip)
        return [np.array(frames, dtype=int) for frames in of_clips(clips, measured)]


class SplitByClipWrong:
    @says("takes the last frames")
    def last_frames(clips, fraction):
        first = len(clips) - math.ceil(fraction * len(clips))
        return [*range(first)], [*range(first, len(clips))]

    @says("every n-th frame")
    def every_nth(clips, fraction):
        step = round(1 / fraction)
        frames = range(len(clips))
        return [i for i in frames if i % step != step - 1], [i for i in frames if i % step == step - 1]

    @says("count frames")
    def of_the_clips(clips, fraction):
        names = list(dict.fromkeys(clips))
        return of_clips(clips, names[len(names) - math.ceil(fraction * len(names)) :])

    @says("appear first")
    def from_the_start(clips, fraction):
        measured, names = [], list(dict.fromkeys(clips))
        while sum(map(clips.count, measured)) < fraction * len(clips):
            measured.append(names.pop(0))
        return of_clips(clips, measured)

    @says("sorts the clips by name")
    def by_name(clips, fraction):
        measured, names = [], sorted(set(clips))
        while sum(map(clips.count, measured)) < fraction * len(clips):
            measured.append(names.pop())
        return of_clips(clips, measured)

    @says("appears last")
    def by_last_frame(clips, fraction):
        measured, names = [], sorted(set(clips), key=lambda clip: clips[::-1].index(clip), reverse=True)
        while sum(map(clips.count, measured)) < fraction * len(clips):
            measured.append(names.pop())
        return of_clips(clips, measured)

    @says("one clip too early")
    def at_most(clips, fraction):
        measured, names = [], list(dict.fromkeys(clips))
        while names and sum(map(clips.count, [*measured, names[-1]])) <= fraction * len(clips):
            measured.append(names.pop())
        return of_clips(clips, measured)

    @says("one clip too many")
    def more_than(clips, fraction):
        measured, names = [], list(dict.fromkeys(clips))
        while names and sum(map(clips.count, measured)) <= fraction * len(clips):
            measured.append(names.pop())
        return of_clips(clips, measured)

    @says("the last clip only")
    def last_clip(clips, fraction):
        return of_clips(clips, list(dict.fromkeys(clips))[-1:])

    @says("in the other order")
    def swapped(clips, fraction):
        return SplitByClipRight.popping(clips, fraction)[::-1]

    def runs_as_clips(clips, fraction):
        runs, measured = [[i for i, _ in run] for _, run in groupby(enumerate(clips), lambda p: p[1])], []
        while len(measured) < fraction * len(clips):
            measured = runs.pop() + measured
        return [i for run in runs for i in run], measured

    def shuffled(clips, fraction):
        order = np.random.default_rng(0).permutation(len(clips)).tolist()
        first = len(clips) - math.ceil(fraction * len(clips))
        return sorted(order[:first]), sorted(order[first:])

    def always_a_quarter(clips, fraction):
        return SplitByClipRight.popping(clips, 0.25)

    @says("names of the clips")
    def names_for_frames(clips, fraction):
        learned, measured = SplitByClipRight.popping(clips, fraction)
        return [clips[i] for i in learned], [clips[i] for i in measured]

    @says("from 1")
    def from_one(clips, fraction):
        return tuple([i + 1 for i in frames] for frames in SplitByClipRight.popping(clips, fraction))

    def in_order_of_taking(clips, fraction):
        learned, measured = SplitByClipRight.popping(clips, fraction)
        return learned, measured[::-1]

    def of_letters(clips, fraction):
        measured, names = "", list(dict.fromkeys(clips))
        while sum(clip in measured for clip in clips) < fraction * len(clips):
            measured += names.pop()
        return [i for i, c in enumerate(clips) if c not in measured], [
            i for i, c in enumerate(clips) if c in measured
        ]

    @says("rounds the wanted number")
    def whole_part(clips, fraction):
        measured, names = [], list(dict.fromkeys(clips))
        while sum(map(clips.count, measured)) < int(fraction * len(clips)):
            measured.append(names.pop())
        return of_clips(clips, measured)

    def with_a_leak(clips, fraction):
        _, measured = SplitByClipRight.popping(clips, fraction)
        return [*range(len(clips))], measured


@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Right"))
def test_right_answers_in_any_style_are_accepted(name, answer):
    assert_accepted(exercise_of("lesson13", name), answer)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Wrong"))
def test_wrong_answers_are_rejected(name, answer):
    assert_rejected(exercise_of("lesson13", name), answer)
