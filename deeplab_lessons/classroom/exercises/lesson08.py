"""Exercises of lesson 08: updates out of hand, softmax backwards, positive weights, gradients through steps."""

import math
import random
from collections.abc import Iterator

import torch
from torch.nn import functional as F

from deeplab_lessons.classroom.exercises.cases import torch_generator
from deeplab_lessons.classroom.exercises.framework import exercise, fault, misconception


def _refined(unary, kernel, compatibility, iterations, step):
    """Marginals after some updates with one thing done wrong: `step(scores, message)` gives the new scores."""
    scores = -unary
    for _ in range(iterations):
        scores = step(scores, scores.softmax(0) @ kernel)
    return scores.softmax(0)


@exercise
class UnrolledUpdates:
    """Warm-up, a repair: a CRF layer in which each update builds on the last scores."""

    trials = 100
    hints = (
        "Compare one update with two, by hand. Which terms does the second update add up that the first one had too?",
        "Mean field recomputes the scores in every update. From the last update it needs only the marginals, for the "
        "message.",
        "Begin each update with the unary energies: `-unary - compatibility @ message`.",
    )

    def unrolled_updates(unary, kernel, compatibility, iterations=5):
        scores = -unary
        for _ in range(iterations):
            message = scores.softmax(0) @ kernel
            scores = -unary - compatibility @ message
        return scores.softmax(0)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Unary energies, a kernel, a compatibility matrix (neither symmetric) and perhaps a number of updates."""
        unary, potts = torch.tensor([[0.0, 2.0], [1.0, 0.0]]), torch.tensor([[0.0, 1.0], [1.0, 0.0]])
        yield unary, potts, potts, 0
        yield unary, potts, potts, 1
        yield unary, torch.tensor([[0.0, 1.0], [3.0, 0.0]]), torch.tensor([[0.0, 2.0], [1.0, 0.0]]), 1
        yield unary, potts, torch.tensor([[0.0, 2.0], [1.0, 0.0]]), 2
        yield unary, potts, potts, 3
        while True:
            classes, pixels, numbers = rng.randint(1, 4), rng.randint(1, 6), torch_generator(rng)
            dtype = rng.choice((torch.float32, torch.float64))
            shapes = (classes, pixels), (pixels, pixels), (classes, classes)
            unary, kernel, costs = (torch.randn(*shape, generator=numbers, dtype=dtype) for shape in shapes)
            updates = () if rng.random() < 0.3 else (rng.randint(0, 6),)
            yield rng.choice((1, 4, 200)) * unary, kernel.abs() / 2, costs, *updates

    @fault("After one update the marginals are right. After more, the neighbours count for too much.")
    def accumulating(unary, kernel, compatibility, iterations=5):
        scores = -unary
        for _ in range(iterations):
            message = scores.softmax(0) @ kernel
            scores = scores - compatibility @ message
        return scores.softmax(0)

    @misconception(
        "Your code adds the unary to the last scores, which hold it already. After ten updates it counts eleven times. "
        "Begin each update without the old scores."
    )
    def unary_again_and_again(unary, kernel, compatibility, iterations=5):
        return _refined(unary, kernel, compatibility, iterations, lambda s, m: s - unary - compatibility @ m)

    @misconception(
        "Your code drops the unary after the start, and with it what the network said about each pixel. Every update "
        "adds it again."
    )
    def unary_dropped(unary, kernel, compatibility, iterations=5):
        return _refined(unary, kernel, compatibility, iterations, lambda s, m: -compatibility @ m)

    @misconception(
        "Your code adds the unary inside the updates. It is an energy, and a high energy makes a label unlikely: "
        "subtract it."
    )
    def unary_sign(unary, kernel, compatibility, iterations=5):
        return _refined(unary, kernel, compatibility, iterations, lambda s, m: unary - compatibility @ m)

    @misconception(
        "Your code adds the penalty, so a label gains from what should cost it. Compatibilities are costs: subtract "
        "them."
    )
    def penalty_sign(unary, kernel, compatibility, iterations=5):
        return _refined(unary, kernel, compatibility, iterations, lambda s, m: -unary + compatibility @ m)

    @misconception(
        "Your code transposes the compatibilities. The row is the label that pays, the column is the neighbour's "
        "label. Potts is symmetric and hides this."
    )
    def transposed(unary, kernel, compatibility, iterations=5):
        return _refined(unary, kernel, compatibility, iterations, lambda s, m: -unary - compatibility.T @ m)

    @misconception(
        "Your code transposes the kernel. The message is `marginals @ kernel`, without a transpose. A symmetric kernel "
        "hides this."
    )
    def kernel_transposed(unary, kernel, compatibility, iterations=5):
        return UnrolledUpdates.unrolled_updates(unary, kernel.T, compatibility, iterations)

    @misconception(
        "Your code takes the softmax over the pixels. The marginals of one pixel add up to 1 over the classes, which "
        "are axis 0."
    )
    def softmax_over_pixels(unary, kernel, compatibility, iterations=5):
        scores = -unary
        for _ in range(iterations):
            scores = -unary - compatibility @ (scores.softmax(1) @ kernel)
        return scores.softmax(1)

    @misconception("Your code returns the scores. The marginals are their softmax over the classes.")
    def scores_returned(unary, kernel, compatibility, iterations=5):
        scores = -unary
        for _ in range(iterations):
            scores = -unary - compatibility @ (scores.softmax(0) @ kernel)
        return scores

    @misconception("Your code makes one update, however many there should be: `iterations` says how many.")
    def one_update(unary, kernel, compatibility, iterations=5):
        return _refined(unary, kernel, compatibility, 1, lambda s, m: -unary - compatibility @ m)

    @misconception(
        "Your code filters the scores. Neighbours tell each other how probable they find each label: take the softmax "
        "before the filter."
    )
    def scores_filtered(unary, kernel, compatibility, iterations=5):
        scores = -unary
        for _ in range(iterations):
            scores = -unary - compatibility @ (scores @ kernel)
        return scores.softmax(0)


@exercise
class SoftmaxBackward:
    """The gradient through a softmax, by hand."""

    hints = (
        "How does a score move the probabilities of the other labels of its pixel?",
        "Softmax has the derivative ∂q_l / ∂s_m = q_l (1[l = m] - q_m). Summed over l, the gradient of score m is q_m"
        " g_m - q_m Σ_l q_l g_l.",
        "`(marginals * gradient).sum(0)` is one number per pixel. Subtract it from `gradient`, then multiply by "
        "`marginals`.",
    )

    def softmax_backward(marginals, gradient):
        shared = (marginals * gradient).sum(0)
        return marginals * (gradient - shared)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Marginals [C, N] and a gradient for them; some marginals are 0 and 1."""
        yield torch.tensor([[0.5], [0.5]]), torch.tensor([[2.0], [0.0]])
        yield torch.tensor([[0.25, 0.5], [0.75, 0.5]]), torch.tensor([[4.0, 0.0], [0.0, -2.0]])
        yield (
            torch.tensor([[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]]),
            torch.tensor([[3.0, 1.0, 1.0], [1.0, 2.0, 5.0]]),
        )
        yield (
            torch.tensor([[0.5, 0.0], [0.25, 1.0], [0.25, 0.0]]),
            torch.tensor([[2.0, 1.0], [0.0, 1.0], [4.0, 1.0]]),
        )
        while True:
            shape, numbers = (rng.randint(1, 5), rng.randint(1, 6)), torch_generator(rng)
            dtype = rng.choice((torch.float32, torch.float64))
            scores, gradient = torch.randn(2, *shape, generator=numbers, dtype=dtype)
            yield (rng.choice((1, 3, 100)) * scores).softmax(0), rng.choice((1, 50)) * gradient

    @misconception(
        "Your code has only the diagonal of the derivative: how a score moves its own probability. It also moves "
        "the others of its pixel, because they add up to 1."
    )
    def own_score_only(marginals, gradient):
        return marginals * (1 - marginals) * gradient

    @misconception(
        "Your code lets one label gain without any loss to the others. First subtract the mean of the gradient, "
        "weighted by the marginals."
    )
    def no_mean(marginals, gradient):
        return marginals * gradient

    @misconception(
        "Your code subtracts the plain mean. A label counts as much as its marginal says: use the mean that is "
        "weighted by the marginals."
    )
    def plain_mean(marginals, gradient):
        return marginals * (gradient - gradient.mean(0))

    @misconception(
        "Your code divides the weighted sum by the number of labels. The marginals add up to 1 already, so the sum is "
        "the mean."
    )
    def divided_twice(marginals, gradient):
        return marginals * (gradient - (marginals * gradient).mean(0))

    @misconception(
        "The difference is right, but your code does not multiply it by the marginals. A label with probability 0 does "
        "not move."
    )
    def not_multiplied(marginals, gradient):
        return gradient - (marginals * gradient).sum(0)

    @misconception(
        "Your code sums over labels and pixels. Softmax treats each pixel on its own: sum over the labels "
        "only, `sum(0)`."
    )
    def summed_over_all(marginals, gradient):
        return marginals * (gradient - (marginals * gradient).sum())

    @misconception("Your code sums over the pixels, but softmax mixes the labels of one pixel: `sum(0)`.")
    def summed_over_pixels(marginals, gradient):
        return marginals * (gradient - (marginals * gradient).sum(1, keepdim=True))

    @misconception(
        "Your code subtracts the gradient from the weighted mean, so every sign is flipped. Subtract the weighted mean "
        "from the gradient."
    )
    def wrong_sign(marginals, gradient):
        return marginals * ((marginals * gradient).sum(0) - gradient)

    @misconception(
        "Your code takes a softmax of the marginals. They came out of a softmax already: use them as they are."
    )
    def softmax_twice(marginals, gradient):
        q = marginals.softmax(0)
        return q * (gradient - (q * gradient).sum(0))


