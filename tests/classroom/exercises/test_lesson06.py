"""Lesson 06: right answers in many styles, and wrong ones."""

import itertools
import math

import numpy as np
import pytest
import torch
from answers import assert_accepted, assert_rejected, exercise_of, listed, says
from torch.nn import functional as F


class UnaryFromProbabilitiesRight:
    def clamped(p, floor=1e-5):
        return -torch.log(torch.clamp(p, min=floor))

    def maximum(p, floor=1e-5):
        return -torch.maximum(p, torch.tensor(floor, dtype=p.dtype)).log()

    def chosen(p, floor=1e-5):
        return -torch.where(p < floor, floor, p).log()

    def one_over(p, floor=1e-5):
        return (1 / p.clip(floor)).log()

    def highest_energy(p, floor=1e-5):
        return (-p.log()).clamp(max=-math.log(floor))

    def written_into_a_copy(p, floor=1e-5):
        raised = p.clone()
        raised[raised < floor] = floor
        return raised.log().mul(-1)

    def loops(p, floor=1e-5):
        energies = torch.zeros_like(p)
        for place in itertools.product(*map(range, p.shape)):
            energies[place] = -math.log(max(p[place].item(), floor))
        return energies

    def numpy(p, floor=1e-5):
        return torch.from_numpy(-np.log(np.maximum(p.numpy(), floor)))

    def in_bits_and_back(p, floor=1e-5):
        return -p.clamp(min=floor).log2() * math.log(2)

    def float32(p, floor=1e-5):
        return -p.float().clamp(floor, 1).log()


class UnaryFromProbabilitiesWrong:
    @says("probabilities themselves")
    def probabilities(p, floor=1e-5):
        return p.clone()

    @says("1 - p")
    def one_minus(p, floor=1e-5):
        return 1 - p

    @says("lacks the minus")
    def no_minus(p, floor=1e-5):
        return torch.log(p.clamp(min=floor))

    @says("ignores the floor")
    def no_floor(p, floor=1e-5):
        return -torch.log(p)

    @says("only the default")
    def floor_ignored(p, floor=1e-5):
        return -torch.log(p.clamp(min=1e-5))

    def another_default(p, floor=1e-6):
        return -torch.log(p.clamp(min=floor))

    def no_default(p, floor):
        return -torch.log(p.clamp(min=floor))

    @says("adds the floor")
    def added(p, floor=1e-5):
        return -torch.log(p + floor)

    @says("after the logarithm")
    def clamped_late(p, floor=1e-5):
        return (-torch.log(p)).clamp(min=floor)

    def zeros_only(p, floor=1e-5):
        return -torch.where(p == 0, floor, p).log()

    def ceiling(p, floor=1e-5):
        return -p.clamp(max=floor).log()

    @says("sum over the classes")
    def rescaled(p, floor=1e-5):
        p = p.clamp(min=floor)
        return -(p / p.sum(0, keepdim=True)).log()

    @says("base 2")
    def bits(p, floor=1e-5):
        return -torch.log2(p.clamp(min=floor))

    @says("base 10")
    def decimal(p, floor=1e-5):
        return -torch.log10(p.clamp(min=floor))

    @says("softmax")
    def softmax(p, floor=1e-5):
        return -torch.softmax(p, 0).clamp(min=floor).log()

    def log_softmax(p, floor=1e-5):
        return -F.log_softmax(p, 0)

    def log_plus_one(p, floor=1e-5):
        return -torch.log1p(p.clamp(min=floor))

    def entropy(p, floor=1e-5):
        return -p * p.clamp(min=floor).log()

    def odds(p, floor=1e-5):
        p = p.clamp(min=floor, max=1 - floor)
        return ((1 - p) / p).log()

    def two_classes(p, floor=1e-5):
        p = p[1:2].clamp(min=floor)
        return -torch.cat([1 - p, p]).clamp(min=floor).log()

    @says("numpy array")
    def numpy(p, floor=1e-5):
        return -np.log(np.maximum(p.numpy(), floor))

    @says("Expected the shape")
    def flattened(p, floor=1e-5):
        return -p.flatten(1).clamp(min=floor).log()

    @says("changed its input")
    def changes_its_input(p, floor=1e-5):
        p[p < floor] = floor
        return -p.log()


