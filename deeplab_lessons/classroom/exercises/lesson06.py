"""Exercises of lesson 06: the unary, the Gaussian kernel, the energy of a labelling, the mean-field update."""

import math
import random
from collections.abc import Iterator

import torch

from deeplab_lessons import crf
from deeplab_lessons.classroom.exercises._compare import show as show_value
from deeplab_lessons.classroom.exercises._framework import Exercise, Misconception


def _numbers(rng: random.Random) -> torch.Generator:
    return torch.Generator().manual_seed(rng.randrange(10**6))


def _probability_maps(rng: random.Random) -> Iterator[tuple]:
    """Distributions [C, H, W]; in some a class has no probability at all, in some the floor is given."""
    yield (torch.tensor([0.25, 0.75]).view(2, 1, 1),)
    yield (torch.tensor([[0.5, 0.0], [0.5, 1.0]]).view(2, 1, 2),)
    yield torch.tensor([[0.002, 0.4], [0.998, 0.6]]).view(2, 1, 2), 0.01
    while True:
        shape = rng.randint(2, 4), rng.randint(1, 3), rng.randint(1, 3)
        p = torch.softmax(4 * torch.randn(shape, generator=_numbers(rng)), 0)
        yield (p,) if rng.random() < 0.6 else (p, rng.choice((1e-3, 0.02)))


def _features(rng: random.Random) -> Iterator[tuple]:
    """Features [d, N] of a few pixels, none of them twice the same."""
    yield (torch.tensor([[0.0, 2.0]]),)
    yield (torch.tensor([[0.0, 1.0, 3.0], [0.0, 1.0, 0.0]]),)
    while True:
        yield (torch.randn(rng.randint(1, 5), rng.randint(2, 6), generator=_numbers(rng)),)


def _kernels(numbers: torch.Generator, pixels: int, count: int) -> list:
    """`count` pairs (w, k) with Gaussian kernels [N, N] of random features."""
    found = []
    for _ in range(count):
        weight = round(0.5 + 3 * torch.rand((), generator=numbers).item(), 1)
        found.append((weight, crf.exact_kernel(torch.randn(2, pixels, generator=numbers))))
    return found


def _labellings(rng: random.Random) -> Iterator[tuple]:
    """Labels [H, W], a unary [C, H, W] and kernels: at first two pixels that disagree."""
    half = math.exp(-0.5)
    two = torch.tensor([[1.0, half], [half, 1.0]])
    costs = torch.tensor([[0.5, 1.5], [1.0, 0.25]]).view(2, 1, 2)
    yield torch.tensor([[0, 1]]), costs, [(2.0, two)]
    yield torch.tensor([[1, 1]]), costs, [(2.0, two)]
    while True:
        numbers, (height, width) = _numbers(rng), (rng.randint(1, 3), rng.randint(2, 3))
        classes = rng.randint(2, 4)
        labels = torch.randint(0, classes, (height, width), generator=numbers)
        costs = 3 * torch.rand(classes, height, width, generator=numbers)
        yield labels, costs, _kernels(numbers, height * width, rng.randint(1, 2))


def _steps(rng: random.Random) -> Iterator[tuple]:
    """q and theta [C, N], filters, and compatibilities: Potts at first, then any symmetric one."""
    q = torch.tensor([[0.9, 0.2], [0.1, 0.8]])
    pair = crf.ExactFilter(torch.tensor([[0.0, 1.0]]), "none", self_term=False)
    yield q, -q.log(), [(2.0, pair)], crf.potts(2)
    while True:
        numbers, classes, pixels = _numbers(rng), rng.randint(2, 4), rng.randint(2, 5)
        q = torch.softmax(torch.randn(classes, pixels, generator=numbers), 0)
        theta = 3 * torch.rand(classes, pixels, generator=numbers)
        features = [torch.randn(2, pixels, generator=numbers) for _ in range(rng.randint(1, 2))]
        filters = [(rng.choice((0.5, 2.0, 3.0)), crf.ExactFilter(feature)) for feature in features]
        mu = torch.rand(classes, classes, generator=numbers).round(decimals=1)
        yield q, theta, filters, crf.potts(classes) if rng.random() < 0.4 else mu + mu.T


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


