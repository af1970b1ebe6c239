"""Layers of DeepLab's own: dilated convolution in two other ways, and atrous separable convolution."""

from deeplab_lessons.layers.separable import SeparableConv2d

__all__ = ["SeparableConv2d"]
