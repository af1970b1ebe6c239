"""Exercises of lesson 13: a picture turned upright, the gradient of several processes, a split that does not leak."""

import random
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from deeplab_lessons.classroom.exercises.cases import torch_generator
from deeplab_lessons.classroom.exercises.framework import exercise, misconception

#: Quarter turns to the left that bring a stored picture upright, by its orientation.
_TURNS = {1: 0, 3: 2, 6: 3, 8: 1}


def _split(clips, measured):
    """Frames of the other clips, and of those in `measured`."""
    frames = range(len(clips))
    return [i for i in frames if clips[i] not in measured], [i for i in frames if clips[i] in measured]


@exercise
class Upright:
    """Warm-up: a stored picture turned as the scene stood."""

    hints = (
        "`np.rot90(pixels, k)` turns a picture by k quarters to the left. A negative k turns it to the right.",
        "3 is half a turn, k = 2. 6 is a quarter to the right, k = -1 or 3. 8 is a quarter to the left, k = 1.",
    )

    def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
        """The stored `pixels` [H, W, 3] as the scene stood, for the EXIF orientations 1, 3, 6 and 8.

        1: stored upright. 3: upside down. 6: must be turned by a quarter to the right. 8: by a quarter to the left.
        """
        return np.rot90(pixels, _TURNS[orientation])

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Pictures of 2 × 3 pixels in every orientation, then any."""
        small = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
        yield from ((small, orientation) for orientation in _TURNS)
        while True:
            shape = rng.randint(1, 5), rng.randint(1, 5), 3
            numbers = np.random.default_rng(rng.randrange(10**6))
            yield numbers.integers(0, 256, shape, dtype=np.uint8), rng.choice(list(_TURNS))

    @misconception(
        "The pixels come back as they were stored. That is right for orientation 1 alone, and it is what many "
        "programs do: the picture then lies on its side."
    )
    def as_stored(pixels, orientation):
        return pixels

    @misconception(
        "6 and 8 have changed places: the picture ends upside down. np.rot90 turns to the *left*, and 6 asks for "
        "a quarter to the right."
    )
    def six_and_eight_swapped(pixels, orientation):
        return np.rot90(pixels, {1: 0, 3: 2, 6: 1, 8: 3}[orientation])

    @misconception(
        "Rows and columns have changed places for 6 and 8. The size is right then, but the picture is mirrored: "
        "writing would run backwards. Turn it."
    )
    def transposed(pixels, orientation):
        return {
            1: pixels,
            3: pixels[::-1, ::-1],
            6: pixels.transpose(1, 0, 2),
            8: pixels.transpose(1, 0, 2),
        }[orientation]

    @misconception(
        "For 3 the picture is flipped from top to bottom. That mirrors it. Half a turn reverses rows and columns."
    )
    def flipped(pixels, orientation):
        return pixels[::-1] if orientation == 3 else np.rot90(pixels, _TURNS[orientation])

    @misconception("Orientation 3 is left as it is: upside down. The camera was held the wrong way up.")
    def three_forgotten(pixels, orientation):
        return np.rot90(pixels, _TURNS[orientation]) if orientation != 3 else pixels


@exercise
class JoinedGradient:
    """The gradient of a batch whose parts are on several processes."""

    hints = (
        "Each part's gradient is that of a mean: a sum over its judged pixels, divided by their number. Undo the "
        "division, add up, and divide by the number of all judged pixels.",
        "With two parts: (n₁ g₁ + n₂ g₂) / (n₁ + n₂).",
    )

    def joined_gradient(gradients: Sequence[torch.Tensor], judged: Sequence[int]) -> torch.Tensor:
        """Gradient of the whole batch from those of its parts, each of them of the mean over its own judged pixels.

        `judged` counts them; at least one part has some.
        """
        weighted = [count * gradient for gradient, count in zip(gradients, judged, strict=True)]
        return sum(weighted) / sum(judged)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Gradients of two processes, then of several; some parts with nothing judged."""
        yield [torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])], [3, 1]
        yield [torch.tensor([4.0]), torch.tensor([0.0])], [1, 3]
        yield [torch.tensor([2.0, 2.0]), torch.zeros(2)], [5, 0]
        while True:
            numbers = torch_generator(rng)
            size, count = rng.randint(1, 4), rng.randint(2, 5)
            judged = [rng.choice((0, rng.randint(1, 9), rng.randint(100, 1000))) for _ in range(count)]
            judged[rng.randrange(count)] += 7
            gradients = [torch.randn(size, generator=numbers) * (n > 0) for n in judged]
            yield gradients, judged

    @misconception(
        "This is the plain mean. A part with three judged pixels then pulls as hard as one with a million. Weight "
        "each part by its count."
    )
    def plain_mean(gradients, judged):
        return sum(gradients) / len(gradients)

    @misconception(
        "The gradients are added up. Each is a mean already; the step would grow with the number of processes."
    )
    def total(gradients, judged):
        return sum(gradients)

    @misconception("The weights are right, but the sum is not divided by the number of all judged pixels.")
    def not_divided(gradients, judged):
        return sum(n * g for g, n in zip(gradients, judged, strict=True))

    @misconception(
        "The sum is divided twice, by the pixels and by the processes. The pixels are enough. (PyTorch divides by "
        "the processes on its own: there, multiply by their number first.)"
    )
    def divided_twice(gradients, judged):
        return sum(n * g for g, n in zip(gradients, judged, strict=True)) / sum(judged) / len(gradients)

    @misconception(
        "Empty parts are left out, which is right, but all others count alike. Weight each by its judged pixels."
    )
    def empty_left_out(gradients, judged):
        return sum(g for g, n in zip(gradients, judged, strict=True) if n) / sum(n > 0 for n in judged)

    @misconception("The weights are upside down: the part with fewer judged pixels counts more here.")
    def upside_down(gradients, judged):
        return sum(g / max(n, 1) for g, n in zip(gradients, judged, strict=True)) / sum(
            1 / max(n, 1) for n in judged
        )


