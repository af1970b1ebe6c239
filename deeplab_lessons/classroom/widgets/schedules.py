"""Two learning rates as they fall, poly and step, with the area below each: how far a training can travel in total."""

import html

import ipywidgets
import numpy as np
import traitlets

from deeplab_lessons.classroom.drawing.style import COLOURS
from deeplab_lessons.classroom.widgets.shared.key_box import KeyBox
from deeplab_lessons.training import schedules

_POLY = (
    "Over {iterations:,} iterations, from a first learning rate of {lr:g}. Poly with power {power:g} falls without a "
    "jump, and halfway {half:.2f} of the first learning rate is left. "
)
_AREAS = (
    " The area below a line is the sum of all learning rates, in % of what a constant one would give: {poly:.1f} % "
    "under poly, {step:.1f} % under step."
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
    "caption": _POLY + "Step has {parts} parts, each with {factor:g} of the learning rate before." + _AREAS,
    "one part": _POLY + "Step with 1 part is a constant learning rate." + _AREAS,
}

_WIDTH, _HEIGHT = 640, 260  # of the picture
_LEFT, _RIGHT, _TOP, _BOTTOM = 104, 16, 14, 46  # margins around the curves
_POINTS = 401  # places at which the curves are drawn


class SchedulesExplorer(KeyBox):
    """Move the power of poly, and the parts and the factor of step; compare the learning rates and the areas below.

    `iterations` is the length of the training and `lr` its first learning rate. Traits: `power` (0.1 to 4), `parts`
    (1 to 6), `factor` (0.05 to 1) and, to be read, `poly_area` and `step_area` (sum of all learning rates, in % of
    a constant one's) and `caption`. Raises ValueError for fewer than 10 iterations or an `lr` that is not positive.
    """

    power = traitlets.Float(0.9, min=0.1, max=4.0, help="poly's power")
    parts = traitlets.Int(3, min=1, max=6, help="equal parts of the training under step")
    factor = traitlets.Float(
        0.1, min=0.05, max=1.0, help="each part's learning rate, as a fraction of the one before"
    )
    poly_area = traitlets.Float(help="sum of poly's learning rates, % of a constant one's", read_only=True)
    step_area = traitlets.Float(help="sum of step's learning rates, % of a constant one's", read_only=True)
    caption = traitlets.Unicode(help="the picture in words", read_only=True)

    def __init__(self, iterations: int = 20000, lr: float = 2.5e-4):
        if iterations < 10 or lr <= 0:
            raise ValueError(f"iterations must be at least 10 and lr above 0, got {iterations} and {lr}")
        self.iterations, self.lr = iterations, lr
        sliders = {
            "power": ipywidgets.FloatSlider(min=0.1, max=4, step=0.1, readout_format=".1f"),
            "parts": ipywidgets.IntSlider(min=1, max=6),
            "factor": ipywidgets.FloatSlider(min=0.05, max=1, step=0.05),
        }
        self._picture = ipywidgets.HTML()
        super().__init__([ipywidgets.HBox(list(sliders.values())), self._picture])
        for name, slider in sliders.items():
            slider.description, slider.style.description_width = SCHEDULES[name], "6em"
            slider.layout.width = "17em"
            traitlets.link((self, name), (slider, "value"))
        self._sliders = sliders
        self.observe(self._draw, names=list(sliders))
        self._draw()

    def __repr__(self, *_) -> str:
        return (
            f"SchedulesExplorer(power={self.power:g}, parts={self.parts}, factor={self.factor:g}, "
            f"poly_area={self.poly_area:.1f} %, step_area={self.step_area:.1f} %)"
        )

    def shares(self) -> dict[str, np.ndarray]:
        """Fraction of the first learning rate at each iteration, by schedule."""
        poly = [schedules.poly(i, self.iterations, self.power) for i in range(self.iterations)]
        step = [schedules.step(i, self.iterations, self.parts, self.factor) for i in range(self.iterations)]
        return {"poly": np.array(poly), "step": np.array(step)}

    def _draw(self, _change=None) -> None:
        """Redraw both curves; areas and caption follow."""
        shares = self.shares()
        for name, values in shares.items():
            self.set_trait(f"{name}_area", 100 * float(values.mean()))
        words = SCHEDULES["one part" if self.parts == 1 else "caption"].format(
            iterations=self.iterations, lr=self.lr, power=self.power, parts=self.parts, factor=self.factor,
            half=shares["poly"][self.iterations // 2], poly=self.poly_area, step=self.step_area,
        )  # fmt: skip
        self.set_trait("caption", words)
        caption = html.escape(words)
        self._picture.value = f'{self._svg(shares, caption)}<div role="status">{caption}</div>'

    def _svg(self, shares: dict[str, np.ndarray], caption: str) -> str:
        """Both curves over white paper, each with its area."""
        colours = dict(zip(shares, COLOURS, strict=False))
        parts = [self._axes()]
        for name, values in shares.items():
            line = self._line(values)
            ends = f"{self._x(self.iterations)},{self._y(0)} {self._x(0)},{self._y(0)}"
            parts.append(f'<polygon points="{line} {ends}" fill="{colours[name]}" opacity="0.18"/>')
            dash = ' stroke-dasharray="7 4"' if name == "step" else ""
            parts.append(
                f'<polyline points="{line}" fill="none" stroke="{colours[name]}" stroke-width="2.5"{dash}/>'
            )
        for row, (name, area) in enumerate((("poly", self.poly_area), ("step", self.step_area))):
            place = f'x="{_WIDTH - _RIGHT - 4}" y="{_TOP + 18 + 20 * row}" text-anchor="end"'
            words = SCHEDULES["area"].format(name=SCHEDULES[name], area=area)
            parts.append(f'<text {place} fill="{colours[name]}">{words}</text>')
        return (
            f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{caption}" '
            'style="max-width: 100%; width: 640px; font: 14px sans-serif">'
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>{"".join(parts)}</svg>'
        )

    def _axes(self) -> str:
        """Lines, numbers and names of both axes."""
        x0, x1, y0, y1 = self._x(0), self._x(self.iterations), self._y(0), self._y(1)
        parts = [f'<path d="M{x0},{y1} V{y0} H{x1}" fill="none" stroke="black"/>']
        for share in (0, 0.5, 1):
            place = f'x="{x0 - 6}" y="{self._y(share) + 5}" text-anchor="end"'
            parts.append(f"<text {place}>{share * self.lr:g}</text>")
            iteration = round(share * self.iterations)
            anchor = "end" if share == 1 else "middle"
            parts.append(
                f'<text x="{self._x(iteration)}" y="{y0 + 18}" text-anchor="{anchor}">{iteration:,}</text>'
            )
        parts.append(
            f'<text x="{(x0 + x1) / 2}" y="{_HEIGHT - 6}" text-anchor="middle">{SCHEDULES["x"]}</text>'
        )
        turned = f'transform="rotate(-90 14 {(y0 + y1) / 2})" text-anchor="middle"'
        return "".join(parts) + f'<text x="14" y="{(y0 + y1) / 2}" {turned}>{SCHEDULES["y"]}</text>'

    def _line(self, values: np.ndarray) -> str:
        """Points of a curve; where it jumps, the point before the jump and the one after."""
        last = self.iterations - 1
        places = set(np.linspace(0, last, min(_POINTS, self.iterations)).astype(int).tolist())
        jumps = np.flatnonzero(np.abs(np.diff(values)) > 0.02)
        places |= set(jumps.tolist()) | set((jumps + 1).tolist())
        points = [f"{self._x(i):.1f},{self._y(values[i]):.1f}" for i in sorted(places)]
        return " ".join([*points, f"{self._x(self.iterations)},{self._y(values[-1]):.1f}"])

    def _x(self, iteration: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * iteration / self.iterations

    def _y(self, share: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - share)
