"""Networks that several tests share."""

from torch import nn


def lively(net):
    """Statistics and factors of batch norm that are not those of the start; double precision, evaluation."""
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.normal_(part.bias, std=0.1)
    return net.eval().double()


def separable(before, after):
    """Parameters of a separable convolution with a batch norm (factor and shift) after each part."""
    return 9 * before + 2 * before + before * after + 2 * after
