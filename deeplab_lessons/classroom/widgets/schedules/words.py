"""The words of the schedules explorer."""

_POLY = (
    "Over {iterations} iterations, from a first learning rate of {lr}. Poly with power {power} falls without a "
    "jump, and halfway {half} of the first learning rate is left. "
)
_AREAS = (
    " The area below a line is the sum of all learning rates, in % of what a constant one would give: {poly} % "
    "under poly, {step} % under step."
)

WORDS = {
    "title": "Two schedules for the learning rate",
    "power": "poly: power",
    "parts": "step: parts",
    "factor": "step: factor",
    "slider_label": "{number}, slider",
    "x": "iteration",
    "y": "Learning rate",
    "poly": "poly: area {area} %",
    "step": "step: area {area} %",
    "caption": _POLY + "Step has {parts} parts, each with {factor} of the learning rate before." + _AREAS,
    "one_part": _POLY + "Step with 1 part is a constant learning rate." + _AREAS,
}
