"""torchvision's ResNets as dilated backbones: any depth and width, the stride in either place, v3's cascade."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torchvision import models
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet
from torchvision.ops import FrozenBatchNorm2d

from deeplab_lessons.backbones.dilation import dilate_strides, set_dilation
from deeplab_lessons.backbones.initialise import scale_channels
from deeplab_lessons.backbones.weights import Network, Weights, materialise
from deeplab_lessons.checks import check_choice

#: Kind of block and blocks in each of the four stages. Source: He et al., CVPR 2016, table 1.
DEPTHS: dict[int, tuple[type[BasicBlock] | type[Bottleneck], tuple[int, int, int, int]]] = {
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
}
STEM_STRIDE = 4  # of conv1 and maxpool together
LAST_CASCADE = 7  # block7 is the deepest of v3's cascades


def resnet(
    depth: int = 101,
    output_stride: int = 8,
    weights: Weights = None,
    width: float = 1.0,
    blocks: tuple[int, int, int, int] | None = None,
    stride_in: str = "3x3",
    frozen: bool = False,
    multi_grid: Sequence[int] | None = None,
    cascade: int = 4,
) -> nn.Sequential:
    """Return a ResNet up to its last stage, dilated; `output_stride`, `weights` and `width` as in `backbones`.

    `blocks` replaces the depth's four numbers. `stride_in` is where a stage's first block has its stride: "3x3" as
    in torchvision, "1x1" as in Caffe's ResNets, which DeepLab v2 used (50 layers or more). The weights fit both, but
    belong to the layout they were trained in. `frozen` fixes batch norm's statistics and factors, as DeepLab v2
    does. DeepLab v3's two additions: `cascade` is the number of the last block, 4 (layer4) to 7; layer5 to layer7
    repeat layer4, each with a stride of 2 of its own, so that output strides reach up to 256. They begin at random.
    `multi_grid` gives the blocks of layer4 and later their own factors, see `dilate_stages`.
    Source: He et al., CVPR 2016; DeepLab v2, section 3.1; v3, section 3.2.
    """
    check_choice("depth", depth, DEPTHS)
    kind, usual = DEPTHS[depth]
    counts = usual if blocks is None else tuple(blocks)
    _check(kind, counts, cascade, output_stride, stride_in, weights)
    with torch.device("meta"):
        whole = _build(kind, counts, width)
    net = nn.Sequential(OrderedDict(list(whole.named_children())[:-2]))  # without avgpool and fc
    net = materialise(net, weights, getattr(models, f"ResNet{depth}_Weights").IMAGENET1K_V1, ("fc.",))
    for number in range(5, cascade + 1):
        net.add_module(f"layer{number}", _replica(net.layer4))
    stages: list[Any] = [part for name, part in net.named_children() if name.startswith("layer")]
    if stride_in == "1x1":
        for block in (stage[0] for stage in stages[1:]):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
    dilate_stages(stages, output_stride, multi_grid)
    return freeze_batch_norm(net) if frozen else net


def _check(kind: type, blocks: tuple, cascade: int, output_stride: int, stride_in: str, weights: Any) -> None:
    if stride_in not in ("3x3", "1x1"):
        raise ValueError(f'stride_in must be "3x3" (torchvision) or "1x1" (Caffe), got {stride_in!r}')
    if stride_in == "1x1" and kind is BasicBlock:
        raise ValueError('stride_in="1x1" needs blocks that begin with a 1 x 1: ResNet-50 or deeper')
    if stride_in == "1x1" and isinstance(weights, str) and weights == "imagenet":
        raise ValueError(
            'torchvision\'s ImageNet weights were trained with the stride in the 3 x 3: pass stride_in="3x3". '
            'For "1x1" pass weights trained like this, as a file or a state dict; Caffe\'s also need images in BGR, '
            "0 to 255, minus (104.008, 116.669, 122.675)."
        )
    if cascade not in range(4, LAST_CASCADE + 1):
        raise ValueError(f"cascade must be the last block, 4 (layer4) to {LAST_CASCADE}, got {cascade}")
    check_choice("output_stride", output_stride, [8 * 2**power for power in range(cascade - 1)])
    if len(blocks) != 4 or min(blocks) < 1:
        raise ValueError(f"blocks must be four numbers of at least 1, got {blocks}")


def _build(kind: type, blocks: tuple[int, ...], width: float) -> ResNet:
    """torchvision's ResNet with every number of channels times `width`."""
    net = ResNet(kind, list(blocks))
    if width != 1:
        net.inplanes = scale_channels(64, width)
        net.conv1 = nn.Conv2d(3, net.inplanes, 7, stride=2, padding=3, bias=False)
        net.bn1 = nn.BatchNorm2d(net.inplanes)
        for i, count in enumerate(blocks):
            channels = scale_channels(64 * 2**i, width)
            setattr(net, f"layer{i + 1}", net._make_layer(kind, channels, count, stride=2 if i else 1))
    return net


def _replica(stage: Any) -> nn.Sequential:
    """Another stage like layer4: its first shortcut needs no convolution, it takes every 2nd cell."""
    kind, planes = type(stage[0]), stage[0].conv1.out_channels
    channels = planes * kind.expansion
    with torch.device("meta"):
        first = kind(channels, planes, 2, downsample=nn.Sequential(nn.MaxPool2d(1, stride=2)))
        new = nn.Sequential(first, *(kind(channels, planes) for _ in stage[1:]))
    return materialise(new)


def dilate_stages(stages: list[Any], output_stride: int, multi_grid: Sequence[int] | None = None) -> None:
    """Take out the strides beyond `output_stride` in layer1, layer2, … (`dilate_strides`); works in place.

    The shortcut next to a convolution loses its stride with it. With `multi_grid`, the i-th block of layer4 and of each
    later stage has the stage's dilation times the i-th number in each 3 x 3 convolution: at output stride 16, (1,
    2, 4) makes (2, 4, 8). A stage of fewer blocks takes the first numbers; ValueError where it has more.

    (1, 1, 1) is not the same as None where the stride belongs to the first 3 x 3 (torchvision). That convolution saw
    cells half as far apart when it was trained: None leaves it so, as the weights want it; the paper, whose ResNet has
    the stride one convolution earlier, dilates all three alike. Source: DeepLab v2, section 3.1; v3, section 3.2.1.
    """
    stride, dilation = STEM_STRIDE, 1
    for number, stage in enumerate(stages, start=1):
        ways = [[part for part in block.children() if isinstance(part, nn.Conv2d)] for block in stage]
        for block, convolutions in zip(stage, ways, strict=True):
            before = dilation
            stride, dilation = dilate_strides(convolutions, output_stride, stride, dilation)
            if dilation != before:
                block.downsample[0].stride = (1, 1)
        if multi_grid is not None and number >= 4:
            if len(multi_grid) < len(stage) or min(multi_grid) < 1:
                raise ValueError(
                    f"multi_grid needs at least 1 for each of the stage's {len(stage)} blocks, got {tuple(multi_grid)}"
                )
            for convolutions, factor in zip(ways, multi_grid, strict=False):
                for conv in convolutions:
                    set_dilation(conv, dilation * factor)


def freeze_batch_norm(net: Network) -> Network:
    """Replace every batch norm with torchvision's frozen one, with its numbers; works in place, returns `net`.

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
