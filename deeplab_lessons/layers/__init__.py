"""Layers of DeepLab's own: dilated convolution in two other ways, and atrous separable convolution."""
