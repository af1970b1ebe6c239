"""The dense CRF: this course's fast mean field next to pydensecrf, in interleaved runs, as Markdown tables.

    python benchmarks/crf.py            about 9 minutes on two cores
    python benchmarks/crf.py --quick    about half a minute, to see that it runs

Times are medians; a ratio is pydensecrf's time divided by ours, taken run by run, so above 1 we are faster.
"inference" has the lattices at hand; "with build" makes the picture's lattice too (the spatial lattice is kept
per size); "all new" makes both. Where VOC and its network are in the data folder, one table is on real scores, with the
labels dropped that no pixel finds likely. Run it on quiet cores: two threads on busy ones say nothing.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

from deeplab_lessons import crf, runtime  # isort: skip  # sets how torch's threads wait
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from deeplab_lessons import datasets, inference
from deeplab_lessons.classroom import reference_crf
from deeplab_lessons.classroom.built_in import photograph
from deeplab_lessons.classroom.mobile_deeplab import mobile_deeplab_v3
from deeplab_lessons.crf import fast
from deeplab_lessons.datasets import as_picture

SETTINGS = {
    "10 / 80 / 13, 3 / 3": crf.Parameters(10, 80, 13, 3, 3),
    "4 / 67 / 3, 3 / 1": crf.Parameters(4, 67, 3, 3, 1),
    "4 / 121 / 5, 3 / 3": crf.Parameters(4, 121, 5, 3, 3),
}
WIDTH, HEIGHT, CLASSES = 500, 375, 21
DROPPED = (0, 1e-5, 1e-3)  # `drop_below`
STATUS = Path("/proc/self/status")


def pictures(count: int, width: int = WIDTH, height: int = HEIGHT) -> list[torch.Tensor]:
    """Photographs uint8 [3, height, width]: from the data folder if it has any, else scikit-image's."""
    folder = runtime.data_dir()
    files = sorted(folder.glob("densecrf-examples/im*.png"))
    files += sorted(folder.glob("voc2012-mini/VOCdevkit/VOC2012/JPEGImages/*.jpg"))
    images = [Image.fromarray(as_picture(file)) for file in files[:count]]
    images = images or [Image.fromarray(photograph("astronaut"))]
    resized = (image.resize((width, height), Image.Resampling.BICUBIC) for image in images)
    return [torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous() for image in resized]


def smooth_unary(classes: int, width: int, height: int, seed: int = 0) -> torch.Tensor:
    """Unaries [C, N] as a network at output stride 8 makes them: random scores, enlarged, softmax, -log."""
    cells = torch.randn(
        1, classes, height // 32 + 2, width // 32 + 2, generator=torch.Generator().manual_seed(seed)
    )
    logits = F.interpolate(4 * cells, size=(height, width), mode="bilinear", align_corners=True)[0]
    return -torch.log_softmax(logits, 0).flatten(1)


