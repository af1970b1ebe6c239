"""Exercises of lesson 06: the unary, the Gaussian kernel, the energy of a labelling, the papers' mean-field update."""

import random
from collections.abc import Iterator

import torch

from deeplab_lessons import crf
from deeplab_lessons.classroom import tiny_crf
from deeplab_lessons.classroom.exercises.cases import torch_generator
from deeplab_lessons.classroom.exercises.compare import show as show_value
from deeplab_lessons.classroom.exercises.framework import exercise, fault, misconception
from deeplab_lessons.classroom.exercises.orders import order


@exercise
class UnaryFromProbabilities:
    """Warm-up: the energies of a network's probabilities."""

    package = crf.unary_from_probabilities
    hints = (
        "An energy is low where a class is likely. Which function falls from infinity to 0 while a probability "
        "rises from 0 to 1?",
        "The logarithm of 0 is minus infinity. Raise small probabilities to the floor before you take it.",
        "`-p.clamp(min=floor).log()`",
    )

    def unary_from_probabilities(p, floor=1e-5):
        return -p.clamp(min=floor).log()

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Distributions [C, H, W], some with a probability of 0; with the usual floor and with another one."""
        yield (torch.tensor([0.25, 0.75]).view(2, 1, 1),)
        yield torch.tensor([0.25, 0.75]).view(2, 1, 1), 0.5
        yield (torch.tensor([[0.0, 0.5], [1.0, 0.5]]).view(2, 1, 2),)
        yield (torch.tensor([[[0.5, 1.0], [0.25, 0.0]], [[0.5, 0.0], [0.75, 1.0]]]),)
        yield torch.tensor([[[0.5], [1.0]], [[0.25], [0.0]], [[0.25], [0.0]]]), 0.25
        while True:
            shape = rng.randint(2, 5), rng.randint(1, 3), rng.randint(1, 4)
            dtype = rng.choice((torch.float32, torch.float64))
            p = torch.softmax(rng.choice((1, 4, 12)) * torch.randn(shape, generator=torch_generator(rng)), 0)
            yield (p.to(dtype),) if rng.random() < 0.5 else (p.to(dtype), rng.choice((1e-8, 1e-3, 0.02, 0.4)))

    @misconception(
        "Your code returns the probabilities themselves, so the likely class has the highest energy. The energy is "
        "the negative logarithm."
    )
    def probabilities(p, floor=1e-5):
        return p

    @misconception(
        "Your code returns 1 - p. It's low where p is high, but exp(-E) isn't p: without kernels the CRF must give "
        "back what the network said. Only -log p does that."
    )
    def one_minus_p(p, floor=1e-5):
        return 1 - p

    @misconception(
        "Your code lacks the minus. log p is highest where the class is likely, and an energy must be lowest there."
    )
    def wrong_sign(p, floor=1e-5):
        return p.clamp(min=floor).log()

    @misconception(
        "Your code ignores the floor. A probability of 0 then has an infinite cost, and no neighbour can change "
        "that. Raise small probabilities first."
    )
    def no_floor(p, floor=1e-5):
        return -p.log()

    @misconception(
        "Your code always uses the floor 0.00001. That is only the default: raise to the argument `floor`."
    )
    def floor_ignored(p, floor=1e-5):
        return -p.clamp(min=1e-5).log()

    @misconception(
        "Your code adds the floor to every probability. Raise those below the floor to the floor, and leave the "
        "others as they are."
    )
    def floor_added(p, floor=1e-5):
        return -(p + floor).log()

    @misconception(
        "Your code raises the energy to the floor, after the logarithm. The floor is a probability: raise p first, "
        "then take the logarithm."
    )
    def floor_of_the_energy(p, floor=1e-5):
        return (-p.log()).clamp(min=floor)

    @misconception(
        "Your code divides by the sum over the classes after raising. The exercise doesn't ask for it: take the "
        "logarithm of the raised probabilities as they are."
    )
    def rescaled(p, floor=1e-5):
        raised = p.clamp(min=floor)
        return -(raised / raised.sum(0)).log()

    @misconception(
        "Your code takes a softmax of what are probabilities already. Take their logarithm directly."
    )
    def softmax_again(p, floor=1e-5):
        return -p.softmax(0).clamp(min=floor).log()

    @misconception("Your code uses the logarithm to base 2. P = exp(-E) needs the natural logarithm.")
    def bits(p, floor=1e-5):
        return -p.clamp(min=floor).log2()

    @misconception("Your code uses the logarithm to base 10. P = exp(-E) needs the natural logarithm.")
    def log10(p, floor=1e-5):
        return -p.clamp(min=floor).log10()


def _distances(features: torch.Tensor) -> torch.Tensor:
    """Squared distances [N, N] between the pixels' features."""
    return (features[:, :, None] - features[:, None, :]).square().sum(0)


