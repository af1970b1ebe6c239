"""Exercises of lesson 06: the unary, the Gaussian kernel, the energy of a labelling, the mean-field update."""

import math
import random
from collections.abc import Iterator

import torch

from deeplab_lessons import crf
from deeplab_lessons.classroom.exercises.cases import torch_generator
from deeplab_lessons.classroom.exercises.compare import show as show_value
from deeplab_lessons.classroom.exercises.framework import exercise, misconception


def _kernels(numbers: torch.Generator, pixels: int, count: int) -> list:
    """`count` pairs (w, k) with Gaussian kernels [N, N] of random features."""
    found = []
    for _ in range(count):
        weight = round(0.5 + 3 * torch.rand((), generator=numbers).item(), 1)
        found.append((weight, crf.exact_kernel(torch.randn(2, pixels, generator=numbers))))
    return found


def _pairs(value: object) -> str:
    """A list of (weight, kernel or filter) in words; everything else as usual."""
    if not isinstance(value, list):
        return show_value(value)
    shown = [
        f"({weight}, {show_value(kernel) if isinstance(kernel, torch.Tensor) else 'filter'})"
        for weight, kernel in value
    ]
    return f"[{', '.join(shown)}]"


def _distances(features: torch.Tensor) -> torch.Tensor:
    """Squared distances [N, N] between the pixels' features."""
    return (features[:, :, None] - features[:, None, :]).square().sum(0)


def _pair_sum(kernels: list) -> torch.Tensor:
    return sum(weight * kernel for weight, kernel in kernels)


def _alone(labels: torch.Tensor, costs: torch.Tensor) -> float:
    return costs.gather(0, labels[None]).sum().item()


def _with_mu(
    labels: torch.Tensor, costs: torch.Tensor, kernels: list, mu: torch.Tensor, share: float
) -> float:
    """Unary plus `share` of the sum over all ordered pairs, with a matrix mu [N, N] between pixels."""
    return _alone(labels, costs) + share * (mu * _pair_sum(kernels)).sum().item()


def _differ(labels: torch.Tensor) -> torch.Tensor:
    return (labels.flatten()[:, None] != labels.flatten()[None]).float()


def _neighbours(labels: torch.Tensor) -> torch.Tensor:
    """1 where two pixels have different labels and stand next to each other in the list of pixels."""
    place = torch.arange(labels.numel())
    return _differ(labels) * ((place[:, None] - place[None]).abs() == 1)


def _heard(q: torch.Tensor, filters: list) -> torch.Tensor:
    return sum(weight * filter(q) for weight, filter in filters)


