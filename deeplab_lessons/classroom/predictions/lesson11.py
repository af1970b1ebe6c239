"""Predictions of lesson 11: a cascade's map and dilations, cells that are read, valid taps, a lie, head, batch norm."""

import torch

from deeplab_lessons import arithmetic, models
from deeplab_lessons.arithmetic import Layer
from deeplab_lessons.classroom import drawing, stacks
from deeplab_lessons.classroom.course import stored_results
from deeplab_lessons.classroom.predictions.framework import Answer, choice, number
from deeplab_lessons.heads import ImagePooling


@number(
    "After block4 the output stride is 32, and each copy halves the map. How many cells per side remain of 513 pixels?",
    unit="cells per side",
    slips={
        513 // 256: "You rounded down. Padding keeps the incomplete cell at the border: round up.",
        3 * 3: "You counted the whole map. The question asks for one side.",
        17: "That is block4's map. The three copies halve it three times more.",
        513 // 32: "That is block4's map, rounded down. The three copies halve it three times more.",
        5: "That is block6's map. Block7 halves it once more.",
    },
)
def side_after_block7():
    side = 513
    for _ in range(8):  # two in the stem, then block2 to block7
        side = arithmetic.output_size(side, kernel_size=3, stride=2, padding=1)
    return Answer(side, shows=f"{side} × {side}")


@number(
    "Output stride 16, unit rates (1, 2, 4): which dilation does the last 3 × 3 of block6 have?",
    slips={
        4: "You took only the unit rate. Block6 has a dilation of its own, because strides were removed.",
        2
        * 4: "That is block6's own dilation, or block4's last one. Multiply block6's own by its last unit rate, 4.",
        4 * 4: "That is block5's. Block6 doubles it once more.",
        8 + 4: "You added. The dilation is unit rate times the dilation of the block.",
        2 * 3 * 4: "You added 2 from block to block. The strides multiply: 2, 4, 8.",
        16 * 4: "You are one block too far: block6 has the dilation 8 at output stride 16.",
    },
)
def last_dilation_of_block6():
    with torch.device("meta"):
        net = models.deeplab_v3(21, "resnet50", 16, multi_grid=(1, 2, 4), cascade=6)
    dilations = drawing.cascade.stage_rates(net.backbone.layer6)
    return Answer(dilations[-1], shows=str(dilations))


@number(
    "Three 3 × 3 convolutions with dilations (4, 4, 4): how many cells of a row does a unit read?",
    unit="cells",
    slips={
        1 + 3 * 2 * 4: "That is the window. Most of its cells are holes, because only every fourth is read.",
        3 * 3: "You counted the taps of three layers. Many ways lead to the same cell.",
        3**3: "You counted ways through the taps. Many of them end at the same cell.",
        3: "That is one layer. The second and third layer widen it by two cells each.",
        3 * 2: "You counted the gaps. There are six of them between seven cells.",
        13: "You counted every second cell. With dilation 4 throughout, only every fourth is read.",
    },
)
def cells_that_222_reads():
    row = stacks.path_counts([Layer(3, padding="same", dilation=4)] * 3, 20, input_size=41)
    read = sum(count > 0 for count in row)
    return Answer(read, shows=f"(2, 2, 2): reads  {read} cells")


@number(
    "On a map of 65 × 65 cells, what fraction of the cells has nine valid taps at dilation 24?",
    tolerance=0.005,
    slips={
        17 / 65: "You counted along one axis. A map has two: square the fraction.",
        41**2 / 65**2: "You subtracted one border. Cells near either border lose taps: subtract 24 twice.",
        41 / 65: "You subtracted one border along one axis. Both borders count, and both axes.",
        100 * 17**2 / 65**2: "That is per cent. As a fraction it is a hundred times smaller.",
        17**2: "That is a number of cells. Divide by 65 · 65.",
        0: "The kernel covers 49 cells and still fits: 65 - 48 = 17 cells per side.",
    },
)
def nine_valid_taps():
    fraction = stacks.tap_shares(65, dilation=24)[9]
    return Answer(round(fraction, 3), shows=f"nine {fraction:.3f}")


@choice(
    "Image pooling hands out another photo's vector. How far does this network's mIoU of 74.7% fall?",
    ("to about 74%", "to about 60%", "to about 40%", "to about 14%"),
    slips={
        "to about 74%": (
            "You expected the 1 × 1 branch to manage alone. In training it never had to: both saw the same photo."
        ),
        "to about 60%": "You underestimated the lie. It reaches every cell of the map at once.",
        "to about 40%": "That is still too high. Zeros cost less than this lie, which argues for the wrong classes.",
    },
)
def lied_to():
    run = stored_results("lesson11")["finished"]["another's vector"][0]
    nearest = min((74, 60, 40, 14), key=lambda each: abs(each - run["mean_iou"]))
    return Answer(f"to about {nearest}%", shows=f"mIoU {run['mean_iou']:.1f}")


@choice(
    "On ResNet-101, v2's head has 1.5 million weights. How many does v3's head have?",
    (
        "about as many",
        "about three times as many",
        "about ten times as many",
        "about a hundred times as many",
    ),
    slips={
        "about as many": "You counted branches. In v3 each has 256 channels, whereas v2's branches go straight to 21.",
        "about three times as many": (
            "You underestimated the width: a 3 × 3 in v3 makes 256 channels, whereas v2's makes 21 scores."
        ),
        "about a hundred times as many": (
            "You overestimated the mixing. The three 3 × 3 hold most of the weights, each 12 times as many as v2's."
        ),
    },
)
def weights_of_the_head():
    with torch.device("meta"):
        v2, v3 = models.deeplab_v2(21, rates="L"), models.deeplab_v3(21, "resnet101", 16)
    parts = {"v2": [v2.head], "v3": [v3.aspp, v3.classifier]}
    counts = {
        name: sum(p.numel() for part in each for p in part.parameters()) for name, each in parts.items()
    }
    times = counts["v3"] / counts["v2"]
    words = {1: "as many", 3: "three times as many", 10: "ten times as many", 100: "a hundred times as many"}
    nearest = min(words, key=lambda factor: max(times / factor, factor / times))
    shows = tuple(f"{name}: {count / 1e6:.1f} million" for name, count in counts.items())
    return Answer(f"about {words[nearest]}", shows)


@number(
    "In a batch of 4, over how many numbers does image pooling's batch norm average, for each channel?",
    unit="numbers",
    slips={
        4
        * 121: "You counted all cells, as in the other branches. Pooling first leaves one cell of each image.",
        121: "You counted the cells of one image. Pooling leaves one, and batch norm averages over the batch.",
        1: "You counted one image. Batch norm averages over the batch: one number from each image.",
        4 * 256: "You counted channels. Batch norm treats each channel by itself.",
        256: "You counted channels. Batch norm treats each channel by itself.",
    },
)
def numbers_in_the_norm():
    seen = []
    branch = ImagePooling(3, 2)
    branch[2].register_forward_pre_hook(lambda norm, inputs: seen.append(inputs[0]))
    branch(torch.zeros(4, 3, 11, 11))
    count = seen[0].numel() // seen[0].shape[1]
    return Answer(count, shows=f"'image pooling': {count}")
