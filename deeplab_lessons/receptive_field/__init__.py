"""Receptive fields of any PyTorch model: `trace(model, input_size)` runs it once without numbers and gives a table.

What gradients say of fields, to check this by, is in `classroom.gradient_fields`.
"""

from deeplab_lessons.receptive_field.evaluation import Box, UntraceableError, bounding_box
from deeplab_lessons.receptive_field.graph import AxisField, Path
from deeplab_lessons.receptive_field.table import Row, Trace
from deeplab_lessons.receptive_field.tracer import trace

__all__ = ["AxisField", "Box", "Path", "Row", "Trace", "UntraceableError", "bounding_box", "trace"]
