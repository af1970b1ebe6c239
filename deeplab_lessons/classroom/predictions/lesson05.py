"""Predictions of lesson 05: where cells are, losses, weights, learning rates, and what a result is worth."""

import numpy as np
import torch
from torch.nn import functional as F

from deeplab_lessons import metrics, training
from deeplab_lessons.classroom.experiments import experiment
from deeplab_lessons.classroom.predictions.framework import Answer, choice, number
from deeplab_lessons.grid import Grid, cell_centres
from deeplab_lessons.training import class_weights


@number(
    "Sixteen cells, 8 pixels apart, lie in the middle of 128 pixels. At which position is the first one centred?",
    unit="px",
    slips={
        0: "You put the first cell on the first pixel. The last one would then be at 120, and the map off the middle.",
        4: "You took half of 8. Pixels 0 to 7 have their middle between pixels 3 and 4.",
        8: "You took the distance between two cells.",
        3: "You rounded down. The middle of pixels 0 to 7 lies between two pixels.",
    },
)
def first_centre():
    first = cell_centres(128, 16, Grid(8, start=None))[0].item()
    return Answer(first, shows=f"centres [{first}")


@number(
    "What is the loss if there are six classes and all scores are equal?",
    tolerance=0.02,
    slips={
        0: "You treated no opinion as no cost. The right class has a probability of one sixth.",
        1 / 6: "You gave the probability. The loss is its negative logarithm.",
        5 / 6: "You gave the probability of being wrong. The loss is a logarithm.",
        1: "You gave the largest probability that there is. The loss is the negative logarithm of one sixth.",
        6: "You gave the number of classes. The loss is its logarithm.",
        2.585: "You took the logarithm to base 2. The loss uses the natural one.",
        0.778: "You took the logarithm to base 10. The loss uses the natural one.",
    },
)
def loss_of_equal_scores():
    loss = F.cross_entropy(torch.zeros(1, 6), torch.tensor([0])).item()
    return Answer(loss, shows=f"loss {loss:.3f}")


AGREE = ("yes, up to rounding", "no")


@choice(
    "A mean at learning rate 0.1, and a sum of n at 0.1 / n with n times the decay: do the weights agree?",
    AGREE,
    slips={
        "no": "The sum has a gradient n times as large and a learning rate n times as small, and the decay follows."
    },
)
def sum_or_mean():
    def three_steps(factor, lr, decay):
        weight = torch.nn.Parameter(torch.ones(6, 4))
        sgd = torch.optim.SGD([weight], lr, momentum=0.9, weight_decay=decay)
        for _ in range(3):
            sgd.zero_grad()
            (factor * F.cross_entropy(x @ weight.T, y)).backward()
            sgd.step()
        return weight

    x, y = torch.arange(520.0).sin().view(130, 4), torch.arange(130) % 6
    same = torch.allclose(three_steps(1, 0.1, 5e-4), three_steps(130, 0.1 / 130, 5e-4 * 130))
    return Answer(AGREE[0 if same else 1], shows=f"{same} ")


@number(
    "Halfway through the iterations, poly's learning rate is how many times step's?",
    unit="times",
    tolerance=0.4,
    slips={
        1: "You treated both as equal. By then step has lost a factor of ten, and poly about half.",
        0.5: "You gave what poly has left of its first learning rate. By then step has a tenth left.",
        10: "You treated poly as unchanged. By then it has lost about half of its learning rate.",
        50: "You let step fall twice. By then it has fallen once, after the first third.",
    },
)
def poly_half_way():
    ratio = training.poly(3000, 6000) / training.step(3000, 6000)
    return Answer(ratio, shows=f"poly has {ratio:.2f} times")


@number(
    "Background everywhere is right at 82 of 100 labelled pixels. What is its mIoU over six classes?",
    unit="%",
    tolerance=1,
    slips={
        82: "You gave the pixel accuracy, or the IoU of the background. Five classes have an IoU of 0.",
        100 / 6: "You gave the background an IoU of 100 %. Its union also holds the 18 wrong pixels.",
        0: "You counted no class. The background has an IoU, and it belongs to the mean.",
        50: "You perhaps took the mean of two classes. There are six, and five of them have an IoU of 0.",
        41: "You took the mean of two classes. There are six, and five of them have an IoU of 0.",
    },
)
def miou_of_background():
    confusion = torch.zeros(6, 6)
    confusion[:, 0] = torch.tensor([82.0, 6, 5, 4, 2, 1])
    percent = 100 * metrics.mean_iou(confusion)
    return Answer(percent, shows=f"mIoU {percent:.1f} %")


@number(
    "What is the mean IoU for the counts [[3, 1], [0, 2]], rows true and columns predicted, as a fraction?",
    tolerance=0.003,
    slips={
        5
        / 6: "You perhaps divided by the predicted pixels, or took pixel accuracy. Each class has a union of its own.",
        (3 / 4 + 1)
        / 2: "You divided each class by its true pixels. The union also holds the wrongly predicted ones.",
        (6 / 7 + 4 / 5)
        / 2: "You computed Dice, twice the diagonal over both sums. IoU divides by the union.",
        (3 / 7 + 2 / 5) / 2: "You counted the intersection twice in the union. Take the diagonal off once.",
        70.8: "You gave per cent. The next cell shows a fraction from 0 to 1.",
    },
)
def miou_of_two_classes():
    mean = metrics.mean_iou(torch.tensor([[3, 1], [0, 2]]))
    return Answer(mean, shows=f"{mean:.4f}")


HEADS = {"7x7": "small_7x7", "small field": "small_3x3", "LargeFOV": "small_largefov"}
BOTH = "small field and LargeFOV, equally few"


@choice(
    "Which of the three networks has the fewest weights?",
    (*HEADS, BOTH),
    slips={
        "7x7": "It has 49 taps for each channel, where the others have 9.",
        "small field": "It has as many taps as LargeFOV, 3 × 3. Dilation moves taps apart and adds none.",
        "LargeFOV": "It has as many taps as the small field, 3 × 3. Dilation moves taps apart and adds none.",
    },
)
def fewest_weights():
    with torch.device("meta"):
        models = {head: experiment(name).model() for head, name in HEADS.items()}
    weights = {head: sum(p.numel() for p in model.parameters()) for head, model in models.items()}
    fewest = [head for head, count in weights.items() if count == min(weights.values())]
    said = BOTH if len(fewest) == 2 else fewest[0]
    return Answer(said, shows=tuple(f"{count:,} weights" for count in weights.values()))


@number(
    "Three classes cover 80%, 15% and 5% of every label map. Which weight does median frequency give the rarest?",
    slips={
        80 / 5: "You divided the largest frequency by the class's own. The median is the one in the middle.",
        100 / 5: "This is one over the frequency. The median frequency is divided by it.",
        5 / 15: "You divided the other way round. A rare class gets a large weight.",
        20 / 3: "You took the mean of the three frequencies, 33%. The median is the one in the middle.",
        1: "This is the weight of the class in the middle.",
    },
)
def weight_of_the_rarest():
    labels = np.repeat([0, 1, 2], [80, 15, 5])
    weights = class_weights.median_frequency([(None, labels)])
    return Answer(round(weights[2].item(), 2), shows=f"{weights[2].item():.1f}")
