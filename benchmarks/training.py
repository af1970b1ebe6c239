"""Training DeepLab v2 on ResNet-101: the course's loop next to the plainest PyTorch loop, as a Markdown table.

    python benchmarks/training.py            CPU: about 8 minutes on two cores; CUDA where torch finds it
    python benchmarks/training.py --quick    a small crop, to see that it runs

Both loops train the same network (ASPP-L, frozen batch norm, random weights) with the same batches, by turns. The
plain one has what a correct training needs and nothing else: no guard against NaN, no checked labels, no seeded
order, no way to resume. A ratio is ours divided by the plain one's pictures per second, round by round: its median
and its range. Memory is the most that a process of its own held: beyond the imports on a CPU, allocated on CUDA.
Run it on quiet cores.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from deeplab_lessons import runtime, training  # isort: skip  # sets how torch's threads wait
import torch
from torch.nn import functional as F

from deeplab_lessons.models import deeplab

LR = 0.00025


def network() -> torch.nn.Module:
    """DeepLab v2 on ResNet-101 as published, from random weights; each block adds a tenth, so that it stays finite."""
    torch.manual_seed(0)
    net = deeplab("v2", backbone="resnet101", rates="L")
    for name, part in net.named_modules():
        if name.endswith("bn3"):
            part.weight.fill_(0.1)
    return net


def pairs(crop: int, count: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Random pictures, float [3, crop, crop], and labels, int64 [crop, crop], in memory."""
    numbers = torch.Generator().manual_seed(0)
    return [
        (
            torch.randn(3, crop, crop, generator=numbers),
            torch.randint(21, (crop, crop), generator=numbers),
        )
        for _ in range(count)
    ]


def plain(model, dataset, iterations, batch_size, device, amp) -> None:
    """The plainest correct loop: crops of 8n + 1 pixels, whose cells lie on every eighth pixel."""
    optimiser = torch.optim.SGD(model.parameter_groups(LR), lr=LR, momentum=0.9, weight_decay=5e-4)
    starts = [group["lr"] for group in optimiser.param_groups]
    loader = torch.utils.data.DataLoader(dataset, batch_size, pin_memory=device.type == "cuda")
    model.to(device).train()
    for iteration, (images, labels) in zip(range(iterations), loader, strict=True):
        images, labels = images.to(device, non_blocking=True), labels.to(device, non_blocking=True)
        for group, start in zip(optimiser.param_groups, starts, strict=True):
            group["lr"] = start * (1 - iteration / iterations) ** 0.9
        with torch.autocast(device.type, torch.bfloat16, enabled=amp):
            logits = model(images)
        loss = F.cross_entropy(logits.float(), labels[:, ::8, ::8], ignore_index=255)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        loss.item()


def ours(model, dataset, iterations, batch_size, device, amp) -> None:
    """The course's loop, as the lessons call it."""
    training.train(
        model, dataset, iterations=iterations, batch_size=batch_size, lr=LR, device=device,
        amp="bf16" if amp else False, workers=0, progress=False,
    )  # fmt: skip


LOOPS = {"plain": plain, "ours": ours}


def memory(loop: str, crop: int, batch_size: int, device: torch.device, amp: bool) -> float:
    """Largest memory of two iterations in GiB, in this process (Linux, or CUDA)."""
    before = high_water()
    LOOPS[loop](network(), pairs(crop, 2 * batch_size), 2, batch_size, device, amp)
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    return (high_water() - before) / 2**20


def high_water() -> int:
    """Largest resident memory of this process so far, in KiB; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def in_own_process(loop: str, *numbers) -> float:
    """`memory` in a process of its own."""
    command = [sys.executable, __file__, "--memory", loop, *map(str, numbers)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def row(crop: int, batch_size: int, iterations: int, rounds: int, device: torch.device, amp: bool) -> str:
    """One line of the table; the loops take turns, and which one begins changes."""
    model, dataset, speeds = network(), pairs(crop, iterations * batch_size), {name: [] for name in LOOPS}
    for each in range(rounds + 1):  # the first round warms up
        for name in sorted(LOOPS, reverse=bool(each % 2)):
            began = time.perf_counter()
            LOOPS[name](model, dataset, iterations, batch_size, device, amp)
            speeds[name].append(iterations * batch_size / (time.perf_counter() - began))
    speeds = {name: each[1:] for name, each in speeds.items()}
    ratios = [ours / plain for ours, plain in zip(speeds["ours"], speeds["plain"], strict=True)]
    held = [in_own_process(name, crop, batch_size, int(amp)) for name in LOOPS]
    cells = [f"{crop}", f"{batch_size}", "bf16" if amp else "fp32"]
    cells += [f"{statistics.median(speeds[name]):.3g}" for name in LOOPS]
    cells += [f"{statistics.median(ratios):.3f} ({min(ratios):.3f} … {max(ratios):.3f})"]
    return "| " + " | ".join([*cells, *(f"{each:.2f}" for each in held)]) + " |"


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--quick", action="store_true", help="a small crop and one round")
    options.add_argument("--rounds", type=int, default=5, help="measured turns of each loop")
    options.add_argument(
        "--memory", nargs=4, metavar=("LOOP", "CROP", "BATCH", "AMP"), help=argparse.SUPPRESS
    )
    options = options.parse_args()
    device = runtime.device()
    if options.memory:
        crop, batch_size, amp = map(int, options.memory[1:])
        print(memory(options.memory[0], crop, batch_size, device, bool(amp)))
        return
    on_gpu = device.type == "cuda"
    iterations, batch_size = (10, 10) if on_gpu else (2, 1)
    crops, rounds = ([65], 1) if options.quick else ([321, 513], options.rounds)
    print(f"device {device}, torch {torch.__version__}, {torch.get_num_threads()} threads\n")
    print(
        "| crop | batch | type | plain, pictures/s | ours, pictures/s | ours / plain | plain, GiB | ours, GiB |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for crop in crops:
        for amp in (False, True) if on_gpu else (False,):
            print(row(crop, batch_size, iterations, rounds, device, amp), flush=True)


if __name__ == "__main__":
    main()
