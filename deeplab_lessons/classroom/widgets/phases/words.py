"""The words of the stepper through the phases."""

WORDS = {
    "title": "Phases: taken apart, convolved, woven together",
    "dilation": "dilation",
    "step": "step",
    "slider_label": "{number}, slider",
    "step_1": "1 of 4: the image",
    "step_2": "2 of 4: its phases",
    "step_3": "3 of 4: each phase convolved",
    "step_4": "4 of 4: woven together",
    "said_1": "One image of {size} × {size} pixels. At dilation {dilation} the chosen unit reads nine pixels (orange), "
    "{dilation} apart.",
    "said_2": "Every pixel has moved to its phase, one of {count}. The nine pixels are now neighbours in one phase.",
    "said_3": "Each of the {count} phases has been convolved alone, with the undilated 3 × 3 kernel. The chosen unit "
    "(orange) has its answer from one phase.",
    "said_4": "The answers have moved back, {outputs} × {outputs} of them. {different} differ from the dilated "
    "convolution of the whole image.",
    "announced": "{title}. {said} The unit is in row {row}, column {column}.",
    "describe": "Step {title}. {said} The unit is in row {row}, column {column}. Arrow keys move it.",
    "hint": "Move over the picture to look at a unit, click to choose it. With the keyboard: Tab to a slider or to the "
    "picture, then the arrow keys (on the picture: Shift for 10 units, Home and End for the ends of the row).",
}
