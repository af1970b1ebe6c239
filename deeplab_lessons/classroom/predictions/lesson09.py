"""Predictions of lesson 09: what scales and dilations see, what they cost, and what fusing does."""

import torch

from deeplab_lessons import heads, models
from deeplab_lessons.classroom import stacks
from deeplab_lessons.classroom.ledger.twins import Twin, spread
from deeplab_lessons.classroom.predictions.framework import Answer, choice, number
from deeplab_lessons.receptive_field import trace


def _traced(side: int, rates: tuple[int, ...] | str = (12,)):
    """Field and work of DeepLab v2 on VGG16, for an image of `side` pixels."""
    with torch.device("meta"):
        return trace(models.deeplab_v2(21, "vgg16", rates), side)


@number(
    "LargeFOV on VGG16 sees 419 pixels. How many pixels of the original image does it see at scale 0.5?",
    unit="pixels",
    slips={
        419: "The network still sees 419 pixels, but of the smaller image. Each step there is two of the original.",
        2 * 419: "You stretched the pixels. 419 pixels are 418 steps, and the steps are what doubles.",
        419
        // 2: "You shrank the field. It is the image that becomes smaller, so the field covers more of it.",
        419
        / 2: "You shrank the field. It is the image that becomes smaller, so the field covers more of it.",
    },
)
def field_at_half_size():
    field = _traced(161)["head.branches.0.fc6"].size
    return round((field - 1) / 0.5 + 1)


@number(
    "MSC runs a network at scales 0.5, 0.75 and 1. How many times the work of one run at scale 1 is that?",
    unit="times",
    tolerance=0.06,
    slips={
        3: "You counted three runs at full size. The smaller images have fewer pixels.",
        0.5
        + 0.75
        + 1: "You added the scales. Both sides shrink, so the work grows with the square of the scale.",
        0.5**2 + 0.75**2: "You left out the run at scale 1.",
    },
)
def work_of_three_scales():
    work = [round(_traced(side).multiply_adds / 1e9, 1) for side in (161, 241, 321)]
    return round(sum(work) / work[-1], 2)


@number(
    "A training crop is 321 pixels wide. How many of ASPP-L's four branches see less than that?",
    unit="branches",
    slips={
        1: "The narrowest branch has dilation 6: its field is 227 + 2 · 6 · 8 = 323 pixels.",
        2: "You perhaps left out the field of the backbone. A cell already sees 227 pixels before any branch.",
        3: "You perhaps counted gaps in cells. A cell is 8 pixels from the next.",
        4: "You perhaps took only the kernels. A cell already sees 227 pixels before any branch.",
    },
)
def branches_below_a_crop():
    found = _traced(321, "L")
    fields = [found[f"head.branches.{branch}.fc6"].size for branch in range(len(heads.ASPP_RATES["L"]))]
    return Answer(sum(field < 321 for field in fields), [f"field {field} pixels" for field in fields])


@number(
    "At the middle cell of the 41 × 41 map, how many of the nine taps with dilation 24 are on the map?",
    unit="taps",
    slips={
        9: "From the middle there are 20 cells to each side, and the next tap is 24 away.",
        5: "The taps above, below, left and right are 24 cells away too, beyond the 20 that there are.",
        4: "Four taps are on the map near a corner. From the middle, the next one is out on every side.",
        3: "Neither a row nor a column is left: the next tap is 24 cells away on every side.",
        0: "One tap always stays on the map: the one on the cell itself.",
    },
)
def taps_in_the_middle():
    taps = stacks.taps_on_map(41, 3, 24)[20] ** 2
    return Answer(taps, f"dilation 24 in the middle: {taps} on the map")


@number(
    "A map has 21 × 21 cells. From which dilation on does no cell have an outer tap on the map?",
    unit="cells",
    slips={
        10: "From the middle, a tap ten cells away is the last one on the map. Cells at the edge reach farther.",
        11: "That holds for the cell in the middle. From a corner, a tap 11 cells away is still on the map.",
        20: "From a corner, a tap 20 cells away is the last cell of the map. One more, and it is outside.",
        22: "From a corner, the last cell is 20 away, so 21 is enough.",
        42: "The window spans 2 · dilation + 1 cells, but at a corner half of it is enough to leave the map.",
    },
)
def dilation_without_neighbours():
    first = next(rate for rate in range(1, 50) if max(stacks.taps_on_map(21, 3, rate)) == 1)
    return Answer(first, f"dilation {first}:  0.00% of the eight outer taps")


@choice(
    "Three branches favour the disc by 1, the fourth favours the box by 2.5. What do their sum and their maximum say?",
    (
        "both say disc",
        "both say box",
        "the sum says disc, the maximum box",
        "the sum says box, the maximum disc",
    ),
    slips={
        "both say disc": "The maximum does not count branches: the largest score wins, and 2.5 is the largest.",
        "both say box": "The sum adds three weak hints: three times 1 outweighs 2.5.",
        "the sum says box, the maximum disc": "You swapped them. The sum adds up hints, and the maximum takes the "
        "largest score.",
    },
)
def sum_and_maximum():
    scores = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 2.5]])
    by_sum, by_maximum = (("disc", "box")[fused.argmax()] for fused in (scores.sum(0), scores.amax(0)))
    one = f"both say {by_sum}"
    said = one if by_sum == by_maximum else f"the sum says {by_sum}, the maximum {by_maximum}"
    return Answer(said, f"sum: {by_sum:<12}maximum: {by_maximum}")


_TRAINED = {"fixed field": "one field (LargeFOV)", "ASPP-S": "ASPP-S", "ASPP-L": "ASPP-L"}


@choice(
    "Which of these twins reaches the highest mIoU on the scenes, as a mean over three seeds?",
    tuple(_TRAINED.values()),
    slips={
        "one field (LargeFOV)": "One branch keeps up with ASPP-L here, but not with the closer look of ASPP-S.",
        "ASPP-L": "It is so in the paper. On our scenes looking far gains nothing, whereas looking closely does.",
    },
)
def best_of_three():
    runs = {name: Twin("09", name)() for name in _TRAINED}
    best = max(runs, key=lambda name: sum(runs[name]) / len(runs[name]))
    return Answer(_TRAINED[best], spread(runs[best]))