class ExactKernelRight:
    def loops(features):
        n = features.shape[1]
        kernel = torch.zeros(n, n)
        for i in range(n):
            for j in range(n):
                kernel[i, j] = math.exp(-sum((features[:, i] - features[:, j]) ** 2) / 2)
        return kernel

    def cdist(features):
        return torch.exp(-(torch.cdist(features.T, features.T) ** 2) / 2)

    def norms(features):
        return torch.exp(-((features[:, :, None] - features[:, None]).norm(dim=0) ** 2) / 2)

    def product_of_gaussians(features):
        return torch.exp(-0.5 * (features[:, :, None] - features[:, None]) ** 2).prod(0)

    def one_by_one(features):
        squared = 0
        for row in features:
            squared = squared + (row[:, None] - row) ** 2
        return (-squared / 2).exp()

    def einsum(features):
        away = features[:, None] - features[:, :, None]
        return torch.exp(torch.einsum("dij,dij->ij", away, away) / -2)

    def scalar_products(features):
        products = features.double().T @ features.double()
        lengths = products.diagonal()
        return torch.exp(products - lengths[:, None] / 2 - lengths / 2)

    def numpy(features):
        points = features.numpy().T
        return torch.tensor(np.exp(-((points[:, None] - points) ** 2).sum(-1) / 2))

    def rows_stacked(features):
        rows = (features - features[:, [i]] for i in range(features.shape[1]))
        return torch.stack([(-row.square().sum(0) / 2).exp() for row in rows])


class ExactKernelWrong:
    @says("lacks the 2")
    def no_half(features):
        return torch.exp(-(torch.cdist(features.T, features.T) ** 2))

    @says("square the distance")
    def not_squared(features):
        return torch.exp(-torch.cdist(features.T, features.T) / 2)

    def absolute(features):
        return torch.exp(-(features[:, :, None] - features[:, None]).abs().sum(0) / 2)

    @says("lacks the minus")
    def no_minus(features):
        return torch.exp(ExactKernelWrong.squared(features) / 2)

    def squared(features):
        return (features[:, :, None] - features[:, None]).square().sum(0)

    @says("exponent")
    def exponent(features):
        return ExactKernelWrong.squared(features) / 2

    @says("Gaussian for each feature")
    def added(features):
        return torch.exp(-(features[:, :, None] - features[:, None]).square() / 2).sum(0)

    @says("mean over the features")
    def mean(features):
        return torch.exp(-(features[:, :, None] - features[:, None]).square().mean(0) / 2)

    def first_feature(features):
        return torch.exp(-(features[:1, :, None] - features[:1, None]).square().sum(0) / 2)

    def largest_feature(features):
        return torch.exp(-(features[:, :, None] - features[:, None]).square().amax(0) / 2)

    @says("before it squares")
    def manhattan(features):
        return torch.exp(-((features[:, :, None] - features[:, None]).abs().sum(0) ** 2) / 2)

    @says("cancel")
    def signed(features):
        return torch.exp(-((features.sum(0)[:, None] - features.sum(0)) ** 2) / 2)

    @says("not the pixels")
    def transposed(features):
        return torch.exp(-(torch.cdist(features, features) ** 2) / 2)

    @says("diagonal to 0")
    def no_self(features):
        kernel = torch.exp(-(torch.cdist(features.T, features.T) ** 2) / 2)
        return kernel.fill_diagonal_(0)

    @says("row by its sum")
    def softmax(features):
        return torch.softmax(-(torch.cdist(features.T, features.T) ** 2) / 2, -1)

    def density(features):
        kernel = torch.exp(-(torch.cdist(features.T, features.T) ** 2) / 2)
        return kernel / (2 * math.pi) ** (len(features) / 2)

    def student(features):
        return 1 / (1 + torch.cdist(features.T, features.T) ** 2 / 2)

    def threshold(features):
        kernel = torch.exp(-(torch.cdist(features.T, features.T) ** 2) / 2)
        return kernel * (kernel > 0.01)

    @says("Expected the shape")
    def to_the_first_pixel(features):
        return torch.exp(-(features - features[:, :1]).square().sum(0) / 2)

    @says("numpy array")
    def numpy(features):
        points = features.numpy().T
        return np.exp(-((points[:, None] - points) ** 2).sum(-1) / 2)

    def upper_half(features):
        return torch.exp(-(torch.cdist(features.T, features.T) ** 2) / 2).triu()


