"""What sliders.js needs to know of a widget's sliders."""

from collections.abc import Mapping

import traitlets


def limits(widget: traitlets.HasTraits, steps: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Return {name: {min, max, step}} for the traits that `steps` names, each with a smallest and a largest value."""
    traits = widget.traits()
    return {
        name: {"min": traits[name].min, "max": traits[name].max, "step": step} for name, step in steps.items()
    }
