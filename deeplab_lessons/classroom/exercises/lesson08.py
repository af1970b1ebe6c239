"""Exercises of lesson 08: the compatibility transform, softmax backwards, positive weights, gradients through steps."""

import math
import random
from collections.abc import Iterator

import torch
from torch.nn import functional as F

from deeplab_lessons.classroom.exercises.cases import torch_generator
from deeplab_lessons.classroom.exercises.framework import exercise, misconception


def _attempt(unary, kernel, weight, labels, iterations, step=None, loss=None):
    """Steps and loss with one thing done wrong: `step(marginals, unary)` gives the scores, `loss` the loss."""
    unary = unary.clone().requires_grad_()
    marginals = torch.softmax(-unary, 0)
    for _ in range(iterations):
        scores = step(marginals, unary) if step else weight * marginals @ kernel - unary
        marginals = torch.softmax(scores, 0)
    (loss(marginals) if loss else F.nll_loss(marginals.log().T, labels)).backward()
    return unary.grad


@exercise
class CompatibilityTransform:
    """Warm-up: what each label costs beside the neighbours' labels."""

    hints = (
        "Take one pixel. The penalty of label l is a sum over the labels m of the neighbours: "
        "`compatibility[l, m]` times `message[m]`.",
        "A sum over m of [l, m] times [m, pixel] is a matrix product.",
    )

    def compatibility_transform(compatibility: torch.Tensor, message: torch.Tensor) -> torch.Tensor:
        """Penalty of each label at each pixel, [C, N]: `compatibility` [C, C] weighs the `message` [C, N].

        `compatibility[l, m]` is what label l costs beside a neighbour with label m. Source: CRF-as-RNN, section 4.4.
        """
        return compatibility @ message

    def cases(rng: random.Random) -> Iterator[tuple]:
        """A compatibility matrix and a message: Potts first, then matrices that are not symmetric."""
        yield 1 - torch.eye(2), torch.tensor([[1.0], [0.0]])
        yield torch.tensor([[0.0, 3.0], [1.0, 0.0]]), torch.tensor([[1.0], [0.0]])
        while True:
            classes, pixels = rng.randint(2, 4), rng.randint(1, 4)
            numbers = torch_generator(rng)
            compatibility = torch.rand(classes, classes, generator=numbers) * 2
            yield compatibility, torch.rand(classes, pixels, generator=numbers)

    @misconception(
        "The matrix is transposed. The row of `compatibility` is the label whose penalty we want, the "
        "column is the label of the neighbours. With Potts nobody notices, because Potts is symmetric."
    )
    def transposed(compatibility, message):
        return compatibility.T @ message

    @misconception(
        "The sign is turned around. This step gives a penalty, a cost; the minus comes in the next step, "
        "when penalties are taken away from the scores."
    )
    def wrong_sign(compatibility, message):
        return -compatibility @ message

    @misconception(
        "This is Potts, whatever the matrix says: all other labels cost the same. Let `compatibility` weigh "
        "them."
    )
    def potts(compatibility, message):
        return message.sum(0) - message

    @misconception(
        "This turns costs into rewards. `compatibility` holds costs: 0 means that two labels live well "
        "side by side."
    )
    def rewards(compatibility, message):
        return (1 - compatibility) @ message

    @misconception(
        "This uses the diagonal only: what a label costs beside itself. The penalty comes from all labels "
        "of the neighbours."
    )
    def diagonal_only(compatibility, message):
        return compatibility.diagonal()[:, None] * message

    @misconception(
        "Here each label's own message is multiplied by a sum of the matrix. The costs must meet the "
        "messages of the other labels one by one."
    )
    def row_sums(compatibility, message):
        return compatibility.sum(1, keepdim=True) * message


