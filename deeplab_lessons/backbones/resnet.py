"""torchvision's ResNets as dilated backbones: any depth and width, the stride in either place."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn
from torchvision import models
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet
from torchvision.ops import FrozenBatchNorm2d

from deeplab_lessons.backbones.vgg import he, scaled
from deeplab_lessons.backbones.weights import Weights, fill, load_weights

#: Kind of block and blocks in each of the four stages. Source: He et al., CVPR 2016, table 1.
DEPTHS = {
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
}
STAGES = ("layer1", "layer2", "layer3", "layer4")  # DeepLab v2 calls them res2 … res5
STEM_STRIDE = 4  # of conv1 and maxpool together


def resnet(
    depth: int = 101,
    output_stride: int = 8,
    weights: Weights = None,
    width: float = 1.0,
    blocks: tuple[int, int, int, int] | None = None,
    stride_in: str = "3x3",
    frozen: bool = False,
) -> nn.Sequential:
    """A ResNet up to its last stage: pictures [N, 3, H, W] -> [N, channels, H / output_stride, W / output_stride].

    Sizes round up. `output_stride` is 32 (as trained), 16 or 8 (layer3 dilated by 2, layer4 by 4): the map then
    holds the trained network's map at every 2nd or 4th place. `width` multiplies every number of channels and
    `blocks` replaces the depth's four numbers, for networks of class size. `stride_in` is where a stage's
    first block steps: "3x3" as in torchvision, "1x1" as in Caffe's ResNets, which DeepLab v2 used. `frozen`
    fixes batch norm's statistics and factors, as DeepLab v2 does. `weights` are None, "imagenet", a path or a
    state dict with torchvision's keys, with or without the classifier. Raises ValueError for what is not there.
    Source: He et al., CVPR 2016; DeepLab v2, section 3.1.
    """
    if depth not in DEPTHS:
        raise ValueError(f"depth must be one of {', '.join(map(str, DEPTHS))}, got {depth}")
    if output_stride not in (8, 16, 32):
        raise ValueError(f"output_stride must be 8, 16 or 32, got {output_stride}")
    kind, usual = DEPTHS[depth]
    meta = torch.get_default_device().type == "meta"
    with torch.device("meta"):
        whole = _build(kind, usual if blocks is None else tuple(blocks), width)
    net = nn.Sequential(OrderedDict(list(whole.named_children())[:-2]))  # without avgpool and fc
    if weights is not None:
        entry = getattr(models, f"ResNet{depth}_Weights").IMAGENET1K_V1
        given = load_weights(weights, entry)
        fill(net, {key: value for key, value in given.items() if not key.startswith("fc.")})
    elif not meta:
        net = net.to_empty(device=torch.get_default_device())
        he(net)
    net = dilate_stages(stride_moved(net, stride_in), output_stride)
    return freeze_batch_norm(net) if frozen else net


def _build(kind: type[nn.Module], blocks: tuple[int, ...], width: float) -> ResNet:
    """torchvision's ResNet with every number of channels times `width`."""
    if len(blocks) != 4 or min(blocks) < 1:
        raise ValueError(f"blocks must be four numbers of at least 1, got {blocks}")
    net = ResNet(kind, list(blocks))
    if width != 1:
        net.inplanes = scaled(64, width)
        net.conv1, net.bn1 = (
            nn.Conv2d(3, net.inplanes, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(net.inplanes),
        )
        for place, (stage, count) in enumerate(zip(STAGES, blocks, strict=True)):
            channels = scaled(64 * 2**place, width)
            setattr(net, stage, net._make_layer(kind, channels, count, stride=2 if place else 1))
    return net


def stride_moved(net: nn.Sequential, stride_in: str) -> nn.Sequential:
    """Let each stage step in its first block's 3 x 3 (torchvision) or first 1 x 1 (Caffe); works in place.

    The weights fit both, the numbers that come out don't: weights trained in one layout belong to it. Raises
    ValueError for another word, or for "1x1" where blocks have no 1 x 1 (ResNet-18 and 34).
    """
    if stride_in not in ("3x3", "1x1"):
        raise ValueError(f'stride_in must be "3x3" (torchvision) or "1x1" (Caffe), got {stride_in!r}')
    for block in (getattr(net, stage)[0] for stage in STAGES[1:]):
        if stride_in == "1x1":
            if not isinstance(block, Bottleneck):
                raise ValueError('stride_in="1x1" needs blocks that begin with a 1 x 1: ResNet-50 or deeper')
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
    return net


def dilate_stages(net: nn.Sequential, output_stride: int) -> nn.Sequential:
    """Take out the strides beyond `output_stride` and dilate what follows; works in place and returns `net`.

    A stride of 2 that goes becomes a dilation of 2 in every convolution after it, and the shortcut beside it
    loses its stride too. Source: DeepLab v1, section 3.1; v2, section 3.1.
    """
    stride, rate = STEM_STRIDE, 1
    for stage in STAGES:
        for block in getattr(net, stage):
            for conv in (part for name, part in block.named_children() if name.startswith("conv")):
                asked = conv.stride[0]
                if conv.kernel_size != (1, 1):
                    conv.dilation = conv.padding = (rate, rate)
                if stride * asked > output_stride:
                    conv.stride, rate = (1, 1), rate * asked
                    block.downsample[0].stride = (1, 1)
                stride *= conv.stride[0]
    return net


def freeze_batch_norm(net: nn.Module) -> nn.Module:
    """Replace every batch norm by torchvision's frozen one, with its numbers; works in place, returns `net`.

    Frozen, it is a fixed factor and a fixed shift: `train()` does not wake it, and no optimiser sees it.
    Source: DeepLab v2's released networks keep batch norm as ImageNet left it.
    """
    for name, part in net.named_children():
        if isinstance(part, nn.BatchNorm2d):
            still = FrozenBatchNorm2d(part.num_features, part.eps).to(part.weight)
            still.load_state_dict(part.state_dict())
            setattr(net, name, still)
        else:
            freeze_batch_norm(part)
    return net
