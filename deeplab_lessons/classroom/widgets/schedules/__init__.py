"""`SchedulesExplorer`: two learning rates as they fall, poly and step, with the area below each."""

import anywidget
import numpy as np
import traitlets

from deeplab_lessons.classroom.widgets.schedules.words import WORDS
from deeplab_lessons.classroom.widgets.shared.page import SavesHtml, module, style
from deeplab_lessons.classroom.widgets.shared.sliders import limits
from deeplab_lessons.training import schedules

STEPS = {"power": 0.1, "parts": 1, "factor": 0.05}  # of the sliders


class SchedulesExplorer(SavesHtml, anywidget.AnyWidget):
    """Move the power of poly, and the parts and the factor of step; compare the learning rates and the areas below.

    `iterations` is the length of the training and `lr` its first learning rate. Traits: `power` (0.1 to 4), `parts`
    (1 to 6), `factor` (0.05 to 1) and, to be read, `poly_area` and `step_area` (sum of all learning rates, in % of
    a constant one's) and `caption`. Raises ValueError for fewer than 10 iterations or an `lr` that is not positive.
    """

    _esm = module(__file__)
    _css = style(__file__)

    power = traitlets.Float(0.9, min=0.1, max=4.0, help="poly's power").tag(sync=True)
    parts = traitlets.Int(3, min=1, max=6, help="equal parts of the training under step").tag(sync=True)
    factor = traitlets.Float(
        0.1, min=0.05, max=1.0, help="each part's learning rate, as a fraction of the one before"
    ).tag(sync=True)
    poly_area = traitlets.Float(help="sum of poly's learning rates, % of a constant one's", read_only=True)
    step_area = traitlets.Float(help="sum of step's learning rates, % of a constant one's", read_only=True)
    caption = traitlets.Unicode(help="the picture in words", read_only=True)
    _training = traitlets.Dict(help="iterations; rates: none, half and all of the first learning rate").tag(
        sync=True
    )
    _limits = traitlets.Dict().tag(sync=True)
    _words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, iterations: int = 20000, lr: float = 2.5e-4):
        if iterations < 10 or lr <= 0:
            raise ValueError(f"iterations must be at least 10 and lr above 0, got {iterations} and {lr}")
        self.iterations, self.lr = iterations, lr
        rates = [f"{share * lr:g}" for share in (0, 0.5, 1)]
        super().__init__(_training={"iterations": iterations, "rates": rates}, _limits=limits(self, STEPS))
        self._follow()

    def __repr__(self) -> str:
        return (
            f"SchedulesExplorer(power={self.power:g}, parts={self.parts}, factor={self.factor:g}, "
            f"poly_area={self.poly_area:.1f} %, step_area={self.step_area:.1f} %)"
        )

    def shares(self) -> dict[str, np.ndarray]:
        """Fraction of the first learning rate at each iteration, by schedule."""
        poly = [schedules.poly(i, self.iterations, self.power) for i in range(self.iterations)]
        step = [schedules.step(i, self.iterations, self.parts, self.factor) for i in range(self.iterations)]
        return {"poly": np.array(poly), "step": np.array(step)}

    @traitlets.observe(*STEPS)
    def _follow(self, _change=None) -> None:
        """Areas and caption follow the sliders."""
        shares = self.shares()
        for name, values in shares.items():
            total = float(values.cumsum()[-1])  # one after the other, as the browser adds them
            self.set_trait(f"{name}_area", 100 * total / self.iterations)
        words = WORDS["one_part" if self.parts == 1 else "caption"].format(
            iterations=f"{self.iterations:,}", lr=f"{self.lr:g}", power=f"{self.power:g}", parts=self.parts,
            factor=f"{self.factor:g}", half=f"{shares['poly'][self.iterations // 2]:.2f}",
            poly=f"{self.poly_area:.1f}", step=f"{self.step_area:.1f}",
        )  # fmt: skip
        self.set_trait("caption", words)
