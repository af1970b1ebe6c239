"""Training DeepLab v2, v3 and v3+ on ResNet-101 by the course's loop, next to torchvision's v3 in a plain one.

    python benchmarks/versions.py            CPU: small crops, about 15 minutes; CUDA, where there is one: of 513
    python benchmarks/versions.py --quick    one round of tiny crops, to see that it runs

Two Markdown tables: the versions, and for v3 the options channels_last, compiled and amp (on CUDA). The rows take
turns, round by round. Seconds are those of one iteration, taken at the end of each; the first ones of a turn, which
compile and warm up, are left out. A ratio is pictures per second divided by those of the table's first row in the
same round: median and range. Memory is the most that CUDA had allocated. Run it on quiet cores.
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Callable

from deeplab_lessons import runtime, training  # isort: skip  # sets how torch's threads wait
import torch
import torchvision
from torch.nn import functional as F
from training import network, pairs

from deeplab_lessons.models import deeplab

LR, LEFT_OUT = 0.007, 2
Row = Callable[[list, int, int, torch.device], list[float]]


def plain_torchvision(amp: bool) -> Row:
    """torchvision's `deeplabv3_resnet101` (output stride 8, no auxiliary classifier) in the plainest loop."""
    model = torchvision.models.segmentation.deeplabv3_resnet101(weights=None, weights_backbone=None)

    def turn(dataset, iterations, batch_size, device) -> list[float]:
        model.to(device).train()
        optimiser = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9, weight_decay=5e-4)
        loader = torch.utils.data.DataLoader(dataset, batch_size, pin_memory=device.type == "cuda")
        times = [time.perf_counter()]
        for _, (images, labels) in zip(range(iterations), loader, strict=True):
            images, labels = images.to(device, non_blocking=True), labels.to(device, non_blocking=True)
            with torch.autocast(device.type, torch.bfloat16, enabled=amp):
                logits = model(images)["out"]
            loss = F.cross_entropy(logits.float(), labels, ignore_index=255)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            loss.item()
            times.append(time.perf_counter())
        return times

    return turn


def ours(model: torch.nn.Module, **options) -> Row:
    """One of our networks in the course's loop."""

    def turn(dataset, iterations, batch_size, device) -> list[float]:
        times = [time.perf_counter()]
        training.train(
            model, dataset, iterations=iterations, batch_size=batch_size, lr=LR / 100, loss="upsampled",
            device=device, workers=0, progress=False, validate_every=1,
            watch=lambda done, _: times.append(time.perf_counter()), **options,
        )  # fmt: skip
        return times

    return turn


def table(rows: dict[str, Row], crop: int, batch_size: int, iterations: int, rounds: int, device) -> None:
    """Print one table; the first row is what the others are divided by."""
    dataset, speeds, held = pairs(crop, iterations * batch_size), {name: [] for name in rows}, {}
    for _ in range(rounds):
        for name, turn in rows.items():
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats(device)
            times = turn(dataset, iterations, batch_size, device)[LEFT_OUT:]
            steps = [later - earlier for earlier, later in itertools.pairwise(times)]
            speeds[name].append(batch_size / statistics.median(steps))
            if device.type == "cuda":
                held[name] = torch.cuda.max_memory_allocated(device) / 2**30
    first = next(iter(rows))
    print(f"\ncrop {crop}, batch {batch_size}\n\n| | pictures/s | ratio | GiB |\n|---|---|---|---|")
    for name, found in speeds.items():
        ratios = [own / base for own, base in zip(found, speeds[first], strict=True)]
        ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} … {max(ratios):.2f})"
        memory = f"{held[name]:.1f}" if held else "not measured"
        print(f"| {name} | {statistics.median(found):.3g} | {ratio} | {memory} |")


def main() -> None:
    """Print both tables."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--quick", action="store_true", help="tiny crops and one round")
    options.add_argument("--rounds", type=int, default=3, help="turns of each row")
    options = options.parse_args()
    device = runtime.device()
    cuda = device.type == "cuda"
    crop, batch_size, iterations = (513, 8, 12) if cuda else (161, 2, 5)
    rounds = options.rounds
    if options.quick:
        crop, iterations, rounds = 65, 4, 1
    print(f"device {device}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    amp = {"amp": "bf16"} if cuda else {}
    versions = {
        "torchvision's DeepLab v3 (output stride 8), plain loop": plain_torchvision(cuda),
        "v2, ASPP-L": ours(network(), **amp),
        "v3, output stride 16": ours(deeplab("v3"), **amp),
        "v3, output stride 8": ours(deeplab("v3", output_stride=8), **amp),
        "v3+, output stride 16": ours(deeplab("v3plus"), **amp),
    }
    table(versions, crop, batch_size, iterations, rounds, device)
    del versions
    given = {"none": {}, "channels_last": {"channels_last": True}, "compiled": {"compiled": True}}
    if cuda:
        given |= {"amp": amp, "all three": {**amp, "channels_last": True, "compiled": True}}
    else:
        given["both"] = {"channels_last": True, "compiled": True}
    v3 = {name: ours(deeplab("v3"), **each) for name, each in given.items()}
    table(v3, crop, batch_size, iterations, rounds, device)


if __name__ == "__main__":
    main()
