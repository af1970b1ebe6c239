"""Predictions of lesson 06: costs, kernels, pairs, labellings, updates that swing, and what smoothness does alone."""

import math
from itertools import pairwise

import torch

from deeplab_lessons import crf
from deeplab_lessons.classroom import redrawing, tiny_crf
from deeplab_lessons.classroom.pictures import portrait
from deeplab_lessons.classroom.predictions.framework import Answer, choice, number
from deeplab_lessons.grid import Grid, upsample


@number(
    "The network gives “person” a probability of 90%. What does the label “background” cost there?",
    tolerance=0.05,
    slips={
        0.1: "That is the probability of background, and nearly the cost of person. Take -log 0.1.",
        0.9: "That is the probability of person. Background's is 0.1: take -log 0.1.",
        -math.log10(0.1): "You took the logarithm to base 10. The energy uses the natural logarithm.",
        -math.log2(0.1): "You took the logarithm to base 2. The energy uses the natural logarithm.",
        math.log(0.1): "You left out the minus. A cost is high where the label is unlikely.",
        -math.log(0.5): "That is what an undecided pixel pays. Here background has a probability of 0.1.",
    },
)
def cost_of_background():
    person = torch.tensor([0.9, 0.1]).view(2, 1, 1)
    cost = crf.unary_from_probabilities(person)[1].item()
    return Answer(round(cost, 3), shows=f"{cost:.3f}")


KERNEL = {"1": 1, "½": 0.5, "0": 0}


@choice(
    "Two pixels of the same colour are one σα apart. Is their appearance kernel nearest to 1, ½ or 0?",
    tuple(KERNEL),
    slips={
        "1": "It is 1 for a pixel and itself. One σ apart, the exponent is -½.",
        "0": "At one σ the exponent is only -½. At three σ the kernel is nearly 0.",
    },
)
def kernel_at_one_sigma():
    kernel = tiny_crf.exact_kernel(torch.tensor([[0.0, 1.0]]))[0, 1].item()
    return Answer(min(KERNEL, key=lambda name: abs(KERNEL[name] - kernel)), shows=f"{kernel:.3f}")


@number(
    "How many million pairs of pixels does our portrait of 64 × 64 pixels have?",
    unit="million pairs",
    tolerance=0.1,
    slips={
        64 * 64 / 1e6: "You counted pixels. Each of them makes a pair with every other one.",
        64**4 / 1e6: "You counted each pair twice, and each pixel with itself. Divide by 2.",
    },
)
def pairs_of_the_portrait():
    picture, _ = portrait()
    pairs = math.comb(picture[..., 0].size, 2)
    return Answer(round(pairs / 1e6, 2), shows=str(pairs))


def _six_pixels() -> tuple:
    """The unary and the kernels of the lesson's 2 x 3 pixels."""
    grey = torch.tensor([[20.0, 30, 200], [25, 180, 210]])
    thing = torch.tensor([[0.10, 0.55, 0.80], [0.20, 0.40, 0.90]])
    alike = tiny_crf.exact_kernel(crf.bilateral_features(grey.expand(3, 2, 3), 2.0, 40.0))
    near = tiny_crf.exact_kernel(crf.spatial_features((2, 3), 1.0))
    return crf.unary_from_probabilities(torch.stack([1 - thing, thing])), [(2.0, alike), (0.5, near)]


FRACTIONS = {"about 1/64": 1 / 64, "about a half": 0.5, "nearly all of it": 1}


@choice(
    "What fraction of all probability does the likeliest of the 64 labellings have?",
    tuple(FRACTIONS),
    slips={
        "about 1/64": "That would be so if all labellings cost the same. One unit of energy makes a factor of 2.7.",
        "nearly all of it": "Three others cost only one or two units more, and have a third of all probability.",
    },
)
def fraction_of_the_likeliest():
    _, energies = tiny_crf.every_labelling(*_six_pixels())
    likeliest = torch.softmax(-energies, 0).max().item()
    found = min(FRACTIONS, key=lambda name: abs(FRACTIONS[name] - likeliest))
    return Answer(found, shows=f"{likeliest:.2f}")


LOWEST, HIGHEST, ALL = "the one of the lowest energy", "the one of the highest energy", "all the same"


@choice(
    "If P were 1 / (Z · exp(−E)), which labelling would be the likeliest?",
    (LOWEST, HIGHEST, ALL),
    slips={
        LOWEST: "That is so with exp(−E) in the numerator. 1 / exp(−E) is exp(E), which rises with the energy.",
        ALL: "Z is the same for all labellings, and exp(−E) is not.",
    },
)
def likeliest_by_the_slip():
    unary, kernels = _six_pixels()
    _, energies = tiny_crf.every_labelling(unary, kernels)
    slip = 1 / (tiny_crf.log_partition(unary, kernels).exp() * torch.exp(-energies))
    places = {energies.argmin().item(): LOWEST, energies.argmax().item(): HIGHEST}
    found = places[slip.argmax().item()] if slip.min() < slip.max() else ALL
    return Answer(found, shows="highest energy: True")


FALLS, SWINGS, RISES = "it falls at every step", "it rises and falls in turn", "it rises at every step"


@choice(
    "Both pixels update at the same time, from the old q. What does the free energy do?",
    (FALLS, SWINGS, RISES),
    slips={
        FALLS: "That holds for one pixel at a time. Here each takes over the other's label in the same moment.",
        RISES: "It rises when the pixels swap labels. In the next step they swap back.",
    },
)
def both_at_once():
    stubborn = torch.tensor([[0.0, 2.0], [1.5, 0.0]]).view(2, 1, 2)
    pair, found = torch.tensor([[0.0, 1], [1, 0]]), []
    crf.mean_field(
        stubborn,
        [(4.0, lambda q: q @ pair)],
        watch=lambda i, q: found.append(tiny_crf.free_energy(q, stubborn, [(4.0, pair)]).item()),
    )
    rises = [after > before for before, after in pairwise(found)]
    swings = any(rises) and not all(rises)
    return Answer(SWINGS if swings else RISES if all(rises) else FALLS, str([round(f, 1) for f in found[:6]]))


FEWER, SAME, MORE = "fewer", "as many", "more"


@choice(
    "Compared with the unary alone, how many pixels are wrong when only smoothness is added?",
    (FEWER, SAME, MORE),
    slips={
        FEWER: "Smoothness averages noise away. This map is smooth already, so only its corners are rounded off.",
        SAME: "Pixels at a corner have more near pixels on the other side than on their own.",
    },
)
def wrong_with_smoothness():
    _, truth = portrait()
    fractions = torch.tensor(redrawing.class_shares(truth, 8, 2)).float()
    p = 0.1 + 0.8 * upsample(fractions[None], truth.shape, Grid(8, 3.5))[0]
    near = tiny_crf.ExactFilter(crf.spatial_features(truth.shape, 2.0))
    q = crf.mean_field(crf.unary_from_probabilities(p), [(3.0, near)])
    before, after = ((each.argmax(0).numpy() != truth).sum() for each in (p, q))
    return Answer(
        MORE if after > before else FEWER if after < before else SAME, shows=f"{after} pixels wrong"
    )
