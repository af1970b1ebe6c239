"""Receptive fields of any PyTorch model: traced, measured from gradients, and weighed.

- `trace(model, input_size)` runs the model once without numbers and gives a table: `Trace`.
- `empirical_field(model, input_size, layer, unit)`: the pixels that can influence a unit, from gradients.
- `effective_field(model, input_size, layer, unit)`: how much each pixel does influence it.
"""

from deeplab_lessons.receptive_field.effective import EffectiveField, effective_field
from deeplab_lessons.receptive_field.empirical import empirical_field
from deeplab_lessons.receptive_field.evaluation import Box, UntraceableError, bounding_box
from deeplab_lessons.receptive_field.graph import AxisField, Path
from deeplab_lessons.receptive_field.table import Row, Trace
from deeplab_lessons.receptive_field.tracer import trace

__all__ = [
    "AxisField", "Box", "EffectiveField", "Path", "Row", "Trace", "UntraceableError", "bounding_box",
    "effective_field", "empirical_field", "trace",
]  # fmt: skip