class Clock:
    """Seconds between calls; waits for the GPU if there is one at work."""

    def __init__(self, device="cpu"):
        self.device, self.last = torch.device(device), 0.0
        self.lap()

    def lap(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        before, self.last = self.last, time.perf_counter()
        return self.last - before


def ours(unary, picture, setting) -> tuple[dict, torch.Tensor]:
    """Seconds of the parts, and the marginals."""
    clock = Clock(unary.device)
    fast._spatial_tables.cache_clear()
    fast.write_kernels(picture, setting, unary)
    both = clock.lap()
    kernels = fast.write_kernels(picture, setting, unary)
    one = clock.lap()
    q = fast.infer(unary, kernels, iterations=setting.iterations)
    inference = clock.lap()
    return {"inference": inference, "with build": one + inference, "all new": both + inference}, q


def theirs(unary, picture, setting) -> tuple[dict, torch.Tensor]:
    """The same for pydensecrf; it makes both lattices every time."""
    from pydensecrf.densecrf import DenseCRF2D

    image = np.ascontiguousarray(picture.permute(1, 2, 0).numpy())
    energies = unary.numpy()
    clock = Clock()
    model = DenseCRF2D(*picture.shape[:0:-1], len(unary))
    model.setUnaryEnergy(energies)
    model.addPairwiseBilateral(
        sxy=setting.sigma_alpha, srgb=setting.sigma_beta, rgbim=image, compat=float(setting.w1)
    )
    model.addPairwiseGaussian(sxy=setting.sigma_gamma, compat=float(setting.w2))
    build = clock.lap()
    q = torch.from_numpy(np.array(model.inference(setting.iterations)))
    inference = clock.lap()
    return {"inference": inference, "with build": build + inference, "all new": build + inference}, q


def side_by_side(unary, picture, setting, rounds: int) -> dict[str, tuple[float, float, float]]:
    """Medians over interleaved runs: for each part (our seconds, their seconds, ratio)."""
    ours(unary, picture, setting)  # the first call is slower
    runs = [(ours(unary, picture, setting)[0], theirs(unary, picture, setting)[0]) for _ in range(rounds)]
    median = statistics.median
    return {
        part: (
            median(we[part] for we, _ in runs),
            median(they[part] for _, they in runs),
            median(they[part] / we[part] for we, they in runs),
        )
        for part in runs[0][0]
    }


def row(*cells) -> None:
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def head(title: str, *cells) -> None:
    print(f"\n### {title}\n", flush=True)
    row(*cells)
    row(*["---"] * len(cells))


def shown(ours_, theirs_, ratio) -> str:
    return f"{1000 * ours_:.0f} / {1000 * theirs_:.0f} ms = **{ratio:.2f}×**"


def agreement(settings, count: int) -> None:
    head(f"Agreement, {count} pictures each", "setting", "max ΔQ", "mean ΔQ", "equal labels")
    for name, setting in settings.items():
        apart = []
        for seed, picture in enumerate(pictures(count)):
            unary = smooth_unary(CLASSES, WIDTH, HEIGHT, seed)
            got, want = ours(unary, picture, setting)[1], theirs(unary, picture, setting)[1]
            gap, same = (got - want).abs(), (got.argmax(0) == want.argmax(0)).double().mean()
            apart.append((gap.max().item(), gap.double().mean().item(), same.item()))
        largest, mean, same = zip(*apart, strict=True)
        row(name, f"{max(largest):.1e}", f"{max(mean):.1e}", f"{100 * min(same):.4f} %")


def speed(settings, rounds: int) -> None:
    columns = ("setting", "threads", "inference", "with build", "all new")
    head("Speed, 21 classes, 500×375, 10 iterations: ours / pydensecrf", *columns)
    unary, picture = smooth_unary(CLASSES, WIDTH, HEIGHT), pictures(1)[0]
    for name, setting in settings.items():
        for threads in (1, 2):
            torch.set_num_threads(threads)
            row(
                name,
                threads,
                *(shown(*part) for part in side_by_side(unary, picture, setting, rounds).values()),
            )


def real_scores(settings, count: int) -> None:
    """`crf.refine` as users call it, on a network's scores of VOC's photographs: with labels dropped and without."""
    weights = runtime.data_dir() / "weights" / "deeplabv3_mobilenet_v2_tf-voc-fp16.pt"
    if not (weights.is_file() and datasets.find_voc()):
        print("\nNo real scores: VOC or its network is not in the data folder (data/README.md).")
        return
    columns = ("setting", "threads", "dropped below", "labels kept", "ratio", "max ΔQ", "equal labels")
    head(f"{count} real score maps of 21 classes, all new: medians and ranges over the maps", *columns)
    voc, network, cases = datasets.VOC(split="val"), mobile_deeplab_v3(weights=weights), []
    for i in range(count):
        picture = torch.from_numpy(voc.pair(i)[0]).permute(2, 0, 1)
        cases.append((inference.scores(network, voc[i][0]).clone(), picture))
    for name, setting in settings.items():
        for threads in (1, 2):
            torch.set_num_threads(threads)
            real_case(*cases[0], setting)  # the first call is slower
            found = [real_case(*case, setting) for case in cases]
            for number, epsilon in enumerate(DROPPED):
                kept, ratios, gaps, same = zip(*(each[number] for each in found), strict=True)
                several = f"{statistics.median(kept):g} ({min(kept)} to {max(kept)})"
                ratio = f"**{statistics.median(ratios):.1f}×** ({min(ratios):.1f} to {max(ratios):.1f})"
                row(name, threads, epsilon, several, ratio, f"{max(gaps):.1e}", f"{100 * min(same):.4f} %")


def real_case(scores, picture, setting) -> list[tuple[int, float, float, float]]:
    """For each of `DROPPED`: labels kept, pydensecrf's time over ours, how far the marginals and labels are apart."""
    clock, results = Clock(), []
    spent, want = theirs(crf.unary_from_logits(scores).flatten(1), picture, setting)
    for epsilon in DROPPED:
        fast._spatial_tables.cache_clear()
        clock.lap()
        q = crf.refine(scores, picture, setting, drop_below=epsilon).flatten(1)
        ratio = spent["all new"] / clock.lap()
        kept = int((scores.softmax(0).flatten(1).amax(1) >= epsilon).sum())
        same = (q.argmax(0) == want.argmax(0)).double().mean()
        results.append((kept, ratio, float((q - want).abs().max()), float(same)))
    return results


def growth(rounds: int, quick: bool) -> None:
    torch.set_num_threads(2)
    setting = SETTINGS["10 / 80 / 13, 3 / 3"]
    head("Growth with pixels, 21 classes, 2 threads", "picture", "inference", "with build")
    for scale in (0.25, 0.5) if quick else (0.25, 0.5, 1, 2):
        width, height = 4 * round(WIDTH * scale / 4), 4 * round(HEIGHT * scale / 4)
        unary, picture = smooth_unary(CLASSES, width, height), pictures(1, width, height)[0]
        parts = side_by_side(unary, picture, setting, rounds)
        row(f"{width}×{height}", shown(*parts["inference"]), shown(*parts["with build"]))
    head("Growth with classes, 252×188, 2 threads", "classes", "inference", "with build")
    picture = pictures(1, 252, 188)[0]
    for classes in (2, 21) if quick else (2, 5, 21, 60, 150):
        parts = side_by_side(smooth_unary(classes, 252, 188), picture, setting, rounds)
        row(classes, shown(*parts["inference"]), shown(*parts["with build"]))


def gpu(settings, rounds: int) -> None:
    """Repeat this on a GPU, next to our own CPU time in the same run."""
    head("GPU: milliseconds", "setting", "inference", "with build", "all new", "max ΔQ to the CPU")
    unary, picture = smooth_unary(CLASSES, WIDTH, HEIGHT), pictures(1)[0]
    for name, setting in settings.items():
        there = unary.cuda(), picture.cuda()
        ours(*there, setting)
        runs = [ours(*there, setting) for _ in range(3 * rounds)]
        gap = (runs[0][1].cpu() - ours(unary, picture, setting)[1]).abs().max().item()
        parts = (statistics.median(1000 * run[part] for run, _ in runs) for part in runs[0][0])
        row(name, *(f"{part:.1f}" for part in parts), f"{gap:.1e}")


def memory(settings) -> None:
    head("Peak memory above the inputs, all new, 2 threads", "setting", "ours", "pydensecrf")
    for name in settings:
        calls = (
            [sys.executable, __file__, "--memory-of", who, "--setting", name] for who in ("ours", "theirs")
        )
        peaks = (subprocess.run(call, capture_output=True, text=True, check=True).stdout for call in calls)
        row(name, *(f"{float(peak):.0f} MB" for peak in peaks))


def memory_of(who: str, name: str) -> None:
    """In a process of its own: by how many MB one run raises the process's peak."""
    torch.set_num_threads(2)
    unary, picture = smooth_unary(CLASSES, WIDTH, HEIGHT), pictures(1)[0]
    run = {"ours": ours, "theirs": theirs}[who]
    run(smooth_unary(CLASSES, 64, 64), pictures(1, 64, 64)[0], SETTINGS[name])  # what any first call loads
    STATUS.with_name("clear_refs").write_text("5")  # the peak begins anew
    before = kilobytes("VmRSS")
    run(unary, picture, SETTINGS[name])
    print((kilobytes("VmHWM") - before) / 1024)


def kilobytes(field: str) -> int:
    lines = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
    return int(lines[field].split()[0])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one setting, few rounds, small sizes")
    parser.add_argument("--rounds", type=int, help="interleaved runs per row (default 7, quick 3)")
    parser.add_argument("--memory-of", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    parser.add_argument("--setting", choices=SETTINGS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.memory_of:
        return memory_of(asked.memory_of, asked.setting)
    if not reference_crf.available():
        sys.exit('pydensecrf is not installed: pip install "deeplab-lessons[crf]"')
    started, rounds = time.perf_counter(), asked.rounds or (3 if asked.quick else 7)
    settings = dict(list(SETTINGS.items())[:1]) if asked.quick else SETTINGS
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, medians of {rounds} rounds")
    print("Settings are w1 / σα / σβ, w2 / σγ. Cells: ours / pydensecrf = ratio.")
    agreement(settings, 1 if asked.quick else 3)
    speed(settings, rounds)
    real_scores(settings, 2 if asked.quick else 12)
    growth(min(rounds, 3), asked.quick)
    if STATUS.exists():  # Linux
        memory(settings)
    if torch.cuda.is_available():
        gpu(settings, rounds)
    print(f"\n{time.perf_counter() - started:.0f} s in total")


if __name__ == "__main__":
    main()
