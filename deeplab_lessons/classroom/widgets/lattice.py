"""One point on its way into the permutohedral lattice of two features: embed, round, rank, weigh, key, look up."""

import html

import ipywidgets
import torch
import traitlets

from deeplab_lessons.classroom.drawing.lattice import plane
from deeplab_lessons.classroom.drawing.style import COLOURS
from deeplab_lessons.classroom.readable_lattice import Lattice, simplex_vertices
from deeplab_lessons.classroom.widgets.shared.key_box import KeyBox
from deeplab_lessons.crf.permutohedral import barycentric, embed, nearest_simplex

LATTICE = {
    "x": "column / σα",
    "y": "grey / σβ",
    "step": "step",
    "names": ("features", "embed", "round", "rank", "weigh", "key", "look up"),
    "features": "The pixel is at ({x:.1f}, {y:.1f}), in σ.",
    "embed": "The matrix E turns the two into three coordinates, which sum to 0: {elevated}.",
    "round": "Each is rounded to a multiple of 3: {rounded}. The sum is {sum}: {where}.",
    "in": "this is a vertex",
    "beside": "off the plane",
    "rank": "Rounding left {rest}. Their ranks, 0 for the largest, are {rank}.{turn} The first vertex is {origin}.",
    "down": " The sum was 3, so the coordinate of the smallest rest goes down by 3.",
    "up": " The sum was -3, so the coordinate of the largest rest goes up by 3.",
    "weigh": "From that vertex the point is {offset} away; divided by 3 and sorted: {sorted}. The two differences are "
    "the weights of the last and the middle corner, and the first gets what they leave of 1: {weights}.",
    "key": "The three corners, without their last coordinate, which follows from the others: {keys}.",
    "look up": "{found}. Each corner's entry gets its weight times the pixel's value.",
    "there": "{key} is in the table already",
    "new": "{key} is new",
    "drawn": "The plane of features with its triangles; three other pixels (grey) have put their corners (blue) into "
    "the table.",
}
STEPS = LATTICE["names"]
OTHERS = torch.tensor(
    [[-1.4, -0.6, 1.6], [0.3, -0.8, 0.6]], dtype=torch.float64
)  # pixels that are stored already
_REACH = (2.6, 1.5)  # how far the point can go, in σ
_HEARD = "position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)"  # read out, not seen
_UNIT, _WIDTH, _HEIGHT = 105, 640, 400  # pixels a σ, and of the picture


