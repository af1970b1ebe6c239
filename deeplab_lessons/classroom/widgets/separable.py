"""A dense and a separable convolution side by side: what both cost, and what their ratio approaches."""

import html
import math

import ipywidgets
import torch
import traitlets
from torch import nn

from deeplab_lessons.classroom.drawing.style import COLOURS
from deeplab_lessons.classroom.widgets.shared.checks import unknown
from deeplab_lessons.classroom.widgets.shared.key_box import KeyBox, StepSlider
from deeplab_lessons.layers.separable import SeparableConv2d

SEPARABLE = {
    "kernel_size": "kernel",
    "in_channels": "channels in, C",
    "out_channels": "channels out, C'",
    "dilation": "dilation",
    "side": "map, cells per side",
    "dense": "dense",
    "separable": "separable",
    "depthwise": "depthwise",
    "pointwise": "pointwise",
    "costs": "{adds} multiply-adds, {weights} weights",
    "x": "channels out, C'",
    "y": "separable / dense",
    "limit": "1/k² = {limit:.3f}",
    "here": "{ratio:.3f}",
    "caption": "A {k}×{k} convolution with dilation {dilation}, {channels} to {out} channels, on {side} × {side} "
    "cells. Dense: {dense_adds} multiply-adds, {dense_weights} weights. Separable: {adds} multiply-adds, "
    "{weights} weights; {share:.0f} % of them depthwise. Ratio {ratio:.3f} = 1/{out} + 1/{squared}. With more "
    "and more channels out it approaches 1/{squared} = {limit:.3f}. {verdict}",
    "cheaper": "Separable costs {times:.1f} times less.",
    "dearer": "Here separable costs more than dense.",
    "same": "Here both cost the same.",
}

#: Letters behind a number, largest first: 10⁹, 10⁶, 10³.
UNITS = ((1e9, "{:.2f}·10⁹"), (1e6, "{:.2f}·10⁶"), (1e4, "{:.1f}·10³"))

CHANNELS = (1, 2, 4, 8, 16, 32, 48, 64, 128, 256, 304, 512, 728, 1024, 2048)
OPTIONS = {
    "kernel_size": (1, 3, 5, 7, 9),
    "in_channels": CHANNELS,
    "out_channels": CHANNELS,
    "dilation": (1, 2, 4, 6, 12, 18, 24, 36),
    "side": (5, 9, 17, 33, 65, 129, 257),
}
_WIDTH, _HEIGHT = 640, 330  # of the picture
_LEFT, _RIGHT, _BAR = 92, 18, 26  # margins, and how thick a bar is
_TOP, _BOTTOM = 150, 44  # of the curve
_DEPTHWISE, _POINTWISE = COLOURS[5], COLOURS[4]