unary_from_probabilities = Exercise(
    reference=crf.unary_from_probabilities,
    cases=_probability_maps,
    hints=(
        "An energy is low where a class is likely. Which function falls from infinity to 0 while a probability "
        "rises from 0 to 1, and turns products into sums?",
        "`-p.log()`. And before that, `p.clamp(min=floor)`: log 0 is minus infinity.",
    ),
    misconceptions=(
        Misconception(
            lambda p, floor=1e-5: p,
            "These are the probabilities themselves: the likely class would have the highest energy. The energy is "
            "the negative logarithm.",
        ),
        Misconception(
            lambda p, floor=1e-5: 1 - p,
            "1 - p is low where p is high, but then exp(-E) is not p: with no kernels at all the CRF must give "
            "back what the network said. Only -log p does that.",
        ),
        Misconception(
            lambda p, floor=1e-5: p.clamp(min=floor).log(),
            "The sign is missing. log p is highest where the class is likely; an energy must be lowest there.",
        ),
        Misconception(
            lambda p, floor=1e-5: -p.log(),
            "Where a probability is 0 (or tiny) this is infinite (or huge), and no neighbour could ever change that. "
            "Raise it to the floor first.",
        ),
        Misconception(
            lambda p, floor=1e-5: -(p + floor).log(),
            "This adds the floor to every probability. Only those below the floor are raised, to the floor.",
        ),
        Misconception(
            lambda p, floor=1e-5: -p.clamp(min=floor).log2(),
            "This is in bits (logarithm to base 2). P = exp(-E) needs the natural logarithm.",
        ),
        Misconception(
            lambda p, floor=1e-5: -p.clamp(min=floor).log10(),
            "This is the logarithm to base 10. P = exp(-E) needs the natural logarithm.",
        ),
    ),
)

exact_kernel = Exercise(
    reference=crf.exact_kernel,
    cases=_features,
    hints=(
        "`features[:, :, None] - features[:, None, :]` has the shape [d, N, N]: all differences at once.",
        "Square, sum over the d features, halve, change the sign, exponentiate.",
    ),
    misconceptions=(
        Misconception(
            lambda features: torch.exp(-_distances(features)),
            "The 2 of 2σ² is missing. The features are already divided by σ, so what is left is exp(-d² / 2).",
        ),
        Misconception(
            lambda features: torch.exp(-_distances(features).sqrt() / 2),
            "The distance is not squared. A Gaussian falls with the square: slowly near the pixel, then quickly.",
        ),
        Misconception(
            lambda features: torch.exp(_distances(features) / 2),
            "The minus is missing: this grows with the distance. The farther two pixels are apart, the less they "
            "should listen to each other.",
        ),
        Misconception(
            lambda features: _distances(features) / 2,
            "This is the exponent. exp(-…) of it is still to come, or strangers would count most.",
        ),
        Misconception(
            lambda features: torch.exp(-(features[:, :, None] - features[:, None, :]).square() / 2).sum(0),
            "Here each feature has its own Gaussian, and they are added. Two pixels must be close in all features: "
            "sum the squares first (or multiply the Gaussians).",
        ),
        Misconception(
            lambda features: torch.exp(
                -((features[:, :, None] - features[:, None, :]).abs().sum(0) ** 2) / 2
            ),
            "The differences are added before they are squared. The squared distance is the sum of the squares.",
        ),
        Misconception(
            lambda features: torch.exp(-_distances(features) / 2) - torch.eye(features.shape[1]),
            "The diagonal is 0 here. The kernel of a pixel with itself is exp(0) = 1; whether it may count is "
            "decided later, where the kernel is used.",
        ),
    ),
)

