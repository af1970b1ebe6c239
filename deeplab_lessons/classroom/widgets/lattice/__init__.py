"""`LatticeExplorer`: one pixel on its way into the lattice of two features; embed, round, rank, weigh, key, look up."""

import anywidget
import torch
import traitlets

from deeplab_lessons.classroom.readable_lattice import Lattice, simplex_vertices
from deeplab_lessons.classroom.widgets.lattice.words import WORDS
from deeplab_lessons.classroom.widgets.shared.checks import unknown
from deeplab_lessons.classroom.widgets.shared.page import SavesHtml, module, style
from deeplab_lessons.classroom.widgets.shared.sliders import limits
from deeplab_lessons.crf.permutohedral import barycentric, embed, nearest_simplex

STEPS = ("features", "embed", "round", "rank", "weigh", "key", "look up")
OTHERS = torch.tensor(
    [[-1.4, -0.6, 1.6], [0.3, -0.8, 0.6]], dtype=torch.float64
)  # pixels that are stored already
SLIDER_STEPS = {"x": 0.1, "y": 0.1, "step": 1}
_REACH = (2.6, 1.5)  # how far the point can go, in σ


class LatticeExplorer(SavesHtml, anywidget.AnyWidget):
    """Take one pixel of two features through the six steps that find its triangle, its weights and its three entries.

    Traits: `x` (-2.6 to 2.6) and `y` (-1.5 to 1.5), the pixel's features in σ, `step` from 0 (the features) to 6 (look
    up in the table) and, to be read, `caption`: the numbers of the present step. Every number is computed by
    `crf.permutohedral`.
    """

    _esm = module(__file__)
    _css = style(__file__)

    x = traitlets.Float(0.4, min=-_REACH[0], max=_REACH[0], help="first feature, in σ").tag(sync=True)
    y = traitlets.Float(0.5, min=-_REACH[1], max=_REACH[1], help="second feature, in σ").tag(sync=True)
    step = traitlets.Int(0, min=0, max=len(STEPS) - 1, help="steps done").tag(sync=True)
    caption = traitlets.Unicode(help="the present step in words", read_only=True)

    _others = traitlets.List(OTHERS.T.tolist()).tag(sync=True)
    _limits = traitlets.Dict().tag(sync=True)
    _words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, **values: float):
        if others := sorted(set(values) - set(SLIDER_STEPS)):
            raise TypeError(unknown("slider", others[0], SLIDER_STEPS))
        self._stored = set(map(tuple, Lattice(OTHERS).vertices.T.tolist()))
        super().__init__(_limits=limits(self, SLIDER_STEPS), **values)
        self._follow()

    def __repr__(self) -> str:
        return f"LatticeExplorer(x={self.x:.1f}, y={self.y:.1f}, step={self.step}: {STEPS[self.step]})"

    def found(self) -> dict:
        """Every number of the way: tensors [3], corners [3 corners, 3 coordinates] and, per corner, if it is stored."""
        elevated = embed(torch.tensor([[self.x], [self.y]], dtype=torch.float64))
        origin, rank = nearest_simplex(elevated)
        corners = simplex_vertices(origin, rank)[..., 0]
        rounded = 3 * torch.round(elevated * (1 / 3))
        found = {
            "elevated": elevated,
            "rounded": rounded,
            "rest": elevated - rounded,
            "rank": rank,
            "origin": origin,
        }
        found = {name: value[:, 0] for name, value in found.items()}
        found |= {"weights": barycentric(elevated, origin, rank)[:, 0], "corners": corners}
        return found | {"stored": [tuple(corner) in self._stored for corner in corners.tolist()]}

    def lines(self) -> list[str]:
        """What happens in each step, in words and numbers."""
        f = self.found()
        total, offset = int(f["rounded"].sum()), f["elevated"] - f["origin"]
        keys = [f"({a}, {b})" for a, b, _ in f["corners"].tolist()]
        there = [
            WORDS["there" if known else "new"].format(key=key)
            for key, known in zip(keys, f["stored"], strict=True)
        ]
        gaps = {
            "x": f"{self.x:.1f}", "y": f"{self.y:.1f}", "sum": total, "where": WORDS["beside" if total else "in"],
            "turn": WORDS["down"] if total > 0 else WORDS["up"] if total < 0 else "", "keys": ", ".join(keys),
            "found": "; ".join(there), "offset": _row(offset), "sorted": _row(offset.sort(descending=True)[0] / 3),
        }  # fmt: skip
        gaps |= {name: _row(f[name]) for name in ("elevated", "rounded", "rest", "rank", "origin", "weights")}
        return [WORDS[name].format(**gaps) for name in STEPS]

    @traitlets.observe(*SLIDER_STEPS)
    def _follow(self, _change=None) -> None:
        """The caption follows the pixel and the step."""
        words = {"step": self.step, "name": STEPS[self.step], "line": self.lines()[self.step]}
        self.set_trait("caption", WORDS["caption"].format(**words))


def _row(values: torch.Tensor) -> str:
    whole = bool((values == values.round()).all())
    return "(" + ", ".join(f"{value + 0.0:.{0 if whole else 2}f}" for value in values.tolist()) + ")"
