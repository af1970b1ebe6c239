"""The words of the unrolled explorer."""

WORDS = {
    "title": "Unrolled explorer: every iteration of the dense CRF",
    "step": "step",
    "at_step": "{value} of {last}",
    "view": "view",
    "view_labels": "labels",
    "view_confidence": "how confident it is",
    "view_changes": "what has changed",
    "w1": "w1, weight of the appearance kernel",
    "w2": "w2, weight of the smoothness kernel",
    "name_w1": "w1",
    "name_w2": "w2",
    "slider_label": "{number}, slider",
    "silent": "Python hasn't answered yet: either it's busy, or its cell hasn't been run yet. "
    "The image is the last one that was computed.",
    "panel_picture": "image",
    "panel_drawn": "{view}",
    "panel_labels": "true labels",
    "caption": "Step {step} of {last}: {changed} pixels have another label than the network alone gives, {moved} "
    "another than one step before; mean IoU {iou} % on this image; the best class of a pixel has a probability of "
    "{sure} % on average. From left to right: image, {view}, true labels.",
    "hint": "With the keyboard, press Tab to reach a slider or the list, then the arrow keys. New weights are computed "
    "by Python; the steps and the views work without it.",
}
