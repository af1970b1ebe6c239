"""Lesson 08: right answers in many styles, and wrong ones."""

import math

import numpy as np
import pytest
import torch
from answers import assert_accepted, assert_rejected, exercise_of, listed, says
from torch.nn import functional as F


class UnrolledUpdatesRight:
    def energies(unary, kernel, compatibility, iterations=5):
        energy = unary
        for _ in range(iterations):
            energy = unary + compatibility @ (torch.softmax(-energy, 0) @ kernel)
        return torch.softmax(-energy, 0)

    def marginals_kept(unary, kernel, compatibility, iterations=5):
        q = (-unary).softmax(dim=0)
        for _ in range(iterations):
            q = (-unary - compatibility.matmul(q).matmul(kernel)).softmax(dim=0)
        return q

    def einsum(unary, kernel, compatibility, iterations=5):
        q = torch.softmax(-unary, 0)
        for _ in range(iterations):
            q = torch.softmax(-unary - torch.einsum("lm,mi,ij->lj", compatibility, q, kernel), 0)
        return q

    def recursion(unary, kernel, compatibility, iterations=5):
        def after(n):
            if n == 0:
                return torch.softmax(-unary, 0)
            return torch.softmax(-unary - compatibility @ after(n - 1) @ kernel, 0)

        return after(iterations)

    def numpy(unary, kernel, compatibility, iterations=5):
        theta, k, mu = unary.numpy(), kernel.numpy(), compatibility.numpy()
        scores = -theta
        for _ in range(iterations):
            shifted = np.exp(scores - scores.max(0))
            scores = -theta - mu @ (shifted / shifted.sum(0) @ k)
        shifted = np.exp(scores - scores.max(0))
        return torch.from_numpy(shifted / shifted.sum(0))

    def doubles(unary, kernel, compatibility, iterations=5):
        return UnrolledUpdatesRight.marginals_kept(
            unary.double(), kernel.double(), compatibility.double(), iterations
        )

    def loops(unary, kernel, compatibility, iterations=5):
        classes, pixels = unary.shape
        q = torch.softmax(-unary, 0)
        for _ in range(iterations):
            scores = -unary.clone()
            for j in range(pixels):
                heard = sum(kernel[i, j] * q[:, i] for i in range(pixels))
                for label in range(classes):
                    scores[label, j] -= (compatibility[label] * heard).sum()
            q = scores.softmax(0)
        return q

    def convolution(unary, kernel, compatibility, iterations=5):
        classes = len(unary)
        q = F.softmax(-unary, dim=0)
        for _ in range(iterations):
            penalty = F.conv1d((q @ kernel)[None], compatibility.view(classes, classes, 1))[0]
            q = F.softmax(-unary - penalty, dim=0)
        return q

    def exponentials(unary, kernel, compatibility, iterations=5):
        log_q = F.log_softmax(-unary, 0)
        for _ in range(iterations):
            log_q = F.log_softmax(-unary - compatibility @ (log_q.exp() @ kernel), 0)
        return log_q.exp()


def refined(unary, kernel, compatibility, iterations, step):
    scores = -unary
    for _ in range(iterations):
        scores = step(scores, scores.softmax(0))
    return scores.softmax(0)