class LatticeExplorer(KeyBox):
    """Take one pixel of two features through the six steps that find its triangle, its weights and its three entries.

    Traits: `x` (-2.6 to 2.6) and `y` (-1.5 to 1.5), the pixel's features in σ, `step` from 0 (the features) to 6 (look
    up in the table) and, to be read, `caption`: the numbers of the present step. Every number is computed by
    `crf.permutohedral`.
    """

    x = traitlets.Float(0.4, min=-_REACH[0], max=_REACH[0], help="first feature, in σ")
    y = traitlets.Float(0.5, min=-_REACH[1], max=_REACH[1], help="second feature, in σ")
    step = traitlets.Int(0, min=0, max=len(STEPS) - 1, help="steps done")
    caption = traitlets.Unicode(help="the present step in words", read_only=True)

    def __init__(self, **values: float):
        sliders = {
            name: ipywidgets.FloatSlider(min=-most, max=most, step=0.1, readout_format=".1f")
            for name, most in zip("xy", _REACH, strict=True)
        }
        sliders["step"] = ipywidgets.IntSlider(min=0, max=len(STEPS) - 1)
        self._stored = Lattice(OTHERS)
        self._edges = _net()
        self._picture = ipywidgets.HTML()
        row = ipywidgets.Layout(flex_flow="row wrap")
        super().__init__([ipywidgets.HBox(list(sliders.values()), layout=row), self._picture])
        for name, slider in sliders.items():
            slider.description, slider.layout.width = LATTICE[name], "18em"
            setattr(self, name, values.pop(name, getattr(self, name)))
            traitlets.link((self, name), (slider, "value"))
        if values:
            raise TypeError(f"unknown slider {next(iter(values))!r}: choose from {', '.join(sliders)}")
        self.observe(self._draw, names=list(sliders))
        self._draw()

    def __repr__(self, *_) -> str:
        return f"LatticeExplorer(x={self.x:.1f}, y={self.y:.1f}, step={self.step}: {STEPS[self.step]})"

    def found(self) -> dict:
        """Every number of the way: tensors [3], corners [3 corners, 3 coordinates] and, per corner, if it is stored."""
        elevated = embed(torch.tensor([[self.x], [self.y]], dtype=torch.float64))
        origin, rank = nearest_simplex(elevated)
        corners = simplex_vertices(origin, rank)[..., 0]
        stored = set(map(tuple, self._stored.vertices.T.tolist()))
        rounded = 3 * torch.round(elevated / 3)
        found = {
            "elevated": elevated,
            "rounded": rounded,
            "rest": elevated - rounded,
            "rank": rank,
            "origin": origin,
        }
        found = {name: value[:, 0] for name, value in found.items()}
        found |= {"weights": barycentric(elevated, origin, rank)[:, 0], "corners": corners}
        return found | {"stored": [tuple(corner) in stored for corner in corners.tolist()]}

    def lines(self) -> list[str]:
        """What happens in each step, in words and numbers."""
        f = self.found()
        total, offset = int(f["rounded"].sum()), f["elevated"] - f["origin"]
        keys = [f"({a}, {b})" for a, b, _ in f["corners"].tolist()]
        there = [
            LATTICE["there" if known else "new"].format(key=key)
            for key, known in zip(keys, f["stored"], strict=True)
        ]
        gaps = {
            "x": self.x, "y": self.y, "sum": total, "where": LATTICE["beside" if total else "in"],
            "turn": LATTICE["down"] if total > 0 else LATTICE["up"] if total < 0 else "", "keys": ", ".join(keys),
            "found": "; ".join(there), "offset": _row(offset), "sorted": _row(offset.sort(descending=True)[0] / 3),
        }  # fmt: skip
        gaps |= {name: _row(f[name]) for name in ("elevated", "rounded", "rest", "rank", "origin", "weights")}
        return [LATTICE[name].format(**gaps) for name in STEPS]

    def _draw(self, _change=None) -> None:
        """Redraw the plane, and write the steps so far."""
        lines = self.lines()
        self.set_trait("caption", f"Step {self.step}, {STEPS[self.step]}: {lines[self.step]}")
        done = "".join(
            f"<li{' style=font-weight:bold' if i == self.step else ''}>{STEPS[i]}: {html.escape(lines[i])}</li>"
            for i in range(self.step + 1)
        )
        words = html.escape(f"{LATTICE['drawn']} {self.caption}")
        heard = f'<div role="status" style="{_HEARD}">{html.escape(self.caption)}</div>'
        self._picture.value = f'{self._svg(words)}<ol start="0">{done}</ol>{heard}'

    def _svg(self, words: str) -> str:
        """The triangles, what is stored, and as much of the point's way as is done; on white paper."""
        f, parts = self.found(), [f'<path d="{self._edges}" stroke="#cccccc" fill="none"/>']
        corners = [_place(*_flat(corner)) for corner in f["corners"]]
        if self.step >= STEPS.index("rank"):
            area = " ".join(f"{x:.0f},{y:.0f}" for x, y in corners)
            parts.append(f'<polygon points="{area}" fill="{COLOURS[1]}" opacity="0.2"/>')
        for vertex in self._stored.positions.T.tolist():
            parts.append(_circle(_place(*vertex), 6, COLOURS[0]))
        parts += [_circle(_place(*other), 5, "#888888") for other in OTHERS.T.tolist()]
        point = _place(self.x, self.y)
        for number, (corner, weight) in enumerate(zip(corners, f["weights"].tolist(), strict=True)):
            if number == 0 and STEPS.index("rank") <= self.step < STEPS.index("weigh"):
                parts.append(_circle(corner, 9, "none", COLOURS[1]))
            if self.step >= STEPS.index("weigh"):
                (x, y), (u, v) = point, corner
                line = f'x1="{x:.0f}" y1="{y:.0f}" x2="{u:.0f}" y2="{v:.0f}"'
                parts.append(f'<line {line} stroke="{COLOURS[1]}" stroke-width="{1 + 6 * weight:.1f}"/>')
                fill = COLOURS[0] if f["stored"][number] else "white"
                parts.append(
                    _circle(
                        corner, 9, fill if self.step >= STEPS.index("look up") else COLOURS[0], COLOURS[0]
                    )
                )
                key = f["corners"][number].tolist()
                name = f" ({key[0]}, {key[1]})" if self.step >= STEPS.index("key") else ""
                across, down = (
                    end - sum(ends) / 3 for end, ends in zip(corner, zip(*corners, strict=True), strict=True)
                )
                anchor = "middle" if abs(across) < _UNIT / 2 else "start" if across > 0 else "end"
                shift = 0 if anchor == "middle" else 14 if across > 0 else -14
                height = v + (5 if shift else 26 if down > 0 else -14)
                place = f'x="{u + shift:.0f}" y="{height:.0f}" text-anchor="{anchor}"'
                parts.append(f'<text {place} fill="black" font-weight="bold">{weight:.2f}{name}</text>')
        parts.append(_circle(point, 8, COLOURS[1]))
        return (
            f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{words}" '
            'style="max-width: 100%; width: 640px; font: 15px sans-serif">'
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>{"".join(parts)}</svg>'
        )


def _flat(vertex: torch.Tensor) -> list[float]:
    """A vertex of three coordinates in the plane of the two features: `embed` undone."""
    backwards = torch.linalg.pinv(embed(torch.eye(2, dtype=torch.float64)))
    return (backwards @ vertex.double()).tolist()


def _net() -> str:
    """All triangles of the picture as one path."""
    lattice = Lattice(plane(-4, 4, -3, 3))
    places, lines = lattice.positions.T.tolist(), []
    for up in lattice.neighbours[:, 1].tolist():
        for start, end in enumerate(up):
            if end < len(lattice):
                (x, y), (u, v) = _place(*places[start]), _place(*places[end])
                if max(x, u) > 0 and min(x, u) < _WIDTH and max(y, v) > 0 and min(y, v) < _HEIGHT:
                    lines.append(f"M{x:.0f},{y:.0f}L{u:.0f},{v:.0f}")
    return "".join(lines)


def _place(x: float, y: float) -> tuple[float, float]:
    return _WIDTH / 2 + _UNIT * x, _HEIGHT / 2 - _UNIT * y


def _circle(place: tuple[float, float], radius: int, fill: str, stroke: str = "white") -> str:
    middle = f'cx="{place[0]:.0f}" cy="{place[1]:.0f}"'
    return f'<circle {middle} r="{radius}" fill="{fill}" stroke="{stroke}" stroke-width="2"/>'


def _row(values: torch.Tensor) -> str:
    whole = bool((values == values.round()).all())
    return "(" + ", ".join(f"{value + 0.0:.{0 if whole else 2}f}" for value in values.tolist()) + ")"