class SeparableExplorer(KeyBox):
    """Choose kernel, channels, dilation and map; see multiply-adds and weights of both kinds of convolution.

    Traits: `kernel_size`, `in_channels`, `out_channels`, `dilation`, `side` (cells per side of the map; each one of
    `OPTIONS`) and, to be read, `dense` and `separable` (multiply-adds), `dense_weights`, `separable_weights`,
    `depthwise` (multiply-adds of only the depthwise part), `ratio` (separable / dense), `limit` (what the ratio
    approaches with many channels out, 1/k²) and `caption`. Stride 1, no bias. Source: DeepLab v3+, section 3.1.
    """

    kernel_size = traitlets.Int(3, help="taps per side")
    in_channels = traitlets.Int(256, help="channels that come in")
    out_channels = traitlets.Int(256, help="channels that go out")
    dilation = traitlets.Int(1, help="of the k × k kernels")
    side = traitlets.Int(129, help="cells per side of the map")
    dense = traitlets.Int(help="multiply-adds of the dense convolution", read_only=True)
    separable = traitlets.Int(help="multiply-adds of the separable convolution", read_only=True)
    depthwise = traitlets.Int(help="multiply-adds of its depthwise part", read_only=True)
    dense_weights = traitlets.Int(help="weights of the dense convolution", read_only=True)
    separable_weights = traitlets.Int(help="weights of the separable convolution", read_only=True)
    ratio = traitlets.Float(help="separable / dense", read_only=True)
    limit = traitlets.Float(help="1/k²: what the ratio approaches with many channels out", read_only=True)
    caption = traitlets.Unicode(help="the picture in words", read_only=True)

    def __init__(self, **values: int):
        if others := sorted(set(values) - set(OPTIONS)):
            raise ValueError(unknown("slider", others[0], OPTIONS))
        self._sliders, self._picture = {}, ipywidgets.HTML()
        for name, options in OPTIONS.items():
            slider = StepSlider(options=options, value=getattr(self, name), description=SEPARABLE[name])
            slider.style.description_width, slider.layout.width = "9em", "20em"
            self._sliders[name] = slider
        row = ipywidgets.Layout(flex_flow="row wrap")
        super().__init__([ipywidgets.HBox(list(self._sliders.values()), layout=row), self._picture])
        for name, value in values.items():
            setattr(self, name, value)
        for name, slider in self._sliders.items():
            traitlets.link((self, name), (slider, "value"))
        self.observe(self._draw, names=list(OPTIONS))
        self._draw()

    def __repr__(self, *_) -> str:
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

    def _draw(self, _change=None) -> None:
        """Count the weights of the real layers, redraw; numbers and caption follow."""
        dense, separable = self.layers()
        weights = [sum(part.numel() for part in layer.parameters()) for layer in (dense, separable)]
        cells = self.side**2
        numbers = {
            "dense_weights": weights[0],
            "separable_weights": weights[1],
            "limit": 1 / self.kernel_size**2,
        }
        numbers |= {
            "dense": weights[0] * cells,
            "separable": weights[1] * cells,
            "ratio": weights[1] / weights[0],
        }
        numbers["depthwise"] = separable.depthwise.weight.numel() * cells
        for name, value in numbers.items():
            self.set_trait(name, value)
        self.set_trait("caption", self._describe())
        caption = html.escape(self.caption)
        self._picture.value = f'{self._svg(caption)}<div role="status">{caption}</div>'

    def _describe(self) -> str:
        verdict = "cheaper" if self.ratio < 1 else "dearer" if self.ratio > 1 else "same"
        return SEPARABLE["caption"].format(
            k=self.kernel_size, squared=self.kernel_size**2, dilation=self.dilation, channels=self.in_channels,
            out=self.out_channels, side=self.side, dense_adds=number(self.dense), adds=number(self.separable),
            dense_weights=number(self.dense_weights), weights=number(self.separable_weights), ratio=self.ratio,
            limit=self.limit, share=100 * self.depthwise / self.separable,
            verdict=SEPARABLE[verdict].format(times=1 / self.ratio),
        )  # fmt: skip

    def _svg(self, caption: str) -> str:
        """Two bars over a curve, on white paper."""
        return (
            f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{caption}" '
            'style="max-width: 100%; width: 640px; font: 14px sans-serif">'
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>{self._bars()}{self._curve()}</svg>'
        )

    def _bars(self) -> str:
        """Multiply-adds as lengths: dense above, separable in its two parts below."""
        unit = (_WIDTH - _LEFT - _RIGHT) / max(self.dense, self.separable)
        costs = (self.dense, self.dense_weights), (self.separable, self.separable_weights)
        split = [(0, self.dense, COLOURS[0])], [
            (0, self.depthwise, _DEPTHWISE), (self.depthwise, self.separable - self.depthwise, _POINTWISE),
        ]  # fmt: skip
        parts = []
        for row, (name, pieces) in enumerate(zip(("dense", "separable"), split, strict=True)):
            y, (adds, weights) = 4 + 58 * row, costs[row]
            for start, length, colour in pieces:
                parts.append(
                    f'<rect x="{_LEFT + unit * start:.1f}" y="{y}" width="{unit * length:.1f}" height="{_BAR}" '
                    f'fill="{colour}"/>'
                )
            words = SEPARABLE["costs"].format(adds=number(adds), weights=number(weights))
            parts.append(_text(_LEFT - 8, y + 18, SEPARABLE[name], "end"))
            parts.append(_text(_LEFT, y + _BAR + 17, words))
        for place, (name, colour) in enumerate((("depthwise", _DEPTHWISE), ("pointwise", _POINTWISE))):
            x = _WIDTH - 210 + 108 * place
            parts.append(f'<rect x="{x}" y="{58 + _BAR + 16}" width="12" height="12" fill="{colour}"/>')
            parts.append(_text(x + 17, 58 + _BAR + 27, SEPARABLE[name]))
        return "".join(parts)

    def _curve(self) -> str:
        """The ratio against the channels out, its limit, and where we are."""
        x0, x1, y0 = self._x(1), self._x(CHANNELS[-1]), self._y(0)
        parts = [f'<path d="M{x0},{self._y(1)} V{y0} H{x1}" fill="none" stroke="black"/>']
        for share in (0, 0.5, 1):
            parts.append(_text(x0 - 6, self._y(share) + 5, f"{share:g}", "end"))
        for channels in (1, 4, 16, 64, 256, 1024):
            parts.append(_text(self._x(channels), y0 + 18, channels, "middle"))
        parts.append(_text((x0 + x1) / 2, _HEIGHT - 6, SEPARABLE["x"], "middle"))
        turned = f'transform="rotate(-90 18 {self._y(0.5)})" '
        parts.append(f'<text x="18" y="{self._y(0.5)}" {turned}text-anchor="middle">{SEPARABLE["y"]}</text>')
        level = self._y(self.limit)
        parts.append(f'<path d="M{x0},{level:.1f} H{x1}" stroke="{COLOURS[1]}" stroke-dasharray="7 4"/>')
        words = SEPARABLE["limit"].format(limit=self.limit)
        parts.append(_text(x0 + 6, level + (16 if self.limit == 1 else -6), words, colour=COLOURS[1]))
        steps = [2 ** (step / 8) for step in range(8 * 11 + 1)]
        shares = [(channels, 1 / channels + self.limit) for channels in steps]
        line = " ".join(
            f"{self._x(channels):.1f},{self._y(share):.1f}" for channels, share in shares if share <= 1.25
        )
        parts.append(f'<polyline points="{line}" fill="none" stroke="{COLOURS[2]}" stroke-width="2.5"/>')
        x, y = self._x(self.out_channels), self._y(min(self.ratio, 1.25))
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{COLOURS[2]}" stroke="black"/>')
        return "".join([*parts, _text(x + 4, y - 11, SEPARABLE["here"].format(ratio=self.ratio), "middle")])

    def _x(self, channels: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * math.log2(channels) / 11

    def _y(self, share: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - share / 1.25)


def number(value: int) -> str:
    """Return a large number in a few digits: 9.82·10⁹, 589.82·10³, 2304."""
    for unit, form in UNITS:
        if value >= unit:
            return form.format(value / (1e3 if unit == 1e4 else unit))
    return str(value)


def _text(x: float, y: float, words: object, anchor: str = "start", colour: str = "black") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'
