"""torchvision's ResNets as dilated backbones: any depth and width, the stride in either place, v3's cascade."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torchvision import models
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet
from torchvision.ops import FrozenBatchNorm2d

from deeplab_lessons.backbones.dilation import check_output_stride, dilate_strides, set_dilation
from deeplab_lessons.backbones.initialise import Network, materialise, scale_channels
from deeplab_lessons.backbones.weights import Weights, load_weights

#: Kind of block and blocks in each of the four stages. Source: He et al., CVPR 2016, table 1.
DEPTHS: dict[int, tuple[type[BasicBlock] | type[Bottleneck], tuple[int, int, int, int]]] = {
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
}
STAGES = ("layer1", "layer2", "layer3", "layer4")  # DeepLab v2 calls them res2 … res5
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
    """A ResNet up to its last stage: pictures [N, 3, H, W] -> [N, channels, H / output_stride, W / output_stride].

    Sizes round up. `output_stride` is 32 (as trained), 16 or 8 (layer3 dilated by 2, layer4 by 4): the map then
    holds the trained network's map at every 2nd or 4th place. `width` multiplies every number of channels and
    `blocks` replaces the depth's four numbers, for small-scale networks. `stride_in` is where a stage's first
    block has its stride: "3x3" as in torchvision, "1x1" as in Caffe's ResNets, which DeepLab v2 used. `frozen`
    fixes batch norm's statistics and factors, as DeepLab v2 does. `weights` are None, "imagenet", a path or a
    state dict with torchvision's keys, with or without the classifier. Raises ValueError for what is not there.

    DeepLab v3's two additions: `cascade` is the number of the last block, 4 (layer4) to 7; layer5 to layer7 repeat
    layer4, each with a stride of 2 of its own, so that output strides reach up to 256. They begin at random.
    `multi_grid` gives the blocks of layer4 and later their own factors, see `dilate_stages`.
    Source: He et al., CVPR 2016; DeepLab v2, section 3.1; v3, section 3.2.
    """
    _check(depth, cascade, output_stride, stride_in, weights)
    kind, usual = DEPTHS[depth]
    with torch.device("meta"):
        whole = _build(kind, usual if blocks is None else tuple(blocks), width)
    net = nn.Sequential(OrderedDict(list(whole.named_children())[:-2]))  # without avgpool and fc
    state = None
    if weights is not None:
        state = load_weights(weights, getattr(models, f"ResNet{depth}_Weights").IMAGENET1K_V1)
        state = {key: value for key, value in state.items() if not key.startswith("fc.")}
    net = materialise(net, state)
    for number in range(5, cascade + 1):
        net.add_module(f"layer{number}", _replica(net.layer4))
    net = dilate_stages(move_stride(net, stride_in), output_stride, multi_grid)
    return freeze_batch_norm(net) if frozen else net


def _check(depth: int, cascade: int, output_stride: int, stride_in: str, weights: Weights) -> None:
    if stride_in == "1x1" and isinstance(weights, str) and weights == "imagenet":
        raise ValueError(
            'torchvision\'s ImageNet weights were trained with the stride in the 3 x 3: pass stride_in="3x3". '
            'For "1x1" pass weights that were trained so, as a file or a state dict.'
        )
    if depth not in DEPTHS:
        raise ValueError(f"depth must be one of {', '.join(map(str, DEPTHS))}, got {depth}")
    if cascade not in range(4, LAST_CASCADE + 1):
        raise ValueError(
            f"cascade is the number of the last block, 4 (layer4) to {LAST_CASCADE}; got {cascade}"
        )
    check_output_stride(output_stride, [8 * 2**power for power in range(cascade - 1)])


def _build(kind: type, blocks: tuple[int, ...], width: float) -> ResNet:
    """torchvision's ResNet with every number of channels times `width`."""
    if len(blocks) != 4 or min(blocks) < 1:
        raise ValueError(f"blocks must be four numbers of at least 1, got {blocks}")
    net = ResNet(kind, list(blocks))
    if width != 1:
        net.inplanes = scale_channels(64, width)
        net.conv1 = nn.Conv2d(3, net.inplanes, 7, stride=2, padding=3, bias=False)
        net.bn1 = nn.BatchNorm2d(net.inplanes)
        for i, (stage, count) in enumerate(zip(STAGES, blocks, strict=True)):
            channels = scale_channels(64 * 2**i, width)
            setattr(net, stage, net._make_layer(kind, channels, count, stride=2 if i else 1))
    return net


