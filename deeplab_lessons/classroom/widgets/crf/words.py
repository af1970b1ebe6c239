"""The words of the CRF explorer."""

WORDS = {
    "title": "Dense CRF explorer",
    "name_w1": "w₁",
    "name_sigma_alpha": "σα px",
    "name_sigma_beta": "σβ grey",
    "name_w2": "w₂",
    "name_sigma_gamma": "σγ px",
    "name_iterations": "iterations",
    "label_w1": "w1, weight of the bilateral kernel",
    "label_sigma_alpha": "sigma alpha, reach of the bilateral kernel in pixels",
    "label_sigma_beta": "sigma beta, reach of the bilateral kernel in grey levels",
    "label_w2": "w2, weight of the spatial kernel",
    "label_sigma_gamma": "sigma gamma, reach of the spatial kernel in pixels",
    "label_iterations": "mean-field iterations",
    "slider_label": "{number}, slider",
    "preset": "Preset",
    "own": "your own numbers",
    "wipe": "before | after",
    "wipe_label": "Where before ends and after begins, in per cent of the width",
    "opacity": "colour",
    "opacity_label": "How strong the colours of the labels are, in per cent",
    "before": "before",
    "after": "after",
    "overlay_title": "Best class of each pixel, before and after the CRF",
    "confidence_title": "The unary: how confident is the network?",
    "confidence_note": "black: a guess, white: certain",
    "changed_title": "Pixels that the CRF changed",
    "fact_changed": "Changed",
    "fact_iou": "Mean IoU, before → after",
    "fact_normalisation": "Kernels normalised",
    "fact_size": "Computed on",
    "fact_delay": "From your gesture to the image",
    "about_changed": "Fraction of pixels whose best class is another one after the CRF",
    "about_iou": "On this image only, against its true labels",
    "about_normalisation": "What the kernels are divided by: a preset sets it, the sliders don't change it",
    "by_row": "by row",
    "by_symmetric": "symmetrically",
    "by_none": "not at all",
    "about_size": "While you drag, Python computes a smaller image; on release, the whole one",
    "about_delay": "Measured in this browser, for the last gesture",
    "no_labels": "no true labels",
    "iou_pair": "{before} % → {after} %",
    "no_gesture": "–",
    "milliseconds": "{ms} ms",
    "hint": "Drag a slider: a smaller image follows immediately, and Python's whole one on release. Drag over the "
    "large image to compare before and after. With the keyboard, press Tab to reach a slider or the image, then "
    "arrow keys.",
    "silent": "Python hasn't answered yet: either it's busy, or its cell hasn't been run yet. "
    "Until it answers, your browser computes a smaller image.",
    "alone": "There is no Python here, so your browser computes a smaller image. In JupyterLab, Python computes the "
    "whole one.",
    "size_here": "{width} × {height} px, in your browser",
    "iou_here": "only with Python",
    "caption": "w1 {w1}, sigma alpha {sigma_alpha} pixels, sigma beta {sigma_beta} grey levels, w2 {w2}, sigma gamma "
    "{sigma_gamma} pixels, {iterations} iterations, kernels normalised {normalised}: {changed} % of the pixels changed "
    "their class.",
    "describe_overlay": "{caption} Left of {wipe} % of the width the picture shows the labels before the CRF, right of "
    "it those after. Arrow keys move the border.",
    "describe_confidence": "Probability of the best class at each pixel, before the CRF: black is a guess, white is "
    "certain.",
    "describe_changed": "The photograph, paled, with all pixels marked that changed their class: {changed} %.",
}

#: What Python adds about a picture with true labels.
SCORE = " Mean IoU {before:.1f} % before, {after:.1f} % after."
