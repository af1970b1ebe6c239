"""Every word that the separable explorer says."""

SEPARABLE = {
    "kernel_size": "kernel",
    "in_channels": "channels in, C",
    "out_channels": "channels out, C'",
    "dilation": "dilation",
    "side": "map, cells a side",
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
    "{weights} weights; {share:.0f} % of them depthwise. Ratio {ratio:.3f} = 1/{out} + 1/{squared}. With ever more "
    "channels out it comes down to 1/{squared} = {limit:.3f}. {verdict}",
    "cheaper": "Separable costs {times:.1f} times less.",
    "dearer": "Here separable costs more than dense.",
    "same": "Here both cost the same.",
}

#: Letters behind a number, largest first: 10⁹, 10⁶, 10³.
UNITS = ((1e9, "{:.2f}·10⁹"), (1e6, "{:.2f}·10⁶"), (1e4, "{:.1f}·10³"))