class EnergyRight:
    def loops(labels, unary, kernels):
        x = labels.flatten().tolist()
        total = sum(unary.flatten(1)[x[i], i] for i in range(len(x)))
        for w, k in kernels:
            for i in range(len(x)):
                for j in range(i + 1, len(x)):
                    total += w * k[i, j] * (x[i] != x[j])
        return float(total)

    def upper_triangle(labels, unary, kernels):
        x = labels.reshape(-1)
        k = sum(w * k for w, k in kernels).triu(1)
        picked = unary.reshape(len(unary), -1)[x, torch.arange(len(x))]
        return (picked.sum() + k[x[:, None] != x].sum()).item()

    def one_hot(labels, unary, kernels):
        hot = F.one_hot(labels.flatten(), len(unary)).T.to(unary)
        agree = hot.T @ hot
        pairs = sum(w * (k * (1 - agree)).sum() for w, k in kernels)
        return (hot * unary.flatten(1)).sum() + pairs / 2

    def potts_matrix(labels, unary, kernels):
        x, mu = labels.flatten(), 1 - torch.eye(len(unary))
        pairs = sum(w * (k * mu[x][:, x]).sum().item() for w, k in kernels) / 2
        return pairs + unary.gather(0, labels[None]).sum().item()

    def einsum(labels, unary, kernels):
        hot = (labels.flatten() == torch.arange(len(unary))[:, None]).to(unary)
        pairs = 0.0
        for w, k in kernels:
            pairs += w * (torch.einsum("ij->", k) - torch.einsum("ci,ij,cj->", hot, k, hot)) / 2
        return (torch.einsum("ci,ci->", hot, unary.flatten(1)) + pairs).item()

    def numpy(labels, unary, kernels):
        x, u = labels.numpy().ravel(), unary.numpy().reshape(len(unary), -1)
        differ = np.not_equal.outer(x, x)
        return u[x, np.arange(x.size)].sum() + sum(w * k.numpy()[differ].sum() for w, k in kernels) / 2

    def combinations(labels, unary, kernels):
        height, width = labels.shape
        total = 0.0
        for row, column in itertools.product(range(height), range(width)):
            total += unary[labels[row, column], row, column].item()
        x = labels.flatten().tolist()
        for i, j in itertools.combinations(range(len(x)), 2):
            if x[i] != x[j]:
                total += sum(w * k[i, j].item() for w, k in kernels)
        return total

    def class_by_class(labels, unary, kernels):
        total = torch.zeros(())
        for label in labels.unique():
            mine = (labels == label).flatten()
            total = total + unary[label].flatten()[mine].sum()
            total = total + sum(w * k[mine][:, ~mine].sum() for w, k in kernels) / 2
        return total


