"""Exercises of lesson 14: chance, a fair comparison, the gradient of several processes, a smaller card."""

import math
import numbers
import random
from collections.abc import Iterator

import torch

from deeplab_lessons.classroom.exercises.cases import torch_generator
from deeplab_lessons.classroom.exercises.compare import show
from deeplab_lessons.classroom.exercises.designs import design, wanted
from deeplab_lessons.classroom.exercises.framework import exercise, misconception
from deeplab_lessons.classroom.exercises.orders import order
from deeplab_lessons.classroom.experiments import experiment


@exercise
class ChanceOfAgreement:
    """Warm-up: how often chance alone makes all seeds agree."""

    trials = 30
    hints = (
        "With two seeds there are four equally likely pairs of signs. In how many of them do the two agree?",
        "The first seed may have either sign. Each further one must repeat it, with a chance of one half.",
        "`0.5 ** (seeds - 1)`, because only the first seed is free.",
    )

    def chance_of_agreement(seeds):
        return 2 * 0.5**seeds

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Numbers of seeds, from 1; 1 always agrees with itself."""
        yield from ((seeds,) for seeds in (2, 3, 1, 4, 5, 10))
        while True:
            yield (rng.randint(1, 30),)

    @misconception(
        "Your code counts one sign only. All differences may be negative as well, which is agreement too: it happens "
        "twice as often."
    )
    def one_sign(seeds):
        return 0.5**seeds

    @misconception("Your code returns the chance that the signs disagree. Agreement is the rest, up to 1.")
    def disagreement(seeds):
        return 1 - 2 * 0.5**seeds

    @misconception(
        "Your code divides by the number of seeds. Each further seed halves the chance, so divide by 2 once per seed."
    )
    def divided_by_seeds(seeds):
        return 1 / seeds

    @misconception(
        "Your code asks for as many agreements as there are pairs of seeds. They aren't independent: seeds that agree "
        "with the first agree with each other."
    )
    def pairs(seeds):
        return 0.5 ** (seeds * (seeds - 1) // 2)

    @misconception("Your code returns per cent. The exercise asks for a fraction, from 0 to 1.")
    def per_cent(seeds):
        return 100 * 2 * 0.5**seeds


@order
class FairComparison:
    """Order: two heads compared without favour."""

    hints = (
        "Which step must be done before you know any result?",
        "Two steps use validation images: one chooses learning rates, one compares. Neither may use the test set.",
        "The test set comes last and only once: whatever helps to choose can't judge the choice.",
    )
    needs = {
        "tune": ("split",),
        "train": ("tune",),
        "compare": ("train", "claim"),
        "test": ("compare",),
    }
    why = {
        (
            "tune",
            "split",
        ): "Learning rates would be chosen on images that the networks learn from, or that test them.",
        (
            "train",
            "tune",
        ): "One learning rate for both heads would favour the head that happens to suit it.",
        ("compare", "train"): "There are no trained networks to compare yet.",
        (
            "compare",
            "claim",
        ): "Once you know the differences, any of them is easily called large enough.",
        (
            "test",
            "compare",
        ): "The test set would help to choose the better head, and a result that was used to choose is too high.",
    }

    def split(state):
        """Set whole clips aside, some for validation and some for the test set."""
        state["val"], state["test"] = 3.0, 2.0

    def claim(state):
        """Write down which difference would convince you."""
        state["enough"] = 1.0

    def tune(state):
        """Try learning rates for each head, and keep the better one on the validation images."""
        state["lr"] = {"plain": 0.01 * state["val"], "pyramid": 0.02 * state["val"]}

    def train(state):
        """Train each head with its own learning rate, from the same three seeds."""
        state["runs"] = {head: [lr * seed for seed in (1, 2, 3)] for head, lr in state["lr"].items()}

    def compare(state):
        """Subtract their validation results seed by seed, and hold the differences against the claim."""
        gains = [a - b for a, b in zip(state["runs"]["pyramid"], state["runs"]["plain"], strict=True)]
        state["better"] = "pyramid" if min(gains) > state["enough"] else "undecided"

    def test(state):
        """Measure what you chose on the test set."""
        state["printed"] = f"{state['better']}: {state['test']}"


@exercise
class JoinedGradient:
    """The gradient of a batch whose parts are on several processes."""

    trials = 80
    hints = (
        "What did each process divide its sum by? Undo that, and divide once at the end.",
        "A process's gradient times its count is a sum over pixels. Sums may be added.",
        "With two processes: `(counts[0] * gradients[0] + counts[1] * gradients[1]) / (counts[0] + counts[1])`.",
    )

    def joined_gradient(gradients, counts):
        weighted = [count * gradient for gradient, count in zip(gradients, counts, strict=True)]
        return sum(weighted) / sum(counts)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Gradients of one process, of two, then of several; any of them may have nothing labelled."""
        yield [torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])], [3, 1]
        yield [torch.tensor([4.0]), torch.tensor([0.0])], [1, 3]
        yield [torch.tensor([2.0, 2.0]), torch.zeros(2)], [5, 0]
        yield [torch.zeros(1), torch.tensor([-6.0]), torch.tensor([3.0])], [0, 1, 2]
        yield [torch.tensor([[1.0, -2.0], [3.0, 0.0]])], [4]
        while True:
            numbers, count = torch_generator(rng), rng.randint(1, 5)
            shape = [rng.randint(1, 3) for _ in range(rng.randint(1, 4))]
            counts = [rng.choice((0, rng.randint(1, 9), rng.randint(100, 300_000))) for _ in range(count)]
            counts[rng.randrange(count)] += 7
            dtype = rng.choice((torch.float32, torch.float64))
            yield [torch.randn(shape, generator=numbers, dtype=dtype) * (n > 0) for n in counts], counts

    @misconception(
        "Your code takes the plain mean. A process with three labelled pixels then pulls as hard as one with a "
        "million: weight each gradient by its count."
    )
    def plain_mean(gradients, counts):
        return sum(gradients) / len(gradients)

    @misconception(
        "Your code adds up the gradients. Each is a mean already, so the step would grow with the number of processes."
    )
    def total(gradients, counts):
        return sum(gradients)

    @misconception(
        "The weights are right, but your code returns their sum. Divide it by the number of all labelled pixels, "
        "`sum(counts)`."
    )
    def not_divided(gradients, counts):
        return sum(n * g for g, n in zip(gradients, counts, strict=True))

    @misconception(
        "Your code divides twice, by the pixels and by the processes. The pixels are enough. (PyTorch divides by the "
        "processes on its own: there, multiply by their number first.)"
    )
    def divided_twice(gradients, counts):
        return sum(n * g for g, n in zip(gradients, counts, strict=True)) / sum(counts) / len(gradients)

    @misconception(
        "Your code divides the weighted sum by the number of processes. It is a sum over pixels: divide by "
        "`sum(counts)`."
    )
    def divided_by_processes(gradients, counts):
        return sum(n * g for g, n in zip(gradients, counts, strict=True)) / len(gradients)

    @misconception(
        "Your code leaves out processes without labels, which is right, but all others count alike. Weight each by "
        "its labelled pixels."
    )
    def empty_left_out(gradients, counts):
        return sum(g for g, n in zip(gradients, counts, strict=True) if n) / sum(n > 0 for n in counts)

    @misconception(
        "Your code weights upside down: a process with fewer labelled pixels counts more. Multiply by the count."
    )
    def upside_down(gradients, counts):
        return sum(g / max(n, 1) for g, n in zip(gradients, counts, strict=True)) / sum(
            1 / max(n, 1) for n in counts
        )