@exercise
class ExactKernel:
    """The Gaussian kernel between all pixels."""

    package = tiny_crf.exact_kernel
    hints = (
        "Which pairs of pixels need a difference, and how many differences does a pair have?",
        "All pairs: `features[:, :, None] - features[:, None, :]` has the shape [d, N, N]. The squares of the d "
        "differences add up over axis 0.",
        "`torch.exp(-squared / 2)`, with the sum of the squares in `squared`.",
    )

    def exact_kernel(features):
        difference = features[:, :, None] - features[:, None, :]
        squared = difference.square().sum(0)
        return torch.exp(-squared / 2)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Features [d, N] of a few pixels: near, far, negative, and sometimes the same twice."""
        yield (torch.tensor([[0.0, 2.0]]),)
        yield (torch.tensor([[0.0, 1.0, 3.0], [0.0, 1.0, 0.0]]),)
        yield (torch.tensor([[1.0, -1.0, 1.0], [2.0, 0.0, 2.0]]),)
        yield (torch.tensor([[1.0], [2.0], [3.0]]),)
        yield (torch.tensor([[0.0, 40.0]]),)
        while True:
            shape, dtype = (rng.randint(1, 5), rng.randint(1, 6)), rng.choice((torch.float32, torch.float64))
            features = rng.choice((0.3, 1, 5)) * torch.randn(shape, generator=torch_generator(rng))
            features[:, rng.randrange(shape[1])] = features[:, 0]
            yield (features.to(dtype),)

    @misconception(
        "Your code lacks the 2 of 2σ². The features are divided by σ already, so exp(-d² / 2) is left, not exp(-d²)."
    )
    def no_half(features):
        return torch.exp(-_distances(features))

    @misconception(
        "Your code doesn't square the distance. A Gaussian falls with the square: slowly near the pixel, then "
        "quickly."
    )
    def not_squared(features):
        return torch.exp(-_distances(features).sqrt() / 2)

    @misconception(
        "Your code lacks the minus, so it grows with the distance. Pixels that are farther apart should listen to "
        "each other less."
    )
    def wrong_sign(features):
        return torch.exp(_distances(features) / 2)

    @misconception(
        "Your code returns the squared distance, halved. That's the exponent: `torch.exp` of minus it is still to "
        "come."
    )
    def exponent_only(features):
        return _distances(features) / 2

    @misconception(
        "Your code adds a Gaussian for each feature. Two pixels must be close in every feature: add the squares first, "
        "or multiply the Gaussians."
    )
    def gaussians_added(features):
        return torch.exp(-(features[:, :, None] - features[:, None, :]).square() / 2).sum(0)

    @misconception(
        "Your code takes the mean over the features. The squared distance is the sum of the squares: no division by d."
    )
    def mean_over_features(features):
        return torch.exp(-_distances(features) / len(features) / 2)

    @misconception(
        "Your code adds the differences before it squares them. The squared distance is the sum of the squares."
    )
    def differences_added(features):
        return torch.exp(-((features[:, :, None] - features[:, None, :]).abs().sum(0) ** 2) / 2)

    @misconception(
        "Your code adds signed differences, so that they cancel. Square each difference, then add."
    )
    def signed_differences_added(features):
        return torch.exp(-((features[:, :, None] - features[:, None, :]).sum(0) ** 2) / 2)

    @misconception(
        "Your code compares the features with each other, not the pixels: it returns [d, d]. The columns are the "
        "pixels, so the result is [N, N]."
    )
    def between_features(features):
        return torch.exp(-_distances(features.T) / 2)

    @misconception(
        "Your code sets the diagonal to 0. A pixel's kernel with itself is exp(0) = 1, and whether it counts is "
        "decided where the kernel is used."
    )
    def no_diagonal(features):
        return torch.exp(-_distances(features) / 2) - torch.eye(features.shape[1])

    @misconception(
        "Your code divides each row by its sum. The exercise asks for the kernel as it is, with ones on the diagonal."
    )
    def rows_normalised(features):
        return torch.softmax(-_distances(features) / 2, 1)


def _pairs(value: object) -> str:
    """A list of (weight, kernel) in words; everything else as usual."""
    if not isinstance(value, list):
        return show_value(value)
    return f"[{', '.join(f'({weight}, {show_value(kernel)})' for weight, kernel in value)}]"


def _alone(labels: torch.Tensor, unary: torch.Tensor) -> float:
    return unary.gather(0, labels[None]).sum().item()


def _between(kernels: list, mu: torch.Tensor) -> float:
    """The sum over all ordered pairs, each w · k times the entry of a matrix mu [N, N] between pixels."""
    return sum((weight * kernel * mu).sum().item() for weight, kernel in kernels)


def _differ(labels: torch.Tensor) -> torch.Tensor:
    return (labels.flatten()[:, None] != labels.flatten()[None]).float()


def _follow(labels: torch.Tensor) -> torch.Tensor:
    """1 where one pixel comes right after the other in the list of pixels."""
    place = torch.arange(labels.numel())
    return ((place[:, None] - place[None]).abs() == 1).float()


@exercise
class Energy:
    """The energy of a labelling."""

    package = tiny_crf.energy
    show = _pairs
    trials = 100
    hints = (
        "The energy has two sums. What does each pixel pay alone, and which pairs of pixels pay?",
        "`unary.gather(0, labels[None])` picks what each pixel pays. With `x = labels.flatten()`, `x[:, None] != "
        "x[None, :]` is true where the labels differ.",
        "The full matrix holds each pair twice, as (i, j) and as (j, i). Take half, and `.item()` makes a number.",
    )

    def energy(labels, unary, kernels):
        x = labels.flatten()
        alone = unary.gather(0, labels[None]).sum()
        differ = x[:, None] != x[None, :]
        pairs = sum((weight * kernel * differ).sum() for weight, kernel in kernels) / 2
        return (alone + pairs).item()

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Labels [H, W], a unary [C, H, W] and kernels: at first two pixels, then three, that may disagree."""
        costs = torch.tensor([[1.0, 3.0], [2.0, 5.0]]).view(2, 1, 2)
        two = torch.tensor([[1.0, 0.5], [0.5, 1.0]])
        yield torch.tensor([[0, 1]]), costs, [(2.0, two)]
        yield torch.tensor([[1, 1]]), costs, [(2.0, two)]
        three = torch.tensor([[1.0, 0.5, 0.25], [0.5, 1.0, 0.0], [0.25, 0.0, 1.0]])
        yield torch.tensor([[0], [0], [1]]), torch.tensor([1.0, 2, 4, 3, 2, 1]).view(2, 3, 1), [(4.0, three)]
        yield torch.tensor([[1, 0]]), costs, [(2.0, two), (1.0, 2 * two)]
        yield torch.tensor([[2, 0]]), torch.tensor([1.0, 2, 4, 8, 16, 32]).view(3, 1, 2), [(1.0, two)]
        while True:
            numbers, (height, width) = torch_generator(rng), (rng.randint(1, 3), rng.randint(1, 4))
            classes, dtype = rng.randint(2, 5), rng.choice((torch.float32, torch.float64))
            labels = torch.randint(0, classes, (height, width), generator=numbers)
            costs = rng.choice((3, 100)) * torch.randn(classes, height, width, generator=numbers).to(dtype)
            kernels = []
            for _ in range(rng.randint(1, 3)):
                features = torch.randn(2, height * width, generator=numbers).to(dtype)
                kernel = tiny_crf.exact_kernel(features, self_term=rng.random() < 0.7)
                kernels.append((rng.choice((0.5, 1.5, 3.0)), kernel))
            yield labels, costs, kernels

    @misconception(
        "Your code counts each pair twice, as (i, j) and as (j, i). The sum runs over i < j: take half of the full "
        "matrix."
    )
    def pairs_twice(labels, unary, kernels):
        return _alone(labels, unary) + _between(kernels, _differ(labels))

    @misconception(
        "Your code lets every pair pay, because its indices differ. μ asks whether the labels differ: pixels that "
        "agree pay nothing."
    )
    def all_pairs_pay(labels, unary, kernels):
        return _alone(labels, unary) + _between(kernels, 1 - torch.eye(labels.numel())) / 2

    @misconception(
        "Your code lets pairs pay that have the same label. Potts is the other way round: 1 where the labels differ."
    )
    def equal_labels_pay(labels, unary, kernels):
        return _alone(labels, unary) + _between(kernels, 1 - _differ(labels)) / 2

    @misconception(
        "Your code multiplies by the difference of the labels. Labels are names: two of them agree or they don't, and "
        "classes 0 and 2 differ no more than 0 and 1."
    )
    def label_distance(labels, unary, kernels):
        x = labels.flatten()
        return _alone(labels, unary) + _between(kernels, (x[:, None] - x[None]).abs()) / 2

    @misconception("Your code returns the unary part only. The pairs are still to come.")
    def unary_only(labels, unary, kernels):
        return _alone(labels, unary)

    @misconception("Your code returns the pairs only. Add what each pixel pays for its own label.")
    def pairs_only(labels, unary, kernels):
        return _between(kernels, _differ(labels)) / 2

    @misconception("Your code ignores the weights w. Multiply each kernel by its own.")
    def no_weights(labels, unary, kernels):
        return _alone(labels, unary) + sum(_between([(1, k)], _differ(labels)) for _, k in kernels) / 2

    @misconception("Your code uses the first kernel only. Add up w · k over the whole list.")
    def first_kernel(labels, unary, kernels):
        return _alone(labels, unary) + _between(kernels[:1], _differ(labels)) / 2

    @misconception("Your code compares each pixel with the next one only. Fully connected means every pair.")
    def neighbours_only(labels, unary, kernels):
        return _alone(labels, unary) + _between(kernels, _differ(labels) * _follow(labels)) / 2

    @misconception("Your code subtracts the pairs. Disagreement is a cost: add it to the energy.")
    def pairs_subtracted(labels, unary, kernels):
        return _alone(labels, unary) - _between(kernels, _differ(labels)) / 2

    @misconception(
        "Your code adds up the unary of every class. A pixel pays for the label that it has: pick that one."
    )
    def every_class_pays(labels, unary, kernels):
        return unary.sum().item() + _between(kernels, _differ(labels)) / 2

    @misconception(
        "Your code picks the cheapest label of each pixel. The labelling is given: pick the unary of its label."
    )
    def cheapest_label(labels, unary, kernels):
        return unary.amin(0).sum().item() + _between(kernels, _differ(labels)) / 2


