"""The words of the sliding kernel."""

from deeplab_lessons.classroom.widgets.shared.words import LAYER

WORDS = {
    **LAYER,
    "position": "position",
    "too_large": "the input may have at most {most} pixels per side here.",
    "symbol_kernel_size": "k",
    "symbol_stride": "s",
    "symbol_padding": "p",
    "symbol_dilation": "d",
    "symbol_input_size": "n",
    "symbol_position": "",
    "title": "One kernel sliding over one input",
    "slider_label": "{number}, slider",
    "input_row": "input",
    "output_row": "output",
    "covers": "covers {covers}",
    "step": "stride {stride}",
    "tap": "tap",
    "hole": "hole between taps",
    "legend_padding": "padding",
    "legend_now": "the output cell computed now",
    "effective": "effective kernel",
    "output_size": "output size",
    "hint": "Drag over the picture, move the sliders, or focus the picture and press the arrow keys.",
    "left_over": "Left over at the end of the padded row: {cells}. One more step of {stride} would leave it.",
    "one_cell": "1 cell",
    "many_cells": "{count} cells",
    "fits": "The last step ends exactly at the end of the padded row.",
    "describe": "A kernel of {kernel_size} taps with dilation {dilation} covers {covers} cells. Output cell "
    "{position} of {out} reads the cells {taps}. Arrow keys move the kernel.",
    "announced": "Effective kernel {covers}, output size {out}. Output cell {position} reads the cells {taps}.",
    "tap_padding": "padding",
}