class EnergyWrong:
    def half_of_everything(labels, unary, kernels):
        return EnergyRight.loops(labels, unary, kernels) / 2

    @says("counts each pair twice")
    def twice(labels, unary, kernels):
        x = labels.flatten()
        pairs = sum(w * (k * (x[:, None] != x)).sum() for w, k in kernels)
        return (unary.gather(0, labels[None]).sum() + pairs).item()

    @says("indices differ")
    def all_pay(labels, unary, kernels):
        pairs = sum(w * k.triu(1).sum() for w, k in kernels)
        return (unary.gather(0, labels[None]).sum() + pairs).item()

    @says("other way round")
    def equal_pay(labels, unary, kernels):
        x = labels.flatten()
        pairs = sum(w * (k * (x[:, None] == x)).sum() for w, k in kernels)
        return (unary.gather(0, labels[None]).sum() + pairs / 2).item()

    def equal_pay_less_self(labels, unary, kernels):
        x = labels.flatten()
        pairs = sum(w * (k * (x[:, None] == x)).triu(1).sum() for w, k in kernels)
        return (unary.gather(0, labels[None]).sum() + pairs).item()

    @says("unary part only")
    def unary_only(labels, unary, kernels):
        return EnergyRight.loops(labels, unary, [])

    @says("pairs only")
    def pairs_only(labels, unary, kernels):
        return EnergyRight.loops(labels, 0 * unary, kernels)

    @says("weights")
    def no_weights(labels, unary, kernels):
        return EnergyRight.loops(labels, unary, [(1, k) for _, k in kernels])

    @says("first kernel")
    def one_kernel(labels, unary, kernels):
        return EnergyRight.loops(labels, unary, kernels[:1])

    def two_kernels(labels, unary, kernels):
        return EnergyRight.loops(labels, unary, kernels[:2])

    def last_kernel(labels, unary, kernels):
        return EnergyRight.loops(labels, unary, kernels[-1:])

    @says("next one")
    def chain(labels, unary, kernels):
        x = labels.flatten()
        pairs = sum(w * (k.diagonal(1) * (x[1:] != x[:-1])).sum() for w, k in kernels)
        return (unary.gather(0, labels[None]).sum() + pairs).item()

    @says("subtracts")
    def subtracted(labels, unary, kernels):
        return EnergyRight.loops(labels, unary, [(-w, k) for w, k in kernels])

    @says("Labels are names")
    def distance(labels, unary, kernels):
        x = labels.flatten()
        pairs = sum(w * (k * (x[:, None] - x).abs()).sum() for w, k in kernels)
        return (unary.gather(0, labels[None]).sum() + pairs / 2).item()

    def two_classes(labels, unary, kernels):
        return EnergyRight.loops(labels.clamp(max=1), unary, kernels)

    def positive_costs_only(labels, unary, kernels):
        return EnergyRight.loops(labels, unary.clamp(min=0), kernels)

    def first_row(labels, unary, kernels):
        n = labels.shape[1]
        return EnergyRight.loops(labels[:1], unary[:, :1], [(w, k[:n, :n]) for w, k in kernels])

    def column_order(labels, unary, kernels):
        return EnergyRight.loops(labels.T, unary.mT, kernels)

    @says("cheapest label")
    def best(labels, unary, kernels):
        return EnergyRight.loops(labels, unary.amin(0, keepdim=True).expand_as(unary), kernels)

    @says("every class")
    def all_classes(labels, unary, kernels):
        return EnergyRight.loops(labels, 0 * unary, kernels) + unary.sum().item()

    def mean(labels, unary, kernels):
        return EnergyRight.loops(labels, unary, kernels) / labels.numel()

    def whole(labels, unary, kernels):
        return int(EnergyRight.loops(labels, unary, kernels))

    def rounded(labels, unary, kernels):
        return round(EnergyRight.loops(labels, unary, kernels), 1)

    @says("use .item()")
    def inside_a_tensor(labels, unary, kernels):
        return torch.tensor([EnergyRight.loops(labels, unary, kernels)])


