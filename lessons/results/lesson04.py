"""Where a classifier sees the cat: MobileNetV2, trained on ImageNet, as a convolution. Lesson 04 shows it.

    python lessons/results/lesson04.py

needs `weights/mobilenet_v2_tf-imagenet-fp16.pt` in the data folder (see data/README.md) and takes some seconds. For
each of `NETWORKS`, all with the same weights, it keeps the probability of a cat at each cell of a photograph, as a
picture of grey levels 0 to 255, writes `lesson04.json` next to this file, and prints it.
"""

from collections.abc import Sequence

import runs
import torch
import torchvision
from torch import nn

from deeplab_lessons import runtime
from deeplab_lessons.backbones.dilation import dilate_strides, set_dilation
from deeplab_lessons.backbones.weights import load_weights
from deeplab_lessons.classroom import built_in
from deeplab_lessons.datasets import transforms

WEIGHTS = "mobilenet_v2_tf-imagenet-fp16.pt"
CATS = [281, 285]  # the first and the last of ImageNet's domestic cats
#: Output stride, and whether layers are dilated where strides were removed.
NETWORKS = {"stride 32": (32, True), "stride 8, undilated": (8, False), "stride 8, dilated": (8, True)}


def network(output_stride: int, dilated: bool) -> nn.Sequential:
    """Return the classifier as a convolution: images [N, 3, H, W] -> scores [N, 1000, h, w]."""
    path = runtime.data_dir() / "weights" / WEIGHTS
    if not path.is_file():
        raise SystemExit(f"{WEIGHTS} is not in {path.parent}: data/README.md says where it comes from")
    net = torchvision.models.mobilenet_v2()
    net.load_state_dict(load_weights(path, None))
    convs = [module for module in net.features.modules() if isinstance(module, nn.Conv2d)]
    dilate_strides(convs, output_stride)
    for conv in convs if not dilated else ():
        set_dilation(conv, 1)
    matrix, last = net.classifier[1], nn.Conv2d(1280, 1000, 1)
    last.load_state_dict({"weight": matrix.weight[:, :, None, None], "bias": matrix.bias})
    return nn.Sequential(net.features, last).eval()


def run(name: str, seed: int, size: Sequence[int]) -> dict:
    """Return the map of one network for the top left `size` pixels of the photograph."""
    picture = built_in.photograph("chelsea")[: size[0], : size[1]]
    with torch.inference_mode():
        scores = network(*NETWORKS[name])(transforms.normalise(picture)[None])
    cat = scores.softmax(1)[0, CATS[0] : CATS[1] + 1].sum(0)
    return {name: {"drawn": runs.as_text((255 * cat).round().byte().numpy())}}


def plan(quick: bool = False) -> dict:
    """Return what the maps depend on; at 32 k + 1 pixels this network's padding is the one it was trained with."""
    return {"weights": WEIGHTS, "cats": CATS, "size": [97, 129] if quick else [289, 449]}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, and save after each run."""
    options = runs.options(__file__, "Draw where a trained classifier sees a cat.", arguments)
    planned = plan(options.quick)
    runs.fill(options.results, planned, (0,), NETWORKS, lambda name, seed: run(name, seed, planned["size"]))


if __name__ == "__main__":
    main()
