"""Layers of DeepLab's own: atrous separable convolution."""
