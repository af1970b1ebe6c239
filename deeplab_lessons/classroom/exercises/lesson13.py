"""Exercises of lesson 13: class numbers, photos upright, labels enlarged, a split without leaks."""

import random
from collections.abc import Iterator

import numpy as np
from PIL import Image

from deeplab_lessons.classroom.exercises.compare import difference
from deeplab_lessons.classroom.exercises.framework import exercise, fault, misconception
from deeplab_lessons.classroom.exercises.orders import order
from deeplab_lessons.grid import Grid, bilinear_weights


@exercise
class ClassNumbers:
    """Repair: the numbers of a labelling program as class numbers."""

    trials = 80
    hints = (
        "Try it with pencil and paper: `[1, 2]` with `{1: 2, 2: 1}`. What's in the array after the first round of "
        "the loop?",
        "The loop reads from the array that it writes into, so a number can be changed twice.",
        "Read from `numbers` and write into an array of its own: `labels = np.full_like(numbers, 255)`, and in the "
        "loop `labels[numbers == number] = label`.",
    )

    def class_numbers(numbers, ids):
        labels = np.full_like(numbers, 255)
        for number, label in ids.items():
            labels[numbers == number] = label
        return labels

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Numbers [H, W] and ids: swaps and chains in both orders, 255 with and without a class, unknown numbers."""
        for row, ids in (
            ([1, 2], {1: 2, 2: 1}),
            ([0, 255, 7], {0: 0, 255: 1}),
            ([0, 255], {0: 0}),
            ([1, 2, 3], {1: 2, 2: 3}),
            ([1, 2, 3], {2: 3, 1: 2}),
            ([1, 2, 3], {3: 2, 2: 1}),
            ([4, 9], {9: 0}),
            ([0, 1], {0: 255, 1: 0}),
            ([5], {}),
        ):
            yield np.array([row], np.uint8), ids
        while True:
            shape, draw = (rng.randint(1, 3), rng.randint(1, 5)), np.random.default_rng(rng.randrange(10**6))
            some = rng.sample((0, 1, 2, 3, 4, 7, 20, 255), rng.randint(1, 5))
            there = np.array([*some, rng.choice((0, 1, 2, 3, 60, 255))], np.uint8)
            classes = rng.choices((0, 1, 2, 3, 4, 255), k=len(some))
            yield draw.choice(there, shape), dict(zip(some, classes, strict=True))

    @fault(
        "Where `ids` swaps two numbers, both come out as one class. Where 255 has a class, numbers that `ids` "
        "does not hold come out as that class."
    )
    def in_one_array(numbers, ids):
        labels = numbers.copy()
        labels[~np.isin(labels, list(ids))] = 255
        for number, label in ids.items():
            labels[labels == number] = label
        return labels

    @misconception(
        "Your code goes through `ids` in another order and still writes where it reads. Some order may do for a "
        "chain, but none does for a swap."
    )
    def other_order(numbers, ids):
        labels = np.where(np.isin(numbers, list(ids)), numbers, 255).astype(np.uint8)
        for number in reversed(ids):
            labels[labels == number] = ids[number]
        return labels

    @misconception(
        "The numbers in `ids` are right now. Your code leaves all others as they were, where they would pass for "
        "classes. They must be void, 255."
    )
    def unknown_kept(numbers, ids):
        labels = numbers.copy()
        for number, label in ids.items():
            labels[numbers == number] = label
        return labels

    @misconception(
        "Your code looks for unknown numbers among the finished labels. There an unknown 2 passes for class 2. Look "
        "for them in `numbers`."
    )
    def void_last(numbers, ids):
        labels = ClassNumbers.unknown_kept(numbers, ids)
        labels[~np.isin(labels, list(ids.values()))] = 255
        return labels

    @misconception(
        "Your code turns numbers that `ids` does not hold into class 0. They may show anything, not only "
        "background: they must be void, 255."
    )
    def unknown_as_background(numbers, ids):
        labels = np.zeros_like(numbers)
        for number, label in ids.items():
            labels[numbers == number] = label
        return labels

    @misconception(
        "Your code makes 255 void even where `ids` gives it a class. In a mask in black and white, 255 is the object."
    )
    def white_as_void(numbers, ids):
        labels = ClassNumbers.class_numbers(numbers, ids)
        labels[numbers == 255] = 255
        return labels

    @misconception(
        "Your code begins again for each number, so only the last one in `ids` keeps its class. Make the array once, "
        "before the loop."
    )
    def last_only(numbers, ids):
        labels = np.full_like(numbers, 255)
        for number, label in ids.items():
            labels = np.where(numbers == number, label, 255)
        return labels

    @misconception(
        "Your code reads `ids` backwards. Its keys are the numbers in the file, its values the classes."
    )
    def backwards(numbers, ids):
        return ClassNumbers.class_numbers(numbers, {label: number for number, label in ids.items()})


def _turned(pixels, orientation, turns):
    return np.rot90(pixels, turns.get(orientation, 0))


@exercise
class Upright:
    """Warm-up: a stored photo turned upright, as the camera was held."""

    trials = 80
    hints = (
        "In which direction does `np.rot90(pixels, k)` turn a photo? By k quarters to the left; a negative k turns "
        "to the right.",
        "3 is half a turn. 6 needs a quarter to the right, 8 a quarter to the left.",
        "`turns = {1: 0, 3: 2, 6: -1, 8: 1}`, then `np.rot90(pixels, turns[orientation])`.",
    )

    def upright(pixels, orientation):
        turns = {1: 0, 3: 2, 6: 3, 8: 1}
        return np.rot90(pixels, turns[orientation])

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Photos of 2 × 2 and 1 × 3 pixels in every orientation, then any; grey values that fill a byte."""
        for shape in ((2, 2, 3), (1, 3, 3), (3, 1, 3)):
            small = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
            yield from ((small, orientation) for orientation in (1, 3, 6, 8))
        while True:
            shape = rng.randint(1, 5), rng.randint(1, 5), 3
            numbers = np.random.default_rng(rng.randrange(10**6))
            yield numbers.integers(0, 256, shape, dtype=np.uint8), rng.choice((1, 3, 6, 8))

    @misconception(
        "Your code returns the pixels as they were stored. That is right for orientation 1 only, and many programs do "
        "it: the photo then lies on its side."
    )
    def as_stored(pixels, orientation):
        return pixels

    @misconception(
        "Your code swaps 6 and 8, so the photo ends upside down. np.rot90 turns to the left, and 6 needs a "
        "quarter to the right."
    )
    def six_and_eight_swapped(pixels, orientation):
        return _turned(pixels, orientation, {3: 2, 6: 1, 8: 3})

    @misconception(
        "Your code turns 6 and 8 by the same quarter. One of them needs a quarter to the left, the other to the right."
    )
    def both_to_the_right(pixels, orientation):
        return _turned(pixels, orientation, {3: 2, 6: 3, 8: 3})

    @misconception(
        "Your code turns 6 and 8 by the same quarter, to the left. Only 8 needs that; 6 needs a quarter to the right."
    )
    def both_to_the_left(pixels, orientation):
        return _turned(pixels, orientation, {3: 2, 6: 1, 8: 1})

    @misconception(
        "Your code swaps rows and columns for 6 and 8. The size is right then, but the photo is mirrored, and "
        "writing would run backwards. Turn it."
    )
    def transposed(pixels, orientation):
        return pixels.swapaxes(0, 1) if orientation in (6, 8) else _turned(pixels, orientation, {3: 2})

    @misconception(
        "For 3 your code flips the photo from top to bottom, which mirrors it. Half a turn reverses rows and columns."
    )
    def flipped(pixels, orientation):
        return pixels[::-1] if orientation == 3 else _turned(pixels, orientation, {6: 3, 8: 1})

    @misconception(
        "For 3 your code flips the photo from left to right, which mirrors it. Half a turn reverses rows and columns."
    )
    def mirrored(pixels, orientation):
        return pixels[:, ::-1] if orientation == 3 else _turned(pixels, orientation, {6: 3, 8: 1})

    @misconception("Your code leaves orientation 3 as it is: upside down. It needs half a turn.")
    def three_forgotten(pixels, orientation):
        return _turned(pixels, orientation, {6: 3, 8: 1})

    @misconception(
        "Your code turns every photo by as many quarters as its number says. The numbers are names: look up the turn "
        "that each stands for."
    )
    def number_as_quarters(pixels, orientation):
        return np.rot90(pixels, orientation)


