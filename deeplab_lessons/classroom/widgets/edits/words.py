"""The words of the edits explorer."""

from deeplab_lessons.classroom.widgets.shared.words import STACK

WORDS = {
    **STACK,
    "title": "The five edits from VGG16 to DeepLab v1",
    "edits": "Edits",
    "edit_convolutional": "1 · fully connected layers as convolutions",
    "edit_keep_resolution": "2 · pool4 and pool5 move by 1 cell",
    "edit_dilate": "3 · dilation: 2 in conv5, four times as much in fc6",
    "edit_dilate_pool5": "3 · dilation: 2 in pool5",
    "edit_new_classes": "4 · 21 classes instead of 1000",
    "edit_fc6": "5 · fc6",
    "edit_pad_fc6": "pad fc6, so that the map covers the whole image",
    "fc6_7x7": "7×7 taps, 4096 channels",
    "fc6_4x4-rate4": "4×4 taps (dilation 4), 4096 channels",
    "fc6_4x4": "4×4 taps (dilation 8), 4096 channels",
    "fc6_3x3": "3×3 taps (dilation 12), 1024 channels",
    "all": "all edits",
    "none": "none",
    "fact_stride": "Output stride",
    "fact_parameters": "Parameters",
    "fact_work": "Multiply-adds",
    "about_stride": "Input pixels from one cell of the map to the next",
    "about_parameters": "Weights and biases of all layers",
    "about_work": "Multiplications of all convolutions for one image",
    "profile_title": "Layer by layer",
    "profile_note": "height: side of the map; grey: pools; orange: dilated",
    "column_channels": "Channels",
    "column_parameters": "Parameters",
    "column_work": "Multiply-adds (10⁹)",
    "first_layers": "conv1_1 … pool3",
    "edits_hint": "Tick the edits one by one. Bold numbers in the table differ from VGG16's. Move over the map or the "
    "photo to look at a unit, and click to choose it; or Tab to the map and use the arrow keys.",
    "edit_size": "The image may have 224 to 640 pixels per side here.",
    "describe_edit_input": "Photograph of {input} by {input} pixels. The field of {size} by {size} pixels covers rows "
    "{top} to {bottom} and columns {left} to {right}.",
    "refused": "That does not fit, so nothing has changed. {why}",
    "describe_profile": "{layers} layers; the map after fc6 has {out} by {out} units.",
    "edited": "Output stride {stride}, map {out} by {out}, field {size} pixels, {parameters} parameters, "
    "{work} multiply-adds. The unit in row {row}, column {column} sees rows {top} to {bottom} and columns {left} to "
    "{right}.",
}
