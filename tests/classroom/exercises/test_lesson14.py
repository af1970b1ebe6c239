"""Lesson 14: right answers in many styles, and wrong ones."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from answers import assert_accepted, assert_rejected, exercise_of, listed, says


class ChanceOfAgreementRight:
    def first_is_free(seeds):
        return 0.5 ** (seeds - 1)

    def divided(seeds):
        return 2 / 2**seeds

    def counted(seeds):
        chance = 1.0
        for _ in range(seeds - 1):
            chance /= 2
        return chance

    def fraction(seeds):
        return Fraction(1, 2 ** (seeds - 1))

    def binomial(seeds):
        return sum(math.comb(seeds, k) for k in {0, seeds}) / 2**seeds

    def exponential(seeds):
        return math.exp((1 - seeds) * math.log(2))

    def tensor(seeds):
        return torch.tensor(0.5, dtype=torch.float64) ** (seeds - 1)


class ChanceOfAgreementWrong:
    @says("one sign only")
    def half_each(seeds):
        return 1 / 2**seeds

    @says("signs disagree")
    def rest(seeds):
        return 1 - 0.5 ** (seeds - 1)

    @says("number of seeds")
    def one_of(seeds):
        return 1 / seeds

    @says("independent")
    def of_pairs(seeds):
        return 0.5 ** math.comb(seeds, 2)

    @says("per cent")
    def hundred(seeds):
        return 100 * 0.5 ** (seeds - 1)

    def half_a_seed(seeds):
        return 0.5 / seeds

    def three_only(seeds):
        return 0.25

    def third(seeds):
        return 3 ** (1 - seeds)

    def without_the_first(seeds):
        return 0.5 ** (seeds - 2)


class FairComparisonRight:
    def claim_first():
        return "BEAFDC"

    def claim_after_the_split():
        return "e b a f d c"

    def claim_before_the_learning_rates():
        return list("EABFDC")

    def claim_before_the_comparison():
        return "EAFBDC"


class FairComparisonWrong:
    @says("called large enough")
    def claim_afterwards():
        return "EAFDBC"

    @says("called large enough")
    def claim_last():
        return "EAFDCB"

    @says("learn from")
    def tuned_before_the_split():
        return "BAEFDC"

    @says("favour")
    def one_learning_rate():
        return "BEFADC"

    @says("no trained networks")
    def compared_untrained():
        return "BEADFC"

    @says("help to choose")
    def tested_first():
        return "BEAFCD"

    @says("missing: C")
    def never_tested():
        return "BEAFD"

    @says("more than once: C")
    def tested_twice():
        return "BEAFDCC"


class JoinedGradientRight:
    def loop(gradients, counts):
        total = torch.zeros_like(gradients[0])
        for gradient, count in zip(gradients, counts, strict=True):
            total += count * gradient
        return total / sum(counts)

    def fractions(gradients, counts):
        return sum(g * (n / sum(counts)) for g, n in zip(gradients, counts, strict=True))

    def stacked(gradients, counts):
        weights = torch.tensor(counts).to(gradients[0])
        return torch.tensordot(weights, torch.stack(gradients), dims=1) / weights.sum()

    def einsum(gradients, counts):
        weights = torch.tensor(counts, dtype=gradients[0].dtype)
        return torch.einsum("p,p...->...", weights / weights.sum(), torch.stack(gradients))

    def numpy(gradients, counts):
        return torch.from_numpy(np.average([g.numpy() for g in gradients], axis=0, weights=counts))

    def flat(gradients, counts):
        rows = torch.stack([gradient.flatten() for gradient in gradients])
        return (torch.tensor([counts]).to(rows) @ rows / sum(counts)).view_as(gradients[0])

    def single_precision(gradients, counts):
        weighted = [g.float() * np.float32(n) for g, n in zip(gradients, counts, strict=True) if n > 0]
        return torch.stack(weighted).sum(0) / np.float32(sum(counts))

    def running(gradients, counts):
        mean, seen = 0 * gradients[0], 0
        for gradient, count in zip(gradients, counts, strict=True):
            seen += count
            mean = mean + (gradient - mean) * (count / seen) if count else mean
        return mean


class JoinedGradientWrong:
    @says("plain mean")
    def mean(gradients, counts):
        return torch.stack(gradients).mean(0)

    @says("adds up the gradients")
    def total(gradients, counts):
        return torch.stack(gradients).sum(0)

    @says("returns their sum")
    def weighted(gradients, counts):
        return sum(g * n for g, n in zip(gradients, counts, strict=True))

    @says("divides twice")
    def twice(gradients, counts):
        return JoinedGradientRight.loop(gradients, counts) / len(counts)

    @says("by the number of processes")
    def by_processes(gradients, counts):
        return JoinedGradientRight.loop(gradients, counts) * sum(counts) / len(counts)

    @says("all others count alike")
    def not_empty(gradients, counts):
        return torch.stack([g for g, n in zip(gradients, counts, strict=True) if n]).mean(0)

    @says("upside down")
    def inverse(gradients, counts):
        weights = [1 / max(n, 1) for n in counts]
        return sum(g * w for g, w in zip(gradients, weights, strict=True)) / sum(weights)

    def two_only(gradients, counts):
        if len(counts) == 1:
            return gradients[0]
        (a, b), (n, m) = gradients[:2], counts[:2]
        return (n * a + m * b) / max(n + m, 1)

    def largest(gradients, counts):
        return gradients[max(range(len(counts)), key=counts.__getitem__)]

    def square_roots(gradients, counts):
        weights = [math.sqrt(n) for n in counts]
        return sum(g * w for g, w in zip(gradients, weights, strict=True)) / sum(weights)

    def weights_in_softmax(gradients, counts):
        weights = torch.tensor(counts).float().softmax(0)
        return torch.einsum("p,p...->...", weights.to(gradients[0]), torch.stack(gradients))

    def whole_weights(gradients, counts):
        return sum(g * (n // sum(counts)) for g, n in zip(gradients, counts, strict=True))

    def one_more_pixel(gradients, counts):
        return JoinedGradientRight.loop(gradients, [n + 1 for n in counts])

    @says("changed its input")
    def in_place(gradients, counts):
        total = gradients[0]
        total *= counts[0]
        for gradient, count in zip(gradients[1:], counts[1:], strict=True):
            total += count * gradient
        return total / sum(counts)

    def first_number(gradients, counts):
        return JoinedGradientRight.loop(gradients, counts).flatten()[0]

    def per_pixel(gradients, counts):
        return sum(g / max(n, 1) for g, n in zip(gradients, counts, strict=True))

    def positive(gradients, counts):
        return JoinedGradientRight.loop([g.abs() for g in gradients], counts)


def plan(batch=8, crop=417, iterations=60_000, lr=0.0035):
    return {"batch": batch, "crop": crop, "iterations": iterations, "lr": lr}


class SmallerCardRight:
    def largest_crop():
        return plan()

    def middle():
        return plan(crop=401)

    def nine_crops():
        return plan(9, 385, 53_333, 0.0039375)

    def numpy_numbers():
        return plan(np.int64(8), np.int64(385), np.int64(60_000), np.float64(0.0035))

    def within_a_per_cent():
        return plan(iterations=60_500, lr=0.00352)

    def other_order():
        return dict(reversed(plan().items()))


class SmallerCardWrong:
    @says("100%")
    def the_paper():
        return plan(16, 513, 30_000, 0.007)

    @says("5 crops")
    def batch_only():
        return plan(5, 513, 96_000, 0.0021875)

    @says("21 cells per side")
    def crop_only():
        return plan(13, 321, 36_923, 0.0056875)

    @says("15 pixels left over")
    def off_the_grid():
        return plan(crop=416)

    @says("240,000 crops")
    def same_iterations():
        return plan(iterations=30_000)

    @says("the rule 0.0035")
    def same_rate():
        return plan(lr=0.007)

    def inverse_rate():
        return plan(lr=0.014)

    @says("36%")
    def hardly_too_large():
        return plan(8, 433)

    @says("Expected {")
    def a_list():
        return [8, 417, 60_000, 0.0035]

    @says("Expected {")
    def other_names():
        return {"batch_size": 8, "crop": 417, "iterations": 60_000, "lr": 0.0035}

    @says("Expected {")
    def text():
        return plan(iterations="60000")

    @says("Expected {")
    def a_crop_with_two_sides():
        return plan(crop=(417, 417))

    @says("Expected {")
    def no_crops():
        return plan(batch=0)

    @says("Expected {")
    def truth():
        return plan(lr=True)

    @says("Expected {")
    def not_a_number():
        return plan(lr=math.nan)


@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Right"))
def test_right_answers_in_any_style_are_accepted(name, answer):
    assert_accepted(exercise_of("lesson14", name), answer)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Wrong"))
def test_wrong_answers_are_rejected(name, answer):
    assert_rejected(exercise_of("lesson14", name), answer)