@order
class PhotoToOverlay:
    """Order: from a photo as the camera stored it to an image with coloured classes."""

    hints = (
        "What does the network have to see: the photo as it was stored, or as you see it?",
        "Between the network and the colours there are three things: scores of cells, scores of pixels, labels of "
        "pixels.",
        "Scores can be enlarged, because they're amounts. Labels can't, because they're names.",
    )
    needs = {
        "normalise": ("turn",),
        "score": ("normalise",),
        "enlarge": ("score",),
        "label": ("enlarge",),
        "colour": ("label",),
    }
    why = {
        (
            "normalise",
            "turn",
        ): "The copy for the network would lie on its side, unlike everything that it was trained on.",
        ("score", "normalise"): "The network was trained on normalised numbers, and there are none yet.",
        ("enlarge", "score"): "There are no scores of cells to enlarge yet.",
        ("label", "enlarge"): (
            "Labels would be enlarged instead of scores, and between two classes a mean of their numbers would appear."
        ),
        ("colour", "label"): "A colour belongs to a class, and no pixel has one yet.",
    }

    def start():
        return {"photo": np.random.default_rng(0).integers(0, 256, (2, 3, 3), dtype=np.uint8)}

    def result(state):
        return state["overlay"]

    def turn(state):
        """Turn the photo as its EXIF note says."""
        state["photo"] = np.rot90(state["photo"], 3)

    def normalise(state):
        """Make a normalised copy of the photo, which the network will get."""
        state["copy"] = (state["photo"] / 255 - 0.45) / 0.22

    def score(state):
        """Run the network: it returns scores for the cells of a coarse map."""
        state["scores"] = state["copy"][::2, ::2]

    def enlarge(state):
        """Enlarge the network's answer bilinearly to the size of the photo."""
        rows, columns = (
            bilinear_weights(pixels, cells, Grid(2, 0.0)).numpy()
            for pixels, cells in zip(state["photo"].shape[:2], state["scores"].shape[:2], strict=True)
        )
        state["scores"] = np.einsum("yi,xj,ijc->yxc", rows, columns, state["scores"])

    def label(state):
        """Take the class with the largest score."""
        state["labels"] = state["scores"].argmax(2)

    def colour(state):
        """Give each class its colour, and mix the colours with the photo."""
        state["overlay"] = state["photo"] / 2 + 40 * state["labels"][..., None]