def _replica(stage: Any) -> nn.Sequential:
    """Another stage like layer4, on its result: as many blocks and channels, a stride of 2, random weights.

    Its first shortcut needs no convolution, since the channels stay: it takes every 2nd cell.
    """
    kind, planes = type(stage[0]), stage[0].conv1.out_channels
    channels = planes * kind.expansion
    with torch.device("meta"):
        first = kind(channels, planes, 2, downsample=nn.Sequential(nn.MaxPool2d(1, stride=2)))
        new = nn.Sequential(first, *(kind(channels, planes) for _ in stage[1:]))
    return materialise(new)


def stages(net: nn.Sequential) -> list[nn.Sequential]:
    """Return the network's stages, layer1 … layer4 and what the cascade adds."""
    return [
        part for name, part in net.named_children() if isinstance(part, nn.Sequential) and "layer" in name
    ]


def move_stride(net: nn.Sequential, stride_in: str) -> nn.Sequential:
    """Give each stage's stride to its first block's 3 x 3 (torchvision) or first 1 x 1 (Caffe); works in place.

    The weights fit both, the numbers that come out don't: weights trained in one layout belong to it. Raises
    ValueError for another word, or for "1x1" where blocks have no 1 x 1 (ResNet-18 and 34).
    """
    if stride_in not in ("3x3", "1x1"):
        raise ValueError(f'stride_in must be "3x3" (torchvision) or "1x1" (Caffe), got {stride_in!r}')
    for block in (stage[0] for stage in stages(net)[1:]):
        if stride_in == "1x1":
            if not isinstance(block, Bottleneck):
                raise ValueError('stride_in="1x1" needs blocks that begin with a 1 x 1: ResNet-50 or deeper')
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
    return net


def dilate_stages(
    net: nn.Sequential, output_stride: int, multi_grid: Sequence[int] | None = None
) -> nn.Sequential:
    """Take out the strides beyond `output_stride` (`dilate_strides`); works in place and returns `net`.

    The shortcut beside a convolution loses its stride with it. With `multi_grid`, the i-th block of layer4 and of
    each later stage has the stage's dilation times the i-th number in all its 3 x 3 convolutions: at output
    stride 16, (1, 2, 4) makes (2, 4, 8). A stage of fewer blocks takes the first numbers; ValueError where it has
    more.

    (1, 1, 1) is not the same as None where the stride belongs to the first 3 x 3 (torchvision). That convolution
    saw cells half as far apart when it was trained: None leaves it so, as the weights want it; the paper, whose
    ResNet has the stride one convolution earlier, dilates all three alike.
    Source: DeepLab v2, section 3.1; v3, section 3.2.1.
    """
    stride, dilation = STEM_STRIDE, 1
    for number, stage in enumerate(stages(net), start=1):
        for block in stage:
            before = dilation
            stride, dilation = dilate_strides(_convolutions(block), output_stride, stride, dilation)
            if dilation != before:
                shortcut: Any = block.downsample
                shortcut[0].stride = (1, 1)
        if multi_grid is not None and number >= len(STAGES):
            _apply_grid(stage, dilation, tuple(multi_grid))
    return net


def _convolutions(block: nn.Module) -> list[nn.Conv2d]:
    """The convolutions on a block's way, without its shortcut."""
    return [part for part in block.children() if isinstance(part, nn.Conv2d)]


def _apply_grid(stage: nn.Sequential, dilation: int, multi_grid: tuple[int, ...]) -> None:
    """Give the i-th block the stage's dilation times the i-th number."""
    if len(multi_grid) < len(stage) or min(multi_grid) < 1:
        raise ValueError(
            f"multi_grid needs one number of at least 1 for each of the stage's {len(stage)} blocks, "
            f"got {multi_grid}"
        )
    for block, factor in zip(stage, multi_grid, strict=False):
        for conv in _convolutions(block):
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
