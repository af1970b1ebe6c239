"""The words of the separable explorer."""

WORDS = {
    "title": "A dense and a separable convolution: what both cost",
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
    "billions": "{number}·10⁹",
    "millions": "{number}·10⁶",
    "thousands": "{number}·10³",
    "x": "channels out, C'",
    "y": "Separable / dense",
    "limit": "dashed: 1/k² = {limit}",
    "caption": "A {k}×{k} convolution with dilation {dilation}, {channels} to {out} channels, on {side} × {side} "
    "cells. Dense: {dense_adds} multiply-adds, {dense_weights} weights. Separable: {adds} multiply-adds, "
    "{weights} weights; {share} % of them depthwise. Ratio {ratio} = 1/{out} + 1/{squared}. With more "
    "and more channels out it approaches 1/{squared} = {limit}. {verdict}",
    "cheaper": "Separable costs {times} times less.",
    "dearer": "Here separable costs more than dense.",
    "same": "Here both cost the same.",
    "describe": "Curve of the ratio over the channels out. {said} Arrow keys change the channels out.",
    "hint": "Move over the curve to look at other channels out, click to choose them. With the keyboard: Tab to a "
    "slider or to the curve, then the arrow keys.",
}