class StrictUpdateRight:
    def no_diagonal(q, theta, kernel, mu):
        others = kernel - torch.diag(kernel.diagonal())
        return torch.softmax(-theta - mu @ (q @ others.T), 0)

    def mask(q, theta, kernel, mu):
        others = kernel * (1 - torch.eye(len(kernel)))
        return (-theta - mu @ (others @ q.T).T).softmax(dim=0)

    def filled(q, theta, kernel, mu):
        kernel = kernel.clone().fill_diagonal_(0)
        return F.softmax(-(theta + mu @ q @ kernel.T), dim=0)

    def taken_out_of_the_message(q, theta, kernel, mu):
        message = mu @ (q @ kernel.T)
        own = (mu @ q) * torch.diagonal(kernel)[None]
        return torch.softmax(-theta - (message - own), dim=0)

    def loops(q, theta, kernel, mu):
        new = torch.zeros_like(q)
        for i in range(q.shape[1]):
            heard = sum(kernel[i, j] * q[:, j] for j in range(q.shape[1]) if j != i)
            message = mu @ heard if q.shape[1] > 1 else 0
            new[:, i] = torch.softmax(-theta[:, i] - message, 0)
        return new

    def einsum(q, theta, kernel, mu):
        others = kernel.tril(-1) + kernel.triu(1)
        return torch.softmax(-theta - torch.einsum("lm,mj,ij->li", mu, q, others), 0)

    def smallest_cost_first(q, theta, kernel, mu):
        costs = theta + mu @ (q @ kernel.T - q * kernel.diagonal())
        weights = (costs.amin(0) - costs).exp()
        return weights / weights.sum(0)

    def numpy(q, theta, kernel, mu):
        k = kernel.numpy() * (1 - np.eye(len(kernel)))
        costs = theta.numpy() + mu.numpy() @ q.numpy() @ k.T
        weights = np.exp(costs.min(0) - costs)
        return torch.from_numpy(weights / weights.sum(0))

    def log_softmax(q, theta, kernel, mu):
        heard = q @ kernel.T
        heard = heard - q * torch.diag(kernel)
        return torch.log_softmax(-theta - mu @ heard, 0).exp()


class StrictUpdateWrong:
    @says("no others to listen to")
    def self_heard(q, theta, kernel, mu):
        return torch.softmax(-theta - mu @ (q @ kernel.T), 0)

    @says("subtracts q itself")
    def ones_assumed(q, theta, kernel, mu):
        return torch.softmax(-theta - mu @ (q @ (kernel - torch.eye(len(kernel))).T), 0)

    def subtracted_after_mu(q, theta, kernel, mu):
        return torch.softmax(-theta - (mu @ (q @ kernel.T) - q * kernel.diagonal()), 0)

    def whole_row(q, theta, kernel, mu):
        return torch.softmax(-theta - mu @ (q @ kernel.T - q * kernel.sum(1)), 0)

    def trace(q, theta, kernel, mu):
        return torch.softmax(-theta - mu @ (q @ kernel.T - q * kernel.trace()), 0)

    def only_itself(q, theta, kernel, mu):
        return torch.softmax(-theta - mu @ (q * kernel.diagonal()), 0)

    def diagonal_twice(q, theta, kernel, mu):
        return torch.softmax(-theta - mu @ (q @ kernel.T - 2 * q * kernel.diagonal()), 0)

    def earlier_pixels_only(q, theta, kernel, mu):
        return torch.softmax(-theta - mu @ (q @ kernel.tril(-1).T), 0)

    @says("adds the message")
    def added(q, theta, kernel, mu):
        return torch.softmax(-theta + mu @ StrictUpdateWrong._heard(q, kernel), 0)

    @says("Potts only")
    def potts_only(q, theta, kernel, mu):
        return torch.softmax(-theta + StrictUpdateWrong._heard(q, kernel), 0)

    @says("ignores μ")
    def no_mu(q, theta, kernel, mu):
        return torch.softmax(-theta - StrictUpdateWrong._heard(q, kernel), 0)

    def always_potts(q, theta, kernel, mu):
        heard = StrictUpdateWrong._heard(q, kernel)
        return torch.softmax(-theta - (heard.sum(0) - heard), 0)

    @says("μ the other way round")
    def mu_transposed(q, theta, kernel, mu):
        return torch.softmax(-theta - mu.T @ StrictUpdateWrong._heard(q, kernel), 0)

    @says("kernel the other way round")
    def kernel_transposed(q, theta, kernel, mu):
        return torch.softmax(-theta - mu @ StrictUpdateWrong._heard(q, kernel.T), 0)

    @says("axis 1")
    def over_pixels(q, theta, kernel, mu):
        return torch.softmax(-theta - mu @ StrictUpdateWrong._heard(q, kernel), -1)

    def over_everything(q, theta, kernel, mu):
        costs = theta + mu @ StrictUpdateWrong._heard(q, kernel)
        return torch.softmax(-costs.flatten(), 0).view_as(costs)

    @says("ignores the unary")
    def no_unary(q, theta, kernel, mu):
        return torch.softmax(-mu @ StrictUpdateWrong._heard(q, kernel), 0)

    @says("current q")
    def from_q(q, theta, kernel, mu):
        return torch.softmax(q.log() - mu @ StrictUpdateWrong._heard(q, kernel), 0)

    @says("adds the unary")
    def unary_added(q, theta, kernel, mu):
        return torch.softmax(theta - mu @ StrictUpdateWrong._heard(q, kernel), 0)

    def sigmoid(q, theta, kernel, mu):
        return torch.sigmoid(-theta - mu @ StrictUpdateWrong._heard(q, kernel))

    @says("before the softmax")
    def scores(q, theta, kernel, mu):
        return -theta - mu @ StrictUpdateWrong._heard(q, kernel)

    @says("computes exp")
    def overflows(q, theta, kernel, mu):
        weights = (-theta - mu @ StrictUpdateWrong._heard(q, kernel)).exp()
        return weights / weights.sum(0, keepdim=True)

    @says("aren't probabilities")
    def no_division(q, theta, kernel, mu):
        return torch.exp(-theta - mu @ StrictUpdateWrong._heard(q, kernel))

    def logarithm(q, theta, kernel, mu):
        return torch.log_softmax(-theta - mu @ StrictUpdateWrong._heard(q, kernel), 0)

    @says("changed its input")
    def changes_its_input(q, theta, kernel, mu):
        kernel.fill_diagonal_(0)
        return torch.softmax(-theta - mu @ (q @ kernel.T), 0)

    def _heard(q, kernel):
        return q @ kernel.T - q * kernel.diagonal()