class UnrolledUpdatesWrong:
    @says("neighbours count for too much")
    def as_given(unary, kernel, compatibility, iterations=5):
        scores = -unary
        for _ in range(iterations):
            message = scores.softmax(0) @ kernel
            scores = scores - compatibility @ message
        return scores.softmax(0)

    @says("neighbours count for too much")
    def in_place(unary, kernel, compatibility, iterations=5):
        scores = -unary
        for _ in range(iterations):
            scores -= compatibility @ (scores.softmax(0) @ kernel)
        return scores.softmax(0)

    @says("to the last scores")
    def unary_added_again(unary, kernel, compatibility, iterations=5):
        return refined(
            unary, kernel, compatibility, iterations, lambda s, q: s - unary - compatibility @ q @ kernel
        )

    @says("drops the unary")
    def no_unary(unary, kernel, compatibility, iterations=5):
        return refined(unary, kernel, compatibility, iterations, lambda s, q: -compatibility @ (q @ kernel))

    @says("is an energy")
    def unary_added(unary, kernel, compatibility, iterations=5):
        return refined(
            unary, kernel, compatibility, iterations, lambda s, q: unary - compatibility @ q @ kernel
        )

    @says("adds the penalty")
    def penalty_added(unary, kernel, compatibility, iterations=5):
        return refined(
            unary, kernel, compatibility, iterations, lambda s, q: -unary + compatibility @ q @ kernel
        )

    @says("transposes the compatibilities")
    def transposed(unary, kernel, compatibility, iterations=5):
        return refined(
            unary, kernel, compatibility, iterations, lambda s, q: -unary - compatibility.T @ q @ kernel
        )

    def kernel_transposed(unary, kernel, compatibility, iterations=5):
        return refined(
            unary, kernel, compatibility, iterations, lambda s, q: -unary - compatibility @ q @ kernel.T
        )

    def kernel_mean(unary, kernel, compatibility, iterations=5):
        return UnrolledUpdatesRight.energies(unary, (kernel + kernel.T) / 2, compatibility, iterations)

    def potts(unary, kernel, compatibility, iterations=5):
        return UnrolledUpdatesRight.energies(unary, kernel, 1 - torch.eye(len(unary)).to(unary), iterations)

    def diagonal_ignored(unary, kernel, compatibility, iterations=5):
        costs = compatibility - compatibility.diag().diag()
        return UnrolledUpdatesRight.energies(unary, kernel, costs, iterations)

    @says("filters the scores")
    def scores_filtered(unary, kernel, compatibility, iterations=5):
        scores = -unary
        for _ in range(iterations):
            scores = -unary - compatibility @ scores @ kernel
        return scores.softmax(0)

    @says("over the pixels")
    def softmax_over_pixels(unary, kernel, compatibility, iterations=5):
        q = (-unary).softmax(1)
        for _ in range(iterations):
            q = (-unary - compatibility @ q @ kernel).softmax(1)
        return q

    @says("returns the scores")
    def scores(unary, kernel, compatibility, iterations=5):
        scores = -unary
        for _ in range(iterations):
            scores = -unary - compatibility @ (scores.softmax(0) @ kernel)
        return scores

    @says("makes one update")
    def one(unary, kernel, compatibility, iterations=5):
        return UnrolledUpdatesRight.energies(unary, kernel, compatibility, 1)

    def always_five(unary, kernel, compatibility, iterations=5):
        return UnrolledUpdatesRight.energies(unary, kernel, compatibility, 5)

    def another_default(unary, kernel, compatibility, iterations=10):
        return UnrolledUpdatesRight.energies(unary, kernel, compatibility, iterations)

    def one_too_many(unary, kernel, compatibility, iterations=5):
        return UnrolledUpdatesRight.energies(unary, kernel, compatibility, iterations + 1)

    def one_too_few(unary, kernel, compatibility, iterations=5):
        return UnrolledUpdatesRight.energies(unary, kernel, compatibility, max(iterations - 1, 0))

    def at_least_one(unary, kernel, compatibility, iterations=5):
        return UnrolledUpdatesRight.energies(unary, kernel, compatibility, max(iterations, 1))

    def uniform_start(unary, kernel, compatibility, iterations=5):
        scores = torch.zeros_like(unary)
        for _ in range(iterations):
            scores = -unary - compatibility @ (scores.softmax(0) @ kernel)
        return scores.softmax(0)

    def two_classes(unary, kernel, compatibility, iterations=5):
        first = torch.sigmoid(unary[1:2] - unary[:1]) if len(unary) > 1 else torch.ones_like(unary)
        return torch.cat([first, 1 - first])[: len(unary)]

    def labels(unary, kernel, compatibility, iterations=5):
        return UnrolledUpdatesRight.energies(unary, kernel, compatibility, iterations).argmax(0)

    def overflowing(unary, kernel, compatibility, iterations=5):
        q = torch.exp(-unary) / torch.exp(-unary).sum(0)
        for _ in range(iterations):
            each = torch.exp(-unary - compatibility @ q @ kernel)
            q = each / each.sum(0)
        return q