@order
class FirstUpdate:
    """Order: from the unary to the q of the first mean-field update."""

    hints = (
        "Which step needs none of the others? Begin with the one that reads only the unary.",
        "What does a filter add up, and what is subtracted from what in the formula of line 4?",
        "The ideas in order: q, what is heard of it, what that costs, all costs together, and finally their softmax.",
    )
    needs = {
        "filter_q": ("begin",),
        "weigh": ("filter_q",),
        "compatibility": ("filter_q",),
        "add_unary": ("weigh", "compatibility"),
        "normalise": ("add_unary",),
    }
    why = {
        ("filter_q", "begin"): "A filter adds up what other pixels believe, so there must be a q already.",
        (
            "weigh",
            "filter_q",
        ): "The weights say how much each filter's result counts, so the filters come first.",
        ("compatibility", "filter_q"): "μ turns what is heard into costs, so something must have been heard.",
        ("add_unary", "weigh"): "The unary is a cost of its own: the kernels' weights must not multiply it.",
        ("add_unary", "compatibility"): "The unary says what labels cost already: μ must not multiply it.",
        (
            "normalise",
            "add_unary",
        ): "The softmax makes probabilities of all costs, and the unary is one of them.",
    }

    def start():
        features = torch.tensor([[0.0, 1.0, 3.0]])
        return {
            "theta": torch.tensor([[1.0, 0.0, 2.0], [0.0, 1.0, 2.0], [2.0, 3.0, 0.0]]),
            "kernels": [(3.0, tiny_crf.exact_kernel(features)), (0.5, tiny_crf.exact_kernel(features / 2))],
            "mu": crf.potts(3),
        }

    def result(state):
        return state["q"]

    def begin(state):
        """Take the softmax of minus the unary as the old q."""
        state["q"] = torch.softmax(-state["theta"], 0)

    def filter_q(state):
        """Filter the old q with each kernel: what each pixel hears of each label."""
        state["parts"] = [state["q"] @ kernel for _, kernel in state["kernels"]]

    def weigh(state):
        """Multiply what is heard through each kernel by the kernel's weight, and add it up."""
        pairs = zip(state["kernels"], state["parts"], strict=True)
        state["parts"] = [sum(weight * part for (weight, _), part in pairs)]

    def compatibility(state):
        """Multiply by μ: what each label costs next to the labels heard."""
        state["parts"] = [state["mu"] @ part for part in state["parts"]]

    def add_unary(state):
        """Add the unary."""
        state["parts"] = [state["theta"] + part for part in state["parts"]]

    def normalise(state):
        """Take the softmax of minus the sum: the new q."""
        (costs,) = state["parts"]
        state["q"] = torch.softmax(-costs, 0)


