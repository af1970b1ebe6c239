"""What the long runs share: results files that are filled run by run, and how networks are measured and CRFs tuned."""

import argparse
import base64
import io
import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from deeplab_lessons import crf, datasets, inference, metrics, runtime  # isort: skip  # sets how torch's threads wait
import numpy as np
import torch
from PIL import Image

from deeplab_lessons.classroom.built_in import Embedded
from deeplab_lessons.datasets import transforms
from deeplab_lessons.files import whole_file

#: What is done for one name and seed: numbers, by the names under which they are kept.
Run = Callable[[str, int], dict[str, dict]]

#: What is tried for a CRF after a network; w2 and σγ are those of v2's released code for ResNet-101. The best lie at
#: the edge (20, 40, 5). Beyond it (40, 80, 3) the same scenes gain half a point more (lesson 08's network, seed 0).
CRF_GRID = {"w1": [5, 10, 20], "sigma_alpha": [10, 20, 40], "sigma_beta": [5, 10, 20]}
CRF_FIXED = {"w2": 3, "sigma_gamma": 1, "iterations": 10}
TUNED_ON = 20  # training scenes, not mirrored


def options(
    script: str, about: str, arguments: Sequence[str] | None = None, keep: str = ""
) -> argparse.Namespace:
    """Return the options of a results script: `results`, by default the .json next to it, and `--quick`.

    `keep`: what the folder `--keep` is for, where a script needs one.
    """
    parser = argparse.ArgumentParser(description=about)
    stored = Path(script).with_suffix(".json")
    parser.add_argument("results", type=Path, nargs="?", default=stored, help=f"file to fill ({stored.name})")
    parser.add_argument(
        "--quick", action="store_true", help="tiny, into a file of its own: does everything run?"
    )
    if keep:
        parser.add_argument("--keep", type=Path, required=True, help=keep)
    given = parser.parse_args(arguments)
    if given.quick and given.results.resolve() == stored.resolve():
        parser.error(f"--quick would spoil {stored.name}: name another file")
    return given


def weights_beside_voc(name: str) -> Path:
    """Return the file of that name in the data folder's `weights/`; exit where it or PASCAL VOC is not there."""
    home = runtime.data_dir()
    path = home / "weights" / name
    if not path.is_file() or datasets.find_voc() is None:
        raise SystemExit(f"VOC or {name} is not in {home}: data/README.md says where they go")
    return path


def load(path: Path, plan: dict) -> dict:
    """Return what `path` holds, or the plan for a new file; exit if it holds the runs of another plan."""
    plan = json.loads(json.dumps(plan))
    results = json.loads(path.read_text()) if path.is_file() else plan
    changed = [key for key in plan if results.get(key) != plan[key]]
    if changed:
        raise SystemExit(
            f"{path} holds runs of another plan ({', '.join(changed)}): move it away, or name another file"
        )
    return results


def save(path: Path, results: dict) -> None:
    """Write the results; the old file stays until all is written."""
    with whole_file(path) as part:
        part.write_text(json.dumps(results, indent=1) + "\n")


def fill(path: Path, plan: dict, seeds: Iterable[int], names: Iterable[str], run: Run, group="runs") -> dict:
    """Run what `path` lacks in `group`, seed by seed, save and print after each; return everything it holds.

    The file holds the plan and the group: for each name a list with one entry for each seed.
    """
    results = load(path, plan)
    kept = results.setdefault(group, {})
    for seed, name in itertools.product(seeds, names):
        if seed in [done["seed"] for done in kept.get(name, [])]:
            continue
        for title, numbers in run(name, seed).items():
            kept.setdefault(title, []).append({"seed": seed, **numbers})
            print(f"{title:<22}", kept[title][-1], flush=True)
        save(path, results)
    return results


def per_cent(fraction: float) -> float:
    """Return a fraction in per cent, with two decimals."""
    return round(100 * float(fraction), 2)


def measured(scores: inference.Scores, digits: int = 2) -> dict:
    """Return mIoU, IoU of the classes and, if measured, mIoU in bands around the boundaries, in per cent."""
    found: dict = {"mean_iou": per_cent(scores.mean_iou)}
    found["iou"] = {label: round(100 * value, digits) for label, value in scores.iou.items()}
    bands = {str(width): per_cent(value) for width, value in scores.trimap_mean_iou.items()}
    return found | ({"trimap": bands} if bands else {})


def tuned(network: torch.nn.Module, size: int, quick: bool = False) -> crf.Parameters:
    """Return the setting of `CRF_GRID` with the best mIoU after `network` on `TUNED_ON` training scenes of `size`."""
    scenes, samples = Embedded("train", TUNED_ON, size), []
    for index in range(1 if quick else TUNED_ON):
        picture, labels = scenes.pair(index)
        scores = inference.scores(network, transforms.normalise(picture)).clone().cpu()
        samples.append((scores, torch.tensor(picture).permute(2, 0, 1), labels))
    settings = [
        crf.Parameters(**dict(zip(CRF_GRID, values, strict=True)), **CRF_FIXED)
        for values in itertools.product(*CRF_GRID.values())
    ]
    return max(settings[: 2 if quick else None], key=lambda setting: _mean_iou(setting, samples))


def _mean_iou(setting: crf.Parameters, samples: list[tuple]) -> float:
    """Mean IoU of the refined labels over samples (scores, picture, labels)."""
    layer, confusion = crf.DenseCRF(setting), 0
    for scores, picture, labels in samples:
        with torch.no_grad():
            refined = layer(scores, picture).argmax(0).numpy()
        confusion = confusion + metrics.confusion_matrix(refined, labels, len(scores))
    return metrics.mean_iou(confusion)


def as_text(labels) -> str:
    """Return a label map uint8 [H, W] as a PNG in base64."""
    file = io.BytesIO()
    Image.fromarray(labels).save(file, "png", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def counts(predicted: np.ndarray, labels: np.ndarray, num_classes: int, bands: Sequence[int]) -> np.ndarray:
    """Return confusion matrices of a label map: of all pixels, then of each band around void, [1 + bands, C, C]."""
    near = metrics.trimap_confusions(predicted, labels, num_classes, bands, around="void")
    return torch.stack([metrics.confusion_matrix(predicted, labels, num_classes), *near.values()]).numpy()


def mean_ious(counts: np.ndarray) -> np.ndarray:
    """Return mean IoU in per cent [...] of confusion matrices [..., C, C], over the classes that occur."""
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    union = counts.sum(-1) + counts.sum(-2) - right
    return 100 * np.nanmean(np.where(union > 0, right / np.maximum(union, 1), np.nan), -1)


def gain(before: np.ndarray, after: np.ndarray, draws: int) -> np.ndarray:
    """Return mIoU after minus before, in points, and the ends of its 95 % interval: [K, 3].

    Both are confusion matrices [images, K, C, C] of the same images. The interval comes from `draws` bootstrap samples
    of the images, the same on both sides.
    """
    drawn = np.random.default_rng(0).integers(len(before), size=(draws, len(before)))
    times = np.stack([np.bincount(each, minlength=len(before)) for each in drawn])
    new, old = (mean_ious(np.tensordot(times, counts, 1)) for counts in (after, before))
    low, high = np.percentile(new - old, (2.5, 97.5), axis=0)
    return np.stack([mean_ious(after.sum(0)) - mean_ious(before.sum(0)), low, high], axis=1)
