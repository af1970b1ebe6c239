"""The prediction of lesson 00: how coarse a classifier's last map is."""

from deeplab_lessons import arithmetic
from deeplab_lessons.classroom import stacks
from deeplab_lessons.classroom.predictions.framework import Answer, number


@number(
    "VGG16 halves its map five times: how many cells does the last map of 224 × 224 pixels have?",
    unit="cells",
    slips={
        224 // 2**5: "You counted the cells of one side. The map has as many rows as columns.",
        224 // (2 * 5): "You added the strides. Each halving halves what the one before it left.",
        (224 // (2 * 5)) ** 2: "You added the strides. Each halving halves what the one before it left.",
        (224 // 2**4) ** 2: "You stopped after four halvings.",
        224 * 224 // 2**5: "You divided the pixels by 32 once. Rows and columns are both halved five times.",
        2**5: "You found the output stride, in pixels. Divide 224 by it, and count rows times columns.",
    },
)
def last_map_cells():
    side = {field.name: field.out for field in arithmetic.receptive_fields(stacks.vgg16(), 224)}["pool5"]
    return Answer(side * side, shows=(f"({side}, {side})", f"{side * side} cells"))