class SoftmaxBackwardRight:
    def formula(marginals, gradient):
        return marginals * (gradient - (marginals * gradient).sum(0))

    def jacobian_of_each_pixel(marginals, gradient):
        columns = []
        for q, g in zip(marginals.T, gradient.T, strict=True):
            columns.append((torch.diag(q) - torch.outer(q, q)) @ g)
        return torch.stack(columns, dim=1)

    def einsum(marginals, gradient):
        shared = torch.einsum("cn,cn->n", marginals, gradient)
        return marginals * gradient - marginals * shared

    def loops(marginals, gradient):
        found = torch.zeros_like(marginals)
        classes, pixels = marginals.shape
        for n in range(pixels):
            for m in range(classes):
                for k in range(classes):
                    own = 1.0 if k == m else 0.0
                    found[m, n] += gradient[k, n] * marginals[k, n] * (own - marginals[m, n])
        return found

    def numpy(marginals, gradient):
        q, g = marginals.numpy(), gradient.numpy()
        return torch.from_numpy(q * (g - np.sum(q * g, axis=0, keepdims=True)))

    def doubles(marginals, gradient):
        q, g = marginals.double(), gradient.double()
        return q * (g - (q * g).sum(dim=0, keepdim=True))

    def transposed(marginals, gradient):
        q, g = marginals.T, gradient.T
        return (q * (g - torch.linalg.vecdot(q, g)[:, None])).T

    def in_place_on_a_copy(marginals, gradient):
        found = gradient.clone()
        found -= (marginals * gradient).sum(0)
        found *= marginals
        return found

    def one_class_against_the_others(marginals, gradient):
        pairs = gradient[:, None] - gradient[None]  # [m, l, N]
        return marginals * (pairs * marginals[None]).sum(1)


class SoftmaxBackwardWrong:
    @says("only the diagonal")
    def diagonal(q, g):
        return q * (1 - q) * g

    @says("without any loss")
    def product(q, g):
        return q * g

    @says("plain mean")
    def plain_mean(q, g):
        return q * (g - g.mean(0))

    @says("number of labels")
    def mean_of_products(q, g):
        return q * (g - (q * g).mean(0))

    @says("does not multiply it")
    def not_multiplied(q, g):
        return g - (q * g).sum(0)

    @says("labels and pixels")
    def over_all(q, g):
        return q * (g - (q * g).sum())

    @says("over the pixels")
    def over_pixels(q, g):
        return q * (g - (q * g).sum(1, keepdim=True))

    @says("every sign is flipped")
    def uphill(q, g):
        return q * ((q * g).sum(0) - g)

    @says("softmax of the marginals")
    def of_scores(q, g):
        q = q.softmax(0)
        return q * (g - (q * g).sum(0))

    def through_autograd_of_marginals(q, g):
        scores = q.clone().requires_grad_()
        scores.softmax(0).backward(g)
        return scores.grad

    def cross_entropy_only(q, g):
        return q - (g > 0).to(q)

    def two_classes(q, g):
        both = q[0] * (1 - q[0]) * (g[0] - g[-1])
        return torch.stack([both, -both])[: len(q)]

    def sum_of_gradients(q, g):
        return q * (g - g.sum(0))

    def of_absolute_gradients(q, g):
        return q * (g.abs() - (q * g.abs()).sum(0))

    def scaled(q, g):
        return q * (g - (q * g).sum(0)) / q.shape[1]

    def squared(q, g):
        return q**2 * (g - (q * g).sum(0))

    def one_pixel(q, g):
        return q * (g - (q[:, :1] * g[:, :1]).sum(0))

    def log_softmax(q, g):
        return g - q * g.sum(0)

    def list_of_rows(q, g):
        return [row for row in q * (g - (q * g).sum(0))]


