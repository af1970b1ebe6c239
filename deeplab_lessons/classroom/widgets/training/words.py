"""The words of the training explorer."""

WORDS = {
    "title": "Training explorer: a prediction after some iterations",
    "iteration": "iteration",
    "at_step": "{value} of {last}",
    "view": "view",
    "view_labels": "labels from enlarged scores",
    "view_cells": "labels, one per cell",
    "view_confidence": "confidence of the network",
    "panel_picture": "image",
    "panel_drawn": "{view}",
    "panel_labels": "true labels",
    "caption": "After {iteration} iterations, mean IoU is {iou} % on this image, and the best class of a pixel has a "
    "probability of {sure} % on average. From left to right: image, {view}, true labels.",
    "hint": "With the keyboard, press Tab to reach the slider or the list, then the arrow keys.",
}