@exercise
class UnaryFromProbabilities:
    """Warm-up: the energies of a network's probabilities."""

    reference = crf.unary_from_probabilities
    hints = (
        "An energy is low where a class is likely. Which function falls from infinity to 0 while a probability "
        "rises from 0 to 1, and turns products into sums?",
        "`-p.log()`. And before that, `p.clamp(min=floor)`: log 0 is minus infinity.",
    )

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Distributions [C, H, W]; in some a class has no probability at all, in some the floor is given."""
        yield (torch.tensor([0.25, 0.75]).view(2, 1, 1),)
        yield (torch.tensor([[0.5, 0.0], [0.5, 1.0]]).view(2, 1, 2),)
        yield torch.tensor([[0.002, 0.4], [0.998, 0.6]]).view(2, 1, 2), 0.01
        while True:
            shape = rng.randint(2, 4), rng.randint(1, 3), rng.randint(1, 3)
            p = torch.softmax(4 * torch.randn(shape, generator=torch_generator(rng)), 0)
            yield (p,) if rng.random() < 0.6 else (p, rng.choice((1e-3, 0.02)))

    @misconception(
        "These are the probabilities themselves: the likely class would have the highest energy. The energy is "
        "the negative logarithm."
    )
    def probabilities(p, floor=1e-5):
        return p

    @misconception(
        "1 - p is low where p is high, but then exp(-E) is not p: with no kernels at all the CRF must give "
        "back what the network said. Only -log p does that."
    )
    def one_minus_p(p, floor=1e-5):
        return 1 - p

    @misconception(
        "The sign is missing. log p is highest where the class is likely; an energy must be lowest there."
    )
    def wrong_sign(p, floor=1e-5):
        return p.clamp(min=floor).log()

    @misconception(
        "Where a probability is 0 (or tiny) this is infinite (or huge), and no neighbour could ever change that. "
        "Raise it to the floor first."
    )
    def no_floor(p, floor=1e-5):
        return -p.log()

    @misconception(
        "This adds the floor to every probability. Only those below the floor are raised, to the floor."
    )
    def floor_added(p, floor=1e-5):
        return -(p + floor).log()

    @misconception("This is in bits (logarithm to base 2). P = exp(-E) needs the natural logarithm.")
    def bits(p, floor=1e-5):
        return -p.clamp(min=floor).log2()

    @misconception("This is the logarithm to base 10. P = exp(-E) needs the natural logarithm.")
    def log10(p, floor=1e-5):
        return -p.clamp(min=floor).log10()


@exercise
class ExactKernel:
    """The Gaussian kernel between all pixels."""

    reference = crf.exact_kernel
    hints = (
        "`features[:, :, None] - features[:, None, :]` has the shape [d, N, N]: all differences at once.",
        "Square, sum over the d features, halve, change the sign, exponentiate.",
    )

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Features [d, N] of a few pixels, none of them twice the same."""
        yield (torch.tensor([[0.0, 2.0]]),)
        yield (torch.tensor([[0.0, 1.0, 3.0], [0.0, 1.0, 0.0]]),)
        while True:
            yield (torch.randn(rng.randint(1, 5), rng.randint(2, 6), generator=torch_generator(rng)),)

    @misconception(
        "The 2 of 2σ² is missing. The features are already divided by σ, so what is left is exp(-d² / 2)."
    )
    def no_half(features):
        return torch.exp(-_distances(features))

    @misconception(
        "The distance is not squared. A Gaussian falls with the square: slowly near the pixel, then quickly."
    )
    def not_squared(features):
        return torch.exp(-_distances(features).sqrt() / 2)

    @misconception(
        "The minus is missing: this grows with the distance. The farther two pixels are apart, the less they "
        "should listen to each other."
    )
    def wrong_sign(features):
        return torch.exp(_distances(features) / 2)

    @misconception("This is the exponent. exp(-…) of it is still to come, or strangers would count most.")
    def exponent_only(features):
        return _distances(features) / 2

    @misconception(
        "Here each feature has its own Gaussian, and they are added. Two pixels must be close in all features: "
        "sum the squares first (or multiply the Gaussians)."
    )
    def gaussians_added(features):
        return torch.exp(-(features[:, :, None] - features[:, None, :]).square() / 2).sum(0)

    @misconception(
        "The differences are added before they are squared. The squared distance is the sum of the squares."
    )
    def differences_added(features):
        return torch.exp(-((features[:, :, None] - features[:, None, :]).abs().sum(0) ** 2) / 2)

    @misconception(
        "The diagonal is 0 here. The kernel of a pixel with itself is exp(0) = 1; whether it may count is "
        "decided later, where the kernel is used."
    )
    def no_diagonal(features):
        return torch.exp(-_distances(features) / 2) - torch.eye(features.shape[1])