class StepOnLogarithmRight:
    def math(weight, gradient, lr):
        return math.exp(math.log(weight) - lr * weight * gradient)

    def factor(weight, gradient, lr):
        return weight * math.exp(-lr * gradient * weight)

    def numpy(weight, gradient, lr):
        return np.exp(np.log(weight) - lr * gradient * weight)

    def single_precision(weight, gradient, lr):
        return np.float32(weight) * np.exp(-np.float32(lr * gradient * weight))

    def tensor(weight, gradient, lr):
        return torch.exp(torch.tensor(float(weight)).log() - lr * gradient * weight)

    def autograd(weight, gradient, lr):
        r = torch.tensor(math.log(weight), dtype=torch.float64, requires_grad=True)
        (r.exp() * gradient).backward()
        return (r - lr * r.grad).exp().item()

    def optimiser(weight, gradient, lr):
        r = torch.nn.Parameter(torch.tensor(math.log(weight), dtype=torch.float64))
        optimiser = torch.optim.SGD([r], lr=lr)
        (r.exp() * gradient).backward()
        optimiser.step()
        return r.detach().exp()

    def powers(weight, gradient, lr):
        return weight / math.e ** (lr * gradient * weight)

    def base_two(weight, gradient, lr):
        return 2 ** (math.log2(weight) - lr * gradient * weight / math.log(2))


class StepOnLogarithmWrong:
    @says("steps on the weight itself")
    def plain(w, g, lr):
        return w - lr * g

    @says("cuts it off")
    def cut(w, g, lr):
        return max(0, w - lr * g)

    @says("one more factor")
    def no_chain_rule(w, g, lr):
        return math.exp(math.log(w) - lr * g)

    @says("divides by the weight")
    def upside_down(w, g, lr):
        return math.exp(math.log(w) - lr * g / w)

    @says("goes uphill")
    def uphill(w, g, lr):
        return math.exp(math.log(w) + lr * w * g)

    @says("steps on the weight. Take")
    def on_weight(w, g, lr):
        return w - lr * w * g

    @says("new logarithm")
    def logarithm(w, g, lr):
        return math.log(w) - lr * w * g

    def no_logarithm(w, g, lr):
        return math.exp(w - lr * w * g)

    @says("with one base")
    def base_ten(w, g, lr):
        return math.exp(math.log10(w) - lr * w * g)

    def base_two(w, g, lr):
        return 2 ** (math.log2(w) - lr * w * g)

    def absolute(w, g, lr):
        return abs(w - lr * g)

    def softplus(w, g, lr):
        return math.log1p(math.exp(w - lr * g))

    def smallest_weight(w, g, lr):
        return max(w - lr * w * g, 1e-6)

    def squared(w, g, lr):
        return w * math.exp(-lr * w * w * g)

    def no_learning_rate(w, g, lr):
        return w * math.exp(-max(min(w * g, 700), -700))

    def gradient_of_one_sign(w, g, lr):
        return w * math.exp(-lr * w * abs(g))

    def logarithm_of_gradient(w, g, lr):
        return w * math.exp(-lr * math.log(w) * g)

    def first_order(w, g, lr):
        return w * (1 - lr * w * g)

    def unchanged(w, g, lr):
        return w


def unrolled(unary, kernel, weight, iterations, step=None):
    q = torch.softmax(-unary, 0)
    for _ in range(iterations):
        q = torch.softmax(step(q) if step else weight * q @ kernel - unary, 0)
    return q


