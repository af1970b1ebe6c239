"""The lessons' figures: `drawing.show_image` and the like, and a module for each kind of network."""

from deeplab_lessons.classroom.drawing import (
    aspp,
    cascade,
    decoder,
    factor_graph,
    lattice,
    resnet,
    scales,
    structures,
    versions,
)
from deeplab_lessons.classroom.drawing.fields import (
    show_box,
    show_counts,
    show_growth,
    show_heat,
    show_profiles,
    show_reached,
    show_stack,
    show_units,
    show_views,
)
from deeplab_lessons.classroom.drawing.layers import draw_layers, show_every_fourth, show_over, show_taps
from deeplab_lessons.classroom.drawing.style import (
    CLASS_COLOURS,
    COLOURS,
    colour_labels,
    show_image,
    show_labels,
    use_style,
)

__all__ = [
    "CLASS_COLOURS",
    "COLOURS",
    "aspp",
    "cascade",
    "colour_labels",
    "decoder",
    "draw_layers",
    "factor_graph",
    "lattice",
    "resnet",
    "scales",
    "show_box",
    "show_counts",
    "show_every_fourth",
    "show_growth",
    "show_heat",
    "show_image",
    "show_labels",
    "show_over",
    "show_profiles",
    "show_reached",
    "show_stack",
    "show_taps",
    "show_units",
    "show_views",
    "structures",
    "use_style",
    "versions",
]