@exercise
class SoftmaxBackward:
    """The gradient through a softmax, by hand."""

    hints = (
        "Softmax has the derivative ∂q_l / ∂s_m = q_l (1[l = m] - q_m). A score moves all probabilities of its "
        "pixel, not its own alone.",
        "Sum over l: the gradient of score m is q_m g_m - q_m Σ_l q_l g_l.",
        "`(marginals * gradient).sum(0)` is one number per pixel. Take it from `gradient`, then multiply by "
        "`marginals`.",
    )

    def softmax_backward(marginals: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """Gradient [C, N] for the scores of a softmax over C, given its output and the gradient for that output."""
        shared = (marginals * gradient).sum(0)
        return marginals * (gradient - shared)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Marginals [C, N] and a gradient for them."""
        yield torch.tensor([[0.5], [0.5]]), torch.tensor([[1.0], [0.0]])
        yield torch.tensor([[0.75, 0.5], [0.25, 0.5]]), torch.tensor([[1.0, 0.0], [0.0, 2.0]])
        while True:
            shape = rng.randint(2, 4), rng.randint(1, 4)
            numbers = torch_generator(rng)
            scores, gradient = torch.randn(2, *shape, generator=numbers)
            yield scores.softmax(0), gradient

    @misconception(
        "This is the diagonal of the derivative alone: how a score moves its own probability. It also moves "
        "the others of its pixel, because they share a sum of 1."
    )
    def own_score_only(marginals, gradient):
        return marginals * (1 - marginals) * gradient

    @misconception(
        "Something is missing: what one label gains the others lose. Take the mean of the gradient, weighted "
        "by the marginals, away first."
    )
    def no_mean(marginals, gradient):
        return marginals * gradient

    @misconception(
        "The plain mean is taken away. The labels have a share of the pixel according to their marginals, so "
        "the mean must be weighted by them."
    )
    def plain_mean(marginals, gradient):
        return marginals * (gradient - gradient.mean(0))

    @misconception(
        "The difference is right, but it must still be multiplied by the marginals: a label with "
        "probability 0 can hardly be moved."
    )
    def not_multiplied(marginals, gradient):
        return gradient - (marginals * gradient).sum(0)

    @misconception(
        "The sum runs over labels and pixels. Softmax works on each pixel for itself: sum over the labels "
        "only, `sum(0)`."
    )
    def summed_over_all(marginals, gradient):
        return marginals * (gradient - (marginals * gradient).sum())

    @misconception("The sum runs over the pixels, but softmax mixes the labels of one pixel: `sum(0)`.")
    def summed_over_pixels(marginals, gradient):
        return marginals * (gradient - (marginals * gradient).sum(1, keepdim=True))


@exercise
class StepOnLogarithm:
    """A step of gradient descent that keeps a weight positive."""

    hints = (
        "The parameter is r = log w. Chain rule: dL/dr = dL/dw · dw/dr, and dw/dr = w.",
        "After `import math`, the new logarithm is `math.log(weight) - lr * weight * gradient`. The exercise asks for "
        "the weight.",
    )

    def step_on_logarithm(weight: float, gradient: float, lr: float) -> float:
        """The weight after one step of gradient descent on its logarithm; `gradient` is the one for the weight."""
        logarithm = math.log(weight) - lr * weight * gradient
        return math.exp(logarithm)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Weight, gradient and rate; in some a plain step would make the weight negative."""
        yield from ((1.0, 1.0, 0.1), (3.0, 0.5, 0.1), (0.5, 2.0, 1.0), (2.0, -1.0, 0.5))
        while True:
            yield round(rng.uniform(0.1, 10), 2), round(rng.uniform(-3, 3), 2), rng.choice((0.01, 0.1, 0.5))

    @misconception(
        "This is a step on the weight itself. It can become negative; a step on the logarithm never does."
    )
    def plain_step(weight, gradient, lr):
        return weight - lr * gradient

    @misconception(
        "This is a step on the weight, cut off at 0. A weight that arrives at 0 hardly ever leaves again. "
        "Step on the logarithm."
    )
    def cut_off_at_zero(weight, gradient, lr):
        return max(weight - lr * gradient, 0.0)

    @misconception(
        "The step is taken on the logarithm, but with the gradient for the weight. The chain rule gives one "
        "more factor: dw/dr = w."
    )
    def no_chain_rule(weight, gradient, lr):
        return weight * math.exp(-lr * gradient)

    @misconception("This goes uphill. Descent takes the gradient away.")
    def uphill(weight, gradient, lr):
        return weight * math.exp(lr * weight * gradient)

    @misconception(
        "The chain rule is there, but the step is taken on the weight. Take the logarithm, step, and come "
        "back with exp."
    )
    def step_on_weight(weight, gradient, lr):
        return weight - lr * weight * gradient

    @misconception("This is the new logarithm. The exercise asks for the weight: exp brings it back.")
    def returns_logarithm(weight, gradient, lr):
        return math.log(weight) - lr * weight * gradient


@exercise
class GradientThroughSteps:
    """Stretch: the gradient through unrolled mean-field steps."""

    hints = (
        "Make a copy that autograd watches: `unary = unary.clone().requires_grad_()`. Start with the softmax of "
        "`-unary`.",
        "One step (Potts): the softmax of `weight * marginals @ kernel - unary`. Keep it in the graph: no "
        "`detach`, no `.data`, nothing in place.",
        "The loss is the mean of -log of the right label's marginal: `F.nll_loss(marginals.log().T, labels)`. "
        "Call `.backward()` and return `unary.grad`.",
    )

    def gradient_through_steps(
        unary: torch.Tensor, kernel: torch.Tensor, weight: float, labels: torch.Tensor, iterations: int
    ) -> torch.Tensor:
        """Gradient [C, N] for the unary energies, from the mean cross-entropy after some mean-field steps (Potts).

        `unary` is [C, N], `kernel` [N, N] (symmetric), `labels` int64 [N]. Source: CRF-as-RNN, section 5.1.
        """
        unary = unary.clone().requires_grad_()
        marginals = torch.softmax(-unary, 0)
        for _ in range(iterations):
            marginals = torch.softmax(weight * marginals @ kernel - unary, 0)
        F.nll_loss(marginals.log().T, labels).backward()
        return unary.grad

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Unary energies, a Gaussian kernel without its self-term, a weight, labels, and a number of steps."""
        unary = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
        neighbours = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
        yield unary, neighbours, 1.0, torch.tensor([0, 0]), 1
        yield unary, neighbours, 1.0, torch.tensor([0, 0]), 2
        while True:
            classes, pixels, iterations = rng.randint(2, 3), rng.randint(2, 5), rng.randint(1, 4)
            numbers = torch_generator(rng)
            unary = torch.randn(classes, pixels, generator=numbers, dtype=torch.float64)
            place = torch.rand(pixels, 1, generator=numbers, dtype=torch.float64) * 2
            kernel = torch.exp(-((place - place.T) ** 2) / 2) - torch.eye(pixels, dtype=torch.float64)
            labels = torch.randint(0, classes, (pixels,), generator=numbers)
            yield unary, kernel, round(rng.uniform(0.2, 1.5), 2), labels, iterations

    @misconception(
        "The marginals are detached between the steps, so only the last step learns. The steps before it "
        "depend on the unary too, and their gradient must come through."
    )
    def detached_marginals(unary, kernel, weight, labels, iterations):
        return _attempt(
            unary, kernel, weight, labels, iterations, lambda q, u: weight * q.detach() @ kernel - u
        )

    @misconception(
        "The gradient reaches the unary only through the start. But it is taken away again in every step, "
        "and every step sends a gradient back to it."
    )
    def detached_unary(unary, kernel, weight, labels, iterations):
        return _attempt(
            unary, kernel, weight, labels, iterations, lambda q, u: weight * q @ kernel - u.detach()
        )

    @misconception(
        "The unary is used for the start and then forgotten. Each step adds it again: without it the "
        "picture's own evidence is washed away."
    )
    def no_unary(unary, kernel, weight, labels, iterations):
        return _attempt(unary, kernel, weight, labels, iterations, lambda q, u: weight * q @ kernel)

    @misconception(
        "Softmax is applied twice: the marginals are probabilities already, and `F.cross_entropy` wants "
        "scores. Take the logarithm and `F.nll_loss`."
    )
    def softmax_twice(unary, kernel, weight, labels, iterations):
        return _attempt(
            unary, kernel, weight, labels, iterations, loss=lambda q: F.cross_entropy(q.T, labels)
        )

    @misconception(
        "The sign of the unary is turned around inside the steps. It is an energy: a high one makes a label "
        "unlikely."
    )
    def wrong_unary_sign(unary, kernel, weight, labels, iterations):
        return _attempt(unary, kernel, weight, labels, iterations, lambda q, u: u + weight * q @ kernel)

    @misconception(
        "The message has the wrong sign: here neighbours drive each other away. Under Potts a neighbour's "
        "label is a reason to have the same one."
    )
    def wrong_message_sign(unary, kernel, weight, labels, iterations):
        return _attempt(unary, kernel, weight, labels, iterations, lambda q, u: -weight * q @ kernel - u)

    @misconception("This is the gradient of the sum over the pixels. The loss is their mean.")
    def summed(unary, kernel, weight, labels, iterations):
        return len(labels) * _attempt(unary, kernel, weight, labels, iterations)

    @misconception("Only one step is taken, however many there should be.")
    def one_step(unary, kernel, weight, labels, iterations):
        return _attempt(unary, kernel, weight, labels, 1)
