"""Exercises of lesson 08: the compatibility transform, softmax backwards, positive weights, gradients through steps."""

import math
import random
from collections.abc import Iterator

import torch
from torch.nn import functional as F

from deeplab_lessons.classroom.exercises._framework import Exercise, Misconception


def compatibility_transform(compatibility: torch.Tensor, message: torch.Tensor) -> torch.Tensor:
    """Penalty of each label at each pixel, [C, N]: `compatibility` [C, C] weighs the `message` [C, N].

    `compatibility[l, m]` is what label l costs beside a neighbour with label m. Source: CRF-as-RNN, section 4.4.
    """
    return compatibility @ message


def softmax_backward(marginals: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Gradient [C, N] for the scores of a softmax over C, given its output and the gradient for that output."""
    shared = (marginals * gradient).sum(0)
    return marginals * (gradient - shared)


def step_on_logarithm(weight: float, gradient: float, lr: float) -> float:
    """The weight after one step of gradient descent on its logarithm; `gradient` is the one for the weight."""
    logarithm = math.log(weight) - lr * weight * gradient
    return math.exp(logarithm)


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


def _matrices(rng: random.Random) -> Iterator[tuple]:
    """A compatibility matrix and a message: Potts first, then matrices that are not symmetric."""
    yield 1 - torch.eye(2), torch.tensor([[1.0], [0.0]])
    yield torch.tensor([[0.0, 3.0], [1.0, 0.0]]), torch.tensor([[1.0], [0.0]])
    while True:
        classes, pixels = rng.randint(2, 4), rng.randint(1, 4)
        numbers = torch.Generator().manual_seed(rng.randrange(10**6))
        compatibility = torch.rand(classes, classes, generator=numbers) * 2
        yield compatibility, torch.rand(classes, pixels, generator=numbers)


def _marginals(rng: random.Random) -> Iterator[tuple]:
    """Marginals [C, N] and a gradient for them."""
    yield torch.tensor([[0.5], [0.5]]), torch.tensor([[1.0], [0.0]])
    yield torch.tensor([[0.75, 0.5], [0.25, 0.5]]), torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    while True:
        shape = rng.randint(2, 4), rng.randint(1, 4)
        numbers = torch.Generator().manual_seed(rng.randrange(10**6))
        scores, gradient = torch.randn(2, *shape, generator=numbers)
        yield scores.softmax(0), gradient


def _steps(rng: random.Random) -> Iterator[tuple]:
    """Weight, gradient and rate; in some a plain step would make the weight negative."""
    yield from ((1.0, 1.0, 0.1), (3.0, 0.5, 0.1), (0.5, 2.0, 1.0), (2.0, -1.0, 0.5))
    while True:
        yield round(rng.uniform(0.1, 10), 2), round(rng.uniform(-3, 3), 2), rng.choice((0.01, 0.1, 0.5))


def _small_fields(rng: random.Random) -> Iterator[tuple]:
    """Unary energies, a Gaussian kernel without its self-term, a weight, labels, and a number of steps."""
    unary = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    neighbours = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    yield unary, neighbours, 1.0, torch.tensor([0, 0]), 1
    yield unary, neighbours, 1.0, torch.tensor([0, 0]), 2
    while True:
        classes, pixels, iterations = rng.randint(2, 3), rng.randint(2, 5), rng.randint(1, 4)
        numbers = torch.Generator().manual_seed(rng.randrange(10**6))
        unary = torch.randn(classes, pixels, generator=numbers, dtype=torch.float64)
        place = torch.rand(pixels, 1, generator=numbers, dtype=torch.float64) * 2
        kernel = torch.exp(-((place - place.T) ** 2) / 2) - torch.eye(pixels, dtype=torch.float64)
        labels = torch.randint(0, classes, (pixels,), generator=numbers)
        yield unary, kernel, round(rng.uniform(0.2, 1.5), 2), labels, iterations


def _attempt(unary, kernel, weight, labels, iterations, step=None, loss=None):
    """Steps and loss with one thing done wrong: `step(marginals, unary)` gives the scores, `loss` the loss."""
    unary = unary.clone().requires_grad_()
    marginals = torch.softmax(-unary, 0)
    for _ in range(iterations):
        scores = step(marginals, unary) if step else weight * marginals @ kernel - unary
        marginals = torch.softmax(scores, 0)
    (loss(marginals) if loss else F.nll_loss(marginals.log().T, labels)).backward()
    return unary.grad


compatibility_transform = Exercise(
    reference=compatibility_transform,
    cases=_matrices,
    hints=(
        "Take one pixel. The penalty of label l is a sum over the labels m of the neighbours: "
        "`compatibility[l, m]` times `message[m]`.",
        "A sum over m of [l, m] times [m, pixel] is a matrix product.",
    ),
    misconceptions=(
        Misconception(
            lambda compatibility, message: compatibility.T @ message,
            "The matrix is transposed. The row of `compatibility` is the label whose penalty we want, the "
            "column is the label of the neighbours. With Potts nobody notices, because Potts is symmetric.",
        ),
        Misconception(
            lambda compatibility, message: -compatibility @ message,
            "The sign is turned around. This step gives a penalty, a cost; the minus comes in the next step, "
            "when penalties are taken away from the scores.",
        ),
        Misconception(
            lambda compatibility, message: message.sum(0) - message,
            "This is Potts, whatever the matrix says: all other labels cost the same. Let `compatibility` weigh "
            "them.",
        ),
        Misconception(
            lambda compatibility, message: (1 - compatibility) @ message,
            "This turns costs into rewards. `compatibility` holds costs: 0 means that two labels live well "
            "side by side.",
        ),
        Misconception(
            lambda compatibility, message: compatibility.diagonal()[:, None] * message,
            "This uses the diagonal only: what a label costs beside itself. The penalty comes from all labels "
            "of the neighbours.",
        ),
        Misconception(
            lambda compatibility, message: compatibility.sum(1, keepdim=True) * message,
            "Here each label's own message is multiplied by a sum of the matrix. The costs must meet the "
            "messages of the other labels one by one.",
        ),
    ),
)

softmax_backward = Exercise(
    reference=softmax_backward,
    cases=_marginals,
    hints=(
        "Softmax has the derivative ∂q_l / ∂s_m = q_l (1[l = m] - q_m). A score moves all probabilities of its "
        "pixel, not its own alone.",
        "Sum over l: the gradient of score m is q_m g_m - q_m Σ_l q_l g_l.",
        "`(marginals * gradient).sum(0)` is one number per pixel. Take it from `gradient`, then multiply by "
        "`marginals`.",
    ),
    misconceptions=(
        Misconception(
            lambda marginals, gradient: marginals * (1 - marginals) * gradient,
            "This is the diagonal of the derivative alone: how a score moves its own probability. It also moves "
            "the others of its pixel, because they share a sum of 1.",
        ),
        Misconception(
            lambda marginals, gradient: marginals * gradient,
            "Something is missing: what one label gains the others lose. Take the mean of the gradient, weighted "
            "by the marginals, away first.",
        ),
        Misconception(
            lambda marginals, gradient: marginals * (gradient - gradient.mean(0)),
            "The plain mean is taken away. The labels have a share of the pixel according to their marginals, so "
            "the mean must be weighted by them.",
        ),
        Misconception(
            lambda marginals, gradient: gradient - (marginals * gradient).sum(0),
            "The difference is right, but it must still be multiplied by the marginals: a label with "
            "probability 0 can hardly be moved.",
        ),
        Misconception(
            lambda marginals, gradient: marginals * (gradient - (marginals * gradient).sum()),
            "The sum runs over labels and pixels. Softmax works on each pixel for itself: sum over the labels "
            "only, `sum(0)`.",
        ),
        Misconception(
            lambda marginals, gradient: marginals * (gradient - (marginals * gradient).sum(1, keepdim=True)),
            "The sum runs over the pixels, but softmax mixes the labels of one pixel: `sum(0)`.",
        ),
    ),
)

step_on_logarithm = Exercise(
    reference=step_on_logarithm,
    cases=_steps,
    hints=(
        "The parameter is r = log w. Chain rule: dL/dr = dL/dw · dw/dr, and dw/dr = w.",
        "The new logarithm is `math.log(weight) - lr * weight * gradient`. The exercise asks for the weight.",
    ),
    misconceptions=(
        Misconception(
            lambda weight, gradient, lr: weight - lr * gradient,
            "This is a step on the weight itself. It can become negative; a step on the logarithm never does.",
        ),
        Misconception(
            lambda weight, gradient, lr: max(weight - lr * gradient, 0.0),
            "This is a step on the weight, cut off at 0. A weight that arrives at 0 hardly ever leaves again. "
            "Step on the logarithm.",
        ),
        Misconception(
            lambda weight, gradient, lr: weight * math.exp(-lr * gradient),
            "The step is taken on the logarithm, but with the gradient for the weight. The chain rule gives one "
            "more factor: dw/dr = w.",
        ),
        Misconception(
            lambda weight, gradient, lr: weight * math.exp(lr * weight * gradient),
            "This goes uphill. Descent takes the gradient away.",
        ),
        Misconception(
            lambda weight, gradient, lr: weight - lr * weight * gradient,
            "The chain rule is there, but the step is taken on the weight. Take the logarithm, step, and come "
            "back with exp.",
        ),
        Misconception(
            lambda weight, gradient, lr: math.log(weight) - lr * weight * gradient,
            "This is the new logarithm. The exercise asks for the weight: exp brings it back.",
        ),
    ),
)

gradient_through_steps = Exercise(
    reference=gradient_through_steps,
    cases=_small_fields,
    hints=(
        "Make a copy that autograd watches: `unary = unary.clone().requires_grad_()`. Start with the softmax of "
        "`-unary`.",
        "One step (Potts): the softmax of `weight * marginals @ kernel - unary`. Keep it in the graph: no "
        "`detach`, no `.data`, nothing in place.",
        "The loss is the mean of -log of the right label's marginal: `F.nll_loss(marginals.log().T, labels)`. "
        "Call `.backward()` and return `unary.grad`.",
    ),
    misconceptions=(
        Misconception(
            lambda unary, kernel, weight, labels, iterations: _attempt(
                unary, kernel, weight, labels, iterations, lambda q, u: weight * q.detach() @ kernel - u
            ),
            "The marginals are detached between the steps, so only the last step learns. The steps before it "
            "depend on the unary too, and their gradient must come through.",
        ),
        Misconception(
            lambda unary, kernel, weight, labels, iterations: _attempt(
                unary, kernel, weight, labels, iterations, lambda q, u: weight * q @ kernel - u.detach()
            ),
            "The gradient reaches the unary only through the start. But it is taken away again in every step, "
            "and every step sends a gradient back to it.",
        ),
        Misconception(
            lambda unary, kernel, weight, labels, iterations: _attempt(
                unary, kernel, weight, labels, iterations, lambda q, u: weight * q @ kernel
            ),
            "The unary is used for the start and then forgotten. Each step adds it again: without it the "
            "picture's own evidence is washed away.",
        ),
        Misconception(
            lambda unary, kernel, weight, labels, iterations: _attempt(
                unary, kernel, weight, labels, iterations, loss=lambda q: F.cross_entropy(q.T, labels)
            ),
            "Softmax is applied twice: the marginals are probabilities already, and `F.cross_entropy` wants "
            "scores. Take the logarithm and `F.nll_loss`.",
        ),
        Misconception(
            lambda unary, kernel, weight, labels, iterations: _attempt(
                unary, kernel, weight, labels, iterations, lambda q, u: u + weight * q @ kernel
            ),
            "The sign of the unary is turned around inside the steps. It is an energy: a high one makes a label "
            "unlikely.",
        ),
        Misconception(
            lambda unary, kernel, weight, labels, iterations: _attempt(
                unary, kernel, weight, labels, iterations, lambda q, u: -weight * q @ kernel - u
            ),
            "The message has the wrong sign: here neighbours drive each other away. Under Potts a neighbour's "
            "label is a reason to have the same one.",
        ),
        Misconception(
            lambda unary, kernel, weight, labels, iterations: (
                len(labels) * _attempt(unary, kernel, weight, labels, iterations)
            ),
            "This is the gradient of the sum over the pixels. The loss is their mean.",
        ),
        Misconception(
            lambda unary, kernel, weight, labels, iterations: _attempt(unary, kernel, weight, labels, 1),
            "Only one step is taken, however many there should be.",
        ),
    ),
)