def letters(*steps):
    """The letters of the steps of `first_update` in this order."""
    return "".join(
        letter
        for step in steps
        for letter, each in exercise_of("lesson06", "first_update").letters.items()
        if each.__name__ == step
    )


class FirstUpdateRight:
    def weights_first():
        return letters("begin", "filter_q", "weigh", "compatibility", "add_unary", "normalise")

    def compatibility_first():
        return letters("begin", "filter_q", "compatibility", "weigh", "add_unary", "normalise")

    def small_letters():
        return FirstUpdateRight.weights_first().lower()

    def a_list():
        return list(FirstUpdateRight.compatibility_first())

    def commas():
        return ", ".join(FirstUpdateRight.weights_first())

    def arrows():
        return " → ".join(FirstUpdateRight.compatibility_first())


class FirstUpdateWrong:
    @says("there must be a q already")
    def filtered_before_the_beginning():
        return letters("filter_q", "begin", "weigh", "compatibility", "add_unary", "normalise")

    @says("the filters come first")
    def weighed_before_the_filter():
        return letters("begin", "weigh", "filter_q", "compatibility", "add_unary", "normalise")

    @says("something must have been heard")
    def costs_before_the_filter():
        return letters("begin", "compatibility", "filter_q", "weigh", "add_unary", "normalise")

    @says("weights must not multiply it")
    def unary_weighed():
        return letters("begin", "filter_q", "compatibility", "add_unary", "weigh", "normalise")

    @says("μ must not multiply it")
    def unary_compatible():
        return letters("begin", "filter_q", "weigh", "add_unary", "compatibility", "normalise")

    @says("one of them")
    def unary_last():
        return letters("begin", "filter_q", "weigh", "compatibility", "normalise", "add_unary")

    def backwards():
        return FirstUpdateRight.weights_first()[::-1]

    def softmax_at_the_beginning():
        return letters("normalise", "filter_q", "weigh", "compatibility", "add_unary", "begin")

    def unary_in_the_beginning():
        return letters("add_unary", "begin", "filter_q", "weigh", "compatibility", "normalise")

    def the_alphabet():
        return "ABCDEF"

    @says("missing")
    def one_missing():
        return FirstUpdateRight.weights_first()[:-1]

    @says("more than once")
    def one_twice():
        return FirstUpdateRight.weights_first() + "A"


@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Right"))
def test_right_answers_in_any_style_are_accepted(name, answer):
    assert_accepted(exercise_of("lesson06", name), answer)


@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Wrong"))
def test_wrong_answers_are_rejected(name, answer):
    assert_rejected(exercise_of("lesson06", name), answer)