def _resized(pixels, factor, filter=Image.Resampling.BILINEAR):
    return np.array(Image.fromarray(pixels).resize([factor * n for n in pixels.shape[1::-1]], filter))


_SMOOTH = (
    "Your code uses another smooth filter for the labels. Each of them averages, and a mean of two labels is "
    "not a label: copy labels instead."
)


@exercise
class Enlarge:
    """Repair: a photo and its labels, enlarged."""

    trials = 60
    hints = (
        "What does the label map hold halfway between a pixel of class 1 and one of class 3? Which operation makes it?",
        "Labels are names. A mean of two names is not a name: each new pixel must take the label of one old pixel.",
        "The photo is handled correctly. Only for the labels: `Image.Resampling.NEAREST`.",
    )

    def enlarge(photo, labels, factor):
        size = factor * labels.shape[1], factor * labels.shape[0]
        photo = Image.fromarray(photo).resize(size, Image.Resampling.BILINEAR)
        labels = Image.fromarray(labels).resize(size, Image.Resampling.NEAREST)
        return np.array(photo), np.array(labels)

    def same(got, expected) -> bool:
        """Equal labels in arrays; a photo may be rounded to the other grey value."""
        (photo, labels), (true_photo, true_labels) = got, expected
        if isinstance(photo, Image.Image):
            return False
        near = np.abs(np.asarray(photo, dtype=float) - true_photo)
        return (
            near.shape == true_photo.shape and near.max() < 1.01 and difference(labels, true_labels) is None
        )

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Photo [H, W, 3], labels [H, W] and factor, all integers: two neighbours first, void in any place."""
        grey = np.array([[[0] * 3, [200] * 3]], np.uint8)
        for labels in ([[1, 3]], [[3, 1]], [[0, 1]], [[0, 255]], [[255, 4]], [[2, 2]]):
            yield grey, np.array(labels, np.uint8), 2
        yield grey.transpose(1, 0, 2), np.array([[1], [3]], np.uint8), 3
        yield grey, np.array([[1, 20]], np.uint8), 1
        while True:
            shape, numbers = (
                [rng.randint(1, 4) for _ in range(2)],
                np.random.default_rng(rng.randrange(10**6)),
            )
            names = np.array(
                rng.choice(((0, 1), (0, 255), (1, 3, 255), range(21), (0, 7, 20, 255))), np.uint8
            )
            photo = numbers.integers(0, 256, (*shape, 3), dtype=np.uint8)
            yield photo, numbers.choice(names, shape), rng.randint(1, 4)

    @fault(
        "Between pixels of class 1 and class 3 there are pixels of class 2, which nobody has labelled. Next to void "
        "there are numbers that no class has."
    )
    def labels_averaged(photo, labels, factor):
        size = factor * labels.shape[1], factor * labels.shape[0]
        photo = Image.fromarray(photo).resize(size, Image.Resampling.BILINEAR)
        labels = Image.fromarray(labels).resize(size, Image.Resampling.BILINEAR)
        return np.array(photo), np.array(labels)

    @misconception(_SMOOTH)
    def labels_bicubic(photo, labels, factor):
        return _resized(photo, factor), _resized(labels, factor, Image.Resampling.BICUBIC)

    @misconception(_SMOOTH)
    def labels_lanczos(photo, labels, factor):
        return _resized(photo, factor), _resized(labels, factor, Image.Resampling.LANCZOS)

    @misconception(
        "The labels are right. Your code copies the photo's pixels as well, which makes it blocky. Grey values are "
        "amounts, and the photo was handled correctly: interpolate it."
    )
    def both_copied(photo, labels, factor):
        return tuple(_resized(pixels, factor, Image.Resampling.NEAREST) for pixels in (photo, labels))

    @misconception(
        "Your code fixes the wrong one: it copies the photo's pixels and still averages labels. Swap the two."
    )
    def photo_copied(photo, labels, factor):
        return _resized(photo, factor, Image.Resampling.NEAREST), _resized(labels, factor)

    @misconception(
        "The labels are copied, which is right, but your code turns void (255) into background. Those pixels have "
        "no label: they stay void."
    )
    def void_as_background(photo, labels, factor):
        labels = np.where(labels == 255, 0, labels).astype(np.uint8)
        return _resized(photo, factor), _resized(labels, factor, Image.Resampling.NEAREST)

    @misconception("Your code leaves the labels as small as they were. Each pixel of the photo needs one.")
    def labels_kept(photo, labels, factor):
        return _resized(photo, factor), labels

    @misconception(
        "Your code swaps width and height. A size in PIL is (width, height), a shape in numpy (rows, columns)."
    )
    def sides_swapped(photo, labels, factor):
        size = factor * labels.shape[0], factor * labels.shape[1]
        photo = Image.fromarray(photo).resize(size, Image.Resampling.BILINEAR)
        return np.array(photo), np.array(Image.fromarray(labels).resize(size, Image.Resampling.NEAREST))

    @misconception("Both are right, in the other order: the photo first, then the labels.")
    def labels_first(photo, labels, factor):
        return _resized(labels, factor, Image.Resampling.NEAREST), _resized(photo, factor)


def _split(clips, measured):
    """Frames of the other clips, and of those in `measured`."""
    frames = range(len(clips))
    return [i for i in frames if clips[i] not in measured], [i for i in frames if clips[i] in measured]


def _from_the_end(clips, names, fraction):
    """The split that takes clips from the end of `names`."""
    measured = set()
    for clip in reversed(names):
        if sum(each in measured for each in clips) < fraction * len(clips):
            measured.add(clip)
    return _split(clips, measured)


@exercise
class SplitByClip:
    """Stretch: a split of a video that does not leak."""

    trials = 100
    hints = (
        "How can you list the clips, each once, by first appearance?",
        "`list(dict.fromkeys(clips))` does it. Take names from its end, and before each count the frames of the clips"
        " that are taken already.",
        "Another clip must come while `taken < fraction * len(clips)`. Then sort all frames by whether their clip was"
        " taken.",
    )

    def split_by_clip(clips, fraction):
        measured = set()
        for clip in reversed(dict.fromkeys(clips)):
            if sum(each in measured for each in clips) < fraction * len(clips):
                measured.add(clip)
        frames = range(len(clips))
        learned = [i for i in frames if clips[i] not in measured]
        return learned, [i for i in frames if clips[i] in measured]

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Clips of several lengths whose names are in no order; later ones also come back after others."""
        yield ["b", "b", "a", "a"], 0.5
        yield ["c", "c", "c", "a", "b"], 0.25
        yield ["a", "b", "b", "b"], 0.5
        yield ["b", "a", "b", "c", "a", "c"], 0.25
        yield ["b", "c", "a", "b"], 0.5
        yield ["b", "a", "b"], 0.25
        yield ["a", "b"], 0.75
        yield ["a"], 0.5
        yield ["clip"] * 3 + ["clip2"] * 2 + ["clip10"], 0.4
        while True:
            names = [f"drive{number}" for number in rng.sample(range(30), rng.randint(1, 6))]
            clips = [name for name in names for _ in range(rng.randint(1, 4))]
            if rng.random() < 0.4:
                rng.shuffle(clips)
            yield clips, rng.choice((0.125, 0.25, 0.5, 0.75, rng.random()))

    @misconception(
        "Your code takes the last frames, whatever clip they are from. Where the border runs through a clip, the "
        "frame before it is an image of the same scene: it leaks."
    )
    def last_frames(clips, fraction):
        """The last frames, whatever their clip."""
        first = len(clips) - int(np.ceil(fraction * len(clips)))
        return list(range(first)), list(range(first, len(clips)))

    @misconception(
        "Your code takes every n-th frame. Every measured frame then has a neighbour in training that looks almost "
        "the same: the worst split there is for a video."
    )
    def every_nth(clips, fraction):
        """Every n-th frame."""
        step = round(1 / fraction)
        frames = range(len(clips))
        return [i for i in frames if (i + 1) % step], [i for i in frames if not (i + 1) % step]

    @misconception("Your code takes the fraction of the clips. Clips have different lengths: count frames.")
    def fraction_of_clips(clips, fraction):
        known = list(dict.fromkeys(clips))
        return _split(clips, known[len(known) - int(np.ceil(fraction * len(known))) :])

    @misconception(
        "Your code takes the clips that appear first. That is no less honest, but the exercise asks for the last ones."
    )
    def first_clips(clips, fraction):
        return _from_the_end(clips, list(dict.fromkeys(clips))[::-1], fraction)

    @misconception(
        "Your code sorts the clips by name. Their order is that of their first frames: use `dict.fromkeys(clips)`."
    )
    def sorted_by_name(clips, fraction):
        return _from_the_end(clips, sorted(set(clips)), fraction)

    @misconception(
        "Your code orders the clips by the frame in which each appears last. The exercise asks for the first one."
    )
    def by_last_frame(clips, fraction):
        return _from_the_end(clips, list(dict.fromkeys(reversed(clips)))[::-1], fraction)

    @misconception(
        "Your code stops one clip too early. The second list needs at least `fraction` of all frames."
    )
    def too_few(clips, fraction):
        """Stops before `fraction` is passed."""
        known, measured = list(dict.fromkeys(clips)), set()
        while known and sum(clip in measured | {known[-1]} for clip in clips) <= fraction * len(clips):
            measured.add(known.pop())
        return _split(clips, measured)

    @misconception(
        "Your code takes one clip too many where the fraction is met exactly. At least `fraction` is enough: stop "
        "as soon as it is reached."
    )
    def too_many(clips, fraction):
        """Goes on where `fraction` is met exactly."""
        known, measured = list(dict.fromkeys(clips)), set()
        while known and sum(clip in measured for clip in clips) <= fraction * len(clips):
            measured.add(known.pop())
        return _split(clips, measured)

    @misconception(
        "Your code takes the last clip only. Add clips until the second list has `fraction` of all frames."
    )
    def last_clip_only(clips, fraction):
        return _split(clips, list(dict.fromkeys(clips))[-1:])

    @misconception(
        "Your code rounds the wanted number of frames down. At least `fraction` of all frames may need one more."
    )
    def rounded_down(clips, fraction):
        return _from_the_end(clips, list(dict.fromkeys(clips)), int(fraction * len(clips)) / len(clips))

    @misconception("Your code counts frames from 1. The first frame has the number 0.")
    def counted_from_one(clips, fraction):
        return [[i + 1 for i in frames] for frames in SplitByClip.split_by_clip(clips, fraction)]

    @misconception("Your code returns the names of the clips. Return numbers of frames, counted from 0.")
    def names_of_clips(clips, fraction):
        return [[clips[i] for i in frames] for frames in SplitByClip.split_by_clip(clips, fraction)]

    @misconception("Your code returns the two lists in the other order: frames to train on come first.")
    def lists_swapped(clips, fraction):
        return SplitByClip.split_by_clip(clips, fraction)[::-1]
