"""`SeparableExplorer`: what a dense and a separable convolution cost, and what their ratio approaches."""

import anywidget
import torch
import traitlets
from torch import nn

from deeplab_lessons.classroom.widgets.separable.words import WORDS
from deeplab_lessons.classroom.widgets.shared.checks import unknown
from deeplab_lessons.classroom.widgets.shared.page import SavesHtml, module, style
from deeplab_lessons.layers.separable import SeparableConv2d

#: A number from `least` on is written as a multiple of `unit`, with so many decimals and under this word.
UNITS = ((1e9, 1e9, 2, "billions"), (1e6, 1e6, 2, "millions"), (1e4, 1e3, 1, "thousands"))

CHANNELS = (1, 2, 4, 8, 16, 32, 48, 64, 128, 256, 304, 512, 728, 1024, 2048)
OPTIONS = {
    "kernel_size": (1, 3, 5, 7, 9),
    "in_channels": CHANNELS,
    "out_channels": CHANNELS,
    "dilation": (1, 2, 4, 6, 12, 18, 24, 36),
    "side": (5, 9, 17, 33, 65, 129, 257),
}


class SeparableExplorer(SavesHtml, anywidget.AnyWidget):
    """Choose kernel, channels, dilation and map; see multiply-adds and weights of both kinds of convolution.

    Traits: `kernel_size`, `in_channels`, `out_channels`, `dilation`, `side` (cells per side of the map; each one of
    `OPTIONS`) and, to be read, `dense` and `separable` (multiply-adds), `dense_weights`, `separable_weights`,
    `depthwise` (multiply-adds of only the depthwise part), `ratio` (separable / dense), `limit` (what the ratio
    approaches with many channels out, 1/k²) and `caption`. Stride 1, no bias. Source: DeepLab v3+, section 3.1.
    """

    _esm = module(__file__)
    _css = style(__file__)

    kernel_size = traitlets.Int(3, help="taps per side").tag(sync=True)
    in_channels = traitlets.Int(256, help="channels that come in").tag(sync=True)
    out_channels = traitlets.Int(256, help="channels that go out").tag(sync=True)
    dilation = traitlets.Int(1, help="of the k × k kernels").tag(sync=True)
    side = traitlets.Int(129, help="cells per side of the map").tag(sync=True)
    dense = traitlets.Int(help="multiply-adds of the dense convolution", read_only=True)
    separable = traitlets.Int(help="multiply-adds of the separable convolution", read_only=True)
    depthwise = traitlets.Int(help="multiply-adds of its depthwise part", read_only=True)
    dense_weights = traitlets.Int(help="weights of the dense convolution", read_only=True)
    separable_weights = traitlets.Int(help="weights of the separable convolution", read_only=True)
    ratio = traitlets.Float(help="separable / dense", read_only=True)
    limit = traitlets.Float(help="1/k²: what the ratio approaches with many channels out", read_only=True)
    caption = traitlets.Unicode(help="the picture in words", read_only=True)
    _options = traitlets.Dict({name: list(values) for name, values in OPTIONS.items()}).tag(sync=True)
    _words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, **values: int):
        if others := sorted(set(values) - set(OPTIONS)):
            raise ValueError(unknown("slider", others[0], OPTIONS))
        super().__init__(**values)
        self._count()

    def __repr__(self) -> str:
        chosen = ", ".join(f"{name}={getattr(self, name)}" for name in OPTIONS)
        return f"SeparableExplorer({chosen}, ratio={self.ratio:.3f})"

    @traitlets.validate(*OPTIONS)
    def _check(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        if value not in OPTIONS[name]:
            raise traitlets.TraitError(unknown(name, value, OPTIONS[name]))
        return value

    def layers(self) -> tuple[nn.Conv2d, SeparableConv2d]:
        """Return both convolutions as PyTorch builds them, without numbers."""
        size, reach = self.kernel_size, self.dilation * (self.kernel_size // 2)
        with torch.device("meta"):
            dense = nn.Conv2d(
                self.in_channels, self.out_channels, size, padding=reach, dilation=self.dilation, bias=False
            )
            separable = SeparableConv2d(
                self.in_channels, self.out_channels, size, 1, self.dilation, batch_norm=False
            )
        return dense, separable

    @traitlets.observe(*OPTIONS)
    def _count(self, _change=None) -> None:
        """Count the weights of the real layers; numbers and caption follow."""
        dense, separable = self.layers()
        weights = [sum(part.numel() for part in layer.parameters()) for layer in (dense, separable)]
        cells = self.side**2
        numbers = {
            "dense_weights": weights[0],
            "separable_weights": weights[1],
            "dense": weights[0] * cells,
            "separable": weights[1] * cells,
            "depthwise": separable.depthwise.weight.numel() * cells,
            "ratio": weights[1] / weights[0],
            "limit": 1 / self.kernel_size**2,
        }
        for name, value in numbers.items():
            self.set_trait(name, value)
        self.set_trait("caption", self._describe())

    def _describe(self) -> str:
        verdict = "cheaper" if self.ratio < 1 else "dearer" if self.ratio > 1 else "same"
        return WORDS["caption"].format(
            k=self.kernel_size, squared=self.kernel_size**2, dilation=self.dilation, channels=self.in_channels,
            out=self.out_channels, side=self.side, dense_adds=number(self.dense), adds=number(self.separable),
            dense_weights=number(self.dense_weights), weights=number(self.separable_weights),
            ratio=f"{self.ratio:.3f}", limit=f"{self.limit:.3f}",
            share=f"{100 * self.depthwise / self.separable:.0f}",
            verdict=WORDS[verdict].format(times=f"{1 / self.ratio:.1f}"),
        )  # fmt: skip


def number(value: int) -> str:
    """Return a large number in a few digits: 9.82·10⁹, 589.8·10³, 2304."""
    for least, unit, decimals, word in UNITS:
        if value >= least:
            return WORDS[word].format(number=f"{value / unit:.{decimals}f}")
    return str(value)