@exercise
class SplitByClip:
    """Stretch: a split of a video that does not leak."""

    hints = (
        "`list(dict.fromkeys(clips))` are the names of the clips, each once, in the order in which they appear.",
        "Take names from its end until enough *frames* belong to the taken clips; then sort all frames by whether "
        "their clip was taken.",
        "Both lists hold numbers of frames, 0 … len(clips) - 1, in rising order. Compare counts: "
        "`taken < share * len(clips)` means that another clip must come.",
    )

    def split_by_clip(clips: Sequence[str], share: float) -> tuple[list[int], list[int]]:
        """Numbers of the frames to train on and of those to measure on: every clip on one side only.

        `clips` names the clip of each frame. The clips that appear last go to the second side, whole, one after the
        other, until it has at least `share` of all frames.
        """
        known, measured = list(dict.fromkeys(clips)), set()
        while sum(clip in measured for clip in clips) < share * len(clips):
            measured.add(known.pop())
        frames = range(len(clips))
        return [i for i in frames if clips[i] not in measured], [i for i in frames if clips[i] in measured]

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Clips of several lengths; later ones also come back after others."""
        yield ["a", "a", "b", "b"], 0.5
        yield ["a", "a", "a", "b", "c"], 0.25
        yield ["a", "b", "b", "b"], 0.5
        yield ["a", "b", "a", "c", "b", "c"], 0.25
        while True:
            names = [f"drive{number}" for number in range(rng.randint(3, 6))]
            clips = [name for name in names for _ in range(rng.randint(1, 4))]
            if rng.random() < 0.4:
                rng.shuffle(clips)
            yield clips, rng.choice((0.125, 0.25))

    @misconception(
        "These are the last frames, whatever clip they are from. Where the border runs through a clip, the frame "
        "before it is a picture of the same scene: it leaks."
    )
    def last_frames(clips, share):
        """The last frames, whatever their clip."""
        first = len(clips) - int(np.ceil(share * len(clips)))
        return list(range(first)), list(range(first, len(clips)))

    @misconception(
        "Every n-th frame: then every measured frame has a neighbour in training that looks almost the same. This "
        "is the worst split there is for a video."
    )
    def every_nth(clips, share):
        """Every n-th frame."""
        step = round(1 / share)
        frames = range(len(clips))
        return [i for i in frames if (i + 1) % step], [i for i in frames if not (i + 1) % step]

    @misconception("The share is taken of the clips. Clips have different lengths; count frames.")
    def share_of_clips(clips, share):
        known = list(dict.fromkeys(clips))
        return _split(clips, known[len(known) - int(np.ceil(share * len(known))) :])

    @misconception(
        "The clips that appear first are taken. No less honest, but the exercise asks for the last ones."
    )
    def first_clips(clips, share):
        """The clips that appear first are measured on."""
        known, measured = list(dict.fromkeys(clips)), set()
        while sum(clip in measured for clip in clips) < share * len(clips):
            measured.add(known.pop(0))
        return _split(clips, measured)

    @misconception(
        "This stops before the share is passed. The second list needs *at least* `share` of all frames."
    )
    def too_few(clips, share):
        """Stops before `share` is passed."""
        known, measured = list(dict.fromkeys(clips)), set()
        while known and sum(clip in measured | {known[-1]} for clip in clips) <= share * len(clips):
            measured.add(known.pop())
        return _split(clips, measured)

    @misconception("The two lists have changed places: frames to train on come first.")
    def lists_swapped(clips, share):
        return SplitByClip.split_by_clip(clips, share)[::-1]