class GradientThroughStepsRight:
    def nll(unary, kernel, weight, labels, iterations):
        unary = unary.detach().clone().requires_grad_(True)
        q = unrolled(unary, kernel, weight, iterations)
        F.nll_loss(q.log().T, labels).backward()
        return unary.grad

    def grad(unary, kernel, weight, labels, iterations):
        unary = unary.clone().requires_grad_()
        q = unrolled(unary, kernel, weight, iterations)
        loss = -q[labels, torch.arange(len(labels))].log().mean()
        return torch.autograd.grad(loss, unary)[0]

    def func(unary, kernel, weight, labels, iterations):
        def loss(theta):
            q = unrolled(theta, kernel, weight, iterations)
            return -q.gather(0, labels[None]).log().mean()

        return torch.func.grad(loss)(unary)

    def cross_entropy_of_scores(unary, kernel, weight, labels, iterations):
        theta = torch.tensor(unary.tolist(), dtype=unary.dtype, requires_grad=True)
        scores = -theta
        for _ in range(iterations):
            scores = weight * scores.softmax(0) @ kernel - theta
        F.cross_entropy(scores.T, labels).backward()
        return theta.grad

    def one_hot(unary, kernel, weight, labels, iterations):
        unary = unary.double().requires_grad_()
        q = unrolled(unary, kernel.double(), weight, iterations)
        right = F.one_hot(labels, len(unary)).T
        (-(right * q.log()).sum() / len(labels)).backward()
        return unary.grad

    def loop_over_pixels(unary, kernel, weight, labels, iterations):
        unary = unary.clone().requires_grad_()
        q = unrolled(unary, kernel, weight, iterations)
        loss = 0
        for pixel, label in enumerate(labels.tolist()):
            loss = loss - torch.log(q[label, pixel])
        (loss / len(labels)).backward()
        return unary.grad

    def by_hand(unary, kernel, weight, labels, iterations):
        theta, k = unary.double().numpy(), kernel.double().numpy()

        def softmax(scores):
            each = np.exp(scores - scores.max(0))
            return each / each.sum(0)

        found = [softmax(-theta)]
        for _ in range(iterations):
            found.append(softmax(weight * found[-1] @ k - theta))
        gradient = np.zeros_like(theta)
        above = np.zeros_like(theta)
        place = labels.numpy(), np.arange(len(labels))
        above[place] = -1 / found[-1][place] / len(labels)
        for q in found[:0:-1]:
            scores = q * (above - (q * above).sum(0))
            gradient -= scores
            above = weight * scores @ k.T
        q = found[0]
        gradient -= q * (above - (q * above).sum(0))
        return torch.from_numpy(gradient)

    def penalties(unary, kernel, weight, labels, iterations):
        unary = unary.clone().requires_grad_()
        mu = 1 - torch.eye(len(unary), dtype=unary.dtype)
        q = unrolled(unary, kernel, weight, iterations, lambda q: -unary - mu @ (weight * q @ kernel))
        F.nll_loss(torch.log(q).T, labels).backward()
        return unary.grad


def learned(unary, kernel, weight, labels, iterations, step=None, loss=None):
    unary = unary.clone().requires_grad_()
    q = unrolled(unary, kernel, weight, iterations, step and (lambda q: step(q, unary)))
    (loss(q) if loss else F.nll_loss(q.log().T, labels)).backward()
    return unary.grad