energy = Exercise(
    reference=crf.energy,
    cases=_labellings,
    show=_pairs,
    hints=(
        "Two sums. The first: at every pixel, the unary of the label that it has. `unary.gather(0, labels[None])`.",
        "The second: x = labels.flatten(), and `x[:, None] != x[None, :]` says for every pair whether the labels "
        "differ. Multiply with w · k and add up.",
        "In the full matrix each pair stands twice, as (i, j) and as (j, i). Take half. `.item()` makes a number.",
    ),
    misconceptions=(
        Misconception(
            lambda labels, unary, kernels: _with_mu(labels, unary, kernels, _differ(labels), 1.0),
            "Each pair is counted twice, as (i, j) and as (j, i). The sum runs over i < j: take half of the full "
            "matrix.",
        ),
        Misconception(
            lambda labels, unary, kernels: _with_mu(
                labels, unary, kernels, 1 - torch.eye(labels.numel()), 0.5
            ),
            "Every pair pays here, because its indices differ. μ asks whether the *labels* differ: neighbours that "
            "agree pay nothing.",
        ),
        Misconception(
            lambda labels, unary, kernels: _with_mu(labels, unary, kernels, 1 - _differ(labels), 0.5),
            "Pairs with the same label pay here. Potts is the other way round: 1 where the labels differ.",
        ),
        Misconception(
            lambda labels, unary, kernels: _alone(labels, unary),
            "This is the unary part alone. The pairs are still to come.",
        ),
        Misconception(
            lambda labels, unary, kernels: (
                _with_mu(labels, unary, kernels, _differ(labels), 0.5) - _alone(labels, unary)
            ),
            "These are the pairs alone. What each pixel pays for its own label is missing.",
        ),
        Misconception(
            lambda labels, unary, kernels: _with_mu(
                labels, unary, [(1.0, kernel) for _, kernel in kernels], _differ(labels), 0.5
            ),
            "The weights w are forgotten: each kernel is multiplied by its own.",
        ),
        Misconception(
            lambda labels, unary, kernels: _with_mu(labels, unary, kernels, _neighbours(labels), 0.5),
            "Only pixels that follow each other are compared. *Fully connected* means every pair.",
        ),
        Misconception(
            lambda labels, unary, kernels: (
                2 * _alone(labels, unary) - _with_mu(labels, unary, kernels, _differ(labels), 0.5)
            ),
            "The pairs are subtracted. Disagreement is a cost: it is added to the energy.",
        ),
    ),
)

update = Exercise(
    reference=crf.update,
    cases=_steps,
    show=_pairs,
    hints=(
        "First listen: `heard = sum(w * filter(q) for w, filter in filters)`, shape [C, N]: how much weight the "
        "other pixels give to each label.",
        "What does label l cost pixel i? `mu @ heard`: row l of μ says what l costs beside each label.",
        "Costs lower a label's chance, so they go in with a minus, like theta. Then softmax over the classes, axis 0.",
    ),
    misconceptions=(
        Misconception(
            lambda q, theta, filters, mu: torch.softmax(-theta + mu @ _heard(q, filters), 0),
            "The message is added. It is a cost, like the unary, and costs are subtracted: here each pixel would "
            "take the label that its neighbours do *not* have.",
        ),
        Misconception(
            lambda q, theta, filters, mu: torch.softmax(-theta + _heard(q, filters), 0),
            "This is right for Potts only, where -μ·heard equals +heard up to one number per pixel. Another μ must "
            "be asked what each pair of labels costs.",
        ),
        Misconception(
            lambda q, theta, filters, mu: torch.softmax(-theta - _heard(q, filters), 0),
            "μ is missing: this makes a pixel pay for every neighbour that *agrees*. Put `mu @` in front of what is "
            "heard.",
        ),
        Misconception(
            lambda q, theta, filters, mu: torch.softmax(-theta - mu @ _heard(q, filters), 1),
            "The softmax runs over the pixels (axis 1). At each pixel the classes must add up to one: axis 0.",
        ),
        Misconception(
            lambda q, theta, filters, mu: torch.softmax(-mu @ _heard(q, filters), 0),
            "The unary is forgotten. It goes into every step, not only into the start, or the network is soon "
            "out-voted.",
        ),
        Misconception(
            lambda q, theta, filters, mu: torch.softmax(q.log() - mu @ _heard(q, filters), 0),
            "This starts from the present q in place of the unary. Then each step adds the neighbours' word once "
            "more, for ever.",
        ),
        Misconception(
            lambda q, theta, filters, mu: torch.softmax(theta - mu @ _heard(q, filters), 0),
            "The unary has the wrong sign: theta is a cost, high where the class is unlikely.",
        ),
        Misconception(
            lambda q, theta, filters, mu: torch.softmax(
                -theta - mu @ sum(filter(q) for _, filter in filters), 0
            ),
            "The weights w are forgotten: each filter's answer is multiplied by its own.",
        ),
        Misconception(
            lambda q, theta, filters, mu: torch.exp(-theta - mu @ _heard(q, filters)),
            "Without the division these are no probabilities. At each pixel divide by the sum over the classes: that "
            "is what softmax does.",
        ),
        Misconception(
            lambda q, theta, filters, mu: -theta - mu @ _heard(q, filters),
            "These are the scores before the softmax. q must be a probability at each pixel.",
        ),
    ),
)