@design
class SmallerCard:
    """Stretch, design: v3's training on a card with a third of the memory."""

    hints = (
        "Two sides of a crop count, and the batch once. Which batch and crop keep `batch * crop**2` below a third of "
        "`16 * 513**2`?",
        "With 8 crops the side may be at most 513 times the square root of 2/3. Choose one whose map has "
        "25 cells or more.",
        "A batch of 8 is half of 16: half the learning rate, twice as many iterations.",
    )

    def takes(plan):
        def whole(value):
            return (
                isinstance(value, numbers.Integral)
                and not isinstance(value, bool)
                and 0 < value <= 10_000_000
            )

        names = ("batch", "crop", "iterations")
        if (
            isinstance(plan, dict)
            and plan.keys() == {*names, "lr"}
            and all(whole(plan[name]) for name in names)
            and isinstance(plan["lr"], numbers.Real)
            and not isinstance(plan["lr"], bool)
            and 0 < plan["lr"] < math.inf
        ):
            return None
        return (
            'Expected {"batch": n, "crop": pixels, "iterations": n, "lr": rate}, all integers except the '
            f"positive learning rate, got {show(plan)}."
        )

    def smaller_card():
        return {"batch": 8, "crop": 417, "iterations": 60_000, "lr": 0.0035}

    @wanted("at most a third of the memory of 16 crops of 513 pixels")
    def fits(plan):
        fraction = plan["batch"] * plan["crop"] ** 2 / (16 * 513**2)
        return fraction <= 1 / 3, f"{fraction:.0%}"

    @wanted("at least 8 crops, because batch norm learns from them")
    def enough_for_batch_norm(plan):
        return plan["batch"] >= 8, f"{plan['batch']} crops"

    @wanted("a crop whose cells, 16 pixels apart, begin and end on its border pixels")
    def on_the_grid(plan):
        over = (plan["crop"] - 1) % 16
        return over == 0, f"{over} pixels left over" if over else "cells on both borders"

    @wanted("a map on which the middle cell keeps all taps of dilation 12")
    def wide_enough(plan):
        cells = -(-plan["crop"] // 16)
        return (cells - 1) // 2 >= 12, f"{cells} cells per side"

    @wanted("as many crops in total as the paper's training sees, within 1%")
    def as_many_crops(plan):
        crops, paper = plan["batch"] * plan["iterations"], _PAPER.batch_size * _PAPER.iterations
        return math.isclose(crops, paper, rel_tol=0.01), f"{crops:,} crops, and the paper {paper:,}"

    @wanted("the learning rate of the linear rule, within 1%")
    def linear_rule(plan):
        rule = _PAPER.lr * plan["batch"] / _PAPER.batch_size
        return math.isclose(plan["lr"], rule, rel_tol=0.01), f"{plan['lr']:g}, and the rule {rule:g}"


_PAPER = experiment("v3_resnet101", "full")