class GradientThroughStepsWrong:
    @says("detaches the marginals")
    def data(unary, kernel, weight, labels, iterations):
        return learned(
            unary, kernel, weight, labels, iterations, lambda q, u: weight * q.detach() @ kernel - u
        )

    @says("only through the start")
    def start_only(unary, kernel, weight, labels, iterations):
        return learned(
            unary, kernel, weight, labels, iterations, lambda q, u: weight * q @ kernel - u.detach()
        )

    @says("then drops it")
    def no_unary(unary, kernel, weight, labels, iterations):
        return learned(unary, kernel, weight, labels, iterations, lambda q, u: weight * q @ kernel)

    @says("second softmax")
    def cross_entropy(unary, kernel, weight, labels, iterations):
        return learned(unary, kernel, weight, labels, iterations, loss=lambda q: F.cross_entropy(q.T, labels))

    @says("no logarithm of its own")
    def nll_of_marginals(unary, kernel, weight, labels, iterations):
        return learned(unary, kernel, weight, labels, iterations, loss=lambda q: F.nll_loss(q.T, labels))

    @says("adds the unary")
    def unary_added(unary, kernel, weight, labels, iterations):
        return learned(unary, kernel, weight, labels, iterations, lambda q, u: weight * q @ kernel + u)

    @says("start with the softmax of `-unary`")
    def other_start(unary, kernel, weight, labels, iterations):
        unary = unary.clone().requires_grad_()
        q = unary.softmax(0)
        for _ in range(iterations):
            q = (weight * q @ kernel - unary).softmax(0)
        F.nll_loss(q.log().T, labels).backward()
        return unary.grad

    @says("drive each other away")
    def repelled(unary, kernel, weight, labels, iterations):
        return learned(unary, kernel, -weight, labels, iterations)

    @says("sum over the pixels")
    def summed(unary, kernel, weight, labels, iterations):
        return learned(
            unary,
            kernel,
            weight,
            labels,
            iterations,
            loss=lambda q: F.nll_loss(q.log().T, labels, reduction="sum"),
        )

    @says("takes one step")
    def one_step(unary, kernel, weight, labels, iterations):
        return learned(unary, kernel, weight, labels, 1)

    @says("transposes the kernel")
    def kernel_transposed(unary, kernel, weight, labels, iterations):
        return learned(unary, kernel.mT, weight, labels, iterations)

    def no_weight(unary, kernel, weight, labels, iterations):
        return learned(unary, kernel, 1, labels, iterations)

    def no_iterations(unary, kernel, weight, labels, iterations):
        return learned(unary, kernel, weight, labels, 0)

    def one_too_many(unary, kernel, weight, labels, iterations):
        return learned(unary, kernel, weight, labels, iterations + 1)

    def uphill(unary, kernel, weight, labels, iterations):
        return -learned(unary, kernel, weight, labels, iterations)

    def mean_over_everything(unary, kernel, weight, labels, iterations):
        return learned(unary, kernel, weight, labels, iterations) / len(unary)

    def right_class_only(unary, kernel, weight, labels, iterations):
        found = learned(unary, kernel, weight, labels, iterations)
        return found * F.one_hot(labels, len(unary)).T

    def last_step_by_formula(unary, kernel, weight, labels, iterations):
        q = unrolled(unary, kernel, weight, iterations)
        return (F.one_hot(labels, len(unary)).T - q) / len(labels)

    def label_zero(unary, kernel, weight, labels, iterations):
        return learned(unary, kernel, weight, 0 * labels, iterations)

    def accumulating(unary, kernel, weight, labels, iterations):
        unary = unary.clone().requires_grad_()
        scores = -unary
        for _ in range(iterations):
            scores = scores + weight * scores.softmax(0) @ kernel
        F.cross_entropy(scores.T, labels).backward()
        return unary.grad

    def loss_itself(unary, kernel, weight, labels, iterations):
        return F.nll_loss(unrolled(unary, kernel, weight, iterations).log().T, labels)

    def in_place(unary, kernel, weight, labels, iterations):
        unary = unary.clone().requires_grad_()
        q = torch.softmax(-unary, 0)
        for _ in range(iterations):
            q *= weight
            q = torch.softmax(q @ kernel - unary, 0)
        F.nll_loss(q.log().T, labels).backward()
        return unary.grad


@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Right"))
def test_right_answers_in_any_style_are_accepted(name, answer):
    assert_accepted(exercise_of("lesson08", name), answer)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Wrong"))
def test_wrong_answers_are_rejected(name, answer):
    assert_rejected(exercise_of("lesson08", name), answer)