@exercise
class Energy:
    """The energy of a labelling."""

    reference = crf.energy
    show = _pairs
    hints = (
        "Two sums. The first: at every pixel, the unary of the label that it has. `unary.gather(0, labels[None])`.",
        "The second: x = labels.flatten(), and `x[:, None] != x[None, :]` says for every pair whether the labels "
        "differ. Multiply with w · k and add up.",
        "In the full matrix each pair stands twice, as (i, j) and as (j, i). Take half. `.item()` makes a number.",
    )

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Labels [H, W], a unary [C, H, W] and kernels: at first two pixels that disagree."""
        half = math.exp(-0.5)
        two = torch.tensor([[1.0, half], [half, 1.0]])
        costs = torch.tensor([[0.5, 1.5], [1.0, 0.25]]).view(2, 1, 2)
        yield torch.tensor([[0, 1]]), costs, [(2.0, two)]
        yield torch.tensor([[1, 1]]), costs, [(2.0, two)]
        while True:
            numbers, (height, width) = torch_generator(rng), (rng.randint(1, 3), rng.randint(2, 3))
            classes = rng.randint(2, 4)
            labels = torch.randint(0, classes, (height, width), generator=numbers)
            costs = 3 * torch.rand(classes, height, width, generator=numbers)
            yield labels, costs, _kernels(numbers, height * width, rng.randint(1, 2))

    @misconception(
        "Each pair is counted twice, as (i, j) and as (j, i). The sum runs over i < j: take half of the full "
        "matrix."
    )
    def pairs_twice(labels, unary, kernels):
        return _with_mu(labels, unary, kernels, _differ(labels), 1.0)

    @misconception(
        "Every pair pays here, because its indices differ. μ asks whether the *labels* differ: neighbours that "
        "agree pay nothing."
    )
    def all_pairs_pay(labels, unary, kernels):
        return _with_mu(labels, unary, kernels, 1 - torch.eye(labels.numel()), 0.5)

    @misconception(
        "Pairs with the same label pay here. Potts is the other way round: 1 where the labels differ."
    )
    def equal_labels_pay(labels, unary, kernels):
        return _with_mu(labels, unary, kernels, 1 - _differ(labels), 0.5)

    @misconception("This is the unary part alone. The pairs are still to come.")
    def unary_only(labels, unary, kernels):
        return _alone(labels, unary)

    @misconception("These are the pairs alone. What each pixel pays for its own label is missing.")
    def pairs_only(labels, unary, kernels):
        return _with_mu(labels, unary, kernels, _differ(labels), 0.5) - _alone(labels, unary)

    @misconception("The weights w are forgotten: each kernel is multiplied by its own.")
    def no_weights(labels, unary, kernels):
        return _with_mu(labels, unary, [(1.0, kernel) for _, kernel in kernels], _differ(labels), 0.5)

    @misconception("Only pixels that follow each other are compared. *Fully connected* means every pair.")
    def neighbours_only(labels, unary, kernels):
        return _with_mu(labels, unary, kernels, _neighbours(labels), 0.5)

    @misconception("The pairs are subtracted. Disagreement is a cost: it is added to the energy.")
    def pairs_subtracted(labels, unary, kernels):
        return 2 * _alone(labels, unary) - _with_mu(labels, unary, kernels, _differ(labels), 0.5)


@exercise
class Update:
    """Stretch: one mean-field update."""

    reference = crf.update
    show = _pairs
    hints = (
        "First listen: `heard = sum(w * filter(q) for w, filter in filters)`, shape [C, N]: how much weight the "
        "other pixels give to each label.",
        "What does label l cost pixel i? `mu @ heard`: row l of μ says what l costs beside each label.",
        "Costs lower a label's chance, so they go in with a minus, like theta. Then softmax over the classes, axis 0.",
    )

    def cases(rng: random.Random) -> Iterator[tuple]:
        """q and theta [C, N], filters, and compatibilities: Potts at first, then any symmetric one."""
        q = torch.tensor([[0.9, 0.2], [0.1, 0.8]])
        pair = crf.ExactFilter(torch.tensor([[0.0, 1.0]]), "none", self_term=False)
        yield q, -q.log(), [(2.0, pair)], crf.potts(2)
        while True:
            numbers, classes, pixels = torch_generator(rng), rng.randint(2, 4), rng.randint(2, 5)
            q = torch.softmax(torch.randn(classes, pixels, generator=numbers), 0)
            theta = 3 * torch.rand(classes, pixels, generator=numbers)
            features = [torch.randn(2, pixels, generator=numbers) for _ in range(rng.randint(1, 2))]
            filters = [(rng.choice((0.5, 2.0, 3.0)), crf.ExactFilter(feature)) for feature in features]
            mu = torch.rand(classes, classes, generator=numbers).round(decimals=1)
            yield q, theta, filters, crf.potts(classes) if rng.random() < 0.4 else mu + mu.T

    @misconception(
        "The message is added. It is a cost, like the unary, and costs are subtracted: here each pixel would "
        "take the label that its neighbours do *not* have."
    )
    def message_added(q, theta, filters, mu):
        return torch.softmax(-theta + mu @ _heard(q, filters), 0)

    @misconception(
        "This is right for Potts only, where -μ·heard equals +heard up to one number per pixel. Another μ must "
        "be asked what each pair of labels costs."
    )
    def potts_only(q, theta, filters, mu):
        return torch.softmax(-theta + _heard(q, filters), 0)

    @misconception(
        "μ is missing: this makes a pixel pay for every neighbour that *agrees*. Put `mu @` in front of what is "
        "heard."
    )
    def no_compatibility(q, theta, filters, mu):
        return torch.softmax(-theta - _heard(q, filters), 0)

    @misconception(
        "The softmax runs over the pixels (axis 1). At each pixel the classes must add up to one: axis 0."
    )
    def softmax_over_pixels(q, theta, filters, mu):
        return torch.softmax(-theta - mu @ _heard(q, filters), 1)

    @misconception(
        "The unary is forgotten. It goes into every step, not only into the start, or the network is soon "
        "out-voted."
    )
    def no_unary(q, theta, filters, mu):
        return torch.softmax(-mu @ _heard(q, filters), 0)

    @misconception(
        "This starts from the present q in place of the unary. Then each step adds the neighbours' word once "
        "more, for ever."
    )
    def from_present_q(q, theta, filters, mu):
        return torch.softmax(q.log() - mu @ _heard(q, filters), 0)

    @misconception("The unary has the wrong sign: theta is a cost, high where the class is unlikely.")
    def wrong_unary_sign(q, theta, filters, mu):
        return torch.softmax(theta - mu @ _heard(q, filters), 0)

    @misconception("The weights w are forgotten: each filter's answer is multiplied by its own.")
    def no_weights(q, theta, filters, mu):
        return torch.softmax(-theta - mu @ sum(filter(q) for _, filter in filters), 0)

    @misconception(
        "Without the division these are no probabilities. At each pixel divide by the sum over the classes: that "
        "is what softmax does."
    )
    def not_normalised(q, theta, filters, mu):
        return torch.exp(-theta - mu @ _heard(q, filters))

    @misconception("These are the scores before the softmax. q must be a probability at each pixel.")
    def scores_only(q, theta, filters, mu):
        return -theta - mu @ _heard(q, filters)