def _heard(q: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """What each pixel hears from the others, [C, N]."""
    return q @ kernel.T - q * kernel.diagonal()


@exercise
class StrictUpdate:
    """Repair: one mean-field update in which no pixel listens to itself."""

    hints = (
        "Which pixels does the sum in the formula run over, and which does `q @ kernel.T` run over?",
        "The pixel's own part is its kernel with itself times its own q. Where in the matrix are these entries?",
        "`kernel.diagonal()` has them, one per pixel: subtract `q * kernel.diagonal()` from what is heard.",
    )

    def strict_update(q, theta, kernel, mu):
        heard = q @ kernel.T - q * kernel.diagonal()
        message = mu @ heard
        return torch.softmax(-theta - message, dim=0)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """q and theta [C, N], a kernel [N, N] and mu [C, C]; kernels and mu need not be symmetric."""
        potts = crf.potts(2)
        yield torch.tensor([[0.0], [1.0]]), torch.zeros(2, 1), torch.ones(1, 1), potts
        apart, none = torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.zeros(2, 2)
        yield apart, torch.tensor([[0.0, 1.0], [2.0, 0.0]]), none, potts
        both = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
        yield apart, torch.tensor([[0.0, 1.0], [2.0, 0.0]]), both, potts
        yield apart, none, torch.tensor([[0.0, 1.0], [2.0, 0.0]]), potts
        yield torch.tensor([[1.0, 1.0], [0.0, 0.0]]), none, both, torch.tensor([[0.0, 3.0], [2.0, 0.0]])
        yield apart, torch.tensor([[200.0, 0.0], [201.0, 300.0]]), both, potts
        yield apart, torch.tensor([[-200.0, 0.0], [-201.0, -300.0]]), both, potts
        while True:
            numbers, classes, pixels = torch_generator(rng), rng.randint(2, 5), rng.randint(1, 6)
            dtype = rng.choice((torch.float32, torch.float64))

            def values(*shape, numbers=numbers, dtype=dtype):
                return torch.randn(shape, generator=numbers).to(dtype)

            kernel = values(pixels, pixels).abs() + rng.choice((0, 1)) * torch.eye(pixels, dtype=dtype)
            mu = rng.choice((crf.potts(classes).to(dtype), values(classes, classes)))
            yield values(classes, pixels).softmax(0), rng.choice((1, 3)) * values(classes, pixels), kernel, mu

    @fault(
        "A pixel on its own, with no others to listen to, still becomes more confident of its label. By the papers' "
        "formula it must keep what its unary says."
    )
    def hears_itself(q, theta, kernel, mu):
        heard = q @ kernel.T
        message = mu @ heard
        return torch.softmax(-theta - message, dim=0)

    @misconception(
        "Your code subtracts q itself. That is right only where the kernel's diagonal is 1: subtract q times the "
        "diagonal."
    )
    def diagonal_of_ones(q, theta, kernel, mu):
        return torch.softmax(-theta - mu @ (q @ kernel.T - q), 0)

    @misconception(
        "Your code adds the message. It is a cost, like the unary, and costs are subtracted. With yours, each "
        "pixel takes the label that its neighbours don't have."
    )
    def message_added(q, theta, kernel, mu):
        return torch.softmax(-theta + mu @ _heard(q, kernel), 0)

    @misconception(
        "Your code works for Potts only, where -μ·heard equals +heard up to one number per pixel. Another μ has "
        "its own cost for each pair of labels: multiply by `mu`."
    )
    def potts_only(q, theta, kernel, mu):
        return torch.softmax(-theta + _heard(q, kernel), 0)

    @misconception(
        "Your code ignores μ, so a pixel pays for every neighbour that agrees. Put `mu @` in front of what is heard."
    )
    def no_compatibility(q, theta, kernel, mu):
        return torch.softmax(-theta - _heard(q, kernel), 0)

    @misconception(
        "Your code uses μ the other way round. Row l of `mu` has what label l costs next to each other label: "
        "`mu @ heard`, without `.T`."
    )
    def mu_transposed(q, theta, kernel, mu):
        return torch.softmax(-theta - mu.T @ _heard(q, kernel), 0)

    @misconception(
        "Your code uses the kernel the other way round. Row i of `kernel` says how much pixel i listens to "
        "each j, so the sum over j is `q @ kernel.T`."
    )
    def kernel_transposed(q, theta, kernel, mu):
        return torch.softmax(-theta - mu @ _heard(q, kernel.T), 0)

    @misconception(
        "Your code takes the softmax over the pixels, axis 1. At each pixel the classes must add up to one: axis 0."
    )
    def softmax_over_pixels(q, theta, kernel, mu):
        return torch.softmax(-theta - mu @ _heard(q, kernel), 1)

    @misconception(
        "Your code ignores the unary. It belongs in every update, not only in the start, or the neighbours soon "
        "outvote the network."
    )
    def no_unary(q, theta, kernel, mu):
        return torch.softmax(-mu @ _heard(q, kernel), 0)

    @misconception(
        "Your code starts from the current q instead of the unary, so every update adds the neighbours' votes again. "
        "Start each update from `theta`."
    )
    def from_present_q(q, theta, kernel, mu):
        return torch.softmax(q.log() - mu @ _heard(q, kernel), 0)

    @misconception(
        "Your code adds the unary. theta is a cost, high where the class is unlikely: subtract it."
    )
    def wrong_unary_sign(q, theta, kernel, mu):
        return torch.softmax(theta - mu @ _heard(q, kernel), 0)

    @misconception(
        "Your code doesn't divide by the sum over the classes, so these aren't probabilities. `torch.softmax` does it."
    )
    def not_normalised(q, theta, kernel, mu):
        return torch.exp(-theta - mu @ _heard(q, kernel))

    @misconception("Your code returns the scores before the softmax. q must be a probability at each pixel.")
    def scores_only(q, theta, kernel, mu):
        return -theta - mu @ _heard(q, kernel)

    @misconception(
        "Your code computes exp(…) itself, which is 0 for all classes where the costs are high, and infinite where "
        "they are far below 0. `torch.softmax` avoids both."
    )
    def overflows(q, theta, kernel, mu):
        scores = torch.exp(-theta - mu @ _heard(q, kernel))
        return scores / scores.sum(0)