@exercise
class StepOnLogarithm:
    """A step of gradient descent that keeps a weight positive."""

    hints = (
        "How does the loss change with r = log w, if you know how it changes with w?",
        "By the chain rule dL/dr = dL/dw · dw/dr, and w = exp(r) has dw/dr = w. Step with that gradient, and return "
        "to the weight with exp.",
        "After `import math`, the new logarithm is `math.log(weight) - lr * weight * gradient`.",
    )

    def step_on_logarithm(weight, gradient, lr):
        import math

        logarithm = math.log(weight) - lr * weight * gradient
        return math.exp(logarithm)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Weight, gradient and learning rate; in some a plain step would make the weight negative."""
        yield from ((2, 1, 1), (1, 3, 2), (3, -1, 1), (4, 0, 1), (0.5, 2, 1.0), (3.0, 0.5, 0.1))
        while True:
            weight = 10 ** rng.uniform(-3, 2)  # so that weights below 1 and far above are as common
            yield weight, rng.uniform(-3, 3), rng.choice((0.001, 0.01, 0.05, 0.1))

    @misconception(
        "Your code steps on the weight itself, which can become negative. A step on the logarithm never makes it so."
    )
    def plain_step(weight, gradient, lr):
        return weight - lr * gradient

    @misconception(
        "Your code steps on the weight and cuts it off at 0, where a kernel says nothing. Step on the logarithm."
    )
    def cut_off_at_zero(weight, gradient, lr):
        return max(weight - lr * gradient, 0.0)

    @misconception(
        "Your code steps on the logarithm with the gradient with respect to the weight. The chain rule gives one "
        "more factor: dw/dr = w."
    )
    def no_chain_rule(weight, gradient, lr):
        return weight * math.exp(-lr * gradient)

    @misconception(
        "Your code divides by the weight. That is dr/dw. The gradient for r needs dw/dr, which is w: multiply."
    )
    def chain_rule_upside_down(weight, gradient, lr):
        return weight * math.exp(-lr * gradient / weight)

    @misconception("Your code goes uphill. Descent subtracts the gradient.")
    def uphill(weight, gradient, lr):
        return weight * math.exp(lr * weight * gradient)

    @misconception(
        "Your code has the chain rule, but steps on the weight. Take the logarithm, step, and come "
        "back with exp."
    )
    def step_on_weight(weight, gradient, lr):
        return weight - lr * weight * gradient

    @misconception(
        "Your code returns the new logarithm. The exercise asks for the weight: exp brings it back."
    )
    def returns_logarithm(weight, gradient, lr):
        return math.log(weight) - lr * weight * gradient

    @misconception(
        "Your code takes exp without the logarithm before it. Step on log w, and not on w: exp then brings you back to "
        "a weight."
    )
    def no_logarithm(weight, gradient, lr):
        return math.exp(min(weight - lr * weight * gradient, 700))

    @misconception(
        "Your code takes the logarithm with one base and comes back with another. exp goes with the natural logarithm, "
        "`math.log` after `import math`."
    )
    def another_base(weight, gradient, lr):
        return math.exp(math.log10(weight) - lr * weight * gradient)


def _attempt(unary, kernel, weight, labels, iterations, step=None, loss=None, start=-1, axis=0):
    """Steps and loss with one thing done wrong: `step(marginals, unary)` gives the scores, `loss` the loss."""
    unary = unary.clone().requires_grad_()
    marginals = torch.softmax(start * unary, axis)
    for _ in range(iterations):
        scores = step(marginals, unary) if step else weight * marginals @ kernel - unary
        marginals = torch.softmax(scores, axis)
    (loss(marginals) if loss else F.nll_loss(marginals.log().T, labels)).backward()
    return unary.grad


@exercise
class GradientThroughSteps:
    """Stretch: the gradient through unrolled mean-field steps."""

    trials = 120
    hints = (
        "Which tensor should autograd watch, and how does the loss depend on it?",
        "A copy of the unary: `unary.clone().requires_grad_()`. One step is the softmax of `weight * marginals @ "
        "kernel - unary`: no `detach`, no `.data`, nothing in place.",
        "The loss is `F.nll_loss(marginals.log().T, labels)`. Call `.backward()` on it and return `unary.grad`.",
    )

    def gradient_through_steps(unary, kernel, weight, labels, iterations):
        unary = unary.clone().requires_grad_()
        marginals = torch.softmax(-unary, 0)
        for _ in range(iterations):
            marginals = torch.softmax(weight * marginals @ kernel - unary, 0)
        F.nll_loss(marginals.log().T, labels).backward()
        return unary.grad

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Unary energies, a kernel (not always symmetric), a weight, labels, and a number of steps from 0."""
        unary = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
        neighbours = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
        yield unary, neighbours, 1, torch.tensor([0, 0]), 1
        yield unary, neighbours, 1, torch.tensor([0, 0]), 2
        yield unary, torch.tensor([[0.0, 2.0], [1.0, 0.0]], dtype=torch.float64), 2, torch.tensor([0, 1]), 2
        yield unary, neighbours, 1, torch.tensor([1, 0]), 0
        while True:
            classes, pixels, numbers = rng.randint(2, 5), rng.randint(1, 6), torch_generator(rng)
            dtype = rng.choice((torch.float32, torch.float64))
            unary = torch.randn(classes, pixels, generator=numbers, dtype=dtype)
            if rng.random() < 0.5:
                kernel = torch.rand(pixels, pixels, generator=numbers, dtype=dtype)
            else:
                place = torch.rand(pixels, 1, generator=numbers, dtype=dtype) * 2
                kernel = torch.exp(-((place - place.T) ** 2) / 2) - torch.eye(pixels, dtype=dtype)
            labels = torch.randint(0, classes, (pixels,), generator=numbers)
            yield unary, kernel, round(rng.uniform(0.2, 1.5), 2), labels, rng.randint(0, 4)

    @misconception(
        "Your code detaches the marginals between the steps, so only the last step learns. The earlier steps "
        "depend on the unary too, and their gradient must come through."
    )
    def detached_marginals(unary, kernel, weight, labels, iterations):
        return _attempt(
            unary, kernel, weight, labels, iterations, lambda q, u: weight * q.detach() @ kernel - u
        )

    @misconception(
        "In your code the gradient reaches the unary only through the start. Every step subtracts the unary again, "
        "and every step sends a gradient back to it."
    )
    def detached_unary(unary, kernel, weight, labels, iterations):
        return _attempt(
            unary, kernel, weight, labels, iterations, lambda q, u: weight * q @ kernel - u.detach()
        )

    @misconception(
        "Your code uses the unary for the start and then drops it. Each step subtracts it again: without it, the "
        "image's own evidence is washed away."
    )
    def no_unary(unary, kernel, weight, labels, iterations):
        return _attempt(unary, kernel, weight, labels, iterations, lambda q, u: weight * q @ kernel)

    @misconception(
        "Your code takes a second softmax: the marginals are probabilities already, and `F.cross_entropy` expects "
        "scores. Take the logarithm and `F.nll_loss`."
    )
    def softmax_twice(unary, kernel, weight, labels, iterations):
        return _attempt(
            unary, kernel, weight, labels, iterations, loss=lambda q: F.cross_entropy(q.T, labels)
        )

    @misconception(
        "Your code passes marginals to `F.nll_loss`, which takes no logarithm of its own: the loss is minus their "
        "mean. Pass it `marginals.log().T`."
    )
    def no_logarithm(unary, kernel, weight, labels, iterations):
        return _attempt(unary, kernel, weight, labels, iterations, loss=lambda q: F.nll_loss(q.T, labels))

    @misconception(
        "Your code adds the unary inside the steps. It is an energy, and a high energy makes a label "
        "unlikely: subtract it."
    )
    def wrong_unary_sign(unary, kernel, weight, labels, iterations):
        return _attempt(unary, kernel, weight, labels, iterations, lambda q, u: u + weight * q @ kernel)

    @misconception(
        "Your code starts with the softmax of the unary. It is an energy, and a high energy makes a label unlikely: "
        "start with the softmax of `-unary`."
    )
    def wrong_start(unary, kernel, weight, labels, iterations):
        return _attempt(unary, kernel, weight, labels, iterations, start=1)

    @misconception(
        "Your code gives the message the wrong sign: neighbours drive each other away. Under Potts a neighbour's "
        "label is a reason to have the same one."
    )
    def wrong_message_sign(unary, kernel, weight, labels, iterations):
        return _attempt(unary, kernel, weight, labels, iterations, lambda q, u: -weight * q @ kernel - u)

    @misconception("Your code returns the gradient of the sum over the pixels. The loss is their mean.")
    def summed(unary, kernel, weight, labels, iterations):
        return len(labels) * _attempt(unary, kernel, weight, labels, iterations)

    @misconception("Your code takes one step, however many there should be: `iterations` says how many.")
    def one_step(unary, kernel, weight, labels, iterations):
        return _attempt(unary, kernel, weight, labels, 1)

    @misconception(
        "Your code transposes the kernel. The message is `weight * marginals @ kernel`, without a transpose."
    )
    def kernel_transposed(unary, kernel, weight, labels, iterations):
        return _attempt(unary, kernel.T, weight, labels, iterations)
