"""The words that several widgets say. A translation changes the files `words.py` alone.

The widgets send their dictionaries to the browser; `{name}` marks a gap that the widget fills.
"""

#: The numbers of a layer, and why a layer or a stack of layers is impossible (the reasons of shared/arithmetic.js).
LAYER = {
    "kernel_size": "kernel",
    "stride": "stride",
    "dilation": "dilation",
    "padding": "padding",
    "input_size": "input",
    "not_whole": "{layer}{name} must be a whole number.",
    "least_kernel_size": "{layer}a kernel needs at least one tap, so kernel is at least 1.",
    "least_stride": "{layer}with stride 0 the kernel would never move on, so stride is at least 1.",
    "least_dilation": "{layer}a convolution without holes has dilation 1 (its taps are neighbours), not 0.",
    "least_padding": "{layer}padding adds cells, so it is at least 0.",
    "least_input_size": "an input needs at least one cell.",
    "same_stride": '{layer}padding "same" keeps the size at stride 1 only; with stride {stride}, give a number.',
    "padding_form": '{layer}padding is a number, a pair "before, after", or "same".',
    "too_small": "{layer}the kernel covers {covers} cells, but there are only {there} (input {cells} + padding "
    "{before} + {after}). Give it a larger input or more padding.",
    "kept": "The picture still shows the last stack that works.",
    "of_layer": "{layer}: ",
}

#: What the explorers of whole stacks share.
STACK = {
    **LAYER,
    "input_size_label": "Input size in pixels",
    "pixels": "px",
    "output_title": "Output",
    "output_note": "{out} × {out} units",
    "input_title": "Input",
    "input_note": "{size} × {size} pixels",
    "fact_field": "Field",
    "fact_map": "Map",
    "about_field": "Width and height of what one unit can see, in input pixels",
    "about_map": "Units in the output",
    "layers": "Layers, first one at the top",
    "column_layer": "Layer",
    "column_kernel": "Kernel",
    "column_stride": "Stride",
    "column_dilation": "Dilation",
    "column_map": "Map",
    "column_jump": "Jump",
    "column_field": "Field",
    "describe_output": "Output map of {out} by {out} units; row {row}, column {column} is chosen. "
    "Arrow keys move the unit.",
}
