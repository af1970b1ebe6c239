"""Fields from gradients, to check the tracer by and to see what an arithmetic of sizes cannot say.

- `empirical_field(model, input_size, layer, unit)`: the pixels that can influence a unit.
- `effective_field(model, input_size, layer, unit)`: how much each pixel does influence it.
"""

from deeplab_lessons.classroom.gradient_fields.effective import EffectiveField, effective_field
from deeplab_lessons.classroom.gradient_fields.empirical import empirical_field

__all__ = ["EffectiveField", "effective_field", "empirical_field"]
