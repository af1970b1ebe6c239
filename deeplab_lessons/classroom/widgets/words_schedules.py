"""Every word that the schedules explorer says."""

_POLY = (
    "Over {iterations:,} iterations, from a first rate of {lr:g}. Poly with power {power:g} falls without a jump and "
    "is {half:.2f} of the first rate half way. "
)
_AREAS = (
    " The area below a line is the sum of all rates: {poly:.1f} % of what a constant rate would give under poly, "
    "{step:.1f} % under step."
)

SCHEDULES = {
    "power": "poly: power",
    "parts": "step: parts",
    "factor": "step: factor",
    "x": "iteration",
    "y": "learning rate",
    "poly": "poly",
    "step": "step",
    "area": "{name}: area {area:.1f} %",
    "caption": _POLY + "Step has {parts} parts; each has {factor:g} of the rate before." + _AREAS,
    "one part": _POLY + "Step with 1 part is a constant rate." + _AREAS,
}
