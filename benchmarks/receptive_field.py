"""What tracing costs, as a ratio to running the same model once on meta tensors, in interleaved runs."""

import statistics
import time

from deeplab_lessons.receptive_field import trace  # isort: skip  # sets how torch's threads wait
import torch
from torchvision.models import resnet50, resnet101, vgg16
from torchvision.models.segmentation import deeplabv3_resnet101

MODELS = {
    "VGG16": vgg16,
    "ResNet-50": resnet50,
    "ResNet-101": resnet101,
    "DeepLabv3 on ResNet-101": lambda: deeplabv3_resnet101(weights=None, weights_backbone=None),
}
SIZE, ROUNDS = 513, 7


def milliseconds(work):
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def main():
    torch.set_num_threads(2)
    print(f"{SIZE} × {SIZE} pixels, medians of {ROUNDS} interleaved runs\n")
    print(f"{'model':<26}{'trace, ms':>11}{'forward, ms':>13}{'ratio':>8}")
    for name, build in MODELS.items():
        with torch.device("meta"):
            model, picture = build().eval(), torch.empty(1, 3, SIZE, SIZE)
        works = {"trace": lambda m=model: trace(m, SIZE), "forward": lambda m=model, x=picture: m(x)}
        for work in works.values():
            work()
        runs = [{key: milliseconds(work) for key, work in works.items()} for _ in range(ROUNDS)]
        ours, theirs = (statistics.median(run[key] for run in runs) for key in ("trace", "forward"))
        print(f"{name:<26}{ours:>11.0f}{theirs:>13.0f}{ours / theirs:>8.1f}")


if __name__ == "__main__":
    main()
